/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/chance.h"

unsigned
chance_store(Strategy *strategy, unsigned drainable)
{
    Chance *self = (Chance *)strategy;

    return (unsigned)prng_below(&self->prng, drainable);
}

unsigned
chance_drain_one(Strategy *strategy, unsigned buffered)
{
    (void)strategy, (void)buffered;
    return 1;
}

/* Drawn in any case, so that a run without late loads draws alike. */
unsigned
chance_late(Strategy *strategy, unsigned count)
{
    Chance *self = (Chance *)strategy;
    uint64_t back = prng_below(&self->prng, 2 * (uint64_t)count - 2);

    return self->late && back < count ? (unsigned)back : 0;
}

uint64_t
chance_value(Strategy *strategy, uint64_t bound)
{
    Chance *self = (Chance *)strategy;

    return prng_below(&self->prng, bound);
}
