/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "audit/report_audit_html.h"

#include "audit/report_audit.h"
#include "report/report_words.h"

/* Lines that are shown around a place; what is further away is folded, if it
 * is worth a click. */
#define CONTEXT 6u
#define FOLD_LEAST 4u

static const char style[] =
    ":root{--ink:#1d2430;--dim:#6b7484;--paper:#fbfbf9;--line:#dcdfe4;"
    "--sc:#b3261e;--tso:#b45f00;--pso:#2463a8;--weak:#6d43a8;--never:#8a919d}"
    "\n@media(prefers-color-scheme:dark){:root{--ink:#e4e7ec;--dim:#8d96a6;"
    "--paper:#14171c;--line:#2b313b;--sc:#ff8079;--tso:#f0ae4e;--pso:#79b0f0;"
    "--weak:#b697ea;--never:#666e7b}}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);"
    "font:14px/1.45 system-ui,sans-serif;display:grid;"
    "grid-template-columns:minmax(220px,290px) minmax(0,1fr)}\n"
    "nav{position:sticky;top:0;height:100vh;overflow:auto;padding:14px 12px;"
    "box-sizing:border-box;border-right:1px solid var(--line);"
    "font-size:12.5px}nav h1{font-size:16px;margin:0 0 8px}"
    "nav h2{font-size:13px;margin:12px 0 2px}nav p{margin:0;"
    "color:var(--dim)}nav a{display:block;white-space:nowrap;"
    "overflow:hidden;text-overflow:ellipsis}\n"
    "nav dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 8px;"
    "margin:0}dt{text-align:right}dd{margin:0;color:var(--dim)}\n"
    "main{padding:14px 18px}main h2{margin:0 0 6px;font-size:16px}"
    "section{margin-bottom:30px}\n"
    "code,.line{font:12px/1.5 ui-monospace,Menlo,Consolas,"
    "\"DejaVu Sans Mono\",monospace}\n"
    ".line{display:grid;grid-template-columns:44px minmax(0,80ch) "
    "minmax(160px,1fr);border-left:3px solid transparent}"
    ".line>i{color:var(--dim);font-style:normal;text-align:right;"
    "padding-right:12px;user-select:none}.line>pre{margin:0;font:inherit;"
    "overflow-x:auto}.line:target{outline:2px solid var(--dim);"
    "scroll-margin-top:25vh}\n"
    "summary{cursor:pointer;list-style:none}"
    "summary::-webkit-details-marker{display:none}"
    ".fold>summary{color:var(--dim);padding:2px 0 2px 44px;"
    "font-size:12px}.fold>summary:hover,.note>summary:hover{"
    "text-decoration:underline}\n"
    ".note{font:12.5px/1.4 system-ui,sans-serif;padding-left:12px}"
    ".note code{user-select:all;overflow-wrap:anywhere;color:var(--dim)}"
    ".note p{margin:2px 0 6px}\n"
    "b{border-radius:3px;padding:0 5px;color:var(--paper);font-weight:600;"
    "background:var(--of)}a{color:inherit;text-decoration:none}"
    "a:hover{text-decoration:underline}\n"
    ".sc{--of:var(--sc)}.tso{--of:var(--tso)}.pso{--of:var(--pso)}"
    ".weak{--of:var(--weak)}.never{--of:var(--never)}\n"
    ".never b{background:none;color:var(--dim);font-weight:400;"
    "border:1px solid var(--line)}\n"
    ".line.sc,.line.tso,.line.pso,.line.weak{border-color:var(--of);"
    "background:color-mix(in srgb,var(--of) 9%,transparent)}\n"
    "@media(max-width:800px){body{display:block}nav{position:static;"
    "height:auto}}\n";

static const char *
class_of(const AuditRow *row)
{
    int needed = report_audit_witness(row)->needed;

    return needed == AUDIT_NEVER ? "never"
                                 : memmodel_name((MemoryModel)needed);
}

static bool
is_of(const AuditRow *row, const char *source)
{
    return g_strcmp0(row->place.source, source) == 0;
}

/* --- The side ------------------------------------------------------------- */

/* What a verdict means, and how often it is given. */
static void
append_legend(GString *out, const GPtrArray *rows)
{
    static const struct {
        const char *name, *means;
    } kinds[] = {
        {"sc", "on every machine"},
        {"tso", "on x86, and on all with less order"},
        {"pso", "where stores pass stores"},
        {"weak", "where loads are late, too"},
        {"never", "by no claim, in as many runs as it says"},
    };

    g_string_append(out, "<dl>\n");
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        unsigned count = 0;

        for (guint k = 0; k < rows->len; k++)
            count += g_str_equal(class_of(g_ptr_array_index(rows, k)),
                                 kinds[i].name);
        g_string_append_printf(out,
                               "<dt class=\"%s\"><b>%s %u</b></dt>"
                               "<dd>%s</dd>\n",
                               kinds[i].name, kinds[i].name, count,
                               kinds[i].means);
    }
    g_string_append(out, "</dl>\n");
}

/* The rows of a file that are needed, as links, and how many others there
 * are. */
static void
append_index(GString *out, const GPtrArray *rows, const AuditRow *file)
{
    unsigned others = 0;

    g_string_append(out, "<h2><a href=\"#");
    report_words_escape(out, file->file);
    g_string_append(out, "\">");
    report_words_escape(out, file->file);
    g_string_append(out, "</a></h2>\n");
    for (guint i = 0; i < rows->len; i++) {
        const AuditRow *row = g_ptr_array_index(rows, i);

        if (!is_of(row, file->place.source))
            continue;
        if (report_audit_witness(row)->needed == AUDIT_NEVER) {
            others++;
            continue;
        }
        g_string_append_printf(out, "<a class=\"%s\" href=\"#",
                               class_of(row));
        report_words_escape(out, row->file);
        g_string_append_printf(out, ":%u\"><b>%s</b> %u ", row->place.line,
                               class_of(row), row->place.line);
        if (row->alone.needed == AUDIT_NEVER)
            g_string_append_printf(out, "or %u ", row->other->place.line);
        report_words_escape(out, row->place.function);
        g_string_append(out, "</a>\n");
    }
    g_string_append_printf(out, "<p>%u never seen needed</p>\n", others);
}

static void
append_side(GString *out, const GPtrArray *rows, const GPtrArray *files)
{
    g_string_append(out, "<nav>\n<h1>Which barriers are needed</h1>\n");
    append_legend(out, rows);
    for (guint i = 0; i < files->len; i++)
        append_index(out, rows, g_ptr_array_index(files, i));
    g_string_append(out, "</nav>\n");
}

/* --- Sources -------------------------------------------------------------- */

static void
append_witness(GString *out, const AuditWitness *witness)
{
    if (witness->needed == AUDIT_NEVER)
        return;
    g_string_append(out, "<p>breaks ");
    report_words_escape(out, witness->claim);
    g_string_append_printf(out, " under %s<br><code>",
                           memmodel_name((MemoryModel)witness->needed));
    report_words_escape(out, witness->replay);
    g_string_append(out, "</code></p>");
}

static void
append_note(GString *out, const AuditRow *row)
{
    const AuditWitness *witness = report_audit_witness(row);
    g_autofree char *verdict = report_audit_verdict(row);
    g_autofree char *shown = report_audit_shown(row);

    g_string_append_printf(out, "<details class=\"note %s\" title=\"",
                           class_of(row));
    report_words_escape(out, witness->replay != NULL ? witness->replay : shown);
    g_string_append(out, "\"><summary><b>");
    report_words_escape(out, verdict);
    g_string_append(out, "</b> ");
    report_words_escape(out, shown);
    g_string_append(out, "</summary><p><code>");
    report_words_escape(out, row->place.code);
    g_string_append(out, "</code><br><code>--weaken ");
    report_words_escape(out, row->place.name);
    g_string_append_printf(out, "</code><br>%" PRIu64 " runs of %u case%s "
                           "without it</p>",
                           row->runs, row->cases, row->cases == 1 ? "" : "s");
    append_witness(out, &row->alone);
    append_witness(out, &row->both);
    g_string_append(out, "</details>");
}

/* The worst of the rows of this line, or NULL. */
static const AuditRow *
worst_of(const GPtrArray *rows, const char *source, unsigned line)
{
    const AuditRow *worst = NULL;

    for (guint i = 0; i < rows->len; i++) {
        const AuditRow *row = g_ptr_array_index(rows, i);
        unsigned needed = (unsigned)report_audit_witness(row)->needed;

        if (row->place.line == line && is_of(row, source) &&
            (worst == NULL ||
             needed < (unsigned)report_audit_witness(worst)->needed))
            worst = row;
    }
    return worst;
}

typedef struct Page {
    GString *out;
    const GPtrArray *rows;
    const AuditRow *file;
    char **lines; /* of its source */
} Page;

static void
append_line(const Page *page, unsigned number)
{
    GString *out = page->out;
    const char *source = page->file->place.source;
    const AuditRow *worst = worst_of(page->rows, source, number);

    g_string_append_printf(out, "<div class=\"line %s\" id=\"",
                           worst != NULL ? class_of(worst) : "");
    report_words_escape(out, page->file->file);
    g_string_append_printf(out, ":%u\"><i>%u</i><pre>", number, number);
    report_words_escape(out, page->lines[number - 1]);
    g_string_append(out, "</pre><div>");
    for (guint i = 0; worst != NULL && i < page->rows->len; i++) {
        const AuditRow *row = g_ptr_array_index(page->rows, i);

        if (row->place.line == number && is_of(row, source))
            append_note(out, row);
    }
    g_string_append(out, "</div></div>\n");
}

/* The first line from `from` on that has a place, or one beyond the last. */
static unsigned
next_place(const Page *page, unsigned from)
{
    unsigned next = g_strv_length(page->lines) + CONTEXT + 1;

    for (guint i = 0; i < page->rows->len; i++) {
        const AuditRow *row = g_ptr_array_index(page->rows, i);

        if (row->place.line >= from && is_of(row, page->file->place.source))
            next = MIN(next, row->place.line);
    }
    return next;
}

static void
append_lines(const Page *page, unsigned from, unsigned to, bool folded)
{
    folded = folded && to >= from + FOLD_LEAST;
    if (folded)
        g_string_append_printf(page->out,
                               "<details class=\"fold\"><summary>&#8943; "
                               "lines %u to %u</summary>\n",
                               from, to - 1);
    for (unsigned i = from; i < to; i++)
        append_line(page, i);
    if (folded)
        g_string_append(page->out, "</details>\n");
}

static void
append_source(GString *out, const GPtrArray *rows, const AuditRow *file)
{
    g_auto(GStrv) lines = g_strsplit(file->text, "\n", -1);
    Page page = {.out = out, .rows = rows, .file = file, .lines = lines};
    unsigned count = g_strv_length(lines), at = 1;

    g_string_append(out, "<section id=\"");
    report_words_escape(out, file->file);
    g_string_append(out, "\">\n<h2>");
    report_words_escape(out, file->file);
    g_string_append(out, "</h2>\n");
    while (at <= count) {
        unsigned place = next_place(&page, at);
        unsigned near = MAX(at, place - MIN(place, CONTEXT));
        unsigned end = MIN(place + CONTEXT, count) + 1;

        append_lines(&page, at, MIN(near, count + 1), true);
        append_lines(&page, near, end, false);
        at = MAX(end, near);
    }
    g_string_append(out, "</section>\n");
}

/* --- The page ------------------------------------------------------------- */

static unsigned
count_needed(const GPtrArray *rows, const AuditRow *file)
{
    unsigned count = 0;

    for (guint i = 0; i < rows->len; i++) {
        const AuditRow *row = g_ptr_array_index(rows, i);

        count += is_of(row, file->place.source) &&
                 report_audit_witness(row)->needed != AUDIT_NEVER;
    }
    return count;
}

/* A row of each file, the one with its text; files of which most is needed
 * come first, and otherwise by name. */
static GPtrArray *
list_files(const GPtrArray *rows)
{
    GPtrArray *files = g_ptr_array_new();

    for (guint i = 0; i < rows->len; i++) {
        AuditRow *row = g_ptr_array_index(rows, i);
        unsigned needed = count_needed(rows, row);
        guint at = files->len;

        if (row->text == NULL)
            continue;
        while (at > 0 &&
               count_needed(rows, g_ptr_array_index(files, at - 1)) < needed)
            at--;
        g_ptr_array_insert(files, (gint)at, row);
    }
    return files;
}

char *
report_audit_html(const GPtrArray *rows)
{
    g_autoptr(GPtrArray) files = list_files(rows);
    GString *out = g_string_new(NULL);

    g_string_append_printf(out,
                           "<!DOCTYPE html>\n<html lang=\"en\">\n<head>"
                           "<meta charset=\"utf-8\">\n<title>barrier ledger"
                           "</title>\n<style>\n%s</style>\n</head>\n<body>\n",
                           style);
    append_side(out, rows, files);
    g_string_append(out, "<main>\n");
    for (guint i = 0; i < files->len; i++)
        append_source(out, rows, g_ptr_array_index(files, i));
    g_string_append(out, "</main>\n</body>\n</html>\n");
    return g_string_free(out, FALSE);
}
