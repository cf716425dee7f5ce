/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_svg -- the drawing of report_html.h: cores as columns, time downwards,
 * calls as boxes, messages as arrows, stores as bars, FIFOs beside.
 *
 * It is one <svg> element whose colours come from the page's style sheet, by
 * these classes: told call message wait interrupt breach mark visible remark
 * event (rows and boxes); odd (a box in an even one); column, head, group,
 * step, place, quote, gap, hit, arrow, miss, store, missed, lane, full, value,
 * stand.  Its arrows end in the marker #tip of REPORT_SVG_MARKER, which the
 * page has once.
 *
 * Layer 8; a part of report.
 */
#ifndef EMU_REPORT_REPORT_SVG_H
#define EMU_REPORT_REPORT_SVG_H

#include "base/base.h"
#include "report/storyrecord.h"

#define REPORT_SVG_MARKER                                                      \
    "<svg width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>"                \
    "<marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" "            \
    "markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">"                    \
    "<path class=\"tip\" d=\"M0 0 L8 4 L0 8 z\"/></marker></defs></svg>\n"

/* The drawing, of at most `rows_max` rows (40 at least).  The caller frees. */
char *report_svg(const StoryRecord *record, unsigned rows_max);

#endif
