/* SPDX-License-Identifier: BSD-2-Clause */
#include "report_rig.h"

#include "report/report_summary.h"
#include "report/report_words.h"

Test(report_summary, a_scenario_is_a_header_and_a_line_for_each_claim)
{
    static const char *const wanted[] = {
        "scenarios/dragonfly/wakeup_holding_spinlock.lua",
        "wakeup() is called with a spin lock held",
        "",
        "  1  as asked: cpu0 waits for room, and the mail it executes wants "
        "its lock",
        "     ok    certain (rule)                       sampled, 2000 runs",
        "     FAIL  never (stuck)                        it happens, seed 42",
        "           3 of 2000 runs came to no end within their steps",
        "",
        "1 scenario, 1 case, 2000 runs: 1 of 2 claims FAILED",
        NULL,
    };
    g_autoptr(Scenario) scenario = rig_scenario();
    g_autoptr(CaseOutcome) outcome = rig_outcome(scenario);
    g_autoptr(GString) out = g_string_new(NULL);
    ReportTotals totals = {0};

    outcome->budget_runs = 3;
    report_summary_scenario(scenario, &totals, out, false);
    report_summary_case(outcome, &totals, out, false);
    report_summary_end(&totals, out, false);
    rig_lines(out->str, wanted);
}

Test(report_summary, what_nobody_wrote_is_shown_only_when_it_fails)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    g_autoptr(CaseOutcome) outcome = rig_outcome(scenario);
    g_autoptr(GString) out = g_string_new(NULL);
    ReportTotals totals = {0};

    for (unsigned i = 0; i < 2; i++)
        ((Claim *)rig_claim(scenario, i))->implied = true;
    report_summary_case(outcome, &totals, out, false);
    cr_assert_null(strstr(out->str, "certain"));
    cr_assert_not_null(strstr(out->str, "FAIL  never (stuck)"));
    cr_assert_eq(totals.claims, 1u);
}

Test(report_summary, a_long_claim_does_not_leave_the_page)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    g_autoptr(CaseOutcome) outcome = rig_outcome(scenario);
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(GStrv) lines = NULL;
    ReportTotals totals = {0};
    Predicate *predicate = ((Claim *)rig_claim(scenario, 0))->predicate;

    g_free(predicate->text);
    predicate->text = g_strdup(
        "touch(cs[0]) :after (leave(0, lwkt_cpusync_deinterlock)) | "
        "touch(cs[1]) :after (leave(1, lwkt_cpusync_deinterlock))");
    report_summary_case(outcome, &totals, out, false);
    lines = g_strsplit(out->str, "\n", -1);
    for (unsigned i = 0; lines[i] != NULL; i++)
        cr_assert_leq(strlen(lines[i]), 80u, "%s", lines[i]);
}

Test(report_summary, color_only_when_it_is_asked_for)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    g_autoptr(CaseOutcome) outcome = rig_outcome(scenario);
    g_autoptr(GString) out = g_string_new(NULL);
    ReportTotals totals = {0};

    report_summary_case(outcome, &totals, out, true);
    cr_assert_not_null(strstr(out->str, "\033[32mok\033[0m    certain"));
    cr_assert_not_null(strstr(out->str, "\033[1;31mFAIL\033[0m  never"));
}

/* --- How a claim is known ------------------------------------------------- */

static char *
how(const ClaimOutcome *outcome, Quantifier quantifier)
{
    Claim claim = {.quantifier = quantifier};
    ClaimOutcome copy = *outcome;

    copy.claim = &claim;
    return report_words_how(&copy);
}

Test(report_summary, how_a_claim_is_known_is_said_exactly)
{
    static const struct {
        Quantifier quantifier;
        ClaimOutcome outcome;
        const char *wanted;
    } rows[] = {
        {CLAIM_NEVER, {.holds = true, .how = HOW_SAMPLED, .runs = 2000},
         "sampled, 2000 runs"},
        {CLAIM_NEVER, {.holds = true, .how = HOW_EXHAUSTIVE, .runs = 1},
         "exhaustive, 1 run"},
        {CLAIM_POSSIBLE,
         {.holds = true, .how = HOW_REACHED, .has_witness = true, .seed = 7},
         "reached, seed 7"},
        {CLAIM_POSSIBLE, {.how = HOW_SAMPLED, .runs = 2000},
         "not found in 2000 runs"},
        {CLAIM_REACH, {.how = HOW_EXHAUSTIVE, .runs = 12},
         "impossible: in none of all 12 runs"},
        {CLAIM_CERTAIN, {.how = HOW_REACHED, .has_witness = true, .seed = 9},
         "not so, seed 9"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = how(&rows[i].outcome, rows[i].quantifier);

        cr_assert_str_eq(text, rows[i].wanted);
    }
}

Test(report_summary, texts_are_cut_between_characters)
{
    g_autoptr(GString) out = g_string_new(NULL);

    report_words_cut(out, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 4);
    cr_assert_str_eq(out->str, "\xc3\xa9...");
}

Test(report_summary, a_page_has_no_markup_and_no_control_characters_of_texts)
{
    g_autoptr(GString) out = g_string_new("a=");

    report_words_escape(out, "<b>\"\x01\n&\xff");
    cr_assert_str_eq(out->str, "a=&lt;b&gt;&quot;?\n&amp;\xef\xbf\xbd");
}
