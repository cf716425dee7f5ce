/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit_sweep -- what nobody has missed so far, taken away all at once.
 *
 * One by one, many places in many cases get a few runs each.  Together they get
 * all of them: if no claim breaks without any, none is needed there for all
 * that these runs say.  If one breaks, halves tell whose absence it is, as in
 * group testing (R. Dorfman, "The Detection of Defective Members of Large
 * Populations", 1943).
 *
 * Layer 12; a part of audit.
 */
#ifndef EMU_AUDIT_AUDIT_SWEEP_H
#define EMU_AUDIT_AUDIT_SWEEP_H

#include "base/base.h"
#include "audit/audit_subject.h"

typedef struct AuditSweep {
    GArray *left;      /* unsigned: targets to be taken away; then those that
                          were so without a claim that broke */
    GArray *suspects;  /* AuditQuestion: targets, pairs as well, each with as
                          many runs as it should take to miss it */
    uint64_t clean;    /* runs without all that are left */
} AuditSweep;

void audit_sweep_init(AuditSweep *sweep);
void audit_sweep_clear(AuditSweep *sweep);

/* Sweep what is left of this case, under this model, with at most `runs` at a
 * time.  Of several targets that are missed together only, one is given back;
 * they are no suspects unless they are a pair that is a target too. */
bool audit_sweep(AuditSweep *sweep, AuditSubject *subject, MemoryModel model,
                 uint64_t runs, GError **error);

#endif
