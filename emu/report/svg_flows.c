/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/svg_flows.h"

#include "report/report_words.h"

/* Stores that are named when one points at their bar. */
#define NAMED_MAX 12u

/* --- Messages ------------------------------------------------------------- */

static int
find_arrival(const SvgLayout *layout, unsigned from)
{
    uint64_t message = svg_layout_row(layout, from)->event->message;

    for (unsigned i = from; i < layout->rows->len; i++) {
        const StoryEvent *event = svg_layout_row(layout, i)->event;

        if (event != NULL && event->kind == STORY_EVENT_ARRIVAL &&
            event->message == message)
            return (int)i;
    }
    return -1;
}

static void
draw_arrow(const SvgLayout *layout, unsigned from, GString *out)
{
    unsigned source = svg_layout_row(layout, from)->event->cpu, target;
    int to = find_arrival(layout, from);
    bool right;

    if (to < 0)
        return;
    target = svg_layout_row(layout, (unsigned)to)->event->cpu;
    if (source == target)
        return;
    right = layout->column[target] > layout->column[source];
    g_string_append_printf(
        out,
        "<path class=\"arrow\" d=\"M%u %u L%u %u\" "
        "marker-end=\"url(#tip)\"/>\n",
        right ? svg_layout_right(layout, source)
              : svg_layout_left(layout, source),
        svg_layout_top(layout->line[from]) + SVG_LINE / 2,
        right ? svg_layout_left(layout, target)
              : svg_layout_right(layout, target),
        svg_layout_top(layout->line[to]) + SVG_LINE / 2);
}

void
svg_flows_arrows(const SvgLayout *layout, GString *out)
{
    for (unsigned i = 0; i < layout->rows->len; i++) {
        const StoryEvent *event = svg_layout_row(layout, i)->event;

        if (event != NULL && event->kind == STORY_EVENT_SENT)
            draw_arrow(layout, i, out);
    }
}

/* --- Stores --------------------------------------------------------------- */

/* Stores of a cpu that are in its buffer along the same lines. */
typedef struct Bar {
    unsigned cpu, from, to; /* lines, both included */
    bool missed;
    unsigned first; /* of record->stores */
    unsigned count;
} Bar;

static const StoryStore *
store_at(const SvgLayout *layout, unsigned index)
{
    return &g_array_index(layout->record->stores, StoryStore, index);
}

/* The line on which the store retires, if that is a row: BUFFERED. */
static bool
find_buffered(const SvgLayout *layout, unsigned index, unsigned *line)
{
    for (unsigned i = 0; i < layout->rows->len; i++) {
        const StoryEvent *event = svg_layout_row(layout, i)->event;

        if (event != NULL && event->kind == STORY_EVENT_BUFFERED &&
            event->store == index + 1) {
            *line = layout->line[i];
            return true;
        }
    }
    return false;
}

/* Nobody could have met a store that begins and ends on one line. */
static bool
make_bar(const SvgLayout *layout, unsigned index, Bar *bar)
{
    const StoryStore *store = store_at(layout, index);

    *bar = (Bar){.cpu = store->cpu, .missed = store->missed, .first = index,
                 .count = 1};
    if (!store->missed || !find_buffered(layout, index, &bar->from))
        bar->from = svg_layout_line(layout, store->retired);
    bar->to = store->visible == STORY_NEVER
                  ? layout->lines - 1
                  : svg_layout_line(layout, store->visible);
    bar->to = MAX(bar->to, bar->from);
    return layout->column[store->cpu] >= 0 && store->text != NULL &&
           (store->missed || bar->from < bar->to);
}

static GArray *
make_bars(const SvgLayout *layout)
{
    GArray *bars = g_array_new(FALSE, FALSE, sizeof(Bar));

    for (unsigned i = 0; i < layout->record->stores->len; i++) {
        Bar bar, *last;

        if (!make_bar(layout, i, &bar))
            continue;
        last = bars->len > 0 ? &g_array_index(bars, Bar, bars->len - 1) : NULL;
        if (last != NULL && !bar.missed && !last->missed &&
            last->cpu == bar.cpu && last->from == bar.from &&
            last->to == bar.to)
            last->count++;
        else
            g_array_append_val(bars, bar);
    }
    return bars;
}

static void
append_store(const StoryStore *store, GString *out)
{
    report_words_escape(out, store->text);
    g_string_append_printf(out, "\nin cpu%u's buffer from step %" PRIu64,
                           store->cpu, store->retired);
    if (store->visible == STORY_NEVER)
        g_string_append(out, " to the end");
    else
        g_string_append_printf(out, " to %" PRIu64, store->visible);
    if (store->missed)
        g_string_append(out, "; others read the old value meanwhile");
}

static void
append_stores(const SvgLayout *layout, const Bar *bar, GString *out)
{
    const StoryStore *first = store_at(layout, bar->first);
    unsigned named = 0;

    if (bar->count == 1) {
        append_store(first, out);
        return;
    }
    g_string_append_printf(out, "%u stores in cpu%u's buffer:", bar->count,
                           bar->cpu);
    for (unsigned i = bar->first;
         named < MIN(bar->count, NAMED_MAX) &&
         i < layout->record->stores->len; i++) {
        const StoryStore *store = store_at(layout, i);

        if (store->cpu != bar->cpu || store->missed || store->text == NULL)
            continue;
        named++;
        g_string_append_c(out, '\n');
        report_words_escape(out, store->text);
    }
    if (named < bar->count)
        g_string_append(out, "\n...");
}

/* A line from where it was missed to the bar. */
static void
draw_misses(const SvgLayout *layout, const Bar *bar, unsigned x, GString *out)
{
    for (unsigned i = 0; i < layout->rows->len; i++) {
        const ReportRow *row = svg_layout_row(layout, i);
        unsigned from, y = svg_layout_top(layout->line[i]) + SVG_LINE / 2;

        if (row->event == NULL || row->event->store != bar->first + 1 ||
            row->event->cpu == bar->cpu)
            continue;
        from = layout->column[row->event->cpu] > layout->column[bar->cpu]
                   ? svg_layout_left(layout, row->event->cpu)
                   : svg_layout_right(layout, row->event->cpu);
        g_string_append_printf(out,
                               "<path class=\"miss\" d=\"M%u %u L%u %u\"/>\n",
                               from, y, x, y);
    }
}

/* Bars are beside one another where there is room: ends[] says up to which
 * line each place is taken. */
static unsigned
place_bar(unsigned ends[SVG_BARS], const Bar *bar)
{
    unsigned best = 0;

    for (unsigned i = 1; i < SVG_BARS; i++)
        if (ends[i] < ends[best])
            best = i;
    for (unsigned i = 0; i < SVG_BARS; i++)
        if (ends[i] <= bar->from) {
            best = i;
            break;
        }
    ends[best] = bar->to + (bar->missed ? 1 : 0);
    return best;
}

static void
draw_bar(const SvgLayout *layout, const Bar *bar, unsigned place, GString *out)
{
    unsigned x = svg_layout_right(layout, bar->cpu) + 2 +
                 place * SVG_BAR_WIDTH;
    unsigned top = svg_layout_top(bar->from) + SVG_LINE / 2 - 1;

    g_string_append_printf(
        out,
        "<rect class=\"%s\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" "
        "rx=\"1\"><title>",
        bar->missed ? "missed" : "store", x, top, SVG_BAR_WIDTH - 2,
        (bar->to - bar->from) * SVG_LINE + 3);
    append_stores(layout, bar, out);
    g_string_append(out, "</title></rect>\n");
    if (bar->missed)
        draw_misses(layout, bar, x, out);
}

/* Those that somebody missed take their places first. */
void
svg_flows_stores(const SvgLayout *layout, GString *out)
{
    g_autoptr(GArray) bars = make_bars(layout);
    unsigned ends[CPUS_MAX][SVG_BARS] = {{0}};

    for (unsigned missed = 2; missed-- > 0;)
        for (guint i = 0; i < bars->len; i++) {
            const Bar *bar = &g_array_index(bars, Bar, i);

            if (bar->missed == (missed == 1))
                draw_bar(layout, bar, place_bar(ends[bar->cpu], bar), out);
        }
}

/* --- Lanes ---------------------------------------------------------------- */

static void
draw_lane_head(const StoryLane *lane, unsigned left, GString *out)
{
    g_string_append_printf(
        out, "<text class=\"head\" x=\"%u\" y=\"28\"><title>", left + 2);
    if (lane->source < 0)
        g_string_append_printf(out, "stores in cpu%d's buffer, of %u</title>"
                               "cpu%d</text>\n",
                               lane->target, lane->depth, lane->target);
    else if (lane->source == lane->target)
        g_string_append_printf(out, "cpu%d's own queue, of %u</title>"
                               "own%d</text>\n",
                               lane->target, lane->depth, lane->target);
    else
        g_string_append_printf(out, "messages from cpu%d to cpu%d, of %u"
                               "</title>%d\xe2\x86\x92%d</text>\n",
                               lane->source, lane->target, lane->depth,
                               lane->source, lane->target);
}

static void
draw_stretch(const StoryLane *lane, unsigned left, const Bar *bar,
             GString *out)
{
    unsigned depth = MAX(lane->depth, 1), value = bar->count;
    unsigned top = svg_layout_top(bar->from);

    if (value > 0)
        g_string_append_printf(
            out,
            "<rect class=\"lane%s\" x=\"%u\" y=\"%u\" width=\"%u\" "
            "height=\"%u\"/>",
            value > lane->depth / 2 ? " full" : "", left,
            top, MAX((SVG_LANE_WIDTH - 7) * MIN(value, depth) / depth, 2),
            (bar->to - bar->from) * SVG_LINE);
    g_string_append_printf(out,
                           "<text class=\"value\" x=\"%u\" y=\"%u\">%u</text>",
                           left + 3, top + 12, value);
}

/* The value of each line is that after its last row. */
static void
draw_lane(const SvgLayout *layout, unsigned place, GString *out)
{
    const GArray *samples = layout->record->samples;
    unsigned number = g_array_index(layout->lanes, unsigned, place);
    const StoryLane *lane =
        &g_array_index(layout->record->lanes, StoryLane, number);
    unsigned left = svg_layout_lane(layout, place);
    Bar bar = {0}; /* its count is the value */
    guint sample = 0;

    draw_lane_head(lane, left, out);
    for (unsigned i = 0; i < layout->rows->len; i++) {
        const StoryEvent *event = svg_layout_row(layout, i)->event;
        unsigned value = bar.count;

        for (; event != NULL && sample < samples->len; sample++) {
            const StorySample *at =
                &g_array_index(samples, StorySample, sample);

            if (at->step > event->step)
                break;
            if (at->lane == number)
                value = at->value;
        }
        if (value == bar.count)
            continue;
        bar.to = layout->line[i];
        if (bar.to > bar.from && (bar.from > 0 || bar.count > 0))
            draw_stretch(lane, left, &bar, out);
        bar.from = bar.to;
        bar.count = value;
    }
    bar.to = layout->lines;
    if (bar.from > 0 || bar.count > 0)
        draw_stretch(lane, left, &bar, out);
    g_string_append_c(out, '\n');
}

void
svg_flows_lanes(const SvgLayout *layout, GString *out)
{
    int group = -1;

    for (unsigned i = 0; i < layout->lanes->len; i++) {
        unsigned number = g_array_index(layout->lanes, unsigned, i);
        int source =
            g_array_index(layout->record->lanes, StoryLane, number).source;

        if (group != (source < 0)) {
            group = source < 0;
            g_string_append_printf(
                out, "<text class=\"group\" x=\"%u\" y=\"13\">%s</text>\n",
                svg_layout_lane(layout, i) + 2, group ? "buffered" : "queued");
        }
        draw_lane(layout, i, out);
    }
}
