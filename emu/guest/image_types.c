/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "guest/image_types.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

#include "guest/image_names.h"
#include "guest/image_typetable.h"

/* Pointers to arrays of typedefs ...; structures end the recursion. */
#define NESTING_MAX 64

struct ImageTypes {
    ImageNames *names;
    GHashTable *by_entry; /* Dwarf_Die.addr -> ImageType */
    GArray *unfilled;     /* Unfilled */
    GPtrArray *typedefs;  /* copies of something maybe unfilled */
    ImageTypeTable *table;
    size_t budget; /* entries that may still be visited; see image_lines.c */
};

/* A structure whose members are to be read. */
typedef struct Unfilled {
    ImageType *type;
    Dwarf_Die die;
} Unfilled;

static bool
spend(ImageTypes *types)
{
    return types->budget > 0 && types->budget-- > 0;
}

static const ImageType *
void_type(ImageTypes *types)
{
    return image_typetable_void(types->table);
}

static const ImageType *resolve(ImageTypes *types, Dwarf_Die *die,
                                unsigned depth);

static bool
type_entry(Dwarf_Die *die, Dwarf_Die *target)
{
    Dwarf_Attribute attribute;

    return dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attribute),
                             target) != NULL;
}

/* The type that the attribute of `die` names; none is void. */
static const ImageType *
target_of(ImageTypes *types, Dwarf_Die *die, unsigned depth)
{
    Dwarf_Die target;

    if (!type_entry(die, &target))
        return void_type(types);
    return resolve(types, &target, depth);
}

static bool
number_attribute(Dwarf_Die *die, unsigned name, uint64_t *value)
{
    Dwarf_Attribute attribute;
    Dwarf_Word word;

    if (dwarf_formudata(dwarf_attr_integrate(die, name, &attribute), &word) !=
        0)
        return false;
    *value = word;
    return true;
}

static uint64_t
byte_size(Dwarf_Die *die)
{
    uint64_t size = 0;

    return number_attribute(die, DW_AT_byte_size, &size) ? size : 0;
}

static const ImageType *
resolve_base(ImageTypes *types, Dwarf_Die *die)
{
    const char *name = dwarf_diename(die);
    uint64_t encoding = 0;
    g_autofree char *key = NULL;
    ImageType *type;
    bool is_new;

    number_attribute(die, DW_AT_encoding, &encoding);
    key = g_strdup_printf("base %s %" PRIu64 " %" PRIu64,
                          name == NULL ? "" : name, byte_size(die), encoding);
    type = image_typetable_intern(types->table, key, IMAGE_TYPE_INTEGER,
                                  &is_new);
    if (!is_new)
        return type;
    image_typetable_set_name(types->table, type,
                             name == NULL ? "integer" : name);
    type->size = byte_size(die);
    if (encoding == DW_ATE_boolean)
        type->kind = IMAGE_TYPE_BOOL;
    else if (encoding == DW_ATE_float || encoding == DW_ATE_complex_float)
        type->kind = IMAGE_TYPE_FLOAT;
    type->is_signed = encoding == DW_ATE_signed ||
                      encoding == DW_ATE_signed_char;
    return type;
}

/* Elements of one dimension; 0 when not told. */
static uint64_t
dimension(Dwarf_Die *range)
{
    uint64_t count = 0;

    if (number_attribute(range, DW_AT_count, &count))
        return count;
    /* The bound of T[0] is -1 in some encodings, or missing. */
    if (number_attribute(range, DW_AT_upper_bound, &count) &&
        count < INT64_MAX && count != UINT32_MAX)
        return count + 1;
    return 0;
}

static const ImageType *
resolve_array(ImageTypes *types, Dwarf_Die *die, unsigned depth)
{
    const ImageType *type = target_of(types, die, depth);
    uint64_t counts[8];
    unsigned count = 0;
    Dwarf_Die child;

    if (dwarf_child(die, &child) == 0)
        do {
            if (dwarf_tag(&child) == DW_TAG_subrange_type &&
                count < G_N_ELEMENTS(counts))
                counts[count++] = dimension(&child);
        } while (spend(types) && dwarf_siblingof(&child, &child) == 0);
    if (count == 0)
        counts[count++] = 0;
    while (count > 0)
        type = image_typetable_array(types->table, type, counts[--count]);
    return type;
}

static const ImageType *
resolve_enum(ImageTypes *types, Dwarf_Die *die, ImageType *type)
{
    GArray *values = g_array_new(FALSE, FALSE, sizeof(ImageEnumerator));
    Dwarf_Die child;

    type->kind = IMAGE_TYPE_ENUM;
    if (dwarf_child(die, &child) == 0)
        do {
            ImageEnumerator value;
            Dwarf_Attribute attribute;
            Dwarf_Sword number;
            const char *name = dwarf_diename(&child);

            if (dwarf_tag(&child) != DW_TAG_enumerator || name == NULL ||
                dwarf_formsdata(
                    dwarf_attr(&child, DW_AT_const_value, &attribute),
                    &number) != 0)
                continue;
            value.name = image_typetable_string(types->table, name);
            value.value = number;
            type->is_signed = type->is_signed || number < 0;
            g_array_append_val(values, value);
        } while (spend(types) && dwarf_siblingof(&child, &child) == 0);
    type->enumerator_count = values->len;
    type->enumerators = (const ImageEnumerator *)(void *)g_array_free(values,
                                                                      FALSE);
    image_typetable_own(types->table, (void *)type->enumerators);
    return type;
}

/*
 * What tells a structure from others.  One header's structure has an entry in
 * every file that includes it; the nameless have a place in the source and, as
 * a macro can write two of them at one place, their members.
 */
static char *
tagged_key(ImageTypes *types, Dwarf_Die *die, const char *name)
{
    GString *key = g_string_new(name);
    const char *file = image_names_file(die, DW_AT_decl_file);
    uint64_t line = 0;
    uint64_t column = 0;
    Dwarf_Die child;

    number_attribute(die, DW_AT_decl_line, &line);
    number_attribute(die, DW_AT_decl_column, &column);
    g_string_append_printf(key, " %" PRIu64 " %s:%" PRIu64 ":%" PRIu64,
                           byte_size(die), file == NULL ? "" : file, line,
                           column);
    if (dwarf_diename(die) != NULL || dwarf_child(die, &child) != 0)
        return g_string_free(key, FALSE);
    do {
        const char *member = dwarf_diename(&child);

        g_string_append_printf(key, ";%s", member == NULL ? "" : member);
    } while (spend(types) && dwarf_siblingof(&child, &child) == 0);
    return g_string_free(key, FALSE);
}

static const ImageType *
resolve_tagged(ImageTypes *types, Dwarf_Die *die, unsigned depth)
{
    g_autofree char *name = image_names_tagged(die);
    g_autofree char *key = tagged_key(types, die, name);
    Unfilled unfilled = {.die = *die};
    Dwarf_Die definition;
    bool is_new;

    if (dwarf_hasattr(die, DW_AT_declaration) &&
        image_names_lookup(types->names, IMAGE_NAMES_TYPE, name, &definition) &&
        !dwarf_hasattr(&definition, DW_AT_declaration))
        return resolve(types, &definition, depth);
    unfilled.type = image_typetable_intern(types->table, key,
                                           dwarf_tag(die) == DW_TAG_union_type
                                               ? IMAGE_TYPE_UNION
                                               : IMAGE_TYPE_STRUCT,
                                           &is_new);
    if (!is_new)
        return unfilled.type;
    image_typetable_set_name(types->table, unfilled.type, name);
    unfilled.type->size = byte_size(die);
    if (dwarf_tag(die) == DW_TAG_enumeration_type)
        return resolve_enum(types, die, unfilled.type);
    g_array_append_val(types->unfilled, unfilled);
    return unfilled.type;
}

static void
copy_typedef(ImageType *type)
{
    const ImageType *base = type->typedef_of;
    const char *name = type->name;

    *type = *base;
    type->name = name;
    type->typedef_of = base;
}

static const ImageType *
resolve_typedef(ImageTypes *types, Dwarf_Die *die, unsigned depth)
{
    const char *name = dwarf_diename(die);
    const ImageType *base = target_of(types, die, depth);
    g_autofree char *key = g_strdup_printf("typedef %s %u",
                                           name == NULL ? "" : name,
                                           image_typetable_number(base));
    bool is_new;
    ImageType *type = image_typetable_intern(types->table, key, base->kind,
                                             &is_new);

    if (is_new) {
        image_typetable_set_name(types->table, type,
                                 name == NULL ? base->name : name);
        type->typedef_of = base;
        copy_typedef(type);
        g_ptr_array_add(types->typedefs, type);
    }
    return type;
}

static const char *
member_name(ImageTypes *types, Dwarf_Die *die)
{
    const char *name = dwarf_diename(die);

    return name == NULL ? NULL : image_typetable_string(types->table, name);
}

static void
set_members(ImageTypes *types, ImageType *type, GArray *members)
{
    type->member_count = members->len;
    type->members = (const ImageMember *)(void *)g_array_free(members, FALSE);
    image_typetable_own(types->table, (void *)type->members);
}

static const ImageType *
resolve_function(ImageTypes *types, Dwarf_Die *die, unsigned depth)
{
    const ImageType *result = target_of(types, die, depth);
    g_autoptr(GString) key = g_string_new(NULL);
    g_autoptr(GString) name = g_string_new(NULL);
    GArray *members = g_array_new(FALSE, FALSE, sizeof(ImageMember));
    bool variadic = false;
    ImageType *type;
    Dwarf_Die child;
    bool is_new;

    g_string_printf(key, "function %u", image_typetable_number(result));
    g_string_printf(name, "%s (", result->name);
    if (dwarf_child(die, &child) == 0)
        do {
            ImageMember member = {0};

            if (dwarf_tag(&child) == DW_TAG_unspecified_parameters)
                variadic = true;
            if (dwarf_tag(&child) != DW_TAG_formal_parameter)
                continue;
            member.type = target_of(types, &child, depth);
            member.name = member_name(types, &child);
            g_string_append_printf(key, " %u %s",
                                   image_typetable_number(member.type),
                                   member.name == NULL ? "" : member.name);
            g_string_append_printf(name, "%s%s", members->len == 0 ? "" : ", ",
                                   member.type->name);
            g_array_append_val(members, member);
        } while (spend(types) && dwarf_siblingof(&child, &child) == 0);
    g_string_append(key, variadic ? " ..." : "");
    g_string_append(name, variadic            ? ", ...)"
                          : members->len == 0 ? "void)"
                                              : ")");
    type = image_typetable_intern(types->table, key->str, IMAGE_TYPE_FUNCTION,
                                  &is_new);
    if (!is_new) {
        g_array_free(members, TRUE);
        return type;
    }
    image_typetable_set_name(types->table, type, name->str);
    type->target = result;
    type->is_variadic = variadic;
    set_members(types, type, members);
    return type;
}

static const ImageType *
resolve(ImageTypes *types, Dwarf_Die *die, unsigned depth)
{
    const ImageType *type = g_hash_table_lookup(types->by_entry, die->addr);
    Dwarf_Die target;

    if (type != NULL)
        return type;
    if (depth == NESTING_MAX || !spend(types))
        return void_type(types);
    depth++;
    switch (dwarf_tag(die)) {
    case DW_TAG_base_type:
        type = resolve_base(types, die);
        break;
    case DW_TAG_pointer_type:
        type = image_typetable_pointer(types->table,
                                       target_of(types, die, depth));
        break;
    case DW_TAG_array_type:
        type = resolve_array(types, die, depth);
        break;
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
    case DW_TAG_enumeration_type:
        type = resolve_tagged(types, die, depth);
        break;
    case DW_TAG_typedef:
        type = resolve_typedef(types, die, depth);
        break;
    case DW_TAG_subroutine_type:
    case DW_TAG_subprogram:
        type = resolve_function(types, die, depth);
        break;
    case DW_TAG_const_type:
    case DW_TAG_volatile_type:
    case DW_TAG_restrict_type:
    case DW_TAG_atomic_type:
        return type_entry(die, &target) ? resolve(types, &target, depth)
                                        : void_type(types);
    default:
        return void_type(types);
    }
    g_hash_table_insert(types->by_entry, die->addr, (void *)type);
    return type;
}

/* Where a member lies: DWARF 5 counts its bits from the start of the
 * structure, DWARF 3 from the top of its storage unit. */
static void
place_member(Dwarf_Die *die, ImageMember *member)
{
    uint64_t bits = 0;
    uint64_t size = 0;
    uint64_t from_top = 0;
    uint64_t unit = member->type->size;

    number_attribute(die, DW_AT_data_member_location, &member->offset);
    if (!number_attribute(die, DW_AT_bit_size, &size) || size == 0 ||
        size > 64 || unit == 0)
        return;
    member->bit_size = (unsigned)size;
    if (number_attribute(die, DW_AT_data_bit_offset, &bits)) {
        uint64_t start = bits / (8 * unit) * unit;

        /* A packed field may straddle units: count from its byte then. */
        if (bits - 8 * start + size > 8 * unit)
            start = bits / 8;
        member->offset = start;
        member->bit_offset = (unsigned)(bits - 8 * start);
    } else if (number_attribute(die, DW_AT_bit_offset, &from_top)) {
        uint64_t storage = unit;

        number_attribute(die, DW_AT_byte_size, &storage);
        if (from_top + size <= 8 * storage)
            member->bit_offset = (unsigned)(8 * storage - from_top - size);
    }
}

static void
fill_structure(ImageTypes *types, Unfilled *structure)
{
    GArray *members = g_array_new(FALSE, FALSE, sizeof(ImageMember));
    Dwarf_Die child;

    if (dwarf_child(&structure->die, &child) == 0)
        do {
            ImageMember member = {0};

            if (dwarf_tag(&child) != DW_TAG_member)
                continue;
            member.type = target_of(types, &child, 0);
            member.name = member_name(types, &child);
            place_member(&child, &member);
            g_array_append_val(members, member);
        } while (spend(types) && dwarf_siblingof(&child, &child) == 0);
    set_members(types, structure->type, members);
}

/* Structures are filled one by one rather than inside each other: a kernel's
 * lists of everything would make the recursion as deep as the kernel. */
static const ImageType *
finish(ImageTypes *types, const ImageType *type)
{
    while (types->unfilled->len > 0) {
        unsigned last = types->unfilled->len - 1;
        Unfilled next = g_array_index(types->unfilled, Unfilled, last);

        g_array_set_size(types->unfilled, last);
        fill_structure(types, &next);
    }
    for (unsigned i = 0; i < types->typedefs->len; i++)
        copy_typedef(g_ptr_array_index(types->typedefs, i));
    g_ptr_array_set_size(types->typedefs, 0);
    return type;
}

ImageTypes *
image_types_new(Dwarf *dwarf)
{
    ImageTypes *types = g_new0(ImageTypes, 1);

    types->by_entry = g_hash_table_new(NULL, NULL);
    types->table = image_typetable_new();
    types->unfilled = g_array_new(FALSE, FALSE, sizeof(Unfilled));
    types->typedefs = g_ptr_array_new();
    if (dwarf == NULL)
        return types;
    elf_rawfile(dwarf_getelf(dwarf), &types->budget);
    types->budget *= 4;
    types->names = image_names_new(dwarf, types->budget);
    return types;
}

void
image_types_free(ImageTypes *types)
{
    if (types == NULL)
        return;
    image_names_free(types->names);
    g_hash_table_destroy(types->by_entry);
    g_array_free(types->unfilled, TRUE);
    g_ptr_array_free(types->typedefs, TRUE);
    image_typetable_free(types->table);
    g_free(types);
}

static const ImageType *
lookup(ImageTypes *types, ImageNamesKind kind, const char *name)
{
    Dwarf_Die die;

    if (types->names == NULL ||
        !image_names_lookup(types->names, kind, name, &die))
        return NULL;
    return finish(types, kind == IMAGE_NAMES_VARIABLE
                             ? target_of(types, &die, 0)
                             : resolve(types, &die, 0));
}

/* Compilers spell the integers out; people do not. */
static const char *
long_spelling(const char *name)
{
    static const char *const spellings[][2] = {
        {"unsigned", "unsigned int"},
        {"signed", "int"},
        {"short", "short int"},
        {"unsigned short", "short unsigned int"},
        {"long", "long int"},
        {"unsigned long", "long unsigned int"},
        {"long long", "long long int"},
        {"unsigned long long", "long long unsigned int"},
        {"bool", "_Bool"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(spellings); i++)
        if (strcmp(spellings[i][0], name) == 0)
            return spellings[i][1];
    return name;
}

const ImageType *
image_types_named(ImageTypes *types, const char *name)
{
    g_autofree char *base = g_strstrip(g_strdup(name));
    const ImageType *type;
    unsigned stars = 0;

    while (g_str_has_suffix(base, "*")) {
        base[strlen(base) - 1] = '\0';
        g_strchomp(base);
        stars++;
    }
    type = strcmp(base, "void") == 0 ? void_type(types)
                                     : lookup(types, IMAGE_NAMES_TYPE, base);
    if (type == NULL)
        type = lookup(types, IMAGE_NAMES_TYPE, long_spelling(base));
    for (; type != NULL && stars > 0; stars--)
        type = image_typetable_pointer(types->table, type);
    return type;
}

const ImageType *
image_types_variable(ImageTypes *types, const char *name)
{
    return lookup(types, IMAGE_NAMES_VARIABLE, name);
}

const ImageType *
image_types_function(ImageTypes *types, const char *name)
{
    return lookup(types, IMAGE_NAMES_FUNCTION, name);
}

bool
image_types_member(const ImageType *type, const char *name, ImageMember *out)
{
    if (type->kind != IMAGE_TYPE_STRUCT && type->kind != IMAGE_TYPE_UNION)
        return false;
    for (unsigned i = 0; i < type->member_count; i++) {
        const ImageMember *member = &type->members[i];

        if (member->name != NULL && strcmp(member->name, name) == 0) {
            *out = *member;
            return true;
        }
        if (member->name == NULL &&
            image_types_member(member->type, name, out)) {
            out->offset += member->offset;
            return true;
        }
    }
    return false;
}
