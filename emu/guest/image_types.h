/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_types -- the C types of a guest, from DWARF.
 *
 * Enough to read and write guest memory by C name and to call guest functions:
 * kinds, sizes, members, prototypes.  const, volatile, restrict and _Atomic
 * are dropped.
 *
 * Invariants: types are interned: one type, one pointer, also across the
 * files of a guest; they live as long as the image.  A structure that one file
 * only declares is the one that another file defines.  Every type can be
 * walked without meeting NULL, except `target` of void and scalars.
 *
 * Damaged debug information gives void where a type was.  Layer 1; owned by an
 * Image, filled as asked.
 */
#ifndef EMU_GUEST_IMAGE_TYPES_H
#define EMU_GUEST_IMAGE_TYPES_H

#include "base/base.h"

typedef struct Dwarf Dwarf; /* of libdw */

typedef enum ImageTypeKind {
    IMAGE_TYPE_VOID, /* also: incomplete everywhere */
    IMAGE_TYPE_INTEGER,
    IMAGE_TYPE_BOOL,
    IMAGE_TYPE_FLOAT,
    IMAGE_TYPE_POINTER,
    IMAGE_TYPE_STRUCT,
    IMAGE_TYPE_UNION,
    IMAGE_TYPE_ARRAY,
    IMAGE_TYPE_ENUM,
    IMAGE_TYPE_FUNCTION,
} ImageTypeKind;

typedef struct ImageType ImageType;

typedef struct ImageMember {
    const char *name; /* NULL: an anonymous structure, a nameless parameter */
    const ImageType *type;
    uint64_t offset;     /* bytes */
    unsigned bit_size;   /* 0: not a bit-field */
    unsigned bit_offset; /* of its lowest bit, from the lowest at `offset` */
} ImageMember;

typedef struct ImageEnumerator {
    const char *name;
    int64_t value;
} ImageEnumerator;

struct ImageType {
    ImageTypeKind kind;
    bool is_signed;          /* integer, enum */
    bool is_variadic;        /* function */
    const char *name;        /* as C spells it; descriptive if it has none */
    uint64_t size;           /* bytes; 0 for void, functions, T[] */
    uint64_t count;          /* array: elements; 0 if not told */
    const ImageType *target; /* pointee, element, return type */
    const ImageType *typedef_of; /* what a typedef names; NULL otherwise.  All
                                  * other fields are those of that type */
    const ImageMember *members;  /* struct, union; parameters of a function */
    unsigned member_count;
    const ImageEnumerator *enumerators;
    unsigned enumerator_count;
};

typedef struct ImageTypes ImageTypes;

/* Index the names in `dwarf` (borrowed; NULL: nothing is found). */
ImageTypes *image_types_new(Dwarf *dwarf);
void image_types_free(ImageTypes *types);

/* By C name: "int", "unsigned long", "struct lwkt_ipiq", "cpumask_t", and any
 * of these with stars.  NULL when the guest has no such type. */
const ImageType *image_types_named(ImageTypes *types, const char *name);

/* The type of a variable of file scope, or NULL. */
const ImageType *image_types_variable(ImageTypes *types, const char *name);

/* The prototype of a function, or NULL. */
const ImageType *image_types_function(ImageTypes *types, const char *name);

/* The member `name` of a structure or union; those of its anonymous members
 * count as its own, and `offset` is from the start of `type`. */
bool image_types_member(const ImageType *type, const char *name,
                        ImageMember *out);

#endif
