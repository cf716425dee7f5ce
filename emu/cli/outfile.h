/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outfile -- a file that somebody asked a command to write.
 *
 * It is written where it is: a device, a pipe or a symbolic link stays what it
 * is.  Layer 13.
 */
#ifndef EMU_CLI_OUTFILE_H
#define EMU_CLI_OUTFILE_H

#include "base/base.h"

/* The file has this text and nothing else; or an error that names it, and the
 * file has some of it. */
bool outfile_write(const char *path, const char *text, GError **error);

#endif
