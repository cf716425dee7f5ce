/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit_plan -- how the runs of an audit are spread over its cases.
 *
 * Each item that is open under a model gets the same number of steps, which
 * cases that execute it share, those first of whose steps it is the largest
 * part.  Each gets at least some runs, so if there are many cases the others
 * take their turn in the next plan; and if there are few, each gets more.
 *
 * Layer 12; a part of audit.
 */
#ifndef EMU_AUDIT_AUDIT_PLAN_H
#define EMU_AUDIT_AUDIT_PLAN_H

#include "base/base.h"
#include "audit/audit_book.h"

/* Fills `planned` of the targets of all cases, for this model. */
void audit_plan(AuditBook *book, MemoryModel model, uint64_t runs);

/* `runs` of this case, under this model, counted as a plan does: by steps. */
uint64_t audit_plan_runs(const AuditSubject *subject, MemoryModel model,
                         uint64_t runs);

/* Nothing is planned any more. */
void audit_plan_forget(const AuditBook *book);

#endif
