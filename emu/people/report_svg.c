/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "people/report_svg.h"

#include "people/report_rows.h"
#include "people/report_words.h"

/* All in pixels.  A monospaced character of 12 pixels is 7.3 wide at most in
 * the fonts that browsers take. */
#define ROW 19u
#define HEAD 34u
#define STEP_WIDTH 62u
#define LANE_WIDTH 36u
#define BAR_WIDTH 5u
#define BARS 3u
#define MARGIN (BARS * BAR_WIDTH + 4u)
#define INDENT 10u
#define INDENT_MAX 9u
#define TENTHS_OF_CHARACTER 73u

/* A screen's width, less what a browser needs; more cores make it wider. */
#define WIDTH 1250u
#define COLUMN_MIN 250u
#define COLUMN_MAX 480u

typedef struct Drawing {
    const StoryRecord *record;
    const GPtrArray *rows;
    GString *out;
    unsigned columns;
    int column[CPUS_MAX]; /* of each cpu, or -1 */
    unsigned column_width;
    GArray *lanes;        /* unsigned: those that are ever not 0 */
    unsigned width, height;
} Drawing;

static const ReportRow *
row_at(const Drawing *drawing, unsigned index)
{
    return g_ptr_array_index(drawing->rows, index);
}

static unsigned
column_left(const Drawing *drawing, unsigned cpu)
{
    return STEP_WIDTH +
           (unsigned)drawing->column[cpu] * drawing->column_width;
}

static unsigned
row_top(unsigned index)
{
    return HEAD + index * ROW;
}

/* The last row at or before this step. */
static unsigned
row_of_step(const Drawing *drawing, uint64_t step)
{
    unsigned found = 0;

    for (unsigned i = 0; i < drawing->rows->len; i++) {
        const StoryEvent *event = row_at(drawing, i)->event;

        if (event != NULL && event->step <= step)
            found = i;
    }
    return found;
}

static const char *
class_of(const ReportRow *row)
{
    if (row->event == NULL || row->remark != NULL)
        return "remark";
    switch (row->event->kind) {
    case STORY_EVENT_TOLD:
        return "told";
    case STORY_EVENT_MESSAGE:
        return "message";
    case STORY_EVENT_WAIT:
        return "wait";
    case STORY_EVENT_INTERRUPT:
        return "interrupt";
    case STORY_EVENT_BREACH:
        return "breach";
    case STORY_EVENT_MARK:
    case STORY_EVENT_AWAIT:
        return "mark";
    case STORY_EVENT_VISIBLE:
        return "visible";
    case STORY_EVENT_CALL:
        return "call";
    default:
        return "event";
    }
}

static unsigned
indent_of(const StoryEvent *event)
{
    return INDENT * MIN(event->depth, INDENT_MAX);
}

/* --- Calls ---------------------------------------------------------------- */

static bool
opens_box(const ReportRow *row)
{
    if (row->event == NULL || row->remark != NULL || row->times > 1)
        return false;
    switch (row->event->kind) {
    case STORY_EVENT_TOLD:
    case STORY_EVENT_CALL:
    case STORY_EVENT_MESSAGE:
    case STORY_EVENT_WAIT:
    case STORY_EVENT_INTERRUPT:
        return true;
    default:
        return false;
    }
}

/* The first row of the same cpu that is not inside; a box that is open at the
 * end goes to the end. */
static unsigned
box_end(const Drawing *drawing, unsigned index)
{
    const StoryEvent *begin = row_at(drawing, index)->event;

    for (unsigned i = index + 1; i < drawing->rows->len; i++) {
        const StoryEvent *event = row_at(drawing, i)->event;

        if (event != NULL && event->cpu == begin->cpu &&
            event->depth <= begin->depth)
            return i;
    }
    return drawing->rows->len;
}

static void
draw_box(const Drawing *drawing, unsigned index)
{
    const ReportRow *row = row_at(drawing, index);
    unsigned indent = indent_of(row->event);
    unsigned rows = box_end(drawing, index) - index;

    g_string_append_printf(
        drawing->out,
        "<rect class=\"box %s\" x=\"%u\" y=\"%u\" width=\"%u\" "
        "height=\"%u\" rx=\"3\"/>\n",
        class_of(row), column_left(drawing, row->event->cpu) + indent,
        row_top(index) + 1, drawing->column_width - indent - MARGIN,
        rows * ROW - 3);
}

/* --- Rows ----------------------------------------------------------------- */

static void
append_title(GString *out, const StoryEvent *event)
{
    g_string_append_printf(out, "<title>step %" PRIu64 ", cpu%u: ",
                           event->step, event->cpu);
    report_words_escape(out, event->text);
    if (event->file != NULL) {
        g_string_append_c(out, '\n');
        report_words_escape(out, event->file);
        g_string_append_printf(out, ":%u", event->line);
    }
    if (event->quote != NULL) {
        g_string_append(out, "  ");
        report_words_escape(out, event->quote);
    }
    g_string_append(out, "</title>");
}

static char *
row_text(const ReportRow *row)
{
    if (row->remark != NULL)
        return g_strdup(row->remark);
    if (row->times > 1)
        return g_strdup_printf("%ux %s", row->times, row->event->text);
    return g_strdup(row->event->text);
}

/* The place in the source goes to the right end, if the text leaves room.  A
 * story's call is made by the scenario. */
static void
draw_place(const Drawing *drawing, const StoryEvent *event, unsigned top,
           unsigned room)
{
    g_autofree char *place = NULL;

    if (event->file == NULL || event->kind == STORY_EVENT_TOLD ||
        event->kind == STORY_EVENT_END)
        return;
    place = g_strdup_printf("%s:%u", event->file, event->line);
    if (report_words_width(place) + 2 > room)
        return;
    g_string_append_printf(
        drawing->out, "<text class=\"place\" x=\"%u\" y=\"%u\">",
        column_left(drawing, event->cpu) + drawing->column_width - MARGIN - 4,
        top + 13);
    report_words_escape(drawing->out, place);
    g_string_append(drawing->out, "</text>");
}

static void
draw_row(const Drawing *drawing, unsigned index)
{
    const ReportRow *row = row_at(drawing, index);
    g_autofree char *text = row_text(row);
    g_autoptr(GString) cut = g_string_new(NULL);
    unsigned top = row_top(index), left = STEP_WIDTH, room;
    GString *out = drawing->out;

    room = drawing->width - left;
    if (row->event != NULL) {
        unsigned indent = indent_of(row->event) + 5;

        left = column_left(drawing, row->event->cpu) + indent;
        room = drawing->column_width - indent - MARGIN;
        if (row->remark == NULL)
            g_string_append_printf(
                out,
                "<text class=\"step\" x=\"%u\" y=\"%u\">%" PRIu64 "</text>",
                STEP_WIDTH - 10, top + 13, row->event->step);
    }
    room = room * 10 / TENTHS_OF_CHARACTER;
    report_words_cut(cut, text, room);
    g_string_append_printf(out, "<text class=\"%s\" x=\"%u\" y=\"%u\">",
                           class_of(row), left, top + 13);
    if (row->event != NULL)
        append_title(out, row->event);
    report_words_escape(out, cut->str);
    g_string_append(out, "</text>");
    if (row->event != NULL && row->remark == NULL)
        draw_place(drawing, row->event, top,
                   room - MIN(room, report_words_width(cut->str)));
    g_string_append_c(out, '\n');
}

/* --- Messages between cores ----------------------------------------------- */

static int
find_arrival(const Drawing *drawing, unsigned from)
{
    uint64_t message = row_at(drawing, from)->event->message;

    for (unsigned i = from; i < drawing->rows->len; i++) {
        const StoryEvent *event = row_at(drawing, i)->event;

        if (event != NULL && event->kind == STORY_EVENT_ARRIVAL &&
            event->message == message)
            return (int)i;
    }
    return -1;
}

static void
draw_arrow(const Drawing *drawing, unsigned from)
{
    const StoryEvent *sent = row_at(drawing, from)->event;
    int to = find_arrival(drawing, from);
    unsigned source, target, y1, y2;
    bool right;

    if (to < 0)
        return;
    source = sent->cpu;
    target = row_at(drawing, (unsigned)to)->event->cpu;
    if (source == target)
        return;
    right = drawing->column[target] > drawing->column[source];
    y1 = row_top(from) + ROW / 2;
    y2 = row_top((unsigned)to) + ROW / 2;
    g_string_append_printf(
        drawing->out,
        "<path class=\"arrow\" d=\"M%u %u L%u %u\" "
        "marker-end=\"url(#tip)\"/>\n",
        column_left(drawing, source) +
            (right ? drawing->column_width - MARGIN : 0),
        y1,
        column_left(drawing, target) +
            (right ? 0 : drawing->column_width - MARGIN),
        y2);
}

/* --- Stores --------------------------------------------------------------- */

/* Bars beside one another where there is room: ends[] says to which row each
 * place of a cpu is taken. */
static unsigned
place_bar(unsigned ends[BARS], unsigned from, unsigned to)
{
    unsigned best = 0;

    for (unsigned i = 1; i < BARS; i++)
        if (ends[i] < ends[best])
            best = i;
    for (unsigned i = 0; i < BARS; i++)
        if (ends[i] <= from) {
            best = i;
            break;
        }
    ends[best] = to;
    return best;
}

static void
draw_store(const Drawing *drawing, const StoryStore *store,
           unsigned ends[CPUS_MAX][BARS])
{
    unsigned from, to, last = drawing->rows->len - 1;
    bool never = store->visible == STORY_NEVER;

    if (drawing->column[store->cpu] < 0)
        return;
    from = row_of_step(drawing, store->retired);
    to = never ? last : row_of_step(drawing, store->visible);
    if (from == to && !store->missed)
        return;
    g_string_append_printf(
        drawing->out,
        "<rect class=\"%s\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\">"
        "<title>",
        store->missed ? "missed" : "store",
        column_left(drawing, store->cpu) + drawing->column_width - MARGIN +
            place_bar(ends[store->cpu], from, to) * BAR_WIDTH,
        row_top(from) + ROW / 2, BAR_WIDTH - 2, (to - from) * ROW + 3);
    report_words_escape(drawing->out, store->text);
    g_string_append_printf(drawing->out,
                           "\nin cpu%u's buffer from step %" PRIu64,
                           store->cpu, store->retired);
    if (never)
        g_string_append(drawing->out, " to the end");
    else
        g_string_append_printf(drawing->out, " to %" PRIu64, store->visible);
    if (store->missed)
        g_string_append(drawing->out, "; others read the old value meanwhile");
    g_string_append(drawing->out, "</title></rect>\n");
}

/* Those that somebody missed come last, on top. */
static void
draw_stores(const Drawing *drawing, bool missed)
{
    const GArray *stores = drawing->record->stores;
    unsigned ends[CPUS_MAX][BARS] = {{0}};

    for (guint i = 0; i < stores->len; i++) {
        const StoryStore *store = &g_array_index(stores, StoryStore, i);

        if (store->missed == missed)
            draw_store(drawing, store, ends);
    }
}

/* --- Lanes ---------------------------------------------------------------- */

static void
draw_lane(const Drawing *drawing, unsigned place)
{
    unsigned number = g_array_index(drawing->lanes, unsigned, place);
    const StoryLane *lane =
        &g_array_index(drawing->record->lanes, StoryLane, number);
    unsigned left = drawing->width - (drawing->lanes->len - place) * LANE_WIDTH;
    uint32_t before = 0;
    GString *out = drawing->out;

    g_string_append_printf(out, "<text class=\"lanehead\" x=\"%u\" y=\"20\">",
                           left + 4);
    if (lane->source < 0)
        g_string_append_printf(out, "<title>stores in cpu%d's buffer, of %u"
                               "</title>sb%d</text>\n",
                               lane->target, lane->depth, lane->target);
    else if (lane->source == lane->target)
        g_string_append_printf(out, "<title>cpu%d's own queue, of %u</title>"
                               "q%d</text>\n",
                               lane->target, lane->depth, lane->target);
    else
        g_string_append_printf(out, "<title>messages from cpu%d to cpu%d, of "
                               "%u</title>%d\xe2\x86\x92%d</text>\n",
                               lane->source, lane->target, lane->depth,
                               lane->source, lane->target);
    for (unsigned i = 0; i < drawing->rows->len; i++) {
        const StoryEvent *event = row_at(drawing, i)->event;
        uint32_t value;
        unsigned length;

        if (event == NULL)
            continue;
        value = storyrecord_value(drawing->record, number, event->step);
        length = (LANE_WIDTH - 8) * MIN(value, MAX(lane->depth, 1)) /
                 MAX(lane->depth, 1);
        if (value > 0)
            g_string_append_printf(
                out,
                "<rect class=\"lane%s\" x=\"%u\" y=\"%u\" width=\"%u\" "
                "height=\"%u\"/>",
                value > lane->depth / 2 ? " full" : "", left + 2,
                row_top(i) + 1, MAX(length, 2), ROW - 2);
        if (value != before)
            g_string_append_printf(
                out, "<text class=\"value\" x=\"%u\" y=\"%u\">%u</text>",
                left + 4, row_top(i) + 13, value);
        before = value;
    }
    g_string_append_c(out, '\n');
}

/* --- The whole ------------------------------------------------------------ */

static void
choose_lanes(Drawing *drawing)
{
    const StoryRecord *record = drawing->record;

    for (unsigned i = 0; i < record->lanes->len; i++)
        for (guint k = 0; k < record->samples->len; k++)
            if (g_array_index(record->samples, StorySample, k).lane == i &&
                g_array_index(record->samples, StorySample, k).value > 0) {
                g_array_append_val(drawing->lanes, i);
                break;
            }
}

static void
lay_out(Drawing *drawing)
{
    uint64_t cpus = report_rows_cpus(drawing->rows);
    unsigned room;

    for (unsigned i = 0; i < CPUS_MAX; i++)
        drawing->column[i] = cpus >> i & 1 ? (int)drawing->columns++ : -1;
    drawing->columns = MAX(drawing->columns, 1);
    choose_lanes(drawing);
    room = WIDTH - STEP_WIDTH;
    room -= MIN(room, drawing->lanes->len * LANE_WIDTH);
    drawing->column_width =
        CLAMP(room / drawing->columns, COLUMN_MIN, COLUMN_MAX);
    drawing->width = STEP_WIDTH + drawing->columns * drawing->column_width +
                     drawing->lanes->len * LANE_WIDTH;
    drawing->height = row_top(drawing->rows->len) + 8;
}

static void
draw_heads(const Drawing *drawing)
{
    for (unsigned i = 0; i < CPUS_MAX; i++)
        if (drawing->column[i] >= 0)
            g_string_append_printf(
                drawing->out,
                "<rect class=\"column\" x=\"%u\" y=\"%u\" width=\"%u\" "
                "height=\"%u\"/><text class=\"head\" x=\"%u\" y=\"20\">cpu%u"
                "</text>\n",
                column_left(drawing, i), HEAD - 6, drawing->column_width - 4,
                drawing->height - HEAD + 4, column_left(drawing, i) + 5, i);
}

static void
draw(const Drawing *drawing)
{
    unsigned rows = drawing->rows->len;

    g_string_append_printf(
        drawing->out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
        "viewBox=\"0 0 %u %u\" role=\"img\">\n"
        "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" "
        "markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">"
        "<path class=\"tip\" d=\"M0 0 L8 4 L0 8 z\"/></marker></defs>\n",
        drawing->width, drawing->height, drawing->width, drawing->height);
    draw_heads(drawing);
    for (unsigned i = 0; i < rows; i++)
        if (opens_box(row_at(drawing, i)))
            draw_box(drawing, i);
    for (guint i = 0; i < drawing->lanes->len; i++)
        draw_lane(drawing, i);
    if (rows > 0) {
        draw_stores(drawing, false);
        draw_stores(drawing, true);
    }
    for (unsigned i = 0; i < rows; i++)
        draw_row(drawing, i);
    for (unsigned i = 0; i < rows; i++)
        if (row_at(drawing, i)->event != NULL &&
            row_at(drawing, i)->event->kind == STORY_EVENT_SENT)
            draw_arrow(drawing, i);
    g_string_append(drawing->out, "</svg>\n");
}

char *
report_svg(const StoryRecord *record, unsigned rows_max)
{
    g_autoptr(GPtrArray) rows = report_rows_new(record, rows_max);
    g_autoptr(GArray) lanes = g_array_new(FALSE, FALSE, sizeof(unsigned));
    Drawing drawing = {
        .record = record,
        .rows = rows,
        .out = g_string_new(NULL),
        .lanes = lanes,
    };

    lay_out(&drawing);
    draw(&drawing);
    return g_string_free(drawing.out, FALSE);
}
