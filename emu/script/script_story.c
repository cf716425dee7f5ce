/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "script/script_story.h"

#include <lauxlib.h>
#include <lua.h>

#include "script/script_convert.h"
#include "script/script_memory.h"
#include "script/script_state.h"

/* --- Marks ---------------------------------------------------------------- */

static unsigned
mark_number(ScriptMarks *marks, const char *name)
{
    gpointer found = g_hash_table_lookup(marks->numbers, name);
    uint64_t never = 0;
    char *copy;

    if (found != NULL)
        return GPOINTER_TO_UINT(found) - 1;
    copy = g_strdup(name);
    g_ptr_array_add(marks->names, copy);
    g_array_append_val(marks->made, never);
    g_hash_table_insert(marks->numbers, copy,
                        GUINT_TO_POINTER(marks->names->len));
    return marks->names->len - 1;
}

static bool
is_made(const Script *script, unsigned mark)
{
    return g_array_index(script->marks.made, uint64_t, mark) ==
           script->run_number;
}

static int
l_mark(lua_State *lua)
{
    Script *script = script_of(lua);
    const char *name = script_check_string(lua, 1, "mark");
    unsigned mark = mark_number(&script->marks, name);

    g_array_index(script->marks.made, uint64_t, mark) = script->run_number;
    script->marks.count++;
    if (script->run.marked != NULL)
        script->run.marked(script->run.user, script->cpu,
                           g_ptr_array_index(script->marks.names, mark));
    return 0;
}

static int
l_await(lua_State *lua)
{
    Script *script = script_of(lua);
    ScriptStory *story = &script->stories[script->cpu];
    const char *name = script_check_string(lua, 1, "await");
    unsigned mark = mark_number(&script->marks, name);

    if (is_made(script, mark)) {
        if (script->run.passed != NULL)
            script->run.passed(script->run.user, script->cpu);
        return 0;
    }
    if (!lua_isyieldable(lua))
        return script_vm_fail(lua, "a story cannot wait in here");
    story->awaited = g_ptr_array_index(script->marks.names, mark);
    story->awaited_mark = mark;
    story->step = STORY_WAIT;
    return lua_yield(lua, 0);
}

int
script_story_choose(lua_State *lua)
{
    Script *script = script_of(lua);
    lua_Integer bound;
    int is_integer;
    uint64_t chosen = 0;

    bound = lua_tointegerx(lua, 1, &is_integer);
    if (!is_integer || bound < 1 || bound > INT32_MAX)
        return script_vm_fail(lua, "choose(n) gives one of 1 to n; n must be "
                                   "an integer from 1 to %d", INT32_MAX);
    if (bound > 1 && script->run.choose != NULL)
        chosen = script->run.choose(script->run.user, (uint64_t)bound);
    lua_pushinteger(lua, (lua_Integer)chosen + 1);
    return 1;
}

/* --- Calls ---------------------------------------------------------------- */

/* Raise what is wrong with a call, and show how the function is declared. */
static int
fail_call(lua_State *lua, const ScriptName *name, const char *trouble)
{
    char *prototype = script_convert_prototype(name->name, name->type);
    char shown[512];

    g_snprintf(shown, sizeof shown, "%s\n  %s", trouble, prototype);
    g_free(prototype);
    return script_vm_fail(lua, "%s", shown);
}

static void
check_count(lua_State *lua, const ScriptName *name, unsigned count)
{
    const ImageType *type = name->type;
    char trouble[160];

    if (count > STORY_ARGUMENTS_MAX)
        script_vm_fail(lua, "`%s` has %u arguments: a story can give at most "
                            "%u", name->name, count, STORY_ARGUMENTS_MAX);
    if (type == NULL || count == type->member_count ||
        (type->is_variadic && count > type->member_count))
        return;
    g_snprintf(trouble, sizeof trouble, "`%s` wants %u argument%s, not %u",
               name->name, type->member_count,
               type->member_count == 1 ? "" : "s", count);
    fail_call(lua, name, trouble);
}

static void
fill_call(lua_State *lua, const ScriptName *name, StoryCall *call)
{
    const ImageType *type = name->type;
    unsigned count = (unsigned)lua_gettop(lua) - 1;

    check_count(lua, name, count);
    call->function = name->symbol->address;
    call->argument_count = count;
    for (unsigned i = 0; i < count; i++) {
        const ImageType *parameter = type != NULL && i < type->member_count
                                         ? type->members[i].type
                                         : NULL;
        const char *trouble = script_memory_convert(
            lua, (int)i + 2, parameter, &call->arguments[i]);
        char shown[320];

        if (LIKELY(trouble == NULL))
            continue;
        g_snprintf(shown, sizeof shown, "argument %u of `%s`: %s", i + 1,
                   name->name, trouble);
        if (type == NULL)
            script_vm_fail(lua, "%s", shown);
        fail_call(lua, name, shown);
    }
}

static void
report_call(lua_State *lua, Script *script, const ScriptName *name)
{
    GString *text = g_string_new(name->name);

    g_string_append_c(text, '(');
    for (int i = 2; i <= lua_gettop(lua); i++) {
        if (i > 2)
            g_string_append(text, ", ");
        script_memory_describe(lua, i, text);
    }
    g_string_append_c(text, ')');
    script->run.called(script->run.user, script->cpu, text->str);
    g_string_free(text, TRUE);
}

static int
after_call(lua_State *lua, int status, lua_KContext context)
{
    const Script *script = script_of(lua);
    const ScriptStory *story = &script->stories[script->cpu];
    const ImageType *type = story->called;

    (void)status;
    (void)context;
    if (type != NULL && type->target->kind == IMAGE_TYPE_VOID)
        return 0;
    script_memory_push_result(lua, type == NULL ? NULL : type->target,
                              story->result);
    return 1;
}

static bool
can_return(const ImageType *type)
{
    switch (type->target->kind) {
    case IMAGE_TYPE_STRUCT:
    case IMAGE_TYPE_UNION:
    case IMAGE_TYPE_ARRAY:
    case IMAGE_TYPE_FLOAT:
        return false;
    default:
        return true;
    }
}

int
script_story_call(lua_State *lua)
{
    Script *script = script_of(lua);
    const ScriptName *name = script_memory_function(lua, 1);
    ScriptStory *story = &script->stories[script->cpu];

    if (name == NULL)
        return script_vm_fail(lua, "this is no guest function");
    if (script->mode != SCRIPT_STORY)
        return script_vm_fail(lua, "`%s` is a guest function: only the story "
                                   "of a cpu, cpu0() and so on, can call it",
                              name->name);
    if (!lua_isyieldable(lua))
        return script_vm_fail(lua, "a story cannot call `%s` in here",
                              name->name);
    if (name->symbol == NULL)
        return script_vm_fail(lua, "this build of the guest has no function "
                                   "`%s`", name->name);
    if (name->type != NULL && !can_return(name->type))
        return fail_call(lua, name, "a story cannot take what this returns");
    fill_call(lua, name, &story->call);
    if (script->run.called != NULL)
        report_call(lua, script, name);
    story->called = name->type;
    story->step = STORY_CALL;
    return lua_yieldk(lua, 0, 0, after_call);
}

/* --- Stories -------------------------------------------------------------- */

static void
begin(void *user)
{
    Script *script = user;

    INVARIANT(script->is_bound);
    script->run_number++;
    script->resumed++;
    script_state_restore(script, script->bound);
    for (unsigned cpu = 0; cpu < script->scenario->system.cpus; cpu++) {
        ScriptStory *story = &script->stories[cpu];

        if (story->started)
            script_vm_rewind(story->thread);
        story->started = false;
        story->ended = story->function == 0;
        story->awaited = NULL;
    }
}

static bool
next(void *user, unsigned cpu, uint64_t result, StoryStep *step,
     StoryCall *call, GError **error)
{
    Script *script = user;
    ScriptStory *story = &script->stories[cpu];
    bool yielded = false;

    INVARIANT(cpu < CPUS_MAX);
    *step = STORY_END;
    if (story->ended || story->function == 0)
        return true;
    if (story->awaited != NULL) {
        if (!is_made(script, story->awaited_mark)) {
            *step = STORY_WAIT;
            return true;
        }
        story->awaited = NULL;
    }
    if (!story->started) {
        lua_rawgeti(story->thread, LUA_REGISTRYINDEX, story->function);
        story->started = true;
    }
    story->result = result;
    script->resumed++;
    script->cpu = cpu;
    script_enter(script, SCRIPT_STORY);
    if (!script_vm_resume(&script->vm, story->thread, 0, &yielded, error)) {
        script->mode = SCRIPT_RESTING;
        story->ended = true;
        return false;
    }
    script->mode = SCRIPT_RESTING;
    if (!yielded) {
        story->ended = true;
        return true;
    }
    *step = story->step;
    if (story->step == STORY_CALL)
        *call = story->call;
    return true;
}

static uint64_t
marks(void *user)
{
    return ((Script *)user)->marks.count;
}

static const char *
awaited(void *user, unsigned cpu)
{
    const Script *script = user;

    INVARIANT(cpu < CPUS_MAX);
    return script->stories[cpu].awaited;
}

/* A run is asked often, and stories go on rarely. */
static bool
are_entangled(void *user)
{
    Script *script = user;

    if (script->looked_at != script->resumed) {
        script->looked_at = script->resumed;
        script->entangled = script_state_has_changed(script, script->bound);
    }
    return script->entangled;
}

Stories
script_stories(Script *script)
{
    return (Stories){
        .begin = begin,
        .next = next,
        .marks = marks,
        .awaited = awaited,
        .are_entangled = are_entangled,
        .user = script,
    };
}

void
script_story_bind(Script *script)
{
    for (unsigned cpu = 0; cpu < script->scenario->system.cpus; cpu++) {
        ScriptStory *story = &script->stories[cpu];

        if (story->started)
            script_vm_rewind(story->thread);
        story->function = script->bound->stories[cpu];
        story->started = false;
        story->ended = true;
        story->awaited = NULL;
        if (story->thread == NULL && story->function != 0) {
            story->thread = lua_newthread(script->vm.lua);
            luaL_ref(script->vm.lua, LUA_REGISTRYINDEX);
        }
    }
}

void
script_story_open(Script *script)
{
    script->marks = (ScriptMarks){
        .numbers = g_hash_table_new(g_str_hash, g_str_equal),
        .names = g_ptr_array_new_with_free_func(g_free),
        .made = g_array_new(FALSE, FALSE, sizeof(uint64_t)),
    };
}

void
script_story_clear(Script *script)
{
    g_hash_table_unref(script->marks.numbers);
    g_ptr_array_unref(script->marks.names);
    g_array_unref(script->marks.made);
}

void
script_story_add_words(lua_State *lua)
{
    script_add_word(lua, SCRIPT_STORY, "mark", l_mark);
    script_add_word(lua, SCRIPT_STORY, "await", l_await);
    script_add_word(lua, SCRIPT_STORY, "choose", script_story_choose);
}
