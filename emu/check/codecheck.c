/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "check/codecheck.h"

#include "litmus/litmus_run.h"

G_DEFINE_QUARK(heddle-codecheck-error, codecheck_error)

/* --- The code as a litmus test -------------------------------------------- */

static bool
is_name_char(char c)
{
    return g_ascii_isalnum(c) || c == '_';
}

/* Does `name` stand before a colon somewhere? */
static bool
is_label(const char *code, const char *name, size_t size)
{
    for (const char *at = code; (at = strstr(at, name)) != NULL; at++)
        if ((at == code || !is_name_char(at[-1])) && at[size] == ':')
            return true;
    return false;
}

/* In one cell: the first word is the instruction, what follows % a register,
 * and other names are locations, if they are no labels. */
static void
declare_names(const char *code, const char *cell, GPtrArray *names)
{
    const char *at = cell;

    while (*at == ' ' || *at == '\t')
        at++;
    at += strcspn(at, " \t");
    while (*at != '\0') {
        size_t size = 0;

        while (is_name_char(at[size]))
            size++;
        if (size > 0 && !g_ascii_isdigit(*at) && at[-1] != '%') {
            g_autofree char *name = g_strndup(at, size);

            if (!is_label(code, name, size) &&
                !g_ptr_array_find_with_equal_func(names, name, g_str_equal,
                                                  NULL))
                g_ptr_array_add(names, g_steal_pointer(&name));
        }
        at += MAX(size, 1);
    }
}

/* "x; y;" */
static void
append_locations(GString *text, const char *code, char **rows)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    bool is_heading = true;

    for (char **row = rows; *row != NULL; row++) {
        g_auto(GStrv) cells = g_strsplit(*row, "|", -1);

        if (strspn(*row, " \t") == strlen(*row))
            continue;
        for (char **cell = cells; *cell != NULL && !is_heading; cell++)
            declare_names(code, *cell, names);
        is_heading = false;
    }
    for (guint i = 0; i < names->len; i++)
        g_string_append_printf(text, "%s; ",
                               (char *)g_ptr_array_index(names, i));
}

/* Line for line where the scenario has it, so that errors name its lines. */
static char *
litmus_text(const Scenario *scenario)
{
    g_auto(GStrv) rows = g_strsplit(scenario->code, "\n", -1);
    GString *text = g_string_new("X86_64 code\n{ ");

    append_locations(text, scenario->code, rows);
    g_string_append_c(text, '}');
    for (unsigned line = 2; line + 1 < scenario->code_line; line++)
        g_string_append_c(text, '\n');
    for (char **row = rows; *row != NULL; row++) {
        g_string_append_c(text, '\n');
        if (*g_strstrip(*row) != '\0')
            g_string_append_printf(text, "%s ;", *row);
    }
    g_string_append(text, "\nforall (true)\n");
    return g_string_free(text, FALSE);
}

/* --- Claims --------------------------------------------------------------- */

/* Have every register observed that the claim speaks of. */
static bool
observe(Litmus *litmus, const Predicate *predicate, const Scenario *scenario,
        unsigned line, GError **error)
{
    LitmusItem item = {0};

    if (predicate->kind == PREDICATE_AND || predicate->kind == PREDICATE_OR)
        return observe(litmus, predicate->left, scenario, line, error) &&
               observe(litmus, predicate->right, scenario, line, error);
    if (predicate->kind != PREDICATE_REGISTER ||
        (unsigned)predicate->cpu >= litmus->thread_count) {
        g_set_error(error, CODECHECK_ERROR, CODECHECK_ERROR_CLAIM,
                    "%s:%u: `%s` cannot be asked of code: claims are about "
                    "registers of its columns, as in rax(0) :is(1)",
                    scenario->path, line, predicate->text);
        return false;
    }
    litmus_item_of_register(litmus, (unsigned)predicate->cpu,
                            litmus_register_name(predicate->index), &item);
    litmus_observe(litmus, &item);
    g_free(item.name);
    return true;
}

static bool
holds_in(const Litmus *litmus, const Predicate *predicate,
         const LitmusState *state)
{
    switch (predicate->kind) {
    case PREDICATE_AND:
        return holds_in(litmus, predicate->left, state) &&
               holds_in(litmus, predicate->right, state);
    case PREDICATE_OR:
        return holds_in(litmus, predicate->left, state) ||
               holds_in(litmus, predicate->right, state);
    default:
        for (guint i = 0; i < litmus->observed->len; i++) {
            const LitmusItem *item = g_ptr_array_index(litmus->observed, i);

            if (item->thread == predicate->cpu &&
                item->number == predicate->index)
                return (uint64_t)state->values[i] == predicate->value;
        }
        BUG("register %u of cpu%d is not observed", predicate->index,
            predicate->cpu);
    }
}

static bool
judge(const Litmus *litmus, const Claim *claim, const LitmusStates *states)
{
    unsigned count = litmus_states_count(states), with = 0;

    for (unsigned i = 0; i < count; i++)
        with += holds_in(litmus, claim->predicate, litmus_states_at(states, i));
    switch (claim->quantifier) {
    case CLAIM_POSSIBLE:
    case CLAIM_REACH:
        return with > 0;
    case CLAIM_NEVER:
        return with == 0;
    case CLAIM_CERTAIN:
        return with == count;
    }
    BUG("quantifier %d", (int)claim->quantifier);
}

static void
judge_claims(const Litmus *litmus, const LitmusStates *states,
             const StateSpaceResult *result, CaseOutcome *outcome)
{
    const GPtrArray *claims = outcome->item->claims;

    outcome->strategy = "exhaustive";
    outcome->runs = result->ends;
    outcome->holds = true;
    for (guint i = 0; i < claims->len; i++) {
        const Claim *claim = g_ptr_array_index(claims, i);
        ClaimOutcome one = {
            .claim = claim,
            .holds = judge(litmus, claim, states),
            .how = result->complete ? HOW_EXHAUSTIVE : HOW_SAMPLED,
            .runs = result->ends,
        };

        g_array_append_val(outcome->claims, one);
        outcome->holds &= one.holds;
    }
}

static bool
columns_fit(const Litmus *litmus, const Scenario *scenario, GError **error)
{
    if (litmus->thread_count == scenario->system.cpus)
        return true;
    g_set_error(error, CODECHECK_ERROR, CODECHECK_ERROR_CLAIM,
                "%s:%u: the code has %u columns, and the system %u cpus",
                scenario->path, scenario->code_line, litmus->thread_count,
                scenario->system.cpus);
    return false;
}

CaseOutcome *
codecheck_case(const Scenario *scenario, const ScenarioCase *item,
               const TrialOptions *options, GError **error)
{
    const MemoryOptions *memory =
        options->memory != NULL ? options->memory : &item->memory;
    g_autofree char *text = litmus_text(scenario);
    g_autoptr(Litmus) litmus = litmus_parse(text, scenario->path, error);
    g_autoptr(CaseOutcome) outcome = outcome_new(scenario, item);
    g_autoptr(LitmusCode) code = NULL;
    g_autoptr(LitmusRun) run = NULL;
    g_autoptr(LitmusStates) states = NULL;
    StateSpaceResult result;

    if (options->weaken != NULL) {
        g_set_error(error, CODECHECK_ERROR, CODECHECK_ERROR_CLAIM,
                    "%s:%u: nothing of columns of code is weakened: write "
                    "them without it", scenario->path, scenario->code_line);
        return NULL;
    }
    if (litmus == NULL || !columns_fit(litmus, scenario, error))
        return NULL;
    for (guint i = 0; i < item->claims->len; i++) {
        const Claim *claim = g_ptr_array_index(item->claims, i);

        if (!observe(litmus, claim->predicate, scenario, claim->line, error))
            return NULL;
    }
    code = litmus_assemble(litmus, error);
    if (code == NULL)
        return NULL;
    run = litmus_run_new(litmus, code, error);
    if (run == NULL)
        return NULL;
    states = litmus_states_new(litmus);
    if (!litmus_run_search(run, memory, LITMUS_STATES_MAX, states, &result,
                           error))
        return NULL;
    judge_claims(litmus, states, &result, outcome);
    return g_steal_pointer(&outcome);
}
