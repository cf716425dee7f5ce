/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <criterion/criterion.h>

#include "base/digest.h"

static uint64_t
of_bytes(const void *bytes, size_t size)
{
    Digest digest;

    digest_init(&digest);
    digest_bytes(&digest, bytes, size);
    return digest_value(&digest);
}

/* Digests are in golden files and in traces. */
Test(digest, the_digest_of_a_text_never_changes)
{
    uint64_t got = of_bytes("heddle", 6);

    cr_expect_eq(got, of_bytes("heddle", 6));
    cr_expect_eq(got, UINT64_C(0x2d04197f40e16d75), "%" PRIx64, got);
}

Test(digest, every_bit_and_the_length_count)
{
    uint8_t bytes[100] = {0};
    uint64_t plain = of_bytes(bytes, sizeof bytes);

    for (unsigned bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_expect_neq(of_bytes(bytes, sizeof bytes), plain, "bit %u", bit);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t size = 0; size < sizeof bytes; size++)
        cr_expect_neq(of_bytes(bytes, size), plain, "size %zu", size);
}

Test(digest, order_counts_and_alignment_does_not)
{
    char text[64] = "xabcdefghijklmnopqrstuvwxyz0123456789";
    Digest a, b;

    cr_expect_eq(of_bytes(text + 1, 36),
                 of_bytes("abcdefghijklmnopqrstuvwxyz0123456789", 36));
    digest_init(&a);
    digest_init(&b);
    digest_u64(&a, 1);
    digest_u64(&a, 2);
    digest_u64(&b, 2);
    digest_u64(&b, 1);
    cr_expect_neq(digest_value(&a), digest_value(&b));
}
