/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * litmus_cell -- one instruction of a litmus test, as herd lets it be written
 * and as `as` reads it.
 *
 *      herd                        as
 *      MOVQ %RBX,(x)               movq %rbx,heddle_x_x
 *      movl 4(x),%eax              movl 4+heddle_x_x,%eax
 *      xchgl eax,(y)               xchgl %eax,heddle_x_y
 *      jne L0                      jne heddle_P1_L0
 *      shl 2,%eax                  shl $2,%eax
 *      ret                         jmp heddle_end1, unless rsp is initialised
 *
 * Names of locations and labels get a prefix, since `x` might be a register
 * or mnemonic of `as` one day; labels get one for each thread.
 *
 * Only plain instructions pass: no character that could begin a directive, a
 * comment, a string or another statement.  So what `as` is given always ends.
 *
 * Layer 9.
 */
#ifndef EMU_LITMUS_LITMUS_CELL_H
#define EMU_LITMUS_LITMUS_CELL_H

#include "base/base.h"
#include "litmus/litmus.h"

/* Put the text of a cell into a thread: its labels, and its instruction if
 * there is one.  `text` is trimmed. */
bool litmus_cell_add(Litmus *litmus, unsigned thread, const char *text,
                     unsigned line, GError **error);

/* Add the locations that only the code names, as "(x)". */
bool litmus_cell_declare(Litmus *litmus, unsigned thread,
                         const LitmusLine *line, GError **error);

/* Whether every name is a location, a register or a label of the thread. */
bool litmus_cell_check(const Litmus *litmus, unsigned thread,
                       const LitmusLine *line, GError **error);

/* Append the line for `as`, with its newline; it was checked. */
void litmus_cell_rewrite(const Litmus *litmus, unsigned thread,
                         const LitmusLine *line, GString *out);

#endif
