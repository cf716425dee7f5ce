/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/outcome.h"

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

static void
free_tape(gpointer kept)
{
    tape_clear(&((OutcomeTape *)kept)->tape);
    g_free(kept);
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
    outcome->tapes = g_ptr_array_new_with_free_func(free_tape);
    return outcome;
}

void
outcome_free(CaseOutcome *outcome)
{
    if (outcome == NULL)
        return;
    g_array_unref(outcome->claims);
    g_ptr_array_unref(outcome->findings);
    g_ptr_array_unref(outcome->tapes);
    g_free(outcome->within);
    g_clear_pointer(&outcome->implied, g_ptr_array_unref);
    g_free(outcome);
}

void
outcome_keep_tape(CaseOutcome *outcome, uint64_t seed, const Tape *tape)
{
    OutcomeTape *kept;

    if (outcome_tape(outcome, seed) != NULL)
        return;
    kept = g_new0(OutcomeTape, 1);
    kept->seed = seed;
    tape_init(&kept->tape);
    for (size_t i = 0; i < tape->count; i++)
        tape_push(&kept->tape, tape->items[i].kind, tape->items[i].value);
    g_ptr_array_add(outcome->tapes, kept);
}

const Tape *
outcome_tape(const CaseOutcome *outcome, uint64_t seed)
{
    for (guint i = 0; i < outcome->tapes->len; i++) {
        const OutcomeTape *kept = g_ptr_array_index(outcome->tapes, i);

        if (kept->seed == seed)
            return &kept->tape;
    }
    return NULL;
}
