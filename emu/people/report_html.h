/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_html -- a finding as one page that needs nothing else.
 *
 *      what came of it; case, claim, the command that replays it
 *
 *      step │ cpu0            │ cpu1            │ FIFO 0>1 │ FIFO 1>0
 *       12  │ spin_lock(a)    │                 │          │
 *       40  │ ┌ lwkt_send...  ╲                 │ ▆        │
 *       44  │ │                ╲▶ Xipiq arrives │ ▆        │
 *
 *      where every cpu stands, with its source line; who waits for whom
 *
 * A row is a row of report_rows.h: virtual time goes down, but not to scale.
 * Calls are boxes from their row to the row at which they end, inside one
 * another.  An arrow goes from where an interrupt message was sent to where it
 * arrived, and a bar at the right of a column from where a store retired to
 * where it became visible, if another cpu ran in between.  Beside the columns
 * is how full each FIFO was.  Pointing at a row shows its source line.
 *
 * The drawing is SVG, with no script; the page is the same for the same run,
 * byte for byte.  Layer 7.
 */
#ifndef EMU_PEOPLE_REPORT_HTML_H
#define EMU_PEOPLE_REPORT_HTML_H

#include "base/base.h"
#include "people/outcome.h"

/* Rows of the drawing at most. */
#define REPORT_HTML_ROWS_MAX 160u

/* The page; `finding->told` must be there.  The caller frees. */
char *report_html(const Scenario *scenario, const Finding *finding);

#endif
