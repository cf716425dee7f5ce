/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "script/script_predicates.h"

#include <lauxlib.h>
#include <lua.h>

#include "guest/insn.h"
#include "script/script_claims.h"
#include "script/script_memory.h"
#include "script/script_words.h"

#define PREDICATE "predicate"
#define REGISTER "register"

static const char *const register_names[] = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15",
};

/* A register of a cpu, before :is(). */
typedef struct ScriptRegister {
    unsigned number, cpu;
} ScriptRegister;

/* --- Making --------------------------------------------------------------- */

/* A slot that Lua will free; filled afterwards, so that nothing leaks. */
static Predicate **
push_slot(lua_State *lua)
{
    Predicate **slot = lua_newuserdatauv(lua, sizeof *slot, 0);

    *slot = NULL;
    luaL_setmetatable(lua, PREDICATE);
    return slot;
}

static Predicate *
predicate_at(lua_State *lua, int index)
{
    Predicate **slot = luaL_testudata(lua, index, PREDICATE);

    return slot == NULL ? NULL : *slot;
}

/* A word that names something which a cpu can be said of. */
static char *
print_point(const Predicate *predicate)
{
    static const char *const words[] = {
        [POINT_ENTER] = "enter", [POINT_LEAVE] = "leave", [POINT_LINE] = "at"};
    const Point *point = &predicate->point;
    GString *text = g_string_new(words[point->kind]);

    g_string_append_c(text, '(');
    if (predicate->cpu != PREDICATE_ANY_CPU)
        g_string_append_printf(text, "%d, ", predicate->cpu);
    g_string_append(text, point->function);
    if (point->quote != NULL)
        g_string_append_printf(text, ", \"%s\"", point->quote);
    g_string_append_c(text, ')');
    return g_string_free(text, FALSE);
}

/* What a touch, breach or ending says: name, and its cpu if it has one. */
static char *
print_event(const Predicate *predicate, const char *plain)
{
    if (predicate->kind == PREDICATE_STUCK &&
        (predicate->name != NULL || predicate->cpu != PREDICATE_ANY_CPU)) {
        GString *text = g_string_new("stuck {");

        if (predicate->cpu != PREDICATE_ANY_CPU)
            g_string_append_printf(text, " cpu = %d%s", predicate->cpu,
                                   predicate->name != NULL ? "," : "");
        if (predicate->name != NULL)
            g_string_append_printf(text, " inside = %s", predicate->name);
        g_string_append(text, " }");
        return g_string_free(text, FALSE);
    }
    if (predicate->cpu == PREDICATE_ANY_CPU)
        return g_strdup(plain);
    return g_strdup_printf("%s(%d)", plain, predicate->cpu);
}

static void
replace_text(Predicate *predicate, char *text)
{
    g_free(predicate->text);
    predicate->text = text;
}

static const char *
region_name(lua_State *lua, unsigned index)
{
    const Region *region;

    script_claims_name_locals(lua);
    region = g_ptr_array_index(script_of(lua)->scenario->regions, index);
    return region->name == NULL ? "region" : region->name;
}

/* "gd(0).gd_npoll == 1" for a function of one line that returns just that. */
static char *
print_condition(Script *script, unsigned first, unsigned last)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    char *begin, *end;

    if (first == last && g_file_get_contents(script->vm.path, &text, NULL,
                                             NULL)) {
        lines = g_strsplit(text, "\n", -1);
        begin = first <= g_strv_length(lines)
                    ? strstr(lines[first - 1], "return ")
                    : NULL;
        end = begin == NULL ? NULL : g_strrstr(begin, " end");
        if (end != NULL && strstr(begin + 1, "return ") == NULL &&
            strstr(begin, "function") == NULL) {
            begin += strlen("return ");
            return g_strstrip(g_strndup(begin, (gsize)(end - begin)));
        }
    }
    return g_strdup_printf("the condition of line %u", first);
}

/* The function at `index` as a predicate about memory; fills the slot. */
static void
fill_condition(lua_State *lua, int index, Predicate **slot)
{
    Script *script = script_of(lua);
    lua_Debug where;
    ScriptRef ref;
    char *text;

    if (script->mode != SCRIPT_LOADING || lua_iscfunction(lua, index))
        script_vm_fail(lua, "a condition over memory must be a function of "
                            "the scenario, made while it is loaded");
    lua_pushvalue(lua, index);
    lua_getinfo(lua, ">S", &where);
    lua_pushvalue(lua, index);
    ref = luaL_ref(lua, LUA_REGISTRYINDEX);
    g_array_append_val(script->conditions, ref);
    text = print_condition(script, (unsigned)where.linedefined,
                           (unsigned)where.lastlinedefined);
    *slot = predicate_new(PREDICATE_MEMORY, text);
    g_free(text);
    (*slot)->index = script->conditions->len - 1;
}

Predicate **
script_predicates_push(lua_State *lua, int index)
{
    const Predicate *predicate = predicate_at(lua, index);
    const unsigned *region = script_words_region(lua, index);
    Predicate **slot;

    if (predicate == NULL && region == NULL && !lua_isfunction(lua, index))
        script_vm_fail(lua, "a claim is about a predicate (stuck, panic, "
                            "touch(x), a region ...) or a function, not "
                            "about a %s",
                       luaL_testudata(lua, index, REGISTER) != NULL
                           ? "register: write rax(0):is(1)"
                       : lua_isuserdata(lua, index) ? "guest value"
                                                    : luaL_typename(lua,
                                                                    index));
    slot = push_slot(lua);
    if (predicate != NULL) {
        *slot = predicate_copy(predicate);
    } else if (region != NULL) {
        *slot = predicate_new(PREDICATE_REGION, region_name(lua, *region));
        (*slot)->index = *region;
    } else {
        fill_condition(lua, index, slot);
    }
    return slot;
}

static int
join(lua_State *lua, PredicateKind kind)
{
    Predicate **left = script_predicates_push(lua, 1);
    Predicate **right = script_predicates_push(lua, 2);
    Predicate **slot = push_slot(lua);

    *slot = predicate_join(kind, *left, *right);
    *left = *right = NULL;
    return 1;
}

static int
l_and(lua_State *lua)
{
    return join(lua, PREDICATE_AND);
}

static int
l_or(lua_State *lua)
{
    return join(lua, PREDICATE_OR);
}

static int
l_after(lua_State *lua)
{
    return join(lua, PREDICATE_AFTER);
}

/* --- Events --------------------------------------------------------------- */

const Point *
script_predicates_point(lua_State *lua, int index)
{
    const Predicate *predicate = predicate_at(lua, index);

    if (predicate == NULL || predicate->kind != PREDICATE_POINT ||
        predicate->cpu != PREDICATE_ANY_CPU)
        return NULL;
    return &predicate->point;
}

void
script_predicates_check_point(lua_State *lua, int index, const char *word,
                          Point *point)
{
    const Script *script = script_of(lua);
    const ScriptName *function = script_memory_function(lua, index);
    const char *quote = NULL;
    GError *error = NULL;
    GArray *addresses;
    bool is_found;

    if (function == NULL)
        script_vm_fail(lua, "`%s` wants a guest function, not a %s", word,
                       luaL_typename(lua, index));
    if (!lua_isnoneornil(lua, index + 1)) {
        quote = script_check_string(lua, index + 1, word);
        addresses = g_array_new(FALSE, FALSE, sizeof(gva_t));
        is_found = image_find_quote(script->image, function->name, quote,
                                    addresses, &error);
        g_array_unref(addresses);
        if (!is_found)
            script_vm_raise(lua, error);
    }
    point_clear(point);
    *point = (Point){
        .kind = quote != NULL ? POINT_LINE : POINT_ENTER,
        .function = g_strdup(function->name),
        .quote = g_strdup(quote),
        .line = script_vm_line(lua),
    };
}

/* enter(f), enter(cpu, f); leave likewise; at(f, "..."), at(cpu, f, "...") */
static int
point_word(lua_State *lua, const char *word, PointKind kind)
{
    int function = lua_type(lua, 1) == LUA_TNUMBER ? 2 : 1;
    Predicate **slot;

    lua_settop(lua, 3);
    if (kind == POINT_LINE && lua_isnil(lua, function + 1))
        script_vm_fail(lua, "`at` wants a function and a quoted line of it");
    if (kind != POINT_LINE && !lua_isnil(lua, function + 1))
        script_vm_fail(lua, "`%s` wants a function and nothing else; use at "
                            "for a quoted line", word);
    slot = push_slot(lua);
    *slot = predicate_new(PREDICATE_POINT, NULL);
    if (function == 2)
        (*slot)->cpu = (int)script_check_cpu(lua, 1, word);
    script_predicates_check_point(lua, function, word, &(*slot)->point);
    (*slot)->point.kind = kind;
    replace_text(*slot, print_point(*slot));
    return 1;
}

static int
l_enter(lua_State *lua)
{
    return point_word(lua, "enter", POINT_ENTER);
}

static int
l_leave(lua_State *lua)
{
    return point_word(lua, "leave", POINT_LEAVE);
}

static int
l_at(lua_State *lua)
{
    return point_word(lua, "at", POINT_LINE);
}

/* touch(object), touch(cpu, object) */
static int
l_touch(lua_State *lua)
{
    Script *script = script_of(lua);
    int index = lua_type(lua, 1) == LUA_TNUMBER ? 2 : 1;
    const ScriptPlace *place = script_memory_place(lua, index);
    const Object *object;
    Predicate **slot;

    if (place == NULL || place->base != SCRIPT_BASE_OBJECT)
        return script_vm_fail(lua, "`touch` wants an object of the scenario: "
                                   "local x = object \"int\"");
    script_claims_name_locals(lua);
    slot = push_slot(lua);
    *slot = predicate_new(PREDICATE_TOUCH, NULL);
    (*slot)->index = place->index;
    if (index == 2)
        (*slot)->cpu = (int)script_check_cpu(lua, 1, "touch");
    object = g_ptr_array_index(script->scenario->objects, place->index);
    (*slot)->name = g_strdup(object->name == NULL ? "object" : object->name);
    replace_text(*slot,
                 index == 2
                     ? g_strdup_printf("touch(%d, %s)", (*slot)->cpu,
                                       (*slot)->name)
                     : g_strdup_printf("touch(%s)", (*slot)->name));
    return 1;
}

static int
l_marked(lua_State *lua)
{
    const char *name = script_check_string(lua, 1, "marked");
    Predicate **slot = push_slot(lua);

    *slot = predicate_new(PREDICATE_MARK, NULL);
    (*slot)->name = g_strdup(name);
    replace_text(*slot, g_strdup_printf("marked \"%s\"", name));
    return 1;
}

static char *
list_rules(const System *system)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < system->rules->len; i++) {
        const SystemRule *rule = g_ptr_array_index(system->rules, i);

        g_string_append_printf(text, "\n  \"%s\"", rule->name);
    }
    return g_string_free(text, FALSE);
}

static int
l_breach(lua_State *lua)
{
    Script *script = script_of(lua);
    const char *name = script_check_string(lua, 1, "breach");
    Predicate **slot;

    if (script->system == NULL)
        return script_vm_fail(lua, "`breach` comes after `system`");
    if (system_rule(script->system, name) == NULL) {
        char *rules = list_rules(script->system);
        char shown[1024];

        g_strlcpy(shown, rules, sizeof shown);
        g_free(rules);
        return script_vm_fail(lua, "system \"%s\" has no rule \"%s\"; its "
                                   "rules are%s", script->system->name, name,
                              shown[0] == '\0' ? " none" : shown);
    }
    slot = push_slot(lua);
    *slot = predicate_new(PREDICATE_BREACH, NULL);
    (*slot)->name = g_strdup(name);
    replace_text(*slot, g_strdup_printf("breach \"%s\"", name));
    return 1;
}

/* --- Narrowing ------------------------------------------------------------ */

/* stuck { cpu = 0, inside = f } */
static void
narrow_stuck(lua_State *lua, Predicate *predicate)
{
    lua_pushnil(lua);
    while (lua_next(lua, 2)) {
        const char *key = lua_type(lua, -2) == LUA_TSTRING
                              ? lua_tostring(lua, -2)
                              : "";
        const ScriptName *function = script_memory_function(lua, -1);

        if (strcmp(key, "cpu") == 0) {
            predicate->cpu = (int)script_check_cpu(lua, -1, "stuck");
        } else if (strcmp(key, "inside") != 0) {
            script_vm_fail(lua, "`stuck` knows cpu and inside: "
                                "stuck { cpu = 0, inside = spin_lock }");
        } else if (function == NULL) {
            script_vm_fail(lua, "`inside` wants a guest function");
        } else {
            g_free(predicate->name);
            predicate->name = g_strdup(function->name);
        }
        lua_pop(lua, 1);
    }
}

static int
l_narrow(lua_State *lua)
{
    const Predicate *general = predicate_at(lua, 1);
    Predicate **slot;

    if (general == NULL)
        return script_vm_fail(lua, "this is no predicate");
    slot = push_slot(lua);
    *slot = predicate_copy(general);
    if (general->kind == PREDICATE_STUCK && lua_istable(lua, 2)) {
        narrow_stuck(lua, *slot);
    } else if (general->kind == PREDICATE_BREACH ||
               general->kind == PREDICATE_POINT ||
               general->kind == PREDICATE_STUCK ||
               general->kind == PREDICATE_PANIC ||
               general->kind == PREDICATE_FAULT) {
        (*slot)->cpu = (int)script_check_cpu(lua, 2, general->text);
    } else {
        return script_vm_fail(lua, "`%s` is not about one cpu", general->text);
    }
    replace_text(*slot, general->kind == PREDICATE_POINT
                            ? print_point(*slot)
                            : print_event(*slot, general->text));
    return 1;
}

/* waiting(0): cpu 0 is inside the region. */
static int
l_inside(lua_State *lua)
{
    const unsigned *region = script_words_region(lua, 1);
    unsigned cpu = script_check_cpu(lua, 2, "region");
    Predicate **slot = push_slot(lua);

    INVARIANT(region != NULL);
    *slot = predicate_new(PREDICATE_REGION, NULL);
    (*slot)->index = *region;
    (*slot)->cpu = (int)cpu;
    replace_text(*slot, g_strdup_printf("%s(%u)", region_name(lua, *region),
                                        cpu));
    return 1;
}

static int
l_free(lua_State *lua)
{
    Predicate **slot = lua_touserdata(lua, 1);

    predicate_free(*slot);
    *slot = NULL;
    return 0;
}

static int
l_tostring(lua_State *lua)
{
    const Predicate *predicate = predicate_at(lua, 1);

    lua_pushstring(lua, predicate == NULL ? "region or register"
                                           : predicate->text);
    return 1;
}

/* --- Registers ------------------------------------------------------------ */

/* Upvalue: the number of the register. */
static int
l_register(lua_State *lua)
{
    unsigned number = (unsigned)lua_tointeger(lua, lua_upvalueindex(1));
    unsigned cpu = script_check_cpu(lua, 1, register_names[number]);
    ScriptRegister *self = lua_newuserdatauv(lua, sizeof *self, 0);

    *self = (ScriptRegister){.number = number, .cpu = cpu};
    luaL_setmetatable(lua, REGISTER);
    return 1;
}

static int
l_is(lua_State *lua)
{
    const ScriptRegister *self = luaL_checkudata(lua, 1, REGISTER);
    Predicate **slot;

    if (!lua_isinteger(lua, 2))
        return script_vm_fail(lua, "`is` wants an integer");
    slot = push_slot(lua);
    *slot = predicate_new(PREDICATE_REGISTER, NULL);
    (*slot)->cpu = (int)self->cpu;
    (*slot)->index = self->number;
    (*slot)->value = (uint64_t)lua_tointeger(lua, 2);
    replace_text(*slot, g_strdup_printf("%s(%u) :is(%" PRId64 ")",
                                        register_names[self->number],
                                        self->cpu, (int64_t)(*slot)->value));
    return 1;
}

void
script_predicates_add_registers(lua_State *lua)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(register_names); i++) {
        lua_pushinteger(lua, i);
        lua_pushcclosure(lua, l_register, 1);
        lua_setfield(lua, -2, register_names[i]);
    }
}

/* --- Opening -------------------------------------------------------------- */

void
script_predicates_open(Script *script)
{
    static const luaL_Reg methods[] = {
        {"__band", l_and},   {"__bor", l_or},           {"__call", l_narrow},
        {"__gc", l_free},    {"__tostring", l_tostring}, {NULL, NULL},
    };
    static const luaL_Reg of_registers[] = {
        {"is", l_is}, {"__tostring", l_tostring}, {NULL, NULL}};
    lua_State *lua = script->vm.lua;

    luaL_newmetatable(lua, PREDICATE);
    luaL_setfuncs(lua, methods, 0);
    lua_newtable(lua);
    lua_pushcfunction(lua, l_after);
    lua_setfield(lua, -2, "after");
    lua_setfield(lua, -2, "__index");

    luaL_newmetatable(lua, SCRIPT_REGION);
    lua_pushcfunction(lua, l_and);
    lua_setfield(lua, -2, "__band");
    lua_pushcfunction(lua, l_or);
    lua_setfield(lua, -2, "__bor");
    lua_getfield(lua, -2, "__index");
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, l_inside);
    lua_setfield(lua, -2, "__call");
    lua_pushcfunction(lua, l_tostring);
    lua_setfield(lua, -2, "__tostring");

    luaL_newmetatable(lua, REGISTER);
    luaL_setfuncs(lua, of_registers, 0);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, -2, "__index");
    lua_pop(lua, 3);
}

void
script_predicates_add_points(lua_State *lua, ScriptMode mode)
{
    script_add_word(lua, mode, "at", l_at);
    script_add_word(lua, mode, "enter", l_enter);
    script_add_word(lua, mode, "leave", l_leave);
}

static void
add_ending(lua_State *lua, const char *name, PredicateKind kind)
{
    Predicate **slot = push_slot(lua);

    *slot = predicate_new(kind, name);
    lua_setfield(lua, -2, name);
}

void
script_predicates_add_words(lua_State *lua)
{
    script_predicates_add_points(lua, SCRIPT_LOADING);
    script_add_word(lua, SCRIPT_LOADING, "touch", l_touch);
    script_add_word(lua, SCRIPT_LOADING, "marked", l_marked);
    script_add_word(lua, SCRIPT_LOADING, "breach", l_breach);
    add_ending(lua, "stuck", PREDICATE_STUCK);
    add_ending(lua, "deadlock", PREDICATE_DEADLOCK);
    add_ending(lua, "livelock", PREDICATE_LIVELOCK);
    add_ending(lua, "panic", PREDICATE_PANIC);
    add_ending(lua, "fault", PREDICATE_FAULT);
    add_ending(lua, "budget", PREDICATE_BUDGET);
    add_ending(lua, "lost_message", PREDICATE_LOST_MESSAGE);
}
