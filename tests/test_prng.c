/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <criterion/criterion.h>

#include "base/digest.h"
#include "base/prng.h"

/* The stream is part of every seed that was ever written down. */
Test(prng, the_stream_of_a_seed_never_changes)
{
    static const uint64_t wanted[] = {
        UINT64_C(0xb3f2af6d0fc710c5), UINT64_C(0x853b559647364cea),
        UINT64_C(0x92f89756082a4514)};
    Prng prng;

    prng_init(&prng, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
        uint64_t got = prng_next(&prng);

        cr_expect_eq(got, wanted[i], "%zu: %" PRIx64, i, got);
    }
}

Test(prng, numbers_stay_below_their_bound_and_reach_all_of_it)
{
    unsigned seen[7] = {0};
    Prng prng;

    prng_init(&prng, 42);
    for (unsigned i = 0; i < 7000; i++)
        seen[prng_below(&prng, 7)]++;
    for (unsigned i = 0; i < 7; i++) {
        cr_expect_gt(seen[i], 800);
        cr_expect_lt(seen[i], 1200);
    }
    cr_expect_eq(prng_below(&prng, 1), 0);
}

Test(prng, a_chance_is_its_ratio)
{
    unsigned hits = 0;
    Prng prng;

    prng_init(&prng, 3);
    for (unsigned i = 0; i < 10000; i++)
        hits += prng_chance(&prng, 1, 4);
    cr_expect_gt(hits, 2300);
    cr_expect_lt(hits, 2700);
    cr_expect(prng_chance(&prng, 1, 1));
    cr_expect_not(prng_chance(&prng, 0, 5));
}

Test(prng, neighbouring_seeds_and_mixes_are_unrelated)
{
    Prng a, b;

    prng_init(&a, 1);
    prng_init(&b, 2);
    cr_expect_neq(prng_next(&a), prng_next(&b));
    cr_expect_neq(prng_mix(1, 2), prng_mix(2, 1));
    cr_expect_neq(prng_mix(0, 0), 0);
}
