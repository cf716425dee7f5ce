/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svg_layout -- where everything is in the drawing of report_svg.h.
 *
 *      | step | column | column | column |lane|lane|     heads
 *      |      |        |        |        |    |    |     line 0
 *      |      |        |        |        |    |    |     line 1
 *      |      |  stand |  stand |  stand |                where cpus stand
 *
 * A row is on a line of its own; rows of the same step that are of different
 * cpus share one, so that a message that arrives at once is a level arrow.
 * All in pixels.  Layer 8; a part of report_svg.
 */
#ifndef EMU_REPORT_SVG_LAYOUT_H
#define EMU_REPORT_SVG_LAYOUT_H

#include "base/base.h"
#include "report/report_rows.h"

#define SVG_LINE 17u
#define SVG_HEAD 38u
#define SVG_STEP_WIDTH 58u
#define SVG_LANE_WIDTH 35u
#define SVG_GROUP_GAP 14u

/* Right in a column is room for so many bars of stores. */
#define SVG_BARS 3u
#define SVG_BAR_WIDTH 5u
#define SVG_MARGIN (SVG_BARS * SVG_BAR_WIDTH + 6u)

typedef struct SvgLayout {
    const StoryRecord *record;
    const GPtrArray *rows;
    unsigned columns;
    int column[CPUS_MAX]; /* of each cpu, or -1 */
    unsigned column_width;
    unsigned indent; /* of one depth */
    unsigned *line;  /* of each row */
    unsigned *end;   /* of each row, the line behind its box, if it is one */
    unsigned lines;
    GArray *lanes;   /* unsigned: the fullest, in order, buffers last */
    unsigned fifos;  /* of these */
    unsigned width, bottom; /* of lines */
} SvgLayout;

/* Both are borrowed; svg_layout_clear() frees the rest. */
void svg_layout_init(SvgLayout *layout, const StoryRecord *record,
                     const GPtrArray *rows);
void svg_layout_clear(SvgLayout *layout);

const ReportRow *svg_layout_row(const SvgLayout *layout, unsigned index);

/* Is the row a call, or what is shown like one? */
bool svg_layout_is_box(const ReportRow *row);

/* The left edge of a cpu's column, and of its bars, where boxes end. */
unsigned svg_layout_left(const SvgLayout *layout, unsigned cpu);
unsigned svg_layout_right(const SvgLayout *layout, unsigned cpu);

/* The left edge of lane number `place` of those that are drawn. */
unsigned svg_layout_lane(const SvgLayout *layout, unsigned place);

/* The left and the right edge of an event, or of its box. */
unsigned svg_layout_begin(const SvgLayout *layout, const StoryEvent *event);
unsigned svg_layout_end(const SvgLayout *layout, const StoryEvent *event);

/* The top of a line. */
unsigned svg_layout_top(unsigned line);

/* The line of the last row at or before this step. */
unsigned svg_layout_line(const SvgLayout *layout, uint64_t step);

/* Characters of 12 and of 10 pixels that fit; monospaced ones are at most 0.61
 * times as wide as high in the fonts that browsers take. */
unsigned svg_layout_characters(unsigned pixels);
unsigned svg_layout_small_characters(unsigned pixels);

#endif
