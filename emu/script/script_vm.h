/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_vm -- a Lua state that can do no harm.
 *
 *      what could leak in or get out      what stands there instead
 *      io os require load debug ...       nothing
 *      pairs, next                        the same, in order of the keys
 *      math.random                        an error that names choose()
 *      tostring of a table, "%p"          no addresses
 *      print                              an error that names mark
 *      patterns, pcall, metatables        nothing: they can outwit the limits
 *      an endless loop, endless memory    an error with file and line
 *
 * Lua raises errors by long jumps, which skip g_auto* cleanups.  So functions
 * that Lua calls own nothing when they raise; trouble found below them comes
 * as a GError and is handed to script_vm_raise(), which keeps its text here.
 *
 * The chunk is compiled under a name that no text contains, and messages get
 * the file's path in its place: Lua itself would cut a long path short.
 *
 * Layer 7; embedded in its owner.
 */
#ifndef EMU_SCRIPT_SCRIPT_VM_H
#define EMU_SCRIPT_SCRIPT_VM_H

#include "base/base.h"

typedef struct lua_State lua_State; /* of lua.h */

typedef enum ScriptError {
    SCRIPT_ERROR_FILE,     /* cannot be read */
    SCRIPT_ERROR_SYNTAX,   /* is not Lua */
    SCRIPT_ERROR_SCENARIO, /* Lua, but what it says makes no sense */
} ScriptError;

#define SCRIPT_ERROR script_error_quark()
GQuark script_error_quark(void);

/* Limits: bytes in use, bytes of one string and of one file, and VM
 * instructions while loading and between two calls of a story. */
#define SCRIPT_BYTES_MAX (64u * 1024u * 1024u)
#define SCRIPT_STRING_BYTES_MAX (64u * 1024u)
#define SCRIPT_FILE_BYTES_MAX (1024u * 1024u)
#define SCRIPT_LOAD_INSTRUCTIONS INT64_C(20000000)
#define SCRIPT_STEP_INSTRUCTIONS INT64_C(2000000)

#define SCRIPT_MESSAGE_BYTES 2048

typedef struct ScriptVm {
    lua_State *lua;
    lua_State *caller;    /* the coroutine of script_vm_call() */
    char *path;
    size_t bytes;         /* in use by Lua */
    bool limited;         /* running the scenario's code: limits hold */
    int64_t instructions; /* that it may still execute */
    char message[SCRIPT_MESSAGE_BYTES]; /* of the trouble being raised */
    void *owner;
} ScriptVm;

/* `owner` is what script_vm_owner() gives. */
void script_vm_init(ScriptVm *vm, const char *path, void *owner);
void script_vm_clear(ScriptVm *vm);

/* The owner of the state that `lua` belongs to. */
void *script_vm_owner(lua_State *lua);

/* Read and compile the file; the function is on the stack, and its _ENV is
 * the table that was on top. */
bool script_vm_compile(ScriptVm *vm, GError **error);

/* Call the function below `arguments` values, within `instructions`.  On
 * failure the stack is as before, without function and arguments.  The
 * function must not yield. */
bool script_vm_call(ScriptVm *vm, int arguments, int results,
                    int64_t instructions, GError **error);

/* Start or continue a coroutine, within SCRIPT_STEP_INSTRUCTIONS.  `arguments`
 * values (and the function, at first) are on its stack. */
bool script_vm_resume(ScriptVm *vm, lua_State *thread, int arguments,
                      bool *yielded, GError **error);

/* A coroutine stands at its start again, its stack empty. */
void script_vm_rewind(lua_State *thread);

/* Raise an error at the scenario's line that called; takes `error`. */
int script_vm_raise(lua_State *lua, GError *error);
/* The same with a text. */
int script_vm_fail(lua_State *lua, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/* The line of the scenario that called the running function; 0: none. */
unsigned script_vm_line(lua_State *lua);

/* Push a new table with the functions a scenario may use. */
void script_vm_push_library(lua_State *lua);

#endif
