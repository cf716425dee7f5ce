/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/report_svg.h"

#include "report/report_said.h"
#include "report/report_words.h"
#include "report/svg_flows.h"
#include "report/svg_layout.h"

/* A line of where a cpu stands. */
#define STAND_LINE 15u

typedef struct Drawing {
    SvgLayout layout;
    GString *out;
    unsigned height;
} Drawing;

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
    case STORY_EVENT_MOMENT:
        return "breach";
    case STORY_EVENT_MARK:
    case STORY_EVENT_SCHEDULE:
        return "mark";
    case STORY_EVENT_BUFFERED:
    case STORY_EVENT_VISIBLE:
        return "visible";
    case STORY_EVENT_CALL:
        return "call";
    default:
        return "event";
    }
}

static void
draw_box(const Drawing *drawing, unsigned index)
{
    const SvgLayout *layout = &drawing->layout;
    const ReportRow *row = svg_layout_row(layout, index);
    unsigned left = svg_layout_begin(layout, row->event);
    unsigned right = svg_layout_end(layout, row->event);
    /* What happens meanwhile is as deep. */
    unsigned more = row->event->kind == STORY_EVENT_WAIT ? 2 : 0;

    g_string_append_printf(
        drawing->out,
        "<rect class=\"box %s%s\" x=\"%u\" y=\"%u\" width=\"%u\" "
        "height=\"%u\" rx=\"3\"/>\n",
        class_of(row), row->event->depth & 1 ? " odd" : "", left - more,
        svg_layout_top(layout->line[index]) + 1, right - left + 2 * more,
        (layout->end[index] - layout->line[index]) * SVG_LINE - 2);
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

/* Does its source line say more than its text? */
static bool
is_worth_quoting(const StoryEvent *event)
{
    return event->quote != NULL && (event->kind == STORY_EVENT_SENT ||
                                    event->kind == STORY_EVENT_BUFFERED ||
                                    event->kind == STORY_EVENT_VISIBLE ||
                                    event->kind == STORY_EVENT_BREACH ||
                                    event->kind == STORY_EVENT_MOMENT);
}

/* The place in the source goes to the right end, and the line itself before
 * it, as far as the text leaves room. */
static void
draw_place(const Drawing *drawing, const StoryEvent *event, unsigned y,
           unsigned room)
{
    unsigned right = svg_layout_end(&drawing->layout, event) - 4;
    unsigned characters = svg_layout_small_characters(room);
    g_autoptr(GString) text = g_string_new(NULL);

    if (event->file == NULL)
        return;
    g_string_append_printf(text, "%s:%u", event->file, event->line);
    if (is_worth_quoting(event) &&
        report_words_width(event->quote) + text->len + 4 <= characters) {
        g_string_prepend(text, "  ");
        g_string_prepend(text, event->quote);
    }
    if (report_words_width(text->str) + 1 > characters)
        return;
    g_string_append_printf(drawing->out,
                           "<text class=\"place\" x=\"%u\" y=\"%u\">", right,
                           y);
    report_words_escape(drawing->out, text->str);
    g_string_append(drawing->out, "</text>");
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

/* Of all cpus: something is left out. */
static void
draw_gap(const Drawing *drawing, const ReportRow *row, unsigned top)
{
    const SvgLayout *layout = &drawing->layout;
    unsigned width = layout->columns * layout->column_width - 4;

    g_string_append_printf(
        drawing->out,
        "<rect class=\"gap\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\"/>"
        "<text class=\"remark\" x=\"%u\" y=\"%u\">",
        SVG_STEP_WIDTH, top, width, SVG_LINE, SVG_STEP_WIDTH + 6, top + 12);
    report_words_escape(drawing->out, row->remark);
    g_string_append(drawing->out, "</text>\n");
}

static void
draw_row(const Drawing *drawing, unsigned index)
{
    const SvgLayout *layout = &drawing->layout;
    const ReportRow *row = svg_layout_row(layout, index);
    const StoryEvent *event = row->event;
    unsigned top = svg_layout_top(layout->line[index]), left, room, used;
    g_autofree char *text = row_text(row);
    g_autoptr(GString) cut = g_string_new(NULL);
    GString *out = drawing->out;

    if (event == NULL) {
        draw_gap(drawing, row, top);
        return;
    }
    left = svg_layout_begin(layout, event) + 5;
    room = svg_layout_end(layout, event) - left;
    report_words_cut(cut, text, svg_layout_characters(room));
    if (row->remark == NULL && (index == 0 || layout->line[index] !=
                                                  layout->line[index - 1]))
        g_string_append_printf(
            out, "<text class=\"step\" x=\"%u\" y=\"%u\">%" PRIu64 "</text>",
            SVG_STEP_WIDTH - 8, top + 12, event->step);
    g_string_append(out, "<g>");
    append_title(out, event);
    g_string_append_printf(out,
                           "<rect class=\"hit\" x=\"%u\" y=\"%u\" "
                           "width=\"%u\" height=\"%u\"/>"
                           "<text class=\"%s\" x=\"%u\" y=\"%u\">",
                           left - 3, top + 1, room, SVG_LINE - 2,
                           class_of(row), left, top + 12);
    report_words_escape(out, cut->str);
    g_string_append(out, "</text>");
    used = (report_words_width(cut->str) + 1) * 73 / 10;
    if (row->remark == NULL)
        draw_place(drawing, event, top + 12, room - MIN(room, used));
    g_string_append(out, "</g>\n");
}

/* --- Where cpus stand ----------------------------------------------------- */

/* What there is to say of a cpu, in lines that fit its column. */
static char **
stand_lines(const Drawing *drawing, unsigned cpu)
{
    const StoryStand *stand = &drawing->layout.record->stands[cpu];
    unsigned width =
        svg_layout_characters(drawing->layout.column_width - SVG_MARGIN);
    g_autofree char *said = report_said_stand(stand);
    g_autoptr(GString) text = g_string_new(NULL);

    report_words_wrap(text, said, 0, width);
    if (!stand->rests && stand->quote != NULL) {
        g_string_append(text, "| ");
        report_words_cut(text, stand->quote, width - 2);
    }
    return g_strsplit(g_strchomp(text->str), "\n", -1);
}

static unsigned
stands_height(const Drawing *drawing)
{
    unsigned most = 0;

    for (unsigned i = 0; i < drawing->layout.record->cpus; i++) {
        g_auto(GStrv) lines = NULL;

        if (drawing->layout.column[i] < 0)
            continue;
        lines = stand_lines(drawing, i);
        most = MAX(most, g_strv_length(lines));
    }
    return most == 0 ? 0 : most * STAND_LINE + 8;
}

static void
draw_stands(const Drawing *drawing)
{
    for (unsigned i = 0; i < drawing->layout.record->cpus; i++) {
        g_auto(GStrv) lines = NULL;
        unsigned y = drawing->layout.bottom + STAND_LINE;

        if (drawing->layout.column[i] < 0)
            continue;
        lines = stand_lines(drawing, i);
        for (char **line = lines; *line != NULL; line++, y += STAND_LINE) {
            g_string_append_printf(
                drawing->out, "<text class=\"stand%s\" x=\"%u\" y=\"%u\">",
                (*line)[0] == '|' ? " quote" : "",
                svg_layout_left(&drawing->layout, i) + 5, y);
            report_words_escape(drawing->out, *line);
            g_string_append(drawing->out, "</text>\n");
        }
    }
}

/* --- The whole ------------------------------------------------------------ */

static void
draw_columns(const Drawing *drawing)
{
    const SvgLayout *layout = &drawing->layout;

    g_string_append_printf(
        drawing->out, "<text class=\"group\" x=\"%u\" y=\"28\" "
        "text-anchor=\"end\">step</text>\n", SVG_STEP_WIDTH - 8);
    for (unsigned i = 0; i < layout->record->cpus; i++)
        if (layout->column[i] >= 0)
            g_string_append_printf(
                drawing->out,
                "<rect class=\"column\" x=\"%u\" y=\"%u\" width=\"%u\" "
                "height=\"%u\"/><text class=\"head\" x=\"%u\" y=\"28\">cpu%u"
                "</text>\n",
                svg_layout_left(layout, i), SVG_HEAD - 3,
                layout->column_width - 4, layout->bottom - SVG_HEAD + 3,
                svg_layout_left(layout, i) + 5, i);
}

static void
draw(const Drawing *drawing)
{
    const SvgLayout *layout = &drawing->layout;
    unsigned rows = layout->rows->len;

    g_string_append_printf(
        drawing->out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
        "style=\"min-width:%upx\" viewBox=\"0 0 %u %u\" role=\"img\" "
        "aria-label=\"What the cpus did, step by step; the table at the end of "
        "the page says the same\">\n",
        layout->width, drawing->height, layout->width * 3 / 4, layout->width,
        drawing->height);
    draw_columns(drawing);
    for (unsigned i = 0; i < rows; i++)
        if (svg_layout_is_box(svg_layout_row(layout, i)))
            draw_box(drawing, i);
    svg_flows_lanes(layout, drawing->out);
    if (rows > 0)
        svg_flows_stores(layout, drawing->out);
    for (unsigned i = 0; i < rows; i++)
        draw_row(drawing, i);
    svg_flows_arrows(layout, drawing->out);
    draw_stands(drawing);
    g_string_append(drawing->out, "</svg>\n");
}

char *
report_svg(const StoryRecord *record, unsigned rows_max)
{
    g_autoptr(GPtrArray) rows = report_rows_new(record, rows_max);
    Drawing drawing = {.out = g_string_new(NULL)};

    svg_layout_init(&drawing.layout, record, rows);
    drawing.height = drawing.layout.bottom + stands_height(&drawing);
    draw(&drawing);
    svg_layout_clear(&drawing.layout);
    return g_string_free(drawing.out, FALSE);
}
