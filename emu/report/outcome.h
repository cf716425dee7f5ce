/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outcome -- what became of a scenario's claims, as plain data for the
 * writers: text, JSON, TAP, JUnit.
 *
 * Layer 8.
 */
#ifndef EMU_REPORT_OUTCOME_H
#define EMU_REPORT_OUTCOME_H

#include "base/base.h"
#include "choose/tape.h"
#include "report/finding.h"
#include "script/scenario.h"

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
    const char *strategy; /* lives as long as the program */
    uint64_t runs;
    uint64_t steps;
    uint64_t budget_runs; /* that came to no end within their steps */
    GArray *claims;       /* ClaimOutcome, in order of the file */
    GPtrArray *findings;  /* Finding */
    GPtrArray *implied;   /* Claim: those of `claims` that nobody wrote */
    bool holds;           /* every claim does */
    /* Of a strategy that searches. */
    char *within;         /* its bounds; NULL: it does not search */
    bool complete;        /* all schedules within them were looked at */
    uint64_t cuts;        /* runs that ended in a state that was known */
    uint64_t expected;    /* runs that it would have been in all, a guess */
    const char *why_not;  /* what else it lacks to be complete, or NULL */
    GPtrArray *tapes;     /* OutcomeTape: of witnesses, which have no seed */
} CaseOutcome;

/* The decisions of a run that a search made. */
typedef struct OutcomeTape {
    uint64_t seed; /* its number */
    Tape tape;
} OutcomeTape;

/* Keep a copy of the tape. */
void outcome_keep_tape(CaseOutcome *outcome, uint64_t seed, const Tape *tape);
/* That of this seed, or NULL. */
const Tape *outcome_tape(const CaseOutcome *outcome, uint64_t seed);

CaseOutcome *outcome_new(const Scenario *scenario,
                              const ScenarioCase *item);
void outcome_free(CaseOutcome *outcome);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CaseOutcome, outcome_free)

#endif
