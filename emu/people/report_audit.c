/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "people/report_audit.h"

#include "people/json.h"
#include "people/report_words.h"

static const char *
needed_name(const AuditRow *row)
{
    return row->needed == AUDIT_NEVER
               ? "never seen"
               : memmodel_name((MemoryModel)row->needed);
}

static char *
place_name(const AuditRow *row)
{
    const Weakening *place = &row->place;

    return place->file != NULL
               ? g_strdup_printf("%s:%u", place->file, place->line)
               : g_strdup(place->name);
}

/* Addresses are those of one build; what the instruction does is enough. */
static char *
code_words(const AuditRow *row)
{
    const char *end = strchr(row->place.code, '[');

    return end != NULL
               ? g_strndup(row->place.code,
                           (gsize)(end - row->place.code))
               : g_strdup(row->place.code);
}

static char *
shown_by(const AuditRow *row)
{
    g_autofree char *file = NULL;

    if (row->needed == AUDIT_NEVER)
        return g_strdup_printf("%" PRIu64 " runs of %u case%s", row->runs,
                               row->cases, row->cases == 1 ? "" : "s");
    file = g_path_get_basename(row->scenario);
    return g_strdup_printf("%s case %u, seed %" PRIu64 ": %s", file,
                           row->case_number, row->seed, row->claim);
}

/* --- Text ----------------------------------------------------------------- */

static void
count_rows(const GPtrArray *rows, unsigned counts[MEMORY_MODELS + 1])
{
    for (guint i = 0; i < rows->len; i++) {
        const AuditRow *row = g_ptr_array_index(rows, i);

        counts[row->needed == AUDIT_NEVER ? MEMORY_MODELS
                                          : (unsigned)row->needed]++;
    }
}

char *
report_audit_text(const GPtrArray *rows)
{
    GString *out = g_string_new("needed under  place                   "
                                "function                   what\n");
    unsigned counts[MEMORY_MODELS + 1] = {0};

    for (guint i = 0; i < rows->len; i++) {
        const AuditRow *row = g_ptr_array_index(rows, i);
        g_autofree char *place = place_name(row);
        g_autofree char *code = code_words(row);
        g_autofree char *shown = shown_by(row);

        g_string_append_printf(out, "%-13s %-23s %-26s %s\n",
                               needed_name(row), place, row->place.function,
                               code);
        g_string_append_printf(out, "              %s\n", shown);
        if (row->replay != NULL)
            g_string_append_printf(out, "              %s\n", row->replay);
    }
    count_rows(rows, counts);
    g_string_append_printf(out, "\n%u places: needed under", rows->len);
    for (unsigned i = 0; i < MEMORY_MODELS; i++)
        g_string_append_printf(out, " %s %u,", memmodel_name((MemoryModel)i),
                               counts[i]);
    g_string_append_printf(out, " never seen needed %u\n",
                           counts[MEMORY_MODELS]);
    return g_string_free(out, FALSE);
}

char *
report_audit_markdown(const GPtrArray *rows)
{
    GString *out = g_string_new("| place | function | what | needed under | "
                                "how it is known |\n"
                                "| --- | --- | --- | --- | --- |\n");

    for (guint i = 0; i < rows->len; i++) {
        const AuditRow *row = g_ptr_array_index(rows, i);
        g_autofree char *place = place_name(row);
        g_autofree char *code = code_words(row);
        g_autofree char *shown = shown_by(row);
        g_auto(GStrv) parts = g_strsplit(shown, "|", -1);
        g_autofree char *safe = g_strjoinv("\\|", parts);

        g_string_append_printf(out, "| %s | `%s` | %s | %s | %s |\n", place,
                               row->place.function, g_strchomp(code),
                               needed_name(row), safe);
    }
    return g_string_free(out, FALSE);
}

char *
report_audit_json(const AuditRow *row)
{
    Json *json = json_new("audit");

    json_text(json, "file", row->place.file);
    json_u64(json, "line", row->place.line);
    json_text(json, "function", row->place.function);
    json_text(json, "place", row->place.name);
    json_text(json, "type", weakening_kind_name(row->place.kind));
    json_text(json, "code", row->place.code);
    json_text(json, "needed",
              row->needed == AUDIT_NEVER
                  ? NULL
                  : memmodel_name((MemoryModel)row->needed));
    json_u64(json, "runs", row->runs);
    json_u64(json, "cases", row->cases);
    if (row->needed != AUDIT_NEVER) {
        json_text(json, "claim", row->claim);
        json_text(json, "scenario", row->scenario);
        json_u64(json, "case_number", row->case_number);
        json_u64(json, "seed", row->seed);
        json_text(json, "replay", row->replay);
        json_text(json, "trace", row->trace);
    }
    return json_finish(json);
}

/* --- The page ------------------------------------------------------------- */

static const char style[] =
    ":root{--ink:#1d2430;--dim:#7b8494;--paper:#fbfbf9;--line:#dcdfe4;"
    "--sc:#c62f2f;--tso:#c77700;--pso:#2f6fb7;--weak:#7a4fb5;--never:#7b8494}"
    "\n@media(prefers-color-scheme:dark){:root{--ink:#e4e7ec;--dim:#8d96a6;"
    "--paper:#14171c;--line:#2b313b;--sc:#ff7a7a;--tso:#f0ae4e;--pso:#79b0f0;"
    "--weak:#b697ea;--never:#8d96a6}}\n"
    "body{margin:16px;background:var(--paper);color:var(--ink);"
    "font:14px/1.5 system-ui,sans-serif}\n"
    "code,pre,.source td{font:12px/1.45 ui-monospace,Menlo,Consolas,"
    "\"DejaVu Sans Mono\",monospace}\n"
    "table{border-collapse:collapse}td,th{text-align:left;vertical-align:top;"
    "padding:1px 10px 1px 0}\n"
    ".ledger td{border-bottom:1px solid var(--line)}\n"
    ".source td{white-space:pre;padding:0 10px 0 0}.source .note{white-space:"
    "normal}.source td:first-child{color:var(--dim);text-align:right}\n"
    "b{border-radius:3px;padding:0 5px;color:var(--paper)}"
    ".sc{background:var(--sc)}.tso{background:var(--tso)}"
    ".pso{background:var(--pso)}.weak{background:var(--weak)}"
    ".never{background:var(--never)}\n"
    "a{color:inherit}\n";

static void
append_badge(GString *out, const AuditRow *row)
{
    g_string_append_printf(out, "<b class=\"%s\">%s</b>",
                           row->needed == AUDIT_NEVER
                               ? "never"
                               : memmodel_name((MemoryModel)row->needed),
                           needed_name(row));
}

static void
append_ledger(GString *out, const GPtrArray *rows)
{
    g_string_append(out, "<table class=\"ledger\"><tr><th>needed under"
                         "<th>place<th>function<th>what<th>how it is known"
                         "</tr>\n");
    for (guint i = 0; i < rows->len; i++) {
        const AuditRow *row = g_ptr_array_index(rows, i);
        g_autofree char *place = place_name(row);
        g_autofree char *shown = shown_by(row);

        g_string_append(out, "<tr><td>");
        append_badge(out, row);
        g_string_append_printf(out, "<td><a href=\"#row%u\">", i);
        report_words_escape(out, place);
        g_string_append(out, "</a><td><code>");
        report_words_escape(out, row->place.function);
        g_string_append(out, "</code><td><code>");
        report_words_escape(out, row->place.code);
        g_string_append(out, "</code><td>");
        report_words_escape(out, shown);
        if (row->replay != NULL) {
            g_string_append(out, "<br><code>");
            report_words_escape(out, row->replay);
            g_string_append(out, "</code>");
        }
        g_string_append(out, "</tr>\n");
    }
    g_string_append(out, "</table>\n");
}

static void
append_notes(GString *out, const GPtrArray *rows, const char *source,
             unsigned line)
{
    for (guint i = 0; i < rows->len; i++) {
        const AuditRow *row = g_ptr_array_index(rows, i);
        g_autofree char *shown = NULL;

        if (row->place.line != line || g_strcmp0(row->source, source) != 0)
            continue;
        shown = shown_by(row);
        g_string_append_printf(out, "<a id=\"row%u\"></a>", i);
        append_badge(out, row);
        g_string_append(out, " ");
        report_words_escape(out, shown);
        g_string_append(out, "<br>");
    }
}

static void
append_source(GString *out, const GPtrArray *rows, const AuditRow *row)
{
    g_auto(GStrv) lines = g_strsplit(row->text, "\n", -1);

    g_string_append(out, "<h2>");
    report_words_escape(out, row->place.file);
    g_string_append(out, "</h2>\n<table class=\"source\">\n");
    for (unsigned i = 0; lines[i] != NULL; i++) {
        g_string_append_printf(out, "<tr><td>%u<td>", i + 1);
        report_words_escape(out, lines[i]);
        g_string_append(out, "<td class=\"note\">");
        append_notes(out, rows, row->source, i + 1);
        g_string_append(out, "</tr>\n");
    }
    g_string_append(out, "</table>\n");
}

char *
report_audit_html(const GPtrArray *rows)
{
    GString *out = g_string_new(NULL);

    g_string_append_printf(out,
                           "<!DOCTYPE html>\n<html lang=\"en\">\n<head>"
                           "<meta charset=\"utf-8\">\n<title>barrier ledger"
                           "</title>\n<style>\n%s</style>\n</head>\n<body>\n"
                           "<h1>Which barriers are needed</h1>\n",
                           style);
    append_ledger(out, rows);
    for (guint i = 0; i < rows->len; i++) {
        const AuditRow *row = g_ptr_array_index(rows, i);

        if (row->text != NULL)
            append_source(out, rows, row);
    }
    g_string_append(out, "</body>\n</html>\n");
    return g_string_free(out, FALSE);
}
