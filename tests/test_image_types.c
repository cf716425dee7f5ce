/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image: the C types of a guest.
 */
#include "base/base.h"

#include "guest/image.h"

#include <criterion/criterion.h>

#include "image_rig.h"

IMAGE_RIG_SUITE(image_types);

static ImageMember
member(const ImageType *type, const char *name)
{
    ImageMember out = {0};

    cr_assert(image_types_member(type, name, &out), "%s", name);
    cr_assert_not_null(out.type);
    return out;
}

static void
check_structure(const Image *image)
{
    const ImageType *type = image_type_named(image, "struct lwkt_ipiq");
    ImageMember m;

    cr_assert_not_null(type);
    cr_expect_eq(type->kind, IMAGE_TYPE_STRUCT);
    m = member(type, "ip_windex");
    cr_expect_eq(m.offset, 4u);
    cr_expect_eq(m.type, image_type_named(image, "int"));
    m = member(type, "ip_info");
    cr_expect_eq(m.offset, 8u);
    cr_expect_eq(m.type->kind, IMAGE_TYPE_ARRAY);
    cr_expect_eq(m.type->count, 32u);
    cr_expect_eq(m.type->size, 32u * 16u);
    cr_expect_eq(member(m.type->target, "func").offset, 8u);
    cr_expect_eq(member(type, "as_bytes").offset, 520u);
    cr_expect_eq(member(type, "as_bytes").type->count, 8u);
    m = member(type, "rest");
    cr_expect_eq(m.offset * 8 + m.bit_offset, 528u * 8u + 3u);
    cr_expect_eq(m.bit_size, 13u);
    m = member(type, "wide");
    cr_expect_eq(m.bit_size, 40u);
    cr_expect_leq(m.bit_offset + m.bit_size, 64u);
    cr_expect_eq(member(type, "next").type->target, type);
    cr_expect_eq(member(type, "busy").type->kind, IMAGE_TYPE_BOOL);
    m = member(type, "mask");
    cr_expect_str_eq(m.type->name, "cpumask_t");
    cr_expect_eq(m.type->kind, IMAGE_TYPE_INTEGER);
    cr_expect_eq(m.type->size, 8u);
    cr_expect_not(m.type->is_signed);
    m = member(type, "color");
    cr_expect_eq(m.type->kind, IMAGE_TYPE_ENUM);
    cr_assert_eq(m.type->enumerator_count, 2u);
    cr_expect_eq(m.type->enumerators[0].value, -1);
    cr_expect(m.type->is_signed);
    m = member(type, "matrix");
    cr_expect_eq(m.type->count, 2u);
    cr_expect_eq(m.type->target->count, 3u);
    cr_expect_eq(member(type, "tail").type->size, 0u);
    cr_expect_not(image_types_member(type, "nothing", &m));
}

Test(image_types, structures_have_members_where_the_compiler_put_them)
{
    g_autoptr(Image) image = build_types("-O1");

    check_structure(image);
}

Test(image_types, older_dwarf_describes_the_same_types)
{
    g_autoptr(Image) image = build_types("-O1 -gdwarf-3");

    check_structure(image);
}

Test(image_types, types_are_interned_across_files_and_spellings)
{
    g_autoptr(Image) image = build_types("-O1");
    const ImageType *type = image_type_named(image, "struct lwkt_ipiq");
    const ImageType *pair = image_type_named(image, "pair_t");

    cr_assert(type != NULL && pair != NULL);
    cr_expect_eq(image_type_named(image, "unsigned long"),
                 image_type_named(image, "long unsigned int"));
    cr_expect_eq(image_variable_type(image, "ipiq")->target, type);
    cr_expect_eq(image_variable_type(image, "declared_only")->target, type);
    cr_expect_eq(image_type_named(image, "struct lwkt_ipiq *"),
                 image_variable_type(image, "ipiq"));
    cr_expect_eq(image_variable_type(image, "ipiq_debug"),
                 image_type_named(image, "int"));
    cr_expect_eq(image_variable_type(image, "elsewhere"),
                 image_type_named(image, "struct later"));
    cr_expect_eq(image_variable_type(image, "second_pair"), pair);
    cr_assert_not_null(pair->typedef_of);
    cr_expect_eq(pair->member_count, 2u);
    cr_expect_eq(member(pair, "link").type->target,
                 image_type_named(image, "struct later"));
    cr_expect_str_eq(image_type_named(image, "char **")->name, "char **");
    cr_expect_eq(image_type_named(image, "void*")->target->kind,
                 IMAGE_TYPE_VOID);
    cr_expect_null(image_type_named(image, "struct nothing"));
    cr_expect_null(image_type_named(image, ""));
    cr_expect_null(image_variable_type(image, "nothing"));
}

Test(image_types, functions_have_prototypes)
{
    g_autoptr(Image) image = build_types("-O1");
    const ImageType *type = image_function_type(image, "lwkt_send_ipiq3");
    const ImageType *callback = image_type_named(image, "ipifunc3_t");

    cr_assert(type != NULL && callback != NULL);
    cr_expect_eq(type->kind, IMAGE_TYPE_FUNCTION);
    cr_expect_eq(type->target, image_type_named(image, "int"));
    cr_assert_eq(type->member_count, 4u);
    cr_expect_str_eq(type->members[0].name, "target");
    cr_expect_str_eq(type->members[3].name, "arg2");
    cr_expect_eq(type->members[1].type, callback);
    cr_expect_eq(type->members[3].type->size, 2u);
    cr_expect_not(type->is_variadic);
    cr_expect_eq(callback->kind, IMAGE_TYPE_POINTER);
    cr_expect_eq(callback->target->kind, IMAGE_TYPE_FUNCTION);
    cr_expect(callback->target->is_variadic);
    cr_expect_eq(callback->target->member_count, 2u);
    cr_expect_eq(callback->target->target->kind, IMAGE_TYPE_VOID);
    cr_expect_null(image_function_type(image, "nothing"));
}
