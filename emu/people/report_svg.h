/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_svg -- the drawing of report_html.h: cores as columns, rows downwards
 * in time, calls as boxes, messages as arrows, stores as bars, FIFOs beside.
 *
 * It is one <svg> element whose colours come from the page's style sheet, by
 * these classes: told call message wait interrupt breach mark visible remark
 * (rows and boxes), arrow, store, missed, lane, full, head, step, place.
 *
 * Layer 7; a part of report.
 */
#ifndef EMU_PEOPLE_REPORT_SVG_H
#define EMU_PEOPLE_REPORT_SVG_H

#include "base/base.h"
#include "people/storyrecord.h"

/* The drawing, of at most `rows_max` rows (40 at least).  The caller frees. */
char *report_svg(const StoryRecord *record, unsigned rows_max);

#endif
