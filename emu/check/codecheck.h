/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * codecheck -- a case of a scenario that is nothing but columns of code.
 *
 *      system "bare" { cpus = 2 }
 *      code [[
 *        P0              | P1
 *        movq $1, x      | movq $1, y
 *        movq y, %rax    | movq x, %rax
 *      ]]
 *      case "TSO allows it"  memory "tso"
 *      possible (rax(0) :is(0) & rax(1) :is(0))
 *
 * The columns are those of a litmus test, and so is the check: every behaviour
 * is looked at.  Claims are about registers at the end.
 *
 * Layer 10.
 */
#ifndef EMU_CHECK_CODECHECK_H
#define EMU_CHECK_CODECHECK_H

#include "base/base.h"
#include "check/trial.h"
#include "report/outcome.h"

#define CODECHECK_ERROR codecheck_error_quark()
GQuark codecheck_error_quark(void);
typedef enum CodecheckError {
    CODECHECK_ERROR_CLAIM, /* it asks what code cannot answer */
} CodecheckError;

/* Check one case; `scenario` has code.  NULL with an error. */
CaseOutcome *codecheck_case(const Scenario *scenario, const ScenarioCase *item,
                            const TrialOptions *options, GError **error);

#endif
