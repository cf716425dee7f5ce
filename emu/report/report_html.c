/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/report_html.h"

#include "report/report_rows.h"
#include "report/report_said.h"
#include "report/report_svg.h"
#include "report/report_words.h"

/* Colours have a contrast of 4.5 at least to what is behind them (WCAG 2.1,
 * 1.4.3), in the light and in the dark. */
static const char style[] =
    ":root{color-scheme:light dark;--ink:#1d2430;--dim:#596273;"
    "--paper:#fbfbf9;--line:#d5d9e0;--even:#f0f3f7;--odd:#e6ebf2;"
    "--hit:#fff3c4;--told:#1f5fa8;--message:#7040ad;--wait:#8f5200;"
    "--interrupt:#08695d;--bad:#b92323;--lane:#9bb7d8;--full:#e0913a;"
    "--edge:#c3cad5}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e4e7ec;--dim:#a0a8b6;"
    "--paper:#14171c;--line:#2f3641;--even:#1b2028;--odd:#232a34;"
    "--hit:#4a4220;--told:#82b6f2;--message:#c0a4ef;--wait:#f0b45c;"
    "--interrupt:#55cfbd;--bad:#ff8585;--lane:#3d5f8a;--full:#96581a;"
    "--edge:#3a4350}}\n"
    "body{margin:10px 16px;background:var(--paper);color:var(--ink);"
    "font:13px/1.4 system-ui,sans-serif}\n"
    "h1{font-size:15px;margin:0 0 2px}h1 span{color:var(--bad)}\n"
    "dl{display:grid;grid-template-columns:max-content auto max-content 1fr;"
    "gap:0 12px;margin:0 0 4px}dt{color:var(--dim)}dd{margin:0}\n"
    ".drawing{overflow-x:auto}svg{display:block}"
    ".drawing svg{max-width:100%;height:auto}\n"
    "code,svg text{font:12px ui-monospace,Menlo,Consolas,"
    "\"DejaVu Sans Mono\",monospace}\n"
    "svg text{fill:var(--ink)}svg .head{font-weight:bold}"
    "svg .step,svg .place{fill:var(--dim);text-anchor:end}"
    "svg .place,svg .group{font-size:10px}svg .group{fill:var(--dim)}\n"
    "svg .remark,svg .event{fill:var(--dim)}svg .remark{font-style:italic}"
    "svg .gap{fill:var(--paper);stroke:var(--edge);stroke-dasharray:2 3}\n"
    "svg .column{fill:none;stroke:var(--line)}"
    "svg .box{fill:var(--even);stroke:var(--edge)}svg .odd{fill:var(--odd)}\n"
    "svg rect.message{stroke:var(--message)}svg rect.wait{stroke:var(--wait)}"
    "svg rect.interrupt{stroke:var(--interrupt)}"
    "svg rect.told{stroke:var(--told)}\n"
    "svg text.told{fill:var(--told);font-weight:bold}"
    "svg text.message{fill:var(--message);font-weight:bold}\n"
    "svg text.wait{fill:var(--wait);font-weight:bold}"
    "svg text.interrupt{fill:var(--interrupt)}\n"
    "svg text.breach{fill:var(--bad);font-weight:bold}"
    "svg text.visible{fill:var(--bad)}svg text.mark{font-weight:bold}"
    "svg .quote{fill:var(--dim)}\n"
    "svg .hit{fill:none;pointer-events:all}svg g:hover .hit{fill:var(--hit)}\n"
    "svg .arrow{fill:none;stroke:var(--interrupt);stroke-width:1.4}"
    "svg .tip{fill:var(--interrupt)}\n"
    "svg .store{fill:var(--lane)}svg .missed{fill:var(--bad)}"
    "svg .miss{stroke:var(--bad);stroke-dasharray:2 2}\n"
    "svg .lane{fill:var(--lane)}svg .full{fill:var(--full)}"
    "svg .value{font-size:11px}\n"
    ".legend{color:var(--dim);font-size:12px;margin:4px 0}"
    ".legend span{white-space:nowrap;margin-right:14px}"
    ".legend svg{display:inline;vertical-align:-2px;margin-right:4px}\n"
    "pre{font-size:12px}summary{cursor:pointer;color:var(--dim)}"
    "table{border-collapse:collapse}td,th{text-align:left;vertical-align:top;"
    "padding:0 12px 0 0;border-bottom:1px solid var(--line)}"
    "td:first-child{text-align:right}\n";

/* In a picture of 16 by 12 each: what is what. */
typedef struct Sign {
    const char *shape, *means;
} Sign;

static const Sign signs[] = {
    {"<rect class=\"box told\" x=\"1\" y=\"1\" width=\"14\" height=\"10\" "
     "rx=\"3\"/>",
     "call of a story, from its start to its return"},
    {"<rect class=\"box\" x=\"1\" y=\"1\" width=\"14\" height=\"10\" "
     "rx=\"3\"/>",
     "call inside of one"},
    {"<rect class=\"box message\" x=\"1\" y=\"1\" width=\"14\" height=\"10\" "
     "rx=\"3\"/>",
     "message executed"},
    {"<rect class=\"box interrupt\" x=\"1\" y=\"1\" width=\"14\" "
     "height=\"10\" rx=\"3\"/>",
     "interrupt"},
    {"<rect class=\"box wait\" x=\"1\" y=\"1\" width=\"14\" height=\"10\" "
     "rx=\"3\"/>",
     "wait"},
    {"<path class=\"arrow\" d=\"M0 2 L15 9\" marker-end=\"url(#tip)\"/>",
     "IPI, from send to arrival"},
    {"<rect class=\"store\" x=\"6\" width=\"3\" height=\"12\"/>",
     "stores in the buffer: from retirement until visible"},
    {"<rect class=\"missed\" x=\"2\" width=\"3\" height=\"12\"/>"
     "<path class=\"miss\" d=\"M5 6 L16 6\"/>",
     "one that another cpu missed"},
    {"<rect class=\"lane\" width=\"5\" height=\"6\"/>"
     "<rect class=\"lane full\" width=\"12\" y=\"6\" height=\"6\"/>",
     "entries of a queue or buffer; more than half full"},
};

static void
append_field(GString *out, const char *name, const char *text, bool code)
{
    g_string_append_printf(out, "<dt>%s</dt><dd>%s", name,
                           code ? "<code>" : "");
    report_words_escape(out, text);
    g_string_append(out, code ? "</code></dd>\n" : "</dd>\n");
}

static void
append_head(const Scenario *scenario, const Finding *finding, GString *out)
{
    g_autofree char *file = g_path_get_basename(scenario->path);
    g_autofree char *item =
        g_strdup_printf("%s:%u  \"%s\"", file, finding->item->line,
                        finding->item->title);

    if (scenario->title != NULL)
        append_field(out, "scenario", scenario->title, false);
    if (finding->claim != NULL) {
        g_autofree char *claim = report_said_claim(finding);

        append_field(out, "claim", claim, true);
    }
    append_field(out, "case", item, false);
    append_field(out, "replay", finding->replay, true);
    if (scenario->origin != NULL)
        append_field(out, "from", scenario->origin, false);
}

/* What came of the run; if it ended well, what is of interest then. */
static char *
title_of(const Finding *finding)
{
    g_autofree char *claim = NULL;

    if (finding->run.verdict.kind != VERDICT_DONE || finding->claim == NULL)
        return report_said_verdict(finding, finding->told);
    claim = claim_print(finding->claim);
    return g_strdup_printf("%s: %s", finding->expected ? "shown" : "broken",
                           claim);
}

/* Its first word in red. */
static void
append_title(const char *title, GString *out)
{
    size_t length = strcspn(title, ": ,");
    g_autofree char *first = g_strndup(title, length);

    g_string_append(out, "<h1><span>");
    report_words_escape(out, first);
    g_string_append(out, "</span>");
    report_words_escape(out, title + length);
    g_string_append(out, "</h1>\n");
}

/* Cpus without a column, at which nothing happens. */
static void
append_others(const StoryRecord *record, const GPtrArray *rows, GString *out)
{
    uint64_t shown = report_rows_cpus(rows);
    unsigned count = 0;

    for (unsigned i = 0; i < record->cpus; i++)
        count += !(shown >> i & 1) && record->stands[i].rests;
    if (count > 0) {
        g_autofree char *text = g_strdup_printf(
            "%u cpu%s at rest", count, count == 1 ? " is" : "s are");

        append_field(out, "others", text, false);
    }
}

static void
append_asides(const char *name, const GArray *events, GString *out)
{
    for (guint i = 0; i < events->len; i++) {
        g_autofree char *text =
            report_said_aside(&g_array_index(events, StoryEvent, i));

        append_field(out, name, text, false);
    }
}

static void
append_foot(const Finding *finding, const GPtrArray *rows, GString *out)
{
    const StoryRecord *record = finding->told;
    const Verdict *verdict = &finding->run.verdict;
    g_autofree char *waits = report_said_waits(record);
    g_autofree char *said = report_said_verdict(finding, record);
    g_autofree char *digest = g_strdup_printf(
        "%016" PRIx64 ", %" PRIu64 " switches, %" PRIu64 " steps",
        finding->run.digest, record->switches, finding->run.steps);

    append_others(record, rows, out);
    if (waits != NULL)
        append_field(out, "waits", waits, false);
    if (verdict->kind == VERDICT_DONE && finding->claim != NULL)
        append_field(out, "end", said, false);
    append_asides("breach", record->breaches, out);
    append_asides("moment", record->moments, out);
    if (verdict->kind == VERDICT_LIVELOCK) {
        g_autofree char *loop = g_strdup_printf(
            "%u round%s of all cpus, %" PRIu64
            " steps, and the machine is again as it was",
            verdict->loop_rounds, verdict->loop_rounds == 1 ? "" : "s",
            verdict->loop_steps);

        append_field(out, "loop", loop, false);
    }
    append_field(out, "digest", digest, true);
}

static void
append_legend(GString *out)
{
    g_string_append(out, "<p class=\"legend\">");
    for (unsigned i = 0; i < G_N_ELEMENTS(signs); i++)
        g_string_append_printf(
            out,
            "<span><svg width=\"16\" height=\"12\" aria-hidden=\"true\">%s"
            "</svg>%s</span>\n",
            signs[i].shape, signs[i].means);
    g_string_append(out, "<span>Time goes down, not to scale. Point at a line "
                         "for its source.</span></p>\n");
}

static void
append_cell(const char *text, GString *out)
{
    g_string_append(out, "<td>");
    report_words_escape(out, text);
}

static void
append_table_row(const ReportRow *row, GString *out)
{
    const StoryEvent *event = row->event;

    if (event == NULL || row->remark != NULL) {
        g_string_append(out, "<tr><td><td><td>");
        report_words_escape(out, row->remark);
        g_string_append(out, "<td><td>\n");
        return;
    }
    g_string_append_printf(out, "<tr><td>%" PRIu64 "<td>cpu%u<td>",
                           event->step, event->cpu);
    for (unsigned i = 0; i < event->depth; i++)
        g_string_append(out, "&ensp;");
    if (row->times > 1)
        g_string_append_printf(out, "%ux ", row->times);
    report_words_escape(out, event->text);
    g_string_append(out, "<td>");
    if (event->file != NULL) {
        report_words_escape(out, event->file);
        g_string_append_printf(out, ":%u", event->line);
    }
    append_cell(event->quote != NULL ? event->quote : "", out);
    g_string_append_c(out, '\n');
}

static void
append_table(const GPtrArray *rows, GString *out)
{
    g_string_append(out, "<details><summary>The same as a table, with the "
                         "source line of each event</summary>\n<table>"
                         "<tr><th>step<th>cpu<th>event<th>where<th>source\n");
    for (guint i = 0; i < rows->len; i++)
        append_table_row(g_ptr_array_index(rows, i), out);
    g_string_append(out, "</table></details>\n");
}

/* As many rows as a screen has first, then all. */
static void
append_drawings(const StoryRecord *record, GString *out)
{
    g_autofree char *first = report_svg(record, REPORT_HTML_SCREEN);
    g_autofree char *all = report_svg(record, REPORT_HTML_ROWS_MAX);

    g_string_append_printf(out, REPORT_SVG_MARKER
                           "<div class=\"drawing\">%s</div>\n", first);
    if (!g_str_equal(first, all))
        g_string_append_printf(out, "<details><summary>The same with nothing "
                               "left out</summary>\n<div class=\"drawing\">%s"
                               "</div></details>\n",
                               all);
}

static void
append_replica(const char *replica, GString *out)
{
    g_string_append(out, "<details><summary>A scenario that shows it: save it "
                         "and give it to heddle run</summary>\n<pre>");
    report_words_escape(out, replica);
    g_string_append(out, "</pre></details>\n");
}

char *
report_html(const Scenario *scenario, const Finding *finding,
            const char *replica)
{
    GString *out = g_string_new("<!DOCTYPE html>\n<html lang=\"en\">\n<head>"
                                "<meta charset=\"utf-8\">\n<title>");
    g_autoptr(GPtrArray) rows = NULL;
    g_autofree char *title = NULL;

    INVARIANT(finding->told != NULL);
    rows = report_rows_new(finding->told, REPORT_HTML_ROWS_MAX);
    title = title_of(finding);
    report_words_escape(out, title);
    g_string_append_printf(out,
                           "</title>\n<style>\n%s</style>\n</head>\n<body>\n",
                           style);
    append_title(title, out);
    g_string_append(out, "<dl>\n");
    append_head(scenario, finding, out);
    g_string_append(out, "</dl>\n");
    append_drawings(finding->told, out);
    append_legend(out);
    g_string_append(out, "<dl>\n");
    append_foot(finding, rows, out);
    g_string_append(out, "</dl>\n");
    append_table(rows, out);
    if (replica != NULL)
        append_replica(replica, out);
    g_string_append(out, "</body>\n</html>\n");
    return g_string_free(out, FALSE);
}
