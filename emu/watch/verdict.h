/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verdict -- how a run ended, and how we know.
 *
 *   done      every story ended, every core is idle, nothing is in flight
 *   panic     the guest called panic(), with its text
 *   fault     triple fault; a core that halted with interrupts off
 *   deadlock  nothing can ever happen again, and a story is not at its end
 *   livelock  a state came back although every core that could run ran and
 *             everything in flight was delivered: a fair lasso, proved
 *   budget    none of these within the steps allowed
 *
 * verdict_find_lasso() looks ahead from where the machine stands: it drives
 * the machine in fair rounds (lasso.h), and when the hash of state.h after
 * some round equals the one after an earlier round, the rounds between are a
 * loop, perhaps.  Where FIFO indices went on in it, it is gone round until the
 * rings stand as before.  If all is exactly as it was but for counters, nobody
 * read the time, and counter.h sees that they only count, that is it: such a
 * loop can be gone round for ever, and is fair by the way it was made.
 * Otherwise proof.h is asked; what it does not prove is no livelock.  The
 * machine is put back to where it was.
 *
 * Layer 4.
 */
#ifndef EMU_WATCH_VERDICT_H
#define EMU_WATCH_VERDICT_H

#include "base/base.h"
#include "machine/machine.h"
#include "watch/lasso.h"
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
    bool loop_here;       /* the machine is in it, and not on the way there */
    uint64_t loop_stand;  /* a digest of where the cores stand at the end of
                             one of these rounds, and of who called them */
} Verdict;

/* "deadlock", as product.md spells it. */
const char *verdict_name(VerdictKind kind);

/* Neither stuck, as far as can be proved, nor done after so many steps, the
 * last `still` of them without a story having gone on. */
void verdict_set_budget(Verdict *verdict, uint64_t steps, uint64_t still);

/* To find a loop again that was found. */
#define VERDICT_STEPS_FAR (UINT64_C(1) << 32)

/*
 * Is the machine in a fair loop?  Looks ahead for a bounded number of rounds;
 * with a timer armed, whose periods a loop must fit, for as many more as make
 * `steps_max` steps.  Gives up when a core comes to a hypercall (it made
 * progress) or shuts down.  Leaves the machine as it was, but without
 * watchers.  On true fills the loop fields, and the lasso, from here, unless
 * that is NULL; it must be initialised and empty.
 */
bool verdict_find_lasso(Machine *machine, const StateView *view,
                        uint64_t steps_max, Verdict *verdict, Lasso *lasso);

#endif
