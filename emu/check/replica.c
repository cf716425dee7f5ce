/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "check/replica.h"

#include <glib/gstdio.h>

#include "check/check.h"
#include "check/replica_moves.h"
#include "script/luatext.h"

typedef struct Replica {
    const Trial *trial;
    const Reduction *reduction;
    const Identity *kept;
    GPtrArray *found;   /* Identity: what the directed run finds */
    VerdictKind verdict; /* of it */
    char *text;         /* of the scenario */
    GArray *statements; /* LuaText of it */
    size_t preamble;    /* bytes before the first case */
    size_t begin, end;  /* of the case, after its `case` statement */
} Replica;

static bool
refuse(GError **error, const char *why)
{
    g_set_error(error, REPLICA_ERROR, REPLICA_ERROR_UNSAID,
                "no scenario is written: %s", why);
    return false;
}

/* --- The scenario's own text ---------------------------------------------- */

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The case's text ends where comments about the next one begin. */
static size_t
trim(const char *text, size_t begin, size_t end)
{
    for (;;) {
        size_t line = end;

        while (line > begin && text[line - 1] == '\n')
            line--;
        end = line;
        while (line > begin && text[line - 1] != '\n')
            line--;
        while (line < end && is_blank(text[line]))
            line++;
        if (line <= begin || strncmp(text + line, "--", 2) != 0)
            return end;
        end = line;
        while (end > begin && text[end - 1] != '\n')
            end--;
    }
}

static bool
find_parts(Replica *replica, GError **error)
{
    const ScenarioCase *item = replica->trial->item;
    bool found = false;
    unsigned number = 0;

    replica->end = strlen(replica->text);
    for (guint i = 0; i < replica->statements->len; i++) {
        const LuaText *one =
            &g_array_index(replica->statements, LuaText, i);

        if (!g_str_equal(one->word, "case"))
            continue;
        if (++number == 1)
            replica->preamble = one->begin;
        if (found) {
            replica->end = trim(replica->text, replica->begin, one->begin);
            return true;
        }
        if (number == item->number && one->line == item->line) {
            replica->begin = one->end;
            found = true;
        }
    }
    return found || refuse(error, "its cases are not written one after the "
                                  "other, as `case \"...\"`");
}

static bool
is_claim(const char *word)
{
    return g_str_equal(word, "possible") || g_str_equal(word, "never") ||
           g_str_equal(word, "certain") || g_str_equal(word, "reach");
}

/* A stretch of the text without claims and budgets; lines that are left empty
 * go with them. */
static void
append_without_claims(const Replica *replica, size_t begin, size_t end,
                      GString *out)
{
    const char *text = replica->text;
    size_t at = begin;

    for (guint i = 0; i < replica->statements->len; i++) {
        const LuaText *one =
            &g_array_index(replica->statements, LuaText, i);
        size_t after = one->end;

        if (one->begin < at || one->end > end ||
            !(is_claim(one->word) || g_str_equal(one->word, "explore")))
            continue;
        g_string_append_len(out, text + at, (gssize)(one->begin - at));
        while (is_blank(text[after]))
            after++;
        if (strncmp(text + after, "--", 2) == 0)
            after += strcspn(text + after, "\n");
        at = after;
        if (out->len > 0 && out->str[out->len - 1] == '\n' &&
            text[at] == '\n')
            at++;
    }
    if (at < end)
        g_string_append_len(out, text + at, (gssize)(end - at));
    while (out->len > 0 && g_ascii_isspace(out->str[out->len - 1]))
        g_string_truncate(out, out->len - 1);
}

/* The scenario's text of the claim that was broken, or shown. */
static char *
argument_of(const Replica *replica, const Claim *claim)
{
    for (guint i = 0; i < replica->statements->len; i++) {
        const LuaText *one =
            &g_array_index(replica->statements, LuaText, i);

        if (is_claim(one->word) && one->line <= claim->line &&
            claim->line <= one->last &&
            g_str_equal(one->word,
                        claim_quantifier_name(claim->quantifier)))
            return g_strndup(replica->text + one->argument,
                             one->end - one->argument);
    }
    return NULL;
}

/* The claim whose identity was kept, if it is one. */
static const Claim *
kept_claim(const Replica *replica)
{
    const char *text = strstr(replica->kept->what, ": ");

    for (guint i = 0; replica->kept->kind == IDENTITY_CLAIM && text != NULL &&
                      i < replica->trial->item->claims->len;
         i++) {
        const Claim *claim =
            g_ptr_array_index(replica->trial->item->claims, i);
        g_autofree char *printed = claim_print(claim);

        if (g_str_equal(printed, text + 2))
            return claim;
    }
    return NULL;
}

/* --- What is added -------------------------------------------------------- */

static void
append_choices(const Replica *replica, GString *out)
{
    const GArray *values = replica->reduction->schedule->values;

    if (replica->reduction->run->values->len == 0)
        return;
    g_string_append(out, "-- What choose() gave in the shrunk run, and 1 "
                         "afterwards.\nlocal choices, chosen = {");
    for (guint i = 0; i < values->len; i++)
        g_string_append_printf(out, "%s%" PRIu64, i == 0 ? "" : ", ",
                               g_array_index(values, uint64_t, i) + 1);
    g_string_append(out, "}, 0\n"
                         "local function choose(n)\n"
                         "  chosen = chosen + 1\n"
                         "  local one = choices[chosen] or 1\n"
                         "  return one < n and one or n\n"
                         "end\n\n");
}

static void
append_about(const Replica *replica, GString *out)
{
    const ReductionSize *before = &replica->reduction->before;
    const ReductionSize *after = &replica->reduction->after;
    const char *ipiq = replica->trial->options->stage.ipiq;

    g_string_append_printf(
        out, "-- Written by heddle shrink: %u switches became %u.\n-- %s\n",
        before->switches, after->switches, replica->kept->what);
    if (*replica->kept->where != '\0')
        g_string_append_printf(out, "-- at %s\n", replica->kept->where);
    if (ipiq != NULL)
        g_string_append_printf(out, "-- Run it with --ipiq %s\n", ipiq);
}

/* Those that the command line added: the case is to have them by itself.  All
 * are named, as the first `mutant` of a case takes those of the file away. */
static void
append_mutants(const ScenarioCase *item, GString *out)
{
    if (item->added_mutants == 0)
        return;
    g_string_append(out, "mutant { ");
    for (guint i = 0; i < item->mutants->len; i++)
        g_string_append_printf(out, "%s\"%s\"", i == 0 ? "" : ", ",
                               (char *)g_ptr_array_index(item->mutants, i));
    g_string_append(out, " }\n");
}

/* The case again, under another title. */
static void
append_case(const Replica *replica, const char *prefix, GString *out)
{
    const ScenarioCase *item = replica->trial->item;
    g_autofree char *own = memmodel_print(&item->memory);
    g_autofree char *memory = memmodel_print(
        machine_memory_options(replica->trial->stage->machine));
    g_autoptr(GString) body = g_string_new(NULL);
    g_autofree char *title = g_strescape(item->title, NULL);
    uint64_t steps = replica->trial->options->steps_max;

    append_without_claims(replica, replica->begin, replica->end, body);
    g_string_append_printf(out, "case \"%s: %s\"%s%s\n", prefix, title,
                           body->len > 0 && body->str[0] != '\n' ? "\n" : "",
                           body->str);
    append_mutants(item, out);
    if (!g_str_equal(own, memory))
        g_string_append_printf(out, "memory \"%s\"\n", memory);
    g_string_append(out, "explore { strategy = \"calm\", runs = 1");
    if (steps != 0 && steps <= INT32_MAX)
        g_string_append_printf(out, ", steps = %" PRIu64, steps);
    g_string_append(out, " }\n");
}

static void
append_claim(const Replica *replica, const char *quantifier,
             const char *argument, GString *out)
{
    const GPtrArray *found = replica->found;
    g_autoptr(GString) list = g_string_new(NULL);
    g_autoptr(GPtrArray) rules = g_ptr_array_new();

    if (argument != NULL)
        g_string_append_printf(out, "%s %s\n", quantifier, argument);
    for (guint i = 0; i < found->len; i++) {
        const Identity *one = g_ptr_array_index(found, i);
        const char *sep = list->len == 0 ? "" : ", ";

        if (one->kind == IDENTITY_BREACH) {
            const char *rule = strchr(one->what, ' ') + 1;

            if (!g_ptr_array_find_with_equal_func(rules, rule, g_str_equal,
                                                  NULL))
                g_string_append_printf(list, "%sbreach \"%s\"", sep, rule);
            g_ptr_array_add(rules, (gpointer)rule);
        } else if (one->kind == IDENTITY_VERDICT)
            g_string_append_printf(
                list, "%s%s", sep, verdict_name(replica->verdict));
    }
    if (list->len > 0)
        g_string_append_printf(out, "possible { %s }\n", list->str);
}

static char *
compose(const Replica *replica, const char *moves)
{
    const Claim *claim = kept_claim(replica);
    g_autofree char *argument =
        claim != NULL ? argument_of(replica, claim) : NULL;
    bool negated = claim != NULL && claim->quantifier == CLAIM_CERTAIN;
    GString *out = g_string_new(NULL);

    append_choices(replica, out);
    append_without_claims(replica, 0, replica->preamble, out);
    g_string_append(out, "\n\n");
    append_about(replica, out);
    append_case(replica, "shrunk", out);
    if (*moves != '\0')
        g_string_append_printf(out, "function schedule()\n%send\n", moves);
    append_claim(replica, negated ? "never" : "possible", argument, out);
    if (negated && argument != NULL) {
        g_string_append(out, "\n");
        append_case(replica, "control, undirected", out);
        append_claim(replica, "certain", argument, out);
    }
    return g_string_free(out, FALSE);
}

/* --- Trying --------------------------------------------------------------- */

/* Does the first case's run find the same?  What else it finds is noted, since
 * what comes after the schedule can differ. */
static bool
shows_the_same(Replica *replica, Check *check, GError **error)
{
    const ScenarioCase *item =
        g_ptr_array_index(check_scenario(check)->cases, 0);
    RunRecord record;
    Trial trial;
    bool same = false;

    if (check_prepare(check, item, &trial, error) &&
        trial_run(&trial, 1, NULL, &record, error)) {
        g_ptr_array_unref(replica->found);
        replica->found = identity_list(&trial, &record);
        replica->verdict = record.verdict.kind;
        same = replica->kept->kind == IDENTITY_CLAIM;
        for (guint i = 0; i < replica->found->len; i++) {
            const Identity *one = g_ptr_array_index(replica->found, i);

            same |= g_str_equal(one->what, replica->kept->what) &&
                    g_str_equal(one->where, replica->kept->where);
        }
        if (!same)
            refuse(error, "directed by hand the run finds something else");
    }
    trial_clear(&trial);
    return same;
}

static bool
try_file(Replica *replica, const char *path, GError **error)
{
    TrialOptions options = *replica->trial->options;
    g_autoptr(Check) check = NULL;
    const Scenario *scenario;

    options.memory = NULL;
    options.strategy = NULL;
    options.trace_folder = NULL;
    options.runs = 0;
    options.first_seed = 1;
    options.one_run = false;
    check = check_new(path, &options, error);
    if (check == NULL || !shows_the_same(replica, check, error))
        return false;
    scenario = check_scenario(check);
    for (guint i = 0; i < scenario->cases->len; i++) {
        g_autoptr(CaseOutcome) outcome =
            check_case(check, g_ptr_array_index(scenario->cases, i), error);

        if (outcome == NULL)
            return false;
        if (!outcome->holds)
            return refuse(error, "directed by hand the claim does not hold");
    }
    return true;
}

static bool
write_and_try(Replica *replica, const char *moves, const char *path,
              GError **error)
{
    g_autofree char *text = compose(replica, moves);

    return g_file_set_contents(path, text, -1, error) &&
           try_file(replica, path, error);
}

/* Write these moves, and if what comes after them is not what it was, once
 * more with claims about what it is. */
static bool
write_moves_as(Replica *replica, const GArray *moves, bool words,
               const char *path, GError **error)
{
    g_autofree char *printed =
        replica_moves_print(replica->trial, moves, words, error);

    return printed != NULL &&
           (write_and_try(replica, printed, path, NULL) ||
            write_and_try(replica, printed, path, error));
}

static bool
write_moves(Replica *replica, Trial *trial, const char *path, GError **error)
{
    g_autoptr(GArray) moves =
        replica_moves_list(trial, replica->reduction, error);

    if (moves == NULL || !find_parts(replica, error) ||
        !replica_moves_name(trial, replica->reduction, moves, error))
        return false;
    if (write_moves_as(replica, moves, true, path, NULL) ||
        write_moves_as(replica, moves, false, path, error))
        return true;
    g_unlink(path);
    return false;
}

bool
replica_write(Trial *trial, const Reduction *reduction, const char *path,
              GError **error)
{
    Replica replica = {
        .trial = trial,
        .reduction = reduction,
        .kept = identity_lookup(reduction->found, reduction->key),
        .verdict = reduction->record.verdict.kind,
    };
    bool written;

    if (trial->item->has_schedule)
        return refuse(error, "its case has a schedule() of its own");
    if (trial->options->weaken != NULL)
        return refuse(error, "none can say --weaken");
    if (replica.kept == NULL)
        return refuse(error, "the run could not be shrunk");
    if (!g_file_get_contents(script_scenario(trial->script)->path,
                             &replica.text, NULL, error))
        return false;
    replica.statements = luatext_statements(replica.text);
    replica.found = g_ptr_array_ref(reduction->found);
    written = write_moves(&replica, trial, path, error);
    g_ptr_array_unref(replica.found);
    g_array_unref(replica.statements);
    g_free(replica.text);
    return written;
}

char *
replica_path(const Finding *finding)
{
    g_autofree char *stem = NULL;

    if (finding->trace == NULL || !g_str_has_suffix(finding->trace, ".trace"))
        return NULL;
    stem = g_strndup(finding->trace,
                     strlen(finding->trace) - strlen(".trace"));
    return g_strconcat(stem, ".lua", NULL);
}
