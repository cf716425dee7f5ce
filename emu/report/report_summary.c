/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/report_summary.h"

#include "report/report_words.h"

#define WIDTH 80u
#define TITLE 5u    /* column of a case's title and of its claims' marks */
#define CLAIM 11u   /* of a claim */
#define HOW 48u     /* of how it is known */

void
report_summary_scenario(const Scenario *scenario, ReportTotals *totals,
                        GString *out, bool color)
{
    if (totals->scenarios++ > 0)
        g_string_append_c(out, '\n');
    report_words_paint(out, color ? REPORT_BOLD : REPORT_PLAIN,
                       scenario->path);
    g_string_append_c(out, '\n');
    report_words_wrap(out, scenario->title, 0, WIDTH);
}

static void
print_claim(const ClaimOutcome *claim, GString *out, bool color)
{
    g_autofree char *text = claim_print(claim->claim);
    g_autofree char *how = report_words_how(claim);
    unsigned width = report_words_width(text);
    ReportColor mark = claim->holds ? REPORT_GREEN : REPORT_RED;

    g_string_append_printf(out, "%*s", (int)TITLE, "");
    report_words_paint(out, color ? mark : REPORT_PLAIN,
                       claim->holds ? "ok" : "FAIL");
    g_string_append_printf(out, "%*s", claim->holds ? 4 : 2, "");
    if (CLAIM + width + 2 <= HOW)
        g_string_append_printf(out, "%s%*s", text, (int)(HOW - CLAIM - width),
                               "");
    else if (CLAIM + width + 2 + report_words_width(how) <= WIDTH)
        g_string_append_printf(out, "%s  ", text);
    else {
        report_words_wrap(out, text, CLAIM, WIDTH);
        g_string_append_printf(out, "%*s", (int)HOW, "");
    }
    g_string_append_printf(out, "%s\n", how);
}

/* How far a search came. */
static void
print_search(const CaseOutcome *outcome, GString *out)
{
    uint64_t made = outcome->runs + outcome->cuts;

    g_string_append_printf(out, "%*s", (int)CLAIM, "");
    if (outcome->complete)
        g_string_append_printf(out, "exhaustive within %s:", outcome->within);
    else
        g_string_append_printf(out, "not all within %s:", outcome->within);
    g_string_append_printf(out, "\n%*s%" PRIu64 " schedules, and %" PRIu64
                           " cut short in a state that was known",
                           (int)CLAIM + 2, "", outcome->runs, outcome->cuts);
    if (outcome->why_not != NULL)
        g_string_append_printf(out, ";\n%*s%s", (int)CLAIM + 2, "",
                               outcome->why_not);
    else if (!outcome->complete && outcome->expected > made)
        g_string_append_printf(out, "; about %" PRIu64 " more",
                               outcome->expected - made);
    g_string_append_c(out, '\n');
}

void
report_summary_case(const CaseOutcome *outcome, ReportTotals *totals,
                    GString *out, bool color)
{
    g_string_append_printf(out, "\n%3u  ", outcome->item->number);
    report_words_wrap(out, outcome->item->title, TITLE, WIDTH);
    totals->cases++;
    totals->runs += outcome->runs;
    for (unsigned i = 0; i < outcome->claims->len; i++) {
        const ClaimOutcome *claim =
            &g_array_index(outcome->claims, ClaimOutcome, i);

        if (claim->claim->implied && claim->holds)
            continue;
        totals->claims++;
        totals->failed += !claim->holds;
        print_claim(claim, out, color);
    }
    if (outcome->within != NULL)
        print_search(outcome, out);
    if (outcome->budget_runs > 0)
        g_string_append_printf(
            out, "%*s%" PRIu64 " of %" PRIu64 " run%s came to no end within "
            "%s steps\n",
            (int)CLAIM, "", outcome->budget_runs, outcome->runs,
            outcome->runs == 1 ? "" : "s",
            outcome->budget_runs == 1 ? "its" : "their");
}

static void
append_count(GString *out, uint64_t count, const char *what)
{
    g_string_append_printf(out, "%" PRIu64 " %s%s", count, what,
                           count == 1 ? "" : "s");
}

void
report_summary_end(const ReportTotals *totals, GString *out, bool color)
{
    g_autoptr(GString) verdict = g_string_new(NULL);
    ReportColor mark = totals->failed > 0 ? REPORT_RED : REPORT_GREEN;

    if (totals->failed > 0)
        g_string_printf(verdict, "%u of %u claims FAILED", totals->failed,
                        totals->claims);
    else
        g_string_printf(verdict, "%u claim%s", totals->claims,
                        totals->claims == 1 ? " holds" : "s hold");
    g_string_append_c(out, '\n');
    append_count(out, totals->scenarios, "scenario");
    g_string_append(out, ", ");
    append_count(out, totals->cases, "case");
    g_string_append(out, ", ");
    append_count(out, totals->runs, "run");
    g_string_append(out, ": ");
    report_words_paint(out, color ? mark : REPORT_PLAIN, verdict->str);
    g_string_append_c(out, '\n');
}
