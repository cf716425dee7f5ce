/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_predicates -- predicates as Lua values.
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
#ifndef EMU_SCRIPT_SCRIPT_PREDICATES_H
#define EMU_SCRIPT_SCRIPT_PREDICATES_H

#include "base/base.h"
#include "script/script_context.h"

/* Make the metatables; once. */
void script_predicates_open(Script *script);

/* enter ... lost_message: all words that make predicates. */
void script_predicates_add_words(lua_State *lua);
/* at, enter, leave alone, which schedule() has too. */
void script_predicates_add_points(lua_State *lua, ScriptMode mode);
/* rax(cpu) ... r15(cpu), for bare systems. */
void script_predicates_add_registers(lua_State *lua);

/* Push a copy of the predicate that stands at `index`, or raise if there is
 * none.  Who takes it out of its slot puts NULL there. */
Predicate **script_predicates_push(lua_State *lua, int index);

/* The point of an enter, leave or at without a cpu, or NULL. */
const Point *script_predicates_point(lua_State *lua, int index);

/* A guest function at `index`, and perhaps a quoted line of it after it;
 * checked against the image.  `point` is replaced. */
void script_predicates_check_point(lua_State *lua, int index,
                                   const char *word, Point *point);

#endif
