/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_typetable -- where the types of an image live, each once.
 *
 * A type is found by a key: a text that says everything which tells it from
 * other types, with the numbers of the types that it is made of.  Structures
 * enter the table before their members are known, so that they can contain
 * pointers to themselves.
 *
 * Invariants: types are numbered in order of creation; one key, one type.
 * Layer 1; owned by ImageTypes.
 */
#ifndef EMU_GUEST_IMAGE_TYPETABLE_H
#define EMU_GUEST_IMAGE_TYPETABLE_H

#include "base/base.h"
#include "guest/image_types.h"

typedef struct ImageTypeTable ImageTypeTable;

ImageTypeTable *image_typetable_new(void);
void image_typetable_free(ImageTypeTable *table);

/* The type under `key`, created as `kind` and without a name if there is none;
 * `is_new` tells which. */
ImageType *image_typetable_intern(ImageTypeTable *table, const char *key,
                                  ImageTypeKind kind, bool *is_new);

/* The number of a type of any table. */
unsigned image_typetable_number(const ImageType *type);

void image_typetable_set_name(ImageTypeTable *table, ImageType *type,
                              const char *name);

/* A copy of `text` that lives as long as the table. */
const char *image_typetable_string(ImageTypeTable *table, const char *text);

/* Takes ownership of an allocated array. */
void image_typetable_own(ImageTypeTable *table, void *array);

const ImageType *image_typetable_void(ImageTypeTable *table);
const ImageType *image_typetable_pointer(ImageTypeTable *table,
                                         const ImageType *target);
const ImageType *image_typetable_array(ImageTypeTable *table,
                                       const ImageType *element,
                                       uint64_t count);

#endif
