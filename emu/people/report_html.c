/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "people/report_html.h"

#include "people/report_said.h"
#include "people/report_svg.h"
#include "people/report_words.h"

static const char style[] =
    ":root{--ink:#1d2430;--dim:#7b8494;--paper:#fbfbf9;--line:#dcdfe4;"
    "--box:#2f6fb70d;--told:#2f6fb7;--message:#7a4fb5;--wait:#c77700;"
    "--interrupt:#0a8a7a;--bad:#c62f2f;--lane:#9bb7d8;--full:#e0913a}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e4e7ec;--dim:#8d96a6;"
    "--paper:#14171c;--line:#2b313b;--box:#6aa5e812;--told:#79b0f0;"
    "--message:#b697ea;--wait:#f0ae4e;--interrupt:#4cc9b6;--bad:#ff7a7a;"
    "--lane:#3d5f8a;--full:#b06a1f}}\n"
    "body{margin:12px 16px;background:var(--paper);color:var(--ink);"
    "font:13px/1.45 system-ui,sans-serif}\n"
    "h1{font-size:16px;margin:0 0 4px}h1 b{color:var(--bad)}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:0 12px;"
    "margin:0 0 8px}dt{color:var(--dim)}dd{margin:0}\n"
    "code,svg text{font:12px ui-monospace,Menlo,Consolas,"
    "\"DejaVu Sans Mono\",monospace}\n"
    "svg{display:block}svg text{fill:var(--ink)}\n"
    "svg .head,svg .lanehead{font-weight:bold}svg .step{fill:var(--dim);"
    "text-anchor:end}\n"
    "svg .place{fill:var(--dim);text-anchor:end;font-size:10px}\n"
    "svg .remark,svg .event{fill:var(--dim)}svg .remark{font-style:italic}\n"
    "svg .column{fill:none;stroke:var(--line)}\n"
    "svg .box{fill:var(--box);stroke:var(--line)}\n"
    "svg rect.message{stroke:var(--message)}svg rect.wait{stroke:var(--wait)}"
    "\nsvg rect.interrupt{stroke:var(--interrupt)}\n"
    "svg text.told{fill:var(--told);font-weight:bold}"
    "svg text.message{fill:var(--message);font-weight:bold}\n"
    "svg text.wait{fill:var(--wait);font-weight:bold}"
    "svg text.interrupt{fill:var(--interrupt)}\n"
    "svg text.breach{fill:var(--bad);font-weight:bold}"
    "svg text.visible{fill:var(--bad)}svg text.mark{font-weight:bold}\n"
    "svg .arrow{fill:none;stroke:var(--interrupt);stroke-width:1.3}"
    "svg .tip{fill:var(--interrupt)}\n"
    "svg .store{fill:var(--lane)}svg .missed{fill:var(--bad)}\n"
    "svg .lane{fill:var(--lane)}svg .full{fill:var(--full)}\n"
    "svg .value{font-size:11px}\n";

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
    append_field(out, "case", item, false);
    if (finding->claim != NULL) {
        g_autofree char *claim = report_said_claim(finding);

        append_field(out, "claim", claim, true);
    }
    append_field(out, "replay", finding->replay, true);
}

static void
append_stands(const StoryRecord *record, GString *out)
{
    g_autofree char *waits = report_said_waits(record);

    for (unsigned i = 0; i < record->cpus; i++) {
        const StoryStand *stand = &record->stands[i];
        g_autofree char *text = report_said_stand(stand);
        g_autofree char *name = g_strdup_printf("cpu%u", i);

        append_field(out, name, text, false);
        if (!stand->rests && stand->quote != NULL)
            append_field(out, "", stand->quote, true);
    }
    if (waits != NULL)
        append_field(out, "waits", waits, false);
}

static void
append_foot(const Finding *finding, GString *out)
{
    const StoryRecord *record = finding->told;
    const Verdict *verdict = &finding->run.verdict;
    g_autofree char *digest = g_strdup_printf(
        "%016" PRIx64 ", %" PRIu64 " switches, %" PRIu64 " steps",
        finding->run.digest, record->switches, finding->run.steps);

    append_stands(record, out);
    for (guint i = 0; i < record->breaches->len; i++) {
        const StoryEvent *breach =
            &g_array_index(record->breaches, StoryEvent, i);
        g_autofree char *text =
            g_strdup_printf("step %" PRIu64 ", cpu%u: %s", breach->step,
                            breach->cpu, breach->text);

        append_field(out, "breach", text, false);
    }
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

char *
report_html(const Scenario *scenario, const Finding *finding)
{
    GString *out = g_string_new("<!DOCTYPE html>\n<html lang=\"en\">\n<head>"
                                "<meta charset=\"utf-8\">\n<title>");
    g_autofree char *verdict = NULL, *drawing = NULL;

    INVARIANT(finding->told != NULL);
    verdict = report_said_verdict(finding, finding->told);
    drawing = report_svg(finding->told, REPORT_HTML_ROWS_MAX);
    report_words_escape(out, verdict);
    g_string_append_printf(out, "</title>\n<style>\n%s</style>\n</head>\n"
                           "<body>\n<h1>", style);
    report_words_escape(out, verdict);
    g_string_append(out, "</h1>\n<dl>\n");
    append_head(scenario, finding, out);
    g_string_append_printf(out, "</dl>\n%s<dl>\n", drawing);
    append_foot(finding, out);
    g_string_append(out, "</dl>\n</body>\n</html>\n");
    return g_string_free(out, FALSE);
}
