/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "people/outcome.h"

const char *
outcome_how_name(How how)
{
    static const char *const names[] = {
        [HOW_SAMPLED] = "sampled",
        [HOW_REACHED] = "reached",
        [HOW_EXHAUSTIVE] = "exhaustive",
    };

    return names[how];
}

CaseOutcome *
outcome_new(const Scenario *scenario, const ScenarioCase *item)
{
    CaseOutcome *outcome = g_new0(CaseOutcome, 1);

    outcome->scenario = scenario;
    outcome->item = item;
    outcome->claims = g_array_new(FALSE, TRUE, sizeof(ClaimOutcome));
    outcome->findings =
        g_ptr_array_new_with_free_func((GDestroyNotify)finding_free);
    return outcome;
}

void
outcome_free(CaseOutcome *outcome)
{
    if (outcome == NULL)
        return;
    g_array_unref(outcome->claims);
    g_ptr_array_unref(outcome->findings);
    g_clear_pointer(&outcome->implied, g_ptr_array_unref);
    g_free(outcome);
}
