/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_system -- reads a rules.lua, which is data that happens to be Lua.
 *
 * Layer 7; serves system.c.
 */
#ifndef EMU_SCRIPT_SCRIPT_SYSTEM_H
#define EMU_SCRIPT_SCRIPT_SYSTEM_H

#include "base/base.h"

typedef struct System System;

/* Fill `system`, fresh from system_new(), from the file at `path`. */
bool script_system_read(System *system, const char *path, GError **error);

#endif
