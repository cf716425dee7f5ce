/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_names -- what DWARF says at file scope, by name.
 *
 * Of several entries of one name the first definition counts, and a mere
 * declaration only if there is none.  Layer 1; owned by ImageTypes.
 */
#ifndef EMU_GUEST_IMAGE_NAMES_H
#define EMU_GUEST_IMAGE_NAMES_H

#include "base/base.h"

#include <elfutils/libdw.h>

typedef enum ImageNamesKind {
    IMAGE_NAMES_TYPE, /* "int", "cpumask_t", "struct x", "union x", "enum x" */
    IMAGE_NAMES_VARIABLE,
    IMAGE_NAMES_FUNCTION,
    IMAGE_NAMES_KINDS,
} ImageNamesKind;

typedef struct ImageNames ImageNames;

/* Read all names of `dwarf`, visiting at most `budget` entries. */
ImageNames *image_names_new(Dwarf *dwarf, size_t budget);
void image_names_free(ImageNames *names);

bool image_names_lookup(const ImageNames *names, ImageNamesKind kind,
                        const char *name, Dwarf_Die *out);

/* "struct x", "union x", "enum x"; of the nameless, "struct {...}".  The
 * caller frees it. */
char *image_names_tagged(Dwarf_Die *die);

/*
 * The file that an attribute (DW_AT_decl_file, DW_AT_call_file) names, or NULL.
 * libdw's own dwarf_decl_file() of 0.188 knows nothing of file 0, which clang
 * uses for the main file of a DWARF 5 unit.
 */
const char *image_names_file(Dwarf_Die *die, unsigned attribute);

#endif
