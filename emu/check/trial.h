/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trial -- a case on its stage, ready to run: script bound, points found,
 * strategy chosen.
 *
 * Besides what is written, a case claims that nothing happens of which nobody
 * speaks: no panic, no fault, no deadlock or livelock, no broken house rule,
 * each unless some claim of the case mentions it.
 *
 * Layer 10.
 */
#ifndef EMU_CHECK_TRIAL_H
#define EMU_CHECK_TRIAL_H

#include "base/base.h"
#include "check/stage.h"
#include "check/telling.h"
#include "choose/run.h"
#include "choose/watching.h"
#include "report/outcome.h"
#include "script/script.h"

#define TRIAL_RUNS_DEFAULT 2000u
/* Of a strategy that searches, those that were cut included. */
#define TRIAL_SEARCH_DEFAULT 50000u

typedef struct TrialOptions {
    StageOptions stage;
    const char *strategy;   /* NULL: the case's, or random */
    const MemoryOptions *memory; /* NULL: the case's */
    const char *weaken;     /* as weakening.h writes it; NULL: nothing */
    char **mutants;         /* of every case, besides its own; or NULL */
    bool only_aims;         /* what `weaken` names is aimed at and left whole */
    uint64_t runs;          /* 0: the case's, or TRIAL_RUNS_DEFAULT */
    uint64_t steps_max;     /* 0: the case's, or the default */
    uint64_t first_seed;    /* of the first run */
    bool one_run;           /* only the run of first_seed */
    bool want_digests;      /* of every run */
    const char *trace_folder; /* where findings keep their traces; NULL: not */
    bool raw;               /* findings tell every event */
    bool keep_records;      /* findings keep what happened: Finding.told */
    bool color;
    /* Told after each run, with its digest if wanted; may be NULL. */
    void (*ran)(void *user, const Scenario *scenario,
                const ScenarioCase *item, const RunRecord *record);
    void *user;
} TrialOptions;

/* A case, ready to run. */
typedef struct Trial {
    const TrialOptions *options;
    Script *script;
    const ScenarioCase *item;
    Stage *stage;        /* borrowed */
    GPtrArray *claims;   /* Claim: written and implied; borrowed or ours */
    GPtrArray *implied;  /* Claim: ours */
    GArray *aims;        /* gva_t: what is weakened */
    Probe *probe;
    Run *run;
    Strategy *strategy;
    Coverage *coverage;  /* once a run wanted it */
    Census census;       /* what the cores share, once a run wanted it */
    Watching watching;   /* while a search makes its runs */
    uint64_t searched;   /* runs that it made */
    Stories stories;
    Director director;
    Telling *telling;    /* while a finding is told */
    uint64_t seed;       /* of the present run */
    uint64_t *beats;     /* counts runs when they begin, or NULL */
    GError *condition_error; /* a condition over memory failed */
} Trial;

/* Which claim a run is told for, and whether it shows or breaks it. */
typedef struct TrialTold {
    const Claim *claim; /* NULL: whichever it shows or breaks, if any */
    bool expected;
    bool by_trace; /* no seed makes this run: its trace replays it */
    const char *trace; /* the file that is being replayed, or NULL */
} TrialTold;

/* Prepare `item` on `stage`; everything is borrowed.  Call trial_clear() also
 * after a failure. */
bool trial_init(Trial *trial, const TrialOptions *options, Script *script,
                Stage *stage, const ScenarioCase *item, GError **error);
void trial_clear(Trial *trial);

/* What the strategy's guarantee comes to for this case, in a sentence, NULL if
 * there is nothing to say; the caller frees it.  May make the runs of a
 * census: false with an error if the scenario's own code failed. */
bool trial_promise(Trial *trial, char **text, GError **error);

/*
 * Make one run.  With `tape`, its decisions; an error if it does not fit.  A
 * strategy that searches makes its next run, whatever the seed, and must not be
 * over.  The
 * machine is left as the run left it; the record has no digest yet.
 */
bool trial_run(Trial *trial, uint64_t seed, const Tape *tape,
               RunRecord *record, GError **error);

/*
 * Make one run with this strategy instead of the case's, of at most
 * `steps_max` steps; 0: as many as others.  Otherwise as trial_run() without a
 * tape.
 */
bool trial_play(Trial *trial, Strategy *strategy, uint64_t steps_max,
                RunRecord *record, GError **error);

/* Does the strategy remember its runs, so that the run of a seed cannot be
 * made again?  Fills the error with what to do instead. */
bool trial_is_lost(const Trial *trial, uint64_t seed, GError **error);

/* Make one run under observation; the Finding is the caller's.  Without `tape`
 * it is the run of `seed`, which must not be lost. */
Finding *trial_tell(Trial *trial, const TrialTold *told, uint64_t seed,
                    const Tape *tape, GError **error);

#endif
