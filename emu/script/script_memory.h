/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_memory -- guest names and guest memory as Lua values.
 *
 *      lwkt_send_ipiq3      function    in a story: calls it
 *      ipiq_debug           scalar      its value, by its C type
 *      ipiq_stats_percpu    reference   [0].ipiq_fifofull reads and writes
 *      gd(1), object "int"  reference   passes as a pointer
 *
 * A reference is a C lvalue of one type, or an array of them: fields and
 * elements of structures and arrays are references again, pointers are
 * followed as C follows them, everything else is a value.  NULL is nil.
 * Unsigned 64-bit integers are Lua's, so those above 2^63 are negative.
 *
 * References made while loading are symbolic: they find their address in each
 * image and each run anew.  Their types are those of the image that served
 * loading; builds of one system differ in code, not in layout.
 *
 * Layer 7; private to script*.c.
 */
#ifndef EMU_SCRIPT_SCRIPT_MEMORY_H
#define EMU_SCRIPT_SCRIPT_MEMORY_H

#include "base/base.h"
#include "script/script_context.h"

typedef enum ScriptBase {
    SCRIPT_BASE_ADDRESS,    /* `offset` is the address */
    SCRIPT_BASE_NAME,       /* of variable number `index` */
    SCRIPT_BASE_OBJECT,     /* of the scenario's object `index` */
    SCRIPT_BASE_GLOBALDATA, /* of cpu `index` */
} ScriptBase;

/* A reference, a value; what Lua holds is a copy. */
typedef struct ScriptPlace {
    ScriptBase base;
    unsigned index;
    uint64_t offset;
    const ImageType *type; /* of one element */
    uint64_t count;        /* elements; 0: not known, as behind a pointer */
} ScriptPlace;

/* Make the metatables; once. */
void script_memory_open(Script *script);

void script_memory_push_place(lua_State *lua, const ScriptPlace *place);
/* NULL if the value is no reference. */
const ScriptPlace *script_memory_place(lua_State *lua, int index);
/* NULL if the value is no guest function. */
const ScriptName *script_memory_function(lua_State *lua, int index);

/* The address of a place in the bound run; raises if there is none. */
gva_t script_memory_address(lua_State *lua, const ScriptPlace *place);

/* Push the value of a guest variable or function. */
void script_memory_push_name(lua_State *lua, unsigned number);
/* Write the value at `index` to the guest variable. */
void script_memory_write_name(lua_State *lua, unsigned number, int index);

/* The address, integer or truth at `index` as C would pass it for `type`
 * (NULL: any).  Returns NULL, or what is wrong, until the next call. */
const char *script_memory_convert(lua_State *lua, int index,
                                  const ImageType *type, uint64_t *bits);

/* Push what a call returned. */
void script_memory_push_result(lua_State *lua, const ImageType *type,
                               uint64_t bits);

/* Append the value at `index` as a scenario would write it. */
void script_memory_describe(lua_State *lua, int index, GString *text);

/* gd(n), cpumask(n, ...): words for all modes. */
void script_memory_add_words(lua_State *lua);

/* The number of a guest name in the bound image; false if it has none. */
bool script_memory_lookup(Script *script, const char *name, unsigned *number);
/* Another image was bound: look up all names again. */
void script_memory_rebind(Script *script);

/* A call of a guest function in a story: the function is the first value on
 * the stack.  In script_story.c. */
int script_story_call(lua_State *lua);

#endif
