/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/svg_layout.h"

/* A screen's width, less what a browser needs; more cores make it wider. */
#define WIDTH 1390u
#define COLUMN_MIN 250u
#define COLUMN_MAX 580u

/* Room for the depths of calls, of each and of all. */
#define INDENT 10u
#define INDENT_MIN 3u
#define INDENTS_MAX 120u
#define INSETS_MAX 8u

#define LANES_MAX 8u

const ReportRow *
svg_layout_row(const SvgLayout *layout, unsigned index)
{
    return g_ptr_array_index(layout->rows, index);
}

unsigned
svg_layout_left(const SvgLayout *layout, unsigned cpu)
{
    return SVG_STEP_WIDTH +
           (unsigned)layout->column[cpu] * layout->column_width;
}

unsigned
svg_layout_right(const SvgLayout *layout, unsigned cpu)
{
    return svg_layout_left(layout, cpu) + layout->column_width - SVG_MARGIN;
}

unsigned
svg_layout_lane(const SvgLayout *layout, unsigned place)
{
    return layout->width - (layout->lanes->len - place) * SVG_LANE_WIDTH -
           (place < layout->fifos ? SVG_GROUP_GAP : 0);
}

unsigned
svg_layout_begin(const SvgLayout *layout, const StoryEvent *event)
{
    return svg_layout_left(layout, event->cpu) +
           MIN(layout->indent * event->depth, INDENTS_MAX);
}

unsigned
svg_layout_end(const SvgLayout *layout, const StoryEvent *event)
{
    return svg_layout_right(layout, event->cpu) -
           2u * MIN(event->depth, INSETS_MAX);
}

unsigned
svg_layout_top(unsigned line)
{
    return SVG_HEAD + line * SVG_LINE;
}

unsigned
svg_layout_line(const SvgLayout *layout, uint64_t step)
{
    unsigned line = 0;

    for (unsigned i = 0; i < layout->rows->len; i++) {
        const StoryEvent *event = svg_layout_row(layout, i)->event;

        if (event != NULL && event->step <= step)
            line = layout->line[i];
    }
    return line;
}

unsigned
svg_layout_characters(unsigned pixels)
{
    return pixels * 10 / 73;
}

unsigned
svg_layout_small_characters(unsigned pixels)
{
    return pixels * 10 / 61;
}

/* --- Lines ---------------------------------------------------------------- */

static void
find_lines(SvgLayout *layout)
{
    uint64_t there = 0, step = 0; /* cpus that are on the present line */

    layout->line = g_new0(unsigned, layout->rows->len + 1);
    for (unsigned i = 0; i < layout->rows->len; i++) {
        const ReportRow *row = svg_layout_row(layout, i);
        const StoryEvent *event = row->remark == NULL ? row->event : NULL;
        uint64_t bit = event == NULL ? UINT64_MAX : UINT64_C(1) << event->cpu;

        if (there == 0 || there & bit || event->step != step) {
            layout->lines++;
            there = 0;
        }
        there |= bit;
        step = event == NULL ? 0 : event->step;
        layout->line[i] = layout->lines - 1;
    }
}

/* --- Boxes ---------------------------------------------------------------- */

bool
svg_layout_is_box(const ReportRow *row)
{
    return row->event != NULL && row->remark == NULL &&
           report_rows_is_call(row->event);
}

/* The first line behind all events before this step. */
static unsigned
line_behind(const SvgLayout *layout, uint64_t step)
{
    return step == 0 ? 0 : svg_layout_line(layout, step - 1) + 1;
}

/* Close the boxes of the event's cpu, of those from `first` up to `row`, that
 * are as deep as it, or deeper. */
static void
end_boxes(SvgLayout *layout, unsigned row, const StoryEvent *event)
{
    for (unsigned i = 0; i < row; i++) {
        const StoryEvent *begin = svg_layout_row(layout, i)->event;

        if (layout->end[i] == 0 && begin != NULL && begin->cpu == event->cpu &&
            report_rows_ends(begin, event))
            layout->end[i] = MAX(line_behind(layout, event->step),
                                 layout->line[i] + 1);
    }
}

/*
 * A box ends where the next event of its cpu, told or not, is no deeper: its
 * return, most often.  What is open at the end goes to the end; what is there
 * several times is one line.
 */
static void
find_ends(SvgLayout *layout)
{
    g_autoptr(GPtrArray) events = storyrecord_all(layout->record);
    unsigned row = 0, rows = layout->rows->len;

    layout->end = g_new0(unsigned, rows + 1);
    for (guint i = 0; i < events->len; i++) {
        const StoryEvent *event = g_ptr_array_index(events, i);

        while (row < rows && svg_layout_row(layout, row)->remark != NULL)
            row++;
        if (!storyrecord_is_aside(event))
            end_boxes(layout, row, event);
        if (row < rows && svg_layout_row(layout, row)->event == event)
            row++;
    }
    for (unsigned i = 0; i < rows; i++)
        if (svg_layout_row(layout, i)->times > 1)
            layout->end[i] = layout->line[i] + 1;
        else if (layout->end[i] == 0)
            layout->end[i] = layout->lines;
}

/* --- Lanes ---------------------------------------------------------------- */

/* The most that a lane had, as a part of what it holds. */
static unsigned
peak(const StoryRecord *record, unsigned lane)
{
    unsigned depth = g_array_index(record->lanes, StoryLane, lane).depth;
    unsigned most = 0;

    for (guint i = 0; i < record->samples->len; i++) {
        const StorySample *sample =
            &g_array_index(record->samples, StorySample, i);

        if (sample->lane == lane)
            most = MAX(most, sample->value);
    }
    return most == 0 ? 0 : most * 1000 / MAX(depth, 1) + 1;
}

static void
choose_lanes(SvgLayout *layout)
{
    const StoryRecord *record = layout->record;
    g_autofree unsigned *peaks = g_new0(unsigned, record->lanes->len + 1);
    g_autofree bool *chosen = g_new0(bool, record->lanes->len + 1);

    for (unsigned i = 0; i < record->lanes->len; i++)
        peaks[i] = peak(record, i);
    for (unsigned k = 0; k < LANES_MAX; k++) {
        int best = -1;

        for (unsigned i = 0; i < record->lanes->len; i++)
            if (!chosen[i] && peaks[i] > 0 &&
                (best < 0 || peaks[i] > peaks[best]))
                best = (int)i;
        if (best >= 0)
            chosen[best] = true;
    }
    for (unsigned i = 0; i < record->lanes->len; i++)
        if (chosen[i]) {
            g_array_append_val(layout->lanes, i);
            layout->fifos +=
                g_array_index(record->lanes, StoryLane, i).source >= 0;
        }
}

/* --- Columns -------------------------------------------------------------- */

static unsigned
deepest(const GPtrArray *rows)
{
    unsigned depth = 1;

    for (unsigned i = 0; i < rows->len; i++) {
        const ReportRow *row = g_ptr_array_index(rows, i);

        if (row->event != NULL)
            depth = MAX(depth, row->event->depth);
    }
    return depth;
}

/* A cpu has one if something happens there, or if it does not rest. */
static void
choose_columns(SvgLayout *layout)
{
    uint64_t cpus = report_rows_cpus(layout->rows);
    unsigned lanes = layout->lanes->len * SVG_LANE_WIDTH + SVG_GROUP_GAP;
    unsigned room = WIDTH - SVG_STEP_WIDTH - lanes;

    for (unsigned i = 0; i < CPUS_MAX; i++) {
        bool shown = cpus >> i & 1 || (i < layout->record->cpus &&
                                       !layout->record->stands[i].rests);

        layout->column[i] = shown ? (int)layout->columns++ : -1;
    }
    layout->column_width =
        CLAMP(room / MAX(layout->columns, 1), COLUMN_MIN, COLUMN_MAX);
    layout->width = SVG_STEP_WIDTH +
                    MAX(layout->columns, 1) * layout->column_width + lanes;
}

void
svg_layout_init(SvgLayout *layout, const StoryRecord *record,
                const GPtrArray *rows)
{
    *layout = (SvgLayout){.record = record, .rows = rows};
    layout->lanes = g_array_new(FALSE, FALSE, sizeof(unsigned));
    layout->indent = CLAMP(INDENTS_MAX / deepest(rows), INDENT_MIN, INDENT);
    choose_lanes(layout);
    choose_columns(layout);
    find_lines(layout);
    find_ends(layout);
    layout->bottom = svg_layout_top(layout->lines) + 4;
}

void
svg_layout_clear(SvgLayout *layout)
{
    g_free(layout->line);
    g_free(layout->end);
    g_array_unref(layout->lanes);
    *layout = (SvgLayout){0};
}
