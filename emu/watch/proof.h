/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proof -- is this lasso one?
 *
 * Plays a lasso on the machine as it stands and checks, without asking how it
 * was found, that the machine can go round it for ever, and fairly:
 *
 *   possible   each move is one that the machine lists, and no core asks
 *              heddle for anything, which would be progress
 *   closed     at the second visit everything is as at the first, byte by
 *              byte: registers, store buffers, APICs, messages, RAM.  Times are
 *              compared relative to the clock.  What differs must be words that
 *              drift, and drift.h shows that nothing depends on them
 *   fair       a core that could run at some moment of the loop ran in it;
 *              every store buffer was empty at some moment; no message that was
 *              in flight at the first visit still is at the second; an armed
 *              timer fired.  An interrupt that can be taken is taken by the
 *              next step of its core, so it needs no condition of its own
 *
 * Left out, with the reason: the clock, the number of steps of each core, and
 * the numbers of messages, since nothing but RDTSC can see them (and drift.h
 * refuses what depends on that); the console, since it is written by hypercall
 * only; and what memory held before, since no load of the loop is late.
 *
 * Layer 4.
 */
#ifndef EMU_WATCH_PROOF_H
#define EMU_WATCH_PROOF_H

#include "base/base.h"
#include "machine/machine.h"
#include "watch/drift.h"
#include "watch/lasso.h"

/* Steps of a loop that is looked at, at most: memory and patience. */
#define PROOF_STEPS_MAX 1000000u

typedef struct Proof {
    char *why;          /* why it is none; NULL: it is proved */
    GArray *words;      /* DriftWord: what was left out of memory */
    GArray *registers;  /* DriftRegister */
    uint64_t loop_steps;
    ticks_t loop_ticks; /* more, where the clock jumps to a timer */
    uint64_t ran;       /* cores that ran in it, one bit each */
    uint64_t digest;    /* of the state at both visits, without what drifts */
} Proof;

void proof_init(Proof *proof);
void proof_clear(Proof *proof);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Proof, proof_clear)

/*
 * Play the lasso and fill `proof`, which must be initialised; true if it is
 * proved.  The machine's watchers are removed, and it is left at the second
 * visit, or where something went wrong.
 */
bool proof_check(Machine *machine, const Lasso *lasso, Proof *proof);

#endif
