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
 * Nothing but speed depends on it.  With HEDDLE_ACCEL=0 in the environment
 * nothing of it happens.  A test compares digests with and without.
 *
 * In the same place, and whether the accelerator is on or off, the translator
 * is kept from bytes at which it would abort the process.
 *
 * Layer 2; used by engine.c only.
 */
#ifndef EMU_PARTS_ENGINE_ACCEL_H
#define EMU_PARTS_ENGINE_ACCEL_H

#include "base/base.h"
#include "guest/gmem.h"

/* Find the library's functions; before the first instance is opened.  May be
 * called again, and then does nothing. */
void engine_accel_prepare(void);

/* Empty the TLB of an instance; with or without the accelerator, if the
 * library lets us. */
bool engine_accel_can_flush(void);
void engine_accel_flush(void *cpu);

/*
 * After each run, before anybody looks at RAM or has another run.
 * The translator does not return from a page that it cannot read, and then
 * bytes of RAM may be left in the disguise that it was to see.
 */
void engine_accel_tidy(void);

/* The block that is translated next, in this run, is one instruction. */
void engine_accel_next_alone(void);

/* An instance with this cpu object was opened over `gmem`; it goes away. */
void engine_accel_remember(void *cpu, const Gmem *gmem);
void engine_accel_forget(const void *cpu);

#endif
