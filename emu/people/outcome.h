/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outcome -- what became of a scenario's claims, as plain data for the
 * writers: text, JSON, TAP, JUnit.
 *
 * Layer 7.
 */
#ifndef EMU_PEOPLE_OUTCOME_H
#define EMU_PEOPLE_OUTCOME_H

#include "base/base.h"
#include "people/finding.h"
#include "people/scenario.h"

/* How a claim's truth is known; product.md has the words. */
typedef enum How {
    HOW_SAMPLED,    /* in so many runs */
    HOW_REACHED,    /* a run shows it */
    HOW_EXHAUSTIVE, /* in all runs within stated bounds */
} How;

const char *outcome_how_name(How how);

typedef struct ClaimOutcome {
    const Claim *claim;
    bool holds;
    How how;
    uint64_t runs;      /* made for it */
    bool has_witness;   /* a run shows why: it reached, or broke, the claim */
    uint64_t seed;      /* of the witness */
} ClaimOutcome;

typedef struct CaseOutcome {
    const Scenario *scenario;
    const ScenarioCase *item;
    const char *strategy;
    uint64_t runs;
    uint64_t steps;
    uint64_t budget_runs; /* that came to no end within their steps */
    GArray *claims;       /* ClaimOutcome, in order of the file */
    GPtrArray *findings;  /* Finding */
    GPtrArray *implied;   /* Claim: those of `claims` that nobody wrote */
    bool holds;           /* every claim does */
} CaseOutcome;

CaseOutcome *outcome_new(const Scenario *scenario,
                              const ScenarioCase *item);
void outcome_free(CaseOutcome *outcome);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CaseOutcome, outcome_free)

#endif
