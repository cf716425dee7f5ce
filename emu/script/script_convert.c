/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "script/script_convert.h"

#include <lauxlib.h>
#include <lua.h>

#include "script/script_director.h"
#include "script/script_memory.h"

/* --- Lua to C ------------------------------------------------------------- */

static const char *
complain(lua_State *lua, const char *format, ...) G_GNUC_PRINTF(2, 3);

static const char *
complain(lua_State *lua, const char *format, ...)
{
    ScriptVm *vm = &script_of(lua)->vm;
    va_list args;

    va_start(args, format);
    g_vsnprintf(vm->message, sizeof vm->message, format, args);
    va_end(args);
    return vm->message;
}

static const char *
name_of(const ImageType *type)
{
    return type == NULL || type->name == NULL ? "?" : type->name;
}

static bool
fits(int64_t value, uint64_t size, bool is_signed, unsigned bit_size)
{
    unsigned bits = bit_size != 0 ? bit_size : (unsigned)size * 8;

    if (bits >= 64)
        return true;
    if (is_signed)
        return value >= -(INT64_C(1) << (bits - 1)) &&
               value < INT64_C(1) << (bits - 1);
    return value >= 0 && value < INT64_C(1) << bits;
}

static bool
is_record(const ImageType *type)
{
    return type->kind == IMAGE_TYPE_STRUCT || type->kind == IMAGE_TYPE_UNION;
}

/* May a pointer to `to` be given a pointer to `from`?  As C would have it,
 * but whatever is wanted as no structure may be anything: integers and the
 * beginnings of structures alias too often in kernels. */
static bool
may_point(const ImageType *from, const ImageType *to)
{
    if (from == NULL || to == NULL || from == to)
        return true;
    if (!is_record(from) || !is_record(to))
        return !is_record(to) || from->kind == IMAGE_TYPE_VOID;
    while (from->typedef_of != NULL)
        from = from->typedef_of;
    while (to->typedef_of != NULL)
        to = to->typedef_of;
    return g_strcmp0(from->name, to->name) == 0;
}

static const char *
convert_integer(lua_State *lua, int index, const ImageType *type,
                unsigned bit_size, uint64_t *bits)
{
    int is_integer;
    lua_Integer value;

    if (lua_type(lua, index) == LUA_TBOOLEAN) {
        *bits = (uint64_t)lua_toboolean(lua, index);
        return NULL;
    }
    value = lua_tointegerx(lua, index, &is_integer);
    if (lua_type(lua, index) != LUA_TNUMBER || !is_integer)
        return complain(lua, "`%s` wants an integer, not %s", name_of(type),
                        script_memory_place(lua, index) != NULL
                            ? "a pointer"
                        : script_memory_function(lua, index) != NULL
                            ? "a function"
                            : luaL_typename(lua, index));
    if (type != NULL && !fits(value, type->size, type->is_signed, bit_size))
        return complain(lua, "%" PRId64 " does not fit into `%s`",
                        (int64_t)value, name_of(type));
    *bits = (uint64_t)value;
    return NULL;
}

static const char *
convert_guest_value(lua_State *lua, int index, const ImageType *type,
                    uint64_t *bits)
{
    const ScriptPlace *place = script_memory_place(lua, index);
    const ScriptName *function;

    if (place != NULL) {
        if (type != NULL && !may_point(place->type, type->target))
            return complain(lua, "`%s` wants another pointer than one to `%s`",
                            name_of(type), name_of(place->type));
        *bits = script_memory_address(lua, place);
        return NULL;
    }
    function = script_memory_function(lua, index);
    if (function == NULL)
        return complain(lua, "`%s` wants a pointer, not a predicate",
                        name_of(type));
    if (function->symbol == NULL)
        return complain(lua, "this build of the guest has no function `%s`",
                        function->name);
    *bits = function->symbol->address;
    return NULL;
}

static const char *
convert_pointer(lua_State *lua, int index, const ImageType *type,
                uint64_t *bits)
{
    int lua_kind = lua_type(lua, index);

    if (lua_kind == LUA_TUSERDATA)
        return convert_guest_value(lua, index, type, bits);
    if (lua_kind == LUA_TNIL) {
        *bits = 0;
        return NULL;
    }
    if (lua_isinteger(lua, index)) {
        *bits = (uint64_t)lua_tointeger(lua, index);
        return NULL;
    }
    return complain(lua, "`%s` wants a pointer, not a %s%s", name_of(type),
                    lua_typename(lua, lua_kind),
                    lua_kind == LUA_TSTRING
                        ? ": Lua's strings are not in guest memory"
                        : "");
}

const char *
script_memory_convert(lua_State *lua, int index, const ImageType *type,
                      uint64_t *bits)
{
    if (type == NULL) {
        if (lua_isnil(lua, index) ||
            lua_type(lua, index) == LUA_TUSERDATA)
            return convert_pointer(lua, index, NULL, bits);
        return convert_integer(lua, index, NULL, 0, bits);
    }
    switch (type->kind) {
    case IMAGE_TYPE_INTEGER:
    case IMAGE_TYPE_ENUM:
        return convert_integer(lua, index, type, 0, bits);
    case IMAGE_TYPE_BOOL:
        if (lua_isboolean(lua, index) ||
            (lua_isinteger(lua, index) &&
             (uint64_t)lua_tointeger(lua, index) <= 1))
            return convert_integer(lua, index, NULL, 0, bits);
        return complain(lua, "`%s` wants true or false", name_of(type));
    case IMAGE_TYPE_POINTER:
        return convert_pointer(lua, index, type, bits);
    default:
        return complain(lua, "a scenario cannot give a `%s`", name_of(type));
    }
}

/* --- C to Lua ------------------------------------------------------------- */

static void
push_pointer(lua_State *lua, const ImageType *type, uint64_t bits)
{
    Script *script = script_of(lua);
    const ImageSymbol *symbol;
    ScriptPlace place = {
        .base = SCRIPT_BASE_ADDRESS,
        .offset = bits,
        .type = type->target,
    };
    unsigned number;

    if (bits == 0) {
        lua_pushnil(lua);
        return;
    }
    if (type->target != NULL && type->target->kind == IMAGE_TYPE_FUNCTION) {
        symbol = image_symbol_at(script->image, bits);
        if (symbol != NULL && symbol->address == bits &&
            script_memory_lookup(script, symbol->name, &number)) {
            script_memory_push_name(lua, number);
            return;
        }
    }
    script_memory_push_place(lua, &place);
}

void
script_memory_push_result(lua_State *lua, const ImageType *type, uint64_t bits)
{
    unsigned spare;

    if (type == NULL) { /* assembly: whatever is in rax */
        lua_pushinteger(lua, (lua_Integer)bits);
        return;
    }
    switch (type->kind) {
    case IMAGE_TYPE_INTEGER:
    case IMAGE_TYPE_ENUM:
        spare = type->size >= 8 ? 0 : 64 - 8 * (unsigned)type->size;
        if (type->is_signed)
            lua_pushinteger(lua, (int64_t)(bits << spare) >> spare);
        else
            lua_pushinteger(lua, (lua_Integer)(bits << spare >> spare));
        return;
    case IMAGE_TYPE_BOOL:
        lua_pushboolean(lua, (bits & 0xff) != 0);
        return;
    case IMAGE_TYPE_POINTER:
        push_pointer(lua, type, bits);
        return;
    case IMAGE_TYPE_VOID:
        lua_pushnil(lua);
        return;
    default:
        script_vm_fail(lua, "a scenario cannot take a `%s`", name_of(type));
    }
}

/* --- Memory --------------------------------------------------------------- */

/* The bytes that hold a bit-field, and where it begins in them. */
static void
bits_of_field(const ImageMember *field, gva_t *address, uint64_t *size,
              unsigned *shift)
{
    *address += field->bit_offset / 8;
    *shift = field->bit_offset % 8;
    *size = (*shift + field->bit_size + 7) / 8;
}

static void
check_scalar(lua_State *lua, const ImageType *type, uint64_t size)
{
    if (type->kind == IMAGE_TYPE_FLOAT)
        script_vm_fail(lua, "`%s` is floating point, which no scenario "
                            "handles", name_of(type));
    if (size == 0 || size > 8)
        script_vm_fail(lua, "`%s` has %" PRIu64 " bytes: more than a scenario "
                            "handles at once", name_of(type), size);
}

static void
no_memory(lua_State *lua, gva_t address)
{
    script_vm_fail(lua, "the guest has no memory at 0x%" PRIx64, address);
}

void
script_convert_load(lua_State *lua, gva_t address, const ImageType *type,
                    const ImageMember *field)
{
    Script *script = script_of(lua);
    uint64_t size = type->size;
    uint64_t bits = 0;
    unsigned shift = 0;

    if (field != NULL && field->bit_size != 0)
        bits_of_field(field, &address, &size, &shift);
    check_scalar(lua, type, size);
    if (!machine_read(script->run.machine, script_acting_cpu(script), address,
                      &bits, size))
        no_memory(lua, address);
    if (script->run.loaded != NULL && script->mode == SCRIPT_STORY)
        script->run.loaded(script->run.user, script->cpu, address, size);
    if (field != NULL && field->bit_size != 0) {
        unsigned spare = 64 - field->bit_size;

        bits = bits >> shift << spare;
        bits = type->is_signed ? (uint64_t)((int64_t)bits >> spare)
                               : bits >> spare;
        if (type->kind == IMAGE_TYPE_INTEGER ||
            type->kind == IMAGE_TYPE_ENUM) {
            lua_pushinteger(lua, (lua_Integer)bits);
            return;
        }
    }
    script_memory_push_result(lua, type, bits);
}

/* Code is not for scenarios to write: engines have translated it already. */
static gpa_t
check_writable(lua_State *lua, gva_t address, uint64_t size)
{
    const Script *script = script_of(lua);
    gpa_t physical = 0;

    if (!gmem_translate(machine_memory(script->run.machine), address, size,
                        &physical))
        no_memory(lua, address);
    if (image_has_code(script->image, physical, size))
        script_vm_fail(lua, "0x%" PRIx64 " is code of the guest: a "
                            "scenario cannot change it", address);
    return physical;
}

void
script_convert_store(lua_State *lua, gva_t address, const ImageType *type,
                     const ImageMember *field, int index)
{
    Script *script = script_of(lua);
    Machine *machine = script->run.machine;
    unsigned cpu = script_acting_cpu(script);
    uint64_t size = type->size;
    uint64_t bits = 0;
    gpa_t physical;
    const char *trouble;
    unsigned shift = 0;
    bool is_bits = field != NULL && field->bit_size != 0;

    if (is_bits && type->kind != IMAGE_TYPE_BOOL)
        trouble = convert_integer(lua, index, type, field->bit_size, &bits);
    else
        trouble = script_memory_convert(lua, index, type, &bits);
    if (trouble != NULL)
        luaL_error(lua, "%s", trouble);
    if (is_bits)
        bits_of_field(field, &address, &size, &shift);
    check_scalar(lua, type, size);
    physical = check_writable(lua, address, size);
    if (is_bits) {
        uint64_t mask = UINT64_MAX >> (64 - field->bit_size) << shift;
        uint64_t old = 0;

        if (!machine_read(machine, cpu, address, &old, size))
            no_memory(lua, address);
        bits = (old & ~mask) | (bits << shift & mask);
    }
    if (script->mode == SCRIPT_SCHEDULE) {
        script_director_write(lua, physical, size, bits);
        return;
    }
    if (!machine_write(machine, cpu, address, &bits, size))
        no_memory(lua, address);
    if (script->run.stored != NULL && script->mode == SCRIPT_STORY)
        script->run.stored(script->run.user, script->cpu, address, size);
}

/* --- For messages --------------------------------------------------------- */

static void
append_declaration(GString *text, const ImageType *type, const char *name)
{
    g_string_append(text, name_of(type));
    if (name == NULL)
        return;
    if (text->len != 0 && text->str[text->len - 1] != '*')
        g_string_append_c(text, ' ');
    g_string_append(text, name);
}

char *
script_convert_prototype(const char *name, const ImageType *type)
{
    GString *text = g_string_new(NULL);

    append_declaration(text, type->target, name);
    g_string_append_c(text, '(');
    for (unsigned i = 0; i < type->member_count; i++) {
        if (i != 0)
            g_string_append(text, ", ");
        append_declaration(text, type->members[i].type, type->members[i].name);
    }
    if (type->member_count == 0)
        g_string_append(text, type->is_variadic ? "..." : "void");
    else if (type->is_variadic)
        g_string_append(text, ", ...");
    g_string_append_c(text, ')');
    return g_string_free(text, FALSE);
}
