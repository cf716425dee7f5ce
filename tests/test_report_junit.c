/* SPDX-License-Identifier: BSD-2-Clause */
#include "report_rig.h"

#include "report/report_junit.h"

#define FILE_NAME "scenarios/dragonfly/wakeup_holding_spinlock.lua"
#define NAME                                                                   \
    "as asked: cpu0 waits for room, and the mail it executes wants its lock: "

Test(report_junit, a_scenario_is_a_suite_and_a_claim_a_case)
{
    static const char *const wanted[] = {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
        "<testsuites name=\"heddle\" tests=\"2\" failures=\"1\" errors=\"0\">",
        "  <testsuite name=\"wakeup() is called with a spin lock held\" "
        "file=\"" FILE_NAME "\" tests=\"2\" failures=\"1\" errors=\"0\">",
        "    <testcase classname=\"" FILE_NAME "\" name=\"" NAME
        "certain (rule)\" file=\"" FILE_NAME "\" line=\"33\">",
        "      <system-out>sampled, 2000 runs</system-out>",
        "    </testcase>",
        "    <testcase classname=\"" FILE_NAME "\" name=\"" NAME
        "never (stuck)\" file=\"" FILE_NAME "\" line=\"34\">",
        "      <failure message=\"it happens, seed 42\" type=\"livelock\">"
        "FOUND    livelock",
        "",
        "  step  cpu0",
        "    12  f(a) &lt;- &quot;b&quot; &amp; c",
        "</failure>",
        "      <system-out>it happens, seed 42",
        "seed 42",
        "replay: heddle replay " FILE_NAME " --case 1 --seed 42</system-out>",
        "    </testcase>",
        "  </testsuite>",
        "</testsuites>",
        NULL,
    };
    g_autoptr(Scenario) scenario = rig_scenario();
    g_autoptr(CaseOutcome) outcome = rig_outcome(scenario);
    g_autoptr(GPtrArray) outcomes = g_ptr_array_new();
    g_autofree char *text = NULL;

    g_ptr_array_add(outcomes, outcome);
    text = report_junit(outcomes);
    rig_lines(text, wanted);
}

Test(report_junit, two_scenarios_are_two_suites)
{
    g_autoptr(Scenario) first = rig_scenario();
    g_autoptr(Scenario) second = rig_scenario();
    g_autoptr(CaseOutcome) a = rig_outcome(first);
    g_autoptr(CaseOutcome) b = rig_outcome(first);
    g_autoptr(CaseOutcome) c = rig_outcome(second);
    g_autoptr(GPtrArray) outcomes = g_ptr_array_new();
    g_auto(GStrv) parts = NULL;
    g_autofree char *text = NULL;

    g_ptr_array_add(outcomes, a);
    g_ptr_array_add(outcomes, b);
    g_ptr_array_add(outcomes, c);
    text = report_junit(outcomes);
    parts = g_strsplit(text, "<testsuite ", -1);
    cr_assert_eq(g_strv_length(parts), 3u);
    cr_assert_not_null(strstr(parts[1], "tests=\"4\" failures=\"2\""));
    cr_assert_not_null(strstr(parts[2], "tests=\"2\" failures=\"1\""));
}

Test(report_junit, control_characters_do_not_break_the_document)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    g_autoptr(CaseOutcome) outcome = rig_outcome(scenario);
    g_autoptr(GPtrArray) outcomes = g_ptr_array_new();
    g_autofree char *text = NULL;

    g_free(scenario->title);
    scenario->title = g_strdup("a\001<b>\xff");
    g_ptr_array_add(outcomes, outcome);
    text = report_junit(outcomes);
    cr_assert_not_null(strstr(text, "name=\"a?&lt;b&gt;"));
    cr_assert(g_utf8_validate(text, -1, NULL));
}
