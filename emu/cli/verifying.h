/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verifying -- heddle replay --verify: is what a certificate claims true?
 *
 * Layer 13.
 */
#ifndef EMU_CLI_VERIFYING_H
#define EMU_CLI_VERIFYING_H

#include "base/base.h"
#include "cli/options.h"

/*
 * Verify options->files, certificates or traces that have one beside them, and
 * print what was found.  EXIT_HELD if all hold, EXIT_FOUND if one does not.
 * EXIT_WORLD with an error if a file is damaged, has nothing to verify, or its
 * run cannot be made.
 */
int verifying_all(Options *options, GError **error);

#endif
