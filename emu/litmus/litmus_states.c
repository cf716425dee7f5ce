/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "litmus/litmus_states.h"

#include "litmus/litmus_condition.h"

struct LitmusStates {
    const Litmus *litmus;
    unsigned width;   /* values of an outcome */
    GPtrArray *items; /* LitmusState, sorted */
    int64_t *scratch; /* an outcome, cut to the items' widths */
};

LitmusStates *
litmus_states_new(const Litmus *litmus)
{
    LitmusStates *states = g_new0(LitmusStates, 1);

    states->litmus = litmus;
    states->width = litmus->observed->len;
    states->items = g_ptr_array_new_with_free_func(g_free);
    states->scratch = g_new0(int64_t, states->width);
    return states;
}

void
litmus_states_free(LitmusStates *states)
{
    if (states == NULL)
        return;
    g_ptr_array_unref(states->items);
    g_free(states->scratch);
    g_free(states);
}

static int
compare_outcomes(const LitmusStates *states, const int64_t *a,
                 const int64_t *b)
{
    for (unsigned i = 0; i < states->width; i++) {
        const LitmusItem *item = states->litmus->observed->pdata[i];

        if (a[i] == b[i])
            continue;
        if (item->is_signed)
            return a[i] < b[i] ? -1 : 1;
        return (uint64_t)a[i] < (uint64_t)b[i] ? -1 : 1;
    }
    return 0;
}

/* Where the outcome in `scratch` is, or would have to be put. */
static unsigned
search(const LitmusStates *states, bool *is_there)
{
    unsigned at = 0, end = states->items->len;

    *is_there = false;
    while (at < end) {
        unsigned middle = at + (end - at) / 2;
        const LitmusState *state = states->items->pdata[middle];
        int order = compare_outcomes(states, state->values, states->scratch);

        *is_there |= order == 0;
        if (order < 0)
            at = middle + 1;
        else
            end = middle;
    }
    return at;
}

static LitmusState *
new_state(const LitmusStates *states)
{
    size_t bytes = states->width * sizeof(int64_t);
    LitmusState *state = g_malloc0(sizeof(*state) + bytes);

    if (bytes > 0)
        memcpy(state->values, states->scratch, bytes);
    state->holds = litmus_proposition_holds(
        states->litmus->condition->proposition, state->values);
    return state;
}

bool
litmus_states_add(LitmusStates *states, const int64_t *values, uint64_t count)
{
    const Litmus *litmus = states->litmus;
    LitmusState *state;
    bool is_there;
    unsigned at;

    INVARIANT(litmus->observed->len == states->width);
    for (unsigned i = 0; i < states->width; i++)
        states->scratch[i] =
            litmus_item_value(litmus->observed->pdata[i], values[i]);
    if (litmus->filter != NULL &&
        !litmus_proposition_holds(litmus->filter, states->scratch))
        return false;
    at = search(states, &is_there);
    if (!is_there)
        g_ptr_array_insert(states->items, (gint)at, new_state(states));
    state = states->items->pdata[at];
    state->count += count;
    return true;
}

unsigned
litmus_states_count(const LitmusStates *states)
{
    return states->items->len;
}

const LitmusState *
litmus_states_at(const LitmusStates *states, unsigned at)
{
    INVARIANT(at < states->items->len);
    return states->items->pdata[at];
}

LitmusTally
litmus_states_tally(const LitmusStates *states)
{
    LitmusTally tally = {0, 0};

    for (guint i = 0; i < states->items->len; i++) {
        const LitmusState *state = states->items->pdata[i];

        tally.positive += state->holds;
        tally.negative += !state->holds;
    }
    return tally;
}

LitmusTally
litmus_states_tally_runs(const LitmusStates *states)
{
    LitmusTally tally = {0, 0};

    for (guint i = 0; i < states->items->len; i++) {
        const LitmusState *state = states->items->pdata[i];

        *(state->holds ? &tally.positive : &tally.negative) += state->count;
    }
    return tally;
}

const char *
litmus_states_observation(const LitmusStates *states)
{
    LitmusTally tally = litmus_states_tally(states);

    if (tally.positive == 0)
        return "Never";
    return tally.negative == 0 ? "Always" : "Sometimes";
}

bool
litmus_states_validate(const LitmusStates *states)
{
    LitmusTally tally = litmus_states_tally(states);

    return litmus_condition_validated(states->litmus->condition,
                                      tally.positive, tally.negative);
}
