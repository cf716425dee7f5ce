/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "guest/image_typetable.h"

typedef struct TypeNode {
    ImageType type; /* first: every ImageType is the head of its node */
    unsigned number;
} TypeNode;

struct ImageTypeTable {
    GHashTable *by_key; /* -> TypeNode */
    GPtrArray *nodes;   /* TypeNode, owned, in order of creation */
    GPtrArray *arrays;  /* owned */
    GStringChunk *strings;
};

ImageTypeTable *
image_typetable_new(void)
{
    ImageTypeTable *table = g_new0(ImageTypeTable, 1);

    table->by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                          NULL);
    table->nodes = g_ptr_array_new_with_free_func(g_free);
    table->arrays = g_ptr_array_new_with_free_func(g_free);
    table->strings = g_string_chunk_new(4096);
    return table;
}

void
image_typetable_free(ImageTypeTable *table)
{
    if (table == NULL)
        return;
    g_hash_table_destroy(table->by_key);
    g_ptr_array_free(table->nodes, TRUE);
    g_ptr_array_free(table->arrays, TRUE);
    g_string_chunk_free(table->strings);
    g_free(table);
}

ImageType *
image_typetable_intern(ImageTypeTable *table, const char *key,
                       ImageTypeKind kind, bool *is_new)
{
    TypeNode *node = g_hash_table_lookup(table->by_key, key);

    *is_new = node == NULL;
    if (node == NULL) {
        node = g_new0(TypeNode, 1);
        node->type.kind = kind;
        node->type.name = "";
        node->number = table->nodes->len;
        g_ptr_array_add(table->nodes, node);
        g_hash_table_insert(table->by_key, g_strdup(key), node);
    }
    return &node->type;
}

unsigned
image_typetable_number(const ImageType *type)
{
    return ((const TypeNode *)type)->number;
}

void
image_typetable_set_name(ImageTypeTable *table, ImageType *type,
                         const char *name)
{
    type->name = image_typetable_string(table, name);
}

const char *
image_typetable_string(ImageTypeTable *table, const char *text)
{
    return g_string_chunk_insert_const(table->strings, text);
}

void
image_typetable_own(ImageTypeTable *table, void *array)
{
    g_ptr_array_add(table->arrays, array);
}

const ImageType *
image_typetable_void(ImageTypeTable *table)
{
    bool is_new;
    ImageType *type = image_typetable_intern(table, "void", IMAGE_TYPE_VOID,
                                             &is_new);

    type->name = "void";
    return type;
}

const ImageType *
image_typetable_pointer(ImageTypeTable *table, const ImageType *target)
{
    g_autofree char *key = g_strdup_printf("*%u",
                                           image_typetable_number(target));
    bool is_new;
    ImageType *type = image_typetable_intern(table, key, IMAGE_TYPE_POINTER,
                                             &is_new);

    if (is_new) {
        const char *star = g_str_has_suffix(target->name, "*") ? "*" : " *";
        g_autofree char *name = g_strconcat(target->name, star, NULL);

        image_typetable_set_name(table, type, name);
        type->size = 8;
        type->target = target;
    }
    return type;
}

const ImageType *
image_typetable_array(ImageTypeTable *table, const ImageType *element,
                      uint64_t count)
{
    g_autofree char *key = g_strdup_printf("[%" PRIu64 "]%u", count,
                                           image_typetable_number(element));
    g_autofree char *bound = count == 0 ? g_strdup("")
                                        : g_strdup_printf("%" PRIu64, count);
    g_autofree char *name = g_strconcat(element->name, "[", bound, "]", NULL);
    bool is_new;
    ImageType *type = image_typetable_intern(table, key, IMAGE_TYPE_ARRAY,
                                             &is_new);

    if (is_new) {
        image_typetable_set_name(table, type, name);
        type->target = element;
        type->count = count;
        /* Damage can ask for more bytes than there are addresses. */
        if (__builtin_mul_overflow(count, element->size, &type->size))
            type->size = 0;
    }
    return type;
}
