/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * commands -- the commands of heddle; each in its file cmd_NAME.c, with its
 * own help.
 *
 * A command returns the exit status, or EXIT_WORLD with an error.
 *
 * Layer 13.
 */
#ifndef EMU_CLI_COMMANDS_H
#define EMU_CLI_COMMANDS_H

#include "base/base.h"

typedef int Command(int argc, char **argv, GError **error);

Command cmd_run;
Command cmd_explore;
Command cmd_merge;
Command cmd_replay;
Command cmd_shrink;
Command cmd_show;
Command cmd_audit;
Command cmd_litmus;

#endif
