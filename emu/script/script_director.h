/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_director -- schedule() as a coroutine, and its words.
 *
 *      step(cpu [, n])        n steps of a core
 *      run_to(cpu, f)         until it stands at the start of f, or
 *      run_to(cpu, f, "...")  at a quoted line of f, or
 *      run_to(cpu, leave(f))  at any point
 *      run(cpu)               until it stops by itself
 *      hold(cpu)  release(cpu)
 *      hold_ipi(cpu)  release_ipi(cpu)
 *      deliver_ipi(cpu)  drop_ipi(cpu)      the oldest message to that cpu
 *      free_run(n)            n steps as the strategy likes, within the holds
 *
 * Each returns whether it did what it was to do.
 *
 * Layer 7; private to script*.c.
 */
#ifndef EMU_SCRIPT_SCRIPT_DIRECTOR_H
#define EMU_SCRIPT_SCRIPT_DIRECTOR_H

#include "base/base.h"
#include "script/script_context.h"

void script_director_bind(Script *script);
void script_director_clear(Script *script);
void script_director_add_words(lua_State *lua);

/* schedule() writes `size` bytes of memory that is no code: a command like
 * others, so it does not return where the schedule waits for it to be done. */
void script_director_write(lua_State *lua, gpa_t physical, uint64_t size,
                           uint64_t value);

#endif
