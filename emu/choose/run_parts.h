/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_parts -- what a Run consists of, for the files that are it.
 *
 * Layer 5; private to run*.c.
 */
#ifndef EMU_CHOOSE_RUN_PARTS_H
#define EMU_CHOOSE_RUN_PARTS_H

#include "base/base.h"
#include "choose/directing.h"
#include "choose/run.h"

struct Run {
    RunSetup setup;
    RunObserver observer;
    const Census *census; /* NULL: none */
    const gva_t *aims;    /* as StrategyScope has them */
    unsigned aim_count;
    Coverage *coverage;   /* NULL: none */
    Choice choice;
    Actions actions;
    Directing director;
    Verdict verdict;
    bool ended;
    RunStories stories;
    uint64_t marks_seen;
    ticks_t started, progress; /* progress: when a story last went on */
    ticks_t looked;            /* when no loop was found last */
    Digest told[CPUS_MAX];   /* all that each story was told */
    uint64_t marked;         /* of the names that were marked, in no order */
    unsigned asked;          /* the core whose story goes on */
    bool cut;                /* the strategy ended the run */
    uint64_t patience;
    unsigned rest_fires;
};

/* Have the machine tell this run what happens. */
void run_watch(Run *run);

/* Add everything that the rest of the run depends on, but for the strategy, to
 * the digest; for StrategyScope. */
bool run_digest(void *user, Digest *digest);

#endif
