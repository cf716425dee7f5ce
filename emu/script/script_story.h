/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_story -- cpuN() as a coroutine: its guest calls, mark, await, choose.
 *
 *      run ── next(cpu, result) ──▶ resume ─▶ cpu0() ─▶ lwkt_send_ipiq3(...)
 *          ◀── CALL, function ───── yield ◀────────────────┘
 *
 * A mark, once made, holds for the rest of the run.  Coroutines are made when
 * a case first needs them and rewound for each run.
 *
 * Layer 7; private to script*.c.
 */
#ifndef EMU_SCRIPT_SCRIPT_STORY_H
#define EMU_SCRIPT_SCRIPT_STORY_H

#include "base/base.h"
#include "script/script_context.h"

void script_story_open(Script *script);
void script_story_clear(Script *script);

/* Take the functions of the case that is bound. */
void script_story_bind(Script *script);

/* mark, await, choose. */
void script_story_add_words(lua_State *lua);

/* choose(n) alone, which schedule() has too. */
int script_story_choose(lua_State *lua);

#endif
