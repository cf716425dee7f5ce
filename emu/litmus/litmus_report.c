/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "litmus/litmus_report.h"

#include "litmus/litmus_condition.h"
#include "report/json.h"

/* The name of the location at `value`, or NULL.  Only eight bytes can hold an
 * address.  Caller frees. */
static char *
name_address(const Litmus *litmus, const LitmusItem *item, int64_t value)
{
    unsigned index, element;
    const LitmusLocation *location;

    if (item->size != 8 ||
        !litmus_lookup_address(litmus, (uint64_t)value, &index, &element))
        return NULL;
    location = litmus->locations->pdata[index];
    if (location->elements == 1 || element == 0)
        return g_strdup(location->name);
    return g_strdup_printf("%s[%u]", location->name, element);
}

static void
append_state(const Litmus *litmus, const LitmusState *state, GString *out)
{
    for (guint i = 0; i < litmus->observed->len; i++) {
        const LitmusItem *item = litmus->observed->pdata[i];
        g_autofree char *name = name_address(litmus, item, state->values[i]);

        if (i > 0)
            g_string_append_c(out, ' ');
        litmus_item_print(item, litmus, out);
        if (name != NULL)
            g_string_append_printf(out, "=%s;", name);
        else if (item->is_signed)
            g_string_append_printf(out, "=%" PRId64 ";", state->values[i]);
        else
            g_string_append_printf(out, "=%" PRIu64 ";",
                                   (uint64_t)state->values[i]);
    }
    g_string_append_c(out, '\n');
}

static void
append_heading(const LitmusResult *result, GString *out)
{
    static const char *const kinds[] = {
        [LITMUS_EXISTS] = "Allowed",
        [LITMUS_NOT_EXISTS] = "Forbidden",
        [LITMUS_FORALL] = "Required",
    };
    unsigned count = litmus_states_count(result->states);

    g_string_append_printf(out, "Test %s %s\n", result->litmus->name,
                           kinds[result->litmus->condition->quantifier]);
    g_string_append_printf(
        out, result->is_sampled ? "Histogram (%u states)\n" : "States %u\n",
        count);
    for (unsigned i = 0; i < count; i++) {
        const LitmusState *state = litmus_states_at(result->states, i);

        if (result->is_sampled)
            g_string_append_printf(out, "%-6" PRIu64 "%c>", state->count,
                                   state->holds ? '*' : ':');
        append_state(result->litmus, state, out);
    }
}

static void
append_verdict(const LitmusResult *result, GString *out)
{
    const Litmus *litmus = result->litmus;
    g_autofree char *condition =
        litmus_condition_print(litmus->condition, litmus);
    bool is_valid = litmus_states_validate(result->states);
    bool is_negated = litmus->condition->quantifier == LITMUS_NOT_EXISTS;
    LitmusTally tally = result->is_sampled
                            ? litmus_states_tally_runs(result->states)
                            : litmus_states_tally(result->states);

    g_string_append_printf(out, "%s\n%sWitnesses\n", is_valid ? "Ok" : "No",
                           result->is_sampled ? "\n" : "");
    g_string_append_printf(out, "Positive: %" PRIu64 "%s Negative: %" PRIu64
                           "\n",
                           is_negated ? tally.negative : tally.positive,
                           result->is_sampled ? "," : "",
                           is_negated ? tally.positive : tally.negative);
    g_string_append_printf(out, "Condition %s", condition);
    if (result->is_sampled)
        g_string_append_printf(out, " is %svalidated", is_valid ? "" : "NOT ");
    g_string_append_printf(out, "\nObservation %s %s %" PRIu64 " %" PRIu64
                           "\n", litmus->name,
                           litmus_states_observation(result->states),
                           tally.positive, tally.negative);
}

/* Could an outcome that was not seen change the observation? */
static bool
is_certain(const LitmusResult *result, const char *observation)
{
    return result->is_complete || strcmp(observation, "Sometimes") == 0;
}

static void
append_ours(const LitmusResult *result, GString *out)
{
    const char *word, *observation;

    if (result->is_sampled)
        g_string_append_printf(out, "Model %s, sampled: %" PRIu64 " run%s\n",
                               result->model, result->runs,
                               result->runs == 1 ? "" : "s");
    else
        g_string_append_printf(out, "Model %s, %s: %" PRIu64
                               " state%s of the machine\n", result->model,
                               result->is_complete ? "complete" : "INCOMPLETE",
                               result->explored,
                               result->explored == 1 ? "" : "s");
    if (!litmus_expected(result->litmus, result->model, &word))
        return;
    observation = litmus_states_observation(result->states);
    g_string_append_printf(out, "Expected %s: %s\n", word,
                           strcmp(word, observation) == 0
                               ? (is_certain(result, word) ? "as seen"
                                                           : "as seen so far")
                           : litmus_report_agrees(result) ? "not seen yet"
                                                          : "NOT as seen");
}

char *
litmus_report_text(const LitmusResult *result)
{
    GString *out = g_string_new(NULL);

    append_heading(result, out);
    append_verdict(result, out);
    append_ours(result, out);
    g_string_append_c(out, '\n');
    return g_string_free(out, FALSE);
}

bool
litmus_report_agrees(const LitmusResult *result)
{
    LitmusTally tally = litmus_states_tally(result->states);
    const char *word;

    if (!litmus_expected(result->litmus, result->model, &word))
        return true;
    if (result->is_complete && !result->is_sampled)
        return strcmp(word, litmus_states_observation(result->states)) == 0;
    if (strcmp(word, "Never") == 0)
        return tally.positive == 0;
    return strcmp(word, "Always") != 0 || tally.negative == 0;
}

static void
add_states(Json *json, const LitmusResult *result)
{
    const Litmus *litmus = result->litmus;

    json_open_list(json, "states");
    for (unsigned i = 0; i < litmus_states_count(result->states); i++) {
        const LitmusState *state = litmus_states_at(result->states, i);

        json_open_object(json, NULL);
        for (guint k = 0; k < litmus->observed->len; k++) {
            const LitmusItem *item = litmus->observed->pdata[k];
            g_autofree char *name =
                name_address(litmus, item, state->values[k]);

            if (name != NULL)
                json_text(json, item->name, name);
            else if (item->is_signed)
                json_i64(json, item->name, state->values[k]);
            else
                json_u64(json, item->name, (uint64_t)state->values[k]);
        }
        json_close(json);
    }
    json_close(json);
}

char *
litmus_report_json(const LitmusResult *result)
{
    const Litmus *litmus = result->litmus;
    g_autofree char *condition =
        litmus_condition_print(litmus->condition, litmus);
    Json *json = json_new("litmus");
    const char *word;

    json_text(json, "test", litmus->name);
    json_text(json, "file", litmus->path);
    json_text(json, "model", result->model);
    json_bool(json, "complete", result->is_complete && !result->is_sampled);
    add_states(json, result);
    if (result->is_sampled) {
        json_open_list(json, "counts");
        for (unsigned i = 0; i < litmus_states_count(result->states); i++)
            json_u64(json, NULL, litmus_states_at(result->states, i)->count);
        json_close(json);
    }
    json_u64(json, "runs", result->runs);
    json_text(json, "observation", litmus_states_observation(result->states));
    json_text(json, "condition", condition);
    json_bool(json, "validated", litmus_states_validate(result->states));
    if (litmus_expected(litmus, result->model, &word)) {
        json_text(json, "expected", word);
        json_bool(json, "agrees", litmus_report_agrees(result));
    }
    return json_finish(json);
}
