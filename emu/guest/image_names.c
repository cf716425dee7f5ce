/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "guest/image_names.h"

#include <dwarf.h>

struct ImageNames {
    Dwarf *dwarf;
    GHashTable *tables[IMAGE_NAMES_KINDS]; /* name -> Dwarf_Off */
    size_t budget;
};

static bool
spend(ImageNames *names)
{
    return names->budget > 0 && names->budget-- > 0;
}

char *
image_names_tagged(Dwarf_Die *die)
{
    int tag = dwarf_tag(die);
    const char *name = dwarf_diename(die);
    const char *word = tag == DW_TAG_union_type         ? "union"
                       : tag == DW_TAG_enumeration_type ? "enum"
                                                        : "struct";

    return g_strconcat(word, " ", name == NULL ? "{...}" : name, NULL);
}

const char *
image_names_file(Dwarf_Die *die, unsigned attribute)
{
    Dwarf_Attribute found;
    Dwarf_Word index;
    Dwarf_Die unit;
    Dwarf_Files *files;
    const char *name;
    size_t count;

    /* The number counts in the unit of the entry that has the attribute, which
     * need not be the unit of this one. */
    if (dwarf_attr_integrate(die, attribute, &found) == NULL ||
        dwarf_formudata(&found, &index) != 0 ||
        dwarf_cu_die(found.cu, &unit, NULL, NULL, NULL, NULL, NULL, NULL) ==
            NULL ||
        dwarf_getsrcfiles(&unit, &files, &count) != 0 || index >= count)
        return NULL;
    name = dwarf_filesrc(files, (size_t)index, NULL, NULL);
    /* Before DWARF 5 files were counted from 1; libdw fills the gap. */
    return g_strcmp0(name, "???") == 0 ? NULL : name;
}

static void
remember(ImageNames *names, ImageNamesKind kind, const char *name,
         Dwarf_Die *die)
{
    Dwarf_Off *offset;

    if (g_hash_table_contains(names->tables[kind], name))
        return;
    offset = g_new(Dwarf_Off, 1);
    *offset = dwarf_dieoffset(die);
    g_hash_table_insert(names->tables[kind], g_strdup(name), offset);
}

static void
index_entry(ImageNames *names, Dwarf_Die *die, bool declarations)
{
    const char *name = dwarf_diename(die);
    g_autofree char *tagged = NULL;

    if (name == NULL ||
        (dwarf_hasattr(die, DW_AT_declaration) != 0) != declarations)
        return;
    switch (dwarf_tag(die)) {
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
    case DW_TAG_enumeration_type:
        tagged = image_names_tagged(die);
        remember(names, IMAGE_NAMES_TYPE, tagged, die);
        break;
    case DW_TAG_base_type:
    case DW_TAG_typedef:
        remember(names, IMAGE_NAMES_TYPE, name, die);
        break;
    case DW_TAG_variable:
        remember(names, IMAGE_NAMES_VARIABLE, name, die);
        break;
    case DW_TAG_subprogram:
        remember(names, IMAGE_NAMES_FUNCTION, name, die);
        break;
    default:
        break;
    }
}

static void
index_units(ImageNames *names, bool declarations)
{
    Dwarf_CU *unit = NULL;
    Dwarf_Die die;
    Dwarf_Die child;

    while (spend(names) && dwarf_get_units(names->dwarf, unit, &unit, NULL,
                                           NULL, &die, NULL) == 0) {
        if (dwarf_child(&die, &child) != 0)
            continue;
        do
            index_entry(names, &child, declarations);
        while (spend(names) && dwarf_siblingof(&child, &child) == 0);
    }
}

ImageNames *
image_names_new(Dwarf *dwarf, size_t budget)
{
    ImageNames *names = g_new0(ImageNames, 1);

    names->dwarf = dwarf;
    names->budget = budget;
    for (unsigned i = 0; i < IMAGE_NAMES_KINDS; i++)
        names->tables[i] = g_hash_table_new_full(g_str_hash, g_str_equal,
                                                 g_free, g_free);
    index_units(names, false);
    index_units(names, true);
    return names;
}

void
image_names_free(ImageNames *names)
{
    if (names == NULL)
        return;
    for (unsigned i = 0; i < IMAGE_NAMES_KINDS; i++)
        g_hash_table_destroy(names->tables[i]);
    g_free(names);
}

bool
image_names_lookup(const ImageNames *names, ImageNamesKind kind,
                   const char *name, Dwarf_Die *out)
{
    const Dwarf_Off *offset = g_hash_table_lookup(names->tables[kind], name);

    return offset != NULL && dwarf_offdie(names->dwarf, *offset, out) != NULL;
}
