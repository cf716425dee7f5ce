/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_tap -- results for a TAP harness (testanything.org, version 14).
 *
 *      TAP version 14
 *      ok 1 - TITLE: never (stuck)
 *      not ok 2 - TITLE: possible (stuck)
 *        ---
 *        how: not found in 2000 runs
 *        ...
 *      1..2
 *
 * One test point a claim.  The plan comes last, since only then is it known.
 * Layer 8.
 */
#ifndef EMU_REPORT_REPORT_TAP_H
#define EMU_REPORT_REPORT_TAP_H

#include "base/base.h"
#include "report/outcome.h"

/* The first line. */
void report_tap_begin(GString *out);
/* The claims of a case; `count` is how many test points there were so far. */
void report_tap_case(const CaseOutcome *outcome, unsigned *count, GString *out);
/* The plan. */
void report_tap_end(unsigned count, GString *out);
/* The world is wrong and the tests cannot go on. */
void report_tap_bail_out(const char *why, GString *out);

#endif
