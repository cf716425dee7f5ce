/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/strategy.h"

G_DEFINE_QUARK(heddle-strategy-error, strategy_error)

static const StrategyKind *const kinds[] = {
    &strategy_random_kind,
    &strategy_pct_kind,
    &strategy_pos_kind,
    &strategy_surw_kind,
    &strategy_urw_kind,
    &strategy_fuzz_kind,
    &strategy_round_robin_kind,
    &schedule_play_kind,
    &strategy_aimed_kind,
    &strategy_bounded_kind,
};

const StrategyKind *const *
strategy_kinds(unsigned *count)
{
    *count = G_N_ELEMENTS(kinds);
    return kinds;
}

/* --- Texts ---------------------------------------------------------------- */

char *
strategy_names(void)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        g_string_append_printf(text, "%s%s", i == 0 ? "" : ", ",
                               kinds[i]->name);
    return g_string_free(text, FALSE);
}

/* "depth=1 to depth=9 (3)", for each. */
static char *
parameters_of(const StrategyKind *kind)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < STRATEGY_PARAMETERS_MAX; i++) {
        const StrategyParameter *one = &kind->parameters[i];

        if (one->name == NULL)
            break;
        g_string_append_printf(text,
                               "%s%s=%" PRIu64 " to %s=%" PRIu64, i == 0
                               ? "" : ", ", one->name, one->min, one->name,
                               one->max);
    }
    return g_string_free(text, FALSE);
}

static void
append_indented(GString *out, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (unsigned i = 0; lines[i] != NULL; i++)
        g_string_append_printf(out, "      %s\n", lines[i]);
}

char *
strategy_describe(void)
{
    GString *out = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const StrategyKind *kind = kinds[i];

        g_string_append_printf(out, "  %-12s%s\n", kind->name, kind->what);
        append_indented(out, kind->guarantee);
        for (unsigned k = 0; k < STRATEGY_PARAMETERS_MAX; k++) {
            const StrategyParameter *one = &kind->parameters[k];

            if (one->name != NULL)
                g_string_append_printf(
                    out, "      %s,%s=%" PRIu64 ": %s\n", kind->name,
                    one->name, one->fallback, one->what);
        }
        if (kind->source != NULL)
            g_string_append_printf(out, "      (%s)\n", kind->source);
    }
    return g_string_free(out, FALSE);
}

/* --- Parsing -------------------------------------------------------------- */

static const StrategyKind *
lookup_kind(const char *name, GError **error)
{
    g_autofree char *known = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_str_equal(kinds[i]->name, name))
            return kinds[i];
    known = strategy_names();
    g_set_error(error, STRATEGY_ERROR, STRATEGY_ERROR_TEXT,
                "no strategy \"%s\"; there are: %s", name, known);
    return NULL;
}

static bool
parse_parameter(const StrategyKind *kind, const char *word, uint64_t *values,
                GError **error)
{
    g_autofree char *known = NULL;

    for (unsigned i = 0; i < STRATEGY_PARAMETERS_MAX; i++) {
        const StrategyParameter *one = &kind->parameters[i];
        size_t length = one->name != NULL ? strlen(one->name) : 0;
        guint64 value;

        if (one->name != NULL && strncmp(word, one->name, length) == 0 &&
            word[length] == '=' &&
            g_ascii_string_to_unsigned(word + length + 1, 10, one->min,
                                       one->max, &value, NULL)) {
            values[i] = value;
            return true;
        }
    }
    known = parameters_of(kind);
    g_set_error(error, STRATEGY_ERROR, STRATEGY_ERROR_TEXT,
                "\"%s\" is no parameter of the strategy %s; %s%s", word,
                kind->name, known[0] == '\0' ? "it has none" : "there are ",
                known);
    return false;
}

static char *
print(const StrategyKind *kind, const uint64_t *values)
{
    GString *text = g_string_new(kind->name);

    for (unsigned i = 0; i < STRATEGY_PARAMETERS_MAX; i++)
        if (kind->parameters[i].name != NULL &&
            values[i] != kind->parameters[i].fallback)
            g_string_append_printf(text, ",%s=%" PRIu64,
                                   kind->parameters[i].name, values[i]);
    return g_string_free(text, FALSE);
}

Strategy *
strategy_parse(const char *text, GError **error)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    uint64_t values[STRATEGY_PARAMETERS_MAX];
    const StrategyKind *kind =
        lookup_kind(words[0] != NULL ? words[0] : "", error);
    Strategy *strategy;

    if (kind == NULL)
        return NULL;
    for (unsigned i = 0; i < STRATEGY_PARAMETERS_MAX; i++)
        values[i] = kind->parameters[i].fallback;
    for (unsigned i = 1; words[i] != NULL; i++)
        if (!parse_parameter(kind, words[i], values, error))
            return NULL;
    strategy = kind->make(values);
    strategy->text = print(kind, values);
    return strategy;
}

void
strategy_free(Strategy *strategy)
{
    if (strategy == NULL)
        return;
    g_free(strategy->text);
    if (strategy->free != NULL)
        strategy->free(strategy);
    else
        g_free(strategy);
}
