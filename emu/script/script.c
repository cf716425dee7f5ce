/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "script/script.h"

#include <lauxlib.h>
#include <lua.h>

#include "guest/image_spelling.h"
#include "script/script_claims.h"
#include "script/script_context.h"
#include "script/script_director.h"
#include "script/script_memory.h"
#include "script/script_predicates.h"
#include "script/script_story.h"
#include "script/script_words.h"

/* --- Arguments of words --------------------------------------------------- */

unsigned
script_check_cpu(lua_State *lua, int index, const char *word)
{
    unsigned cpus = script_of(lua)->scenario->system.cpus;
    lua_Integer cpu;
    int is_integer;

    cpu = lua_tointegerx(lua, index, &is_integer);
    if (!is_integer || lua_type(lua, index) != LUA_TNUMBER)
        script_vm_fail(lua, "`%s` wants the number of a cpu, not a %s", word,
                       luaL_typename(lua, index));
    if (cpus == 0)
        script_vm_fail(lua, "`%s` names a cpu before `system` has any", word);
    if (cpu < 0 || cpu >= cpus)
        script_vm_fail(lua, "there is no cpu %" PRId64 ": the system has cpus "
                            "= %u, numbered from 0", (int64_t)cpu, cpus);
    return (unsigned)cpu;
}

const char *
script_check_string(lua_State *lua, int index, const char *word)
{
    if (lua_type(lua, index) != LUA_TSTRING)
        script_vm_fail(lua, "`%s` wants a text, as in %s \"...\", not a %s",
                       word, word, luaL_typename(lua, index));
    return lua_tostring(lua, index);
}

/* A word that was kept in a variable could be called at another time than it
 * is for.  Upvalues: its mode, its function, what it is about. */
static int
l_word(lua_State *lua)
{
    if (script_of(lua)->mode !=
        (ScriptMode)lua_tointeger(lua, lua_upvalueindex(1)))
        return script_vm_fail(lua, "this word does not belong here");
    return lua_tocfunction(lua, lua_upvalueindex(2))(lua);
}

void
script_add_word_about(lua_State *lua, ScriptMode mode, const char *name,
                      lua_CFunction function, const void *about)
{
    lua_pushinteger(lua, mode);
    lua_pushcfunction(lua, function);
    lua_pushlightuserdata(lua, (void *)about);
    lua_pushcclosure(lua, l_word, 3);
    lua_setfield(lua, -2, name);
}

void
script_add_word(lua_State *lua, ScriptMode mode, const char *name,
                lua_CFunction function)
{
    script_add_word_about(lua, mode, name, function, NULL);
}

const void *
script_word_about(lua_State *lua)
{
    return lua_touserdata(lua, lua_upvalueindex(3));
}

void
script_push_ref(lua_State *lua, ScriptRef ref)
{
    lua_rawgeti(lua, LUA_REGISTRYINDEX, ref);
}

bool
script_is_story_name(const char *name, unsigned *cpu)
{
    guint64 number;

    if (strncmp(name, "cpu", 3) != 0 || !g_ascii_isdigit(name[3]) ||
        (name[3] == '0' && name[4] != '\0') ||
        !g_ascii_string_to_unsigned(name + 3, 10, 0, CPUS_MAX - 1, &number,
                                    NULL))
        return false;
    *cpu = (unsigned)number;
    return true;
}

/* --- Images --------------------------------------------------------------- */

static void
use_image(Script *script, const Image *image)
{
    g_autoptr(GError) error = NULL;

    if (script->image == image)
        return;
    script->image = image;
    script->view_trouble[0] = '\0';
    if (script->system == NULL ||
        !system_resolve(script->system, image, &script->view, &error)) {
        script->view = (SystemView){0};
        g_strlcpy(script->view_trouble,
                  error == NULL ? "there is no system" : error->message,
                  sizeof script->view_trouble);
    } else if (!script->view.has_globaldata) {
        g_snprintf(script->view_trouble, sizeof script->view_trouble,
                   "system \"%s\" has no globaldata", script->system->name);
    }
    script_memory_rebind(script);
}

void
script_require_image(lua_State *lua)
{
    Script *script = script_of(lua);
    GError *error = NULL;
    const Image *image;

    if (script->image != NULL)
        return;
    if (!script->has_options)
        script_vm_fail(lua, "guest names come after the system is named: "
                            "system \"...\" { cpus = 2 }");
    if (script->host.image == NULL)
        script_vm_fail(lua, "there is no guest to look names up in");
    image = script->host.image(script->host.user, &script->scenario->system,
                               &error);
    if (image == NULL)
        script_vm_raise(lua, error);
    use_image(script, image);
}

/* --- Suggestions ---------------------------------------------------------- */

typedef struct Nearest {
    const char *name;
    unsigned distance;
} Nearest;

static void
compare_with(Nearest *nearest, const char *misspelt, const char *name)
{
    unsigned distance =
        image_spelling_distance(misspelt, name, nearest->distance);

    if (distance < nearest->distance ||
        (distance == nearest->distance && nearest->name != NULL &&
         strcmp(name, nearest->name) < 0)) {
        nearest->distance = distance;
        nearest->name = name;
    }
}

static void
compare_with_words(Script *script, Nearest *nearest, const char *misspelt,
                   ScriptRef words)
{
    lua_State *lua = script->vm.lua;

    if (words == 0)
        return;
    script_push_ref(lua, words);
    lua_pushnil(lua);
    while (lua_next(lua, -2)) {
        lua_pop(lua, 1);
        compare_with(nearest, misspelt, lua_tostring(lua, -1));
    }
    lua_pop(lua, 1);
}

char *
script_advice(Script *script, const char *misspelt)
{
    Nearest nearest = {.distance = image_spelling_limit(misspelt) + 1};
    const char *guest;

    guest = script->image == NULL ? NULL
                                  : image_suggest(script->image, misspelt);
    if (guest != NULL)
        compare_with(&nearest, misspelt, guest);
    compare_with_words(script, &nearest, misspelt, script->words[script->mode]);
    compare_with_words(script, &nearest, misspelt, script->common);
    if (nearest.name == NULL)
        return g_strdup("");
    return g_strdup_printf("; did you mean `%s`?", nearest.name);
}

static int l_read_name(lua_State *lua);

/* --- _ENV ----------------------------------------------------------------- */

/*
 * _ENV is an empty table, so that every use of a name comes by here.  What a
 * name means is found once in each mode and kept:
 *
 *      _ENV ── __index ──▶ met[mode] ── __index ──▶ l_read_name
 *
 * Scalars are not kept; they are read anew each time.
 */
void
script_enter(Script *script, ScriptMode mode)
{
    lua_State *lua = script->vm.lua;

    script->mode = mode;
    if (LIKELY(script->shown == mode))
        return;
    script->shown = mode;
    script_push_ref(lua, script->environment);
    script_push_ref(lua, script->met[mode]);
    lua_setfield(lua, -2, "__index");
    lua_pop(lua, 1);
}

/* Forget what names meant. */
static void
forget_names(Script *script)
{
    lua_State *lua = script->vm.lua;

    for (size_t i = 0; i < G_N_ELEMENTS(script->met); i++) {
        if (script->met[i] != 0)
            luaL_unref(lua, LUA_REGISTRYINDEX, script->met[i]);
        lua_newtable(lua);
        lua_newtable(lua);
        lua_pushcfunction(lua, l_read_name);
        lua_setfield(lua, -2, "__index");
        lua_setmetatable(lua, -2);
        script->met[i] = luaL_ref(lua, LUA_REGISTRYINDEX);
    }
    script->shown = SCRIPT_RESTING;
}

/* The key at 2 in the table `words`: push its value, or nothing. */
static bool
find_word(lua_State *lua, ScriptRef words)
{
    if (words == 0)
        return false;
    lua_rawgeti(lua, LUA_REGISTRYINDEX, words);
    lua_pushvalue(lua, 2);
    if (lua_rawget(lua, -2) != LUA_TNIL)
        return true;
    lua_pop(lua, 2);
    return false;
}

/* Does the name belong to another mode?  Then say where. */
static void
check_misplaced(lua_State *lua, const Script *script, const char *name)
{
    if (script->mode != SCRIPT_LOADING &&
        find_word(lua, script->words[SCRIPT_LOADING]))
        script_vm_fail(lua, "`%s` belongs outside of functions, where the "
                            "scenario is described", name);
    if (script->mode != SCRIPT_STORY &&
        find_word(lua, script->words[SCRIPT_STORY]))
        script_vm_fail(lua, "`%s` belongs into the story of a cpu: cpu0() "
                            "and so on", name);
    if (script->mode != SCRIPT_SCHEDULE &&
        find_word(lua, script->words[SCRIPT_SCHEDULE]))
        script_vm_fail(lua, "`%s` belongs into schedule()", name);
}

static int
fail_unknown(lua_State *lua, Script *script, const char *name)
{
    char *advice;
    char shown[320];
    unsigned cpu;

    check_misplaced(lua, script, name);
    if (script_is_story_name(name, &cpu))
        return script_vm_fail(lua, "`%s` is the story of a cpu: it is told, "
                                   "not called", name);
    advice = script_advice(script, name);
    g_strlcpy(shown, advice, sizeof shown);
    g_free(advice);
    if (script->image == NULL)
        return script_vm_fail(lua, "`%s` is no word of the scenario "
                                   "language%s", name, shown);
    return script_vm_fail(lua, "no function or variable `%s` in the guest%s",
                          name, shown);
}

/* Remember the value on top as the meaning of the name at 2, and return it. */
static int
keep(lua_State *lua, const Script *script)
{
    script_push_ref(lua, script->met[script->mode]);
    lua_pushvalue(lua, 2);
    lua_pushvalue(lua, -3);
    lua_rawset(lua, -3);
    lua_pop(lua, 1);
    return 1;
}

static int
l_read_name(lua_State *lua)
{
    Script *script = script_of(lua);
    const ScenarioSystem *system = &script->scenario->system;
    const char *name;
    unsigned number;

    if (find_word(lua, script->words[script->mode]) ||
        find_word(lua, script->common))
        return keep(lua, script);
    if (lua_type(lua, 2) != LUA_TSTRING)
        return script_vm_fail(lua, "a name is a text, not a %s",
                              luaL_typename(lua, 2));
    name = lua_tostring(lua, 2);
    if (script->has_options &&
        (strcmp(system->name, "bare") != 0 || system->elf != NULL))
        script_require_image(lua);
    if (script->image == NULL ||
        !script_memory_lookup(script, name, &number))
        return fail_unknown(lua, script, name);
    script_memory_push_name(lua, number);
    if (lua_isuserdata(lua, -1) &&
        (script_memory_function(lua, -1) != NULL ||
         script_memory_place(lua, -1)->base == SCRIPT_BASE_NAME))
        return keep(lua, script);
    return 1;
}

/* The function at 3 becomes a story, or the schedule. */
static bool
define_function(lua_State *lua, Script *script, const char *name)
{
    ScriptCode *code = script->item == NULL
                           ? &script->shared
                           : &g_array_index(script->code, ScriptCode,
                                            script->code->len - 1);
    unsigned cpu = 0;
    bool is_schedule = strcmp(name, "schedule") == 0;
    lua_Debug where;
    ScriptRef ref;

    if (!is_schedule && !script_is_story_name(name, &cpu))
        return false;
    if (script->mode != SCRIPT_LOADING)
        script_vm_fail(lua, "`%s` cannot change during a run", name);
    if (!lua_isfunction(lua, 3) || lua_iscfunction(lua, 3))
        script_vm_fail(lua, "`%s` must be a function: function %s() ... end",
                       name, name);
    lua_pushvalue(lua, 3);
    lua_getinfo(lua, ">S", &where);
    lua_pushvalue(lua, 3);
    ref = luaL_ref(lua, LUA_REGISTRYINDEX);
    code->line = (unsigned)where.linedefined;
    if (is_schedule) {
        code->schedule = ref;
    } else {
        code->stories[cpu] = ref;
        code->lines[cpu] = code->line;
    }
    return true;
}

static int
l_write_name(lua_State *lua)
{
    Script *script = script_of(lua);
    const char *name;
    unsigned number;

    if (lua_type(lua, 2) != LUA_TSTRING)
        return script_vm_fail(lua, "a name is a text, not a %s",
                              luaL_typename(lua, 2));
    name = lua_tostring(lua, 2);
    if (define_function(lua, script, name))
        return 0;
    if (find_word(lua, script->words[script->mode]) ||
        find_word(lua, script->common))
        return script_vm_fail(lua, "`%s` is a word of the scenario language: "
                                   "it cannot be assigned", name);
    if (script->image != NULL &&
        script_memory_lookup(script, name, &number)) {
        if (script->mode == SCRIPT_LOADING)
            return script_vm_fail(lua, "`%s` is guest memory, and there is no "
                                       "run yet: write it in a story, or say "
                                       "local %s", name, name);
        script_memory_write_name(lua, number, 3);
        return 0;
    }
    return script_vm_fail(lua, "only cpu0, cpu1, ... and schedule may be "
                               "global: write local %s", name);
}

/* --- Loading -------------------------------------------------------------- */

/* An empty table that shows the one on top, which it replaces, and refuses to
 * change: what a story wrote there would be seen by the next run. */
static int
l_refuse_change(lua_State *lua)
{
    return script_vm_fail(lua, "Lua's library cannot be changed");
}

static void
freeze(lua_State *lua)
{
    lua_newtable(lua);
    lua_newtable(lua);
    lua_pushvalue(lua, -3);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, l_refuse_change);
    lua_setfield(lua, -2, "__newindex");
    lua_setmetatable(lua, -2);
    lua_remove(lua, -2);
}

static void
make_words(Script *script)
{
    static const char *const libraries[] = {"string", "math", "table"};
    lua_State *lua = script->vm.lua;

    script_memory_open(script);
    script_predicates_open(script);

    script_vm_push_library(lua);
    for (size_t i = 0; i < G_N_ELEMENTS(libraries); i++) {
        lua_getfield(lua, -1, libraries[i]);
        freeze(lua);
        lua_setfield(lua, -2, libraries[i]);
    }
    script_memory_add_words(lua);
    script->common = luaL_ref(lua, LUA_REGISTRYINDEX);

    lua_newtable(lua);
    script_words_add(lua);
    script_claims_add_words(lua);
    script_predicates_add_words(lua);
    script->words[SCRIPT_LOADING] = luaL_ref(lua, LUA_REGISTRYINDEX);
    lua_newtable(lua);
    script_story_add_words(lua);
    script->words[SCRIPT_STORY] = luaL_ref(lua, LUA_REGISTRYINDEX);
    lua_newtable(lua);
    script_director_add_words(lua);
    script->words[SCRIPT_SCHEDULE] = luaL_ref(lua, LUA_REGISTRYINDEX);
    forget_names(script);
}

static void
push_environment(Script *script)
{
    lua_State *lua = script->vm.lua;

    lua_newtable(lua);
    lua_newtable(lua);
    lua_pushvalue(lua, -1);
    script->environment = luaL_ref(lua, LUA_REGISTRYINDEX);
    lua_pushcfunction(lua, l_write_name);
    lua_setfield(lua, -2, "__newindex");
    lua_setmetatable(lua, -2);
}

static void
clear_name(gpointer name)
{
    g_free(((ScriptName *)name)->name);
}

static Script *
script_new(const char *path, const ScriptHost *host)
{
    Script *script = g_new0(Script, 1);

    script->host = *host;
    script->memory = MEMORY_OPTIONS_SC;
    script->scenario = scenario_new(path);
    script->mutants = g_ptr_array_new_with_free_func(g_free);
    script->code = g_array_new(FALSE, TRUE, sizeof(ScriptCode));
    script->conditions = g_array_new(FALSE, FALSE, sizeof(ScriptRef));
    script->names = g_array_new(FALSE, TRUE, sizeof(ScriptName));
    g_array_set_clear_func(script->names, clear_name);
    script->name_numbers = g_hash_table_new(g_str_hash, g_str_equal);
    script_story_open(script);
    script_vm_init(&script->vm, path, script);
    make_words(script);
    return script;
}

void
script_free(Script *script)
{
    if (script == NULL)
        return;
    script_vm_clear(&script->vm);
    script_director_clear(script);
    script_story_clear(script);
    g_hash_table_unref(script->name_numbers);
    g_array_unref(script->names);
    g_array_unref(script->conditions);
    g_array_unref(script->code);
    g_ptr_array_unref(script->mutants);
    g_free(script->budget.strategy);
    scenario_free(script->scenario);
    system_free(script->system);
    g_free(script);
}

Script *
script_load(const char *path, const ScriptHost *host, GError **error)
{
    g_autoptr(Script) script = script_new(path, host);

    push_environment(script);
    script_enter(script, SCRIPT_LOADING);
    if (!script_vm_compile(&script->vm, error) ||
        !script_vm_call(&script->vm, 0, 0, SCRIPT_LOAD_INSTRUCTIONS, error) ||
        !script_finish(script, error))
        return NULL;
    script->mode = SCRIPT_RESTING;
    return g_steal_pointer(&script);
}

const Scenario *
script_scenario(const Script *script)
{
    return script->scenario;
}

const System *
script_system(const Script *script)
{
    return script->system;
}

/* --- Running -------------------------------------------------------------- */

void
script_bind(Script *script, const ScriptRun *run)
{
    unsigned index = run->item->number - 1;

    INVARIANT(index < script->code->len);
    script->run = *run;
    script->bound = &g_array_index(script->code, ScriptCode, index);
    script->is_bound = true;
    if (script->image != run->image) {
        use_image(script, run->image);
        forget_names(script);
    }
    script_story_bind(script);
    script_director_bind(script);
}

bool
script_eval_memory(Script *script, unsigned index, bool *value,
                   GError **error)
{
    lua_State *lua = script->vm.lua;
    bool is_done;

    INVARIANT(script->is_bound && index < script->conditions->len);
    script_push_ref(lua, g_array_index(script->conditions, ScriptRef, index));
    script_enter(script, SCRIPT_MEMORY);
    is_done = script_vm_call(&script->vm, 0, 1, SCRIPT_STEP_INSTRUCTIONS,
                             error);
    script->mode = SCRIPT_RESTING;
    if (!is_done)
        return false;
    *value = lua_toboolean(lua, -1);
    lua_pop(lua, 1);
    return true;
}
