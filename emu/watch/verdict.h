/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verdict -- how a run ended, and how we know.
 *
 *   done      every story ended, every core is idle, nothing is in flight
 *   panic     the guest called panic(), with its text
 *   fault     triple fault; a core that halted with interrupts off
 *   deadlock  nothing can ever happen again, and a story is not at its end
 *   livelock  a state came back although every core that could run ran and
 *             everything in flight was delivered: a fair lasso
 *   budget    none of these within the steps allowed
 *
 * A livelock is proved by verdict_find_lasso(): from here on the machine is
 * driven in rounds.  In a round every message in flight arrives, then every
 * core that can run does so, in order, until it pauses or LASSO_TURN_STEPS were
 * made, and all stores become visible; no load is late.  If the hash of state.h
 * after some round equals the one after an earlier round, the rounds between
 * are a loop that the machine can take for ever, and it is fair.  The machine
 * is put back to where it was.
 *
 * Layer 4.
 */
#ifndef EMU_WATCH_VERDICT_H
#define EMU_WATCH_VERDICT_H

#include "base/base.h"
#include "machine/machine.h"
#include "watch/state.h"

typedef enum VerdictKind {
    VERDICT_DONE,
    VERDICT_PANIC,
    VERDICT_FAULT,
    VERDICT_DEADLOCK,
    VERDICT_LIVELOCK,
    VERDICT_BUDGET,
} VerdictKind;

#define VERDICT_TEXT_MAX 256

typedef struct Verdict {
    VerdictKind kind;
    int cpu;             /* whom it is about, or -1 */
    char text[VERDICT_TEXT_MAX]; /* the panic's text, the fault's name... */
    /* Of a livelock. */
    unsigned loop_rounds; /* rounds after which the state came back */
    uint64_t loop_steps;  /* steps of all cores in them */
    uint64_t loop_hash;
} Verdict;

/* "deadlock", as product.md spells it. */
const char *verdict_name(VerdictKind kind);

/* A core's turn in a round of the lasso, at most. */
#define LASSO_TURN_STEPS 1000

/*
 * Is the machine in a fair loop?  Gives up after a bounded number of rounds,
 * or when a core comes to a hypercall (it made progress), halts for good or
 * shuts down.  Leaves the machine as it was.  On true fills the loop fields.
 */
bool verdict_find_lasso(Machine *machine, const StateView *view,
                        Verdict *verdict);

#endif
