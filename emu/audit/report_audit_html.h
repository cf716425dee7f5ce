/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_audit_html -- the barrier ledger as one page.
 *
 *      ┌ files, and what ─┬ lwkt_process_ipiq ────────────────────────────┐
 *      │ is needed there  │ 382  atomic_poll_release_int(..)  [tso w. 383]│
 *      │                  │ 383  cpu_mfence();                [tso w. 382]│
 *      └──────────────────┴ ··· ──────────────────────────────────────────┘
 *
 * The source around each place, and beside it the verdict, which opens: what
 * breaks, in which run, and the command that shows it.  What is far from any
 * place is folded.  Needs nothing but a browser, and no script.
 *
 * Layer 12.
 */
#ifndef EMU_AUDIT_REPORT_AUDIT_HTML_H
#define EMU_AUDIT_REPORT_AUDIT_HTML_H

#include "base/base.h"
#include "audit/audit.h"

/* `rows` of AuditRow, as audit_scenarios() gives them; the caller frees. */
char *report_audit_html(const GPtrArray *rows);

#endif
