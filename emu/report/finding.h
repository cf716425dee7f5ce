/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * finding -- a run worth telling, as plain data for the writers.
 *
 * Layer 8.
 */
#ifndef EMU_REPORT_FINDING_H
#define EMU_REPORT_FINDING_H

#include "base/base.h"
#include "report/storyrecord.h"
#include "script/scenario.h"
#include "watch/verdict.h"

/* One run, as --seed and --every-run print it. */
typedef struct RunRecord {
    uint64_t seed;
    const char *strategy; /* lives as long as the program */
    uint64_t steps;
    uint64_t digest;
    Verdict verdict;
    bool cut;           /* the strategy ended it: there is no verdict */
} RunRecord;

/* A run worth telling, with everything that names it. */
typedef struct Finding {
    const ScenarioCase *item;
    const Claim *claim; /* the claim it broke or showed */
    bool expected;      /* it showed a `possible`: the claim holds */
    bool lost;          /* all is at rest, and messages wait for ever */
    RunRecord run;
    char *where;        /* "cpu0 in lwkt_send_ipiq3, lwkt_ipiq.c:233 ..." */
    char *replay;       /* the command line that replays it */
    char *trace;        /* the file that keeps its tape, or NULL */
    char *certificate;  /* the file that proves that it is stuck, or NULL */
    char *story;        /* the report, in two columns; text */
    StoryRecord *told;  /* what happened, if it was asked for; or NULL */
} Finding;

void finding_free(Finding *finding);

#endif
