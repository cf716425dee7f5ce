/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fiber -- a second host stack to run a function on, and to leave and come
 * back to in the middle of it.
 *
 *      owner ── fiber_enter() ──▶ function on its own stack
 *        ▲                                │
 *        └──────── fiber_leave() ─────────┘    either side may go on for ever
 *
 * A core lives on a fiber so that the machine can turn to another core while
 * this one stands inside Unicorn's instruction hook: some ten nanoseconds,
 * against a hundred for leaving Unicorn and entering it again.
 *
 * Each switch is announced to AddressSanitizer and each stack to valgrind.
 * A stack has a guard page below it.  Layer 2; owned by Cpu.
 */
#ifndef EMU_PARTS_FIBER_H
#define EMU_PARTS_FIBER_H

#include "base/base.h"

typedef struct Fiber Fiber;

/* A fiber that runs function(user), which must never return, the first time
 * it is entered. */
Fiber *fiber_new(void (*function)(void *user), void *user);

/* Free a fiber that is not running; what its stack holds is forgotten. */
void fiber_free(Fiber *fiber);

/* Run the fiber until it leaves.  Not from inside a fiber. */
void fiber_enter(Fiber *fiber);

/* Return to whoever entered this fiber; only from inside of it. */
void fiber_leave(Fiber *fiber);

#endif
