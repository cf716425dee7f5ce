/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * digest -- a 64-bit digest of state: same run, same digest.
 *
 * Not cryptographic: it tells two runs apart, it does not resist anybody.
 * Values are digested in host-independent order, so that a digest can be
 * printed, compared across machines and kept in golden files.
 *
 * Where equal digests are not enough, what is digested can be listened to: it
 * is the state itself, byte by byte, and two of those can be compared.
 *
 * Layer 0; a value, embedded by its owner.
 */
#ifndef EMU_BASE_DIGEST_H
#define EMU_BASE_DIGEST_H

#include "base/base.h"

typedef struct Digest {
    uint64_t state;
    GByteArray *heard; /* gets a copy of all that is added; NULL: nobody */
} Digest;

static inline void
digest_init(Digest *digest)
{
    digest->state = 0x68656464u; /* "hedd" */
    digest->heard = NULL;
}

/* Have all that is added from now on appended to `heard`, in the order of this
 * host's bytes; NULL: no longer. */
static inline void
digest_listen(Digest *digest, GByteArray *heard)
{
    digest->heard = heard;
}

/* Add one number. */
static inline void
digest_u64(Digest *digest, uint64_t value)
{
    uint64_t x = digest->state ^ value;

    x *= 0x9fb21c651e98df25u;
    x ^= x >> 35;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 29;
    digest->state = x + 0x632be59bd9b4e019u;
    if (UNLIKELY(digest->heard != NULL))
        g_byte_array_append(digest->heard, (const uint8_t *)&value,
                            sizeof value);
}

/* Add `size` bytes, and their number. */
void digest_bytes(Digest *digest, const void *bytes, size_t size);

/* The digest of all that was added so far; adding may go on. */
static inline uint64_t
digest_value(const Digest *digest)
{
    return digest->state;
}

#endif
