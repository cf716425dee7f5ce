/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_words -- the words that build a scenario: scenario, origin, system,
 * code, object, region, case, mutant, memory, explore.
 *
 * Layer 7; private to script*.c.
 */
#ifndef EMU_SCRIPT_SCRIPT_WORDS_H
#define EMU_SCRIPT_SCRIPT_WORDS_H

#include "base/base.h"
#include "script/script_context.h"

/* Metatable of regions. */
#define SCRIPT_REGION "region"

void script_words_add(lua_State *lua);

/* The number of the region at `index`, or NULL. */
const unsigned *script_words_region(lua_State *lua, int index);

#endif
