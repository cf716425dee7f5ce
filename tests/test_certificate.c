/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates on disk: what was written is read, and a file in which one bit
 * has changed is refused.
 */
#include "base/base.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

#include "search/certificate.h"

TestSuite(certificate, .timeout = 60);

static const char trace_text[] = "heddle-trace " G_STRINGIFY(TRACE_VERSION) "\n"
                                 "scenario /tmp/x.lua\n"
                                 "case 1\n"
                                 "strategy random\n"
                                 "memory sc\n"
                                 "seed 2\n"
                                 "image 00000000000000ab\n"
                                 "verdict livelock\n"
                                 "digest 00000000000000cd\n"
                                 "tape AAABBQ==\n";

static char *
path_of(const char *name)
{
    return g_strdup_printf("%s/heddle-%d-%s", g_get_tmp_dir(), (int)getpid(),
                           name);
}

static void
put(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "w");

    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void
add(GArray *moves, const char *line)
{
    LassoMove move;

    cr_assert(lasso_parse_move(line, &move));
    g_array_append_val(moves, move);
}

static char *
write_one(void)
{
    g_auto(Certificate) certificate = {0};
    char *path = path_of("one.proof");
    GError *error = NULL;

    certificate_init(&certificate);
    certificate.claim = CERTIFICATE_LIVELOCK;
    certificate.state = 0x123456789abcdef0;
    certificate.rounds = 2;
    certificate.trace_text = g_strdup(trace_text);
    g_ptr_array_add(certificate.left_out,
                    g_strdup("memory 0x20f4c0 4 +1 ticks+0x0"));
    g_ptr_array_add(certificate.left_out, g_strdup("cpu1 r12 +4"));
    add(certificate.lasso.stem, "settle");
    add(certificate.lasso.stem, "deliver #12 to cpu1");
    add(certificate.lasso.loop, "step cpu0 154");
    add(certificate.lasso.loop, "fire cpu1");
    cr_assert(certificate_write(&certificate, path, &error), "%s",
              error != NULL ? error->message : "");
    return path;
}

Test(certificate, is_read_as_it_was_written)
{
    g_autofree char *path = write_one();
    g_auto(Certificate) read = {0};
    GError *error = NULL;

    certificate_init(&read);
    cr_assert(certificate_is_certificate(path));
    cr_assert(certificate_read(&read, path, &error), "%s",
              error != NULL ? error->message : "");
    cr_expect_eq(read.claim, CERTIFICATE_LIVELOCK);
    cr_expect_eq(read.state, 0x123456789abcdef0);
    cr_expect_eq(read.rounds, 2);
    cr_expect_eq(read.left_out->len, 2);
    cr_expect_eq(read.lasso.stem->len, 2);
    cr_expect_eq(read.lasso.loop->len, 2);
    cr_expect_eq(g_array_index(read.lasso.loop, LassoMove, 0).steps, 154);
    cr_expect_str_eq(read.trace_text, trace_text);
    cr_expect_eq(read.trace.seed, 2);
    cr_expect_eq(read.trace.tape.count, 2);
    g_unlink(path);
}

Test(certificate, one_changed_bit_anywhere_is_refused)
{
    g_autofree char *path = write_one(), *text = NULL;
    g_autofree char *changed = path_of("changed.proof");
    size_t size;

    cr_assert(g_file_get_contents(path, &text, &size, NULL));
    for (size_t bit = 0; bit < 8 * size; bit++) {
        g_auto(Certificate) read = {0};
        g_autoptr(GError) error = NULL;

        certificate_init(&read);
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        put(changed, text, size);
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        cr_assert_not(certificate_read(&read, changed, &error), "bit %zu",
                      bit);
        cr_assert_not_null(error);
    }
    g_unlink(path);
    g_unlink(changed);
}

Test(certificate, a_file_that_is_cut_short_or_longer_is_refused)
{
    g_autofree char *path = write_one(), *text = NULL;
    g_autofree char *changed = path_of("cut.proof"), *longer = NULL;
    size_t size;

    cr_assert(g_file_get_contents(path, &text, &size, NULL));
    longer = g_strconcat(text, "x", NULL);
    for (size_t end = 0; end <= size + 1; end++) {
        g_auto(Certificate) read = {0};
        g_autoptr(GError) error = NULL;

        certificate_init(&read);
        put(changed, longer, end);
        cr_assert_eq(certificate_read(&read, changed, &error), end == size);
    }
    g_unlink(path);
    g_unlink(changed);
}

Test(certificate, lies_beside_its_trace)
{
    g_autofree char *one = certificate_path("/tmp/a.trace");
    g_autofree char *two = certificate_path("/tmp/a");

    cr_expect_str_eq(one, "/tmp/a.proof");
    cr_expect_str_eq(two, "/tmp/a.proof");
}
