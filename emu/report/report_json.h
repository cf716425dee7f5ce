/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_json -- results as lines of JSON, with the fields of product.md.
 *
 *      claim    scenario case case_number line claim holds how runs
 *               implied; seed, if a run is its witness
 *      run      scenario case case_number seed strategy memory steps digest
 *               verdict; text, if the verdict has one
 *      finding  scenario case case_number line claim expected verdict where
 *               seed strategy memory steps digest replay trace; text
 *      event    event (what storyrecord.h calls it) step cpu depth text; file
 *               line quote, if its place in the source is known; message, the
 *               same number where it was sent and where it arrived
 *
 * `scenario` is the path as it was given, `case` the title.  `claim` of a
 * finding and `trace` are null when there is none.  Fields are only ever
 * added.  Every function returns a line without its newline that the caller
 * frees.  Layer 8.
 */
#ifndef EMU_REPORT_REPORT_JSON_H
#define EMU_REPORT_REPORT_JSON_H

#include "base/base.h"
#include "report/outcome.h"

char *report_json_claim(const CaseOutcome *outcome, const ClaimOutcome *claim);

/* A run of this case, under `memory`, which may not be the case's own. */
char *report_json_run(const Scenario *scenario, const ScenarioCase *item,
                      const RunRecord *run, const MemoryOptions *memory);

char *report_json_event(const StoryEvent *event);

char *report_json_finding(const Scenario *scenario, const Finding *finding,
                          const MemoryOptions *memory);

#endif
