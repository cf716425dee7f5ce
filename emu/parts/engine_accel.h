/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_accel -- why a store need not cost ninety nanoseconds.
 *
 * Unicorn 2.0.1 never clears the mark "this page may hold code" that its
 * software TLB puts on every page, so that each store takes the slow path.
 * Debian's library calls its own functions through the PLT, and so a program
 * can put itself between: after a page entered the TLB, say that it holds no
 * code; when code is translated, say of its pages that they do.  Stores then
 * cost about one nanosecond.
 *
 * Nothing but speed depends on it.  If the library does not have the four
 * functions, or HEDDLE_ACCEL=0 is in the environment, nothing happens; if it
 * does not call them through the PLT, ours are never called.  A test compares
 * digests with and without.
 *
 * Layer 2; used by engine.c only.
 */
#ifndef EMU_PARTS_ENGINE_ACCEL_H
#define EMU_PARTS_ENGINE_ACCEL_H

#include "base/base.h"

/* Find the library's functions; before the first instance is opened.  May be
 * called again, and then does nothing. */
void engine_accel_prepare(void);

/* Empty the TLB of an instance; with or without the accelerator, if the
 * library lets us. */
bool engine_accel_can_flush(void);
void engine_accel_flush(void *cpu);

/* The instance whose cpu object this is goes away. */
void engine_accel_forget(const void *cpu);

#endif
