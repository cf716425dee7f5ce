/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_rig -- a scenario, a record and a finding, made by hand.
 */
#ifndef TESTS_REPORT_RIG_H
#define TESTS_REPORT_RIG_H

#include "base/base.h"

#include <criterion/criterion.h>

#include "report/outcome.h"
#include "report/storyrecord.h"

static inline Scenario *
rig_scenario(void)
{
    Scenario *scenario =
        scenario_new("scenarios/dragonfly/wakeup_holding_spinlock.lua");
    ScenarioCase *item;
    Predicate *rule = predicate_new(PREDICATE_BREACH, "rule");
    Predicate *stuck = predicate_new(PREDICATE_STUCK, "stuck");

    scenario->title = g_strdup("wakeup() is called with a spin lock held");
    item = scenario_add_case(scenario, "as asked: cpu0 waits for room, and "
                             "the mail it executes wants its lock", 23);
    g_ptr_array_add(item->claims, claim_new(CLAIM_CERTAIN, rule, 33));
    g_ptr_array_add(item->claims, claim_new(CLAIM_NEVER, stuck, 34));
    return scenario;
}

static inline ScenarioCase *
rig_case(const Scenario *scenario)
{
    return g_ptr_array_index(scenario->cases, 0);
}

static inline const Claim *
rig_claim(const Scenario *scenario, unsigned number)
{
    return g_ptr_array_index(rig_case(scenario)->claims, number);
}

static inline Finding *
rig_finding(const Scenario *scenario)
{
    Finding *finding = g_new0(Finding, 1);

    finding->item = rig_case(scenario);
    finding->claim = rig_claim(scenario, 1);
    finding->where = g_strdup("cpu0 in spin_lock, spinlock.c:31");
    finding->replay = g_strdup("heddle replay scenarios/dragonfly/"
                               "wakeup_holding_spinlock.lua --case 1 "
                               "--seed 42");
    finding->run = (RunRecord){
        .seed = 42,
        .strategy = "random",
        .steps = 812,
        .digest = UINT64_C(0x9c1f03aa77d2e401),
        .verdict = {.kind = VERDICT_LIVELOCK, .cpu = -1, .loop_rounds = 2,
                    .loop_steps = 148},
    };
    return finding;
}

/* The case with its first claim holding and its second broken, and a finding
 * for that. */
static inline CaseOutcome *
rig_outcome(const Scenario *scenario)
{
    CaseOutcome *outcome = outcome_new(scenario, rig_case(scenario));
    ClaimOutcome certain = {.claim = rig_claim(scenario, 0), .holds = true,
                            .how = HOW_SAMPLED, .runs = 2000};
    ClaimOutcome never = {.claim = rig_claim(scenario, 1),
                          .how = HOW_REACHED, .runs = 43,
                          .has_witness = true, .seed = 42};
    Finding *finding = rig_finding(scenario);

    outcome->strategy = "random";
    outcome->runs = 2000;
    g_array_append_val(outcome->claims, certain);
    g_array_append_val(outcome->claims, never);
    finding->story = g_strdup("FOUND    livelock\n\n  step  cpu0\n"
                              "    12  f(a) <- \"b\" & c\n");
    g_ptr_array_add(outcome->findings, finding);
    return outcome;
}

/* One event more; `place` is 100 * cpu + depth. */
static inline void
rig_event(StoryRecord *record, uint64_t step, unsigned place,
          StoryEventKind kind, const char *text)
{
    StoryEvent event = {
        .step = step,
        .cpu = (uint8_t)(place / 100),
        .depth = (uint8_t)(place % 100),
        .kind = kind,
        .text = text,
    };

    storyrecord_push(record, &event);
}

static inline void
rig_lines(const char *got, const char *const *wanted)
{
    g_auto(GStrv) lines = g_strsplit(got, "\n", -1);

    for (unsigned i = 0; wanted[i] != NULL || lines[i] != NULL; i++) {
        if (wanted[i] == NULL && lines[i][0] == '\0' && lines[i + 1] == NULL)
            return;
        cr_assert_str_eq(lines[i] != NULL ? lines[i] : "(nothing)",
                         wanted[i] != NULL ? wanted[i] : "(nothing)",
                         "line %u: got\n%s\nfor\n%s\nof\n%s", i + 1, lines[i],
                         wanted[i], got);
        if (wanted[i] == NULL || lines[i] == NULL)
            return;
    }
}

#endif
