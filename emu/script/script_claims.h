/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_claims -- possible, never, certain, reach; and the names by which
 * claims call objects and regions.
 *
 * Layer 7; private to script*.c.
 */
#ifndef EMU_SCRIPT_SCRIPT_CLAIMS_H
#define EMU_SCRIPT_SCRIPT_CLAIMS_H

#include "base/base.h"
#include "script/script_context.h"

void script_claims_add_words(lua_State *lua);

/* Give objects and regions the names of the local variables that hold them,
 * as far as they have none.  To be called from a word. */
void script_claims_name_locals(lua_State *lua);

#endif
