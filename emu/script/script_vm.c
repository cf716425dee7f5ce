/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "script/script_vm.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdarg.h>
#include <stdlib.h>

G_DEFINE_QUARK(heddle-script, script_error)

/* Stands for the path in chunk names and messages. */
#define PATH_MARK "\001"

/* How often the instructions are counted. */
#define HOOK_INTERVAL 1000

/* So many bytes allocated cost as much as one instruction. */
#define BYTES_PER_INSTRUCTION 64

/*
 * Lua's allocator.  Limits hold only while the scenario's own code runs: our
 * own use of the state, outside of protected calls, must never fail.  Copying
 * is work, so that allocating counts as instructions.
 */
static void *
allocate(void *user, void *block, size_t old_size, size_t new_size)
{
    ScriptVm *vm = user;
    bool is_string = block == NULL && old_size == LUA_TSTRING;
    size_t used = block == NULL ? 0 : old_size;

    if (new_size == 0) {
        free(block);
        vm->bytes -= used;
        return NULL;
    }
    if (vm->limited && new_size > used) {
        if (new_size - used > SCRIPT_BYTES_MAX - MIN(vm->bytes,
                                                     SCRIPT_BYTES_MAX))
            return NULL;
        if (is_string && new_size > SCRIPT_STRING_BYTES_MAX)
            return NULL;
        vm->instructions -= (int64_t)(new_size / BYTES_PER_INSTRUCTION);
    }
    block = g_realloc(block, new_size);
    vm->bytes = vm->bytes - used + new_size;
    return block;
}

static int
panic(lua_State *lua)
{
    BUG("a Lua error was not caught: %s", lua_tostring(lua, -1));
    return 0;
}

void *
script_vm_owner(lua_State *lua)
{
    return (*(ScriptVm **)lua_getextraspace(lua))->owner;
}

static ScriptVm *
vm_of(lua_State *lua)
{
    return *(ScriptVm **)lua_getextraspace(lua);
}

static void
count_instructions(lua_State *lua, lua_Debug *where)
{
    ScriptVm *vm = vm_of(lua);

    if (!vm->limited)
        return;
    vm->instructions -= HOOK_INTERVAL;
    if (vm->instructions > 0)
        return;
    lua_getinfo(lua, "Sl", where);
    lua_pushfstring(lua, "%s:%d: this runs on and on: an endless loop?",
                    where->short_src, where->currentline);
    lua_error(lua);
}

void
script_vm_init(ScriptVm *vm, const char *path, void *owner)
{
    *vm = (ScriptVm){.path = g_strdup(path), .owner = owner};
    vm->lua = lua_newstate(allocate, vm);
    if (vm->lua == NULL)
        g_error("out of memory: a Lua state");
    *(ScriptVm **)lua_getextraspace(vm->lua) = vm;
    lua_atpanic(vm->lua, panic);
    lua_sethook(vm->lua, count_instructions, LUA_MASKCOUNT, HOOK_INTERVAL);
    vm->caller = lua_newthread(vm->lua);
    luaL_ref(vm->lua, LUA_REGISTRYINDEX);
}

void
script_vm_clear(ScriptVm *vm)
{
    if (vm->lua != NULL)
        lua_close(vm->lua);
    g_free(vm->path);
    *vm = (ScriptVm){0};
}

/* --- Errors --------------------------------------------------------------- */

/* Functions of the scenario that are shown on the way to an error. */
#define CALLERS_MAX 8

/* Where the functions of the scenario stand: the first position is put in
 * front of a text that has none, the others come after it. */
static void
add_positions(lua_State *lua, GString *text)
{
    lua_Debug where;
    unsigned shown = 0;

    for (int level = 0; lua_getstack(lua, level, &where); level++) {
        lua_getinfo(lua, "Sl", &where);
        if (where.currentline <= 0)
            continue;
        if (shown == 0 && !g_str_has_prefix(text->str, PATH_MARK)) {
            g_autofree char *position = g_strdup_printf(
                PATH_MARK ":%d: ", where.currentline);

            g_string_prepend(text, position);
        } else if (shown == CALLERS_MAX) {
            g_string_append(text, "\n  and so on");
            return;
        } else if (shown != 0) {
            g_string_append_printf(text, "\n  called from %s:%d",
                                   where.short_src, where.currentline);
        }
        shown++;
    }
}

/* Fill vm->message from the error value on top of `lua`, which stays. */
static void
describe_error(ScriptVm *vm, lua_State *lua)
{
    GString *text = g_string_new(NULL);

    if (lua_type(lua, -1) == LUA_TSTRING)
        g_string_append(text, lua_tostring(lua, -1));
    else
        g_string_append_printf(text, "an error that is a %s, not a text",
                               luaL_typename(lua, -1));
    if (strcmp(text->str, "not enough memory") == 0)
        g_string_printf(text,
                        "too much memory: more than %u MiB, or a string of "
                        "more than %u KiB", SCRIPT_BYTES_MAX >> 20,
                        SCRIPT_STRING_BYTES_MAX >> 10);
    add_positions(lua, text);
    if (!g_str_has_prefix(text->str, PATH_MARK))
        g_string_prepend(text, PATH_MARK ": ");
    g_string_replace(text, PATH_MARK, vm->path, 0);
    g_strlcpy(vm->message, text->str, sizeof vm->message);
    g_string_free(text, TRUE);
}

static bool
fail(const ScriptVm *vm, GError **error)
{
    g_set_error_literal(error, SCRIPT_ERROR, SCRIPT_ERROR_SCENARIO,
                        vm->message);
    return false;
}

int
script_vm_fail(lua_State *lua, const char *format, ...)
{
    ScriptVm *vm = vm_of(lua);
    va_list args;

    va_start(args, format);
    g_vsnprintf(vm->message, sizeof vm->message, format, args);
    va_end(args);
    return luaL_error(lua, "%s", vm->message);
}

int
script_vm_raise(lua_State *lua, GError *error)
{
    ScriptVm *vm = vm_of(lua);

    g_strlcpy(vm->message, error->message, sizeof vm->message);
    g_error_free(error);
    return luaL_error(lua, "%s", vm->message);
}

unsigned
script_vm_line(lua_State *lua)
{
    lua_Debug where;

    for (int level = 1; lua_getstack(lua, level, &where); level++) {
        lua_getinfo(lua, "l", &where);
        if (where.currentline > 0)
            return (unsigned)where.currentline;
    }
    return 0;
}

/* --- Running -------------------------------------------------------------- */

bool
script_vm_compile(ScriptVm *vm, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) cause = NULL;
    size_t size = 0;
    int status;

    if (strchr(vm->path, '\n') != NULL) {
        lua_pop(vm->lua, 1);
        g_set_error(error, SCRIPT_ERROR, SCRIPT_ERROR_FILE,
                    "%s: traces cannot name it, because of the line break: "
                    "rename it", vm->path);
        return false;
    }
    if (!g_file_get_contents(vm->path, &text, &size, &cause)) {
        lua_pop(vm->lua, 1);
        g_set_error(error, SCRIPT_ERROR, SCRIPT_ERROR_FILE,
                    "%s: cannot be read%s", vm->path,
                    cause->code == G_FILE_ERROR_NOENT ? ": no such file"
                    : cause->code == G_FILE_ERROR_ISDIR ? ": it is a folder"
                                                        : "");
        return false;
    }
    if (size > SCRIPT_FILE_BYTES_MAX) {
        lua_pop(vm->lua, 1);
        g_set_error(error, SCRIPT_ERROR, SCRIPT_ERROR_FILE,
                    "%s: is larger than a scenario can be (%u KiB)", vm->path,
                    SCRIPT_FILE_BYTES_MAX >> 10);
        return false;
    }
    vm->limited = true;
    vm->instructions = SCRIPT_LOAD_INSTRUCTIONS;
    status = luaL_loadbufferx(vm->lua, text, size, "=" PATH_MARK, "t");
    vm->limited = false;
    if (status != LUA_OK) {
        describe_error(vm, vm->lua);
        lua_pop(vm->lua, 2);
        g_set_error_literal(error, SCRIPT_ERROR, SCRIPT_ERROR_SYNTAX,
                            vm->message);
        return false;
    }
    lua_insert(vm->lua, -2);
    lua_setupvalue(vm->lua, -2, 1);
    return true;
}

/* In a coroutine, since the stack of one is still there after an error, also
 * after one that no message handler is asked about. */
bool
script_vm_call(ScriptVm *vm, int arguments, int results, int64_t instructions,
               GError **error)
{
    int given = 0;
    int status;

    lua_xmove(vm->lua, vm->caller, arguments + 1);
    vm->limited = true;
    vm->instructions = instructions;
    status = lua_resume(vm->caller, vm->lua, arguments, &given);
    vm->limited = false;
    if (LIKELY(status == LUA_OK)) {
        lua_settop(vm->caller, results);
        lua_xmove(vm->caller, vm->lua, results);
        return true;
    }
    INVARIANT(status != LUA_YIELD);
    describe_error(vm, vm->caller);
    script_vm_rewind(vm->caller);
    return fail(vm, error);
}

bool
script_vm_resume(ScriptVm *vm, lua_State *thread, int arguments,
                 bool *yielded, GError **error)
{
    int results = 0;
    int status;

    vm->limited = true;
    vm->instructions = SCRIPT_STEP_INSTRUCTIONS;
    status = lua_resume(thread, vm->lua, arguments, &results);
    vm->limited = false;
    if (LIKELY(status == LUA_OK || status == LUA_YIELD)) {
        lua_pop(thread, results);
        *yielded = status == LUA_YIELD;
        return true;
    }
    describe_error(vm, thread);
    return fail(vm, error);
}

void
script_vm_rewind(lua_State *thread)
{
#if LUA_VERSION_RELEASE_NUM >= 50406
    lua_closethread(thread, NULL);
#else
    lua_resetthread(thread);
#endif
    lua_settop(thread, 0);
}
