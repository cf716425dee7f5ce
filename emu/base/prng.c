/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "base/prng.h"

static uint64_t
splitmix64(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t
rotate_left(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void
prng_init(Prng *prng, uint64_t seed)
{
    for (size_t i = 0; i < G_N_ELEMENTS(prng->state); i++)
        prng->state[i] = splitmix64(&seed);
}

uint64_t
prng_next(Prng *prng)
{
    uint64_t *s = prng->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t
prng_mix(uint64_t a, uint64_t b)
{
    uint64_t state = a;
    uint64_t mixed = splitmix64(&state) ^ b;

    return splitmix64(&mixed);
}
