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

/*
 * Random, with one instruction that it likes to interrupt: half of the times
 * that a core stands before it the slice ends there, and then half of the
 * times only that one step is made, so that others come between the load and
 * the store of a read-modify-write that is not LOCKed.
 */
typedef struct Aimed {
    Random random;
    Prng prng;         /* beside random's, whose draws stay as they are */
    gva_t at;
    uint64_t standing; /* cores that stand before it, one bit each */
} Aimed;

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

/* --- Aimed ---------------------------------------------------------------- */

static void
begin_aimed(Strategy *strategy, uint64_t seed, const StrategyScope *scope)
{
    Aimed *self = (Aimed *)strategy;

    prng_init(&self->prng, ~seed);
    self->standing = 0;
    begin(strategy, seed, scope);
}

static uint64_t
steps_aimed(Strategy *strategy, unsigned cpu)
{
    Aimed *self = (Aimed *)strategy;
    uint64_t random = steps(strategy, cpu);
    bool stands = self->standing >> cpu & 1;

    return stands && prng_below(&self->prng, 2) == 0 ? 1 : random;
}

static bool
before(Strategy *strategy, const CensusEvent *event)
{
    Aimed *self = (Aimed *)strategy;

    return event->rip == self->at && prng_below(&self->prng, 2) == 0;
}

static void
performed(Strategy *strategy, const StrategyDeed *deed)
{
    Aimed *self = (Aimed *)strategy;
    uint64_t bit = UINT64_C(1) << deed->action->cpu;

    if (deed->action->kind != ACTION_STEP)
        return;
    if (deed->stood)
        self->standing |= bit;
    else
        self->standing &= ~bit;
}

static Strategy *
make_aimed(const uint64_t *values)
{
    Aimed *self = g_new0(Aimed, 1);
    Strategy *strategy = &self->random.chance.strategy;

    self->at = values[0];
    init(&self->random, 0);
    strategy->wants_census = true;
    strategy->attentive = true;
    strategy->begin = begin_aimed;
    strategy->steps = steps_aimed;
    strategy->before = before;
    strategy->performed = performed;
    return strategy;
}

const StrategyKind strategy_aimed_kind = {
    .name = "aimed",
    .what = "random, which likes to interrupt one instruction",
    .guarantee = "as random.  For `heddle audit`, and for whoever suspects an "
                 "address.",
    .parameters = {{.name = "at", .what = "its address", .max = UINT64_MAX}},
    .make = make_aimed,
};
