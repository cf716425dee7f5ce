/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "script/script_system.h"

#include <lauxlib.h>
#include <lua.h>

#include "script/script_vm.h"
#include "script/system.h"

/*
 * Everything below runs in one protected call: the functions raise what is
 * wrong with the table, and own nothing but what already belongs to the
 * System.  The table being read is on top of the stack.
 */

/* The string `key`, or NULL when it is absent. */
static char *
optional_string(lua_State *lua, const char *key)
{
    char *text = NULL;

    switch (lua_getfield(lua, -1, key)) {
    case LUA_TSTRING:
        text = g_strdup(lua_tostring(lua, -1));
        break;
    case LUA_TNIL:
        break;
    default:
        script_vm_fail(lua, "`%s` must be a string", key);
    }
    lua_pop(lua, 1);
    return text;
}

static char *
required_string(lua_State *lua, const char *key)
{
    char *text = optional_string(lua, key);

    if (text == NULL)
        script_vm_fail(lua, "the string `%s` is missing", key);
    return text;
}

static bool
optional_integer(lua_State *lua, const char *key, int64_t *value)
{
    int type = lua_getfield(lua, -1, key);

    if (type != LUA_TNIL && !lua_isinteger(lua, -1))
        script_vm_fail(lua, "`%s` must be an integer", key);
    *value = lua_tointeger(lua, -1);
    lua_pop(lua, 1);
    return type != LUA_TNIL;
}

/* Push the table `key`; false, and nothing pushed, when it is absent. */
static bool
push_section(lua_State *lua, const char *key)
{
    int type = lua_getfield(lua, -1, key);

    if (type == LUA_TNIL) {
        lua_pop(lua, 1);
        return false;
    }
    if (type != LUA_TTABLE)
        script_vm_fail(lua, "`%s` must be a table", key);
    return true;
}

/* Append the strings of the list `key`, which may be absent. */
static void
read_list(lua_State *lua, const char *key, GPtrArray *list)
{
    if (!push_section(lua, key))
        return;
    for (lua_Integer i = 1; lua_rawgeti(lua, -1, i) != LUA_TNIL; i++) {
        if (lua_type(lua, -1) != LUA_TSTRING)
            script_vm_fail(lua, "`%s` must be a list of strings", key);
        g_ptr_array_add(list, g_strdup(lua_tostring(lua, -1)));
        lua_pop(lua, 1);
    }
    lua_pop(lua, 2);
}

static int
compare_axes(gconstpointer a, gconstpointer b)
{
    const SystemAxis *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

static void
read_axes(lua_State *lua, System *system)
{
    if (!push_section(lua, "axes"))
        return;
    lua_pushnil(lua);
    while (lua_next(lua, -2)) {
        SystemAxis *axis;

        if (lua_type(lua, -2) != LUA_TSTRING || !lua_istable(lua, -1))
            script_vm_fail(lua, "`axes` must be tables with names");
        axis = g_new0(SystemAxis, 1);
        g_ptr_array_add(system->axes, axis);
        axis->name = g_strdup(lua_tostring(lua, -2));
        optional_integer(lua, "default", &axis->value);
        if (!optional_integer(lua, "reduced", &axis->reduced))
            axis->reduced = axis->value;
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
    g_ptr_array_sort(system->axes, compare_axes);
}

static void
read_globaldata(lua_State *lua, SystemGlobaldata *globaldata)
{
    if (!push_section(lua, "globaldata"))
        return;
    globaldata->array = required_string(lua, "array");
    globaldata->member = optional_string(lua, "member");
    globaldata->type = required_string(lua, "type");
    globaldata->cpuid = optional_string(lua, "cpuid");
    globaldata->thread = optional_string(lua, "thread");
    globaldata->infomsg = optional_string(lua, "infomsg");
    lua_pop(lua, 1);
}

static void
read_thread(lua_State *lua, SystemThread *thread)
{
    if (!push_section(lua, "thread"))
        return;
    thread->type = required_string(lua, "type");
    thread->stack = optional_string(lua, "stack");
    thread->stack_size = optional_string(lua, "stack_size");
    thread->story = optional_string(lua, "story");
    thread->idle = optional_string(lua, "idle");
    lua_pop(lua, 1);
}

static void
read_queue(lua_State *lua, GPtrArray *queues)
{
    SystemQueue *queue = g_new0(SystemQueue, 1);

    g_ptr_array_add(queues, queue);
    if (!lua_istable(lua, -1))
        script_vm_fail(lua, "`fifos` may have strings and tables only");
    queue->field = required_string(lua, "field");
    lua_getfield(lua, -1, "per");
    if (lua_type(lua, -1) == LUA_TSTRING &&
        strcmp(lua_tostring(lua, -1), "target") == 0)
        queue->per_target = true;
    else if (lua_type(lua, -1) != LUA_TSTRING ||
             strcmp(lua_tostring(lua, -1), "self") != 0)
        script_vm_fail(lua, "`per` must be \"target\" or \"self\"");
    lua_pop(lua, 1);
}

static void
read_fifos(lua_State *lua, SystemFifos *fifos)
{
    if (!push_section(lua, "fifos"))
        return;
    fifos->type = required_string(lua, "type");
    fifos->written = required_string(lua, "written");
    fifos->read = required_string(lua, "read");
    fifos->executed = required_string(lua, "executed");
    fifos->slots = required_string(lua, "slots");
    fifos->func = optional_string(lua, "func");
    read_list(lua, "arguments", fifos->arguments);
    fifos->unclaimed = optional_string(lua, "unclaimed");
    for (lua_Integer i = 1; lua_rawgeti(lua, -1, i) != LUA_TNIL; i++) {
        read_queue(lua, fifos->queues);
        lua_pop(lua, 1);
    }
    lua_pop(lua, 2);
}

/* Append the places of the list `key`, which may be absent: a string is the
 * entry of a function, { function, line } a quoted line of it. */
static void
read_points(lua_State *lua, const char *key, GPtrArray *points)
{
    if (!push_section(lua, key))
        return;
    for (lua_Integer i = 1; lua_rawgeti(lua, -1, i) != LUA_TNIL; i++) {
        Point *point = g_new0(Point, 1);

        g_ptr_array_add(points, point);
        if (lua_istable(lua, -1)) {
            point->kind = POINT_LINE;
            lua_rawgeti(lua, -1, 1);
            lua_rawgeti(lua, -2, 2);
            if (lua_type(lua, -2) == LUA_TSTRING)
                point->function = g_strdup(lua_tostring(lua, -2));
            if (lua_type(lua, -1) == LUA_TSTRING)
                point->quote = g_strdup(lua_tostring(lua, -1));
            lua_pop(lua, 2);
        } else if (lua_type(lua, -1) == LUA_TSTRING)
            point->function = g_strdup(lua_tostring(lua, -1));
        if (point->function == NULL ||
            (point->kind == POINT_LINE && point->quote == NULL))
            script_vm_fail(lua, "`%s` must be a list of functions and of "
                                "{ function, line }", key);
        lua_pop(lua, 1);
    }
    lua_pop(lua, 2);
}

/* "globaldata", "thread" or "flags". */
static RuleSource
read_source(lua_State *lua)
{
    static const char *const names[] = {
        [RULE_OF_GLOBALDATA] = "globaldata",
        [RULE_OF_THREAD] = "thread",
        [RULE_OF_FLAGS] = "flags",
    };
    const char *name;

    lua_getfield(lua, -1, "of");
    name = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "";
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(name, names[i]) == 0) {
            lua_pop(lua, 1);
            return (RuleSource)i;
        }
    script_vm_fail(lua, "`of` must be \"globaldata\", \"thread\" or "
                        "\"flags\"");
    return RULE_OF_GLOBALDATA;
}

static void
read_word(lua_State *lua, SystemRule *rule)
{
    SystemWord *word = &rule->words[rule->word_count];

    word->source = read_source(lua);
    word->field = required_string(lua, "field");
    rule->word_count++;
}

/* One word: `of` and `field`; or a list of such: `words`. */
static void
read_words(lua_State *lua, SystemRule *rule)
{
    if (!push_section(lua, "words")) {
        read_word(lua, rule);
        return;
    }
    for (lua_Integer i = 1; lua_rawgeti(lua, -1, i) != LUA_TNIL; i++) {
        if (!lua_istable(lua, -1) || rule->word_count == RULE_WORDS_MAX)
            script_vm_fail(lua, "`words` must be a list of at most %u tables",
                           RULE_WORDS_MAX);
        read_word(lua, rule);
        lua_pop(lua, 1);
    }
    lua_pop(lua, 2);
}

static void
read_value(lua_State *lua, SystemRule *rule)
{
    if (optional_integer(lua, "must", &rule->value))
        return;
    rule->negated = optional_integer(lua, "must_not", &rule->value);
    if (!rule->negated)
        script_vm_fail(lua, "the rule \"%s\" lacks `must` or `must_not`",
                       rule->name);
}

/* What `watch` says; without it the rule is about words at places. */
static RuleKind
read_kind(lua_State *lua)
{
    static const char *const names[] = {
        [RULE_WORD] = "words",     [RULE_ROOM] = "room",
        [RULE_ORDER] = "order",    [RULE_BALANCE] = "balance",
        [RULE_STACK] = "stack",    [RULE_DEAD_STACK] = "dead stack",
        [RULE_FREED] = "freed",
    };

    lua_getfield(lua, -1, "watch");
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        if ((i == 0 && lua_isnil(lua, -1)) ||
            (lua_type(lua, -1) == LUA_TSTRING &&
             strcmp(lua_tostring(lua, -1), names[i]) == 0)) {
            lua_pop(lua, 1);
            return (RuleKind)i;
        }
    script_vm_fail(lua, "`watch` must be \"words\", \"room\", \"order\", "
                        "\"balance\", \"stack\", \"dead stack\" or "
                        "\"freed\"");
    return RULE_WORD;
}

static void
read_rule(lua_State *lua, SystemRule *rule)
{
    if (!lua_istable(lua, -1))
        script_vm_fail(lua, "`rules` must be a list of tables");
    rule->name = required_string(lua, "name");
    rule->kind = read_kind(lua);
    read_points(lua, "on", rule->points);
    optional_integer(lua, "reserve", &rule->reserve);
    if (rule->kind == RULE_WORD || rule->kind == RULE_BALANCE)
        read_words(lua, rule);
    if (rule->kind == RULE_WORD)
        read_value(lua, rule);
}

static void
read_rules(lua_State *lua, GPtrArray *rules)
{
    if (!push_section(lua, "rules"))
        return;
    for (lua_Integer i = 1; lua_rawgeti(lua, -1, i) != LUA_TNIL; i++) {
        SystemRule *rule = g_new0(SystemRule, 1);

        rule->points = rules_new_points();
        g_ptr_array_add(rules, rule);
        if (rules->len > RULES_MAX)
            script_vm_fail(lua, "at most %u `rules`", RULES_MAX);
        read_rule(lua, rule);
        lua_pop(lua, 1);
    }
    lua_pop(lua, 2);
}

static void
read_messages(lua_State *lua, SystemMessages *messages)
{
    if (!push_section(lua, "messages"))
        return;
    messages->provider = required_string(lua, "provider");
    messages->received = required_string(lua, "received");
    read_points(lua, "written", messages->written);
    read_points(lua, "returned", messages->returned);
    lua_pop(lua, 1);
}

static void
read_memory(lua_State *lua, SystemMemory *memory)
{
    if (!push_section(lua, "memory"))
        return;
    memory->provider = required_string(lua, "provider");
    memory->freed = required_string(lua, "freed");
    memory->taken = required_string(lua, "taken");
    lua_pop(lua, 1);
}

/* The file's function, its one argument. */
static int
read_system(lua_State *lua)
{
    System *system = script_vm_owner(lua);
    int64_t cpus_max;

    lua_call(lua, 0, 1);
    if (!lua_istable(lua, -1))
        script_vm_fail(lua, "the file must return a table");
    read_axes(lua, system);
    if (optional_integer(lua, "cpus_max", &cpus_max)) {
        if (cpus_max < 1 || cpus_max > CPUS_MAX)
            script_vm_fail(lua, "`cpus_max` must be 1 to %d", CPUS_MAX);
        system->cpus_max = (unsigned)cpus_max;
    }
    read_globaldata(lua, &system->globaldata);
    read_thread(lua, &system->thread);
    read_fifos(lua, &system->fifos);
    read_rules(lua, system->rules);
    read_messages(lua, &system->messages);
    read_memory(lua, &system->memory);
    if (push_section(lua, "masks")) {
        read_list(lua, "on", system->masks.functions);
        system->masks.type = required_string(lua, "type");
        system->masks.wanted = required_string(lua, "wanted");
        system->masks.arrived = required_string(lua, "arrived");
        lua_pop(lua, 1);
    }
    if (push_section(lua, "counters")) {
        read_list(lua, "symbols", system->counter_symbols);
        if (push_section(lua, "fields")) {
            read_list(lua, "globaldata", system->counter_fields);
            lua_pop(lua, 1);
        }
        lua_pop(lua, 1);
    }
    if (push_section(lua, "notable")) {
        read_list(lua, "sends", system->sends);
        read_list(lua, "locks", system->locks);
        read_list(lua, "unlocks", system->unlocks);
        read_list(lua, "calls", system->calls);
        lua_pop(lua, 1);
    }
    if (push_section(lua, "wait")) {
        system->wait_provider = required_string(lua, "provider");
        system->wait_push = required_string(lua, "push");
        system->wait_pop = required_string(lua, "pop");
        lua_pop(lua, 1);
    }
    if (push_section(lua, "trace")) {
        system->trace_provider = required_string(lua, "provider");
        lua_pop(lua, 1);
    }
    return 0;
}

bool
script_system_read(System *system, const char *path, GError **error)
{
    ScriptVm vm;
    bool is_read;

    script_vm_init(&vm, path, system);
    lua_pushcfunction(vm.lua, read_system);
    lua_newtable(vm.lua);
    is_read = script_vm_compile(&vm, error) &&
              script_vm_call(&vm, 1, 0, SCRIPT_LOAD_INSTRUCTIONS, error);
    script_vm_clear(&vm);
    return is_read;
}
