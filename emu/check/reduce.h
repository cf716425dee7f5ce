/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reduce -- a finding, made again with as little of a schedule as it needs.
 *
 *      seed or tape ──▶ the run, as a Schedule ──▶ shrink ──▶ a Schedule
 *                       what it found: Identity      │         and its tape
 *                                                    ▼
 *                                     a candidate is the same finding if
 *                                     its run has the same identity
 *
 * Where the stories differ from run to run only by what choose() gave, fewer
 * messages and smaller storms come from choose()s that give 1.  Calls of a
 * story are not left out: what is left would be another scenario, in which
 * locks are taken and not given back.
 *
 * Layer 10.
 */
#ifndef EMU_CHECK_REDUCE_H
#define EMU_CHECK_REDUCE_H

#include "base/base.h"
#include "check/identity.h"
#include "check/trial.h"
#include "choose/schedule.h"

/* A run and its schedule, counted. */
typedef struct ReductionSize {
    unsigned switches;  /* of the running core */
    unsigned decisions; /* on its tape */
    uint64_t steps;
} ReductionSize;

typedef struct Reduction {
    GPtrArray *found;      /* Identity: all that the shrunk run found */
    char *key;             /* the one that was kept */
    Schedule *schedule;    /* the shortest */
    Schedule *run;         /* its run, all of it, as it was made */
    Tape tape;             /* of that run */
    RunRecord record;      /* of that run; with its digest */
    unsigned replays;      /* that it took */
    bool minimal;          /* it is 1-minimal, as shrink.h has it */
    ReductionSize before, after;
} Reduction;

/* Which run. */
typedef struct ReduceWish {
    uint64_t seed;
    const Tape *tape;     /* NULL: the strategy decides, from the seed */
    const char *key;      /* of the finding; NULL: the primary one */
    unsigned replays_max; /* 0: as many as it takes */
} ReduceWish;

typedef enum ReduceError {
    REDUCE_ERROR_NOTHING, /* the run found nothing, or nothing of that key */
} ReduceError;

#define REDUCE_ERROR reduce_error_quark()
GQuark reduce_error_quark(void);

/*
 * Shrink what a run found.  A run that cannot be told in turns is left as it
 * is, and is not `minimal`.  On success the caller clears `reduction`, and the
 * machine stands as the shrunk run left it.
 */
bool reduce_run(Trial *trial, const ReduceWish *wish, Reduction *reduction,
                GError **error);
void reduce_clear(Reduction *reduction);

/* Make the shrunk run again and tell it: the Finding, whose trace is kept
 * where the trial keeps traces, is the caller's. */
Finding *reduce_tell(Trial *trial, const Reduction *reduction,
                        GError **error);

#endif
