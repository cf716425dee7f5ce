/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * litmus_columns -- reads the code of a litmus test.
 *
 *       P0          | P1          ;      threads, numbered from 0
 *       movl $1,(x) | L0: incq %rax ;    a row: one cell for each thread
 *                   | jmp L0      ;
 *
 * The columns end where the condition, `locations` or `filter` begins, or
 * with the text.
 *
 * Layer 9.
 */
#ifndef EMU_LITMUS_LITMUS_COLUMNS_H
#define EMU_LITMUS_LITMUS_COLUMNS_H

#include "base/base.h"
#include "litmus/litmus.h"

/* Read from *text, which is at *line; afterwards both are where the columns
 * end.  The threads' lines are filled, all their names are known. */
bool litmus_columns_parse(const char **text, unsigned *line, Litmus *litmus,
                          GError **error);

#endif
