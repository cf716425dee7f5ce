/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "script/script_claims.h"

#include <lauxlib.h>
#include <lua.h>

#include "script/script_memory.h"
#include "script/script_predicates.h"
#include "script/script_words.h"

/* --- Claims --------------------------------------------------------------- */

static void
add_claim(lua_State *lua, Quantifier quantifier, int index)
{
    Script *script = script_of(lua);
    Predicate **slot = script_predicates_push(lua, index);
    Claim *claim = claim_new(quantifier, *slot, script_vm_line(lua));

    *slot = NULL;
    g_ptr_array_add(script->item->claims, claim);
    lua_pop(lua, 1);
}

static int
claim_word(lua_State *lua, Quantifier quantifier)
{
    lua_Integer count;

    if (script_of(lua)->item == NULL)
        return script_vm_fail(lua, "a claim belongs to a case: write "
                                   "case \"...\" above `%s`",
                              claim_quantifier_name(quantifier));
    if (lua_gettop(lua) > 1)
        return script_vm_fail(lua, "`%s` wants one predicate, or a list of "
                                   "them in braces",
                              claim_quantifier_name(quantifier));
    script_claims_name_locals(lua);
    lua_settop(lua, 1);
    if (!lua_istable(lua, 1)) {
        add_claim(lua, quantifier, 1);
        return 0;
    }
    count = (lua_Integer)lua_rawlen(lua, 1);
    lua_pushnil(lua);
    while (lua_next(lua, 1)) {
        if (!lua_isinteger(lua, 2) || lua_tointeger(lua, 2) < 1 ||
            lua_tointeger(lua, 2) > count)
            return script_vm_fail(lua, "`%s` wants a list of predicates",
                                  claim_quantifier_name(quantifier));
        lua_pop(lua, 1);
    }
    if (count == 0)
        return script_vm_fail(lua, "`%s` says nothing: its list is empty",
                              claim_quantifier_name(quantifier));
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(lua, 1, i);
        add_claim(lua, quantifier, 2);
        lua_settop(lua, 1);
    }
    return 0;
}

static int
l_possible(lua_State *lua)
{
    return claim_word(lua, CLAIM_POSSIBLE);
}

static int
l_never(lua_State *lua)
{
    return claim_word(lua, CLAIM_NEVER);
}

static int
l_certain(lua_State *lua)
{
    return claim_word(lua, CLAIM_CERTAIN);
}

static int
l_reach(lua_State *lua)
{
    return claim_word(lua, CLAIM_REACH);
}

/* --- Names of locals ------------------------------------------------------ */

/* `name` is of a local variable, or "name[key]" of a table in one; of several
 * of those the first in byte order. */
static void
give_name(lua_State *lua, int index, const char *name)
{
    const Scenario *scenario = script_of(lua)->scenario;
    const ScriptPlace *place = script_memory_place(lua, index);
    const unsigned *region = script_words_region(lua, index);
    char **kept;

    if (place != NULL && place->base == SCRIPT_BASE_OBJECT &&
        place->offset == 0)
        kept = &((Object *)g_ptr_array_index(scenario->objects, place->index))
                    ->name;
    else if (region != NULL)
        kept = &((Region *)g_ptr_array_index(scenario->regions, *region))
                    ->name;
    else
        return;
    if (*kept != NULL && !(strpbrk(*kept, "[.") != NULL &&
                           strpbrk(name, "[.") != NULL &&
                           strcmp(name, *kept) < 0))
        return;
    g_free(*kept);
    *kept = g_strdup(name);
}

/* The table is on top. */
static void
name_elements(lua_State *lua, const char *name)
{
    int table = lua_gettop(lua);
    char full[128];

    lua_pushnil(lua);
    while (lua_next(lua, table)) {
        if (lua_isuserdata(lua, -1)) {
            if (lua_isinteger(lua, -2))
                g_snprintf(full, sizeof full, "%s[%" PRId64 "]", name,
                           (int64_t)lua_tointeger(lua, -2));
            else if (lua_type(lua, -2) == LUA_TSTRING)
                g_snprintf(full, sizeof full, "%s.%s", name,
                           lua_tostring(lua, -2));
            else
                full[0] = '\0';
            if (full[0] != '\0')
                give_name(lua, lua_gettop(lua), full);
        }
        lua_pop(lua, 1);
    }
}

void
script_claims_name_locals(lua_State *lua)
{
    lua_Debug where;
    const char *name;

    for (int level = 0; lua_getstack(lua, level, &where); level++) {
        lua_getinfo(lua, "S", &where);
        if (strcmp(where.what, "main") != 0)
            continue;
        for (int i = 1; (name = lua_getlocal(lua, &where, i)) != NULL; i++) {
            if (name[0] != '(' && lua_istable(lua, -1))
                name_elements(lua, name);
            else if (name[0] != '(')
                give_name(lua, lua_gettop(lua), name);
            lua_pop(lua, 1);
        }
    }
}

void
script_claims_add_words(lua_State *lua)
{
    script_add_word(lua, SCRIPT_LOADING, "possible", l_possible);
    script_add_word(lua, SCRIPT_LOADING, "never", l_never);
    script_add_word(lua, SCRIPT_LOADING, "certain", l_certain);
    script_add_word(lua, SCRIPT_LOADING, "reach", l_reach);
}
