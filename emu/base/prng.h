/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prng -- the seeded integer generator.
 *
 * xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", 2018), seeded through splitmix64 so that neighbouring seeds
 * give unrelated streams.  Integers and ratios only: no floating point, so
 * that the stream is the same on every host.
 *
 * Layer 0; a value, embedded by its owner.
 */
#ifndef EMU_BASE_PRNG_H
#define EMU_BASE_PRNG_H

#include "base/base.h"

typedef struct Prng {
    uint64_t state[4];
} Prng;

void prng_init(Prng *prng, uint64_t seed);

/* A uniformly distributed 64-bit number. */
uint64_t prng_next(Prng *prng);

/* A number in [0, bound), without bias worth measuring; bound must not be 0
 * (Lemire, "Fast random integer generation in an interval", 2019, without
 * the rejection step: the bias is below bound / 2^64). */
static inline uint64_t
prng_below(Prng *prng, uint64_t bound)
{
    return (uint64_t)(((unsigned __int128)prng_next(prng) * bound) >> 64);
}

/* True in `numerator` of `denominator` cases. */
static inline bool
prng_chance(Prng *prng, uint64_t numerator, uint64_t denominator)
{
    return prng_below(prng, denominator) < numerator;
}

/* Mix two numbers into a seed for something derived from both. */
uint64_t prng_mix(uint64_t a, uint64_t b);

#endif
