/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_convert -- between Lua values and C values, by C type.
 *
 *      C                     Lua
 *      integers, enums       integer, checked against the type's range
 *      _Bool                 boolean (0 and 1 are taken too)
 *      pointers              reference, function, or nil for NULL
 *      structures, floats    never
 *
 * Also script_memory_convert() and script_memory_push_result() of
 * script_memory.h.  Layer 7; private to script*.c.
 */
#ifndef EMU_SCRIPT_SCRIPT_CONVERT_H
#define EMU_SCRIPT_SCRIPT_CONVERT_H

#include "base/base.h"
#include "script/script_context.h"

/* Push the scalar of `type` at `address`; `field` is its member if it may be
 * a bit-field, or NULL. */
void script_convert_load(lua_State *lua, gva_t address, const ImageType *type,
                         const ImageMember *field);

/* Write the Lua value at `index` there. */
void script_convert_store(lua_State *lua, gva_t address,
                          const ImageType *type, const ImageMember *field,
                          int index);

/* "int lwkt_seq_ipiq(globaldata_t target)"; caller frees. */
char *script_convert_prototype(const char *name, const ImageType *type);

#endif
