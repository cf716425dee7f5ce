/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "script/scenario.h"

#include "base/capacity.h"

static void
free_object(gpointer item)
{
    Object *object = item;

    g_free(object->name);
    g_free(object->type);
    g_free(object);
}

static void
free_region(gpointer item)
{
    Region *region = item;

    g_free(region->name);
    point_clear(&region->begin);
    point_clear(&region->end);
    g_free(region);
}

static void
free_claim(gpointer item)
{
    claim_free(item);
}

static void
free_case(gpointer item)
{
    ScenarioCase *self = item;

    g_free(self->title);
    g_ptr_array_unref(self->mutants);
    g_free(self->budget.strategy);
    g_ptr_array_unref(self->claims);
    g_free(self);
}

Scenario *
scenario_new(const char *path)
{
    Scenario *scenario = g_new0(Scenario, 1);

    scenario->path = g_strdup(path);
    scenario->system.ram_mib = RAM_MIB_DEFAULT;
    scenario->system.defines = g_ptr_array_new_with_free_func(g_free);
    scenario->objects = g_ptr_array_new_with_free_func(free_object);
    scenario->regions = g_ptr_array_new_with_free_func(free_region);
    scenario->cases = g_ptr_array_new_with_free_func(free_case);
    return scenario;
}

void
scenario_free(Scenario *scenario)
{
    if (scenario == NULL)
        return;
    g_free(scenario->path);
    g_free(scenario->title);
    g_free(scenario->origin);
    g_free(scenario->code);
    g_free(scenario->system.name);
    g_free(scenario->system.elf);
    g_ptr_array_unref(scenario->system.defines);
    g_ptr_array_unref(scenario->objects);
    g_ptr_array_unref(scenario->regions);
    g_ptr_array_unref(scenario->cases);
    g_free(scenario);
}

ScenarioCase *
scenario_add_case(Scenario *scenario, const char *title, unsigned line)
{
    ScenarioCase *self = g_new0(ScenarioCase, 1);

    self->title = g_strdup(title);
    self->line = line;
    self->memory = MEMORY_OPTIONS_SC;
    self->mutants = g_ptr_array_new_with_free_func(g_free);
    self->claims = g_ptr_array_new_with_free_func(free_claim);
    g_ptr_array_add(scenario->cases, self);
    self->number = scenario->cases->len;
    return self;
}

bool
scenario_add_mutant(GPtrArray *mutants, const char *name)
{
    if (g_ptr_array_find_with_equal_func(mutants, name, g_str_equal, NULL))
        return false;
    g_ptr_array_add(mutants, g_strdup(name));
    return true;
}

char *
scenario_mutant_options(const ScenarioCase *item)
{
    GString *text = g_string_new(NULL);

    for (guint i = item->mutants->len - item->added_mutants;
         i < item->mutants->len; i++)
        g_string_append_printf(text, " --mutant %s",
                               (char *)g_ptr_array_index(item->mutants, i));
    return g_string_free(text, FALSE);
}
