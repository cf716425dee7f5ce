/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * telling -- one run, made again under observation, becomes a Finding: its
 * story, where everybody stands, the command that replays it, its trace.
 *
 *      telling_new()  ──  the run is executed  ──  telling_finish()
 *
 * Observation changes nothing: the run has the digest that it had without.
 *
 * Layer 10.
 */
#ifndef EMU_CHECK_TELLING_H
#define EMU_CHECK_TELLING_H

#include "base/base.h"
#include "check/stage.h"
#include "choose/run.h"
#include "report/outcome.h"
#include "watch/probe.h"

typedef struct TellingSetup {
    const Scenario *scenario;
    const ScenarioCase *item;
    Stage *stage;
    Run *run;
    const Stories *stories;   /* who know what a story waits for */
    const Probe *probe;
    const char *ipiq;         /* as it was asked for, or NULL */
    const char *weaken;       /* likewise */
    uint64_t steps_max;       /* likewise, or 0 */
    const char *strategy;
    bool default_strategy;    /* a replay needs no --strategy */
    MemoryOptions memory;
    bool default_memory;   /* it is the case's */
    const char *trace_folder; /* NULL: keep no trace */
    bool by_trace;         /* the run is replayed by its trace, not its seed */
    const char *trace;     /* that trace, if there is one already; or NULL */
    bool raw;
    bool keep_record;         /* in Finding.told */
    bool color;
} TellingSetup;

typedef struct Telling Telling;

/* Observe the run from now on, until the Telling is freed. */
Telling *telling_new(const TellingSetup *setup);
void telling_free(Telling *telling);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Telling, telling_free)

/* What stories do, in the scenario's words. */
void telling_call(Telling *telling, unsigned cpu, const char *text);
void telling_load(Telling *telling, unsigned cpu, gva_t address,
                  uint64_t size);
void telling_mark(Telling *telling, unsigned cpu, const char *name);

/*
 * The run is over.  `claim` is the one that it is told for, or NULL;
 * `expected`: the run shows it.  The Finding is the caller's; NULL with an
 * error if its trace cannot be kept.
 */
Finding *telling_finish(Telling *telling, const Claim *claim, bool expected,
                        const RunRecord *record, GError **error);

#endif
