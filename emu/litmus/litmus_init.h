/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * litmus_init -- reads the initial values of a litmus test.
 *
 *      { x=1; uint64_t y; int t[2]={1,2}; 0:rax=1; 1:rdi=x; int *p=&x; }
 *
 * Types are those of stdint.h and int, char, short, long, and pointers.
 * Whatever is pointed at exists: it is added with an initial 0.  A register
 * may be initialised for any thread up to LITMUS_THREADS_MAX; whether the
 * thread exists shows later, see `threads_named`.
 *
 * Layer 9.
 */
#ifndef EMU_LITMUS_LITMUS_INIT_H
#define EMU_LITMUS_LITMUS_INIT_H

#include "base/base.h"
#include "litmus/litmus.h"
#include "litmus/litmus_lex.h"

/* Read from the token '{' to behind '}'.  `lex->at` then is what follows the
 * brace: no further token was read.  *threads_named is one more than the
 * highest thread that was named, and *line is where that was. */
bool litmus_init_parse(LitmusLex *lex, Litmus *litmus, unsigned *threads_named,
                       unsigned *line, GError **error);

#endif
