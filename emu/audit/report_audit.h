/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_audit -- the barrier ledger as text, as Markdown and as lines of
 * JSON.
 *
 * JSON: kind `audit`, with file line function place type code, needed (a model,
 * or null), runs cases; with_place, with_line and needed_with of a pair of
 * which one is enough, or null and 0; and if it is needed claim scenario
 * case_number seed replay trace.
 *
 * Every function returns text that the caller frees.  Layer 12.
 */
#ifndef EMU_AUDIT_REPORT_AUDIT_H
#define EMU_AUDIT_REPORT_AUDIT_H

#include "base/base.h"
#include "audit/audit.h"

/* `rows` of AuditRow, as audit_scenarios() gives them. */
char *report_audit_text(const GPtrArray *rows);
char *report_audit_markdown(const GPtrArray *rows);

char *report_audit_json(const AuditRow *row);

/* --- What reports say of a row -------------------------------------------- */

/* "tso", "never seen", "weak; tso with line 383". */
char *report_audit_verdict(const AuditRow *row);

/* "ipiq.c:383". */
char *report_audit_place(const AuditRow *row);

/* "lock bts": operands are those of one build, and what the
 * instruction does is enough. */
char *report_audit_code(const AuditRow *row);

/* What shows it best: alone, or of the pair.  Borrowed. */
const AuditWitness *report_audit_witness(const AuditRow *row);

/* "storm.lua case 2, seed 7: never (stuck)", or how hard it was tried. */
char *report_audit_shown(const AuditRow *row);

#endif
