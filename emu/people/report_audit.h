/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_audit -- the barrier ledger as text, as Markdown, as lines of JSON,
 * and as a page with the sources.
 *
 * JSON: kind `audit`, with file line function place type code needed (a model,
 * or null) runs cases; and if it is needed claim scenario case_number seed
 * replay trace.
 *
 * The page shows each source file that has places, its lines as they are, and
 * beside the lines that have one the verdict and the command that shows it.
 * Every function returns text that the caller frees.  Layer 7.
 */
#ifndef EMU_PEOPLE_REPORT_AUDIT_H
#define EMU_PEOPLE_REPORT_AUDIT_H

#include "base/base.h"
#include "people/audit.h"

/* `rows` of AuditRow, as audit_scenarios() gives them. */
char *report_audit_text(const GPtrArray *rows);
char *report_audit_markdown(const GPtrArray *rows);
char *report_audit_html(const GPtrArray *rows);

char *report_audit_json(const AuditRow *row);

#endif
