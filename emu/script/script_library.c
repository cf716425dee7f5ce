/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a scenario may use of Lua's library: a list of what is harmless, not
 * of what is not.  Part of script_vm.h.
 */
#include "base/base.h"

#include "script/script_vm.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#define REPEATS_MAX 65536

/* --- Tables in order ------------------------------------------------------ */

static unsigned
key_rank(lua_State *lua, int index)
{
    switch (lua_type(lua, index)) {
    case LUA_TNUMBER:
        return 0;
    case LUA_TSTRING:
        return 1;
    case LUA_TBOOLEAN:
        return 2;
    default:
        return 3;
    }
}

/* Bytes, not the locale's order; a prefix comes first. */
static int
compare_strings(lua_State *lua, int left, int right)
{
    size_t left_size, right_size;
    const char *a = lua_tolstring(lua, left, &left_size);
    const char *b = lua_tolstring(lua, right, &right_size);
    int order = memcmp(a, b, MIN(left_size, right_size));

    if (order != 0)
        return order;
    return left_size < right_size ? -1 : left_size > right_size;
}

/* Numbers, then strings, then false and true.  Absolute indices. */
static bool
key_is_before(lua_State *lua, int left, int right)
{
    unsigned left_rank = key_rank(lua, left);
    unsigned right_rank = key_rank(lua, right);

    if (left_rank != right_rank)
        return left_rank < right_rank;
    if (left_rank == 0)
        return lua_compare(lua, left, right, LUA_OPLT);
    if (left_rank == 1)
        return compare_strings(lua, left, right) < 0;
    return !lua_toboolean(lua, left) && lua_toboolean(lua, right);
}

/* next(t [, key]): the key that comes after `key` in order.  Looks at every
 * key, so that it is right even while the table changes. */
static int
l_next(lua_State *lua)
{
    bool from_start = lua_isnoneornil(lua, 2);

    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_settop(lua, 2);
    lua_pushnil(lua); /* 3: the best so far */
    lua_pushnil(lua); /* 4: the key of the walk */
    while (lua_next(lua, 1)) {
        lua_pop(lua, 1);
        if (key_rank(lua, 4) > 2)
            return luaL_error(lua, "a table with a %s as key has no order",
                              luaL_typename(lua, 4));
        if ((from_start || key_is_before(lua, 2, 4)) &&
            (lua_isnil(lua, 3) || key_is_before(lua, 4, 3))) {
            lua_pushvalue(lua, 4);
            lua_replace(lua, 3);
        }
    }
    if (lua_isnil(lua, 3))
        return 1;
    lua_pushvalue(lua, 3);
    lua_rawget(lua, 1);
    return 2;
}

static int
l_key_is_before(lua_State *lua)
{
    lua_pushboolean(lua, key_is_before(lua, 1, 2));
    return 1;
}

/* Upvalues: the sorted keys, how many were told, the table. */
static int
l_pairs_step(lua_State *lua)
{
    lua_Integer told = lua_tointeger(lua, lua_upvalueindex(2));

    for (;;) {
        lua_settop(lua, 0);
        if (lua_rawgeti(lua, lua_upvalueindex(1), ++told) == LUA_TNIL)
            return 1;
        lua_pushvalue(lua, 1);
        if (lua_rawget(lua, lua_upvalueindex(3)) != LUA_TNIL)
            break; /* it is still there */
    }
    lua_pushinteger(lua, told);
    lua_replace(lua, lua_upvalueindex(2));
    return 2;
}

/* Upvalue: table.sort. */
static int
l_pairs(lua_State *lua)
{
    lua_Integer count = 0;

    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_settop(lua, 1);
    lua_newtable(lua); /* 2: the keys */
    lua_pushnil(lua);
    while (lua_next(lua, 1)) {
        lua_pop(lua, 1);
        if (key_rank(lua, 3) > 2)
            return luaL_error(lua, "a table with a %s as key has no order",
                              luaL_typename(lua, 3));
        lua_pushvalue(lua, 3);
        lua_rawseti(lua, 2, ++count);
    }
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_pushvalue(lua, 2);
    lua_pushcfunction(lua, l_key_is_before);
    lua_call(lua, 2, 0);
    lua_pushinteger(lua, 0);
    lua_pushvalue(lua, 1);
    lua_pushcclosure(lua, l_pairs_step, 3);
    return 1;
}

/* --- Texts without addresses ---------------------------------------------- */

static bool
is_opaque(lua_State *lua, int index)
{
    int type = lua_type(lua, index);

    return type == LUA_TTABLE || type == LUA_TFUNCTION ||
           type == LUA_TTHREAD || type == LUA_TLIGHTUSERDATA;
}

static int
l_tostring(lua_State *lua)
{
    luaL_checkany(lua, 1);
    if (is_opaque(lua, 1))
        lua_pushstring(lua, luaL_typename(lua, 1));
    else
        luaL_tolstring(lua, 1, NULL);
    return 1;
}

/* Upvalue: string.format. */
static int
l_format(lua_State *lua)
{
    const char *format = luaL_checkstring(lua, 1);

    for (const char *at = strchr(format, '%'); at != NULL;
         at = strchr(at, '%')) {
        at += 1 + strspn(at + 1, "-+ #0123456789.");
        if (*at == 'p')
            return luaL_error(lua, "%%p is an address of the host, which no "
                                   "scenario may see");
        if (*at == '%')
            at++;
    }
    for (int i = 2; i <= lua_gettop(lua); i++)
        if (is_opaque(lua, i)) {
            lua_pushstring(lua, luaL_typename(lua, i));
            lua_replace(lua, i);
        }
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, lua_gettop(lua) - 1, 1);
    return 1;
}

/* Upvalue: string.rep, which would count to 2^63 over an empty string. */
static int
l_rep(lua_State *lua)
{
    luaL_argcheck(lua, luaL_checkinteger(lua, 2) <= REPEATS_MAX, 2,
                  "too many");
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, lua_gettop(lua) - 1, 1);
    return 1;
}

static int
l_no_random(lua_State *lua)
{
    return luaL_error(lua, "there is no chance but the run's: use choose(n) "
                           "in a story");
}

static int
l_no_print(lua_State *lua)
{
    return luaL_error(lua, "a scenario cannot print: mark \"...\" shows in "
                           "the report of a run");
}

/* --- The list ------------------------------------------------------------- */

/* Copy functions, by name, from the table on top into a new one, which takes
 * its place. */
static void
choose_functions(lua_State *lua, const char *const *chosen)
{
    lua_newtable(lua);
    for (; *chosen != NULL; chosen++) {
        lua_getfield(lua, -2, *chosen);
        lua_setfield(lua, -2, *chosen);
    }
    lua_remove(lua, -2);
}

/* The field `name` of the table on top becomes a closure over what it was. */
static void
wrap(lua_State *lua, const char *name, lua_CFunction function)
{
    lua_getfield(lua, -1, name);
    lua_pushcclosure(lua, function, 1);
    lua_setfield(lua, -2, name);
}

static void
push_string_library(lua_State *lua)
{
    static const char *const chosen[] = {"byte",    "char", "format", "len",
                                         "lower",   "rep",  "reverse", "sub",
                                         "upper",   NULL};

    luaL_requiref(lua, LUA_STRLIBNAME, luaopen_string, 0);
    choose_functions(lua, chosen);
    wrap(lua, "format", l_format);
    wrap(lua, "rep", l_rep);

    /* ("x"):rep(3) must not reach the real library. */
    lua_pushliteral(lua, "");
    lua_getmetatable(lua, -1);
    lua_pushvalue(lua, -3);
    lua_setfield(lua, -2, "__index");
    lua_pop(lua, 2);
}

static void
push_math_library(lua_State *lua)
{
    static const char *const chosen[] = {
        "abs", "ceil",       "floor",     "fmod", "huge", "max", "maxinteger",
        "min", "mininteger", "tointeger", "type", "ult",  NULL};

    luaL_requiref(lua, LUA_MATHLIBNAME, luaopen_math, 0);
    choose_functions(lua, chosen);
    lua_pushcfunction(lua, l_no_random);
    lua_setfield(lua, -2, "random");
    lua_pushcfunction(lua, l_no_random);
    lua_setfield(lua, -2, "randomseed");
}

void
script_vm_push_library(lua_State *lua)
{
    static const char *const basic[] = {"assert",   "error", "ipairs",
                                        "select",   "tonumber", "type",
                                        NULL};
    static const char *const table[] = {"concat", "insert", "pack", "remove",
                                        "sort",   "unpack", NULL};

    luaL_requiref(lua, LUA_GNAME, luaopen_base, 0);
    choose_functions(lua, basic);
    lua_pushcfunction(lua, l_next);
    lua_setfield(lua, -2, "next");
    lua_pushcfunction(lua, l_tostring);
    lua_setfield(lua, -2, "tostring");
    lua_pushcfunction(lua, l_no_print);
    lua_setfield(lua, -2, "print");
    push_string_library(lua);
    lua_setfield(lua, -2, "string");
    push_math_library(lua);
    lua_setfield(lua, -2, "math");

    luaL_requiref(lua, LUA_TABLIBNAME, luaopen_table, 0);
    choose_functions(lua, table);
    lua_getfield(lua, -1, "sort");
    lua_pushcclosure(lua, l_pairs, 1);
    lua_setfield(lua, -3, "pairs");
    lua_setfield(lua, -2, "table");
}
