/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/report_text.h"

#include "report/report_rows.h"
#include "report/report_said.h"
#include "report/report_words.h"

#define NARROW 80u
#define WIDE 100u
#define COLUMNS_MAX 4u

/* Of the head and the foot. */
#define LABEL 9u

/* Before the columns: the step and two blanks. */
#define STEP_WIDTH 6u
#define GUTTER 2u

/* Of three or four columns: what the last one gets at least, and how far two
 * are apart at least. */
#define LAST_COLUMN 38u
#define APART 16u

/* How a record is laid out. */
typedef struct Layout {
    const GPtrArray *rows;
    unsigned count;            /* columns */
    unsigned cpu[COLUMNS_MAX]; /* whose they are */
    unsigned start[COLUMNS_MAX];
    unsigned width;            /* of a line */
    unsigned indent;           /* blanks for each level */
    bool single;               /* one column, names in front */
} Layout;

/* --- Rows ----------------------------------------------------------------- */

static char *
row_text(const ReportRow *row)
{
    if (row->remark != NULL)
        return g_strdup(row->remark);
    if (row->event->kind == STORY_EVENT_BREACH)
        return g_strdup_printf("! %s", row->event->text);
    if (row->event->kind == STORY_EVENT_MOMENT)
        return g_strdup_printf("* %s", row->event->text);
    if (row->times > 1)
        return g_strdup_printf("%s x%u", row->event->text, row->times);
    return g_strdup(row->event->text);
}

static unsigned
row_column(const Layout *layout, const ReportRow *row)
{
    for (unsigned i = 0; i < layout->count; i++)
        if (layout->cpu[i] == row->event->cpu)
            return i;
    return 0;
}

/* Deep recursion must not push the text out of its column. */
static unsigned
row_indent(const Layout *layout, const ReportRow *row)
{
    return layout->indent * MIN(row->event->depth, 8);
}

static void
render_row(const Layout *layout, const ReportRow *row, GString *out)
{
    g_autofree char *text = row_text(row);
    unsigned column, start;

    if (row->event == NULL) {
        g_string_append_printf(out, "%*s", (int)(STEP_WIDTH + GUTTER), "");
        report_words_cut(out, text, layout->width - STEP_WIDTH - GUTTER);
        g_string_append_c(out, '\n');
        return;
    }
    if (row->remark != NULL)
        g_string_append_printf(out, "%*s", (int)STEP_WIDTH, "");
    else
        g_string_append_printf(out, "%*" PRIu64, (int)STEP_WIDTH,
                               row->event->step);
    column = row_column(layout, row);
    start = layout->start[column] + row_indent(layout, row);
    if (layout->single)
        g_string_append_printf(out, "  cpu%u", row->event->cpu);
    report_words_pad(out, start);
    report_words_cut(out, text, layout->width - start);
    g_string_append_c(out, '\n');
}

/* --- Layout --------------------------------------------------------------- */

/* Columns that the texts of column `column` would like to have. */
static unsigned
wanted(const Layout *layout, unsigned column)
{
    unsigned most = 0;

    for (unsigned i = 0; i < layout->rows->len; i++) {
        const ReportRow *row = g_ptr_array_index(layout->rows, i);
        g_autofree char *text = row_text(row);

        if (row->event != NULL && row_column(layout, row) == column)
            most = MAX(most,
                       row_indent(layout, row) + report_words_width(text));
    }
    return most;
}

/*
 * A row has one event, so its text may run on below the next column's
 * heading.  What must fit is the last column; the others only keep a distance.
 */
static void
divide(Layout *layout)
{
    unsigned left = STEP_WIDTH + GUTTER, apart = 0, edge = 0;

    if (layout->single)
        left += 5 + GUTTER;
    layout->start[0] = left;
    layout->indent = layout->count > 2 ? 1 : 2;
    if (layout->count == 2) {
        unsigned last = wanted(layout, 1) + GUTTER;

        apart = CLAMP(wanted(layout, 0), 35, 44) + GUTTER;
        if (left + apart + last > NARROW)
            apart = 35 + GUTTER;
    } else if (layout->count > 2) {
        unsigned others = layout->count - 1;
        unsigned last = CLAMP(wanted(layout, others), LAST_COLUMN,
                              WIDE - left - others * APART);

        apart = (WIDE - left - last) / others;
    }
    for (unsigned i = 0; i < layout->count; i++) {
        layout->start[i] = left + i * apart;
        edge = MAX(edge, layout->start[i] + wanted(layout, i));
    }
    layout->width = CLAMP(edge, layout->count > 2 ? WIDE : NARROW, WIDE);
}

static void
lay_out(Layout *layout, const StoryRecord *record)
{
    uint64_t cpus = record->cpus >= 64 ? UINT64_MAX
                                       : (UINT64_C(1) << record->cpus) - 1;

    if (record->cpus > COLUMNS_MAX)
        cpus = report_rows_cpus(layout->rows);
    layout->single = __builtin_popcountll(cpus) > (int)COLUMNS_MAX;
    if (layout->single)
        layout->count = 1;
    else
        for (; cpus != 0; cpus &= cpus - 1)
            layout->cpu[layout->count++] = (unsigned)__builtin_ctzll(cpus);
    layout->count = MAX(layout->count, 1);
    divide(layout);
}

static void
render_heading(const Layout *layout, GString *out)
{
    g_string_append_printf(out, "%*s", (int)STEP_WIDTH, "step");
    for (unsigned i = 0; i < layout->count; i++) {
        report_words_pad(out, layout->single ? STEP_WIDTH + GUTTER
                                             : layout->start[i]);
        g_string_append_printf(out, layout->single ? "cpu" : "cpu%u",
                               layout->cpu[i]);
    }
    g_string_append(out, "\n -----");
    for (unsigned i = 0; i < layout->count; i++) {
        unsigned start = layout->single ? STEP_WIDTH + GUTTER
                                        : layout->start[i];
        unsigned end = i + 1 < layout->count ? layout->start[i + 1] - GUTTER
                                             : layout->width;

        report_words_pad(out, start);
        for (unsigned at = start; at < end; at++)
            g_string_append_c(out, '-');
    }
    g_string_append_c(out, '\n');
}

static void
render_story(const StoryRecord *record, GString *out)
{
    g_autoptr(GPtrArray) rows = report_rows_new(record, REPORT_TEXT_ROWS_MAX);
    Layout layout = {.rows = rows};

    lay_out(&layout, record);
    g_string_append_c(out, '\n');
    render_heading(&layout, out);
    for (unsigned i = 0; i < rows->len; i++)
        render_row(&layout, g_ptr_array_index(rows, i), out);
    g_string_append_c(out, '\n');
}

/* --- Head ----------------------------------------------------------------- */

static void
label(GString *out, const char *name, bool color)
{
    report_words_paint(out, color ? REPORT_BOLD : REPORT_PLAIN, name);
    for (size_t i = strlen(name); i < LABEL; i++)
        g_string_append_c(out, ' ');
}

static void
field(GString *out, const char *name, const char *text, bool color)
{
    label(out, name, color);
    report_words_wrap(out, text, LABEL, NARROW);
}

static void
render_head(const Scenario *scenario, const Finding *finding,
            const StoryRecord *record, GString *out, bool color)
{
    g_autofree char *file = g_path_get_basename(scenario->path);
    g_autofree char *found = report_said_verdict(finding, record);
    g_autoptr(GString) text = g_string_new(NULL);

    label(out, "FOUND", color);
    report_words_wrap(out, found, LABEL, NARROW);
    g_string_printf(text, "%s:%u  \"%s\"", file, finding->item->line,
                    finding->item->title);
    label(out, "case", color);
    report_words_cut(out, text->str, NARROW - LABEL);
    g_string_append_c(out, '\n');
    if (finding->claim != NULL) {
        g_autofree char *claim = report_said_claim(finding);

        field(out, "claim", claim, color);
    }
    if (finding->replay != NULL) {
        label(out, "replay", color);
        g_string_append_printf(out, "%s\n", finding->replay);
    }
}

/* --- Foot ----------------------------------------------------------------- */

static void
render_stand(const StoryRecord *record, unsigned cpu, GString *out, bool color)
{
    const StoryStand *stand = &record->stands[cpu];
    g_autofree char *text = report_said_stand(stand);
    g_autofree char *name = g_strdup_printf("cpu%u", cpu);

    field(out, name, text, color);
    if (stand->rests)
        return;
    if (stand->quote != NULL) {
        g_string_append_printf(out, "%*s  | ", (int)LABEL, "");
        report_words_cut(out, stand->quote, NARROW - LABEL - 4);
        g_string_append_c(out, '\n');
    }
    if (stand->calls != NULL && strstr(stand->calls, " < ") != NULL) {
        g_autofree char *calls = g_strconcat("calls ", stand->calls, NULL);

        g_string_append_printf(out, "%*s", (int)LABEL, "");
        report_words_wrap(out, calls, LABEL, NARROW);
    }
}

static void
render_stands(const StoryRecord *record, GString *out, bool color)
{
    unsigned resting = 0;

    for (unsigned i = 0; i < record->cpus; i++) {
        /* Of many cpus that rest nobody wants to read one by one. */
        if (record->cpus > COLUMNS_MAX && record->stands[i].rests)
            resting++;
        else
            render_stand(record, i, out, color);
    }
    if (resting > 0) {
        g_autofree char *text =
            g_strdup_printf("%u cpu%s at rest", resting,
                            resting == 1 ? " is" : "s are");

        field(out, "others", text, color);
    }
}

static void
render_waits(const StoryRecord *record, GString *out, bool color)
{
    g_autofree char *text = report_said_waits(record);

    if (text != NULL)
        field(out, "waits", text, color);
}

static const StoryEvent *
breach_at(const StoryRecord *record, guint index)
{
    return &g_array_index(record->breaches, StoryEvent, index);
}

/* How often a cpu broke this rule before number `index`, or in all. */
static unsigned
same_breaches(const StoryRecord *record, guint index, guint end)
{
    const StoryEvent *breach = breach_at(record, index);
    unsigned count = 0;

    for (guint i = 0; i < end; i++)
        count += breach_at(record, i)->cpu == breach->cpu &&
                 strcmp(breach_at(record, i)->text, breach->text) == 0;
    return count;
}

/* Each rule and cpu once, where it happened first. */
static void
render_breaches(const StoryRecord *record, GString *out, bool color)
{
    for (guint i = 0; i < record->breaches->len; i++) {
        unsigned count = same_breaches(record, i, record->breaches->len);
        g_autofree char *said = report_said_aside(breach_at(record, i));
        g_autofree char *text =
            count > 1 ? g_strdup_printf("%s (%u times)", said, count)
                      : g_strdup(said);

        if (same_breaches(record, i, i) == 0)
            field(out, "breach", text, color);
    }
}

static void
render_moments(const StoryRecord *record, GString *out, bool color)
{
    for (guint i = 0; i < record->moments->len; i++) {
        g_autofree char *text = report_said_aside(
            &g_array_index(record->moments, StoryEvent, i));

        field(out, "moment", text, color);
    }
}

static void
render_foot(const Finding *finding, const StoryRecord *record, GString *out,
            bool color)
{
    const Verdict *verdict = &finding->run.verdict;
    uint64_t digest = finding->run.digest;

    render_stands(record, out, color);
    render_waits(record, out, color);
    render_breaches(record, out, color);
    render_moments(record, out, color);
    if (verdict->kind == VERDICT_LIVELOCK) {
        g_autofree char *text = g_strdup_printf(
            "%u round%s of all cpus, %" PRIu64 " steps, and the machine is "
            "again as it was",
            verdict->loop_rounds, verdict->loop_rounds == 1 ? "" : "s",
            verdict->loop_steps);

        field(out, "loop", text, color);
    }
    if (finding->certificate != NULL) {
        g_autofree char *path = report_words_shell(finding->certificate);

        label(out, "proof", color);
        g_string_append_printf(out, "heddle replay --verify %s\n", path);
    }
    label(out, "digest", color);
    g_string_append_printf(
        out, "%04x %04x %04x %04x   (%" PRIu64 " switch%s)\n",
        (unsigned)(digest >> 48), (unsigned)(digest >> 32 & 0xffff),
        (unsigned)(digest >> 16 & 0xffff), (unsigned)(digest & 0xffff),
        record->switches, record->switches == 1 ? "" : "es");
}

/* --- The reports ---------------------------------------------------------- */

char *
report_text(const Scenario *scenario, const Finding *finding,
            const StoryRecord *record, bool color)
{
    GString *out = g_string_new(NULL);

    render_head(scenario, finding, record, out, color);
    render_story(record, out);
    render_foot(finding, record, out, color);
    return g_string_free(out, FALSE);
}

static void
append_raw(const StoryEvent *event, GString *out)
{
    g_string_append_printf(out, "%8" PRIu64 " cpu%-2u %-9s %016" PRIx64 " ",
                           event->step, event->cpu,
                           storyrecord_kind_name(event->kind), event->address);
    g_string_append_printf(out, "%*s%s",
                           storyrecord_is_aside(event) ? 0 : 2 * event->depth,
                           "", event->text);
    if (event->file != NULL)
        g_string_append_printf(out, "  (%s:%u)", event->file, event->line);
    g_string_append_c(out, '\n');
}

char *
report_text_raw(const StoryRecord *record)
{
    GString *out = g_string_new(NULL);
    uint64_t kept = storyrecord_kept(record);

    for (uint64_t i = 0; i < kept; i++) {
        if (i == STORYRECORD_FIRST && record->count > kept)
            g_string_append_printf(out, "... %" PRIu64 " events were dropped\n",
                                   record->count - kept);
        append_raw(storyrecord_event(record, i), out);
    }
    for (guint i = 0; i < record->breaches->len; i++)
        append_raw(&g_array_index(record->breaches, StoryEvent, i), out);
    for (guint i = 0; i < record->moments->len; i++)
        append_raw(&g_array_index(record->moments, StoryEvent, i), out);
    return g_string_free(out, FALSE);
}

char *
report_text_where(const StoryRecord *record)
{
    GString *out = g_string_new(NULL);
    bool all_rest = true;

    for (unsigned i = 0; i < record->cpus; i++)
        all_rest = all_rest && record->stands[i].rests;
    for (unsigned i = 0; i < record->cpus; i++) {
        g_autofree char *text = report_said_stand(&record->stands[i]);

        if (record->stands[i].rests && !all_rest)
            continue;
        g_string_append_printf(out, "%scpu%u %s", out->len > 0 ? "; " : "", i,
                               text);
    }
    return g_string_free(out, FALSE);
}
