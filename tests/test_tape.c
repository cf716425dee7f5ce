/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <criterion/criterion.h>

#include "base/prng.h"
#include "choose/tape.h"

Test(tape, what_is_printed_is_read_back)
{
    Tape tape, again;
    Prng prng;

    prng_init(&prng, 1);
    tape_init(&tape);
    tape_init(&again);
    for (unsigned i = 0; i < 1000; i++)
        tape_push(&tape, (DecisionKind)prng_below(&prng, DECISION_KINDS),
                  prng_next(&prng) >> prng_below(&prng, 64));
    tape_push(&tape, DECISION_STEPS, UINT64_MAX);
    {
        g_autofree char *text = tape_print(&tape);

        cr_assert(tape_parse(&again, text, NULL));
    }
    cr_assert_eq(again.count, tape.count);
    for (size_t i = 0; i < tape.count; i++) {
        cr_expect_eq(again.items[i].kind, tape.items[i].kind);
        cr_expect_eq(again.items[i].value, tape.items[i].value);
    }
    tape_clear(&tape);
    tape_clear(&again);
}

Test(tape, an_empty_one_is_one)
{
    Tape tape;

    tape_init(&tape);
    cr_expect(tape_parse(&tape, "", NULL));
    cr_expect_eq(tape.count, 0);
    tape_clear(&tape);
}

Test(tape, garbage_is_refused)
{
    static const char *const texts[] = {
        "!!!!", "hello world", "AAE", "AAEA", "/w==", "PwA=", "AIAA",
        "AP//////////////fw==", "AAE=\n", "AAE= ", "AA", "====", "AICA",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        Tape tape;

        tape_init(&tape);
        cr_expect_not(tape_parse(&tape, texts[i], &error), "%s", texts[i]);
        cr_expect_not_null(error, "%s", texts[i]);
        tape_clear(&tape);
    }
}
