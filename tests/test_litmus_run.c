/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <criterion/criterion.h>

#include "litmus/litmus_run.h"
#include "litmus_axioms.h"

/* Programs of each shape; HEDDLE_SOAK=n tries so many more, from those of
 * HEDDLE_SEED. */
#define PROGRAMS 12u
#define PROGRAMS_SOAK 20u

static const struct {
    const char *name;
    MemoryModel model;
    AxiomsModel axioms;
} MODELS[] = {
    {"sc", MEMORY_SC, AXIOMS_SC},
    {"tso", MEMORY_TSO, AXIOMS_TSO},
    {"pso", MEMORY_PSO, AXIOMS_PSO},
    {"weak", MEMORY_WEAK, AXIOMS_WEAK},
};

static int
compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "b=1; a=0;" becomes "a=0; b=1". */
static char *
in_order(const char *outcome)
{
    g_autoptr(GPtrArray) parts = g_ptr_array_new();
    g_auto(GStrv) pieces = g_strsplit(outcome, ";", -1);

    for (char **piece = pieces; *piece != NULL; piece++)
        if (*g_strstrip(*piece) != '\0')
            g_ptr_array_add(parts, *piece);
    g_ptr_array_sort(parts, compare_texts);
    g_ptr_array_add(parts, NULL);
    return g_strjoinv("; ", (char **)parts->pdata);
}

/* All outcomes in one text, a line each. */
static char *
join(GPtrArray *outcomes)
{
    GString *all = g_string_new(NULL);

    g_ptr_array_sort(outcomes, compare_texts);
    for (guint i = 0; i < outcomes->len; i++)
        g_string_append_printf(all, "%s\n",
                               (char *)g_ptr_array_index(outcomes, i));
    return g_string_free(all, FALSE);
}

static char *
wanted_outcomes(const AxiomsProgram *program, AxiomsModel model)
{
    g_autoptr(GPtrArray) found = axioms_outcomes(program, model);
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);

    if (found == NULL)
        return NULL;
    for (guint i = 0; i < found->len; i++)
        g_ptr_array_add(texts, in_order(g_ptr_array_index(found, i)));
    return join(texts);
}

static char *
seen_outcomes(const Litmus *litmus, const LitmusStates *states)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; i < litmus_states_count(states); i++) {
        const LitmusState *state = litmus_states_at(states, i);
        g_autoptr(GString) text = g_string_new(NULL);

        for (guint k = 0; k < litmus->observed->len; k++) {
            const LitmusItem *item =
                g_ptr_array_index(litmus->observed, k);

            g_string_append_printf(text, "%s=%" PRId64 ";", item->name,
                                   state->values[k]);
        }
        g_ptr_array_add(texts, in_order(text->str));
    }
    return join(texts);
}

static void
expect_axiomatic(const AxiomsProgram *program, const char *name)
{
    g_autofree char *text = axioms_print(program, name);
    g_autoptr(GError) error = NULL;
    g_autoptr(Litmus) litmus = litmus_parse(text, name, &error);
    g_autoptr(LitmusCode) code = NULL;
    g_autoptr(LitmusRun) run = NULL;

    cr_assert_not_null(litmus, "%s: %s", error->message, text);
    code = litmus_assemble(litmus, &error);
    cr_assert_not_null(code, "%s: %s", error->message, text);
    run = litmus_run_new(litmus, code, &error);
    cr_assert_not_null(run, "%s: %s", error->message, text);
    for (size_t i = 0; i < G_N_ELEMENTS(MODELS); i++) {
        MemoryOptions memory = {.model = MODELS[i].model,
                                .depth = MEMORY_DEPTH_DEFAULT};
        g_autofree char *wanted = wanted_outcomes(program, MODELS[i].axioms);
        g_autoptr(LitmusStates) states = litmus_states_new(litmus);
        g_autofree char *seen = NULL;
        StateSpaceResult result;

        if (wanted == NULL)
            continue;
        cr_assert(litmus_run_search(run, &memory, LITMUS_STATES_MAX, states,
                                    &result, &error));
        cr_assert(result.complete);
        seen = seen_outcomes(litmus, states);
        cr_assert_str_eq(seen, wanted,
                         "%s under %s:\n%s\nseen:\n%s\nwanted:\n%s", name,
                         MODELS[i].name, text, seen, wanted);
    }
}

static uint64_t
number_of(const char *variable, uint64_t otherwise)
{
    const char *text = g_getenv(variable);

    return text != NULL ? g_ascii_strtoull(text, NULL, 10) : otherwise;
}

static void
try_programs(unsigned threads, unsigned length, bool cycles)
{
    uint64_t soak = number_of("HEDDLE_SOAK", 0);
    uint64_t first = number_of("HEDDLE_SEED", 1);
    uint64_t count = soak > 0 ? soak * PROGRAMS_SOAK : PROGRAMS;

    for (uint64_t i = first; i < first + count; i++) {
        g_autofree char *name =
            g_strdup_printf("%s%ux%u-%" PRIu64, cycles ? "cycle" : "random",
                            threads, length, i);
        AxiomsProgram program;
        Prng prng;

        prng_init(&prng, prng_mix(i, threads * 100 + length));
        if (cycles)
            axioms_generate_cycle(&program, &prng, threads);
        else
            axioms_generate(&program, &prng, threads, length);
        expect_axiomatic(&program, name);
    }
}

Test(litmus_run, random_programs_have_exactly_the_axioms_outcomes,
     .timeout = 3600)
{
    try_programs(2, 3, false);
    try_programs(2, 5, false);
    try_programs(3, 3, false);
    try_programs(4, 2, false);
}

Test(litmus_run, critical_cycles_have_exactly_the_axioms_outcomes,
     .timeout = 3600)
{
    try_programs(2, 0, true);
    try_programs(3, 0, true);
    try_programs(4, 0, true);
}
