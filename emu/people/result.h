/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * result -- what became of a scenario's claims, as plain data for the
 * writers: text, JSON, TAP, JUnit.
 *
 * Layer 7.
 */
#ifndef EMU_PEOPLE_RESULT_H
#define EMU_PEOPLE_RESULT_H

#include "base/base.h"
#include "people/scenario.h"
#include "watch/verdict.h"

/* How a claim's truth is known; product.md has the words. */
typedef enum How {
    HOW_SAMPLED,    /* in so many runs */
    HOW_REACHED,    /* a run shows it */
    HOW_EXHAUSTIVE, /* in all runs within stated bounds */
} How;

const char *how_name(How how);

typedef struct ClaimOutcome {
    const Claim *claim;
    bool holds;
    How how;
    uint64_t runs;      /* made for it */
    bool has_witness;   /* a run shows why: it reached, or broke, the claim */
    uint64_t seed;      /* of the witness */
} ClaimOutcome;

/* One run, as --seed and --every-run print it. */
typedef struct RunRecord {
    uint64_t seed;
    const char *strategy;
    uint64_t steps;
    uint64_t digest;
    Verdict verdict;
} RunRecord;

/* A run worth telling, with everything that names it. */
typedef struct Finding {
    const ScenarioCase *item;
    const Claim *claim; /* the claim it broke or showed */
    bool expected;      /* it showed a `possible`: the claim holds */
    RunRecord run;
    char *where;        /* "cpu0 in lwkt_send_ipiq3, lwkt_ipiq.c:233 ..." */
    char *replay;       /* the command line that replays it */
    char *trace;        /* the file that keeps its tape, or NULL */
    char *story;        /* the report, in two columns; text */
} Finding;

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

CaseOutcome *case_outcome_new(const Scenario *scenario,
                              const ScenarioCase *item);
void case_outcome_free(CaseOutcome *outcome);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CaseOutcome, case_outcome_free)
void finding_free(Finding *finding);

#endif
