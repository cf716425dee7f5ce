/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * statespace -- every behaviour of a small program: all interleavings, all
 * drains, all late loads, from the machine's base to where nothing is left to
 * do.
 *
 *      state ── step cpu0 ──▶ state'           each state is looked at once:
 *            ── step cpu1 ──▶ ...               its digest is remembered
 *            ── drain cpu0 ─▶ ...
 *
 * Depth first, one instruction a step.  A step that no other core can tell
 * from the next one is not branched on: an instruction that touches no memory,
 * that only adds to the core's own buffer, or whose locations no other core
 * will ever access again in a way that matters (footprint.h); nor is a drain
 * of a store that nobody else will look at.  It commutes with everything that
 * others can do (Godefroid, "Partial-Order Methods for the Verification of
 * Concurrent Systems", 1996: a persistent set of one).  Backward branches are
 * always branched on, so that no loop is passed over.
 *
 * States are told apart by 64 bits of digest: among a million of them two
 * different ones have the same once in 4e7 searches.
 *
 * For programs without interrupts and clocks: messages in flight and timers
 * are not explored, nor is what RDTSC may give; they make the search
 * incomplete.  Layer 6.
 */
#ifndef EMU_SEARCH_STATESPACE_H
#define EMU_SEARCH_STATESPACE_H

#include "base/base.h"
#include "machine/machine.h"

/* States on the way to one: beyond, the search does not follow.  A program that
 * counts for ever must not use up all memory. */
#define STATESPACE_DEPTH_MAX 10000u

typedef struct StateSpaceSetup {
    Machine *machine;    /* at its base, with its memory model */
    const gva_t *ends;   /* of each core: there it is done */
    uint64_t states_max; /* give up after so many */
    /* An end: every core is done and nothing is buffered.  The machine may be
     * looked at.  The same end can come more than once. */
    void (*reached)(void *user);
    void *user;
} StateSpaceSetup;

typedef struct StateSpaceResult {
    uint64_t states;      /* that were told apart, where branches are */
    uint64_t transitions; /* steps and drains that were made */
    uint64_t ends;        /* that were reached */
    bool complete;        /* there is nothing else */
    int stopped;          /* a core that could not go on before its end, in
                             some behaviour; or -1 */
    gva_t stopped_at;     /* where it stands then */
} StateSpaceResult;

/* Look at all of it.  The machine is left anywhere. */
void statespace_search(const StateSpaceSetup *setup, StateSpaceResult *result);

#endif
