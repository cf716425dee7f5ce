/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check -- a case, checked: its runs within the budget, and what they say of
 * its claims.
 *
 * Runs have the seeds first, first + 1, ...  A claim is decided early where
 * one run decides it; when all are, the case is over.
 *
 * Layer 10.
 */
#ifndef EMU_CHECK_CHECK_H
#define EMU_CHECK_CHECK_H

#include "base/base.h"
#include "check/certify.h"
#include "check/trial.h"
#include "report/outcome.h"

/* A scenario, loaded, and its stages as they are needed. */
typedef struct Check Check;

Check *check_new(const char *path, const TrialOptions *options,
                 GError **error);
void check_free(Check *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Check, check_free)

const Scenario *check_scenario(const Check *check);

/* Let go of the machines; the scenario stays, and so do the images, which what
 * its stories keep may name.  They are made anew when they are needed. */
void check_close(Check *check);

/*
 * Make a case ready to run; trial_clear() also after a failure.  Cases share
 * stages, so only the trial that was prepared last may run.
 */
bool check_prepare(Check *check, const ScenarioCase *item, Trial *trial,
                   GError **error);
/* The same under other options, which must outlive the trial. */
bool check_prepare_with(Check *check, const ScenarioCase *item,
                        const TrialOptions *options, Trial *trial,
                        GError **error);

/* Check one of its cases. */
CaseOutcome *check_case(Check *check, const ScenarioCase *item,
                        GError **error);

/* The stage of a case, made at the first question. */
Stage *check_stage(Check *check, const ScenarioCase *item, GError **error);

/* Make `runs` runs of a case whatever they say, for the benchmark. */
bool check_measure(Check *check, const ScenarioCase *item, uint64_t runs,
                   GError **error);

/* What a replay is asked for. */
typedef struct CheckReplay {
    uint64_t seed;
    const Tape *tape;       /* NULL: the strategy decides, from the seed */
    const char *trace;      /* the file that the tape is from; or NULL */
    const uint64_t *image;  /* the digest its image must have; NULL: any */
} CheckReplay;

/* Make a case ready for a run that is to be made again; an error if it cannot
 * be.  trial_clear() also after a failure. */
bool check_prepare_replay(Check *check, const ScenarioCase *item,
                          const CheckReplay *replay, Trial *trial,
                          GError **error);

/* Do one run again and tell it: the record, and a Finding with the story that
 * the caller frees. */
Finding *check_replay(Check *check, const ScenarioCase *item,
                      const CheckReplay *replay, GError **error);

/* Make the run of the certificate's trace again, and verify what it claims.
 * False with an error if the run cannot be made, or is another one. */
bool check_verify(Check *check, const ScenarioCase *item,
                  const Certificate *certificate, Verification *verification,
                  GError **error);

#endif
