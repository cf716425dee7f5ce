/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_summary -- what `heddle run` prints: a line for every claim.
 *
 *      scenarios/dragonfly/fifo_full_mutual.lua
 *      both IPI FIFOs are full and both cpus keep sending
 *
 *        1  as written: whoever waits also executes incoming IPIs
 *           ok    reach (waiting(0) & waiting(1))    reached, seed 3
 *           FAIL  never (stuck)                      it happens, seed 12
 *
 * 80 columns, unless a word is longer.  A claim that nobody wrote is shown
 * only when it fails.  Layer 8.
 */
#ifndef EMU_REPORT_REPORT_SUMMARY_H
#define EMU_REPORT_REPORT_SUMMARY_H

#include "base/base.h"
#include "report/outcome.h"

/* What was printed so far, for the last line. */
typedef struct ReportTotals {
    unsigned scenarios, cases, claims, failed;
    uint64_t runs;
} ReportTotals;

void report_summary_scenario(const Scenario *scenario, ReportTotals *totals,
                             GString *out, bool color);
void report_summary_case(const CaseOutcome *outcome, ReportTotals *totals,
                         GString *out, bool color);
/* "2 scenarios, 4 cases, 31 runs: 9 claims hold" */
void report_summary_end(const ReportTotals *totals, GString *out, bool color);

#endif
