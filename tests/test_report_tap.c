/* SPDX-License-Identifier: BSD-2-Clause */
#include "report_rig.h"

#include "report/report_tap.h"

#define TITLES                                                                 \
    "wakeup() is called with a spin lock held: as asked: cpu0 waits for "      \
    "room, and the mail it executes wants its lock: "

Test(report_tap, a_case_is_one_test_point_for_each_claim)
{
    static const char *const wanted[] = {
        "TAP version 14",
        "ok 1 - " TITLES "certain (rule)",
        "not ok 2 - " TITLES "never (stuck)",
        "  ---",
        "  message: \"it happens, seed 42\"",
        "  file: \"scenarios/dragonfly/wakeup_holding_spinlock.lua\"",
        "  line: 34",
        "  runs: 43",
        "  seed: 42",
        "  verdict: \"livelock\"",
        "  replay: \"heddle replay scenarios/dragonfly/"
        "wakeup_holding_spinlock.lua --case 1 --seed 42\"",
        "  story: |2",
        "    FOUND    livelock",
        "",
        "      step  cpu0",
        "        12  f(a) <- \"b\" & c",
        "  ...",
        "1..2",
        NULL,
    };
    g_autoptr(Scenario) scenario = rig_scenario();
    g_autoptr(CaseOutcome) outcome = rig_outcome(scenario);
    g_autoptr(GString) out = g_string_new(NULL);
    unsigned count = 0;

    report_tap_begin(out);
    report_tap_case(outcome, &count, out);
    report_tap_end(count, out);
    rig_lines(out->str, wanted);
}

Test(report_tap, a_title_cannot_pass_for_a_directive)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    g_autoptr(CaseOutcome) outcome = rig_outcome(scenario);
    g_autoptr(GString) out = g_string_new(NULL);
    unsigned count = 7;

    g_free(scenario->title);
    scenario->title = g_strdup("a\nb # SKIP c\\d");
    report_tap_case(outcome, &count, out);
    cr_assert(g_str_has_prefix(out->str, "ok 8 - a b \\# SKIP c\\\\d: "), "%s",
              out->str);
    cr_assert_eq(count, 9u);
}

Test(report_tap, a_broken_world_ends_the_tests)
{
    g_autoptr(GString) out = g_string_new(NULL);

    report_tap_bail_out("no such file", out);
    cr_assert_str_eq(out->str, "Bail out! no such file\n");
}
