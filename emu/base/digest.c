/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "base/digest.h"

static uint64_t
load_u64(const uint8_t *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
    return GUINT64_FROM_LE(word);
}

/* Folded 128-bit product: the mixing step of wyhash (Wang Yi, 2019). */
static uint64_t
fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

void
digest_bytes(Digest *digest, const void *bytes, size_t size)
{
    const uint8_t *p = bytes;
    uint64_t lanes[2] = {digest->state, digest->state ^ size};
    uint8_t tail[16] = {0};
    size_t left = size;
    GByteArray *heard = digest->heard;

    if (UNLIKELY(heard != NULL))
        g_byte_array_append(heard, p, (guint)size);
    digest->heard = NULL; /* the bytes, not what is made of them */
    for (; left >= 32; p += 32, left -= 32) {
        lanes[0] = fold(load_u64(p) ^ 0xa0761d6478bd642fu,
                        load_u64(p + 8) ^ lanes[0]);
        lanes[1] = fold(load_u64(p + 16) ^ 0xe7037ed1a0b428dbu,
                        load_u64(p + 24) ^ lanes[1]);
    }
    for (; left > 0; p += MIN(left, 16), left -= MIN(left, 16)) {
        memset(tail, 0, sizeof tail);
        memcpy(tail, p, MIN(left, 16));
        lanes[0] = fold(load_u64(tail) ^ 0x8ebc6af09c88c6e3u,
                        load_u64(tail + 8) ^ lanes[0]);
    }
    digest_u64(digest, lanes[0]);
    digest_u64(digest, lanes[1]);
    digest_u64(digest, size);
    digest->heard = heard;
}
