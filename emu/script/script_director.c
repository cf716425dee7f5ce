/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "script/script_director.h"

#include <lauxlib.h>
#include <lua.h>

#include "script/script_predicates.h"
#include "script/script_story.h"

#define SCRIPT_COMMANDS_MAX 1000000u

/* Commands after which no core has moved are work of this program alone, and
 * an endless loop of them would be endless. */
static void
say(lua_State *lua, DirectorCommand said)
{
    Script *script = script_of(lua);
    ScriptDirector *director = &script->director;
    ticks_t now = machine_clock(script->run.machine);

    if (!lua_isyieldable(lua))
        script_vm_fail(lua, "schedule() cannot %s in here",
                       said.kind == DIRECTOR_WRITE ? "write" : "command");
    if (director->clock != now)
        director->count = 0;
    director->clock = now;
    if (++director->count > SCRIPT_COMMANDS_MAX)
        script_vm_fail(lua, "schedule() has given %u commands on end that move "
                            "no cpu: an endless loop?", SCRIPT_COMMANDS_MAX);
    director->command = said;
    director->command.line = script_vm_line(lua);
}

static int
command(lua_State *lua, DirectorKind kind, unsigned cpu, uint64_t count)
{
    say(lua, (DirectorCommand){
        .kind = kind,
        .cpu = cpu,
        .count = count,
        .point = kind == DIRECTOR_RUN_TO ? &script_of(lua)->director.point
                                         : NULL,
    });
    return lua_yield(lua, 0);
}

void
script_director_write(lua_State *lua, gpa_t physical, uint64_t size,
                      uint64_t value)
{
    say(lua, (DirectorCommand){
        .kind = DIRECTOR_WRITE,
        .count = size,
        .physical = physical,
        .value = value,
    });
    lua_yield(lua, 0);
}

static uint64_t
check_count(lua_State *lua, int index, const char *word)
{
    lua_Integer count;
    int is_integer;

    count = lua_tointegerx(lua, index, &is_integer);
    if (!is_integer || count < 1)
        script_vm_fail(lua, "`%s` wants a number here, at least 1", word);
    return (uint64_t)count;
}

/* A word that commands a cpu: word(cpu), word(cpu, count). */
typedef struct CommandWord {
    const char *name;
    DirectorKind kind;
    int count; /* if none is said */
} CommandWord;

#define NO_COUNT (-1)
#define NEEDS_COUNT (-2)

static const CommandWord command_words[] = {
    {"step", DIRECTOR_STEP, 1},
    {"run", DIRECTOR_RUN_HELD, NO_COUNT},
    {"hold", DIRECTOR_HOLD, NO_COUNT},
    {"release", DIRECTOR_RELEASE, NO_COUNT},
    {"hold_ipi", DIRECTOR_IPI_HOLD, NO_COUNT},
    {"release_ipi", DIRECTOR_IPI_RELEASE, NO_COUNT},
    {"deliver_ipi", DIRECTOR_IPI_DELIVER, NO_COUNT},
    {"drop_ipi", DIRECTOR_IPI_DROP, NO_COUNT},
    {"drain", DIRECTOR_DRAIN, 0}, /* all stores; or so many of the oldest */
    {"drain_one", DIRECTOR_DRAIN_ONE, NEEDS_COUNT},
    {"late", DIRECTOR_LATE, 1}, /* so many values ago */
    {"hold_stores", DIRECTOR_STORES_HOLD, NO_COUNT},
    {"release_stores", DIRECTOR_STORES_RELEASE, NO_COUNT},
};

static int
l_command(lua_State *lua)
{
    const CommandWord *word = script_word_about(lua);
    unsigned cpu = script_check_cpu(lua, 1, word->name);
    uint64_t count = word->count < 0 ? 0 : (uint64_t)word->count;

    if (word->count == NEEDS_COUNT ||
        (word->count != NO_COUNT && !lua_isnoneornil(lua, 2)))
        count = check_count(lua, 2, word->name);
    return command(lua, word->kind, cpu, count);
}

static int
l_run_to(lua_State *lua)
{
    Script *script = script_of(lua);
    unsigned cpu = script_check_cpu(lua, 1, "run_to");
    const Point *named = script_predicates_point(lua, 2);

    if (named != NULL) {
        point_clear(&script->director.point);
        script->director.point = point_copy(named);
    } else {
        script_predicates_check_point(lua, 2, "run_to",
                                      &script->director.point);
    }
    return command(lua, DIRECTOR_RUN_TO, cpu, 0);
}

/* stores(cpu): a list of what is buffered, the oldest first; each a table with
 * address, size, value and the address of the instruction. */
static int
l_stores(lua_State *lua)
{
    Machine *machine = script_of(lua)->run.machine;
    unsigned cpu = script_check_cpu(lua, 1, "stores");
    unsigned count;
    const Store *stores = machine_stores(machine, cpu, &count);

    lua_createtable(lua, (int)count, 0);
    for (unsigned i = 0; i < count; i++) {
        lua_createtable(lua, 0, 4);
        lua_pushinteger(
            lua, (lua_Integer)(WINDOW_KERNEL + stores[i].physical));
        lua_setfield(lua, -2, "address");
        lua_pushinteger(lua, stores[i].size);
        lua_setfield(lua, -2, "size");
        lua_pushinteger(lua, (lua_Integer)stores[i].value);
        lua_setfield(lua, -2, "value");
        lua_pushinteger(lua, (lua_Integer)stores[i].rip);
        lua_setfield(lua, -2, "rip");
        lua_rawseti(lua, -2, i + 1);
    }
    return 1;
}

static int
l_free_run(lua_State *lua)
{
    return command(lua, DIRECTOR_FREE, 0, check_count(lua, 1, "free_run"));
}

void
script_director_add_words(lua_State *lua)
{
    script_add_word(lua, SCRIPT_SCHEDULE, "choose", script_story_choose);
    script_predicates_add_points(lua, SCRIPT_SCHEDULE);
    for (unsigned i = 0; i < G_N_ELEMENTS(command_words); i++)
        script_add_word_about(lua, SCRIPT_SCHEDULE, command_words[i].name,
                              l_command, &command_words[i]);
    script_add_word(lua, SCRIPT_SCHEDULE, "run_to", l_run_to);
    script_add_word(lua, SCRIPT_SCHEDULE, "stores", l_stores);
    script_add_word(lua, SCRIPT_SCHEDULE, "free_run", l_free_run);
}

/* --- The interface -------------------------------------------------------- */

/* The stories' begin, of the same run, puts variables back. */
static void
begin(void *user)
{
    ScriptDirector *director = &((Script *)user)->director;

    if (director->started)
        script_vm_rewind(director->thread);
    director->started = false;
    director->count = 0;
}

static bool
next(void *user, bool done, DirectorCommand *out, GError **error)
{
    Script *script = user;
    ScriptDirector *director = &script->director;
    bool yielded = false;
    int arguments = 0;

    *out = (DirectorCommand){.kind = DIRECTOR_END};
    if (director->function == 0)
        return true;
    if (!director->started) {
        lua_rawgeti(director->thread, LUA_REGISTRYINDEX, director->function);
        director->started = true;
    } else if (lua_status(director->thread) != LUA_YIELD) {
        return true; /* it has returned, or failed, before */
    } else {
        lua_pushboolean(director->thread, done);
        arguments = 1;
    }
    script_enter(script, SCRIPT_SCHEDULE);
    if (!script_vm_resume(&script->vm, director->thread, arguments, &yielded,
                          error)) {
        script->mode = SCRIPT_RESTING;
        return false;
    }
    script->mode = SCRIPT_RESTING;
    if (yielded)
        *out = director->command;
    return true;
}

Director
script_director(Script *script)
{
    return (Director){.begin = begin, .next = next, .user = script};
}

void
script_director_bind(Script *script)
{
    ScriptDirector *director = &script->director;

    if (director->started)
        script_vm_rewind(director->thread);
    director->started = false;
    director->function = script->bound->schedule;
    if (director->thread == NULL && director->function != 0) {
        director->thread = lua_newthread(script->vm.lua);
        luaL_ref(script->vm.lua, LUA_REGISTRYINDEX);
    }
}

void
script_director_clear(Script *script)
{
    point_clear(&script->director.point);
}
