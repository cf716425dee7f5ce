/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/chance.h"
#include "choose/strategy.h"

/* Means from 2^3 to 2^9 steps: a window of one instruction needs the small
 * ones, a core that overtakes another by a whole message the large ones.
 * Slices of one step come with every mean; a mean of one would be spent on
 * switching where nothing can be told apart. */
#define MEAN_BITS_MIN 3
#define MEAN_BITS_MAX 9

typedef struct Random {
    Chance chance;
    uint64_t mean_fixed; /* 0: drawn for each run */
    uint64_t mean;
    bool lingers;        /* stores of this run do */
} Random;

/* One run in so many has stores that linger, and keeps one drain in so many
 * of those that came up. */
#define LINGERING_RUNS 4
#define LINGERING_DRAINS 4

static void
begin(Strategy *strategy, uint64_t seed, const StrategyScope *scope)
{
    Random *self = (Random *)strategy;

    (void)scope;
    prng_init(&self->chance.prng, seed);
    self->mean = self->mean_fixed;
    if (self->mean == 0)
        self->mean = UINT64_C(1) << (MEAN_BITS_MIN +
                                     prng_below(&self->chance.prng,
                                                MEAN_BITS_MAX -
                                                    MEAN_BITS_MIN + 1));
    self->lingers = prng_below(&self->chance.prng, LINGERING_RUNS) == 0;
}

static unsigned
pick(Strategy *strategy, const Actions *actions)
{
    Random *self = (Random *)strategy;

    unsigned index = (unsigned)prng_below(&self->chance.prng, actions->count);

    if (UNLIKELY(self->lingers) &&
        index - actions->step_count < actions->drain_count &&
        prng_below(&self->chance.prng, LINGERING_DRAINS) != 0)
        index = (unsigned)prng_below(&self->chance.prng, actions->count);
    return index;
}

/* Uniform in 1 .. 2 * mean - 1, whose mean is the mean. */
static uint64_t
steps(Strategy *strategy, unsigned cpu)
{
    Random *self = (Random *)strategy;

    (void)cpu;
    return 1 + prng_below(&self->chance.prng, 2 * self->mean - 1);
}

/* All of them in half of the cases, or some. */
static unsigned
drains(Strategy *strategy, unsigned buffered)
{
    Random *self = (Random *)strategy;
    uint64_t some = prng_below(&self->chance.prng, 2 * (uint64_t)buffered);

    return (unsigned)MIN(some + 1, buffered);
}

static void
init(Random *self, uint64_t mean_steps)
{
    self->mean_fixed = mean_steps;
    self->chance.late = true;
    self->chance.strategy = (Strategy){
        .begin = begin,
        .pick = pick,
        .steps = steps,
        .store = chance_store,
        .drains = drains,
        .late = chance_late,
        .value = chance_value,
    };
}

Strategy *
strategy_random_new(uint64_t mean_steps)
{
    Random *self = g_new0(Random, 1);

    init(self, mean_steps);
    return &self->chance.strategy;
}

static Strategy *
make(const uint64_t *values)
{
    return strategy_random_new(values[0]);
}

const StrategyKind strategy_random_kind = {
    .name = "random",
    .what = "every next event is equally likely",
    .guarantee = "every schedule has a chance; those in which one event is "
                 "overtaken by\nmany others a small one.  A core goes on for "
                 "a random number of steps,\nwhose mean is drawn anew for "
                 "each run, from 8 to 512.",
    .parameters = {{.name = "mean", .what = "of the steps; 0: drawn",
                    .max = 1u << 20}},
    .make = make,
};
