/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "script/script_words.h"

#include <lauxlib.h>
#include <lua.h>

#include "choose/strategy.h"
#include "script/script_claims.h"
#include "script/script_memory.h"
#include "script/script_predicates.h"
#include "script/script_state.h"

static void
set_once(lua_State *lua, char **text, const char *word)
{
    const char *value = script_check_string(lua, 1, word);

    if (*text != NULL)
        script_vm_fail(lua, "`%s` is said twice", word);
    *text = g_strdup(value);
}

static int
l_scenario(lua_State *lua)
{
    set_once(lua, &script_of(lua)->scenario->title, "scenario");
    return 0;
}

static int
l_origin(lua_State *lua)
{
    set_once(lua, &script_of(lua)->scenario->origin, "origin");
    return 0;
}

static int
l_code(lua_State *lua)
{
    Scenario *scenario = script_of(lua)->scenario;

    if (scenario->system.name == NULL ||
        strcmp(scenario->system.name, "bare") != 0)
        script_vm_fail(lua, "`code` is for the system \"bare\", and comes "
                            "after it");
    set_once(lua, &scenario->code, "code");
    scenario->code_line = script_vm_line(lua);
    return 0;
}

/* --- system --------------------------------------------------------------- */

static unsigned
check_number(lua_State *lua, const char *key, unsigned most)
{
    lua_Integer value;
    int is_integer;

    value = lua_tointegerx(lua, -1, &is_integer);
    if (!is_integer || value < 1 || value > most)
        script_vm_fail(lua, "`%s` must be an integer from 1 to %u", key, most);
    return (unsigned)value;
}

static void
set_elf(lua_State *lua, Script *script)
{
    ScenarioSystem *system = &script->scenario->system;
    const char *path = script_check_string(lua, -1, "elf");
    char *folder;

    if (strcmp(system->name, "bare") != 0)
        script_vm_fail(lua, "`elf` is for the system \"bare\": \"%s\" is "
                            "built from guest/", system->name);
    folder = g_path_get_dirname(script->vm.path);
    system->elf = g_path_is_absolute(path)
                      ? g_strdup(path)
                      : g_build_filename(folder, path, NULL);
    g_free(folder);
}

static void
add_define(lua_State *lua, Script *script, const char *key)
{
    lua_Integer value;
    int is_integer;

    if (system_axis(script->system, key) == NULL) {
        GString *text = g_string_new(NULL);
        char shown[256];

        for (unsigned i = 0; i < script->system->axes->len; i++)
            g_string_append_printf(
                text, "%s %s", i == 0 ? "; there are" : ",",
                ((SystemAxis *)g_ptr_array_index(script->system->axes, i))
                    ->name);
        g_strlcpy(shown, text->str, sizeof shown);
        g_string_free(text, TRUE);
        script_vm_fail(lua, "system \"%s\" has no build parameter `%s`%s",
                       script->system->name, key, shown);
    }
    if (lua_isboolean(lua, -1)) {
        value = lua_toboolean(lua, -1);
    } else {
        value = lua_tointegerx(lua, -1, &is_integer);
        if (!is_integer || value < 0)
            script_vm_fail(lua, "`%s` must be a number, 0 or more", key);
    }
    g_ptr_array_add(script->scenario->system.defines,
                    g_strdup_printf("%s=%" PRId64, key, (int64_t)value));
}

static void
set_option(lua_State *lua, Script *script, const char *key)
{
    ScenarioSystem *system = &script->scenario->system;

    if (g_ascii_isupper(key[0]))
        add_define(lua, script, key);
    else if (strcmp(key, "cpus") == 0)
        system->cpus = check_number(lua, key, script->system->cpus_max);
    else if (strcmp(key, "ram") == 0)
        system->ram_mib = check_number(lua, key, RAM_MIB_MAX);
    else if (strcmp(key, "elf") == 0)
        set_elf(lua, script);
    else
        script_vm_fail(lua, "a system has no `%s`; it has cpus, ram (MiB), "
                            "elf (for \"bare\"), and build parameters in "
                            "capitals", key);
}

static int
compare_strings(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
l_system_options(lua_State *lua)
{
    Script *script = script_of(lua);
    ScenarioSystem *system = &script->scenario->system;

    if (script->has_options)
        script_vm_fail(lua, "the system's options are said twice");
    if (!lua_istable(lua, 1))
        script_vm_fail(lua, "the system's options are a table: "
                            "system \"%s\" { cpus = 2 }", system->name);
    lua_settop(lua, 1);
    lua_pushnil(lua);
    while (lua_next(lua, 1)) {
        if (lua_type(lua, -2) != LUA_TSTRING)
            script_vm_fail(lua, "a system's options have names: "
                                "system \"%s\" { cpus = 2 }", system->name);
        set_option(lua, script, lua_tostring(lua, -2));
        lua_pop(lua, 1);
    }
    if (system->cpus == 0)
        script_vm_fail(lua, "say how many cpus: system \"%s\" { cpus = 2 }",
                       system->name);
    g_ptr_array_sort(system->defines, compare_strings);
    script->has_options = true;
    return 0;
}

static int
l_system(lua_State *lua)
{
    Script *script = script_of(lua);
    ScenarioSystem *system = &script->scenario->system;
    const char *guest = script->host.guest;
    GError *error = NULL;

    set_once(lua, &system->name, "system");
    system->line = script_vm_line(lua);
    script->system = system_find(
        guest != NULL ? guest : HEDDLE_DATADIR "/guest", system->name, &error);
    if (script->system == NULL)
        script_vm_raise(lua, error);
    if (strcmp(system->name, "bare") == 0) {
        script_push_ref(lua, script->words[SCRIPT_LOADING]);
        script_predicates_add_registers(lua);
    }
    lua_pushcfunction(lua, l_system_options);
    return 1;
}

/* --- object, region ------------------------------------------------------- */

static int
l_object(lua_State *lua)
{
    Script *script = script_of(lua);
    const char *type_name = script_check_string(lua, 1, "object");
    const ImageType *type;
    Object *object;
    ScriptPlace place = {
        .base = SCRIPT_BASE_OBJECT,
        .index = script->scenario->objects->len,
        .count = 1,
    };

    script_require_image(lua);
    type = image_type_named(script->image, type_name);
    if (type == NULL || type->size == 0)
        return script_vm_fail(lua, "no C type `%s` in the guest; write it as "
                                   "C does: \"int\", \"struct spinlock\"",
                              type_name);
    object = g_new0(Object, 1);
    object->type = g_strdup(type_name);
    object->line = script_vm_line(lua);
    g_ptr_array_add(script->scenario->objects, object);
    place.type = type;
    if (type->kind == IMAGE_TYPE_ARRAY) {
        place.type = type->target;
        place.count = type->count;
    }
    script_memory_push_place(lua, &place);
    return 1;
}

const unsigned *
script_words_region(lua_State *lua, int index)
{
    return luaL_testudata(lua, index, SCRIPT_REGION);
}

/* The point that field `key` of the table at 1 names, which must be there. */
static void
border(lua_State *lua, const char *key, PointKind kind, Point *point)
{
    const Point *named;

    lua_getfield(lua, 1, key);
    lua_pushnil(lua); /* no quotation */
    named = script_predicates_point(lua, -2);
    if (named != NULL) {
        *point = point_copy(named);
    } else {
        if (script_memory_function(lua, -2) == NULL)
            script_vm_fail(lua, "a region is { after = f, before = g }: `%s` "
                                "must be a guest function or a point of one",
                           key);
        script_predicates_check_point(lua, lua_gettop(lua) - 1, "region",
                                      point);
        point->kind = kind;
    }
    lua_pop(lua, 2);
}

/*
 * region(f)                         inside f
 * region(f, "from here", "to here")
 * region { after = f, before = g }  from f's return to g's start
 */
static int
l_region(lua_State *lua)
{
    Script *script = script_of(lua);
    GPtrArray *regions = script->scenario->regions;
    Region *region = g_new0(Region, 1);
    unsigned *number;

    g_ptr_array_add(regions, region);
    lua_settop(lua, 3);
    if (lua_istable(lua, 1)) {
        border(lua, "after", POINT_LEAVE, &region->begin);
        border(lua, "before", POINT_ENTER, &region->end);
    } else if (lua_isnil(lua, 2)) {
        script_predicates_check_point(lua, 1, "region", &region->begin);
        script_predicates_check_point(lua, 1, "region", &region->end);
        region->end.kind = POINT_LEAVE;
    } else {
        script_check_string(lua, 3, "region");
        script_predicates_check_point(lua, 1, "region", &region->begin);
        lua_remove(lua, 2);
        script_predicates_check_point(lua, 1, "region", &region->end);
    }
    number = lua_newuserdatauv(lua, sizeof *number, 0);
    *number = regions->len - 1;
    luaL_setmetatable(lua, SCRIPT_REGION);
    return 1;
}

/* --- case and what it overrides ------------------------------------------- */

static int
l_case(lua_State *lua)
{
    Script *script = script_of(lua);
    const char *title = script_check_string(lua, 1, "case");
    ScenarioCase *item;

    script_claims_name_locals(lua);
    item = scenario_add_case(script->scenario, title, script_vm_line(lua));
    item->memory = script->memory;
    item->budget = script->budget;
    item->budget.strategy = g_strdup(script->budget.strategy);
    for (unsigned i = 0; i < script->mutants->len; i++)
        g_ptr_array_add(item->mutants,
                        g_strdup(g_ptr_array_index(script->mutants, i)));
    g_array_append_val(script->code, script->shared);
    script->item = item;
    script->item_has_mutants = false;
    return 0;
}

static void
add_mutant(lua_State *lua, int index)
{
    Script *script = script_of(lua);
    const char *name = script_check_string(lua, index, "mutant");
    GError *error = NULL;

    if (script->system == NULL)
        script_vm_fail(lua, "`mutant` comes after `system`");
    if (!system_check_mutant(script->system, name, &error))
        script_vm_raise(lua, error);
    scenario_add_mutant(script->item == NULL ? script->mutants
                                             : script->item->mutants,
                        name);
}

static int
l_mutant(lua_State *lua)
{
    Script *script = script_of(lua);

    if (script->item != NULL && !script->item_has_mutants) {
        script->item_has_mutants = true;
        g_ptr_array_set_size(script->item->mutants, 0);
    }
    if (!lua_istable(lua, 1)) {
        add_mutant(lua, 1);
        return 0;
    }
    for (lua_Integer i = 1; lua_rawgeti(lua, 1, i) != LUA_TNIL; i++) {
        add_mutant(lua, -1);
        lua_pop(lua, 1);
    }
    return 0;
}

static int
l_memory(lua_State *lua)
{
    Script *script = script_of(lua);
    const char *name = script_check_string(lua, 1, "memory");
    MemoryOptions *memory =
        script->item == NULL ? &script->memory : &script->item->memory;
    GError *error = NULL;

    if (!memmodel_parse(name, memory, &error))
        script_vm_raise(lua, error);
    return 0;
}

static void
set_strategy(lua_State *lua, ScenarioBudget *budget)
{
    const char *name = script_check_string(lua, -1, "strategy");
    GError *error = NULL;
    Strategy *strategy = strategy_parse(name, &error);

    if (strategy == NULL)
        script_vm_raise(lua, error);
    strategy_free(strategy);
    g_free(budget->strategy);
    budget->strategy = g_strdup(name);
}

static int
l_explore(lua_State *lua)
{
    Script *script = script_of(lua);
    ScenarioBudget *budget =
        script->item == NULL ? &script->budget : &script->item->budget;

    if (!lua_istable(lua, 1))
        return script_vm_fail(lua, "`explore` wants a table: explore { runs = "
                                   "5000 }");
    lua_settop(lua, 1);
    lua_pushnil(lua);
    while (lua_next(lua, 1)) {
        const char *key = lua_type(lua, 2) == LUA_TSTRING
                              ? lua_tostring(lua, 2)
                              : "";

        if (strcmp(key, "strategy") == 0)
            set_strategy(lua, budget);
        else if (strcmp(key, "runs") == 0)
            budget->runs = check_number(lua, key, INT32_MAX);
        else if (strcmp(key, "steps") == 0)
            budget->steps_max = check_number(lua, key, INT32_MAX);
        else
            return script_vm_fail(lua, "`explore` knows strategy, runs and "
                                       "steps");
        lua_pop(lua, 1);
    }
    return 0;
}

void
script_words_add(lua_State *lua)
{
    script_add_word(lua, SCRIPT_LOADING, "scenario", l_scenario);
    script_add_word(lua, SCRIPT_LOADING, "origin", l_origin);
    script_add_word(lua, SCRIPT_LOADING, "system", l_system);
    script_add_word(lua, SCRIPT_LOADING, "code", l_code);
    script_add_word(lua, SCRIPT_LOADING, "object", l_object);
    script_add_word(lua, SCRIPT_LOADING, "region", l_region);
    script_add_word(lua, SCRIPT_LOADING, "case", l_case);
    script_add_word(lua, SCRIPT_LOADING, "mutant", l_mutant);
    script_add_word(lua, SCRIPT_LOADING, "memory", l_memory);
    script_add_word(lua, SCRIPT_LOADING, "explore", l_explore);
}
