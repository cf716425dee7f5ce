/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "script/script_memory.h"

#include <lauxlib.h>
#include <lua.h>

#include "script/script_convert.h"

#define PLACE "guest memory"
#define FUNCTION "guest function"

/* luaL_testudata() without its look-up by name: stories pass here for every
 * argument of every call. */
static void *
test(lua_State *lua, int index, const void *metatable)
{
    const void *own;

    if (lua_type(lua, index) != LUA_TUSERDATA ||
        !lua_getmetatable(lua, index))
        return NULL;
    own = lua_topointer(lua, -1);
    lua_pop(lua, 1);
    return own == metatable ? lua_touserdata(lua, index) : NULL;
}

const ScriptPlace *
script_memory_place(lua_State *lua, int index)
{
    return test(lua, index, script_of(lua)->place_metatable);
}

void
script_memory_push_place(lua_State *lua, const ScriptPlace *place)
{
    ScriptPlace *copy = lua_newuserdatauv(lua, sizeof *copy, 0);

    *copy = *place;
    luaL_setmetatable(lua, PLACE);
}

const ScriptName *
script_memory_function(lua_State *lua, int index)
{
    const Script *script = script_of(lua);
    const unsigned *number = test(lua, index, script->function_metatable);

    if (number == NULL)
        return NULL;
    return &g_array_index(script->names, ScriptName, *number);
}

/* --- Names ---------------------------------------------------------------- */

static void
look_up(Script *script, ScriptName *name)
{
    const ImageSymbol *symbol =
        image_lookup_symbol(script->image, name->name);

    name->symbol = symbol;
    name->type = NULL;
    if (symbol == NULL)
        return;
    name->is_function = symbol->kind == IMAGE_SYMBOL_FUNCTION;
    if (symbol->kind == IMAGE_SYMBOL_LABEL) {
        /* Of assembly: code, unless C knows it as a variable. */
        name->type = image_variable_type(script->image, name->name);
        name->is_function = name->type == NULL &&
                            image_is_code(script->image, symbol->address);
    } else if (name->is_function) {
        name->type = image_function_type(script->image, name->name);
    } else {
        name->type = image_variable_type(script->image, name->name);
    }
}

bool
script_memory_lookup(Script *script, const char *name, unsigned *number)
{
    gpointer found = g_hash_table_lookup(script->name_numbers, name);
    ScriptName fresh = {0};

    if (found != NULL) {
        *number = GPOINTER_TO_UINT(found) - 1;
        return g_array_index(script->names, ScriptName, *number).symbol !=
               NULL;
    }
    if (image_lookup_symbol(script->image, name) == NULL)
        return false;
    fresh.name = g_strdup(name);
    look_up(script, &fresh);
    *number = script->names->len;
    g_array_append_val(script->names, fresh);
    g_hash_table_insert(script->name_numbers, fresh.name,
                        GUINT_TO_POINTER(*number + 1));
    return true;
}

void
script_memory_rebind(Script *script)
{
    for (unsigned i = 0; i < script->names->len; i++)
        look_up(script, &g_array_index(script->names, ScriptName, i));
}

/* --- Addresses ------------------------------------------------------------ */

static bool
is_running(const Script *script)
{
    return script->mode == SCRIPT_STORY || script->mode == SCRIPT_SCHEDULE ||
           script->mode == SCRIPT_MEMORY;
}

static gva_t
base_address(lua_State *lua, const ScriptPlace *place)
{
    Script *script = script_of(lua);
    const ScriptName *name;

    switch (place->base) {
    case SCRIPT_BASE_ADDRESS:
        return 0;
    case SCRIPT_BASE_NAME:
        name = &g_array_index(script->names, ScriptName, place->index);
        if (name->symbol == NULL)
            script_vm_fail(lua, "this build of the guest has no variable `%s`",
                           name->name);
        return name->symbol->address;
    case SCRIPT_BASE_OBJECT:
        if (!is_running(script))
            script_vm_fail(lua, "an object has no address before a run");
        return script->run.objects[place->index];
    case SCRIPT_BASE_GLOBALDATA:
        if (!script->view.has_globaldata)
            script_vm_fail(lua, "%s", script->view_trouble);
        return system_globaldata(&script->view, place->index);
    }
    BUG("no base %d", (int)place->base);
}

gva_t
script_memory_address(lua_State *lua, const ScriptPlace *place)
{
    return base_address(lua, place) + place->offset;
}

/* The place, when memory can be looked at now. */
static gva_t
running_address(lua_State *lua, const ScriptPlace *place)
{
    if (!is_running(script_of(lua)))
        script_vm_fail(lua, "there is no guest memory before a run: read and "
                            "write it in a story");
    return script_memory_address(lua, place);
}

/* --- Reading and writing -------------------------------------------------- */

static const char *
type_name(const ImageType *type)
{
    return type == NULL || type->name == NULL ? "?" : type->name;
}

/* The value or the reference at the one element that `place` is. */
static void
push_at(lua_State *lua, const ScriptPlace *place, const ImageMember *field)
{
    const ImageType *type = place->type;
    ScriptPlace inner = *place;

    inner.count = 1;
    switch (type->kind) {
    case IMAGE_TYPE_ARRAY:
        inner.type = type->target;
        inner.count = type->count;
        script_memory_push_place(lua, &inner);
        return;
    case IMAGE_TYPE_STRUCT:
    case IMAGE_TYPE_UNION:
    case IMAGE_TYPE_VOID:
        script_memory_push_place(lua, &inner);
        return;
    default:
        script_convert_load(lua, running_address(lua, place), type, field);
    }
}

static void
write_at(lua_State *lua, const ScriptPlace *place, const ImageMember *field,
         int index)
{
    Script *script = script_of(lua);

    if (script->mode == SCRIPT_MEMORY)
        script_vm_fail(lua, "a condition may look at memory, not change it");
    script_convert_store(lua, running_address(lua, place), place->type, field,
                         index);
}

/* The field or element that the key at 2 selects from the place at 1. */
static ScriptPlace
select_place(lua_State *lua, ImageMember *field, bool *is_field)
{
    const ScriptPlace *place = luaL_checkudata(lua, 1, PLACE);
    ScriptPlace inner = *place;

    *is_field = lua_type(lua, 2) == LUA_TSTRING;
    inner.count = 1;
    if (*is_field) {
        const char *name = lua_tostring(lua, 2);

        if ((place->type->kind != IMAGE_TYPE_STRUCT &&
             place->type->kind != IMAGE_TYPE_UNION) ||
            !image_types_member(place->type, name, field))
            script_vm_fail(lua, "`%s` has no field `%s`",
                           type_name(place->type), name);
        inner.offset += field->offset;
        inner.type = field->type;
    } else {
        lua_Integer number;
        int is_integer;

        number = lua_tointegerx(lua, 2, &is_integer);
        if (!is_integer || lua_type(lua, 2) != LUA_TNUMBER)
            script_vm_fail(lua, "guest memory is indexed by field names and "
                                "integers, not by a %s",
                           luaL_typename(lua, 2));
        if (place->type->size == 0)
            script_vm_fail(lua, "`%s` has no size: there are no elements to "
                                "count", type_name(place->type));
        if (place->count != 0 &&
            (number < 0 || (uint64_t)number >= place->count))
            script_vm_fail(lua, "index %" PRId64 " is outside: the last of "
                                "these `%s` is %" PRIu64,
                           (int64_t)number, type_name(place->type),
                           place->count - 1);
        inner.offset += (uint64_t)number * place->type->size;
    }
    return inner;
}

static int
l_place_index(lua_State *lua)
{
    ImageMember field;
    bool is_field;
    ScriptPlace inner = select_place(lua, &field, &is_field);

    push_at(lua, &inner, is_field ? &field : NULL);
    return 1;
}

static int
l_place_assign(lua_State *lua)
{
    ImageMember field;
    bool is_field;
    ScriptPlace inner = select_place(lua, &field, &is_field);

    write_at(lua, &inner, is_field ? &field : NULL, 3);
    return 0;
}

void
script_memory_push_name(lua_State *lua, unsigned number)
{
    Script *script = script_of(lua);
    const ScriptName *name =
        &g_array_index(script->names, ScriptName, number);
    ScriptPlace place = {
        .base = SCRIPT_BASE_NAME,
        .index = number,
        .type = name->type,
        .count = 1,
    };

    if (name->is_function) {
        *(unsigned *)lua_newuserdatauv(lua, sizeof number, 0) = number;
        luaL_setmetatable(lua, FUNCTION);
    } else if (name->type == NULL) {
        script_vm_fail(lua, "the type of `%s` is not known: its source was "
                            "compiled without debug information", name->name);
    } else {
        push_at(lua, &place, NULL);
    }
}

void
script_memory_write_name(lua_State *lua, unsigned number, int index)
{
    const ScriptName *name =
        &g_array_index(script_of(lua)->names, ScriptName, number);
    ScriptPlace place = {
        .base = SCRIPT_BASE_NAME,
        .index = number,
        .type = name->type,
        .count = 1,
    };

    if (name->is_function)
        script_vm_fail(lua, "`%s` is a function: it cannot be assigned",
                       name->name);
    if (name->type == NULL)
        script_vm_fail(lua, "the type of `%s` is not known: its source was "
                            "compiled without debug information", name->name);
    write_at(lua, &place, NULL, index);
}

/* --- Describing and comparing --------------------------------------------- */

static void
describe_place(lua_State *lua, const ScriptPlace *place, GString *text)
{
    Script *script = script_of(lua);
    const ImageSymbol *symbol;
    const Object *object;

    switch (place->base) {
    case SCRIPT_BASE_GLOBALDATA:
        g_string_append_printf(text, "gd(%u)", place->index);
        break;
    case SCRIPT_BASE_OBJECT:
        object = g_ptr_array_index(script->scenario->objects, place->index);
        g_string_append(text, object->name);
        break;
    case SCRIPT_BASE_NAME:
        g_string_append(text, g_array_index(script->names, ScriptName,
                                            place->index).name);
        break;
    case SCRIPT_BASE_ADDRESS:
        symbol = image_symbol_at(script->image, place->offset);
        if (symbol == NULL || symbol->size == 0)
            g_string_append_printf(text, "0x%" PRIx64, place->offset);
        else if (place->offset == symbol->address)
            g_string_append(text, symbol->name);
        else
            g_string_append_printf(text, "%s+0x%" PRIx64, symbol->name,
                                   place->offset - symbol->address);
        return;
    }
    if (place->offset != 0)
        g_string_append_printf(text, "+0x%" PRIx64, place->offset);
}

void
script_memory_describe(lua_State *lua, int index, GString *text)
{
    const ScriptPlace *place = script_memory_place(lua, index);
    const ScriptName *function = script_memory_function(lua, index);

    if (place != NULL)
        describe_place(lua, place, text);
    else if (function != NULL)
        g_string_append(text, function->name);
    else if (lua_isinteger(lua, index))
        g_string_append_printf(text, "%" PRId64,
                               (int64_t)lua_tointeger(lua, index));
    else if (lua_isboolean(lua, index))
        g_string_append(text, lua_toboolean(lua, index) ? "true" : "false");
    else
        g_string_append(text, luaL_typename(lua, index));
}

static int
l_describe(lua_State *lua)
{
    GString *text = g_string_new(NULL);
    char shown[256];

    script_memory_describe(lua, 1, text);
    g_strlcpy(shown, text->str, sizeof shown);
    g_string_free(text, TRUE);
    lua_pushstring(lua, shown);
    return 1;
}

/* Pointers are equal when they point to the same place. */
static int
l_equal(lua_State *lua)
{
    uint64_t left, right;

    lua_pushboolean(lua,
                    script_memory_convert(lua, 1, NULL, &left) == NULL &&
                        script_memory_convert(lua, 2, NULL, &right) == NULL &&
                        left == right);
    return 1;
}

static int
l_no_field(lua_State *lua)
{
    const ScriptName *function = script_memory_function(lua, 1);

    return script_vm_fail(lua, "`%s` is a function: it has no fields",
                          function == NULL ? "this" : function->name);
}

/* --- Words ---------------------------------------------------------------- */

/* gd(n): upvalue 1 keeps those that were made, for as long as their type is
 * that of the image in use: another build may have other fields. */
static int
l_gd(lua_State *lua)
{
    Script *script = script_of(lua);
    unsigned cpu = script_check_cpu(lua, 1, "gd");
    ScriptPlace place = {
        .base = SCRIPT_BASE_GLOBALDATA,
        .index = cpu,
        .count = 1,
    };
    const ScriptPlace *kept;

    lua_rawgeti(lua, lua_upvalueindex(1), (lua_Integer)cpu + 1);
    kept = lua_touserdata(lua, -1);
    if (kept != NULL && kept->type == script->view.globaldata)
        return 1;
    script_require_image(lua);
    if (!script->view.has_globaldata)
        script_vm_fail(lua, "%s", script->view_trouble);
    place.type = script->view.globaldata;
    script_memory_push_place(lua, &place);
    lua_pushvalue(lua, -1);
    lua_rawseti(lua, lua_upvalueindex(1), (lua_Integer)cpu + 1);
    return 1;
}

static int
l_cpumask(lua_State *lua)
{
    uint64_t mask = 0;

    for (int i = 1; i <= lua_gettop(lua); i++)
        mask |= UINT64_C(1) << script_check_cpu(lua, i, "cpumask");
    lua_pushinteger(lua, (lua_Integer)mask);
    return 1;
}

void
script_memory_add_words(lua_State *lua)
{
    lua_newtable(lua);
    lua_pushcclosure(lua, l_gd, 1);
    lua_setfield(lua, -2, "gd");
    lua_pushcfunction(lua, l_cpumask);
    lua_setfield(lua, -2, "cpumask");
}

void
script_memory_open(Script *script)
{
    static const luaL_Reg of_places[] = {
        {"__index", l_place_index}, {"__newindex", l_place_assign},
        {"__tostring", l_describe}, {"__eq", l_equal},
        {NULL, NULL},
    };
    static const luaL_Reg of_functions[] = {
        {"__call", script_story_call}, {"__tostring", l_describe},
        {"__eq", l_equal},             {"__index", l_no_field},
        {NULL, NULL},
    };
    lua_State *lua = script->vm.lua;

    luaL_newmetatable(lua, PLACE);
    luaL_setfuncs(lua, of_places, 0);
    script->place_metatable = lua_topointer(lua, -1);
    luaL_newmetatable(lua, FUNCTION);
    luaL_setfuncs(lua, of_functions, 0);
    script->function_metatable = lua_topointer(lua, -1);
    lua_pop(lua, 2);
}
