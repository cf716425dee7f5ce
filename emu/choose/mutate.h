/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutate -- a tape of wishes, and small changes of it.
 *
 * A tape (tape.h) is exact: its third action is the third of a list, and after
 * any change of what came before it is something else.  What strategy_fuzz.c
 * keeps and changes are wishes instead: "core 2 goes on, for 37 steps",
 * "whatever is under way to core 1 arrives".  After a change most of what
 * follows still means what it meant.  A wish that cannot be granted is passed
 * over, or taken modulo what there is, so every tape whatever can be played.
 *
 *      [ value ... | turn  turn  turn ... ]
 *        VALUE       ACTION STEPS [LATE ...]     core steps
 *                    ACTION STORE DRAINS         stores drain
 *                    ACTION                      a message arrives, a timer
 *
 * Values for stories come first: which of them asks when is not known here.
 * A turn begins at an ACTION and ends before the next.  An action's value
 * says kind, core, and the how manieth under way to that core:
 *
 *      bits 0-1 ActionKind, 2-7 core, 8-15 rank, 16 nothing is wished for
 *
 * The changes are those of schedule fuzzers: cut, and go on at random; make a
 * slice longer or shorter; split it, with another turn between; leave out,
 * double, move or insert turns; leave some to chance; another core; another
 * store; another value; the beginning of one tape and the end of another.
 * That the choices of a base strategy are what is changed is the idea of Fest
 * (NSDI 2026).
 *
 * Layer 5; functions on tapes.
 */
#ifndef EMU_CHOOSE_MUTATE_H
#define EMU_CHOOSE_MUTATE_H

#include "base/base.h"
#include "base/prng.h"
#include "choose/tape.h"
#include "machine/action.h"

static inline uint64_t
mutate_wish(ActionKind kind, unsigned cpu, unsigned rank)
{
    return (uint64_t)kind | (uint64_t)cpu << 2 | (uint64_t)(rank & 0xff) << 8;
}

/* A turn that is left to chance. */
#define MUTATE_ANY (UINT64_C(1) << 16)

static inline ActionKind
mutate_wish_kind(uint64_t wish)
{
    return (ActionKind)(wish & 3);
}

static inline unsigned
mutate_wish_cpu(uint64_t wish)
{
    return wish >> 2 & 63;
}

static inline unsigned
mutate_wish_rank(uint64_t wish)
{
    return wish >> 8 & 0xff;
}

/*
 * Change `tape` in one way; `other` is a tape to take an end from, or NULL.
 * Returns false if it did not change: a tape without turns, say.
 */
bool mutate_tape(Tape *tape, const Tape *other, unsigned cpus, Prng *prng);

#endif
