/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <criterion/criterion.h>

#include "base/prng.h"
#include "guest/gmem.h"

static Gmem memory;

static void
make(void)
{
    gmem_init(&memory, 1);
}

static void
drop(void)
{
    gmem_clear(&memory);
}

TestSuite(gmem, .init = make, .fini = drop);

Test(gmem, three_windows_show_the_same_bytes)
{
    static const gva_t windows[] = {WINDOW_IDENTITY, WINDOW_DIRECT,
                                    WINDOW_KERNEL};
    uint32_t value = 0x12345678, seen;

    for (size_t i = 0; i < G_N_ELEMENTS(windows); i++) {
        value++;
        cr_assert(gmem_write(&memory, windows[i] + 0x5000, &value, 4));
        for (size_t k = 0; k < G_N_ELEMENTS(windows); k++) {
            cr_assert(gmem_read(&memory, windows[k] + 0x5000, &seen, 4));
            cr_expect_eq(seen, value);
        }
    }
}

Test(gmem, what_is_not_ram_is_refused)
{
    static const gva_t holes[] = {
        0x100000, 0xfee00000, 0x40000000, WINDOW_DIRECT + 0x100000,
        WINDOW_DIRECT - 1, WINDOW_KERNEL - 1, 0xffffffffc0000000,
        0x1234567812345678, UINT64_MAX,
    };
    uint8_t byte = 0;
    gpa_t physical;

    for (size_t i = 0; i < G_N_ELEMENTS(holes); i++) {
        cr_expect_not(gmem_read(&memory, holes[i], &byte, 1));
        cr_expect_not(gmem_write(&memory, holes[i], &byte, 1));
    }
    cr_expect(gmem_translate(&memory, 0xffff0, 16, &physical));
    cr_expect_not(gmem_translate(&memory, 0xffff0, 17, &physical));
    cr_expect_not(gmem_translate(&memory, 0xffff0, UINT64_MAX, &physical));
}

Test(gmem, going_back_restores_every_byte_and_the_digest)
{
    g_autofree uint8_t *copy = NULL;
    Digest before, after;
    Prng prng;

    prng_init(&prng, 5);
    for (uint64_t at = 0; at < memory.size; at += 8) {
        uint64_t value = prng_next(&prng);

        memcpy(memory.bytes + at, &value, 8);
    }
    gmem_rebase(&memory);
    copy = g_memdup2(memory.bytes, memory.size);
    digest_init(&before);
    gmem_digest(&memory, &before);
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < 200; i++) {
            uint8_t bytes[300];
            uint64_t size = 1 + prng_below(&prng, sizeof bytes);

            memset(bytes, (int)i, sizeof bytes);
            cr_assert(gmem_write(&memory,
                                 prng_below(&prng, memory.size - size), bytes,
                                 size));
        }
        digest_init(&after);
        gmem_digest(&memory, &after);
        cr_expect_neq(digest_value(&after), digest_value(&before));
        gmem_restore(&memory, NULL, NULL);
        cr_expect_eq(memory.dirty_count, 0);
        cr_expect(memcmp(copy, memory.bytes, memory.size) == 0);
        digest_init(&after);
        gmem_digest(&memory, &after);
        cr_expect_eq(digest_value(&after), digest_value(&before));
    }
}

Test(gmem, the_order_of_writing_and_what_did_not_change_do_not_count)
{
    uint64_t one = 1, zero = 0;
    Digest a, b;

    gmem_rebase(&memory);
    gmem_write(&memory, 0x1000, &one, 8);
    gmem_write(&memory, 0x9000, &one, 8);
    gmem_write(&memory, 0x5000, &zero, 8);
    digest_init(&a);
    gmem_digest(&memory, &a);
    gmem_restore(&memory, NULL, NULL);
    gmem_write(&memory, 0x9000, &one, 8);
    gmem_write(&memory, 0x1000, &one, 8);
    digest_init(&b);
    gmem_digest(&memory, &b);
    cr_expect_eq(digest_value(&a), digest_value(&b));
}

static void
note_code(void *user, gpa_t line, uint64_t size)
{
    cr_expect_leq(line, 0x2000);
    cr_expect_gt(line + size, 0x2000);
    ++*(unsigned *)user;
}

Test(gmem, restored_code_is_reported)
{
    unsigned told = 0;
    uint8_t byte = 1;

    gmem_rebase(&memory);
    memory.line_flags[0x2000 >> LINE_BITS] |= GMEM_CODE;
    gmem_write(&memory, 0x2000, &byte, 1);
    gmem_write(&memory, 0x3000, &byte, 1);
    gmem_restore(&memory, note_code, &told);
    cr_expect_eq(told, 1);
    gmem_write(&memory, 0x3000, &byte, 1);
    gmem_restore(&memory, note_code, &told);
    cr_expect_eq(told, 1);
}

Test(gmem, strings_are_read_as_printable_text)
{
    g_autofree char *text = NULL, *part = NULL, *none = NULL;

    gmem_write(&memory, 0x100, "a\x01z\n", 5);
    text = gmem_read_string(&memory, WINDOW_KERNEL + 0x100, 100);
    cr_expect_str_eq(text, "a?z\n");
    part = gmem_read_string(&memory, 0x100, 2);
    cr_expect_str_eq(part, "a?");
    memory.bytes[memory.size - 1] = 'x';
    none = gmem_read_string(&memory, memory.size - 1, 100);
    cr_expect_null(none);
}
