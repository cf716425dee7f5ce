/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A word is shared when somebody else could notice what is done to it.
 */
#include "base/base.h"

#include <criterion/criterion.h>

#include "choose/sharing.h"

static const SharingTouch reader0 = {.cpu = 0};
static const SharingTouch reader1 = {.cpu = 1};
static const SharingTouch writer1 = {.cpu = 1, .writes = true};
static const SharingTouch handler1 = {.cpu = 1, .handler = true};

Test(sharing, two_readers_share_nothing_and_a_writer_does)
{
    g_autoptr(Sharing) sharing = sharing_new();

    cr_expect_not(sharing_touch(sharing, &reader0, 0x1000, 8));
    cr_expect_not(sharing_touch(sharing, &reader1, 0x1000, 8));
    cr_expect(sharing_touch(sharing, &writer1, 0x1000, 8));
    cr_expect(sharing_touch(sharing, &reader0, 0x1004, 4));
    cr_expect_not(sharing_is_shared(sharing, 0x1008, 8));
    cr_expect_eq(sharing_count(sharing), 1);
}

Test(sharing, one_core_alone_shares_nothing)
{
    g_autoptr(Sharing) sharing = sharing_new();

    cr_expect_not(sharing_touch(sharing, &writer1, 0x2000, 64));
    cr_expect_not(sharing_touch(sharing, &reader1, 0x2000, 64));
    cr_expect_eq(sharing_count(sharing), 0);
}

Test(sharing, a_handler_is_somebody_else_than_what_it_interrupts)
{
    g_autoptr(Sharing) sharing = sharing_new();

    cr_expect_not(sharing_touch(sharing, &writer1, 0x2000, 4));
    cr_expect(sharing_touch(sharing, &handler1, 0x2000, 4));
}

Test(sharing, an_access_over_two_words_is_to_both)
{
    g_autoptr(Sharing) sharing = sharing_new();

    sharing_touch(sharing, &writer1, 0x3004, 8);
    cr_expect(sharing_touch(sharing, &reader0, 0x3000, 1));
    cr_expect(sharing_touch(sharing, &reader0, 0x300f, 1));
    cr_expect_not(sharing_touch(sharing, &reader0, 0x3010, 1));
}

Test(sharing, what_is_printed_is_read_back)
{
    g_autoptr(Sharing) sharing = sharing_new();
    g_autoptr(Sharing) again = sharing_new();
    g_autofree char *text = NULL, *twice = NULL;

    sharing_touch(sharing, &writer1, 0x1000, 4096);
    sharing_touch(sharing, &reader0, 0x1100, 16);
    sharing_touch(sharing, &reader0, 0x700000, 8);
    text = sharing_print(sharing);
    cr_assert(sharing_parse(again, text, NULL));
    twice = sharing_print(again);
    cr_expect_str_eq(twice, text);
    cr_expect_eq(sharing_count(again), 2);
    cr_expect(sharing_is_shared(again, 0x1108, 1));
}

Test(sharing, garbage_is_refused)
{
    static const char *const texts[] = {
        "", "sharin", "sharing 1", "sharing 1+1", "sharing 1+1=",
        "sharing 1+1=8000 ", "sharing 1+0=8000", "sharing 1+1=12345",
        "sharing ffffffffffff+1=8000", "sharing 1+ffffffffffffffff=8000",
        "sharing 1+1=8000x", "sharing +1=8000",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(Sharing) sharing = sharing_new();
        g_autoptr(GError) error = NULL;

        cr_expect_not(sharing_parse(sharing, texts[i], &error), "%s",
                      texts[i]);
        cr_expect_not_null(error);
    }
}
