/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "script/script_state.h"

#include <lauxlib.h>
#include <lua.h>

/*
 * A record is a table:
 *
 *      1   how many values follow in the list of variables
 *      2   variables: function, number of its upvalue, value, ...
 *      3   how many values follow in the list of tables
 *      4   tables: table, copy, ...
 *
 * All of this runs outside of protected calls; nothing here can raise, as
 * memory is not limited then.
 */
enum { VARIABLE_COUNT = 1, VARIABLES, TABLE_COUNT, TABLES };

/* Stack slots of a walk, absolute. */
typedef struct Walk {
    lua_State *lua;
    int seen;      /* table: function, table or upvalue id -> true */
    int queue;     /* list of functions and tables to look into */
    int variables, tables;
    lua_Integer queued, variable_count, table_count;
} Walk;

/* The key on top was not seen before; pops it. */
static bool
is_new(Walk *walk)
{
    bool seen;

    lua_pushvalue(walk->lua, -1);
    seen = lua_rawget(walk->lua, walk->seen) != LUA_TNIL;
    lua_pop(walk->lua, 1);
    if (seen) {
        lua_pop(walk->lua, 1);
        return false;
    }
    lua_pushboolean(walk->lua, true);
    lua_rawset(walk->lua, walk->seen);
    return true;
}

/* Look into the value on top later, if there is something in it; pops it. */
static void
queue_value(Walk *walk)
{
    int type = lua_type(walk->lua, -1);

    if (type != LUA_TFUNCTION && type != LUA_TTABLE) {
        lua_pop(walk->lua, 1);
        return;
    }
    lua_pushvalue(walk->lua, -1);
    if (!is_new(walk)) {
        lua_pop(walk->lua, 1);
        return;
    }
    lua_rawseti(walk->lua, walk->queue, ++walk->queued);
}

/* The function is on top. */
static void
walk_function(Walk *walk)
{
    lua_State *lua = walk->lua;
    int function = lua_gettop(lua);

    for (int i = 1; lua_getupvalue(lua, function, i) != NULL; i++) {
        lua_pushlightuserdata(lua, lua_upvalueid(lua, function, i));
        if (is_new(walk)) {
            lua_pushvalue(lua, function);
            lua_rawseti(lua, walk->variables, ++walk->variable_count);
            lua_pushinteger(lua, i);
            lua_rawseti(lua, walk->variables, ++walk->variable_count);
            lua_pushvalue(lua, -1);
            lua_rawseti(lua, walk->variables, ++walk->variable_count);
        }
        queue_value(walk);
    }
}

/* The table is on top. */
static void
walk_table(Walk *walk)
{
    lua_State *lua = walk->lua;
    int table = lua_gettop(lua);

    lua_pushvalue(lua, table);
    lua_rawseti(lua, walk->tables, ++walk->table_count);
    lua_newtable(lua);
    lua_pushnil(lua);
    while (lua_next(lua, table)) {
        lua_pushvalue(lua, -2);
        queue_value(walk);
        lua_pushvalue(lua, -2);
        lua_pushvalue(lua, -2);
        lua_rawset(lua, table + 1);
        queue_value(walk);
    }
    lua_rawseti(lua, walk->tables, ++walk->table_count);
}

static void
queue_ref(Walk *walk, ScriptRef ref)
{
    if (ref == 0)
        return;
    lua_rawgeti(walk->lua, LUA_REGISTRYINDEX, ref);
    queue_value(walk);
}

void
script_state_record(Script *script, ScriptCode *code)
{
    lua_State *lua = script->vm.lua;
    Walk walk = {.lua = lua};

    luaL_checkstack(lua, 20, NULL);
    lua_newtable(lua); /* the record */
    lua_newtable(lua);
    walk.seen = lua_gettop(lua);
    lua_newtable(lua);
    walk.queue = lua_gettop(lua);
    lua_newtable(lua);
    walk.variables = lua_gettop(lua);
    lua_newtable(lua);
    walk.tables = lua_gettop(lua);

    for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++)
        queue_ref(&walk, code->stories[cpu]);
    queue_ref(&walk, code->schedule);
    for (unsigned i = 0; i < script->conditions->len; i++)
        queue_ref(&walk, g_array_index(script->conditions, ScriptRef, i));
    for (lua_Integer i = 1; i <= walk.queued; i++) {
        if (lua_rawgeti(lua, walk.queue, i) == LUA_TFUNCTION)
            walk_function(&walk);
        else
            walk_table(&walk);
        lua_pop(lua, 1);
    }

    lua_rawseti(lua, walk.seen - 1, TABLES);
    lua_rawseti(lua, walk.seen - 1, VARIABLES);
    lua_pop(lua, 2);
    lua_pushinteger(lua, walk.variable_count);
    lua_rawseti(lua, -2, VARIABLE_COUNT);
    lua_pushinteger(lua, walk.table_count);
    lua_rawseti(lua, -2, TABLE_COUNT);
    code->state = luaL_ref(lua, LUA_REGISTRYINDEX);
}

/* --- Back ----------------------------------------------------------------- */

static lua_Integer
push_list(lua_State *lua, int record, int count, int list)
{
    lua_Integer length;

    lua_rawgeti(lua, record, count);
    length = lua_tointeger(lua, -1);
    lua_pop(lua, 1);
    lua_rawgeti(lua, record, list);
    return length;
}

/* Push a variable's function, its number in it, its value then and now; returns
 * the number. */
static int
push_variable(lua_State *lua, int list, lua_Integer at)
{
    int number;

    lua_rawgeti(lua, list, at);
    lua_rawgeti(lua, list, at + 1);
    number = (int)lua_tointeger(lua, -1);
    lua_rawgeti(lua, list, at + 2);
    lua_getupvalue(lua, list + 1, number);
    return number;
}

static void
restore_variables(lua_State *lua, int record)
{
    lua_Integer count = push_list(lua, record, VARIABLE_COUNT, VARIABLES);
    int list = lua_gettop(lua);

    for (lua_Integer i = 1; i <= count; i += 3) {
        int number = push_variable(lua, list, i);

        if (!lua_rawequal(lua, -1, -2)) {
            lua_pushvalue(lua, -2);
            lua_setupvalue(lua, list + 1, number);
        }
        lua_settop(lua, list);
    }
    lua_pop(lua, 1);
}

/* The table and its copy are at `table` and `table` + 1. */
static void
restore_table(lua_State *lua, int table)
{
    int copy = table + 1;

    /* lua_next allows to clear fields on the way, not to add any. */
    lua_pushnil(lua);
    while (lua_next(lua, table)) {
        lua_pop(lua, 1);
        lua_pushvalue(lua, -1);
        if (lua_rawget(lua, copy) == LUA_TNIL) {
            lua_pushvalue(lua, -2);
            lua_pushnil(lua);
            lua_rawset(lua, table);
        }
        lua_pop(lua, 1);
    }
    lua_pushnil(lua);
    while (lua_next(lua, copy)) {
        lua_pushvalue(lua, -2);
        lua_rawget(lua, table);
        if (!lua_rawequal(lua, -1, -2)) {
            lua_pushvalue(lua, -3);
            lua_pushvalue(lua, -3);
            lua_rawset(lua, table);
        }
        lua_pop(lua, 2);
    }
}

void
script_state_restore(Script *script, const ScriptCode *code)
{
    lua_State *lua = script->vm.lua;
    int top = lua_gettop(lua);
    lua_Integer count;

    lua_rawgeti(lua, LUA_REGISTRYINDEX, code->state);
    restore_variables(lua, top + 1);
    count = push_list(lua, top + 1, TABLE_COUNT, TABLES);
    for (lua_Integer i = 1; i <= count; i += 2) {
        lua_rawgeti(lua, top + 2, i);
        lua_rawgeti(lua, top + 2, i + 1);
        restore_table(lua, top + 3);
        lua_settop(lua, top + 2);
    }
    lua_settop(lua, top);
}

/* --- Is anything different? ----------------------------------------------- */

static bool
variables_differ(lua_State *lua, int record)
{
    lua_Integer count = push_list(lua, record, VARIABLE_COUNT, VARIABLES);
    int list = lua_gettop(lua);
    bool differ = false;

    for (lua_Integer i = 1; i <= count && !differ; i += 3) {
        push_variable(lua, list, i);
        differ = !lua_rawequal(lua, -1, -2);
        lua_settop(lua, list);
    }
    lua_pop(lua, 1);
    return differ;
}

/* Does `table` lack something of `other`, or have it otherwise? */
static bool
lacks(lua_State *lua, int table, int other)
{
    int top = lua_gettop(lua);
    bool differ = false;

    lua_pushnil(lua);
    while (!differ && lua_next(lua, other)) {
        lua_pushvalue(lua, -2);
        lua_rawget(lua, table);
        differ = !lua_rawequal(lua, -1, -2);
        lua_pop(lua, 2);
    }
    lua_settop(lua, top);
    return differ;
}

bool
script_state_has_changed(Script *script, const ScriptCode *code)
{
    lua_State *lua = script->vm.lua;
    int top = lua_gettop(lua);
    lua_Integer count;
    bool changed;

    lua_rawgeti(lua, LUA_REGISTRYINDEX, code->state);
    changed = variables_differ(lua, top + 1);
    count = push_list(lua, top + 1, TABLE_COUNT, TABLES);
    for (lua_Integer i = 1; i <= count && !changed; i += 2) {
        lua_rawgeti(lua, top + 2, i);
        lua_rawgeti(lua, top + 2, i + 1);
        changed = lacks(lua, top + 3, top + 4) || lacks(lua, top + 4, top + 3);
        lua_settop(lua, top + 2);
    }
    lua_settop(lua, top);
    return changed;
}
