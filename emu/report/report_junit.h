/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_junit -- results as a JUnit XML document, as CI servers read it.
 *
 *      testsuites
 *        testsuite   a scenario: name is its title, file its path
 *          testcase  a claim: classname is the path, name the case and claim
 *            failure     what is wrong, and the story of the run
 *            system-out  the witness's seed and the command that replays it
 *
 * No times: the document depends on the results only.  Layer 8.
 */
#ifndef EMU_REPORT_REPORT_JUNIT_H
#define EMU_REPORT_REPORT_JUNIT_H

#include "base/base.h"
#include "report/outcome.h"

/* The document for these outcomes (CaseOutcome), those of one scenario side
 * by side; the caller frees it. */
char *report_junit(const GPtrArray *outcomes);

#endif
