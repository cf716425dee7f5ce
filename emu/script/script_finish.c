/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a file: what its words said one by one must make sense as a
 * whole.  Part of script_context.h.
 */
#include "base/base.h"

#include "script/script_context.h"
#include "script/script_state.h"

static bool
refuse(const Script *script, GError **error, unsigned line, const char *what)
{
    if (line == 0)
        g_set_error(error, SCRIPT_ERROR, SCRIPT_ERROR_SCENARIO, "%s: %s",
                    script->vm.path, what);
    else
        g_set_error(error, SCRIPT_ERROR, SCRIPT_ERROR_SCENARIO, "%s:%u: %s",
                    script->vm.path, line, what);
    return false;
}

static bool
check_whole(const Script *script, GError **error)
{
    const Scenario *scenario = script->scenario;

    if (scenario->title == NULL)
        return refuse(script, error, 0,
                      "the scenario has no name: begin with scenario \"...\"");
    if (scenario->system.name == NULL)
        return refuse(script, error, 0,
                      "the scenario has no system: write system \"dragonfly\" "
                      "{ cpus = 2 }");
    if (!script->has_options)
        return refuse(script, error, scenario->system.line,
                      "say how many cpus: system \"...\" { cpus = 2 }");
    if (strcmp(scenario->system.name, "bare") == 0 &&
        (scenario->system.elf == NULL) == (scenario->code == NULL))
        return refuse(script, error, scenario->system.line,
                      "the system \"bare\" runs either an image, elf = "
                      "\"FILE\", or columns of code [[ ... ]]");
    if (scenario->cases->len == 0)
        return refuse(script, error, 0,
                      "the scenario has no case: write case \"...\" and a "
                      "claim, such as possible (stuck)");
    return true;
}

static bool
check_code(const Script *script, const ScriptCode *code, GError **error)
{
    const Scenario *scenario = script->scenario;
    char what[160];

    if (scenario->code != NULL && code->line != 0)
        return refuse(script, error, code->line,
                      "columns of code have no stories and no schedule(): "
                      "all their behaviours are looked at");
    for (unsigned cpu = scenario->system.cpus; cpu < CPUS_MAX; cpu++) {
        if (code->stories[cpu] == 0)
            continue;
        g_snprintf(what, sizeof what,
                   "cpu%u() has no cpu: the system has cpus = %u, cpu0 to "
                   "cpu%u", cpu, scenario->system.cpus,
                   scenario->system.cpus - 1);
        return refuse(script, error, code->lines[cpu], what);
    }
    return true;
}

static const Claim *
find_claim(const ScenarioCase *item, Quantifier quantifier)
{
    for (unsigned i = 0; i < item->claims->len; i++) {
        const Claim *claim = g_ptr_array_index(item->claims, i);

        if (claim->quantifier == quantifier)
            return claim;
    }
    return NULL;
}

/* Does another case show that the scenario can come out differently? */
static bool
has_control(const Scenario *scenario, const ScenarioCase *item,
            Quantifier quantifier)
{
    if (quantifier == CLAIM_NEVER && find_claim(item, CLAIM_REACH) != NULL &&
        scenario->cases->len >= 2)
        return true;
    for (unsigned i = 0; i < scenario->cases->len; i++) {
        const ScenarioCase *other = g_ptr_array_index(scenario->cases, i);

        if (other == item)
            continue;
        if (find_claim(other, CLAIM_POSSIBLE) != NULL ||
            find_claim(other, CLAIM_REACH) != NULL ||
            (quantifier == CLAIM_NEVER &&
             find_claim(other, CLAIM_CERTAIN) != NULL) ||
            (quantifier == CLAIM_CERTAIN &&
             find_claim(other, CLAIM_NEVER) != NULL))
            return true;
    }
    return false;
}

static bool
check_case(const Script *script, const ScenarioCase *item, GError **error)
{
    const Claim *claim;

    if (item->claims->len == 0)
        return refuse(script, error, item->line,
                      "the case claims nothing: add possible, never, certain "
                      "or reach");
    claim = find_claim(item, CLAIM_NEVER);
    if (claim != NULL && !has_control(script->scenario, item, CLAIM_NEVER))
        return refuse(script, error, claim->line,
                      "a `never` without a control proves nothing: add a case "
                      "whose verdict differs (a mutant, another memory model, "
                      "or the remedy), such as\n"
                      "  case \"control\" mutant \"...\" possible (stuck)\n"
                      "and perhaps a reach to this one");
    claim = find_claim(item, CLAIM_CERTAIN);
    if (claim != NULL && !has_control(script->scenario, item, CLAIM_CERTAIN))
        return refuse(script, error, claim->line,
                      "a `certain` without a control proves nothing: add a "
                      "case in which it does not happen, such as\n"
                      "  case \"the remedy\" ... never (stuck)");
    return true;
}

static void
name_the_nameless(Scenario *scenario)
{
    for (unsigned i = 0; i < scenario->objects->len; i++) {
        Object *object = g_ptr_array_index(scenario->objects, i);

        if (object->name == NULL)
            object->name = g_strdup("object");
    }
    for (unsigned i = 0; i < scenario->regions->len; i++) {
        Region *region = g_ptr_array_index(scenario->regions, i);

        if (region->name == NULL)
            region->name = g_strdup("region");
    }
}

static bool
add_mutants(Script *script, GError **error)
{
    for (char **name = script->host.mutants; name != NULL && *name != NULL;
         name++) {
        if (!system_check_mutant(script->system, *name, error)) {
            g_prefix_error(error, "%s: --mutant: ", script->vm.path);
            return false;
        }
        for (guint i = 0; i < script->scenario->cases->len; i++) {
            ScenarioCase *item =
                g_ptr_array_index(script->scenario->cases, i);

            item->added_mutants += scenario_add_mutant(item->mutants, *name);
        }
    }
    return true;
}

bool
script_finish(Script *script, GError **error)
{
    Scenario *scenario = script->scenario;

    if (!check_whole(script, error) ||
        !check_code(script, &script->shared, error))
        return false;
    for (unsigned i = 0; i < scenario->cases->len; i++) {
        ScenarioCase *item = g_ptr_array_index(scenario->cases, i);
        ScriptCode *code = &g_array_index(script->code, ScriptCode, i);

        item->has_schedule = code->schedule != 0;
        if (!check_code(script, code, error) ||
            !check_case(script, item, error))
            return false;
        script_state_record(script, code);
    }
    name_the_nameless(scenario);
    return add_mutants(script, error);
}
