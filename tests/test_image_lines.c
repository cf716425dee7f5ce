/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image: addresses to lines, quoted lines to addresses.
 */
#include "base/base.h"

#include "guest/image.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>

#include "image_rig.h"

IMAGE_RIG_SUITE(image_lines);

static bool
find(const Image *image, const char *function, const char *quote, GArray *out,
     char **message)
{
    g_autoptr(GError) error = NULL;
    bool found = image_find_quote(image, function, quote, out, &error);

    cr_expect_eq(found, error == NULL);
    g_free(*message);
    *message = g_strdup(error == NULL ? "" : error->message);
    return found;
}

Test(image_lines, addresses_have_lines_and_inline_chains)
{
    g_autoptr(Image) image = build(plain, "-O1");
    const ImageSymbol *work = image_lookup_symbol(image, "work");
    ImageLine line;
    bool seen = false;

    cr_assert(image_line_at(image, work->address, &line));
    cr_expect(g_str_has_suffix(line.file, "guest.c"));
    cr_expect_eq(line.line, 22u);
    cr_expect_str_eq(line.frames[0].function, "work");
    for (gva_t a = work->address; a < work->address + work->size; a++) {
        cr_assert(image_line_at(image, a, &line));
        if (line.line != 12)
            continue;
        seen = true;
        cr_assert_eq(line.frame_count, 3u);
        cr_expect_str_eq(line.frames[0].function, "fence");
        cr_expect_str_eq(line.frames[1].function, "publish");
        cr_expect_eq(line.frames[1].line, 18u);
        cr_expect_str_eq(line.frames[2].function, "work");
        cr_expect_eq(line.frames[2].line, 27u);
    }
    cr_expect(seen, "the inlined mfence has a line");
    cr_expect_not(image_line_at(image, 0x10, &line));

    cr_assert(image_line_at(image, work->address, &line));
    cr_expect_str_eq(image_source_line(image, line.file, 21), "work(int n)");
    cr_expect_null(image_source_line(image, line.file, 0));
    cr_expect_null(image_source_line(image, line.file, 4000));
    cr_expect_null(image_source_line(image, "/nowhere/at/all.c", 1));
}

Test(image_lines, a_quoted_line_becomes_addresses_in_its_function)
{
    g_autoptr(Image) image = build(plain, "-O1");
    const ImageSymbol *work = image_lookup_symbol(image, "work");
    g_autoptr(GArray) at = g_array_new(FALSE, FALSE, sizeof(gva_t));
    g_autofree char *message = NULL;
    ImageLine line;
    static const char *const quotes[] = {"counter = add_one(n);",
                                         "   publish(n + 3); ", "publish(n",
                                         "hidden_total = *text;"};
    static const unsigned numbers[] = {25, 27, 27, 32};

    for (size_t i = 0; i < G_N_ELEMENTS(quotes); i++) {
        g_array_set_size(at, 0);
        cr_assert(find(image, "work", quotes[i], at, &message), "%s", message);
        cr_assert_gt(at->len, 0u);
        for (unsigned k = 0; k < at->len; k++) {
            gva_t address = g_array_index(at, gva_t, k);
            const ImageFrame *frame;

            cr_assert(image_line_at(image, address, &line));
            frame = &line.frames[line.frame_count - 1];
            cr_expect_lt(address - work->address, work->size);
            cr_expect_eq(frame->line, numbers[i], "%s is at line %u", quotes[i],
                         frame->line);
        }
    }
}

Test(image_lines, a_call_that_was_inlined_is_one_place)
{
    g_autoptr(Image) image = build(plain, "-O0");
    g_autoptr(GArray) at = g_array_new(FALSE, FALSE, sizeof(gva_t));
    g_autofree char *message = NULL;

    cr_assert(find(image, "work", "publish(n + 3);", at, &message), "%s",
              message);
    cr_expect_eq(at->len, 1u, "%u addresses", at->len);
    g_array_set_size(at, 0);
    cr_assert(find(image, "publish", "fence();", at, &message), "%s", message);
    cr_expect_eq(at->len, 1u, "an inlined function is quoted where it is");
    g_array_set_size(at, 0);
    cr_assert(find(image, "fence", "mfence", at, &message), "%s", message);
    cr_expect_eq(at->len, 1u);
}

Test(image_lines, a_bad_quotation_says_what_is_wrong_with_it)
{
    g_autoptr(Image) image = build(plain, "-O1");
    g_autoptr(GArray) at = g_array_new(FALSE, FALSE, sizeof(gva_t));
    g_autofree char *message = NULL;

    cr_expect_not(find(image, "work", "counter++;", at, &message));
    cr_expect(strstr(message, "ambiguous quotation") != NULL &&
                  strstr(message, "29, 31") != NULL,
              "%s", message);
    cr_expect_not(find(image, "work", "counter = add_on(n);", at, &message));
    cr_expect(strstr(message, "work") != NULL &&
                  strstr(message, "did you mean \"counter = add_one(n);\"") !=
                      NULL,
              "%s", message);
    cr_expect_not(find(image, "work", "launch_the_missiles();", at, &message));
    cr_expect(strstr(message, "did you mean") == NULL, "%s", message);
    cr_expect_not(find(image, "work", "   ", at, &message));
    cr_expect_not(find(image, "work", "unused_copy = n;", at, &message));
    cr_expect(strstr(message, "produced no code") != NULL &&
                  strstr(message, "27, \"publish(n + 3);\"") != NULL,
              "%s", message);
    cr_expect_not(find(image, "work", "return value + 1;", at, &message),
                  "lines of other functions are not searched");
    cr_expect_not(find(image, "wrok", "x", at, &message));
    cr_expect(strstr(message, "no function wrok; did you mean work") != NULL,
              "%s", message);
    cr_expect_not(find(image, "counter", "x", at, &message));
    cr_expect_eq(at->len, 0u);
}

Test(image_lines, a_quotation_reaches_the_cold_part_of_a_function)
{
    static const char source[] =
        "extern __attribute__((cold, noinline)) void rare(int);\n"
        "void rare(int n) { __asm__ volatile(\"\" : : \"r\"(n)); }\n"
        "int gate;\n"
        "int work(int n)\n"
        "{\n"
        "    if (__builtin_expect(n == 77, 0)) {\n"
        "        gate = n * 3;\n"
        "        rare(n);\n"
        "    }\n"
        "    return n + gate;\n"
        "}\n"
        "void _start(void) { work(1); for (;;); }\n";
    g_autoptr(Image) image = build(source, "-O2 -fno-ipa-cp -fno-inline");
    const ImageSymbol *cold = image_lookup_symbol(image, "work.cold");
    g_autoptr(GArray) at = g_array_new(FALSE, FALSE, sizeof(gva_t));
    g_autofree char *message = NULL;

    cr_assert(find(image, "work", "rare(n);", at, &message), "%s", message);
    cr_assert_eq(at->len, 1u);
    if (cold != NULL)
        cr_expect_lt(g_array_index(at, gva_t, 0) - cold->address, cold->size);
}

Test(image_lines, without_its_source_a_quotation_fails_with_the_remedy)
{
    g_autoptr(Image) image = build(plain, "-O1");
    g_autofree char *path = in_directory("guest.c");
    g_autoptr(GArray) at = g_array_new(FALSE, FALSE, sizeof(gva_t));
    g_autofree char *message = NULL;

    g_remove(path);
    cr_expect_not(find(image, "work", "publish(n + 3);", at, &message));
    cr_expect(strstr(message, "put the source back") != NULL, "%s", message);
}
