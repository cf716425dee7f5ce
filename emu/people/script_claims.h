/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_claims -- predicates as Lua values, and the four claims.
 *
 *      waiting(0) & waiting(1)                  a region, inside which a cpu is
 *      touch(cs[0]) :after (leave(0, f))        events, in an order
 *      rule | stuck { cpu = 0, inside = f }     endings
 *      function() return gd(0).gd_npoll == 1 end    memory at the end
 *
 * Operators copy their operands: trees never share.  A predicate, a region or
 * a function can stand wherever a predicate is wanted; a region alone means
 * any cpu.
 *
 * Layer 7; private to script*.c.
 */
#ifndef EMU_PEOPLE_SCRIPT_CLAIMS_H
#define EMU_PEOPLE_SCRIPT_CLAIMS_H

#include "base/base.h"
#include "people/script_context.h"

/* Make the metatables; once. */
void script_claims_open(Script *script);

/* possible ... budget: all words that make predicates or claims. */
void script_claims_add_words(lua_State *lua);
/* rax(cpu) ... r15(cpu), for bare systems. */
void script_claims_add_registers(lua_State *lua);

/* The point of an enter, leave or at without a cpu, or NULL. */
const Point *script_claims_point(lua_State *lua, int index);

/* A guest function at `index`, and perhaps a quoted line of it after it;
 * checked against the image.  `point` is replaced. */
void script_claims_check_point(lua_State *lua, int index, const char *word,
                               Point *point);

/* Give objects and regions the names of the local variables that hold them,
 * as far as they have none.  To be called from a word. */
void script_claims_name_locals(lua_State *lua);

#endif
