/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_html -- a finding as one page that needs nothing else.
 *
 *      what came of it; scenario, claim, case, the command that replays it
 *
 *      step │ cpu0            │ cpu1            │ 0→1  1→0 │ stores
 *       12  │ spin_lock(a)    │                 │          │
 *       40  │ ┌ lwkt_send...  ──▶ Xipiq arrives │ ▆        │
 *       44  │ │               │ ┌ interrupt     │ ▆        │
 *           │ in spin_lock,   │ idle            │          │
 *
 *      what the signs mean; who waits for whom; digest
 *      behind a click: all rows, if these are too many for a screen
 *      behind a click: a table, with the source line of each event
 *      behind a click: a scenario that shows it, if there is one
 *
 * A row is a row of report_rows.h: virtual time goes down, but not to scale.
 * Calls are boxes from their start to their return, inside one another.  An
 * arrow goes from where an interrupt message was sent to where it arrived, and
 * a bar at the right of a column from where a store retired to where it became
 * visible, if another cpu ran in between.  Beside the columns is how full each
 * FIFO was, and below where each cpu stands at the end.  Pointing at a row
 * shows its source line.
 *
 * The drawing is SVG, with no script; who cannot see it has the table.  The
 * page is the same for the same run, byte for byte.  Layer 8.
 */
#ifndef EMU_REPORT_REPORT_HTML_H
#define EMU_REPORT_REPORT_HTML_H

#include "base/base.h"
#include "report/outcome.h"

/* Rows of the first drawing, and of all at most. */
#define REPORT_HTML_SCREEN 43u
#define REPORT_HTML_ROWS_MAX 160u

/* The page; `finding->told` must be there.  `replica` is the text of a scenario
 * that shows it by itself, for others to run, or NULL.  The caller frees. */
char *report_html(const Scenario *scenario, const Finding *finding,
                  const char *replica);

#endif
