/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check -- a case, checked: its runs within the budget, and what they say of
 * its claims.
 *
 * Besides what is written, a case claims that nothing happens of which nobody
 * speaks: no panic, no fault, no deadlock or livelock, no broken house rule,
 * each unless some claim of the case mentions it.
 *
 * Runs have the seeds first, first + 1, ...  A claim is decided early where
 * one run decides it; when all are, the case is over.
 *
 * Layer 7.
 */
#ifndef EMU_PEOPLE_CHECK_H
#define EMU_PEOPLE_CHECK_H

#include "base/base.h"
#include "choose/run.h"
#include "people/result.h"
#include "people/script.h"
#include "people/stage.h"

#define CHECK_RUNS_DEFAULT 2000u

typedef struct CheckOptions {
    StageOptions stage;
    const char *strategy;   /* NULL: the case's, or random */
    const MemoryModel *memory; /* NULL: the case's */
    uint64_t runs;          /* 0: the case's, or CHECK_RUNS_DEFAULT */
    uint64_t steps_max;     /* 0: the case's, or the default */
    uint64_t first_seed;    /* of the first run */
    bool one_run;           /* only the run of first_seed */
    bool want_digests;      /* of every run */
    const char *trace_folder; /* where findings keep their traces; NULL: not */
    bool raw;               /* findings tell every event */
    bool color;
    /* Told after each run, with its digest if wanted; may be NULL. */
    void (*ran)(void *user, const Scenario *scenario,
                const ScenarioCase *item, const RunRecord *record);
    void *user;
} CheckOptions;

/* A scenario, loaded, and its stages as they are needed. */
typedef struct Check Check;

Check *check_new(const char *path, const CheckOptions *options,
                 GError **error);
void check_free(Check *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Check, check_free)

const Scenario *check_scenario(const Check *check);

/* Let go of the machines; the scenario stays. */
void check_close(Check *check);

/* Check one of its cases. */
CaseOutcome *check_case(Check *check, const ScenarioCase *item,
                        GError **error);

/* Make `runs` runs of a case whatever they say, for the benchmark. */
bool check_measure(Check *check, const ScenarioCase *item, uint64_t runs,
                   GError **error);

/* What a replay is asked for. */
typedef struct CheckReplay {
    uint64_t seed;
    const Tape *tape;       /* NULL: the strategy decides, from the seed */
    const uint64_t *image;  /* the digest its image must have; NULL: any */
} CheckReplay;

/* Do one run again and tell it: the record, and a Finding with the story that
 * the caller frees. */
Finding *check_replay(Check *check, const ScenarioCase *item,
                      const CheckReplay *replay, GError **error);

#endif
