/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "base/prng.h"
#include "choose/strategy.h"

/*
 * Random, with one instruction that it likes to interrupt: half of the times
 * that a core stands before it the slice ends there, and then half of the
 * times only that one step is made, so that others come between the load and
 * the store of a read-modify-write that is not LOCKed.
 */
typedef struct Aimed {
    Strategy strategy;
    Strategy *random;
    Prng prng;
    gva_t at;
    uint64_t standing; /* cores that stand before it, one bit each */
} Aimed;

static void
begin(Strategy *strategy, uint64_t seed, const StrategyScope *scope)
{
    Aimed *self = (Aimed *)strategy;

    prng_init(&self->prng, ~seed);
    self->standing = 0;
    self->random->begin(self->random, seed, scope);
}

static unsigned
pick(Strategy *strategy, const Actions *actions)
{
    Aimed *self = (Aimed *)strategy;

    return self->random->pick(self->random, actions);
}

static uint64_t
steps(Strategy *strategy, unsigned cpu)
{
    Aimed *self = (Aimed *)strategy;
    uint64_t random = self->random->steps(self->random, cpu);
    bool stands = self->standing >> cpu & 1;

    return stands && prng_below(&self->prng, 2) == 0 ? 1 : random;
}

static unsigned
store(Strategy *strategy, unsigned drainable)
{
    Aimed *self = (Aimed *)strategy;

    return self->random->store(self->random, drainable);
}

static unsigned
drains(Strategy *strategy, unsigned buffered)
{
    Aimed *self = (Aimed *)strategy;

    return self->random->drains(self->random, buffered);
}

static unsigned
late(Strategy *strategy, unsigned count)
{
    Aimed *self = (Aimed *)strategy;

    return self->random->late(self->random, count);
}

static uint64_t
value(Strategy *strategy, uint64_t bound)
{
    Aimed *self = (Aimed *)strategy;

    return self->random->value(self->random, bound);
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

static void
free_strategy(Strategy *strategy)
{
    Aimed *self = (Aimed *)strategy;

    strategy_free(self->random);
    g_free(self);
}

static Strategy *
make(const uint64_t *values)
{
    Aimed *self = g_new0(Aimed, 1);

    self->at = values[0];
    self->random = strategy_random_new(0);
    self->strategy = (Strategy){
        .wants_census = true,
        .begin = begin,
        .pick = pick,
        .steps = steps,
        .store = store,
        .drains = drains,
        .late = late,
        .value = value,
        .before = before,
        .performed = performed,
        .free = free_strategy,
    };
    return &self->strategy;
}

const StrategyKind strategy_aimed_kind = {
    .name = "aimed",
    .what = "random, which likes to interrupt one instruction",
    .guarantee = "as random.  For `heddle audit`, and for whoever suspects an "
                 "address.",
    .parameters = {{.name = "at", .what = "its address", .max = UINT64_MAX}},
    .make = make,
};
