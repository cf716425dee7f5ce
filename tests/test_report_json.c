/* SPDX-License-Identifier: BSD-2-Clause */
#include "report_rig.h"

#include "report/report_json.h"

#define WHERE_IT_IS                                                            \
    "\"scenario\":\"scenarios/dragonfly/wakeup_holding_spinlock.lua\","        \
    "\"case\":\"as asked: cpu0 waits for room, and the mail it executes "      \
    "wants its lock\",\"case_number\":1,"

static ClaimOutcome *
claim_at(const CaseOutcome *outcome, unsigned index)
{
    return &g_array_index(outcome->claims, ClaimOutcome, index);
}

static const MemoryOptions sc = {.depth = MEMORY_DEPTH_DEFAULT};
static const MemoryOptions tso = {.model = MEMORY_TSO,
                                  .depth = MEMORY_DEPTH_DEFAULT};

Test(report_json, a_claim_has_the_fields_that_were_promised)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    g_autoptr(CaseOutcome) outcome = rig_outcome(scenario);
    g_autofree char *holds = report_json_claim(outcome, claim_at(outcome, 0));
    g_autofree char *broken = report_json_claim(outcome, claim_at(outcome, 1));

    cr_assert_str_eq(holds, "{\"kind\":\"claim\"," WHERE_IT_IS
                            "\"line\":33,\"claim\":\"certain (rule)\","
                            "\"holds\":true,\"how\":\"sampled\","
                            "\"runs\":2000,\"implied\":false}");
    cr_assert_str_eq(broken, "{\"kind\":\"claim\"," WHERE_IT_IS
                             "\"line\":34,\"claim\":\"never (stuck)\","
                             "\"holds\":false,\"how\":\"reached\","
                             "\"runs\":43,\"implied\":false,\"seed\":42}");
}

Test(report_json, a_run_has_the_fields_that_were_promised)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    Finding *finding = rig_finding(scenario);
    g_autofree char *line = report_json_run(scenario, rig_case(scenario),
                                            &finding->run, &tso);

    cr_assert_str_eq(line, "{\"kind\":\"run\"," WHERE_IT_IS
                           "\"seed\":42,\"strategy\":\"random\","
                           "\"memory\":\"tso\",\"steps\":812,"
                           "\"digest\":\"9c1f03aa77d2e401\","
                           "\"verdict\":\"livelock\"}");
    finding_free(finding);
}

Test(report_json, a_finding_has_the_fields_that_were_promised)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    Finding *finding = rig_finding(scenario);
    g_autofree char *line = report_json_finding(scenario, finding, &sc);

    cr_assert_str_eq(
        line, "{\"kind\":\"finding\"," WHERE_IT_IS
              "\"line\":34,\"claim\":\"never (stuck)\",\"expected\":false,"
              "\"verdict\":\"livelock\","
              "\"where\":\"cpu0 in spin_lock, spinlock.c:31\","
              "\"seed\":42,\"strategy\":\"random\",\"memory\":\"sc\","
              "\"steps\":812,\"digest\":\"9c1f03aa77d2e401\","
              "\"replay\":\"heddle replay scenarios/dragonfly/"
              "wakeup_holding_spinlock.lua --case 1 --seed 42\","
              "\"trace\":null,\"certificate\":null}");
    finding_free(finding);
}

Test(report_json, a_panic_has_its_text)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    Finding *finding = rig_finding(scenario);
    g_autofree char *line = NULL;

    finding->claim = NULL;
    finding->run.verdict =
        (Verdict){.kind = VERDICT_PANIC, .text = "assertion \"x\" failed"};
    line = report_json_finding(scenario, finding, &sc);
    cr_assert_not_null(strstr(line, "\"line\":23,\"claim\":null,"));
    cr_assert_not_null(strstr(line, "\"verdict\":\"panic\",\"text\":"
                                    "\"assertion \\\"x\\\" failed\""));
    finding_free(finding);
}
