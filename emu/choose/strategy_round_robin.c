/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/strategy.h"

#define TURN_STEPS 50

typedef struct RoundRobin {
    Strategy strategy;
    unsigned last; /* the core whose turn it was */
} RoundRobin;

static void
begin(Strategy *strategy, uint64_t seed, const StrategyScope *scope)
{
    RoundRobin *self = (RoundRobin *)strategy;

    (void)seed;
    self->last = scope->cpus - 1;
}

/* Arrivals come first; else the next core after the last one that can. */
static unsigned
pick(Strategy *strategy, const Actions *actions)
{
    RoundRobin *self = (RoundRobin *)strategy;
    uint64_t later = self->last >= 63 ? 0 : ~UINT64_C(0) << (self->last + 1);
    uint64_t candidates = actions->steps & later;
    unsigned next;

    if (actions->count > actions->step_count)
        return actions->step_count;
    if (candidates == 0)
        candidates = actions->steps;
    next = (unsigned)__builtin_ctzll(candidates);
    self->last = next;
    return (unsigned)__builtin_popcountll(actions->steps &
                                          ((UINT64_C(1) << next) - 1));
}

static uint64_t
steps(Strategy *strategy, unsigned cpu)
{
    (void)strategy, (void)cpu;
    return TURN_STEPS;
}

static unsigned
store(Strategy *strategy, unsigned drainable)
{
    (void)strategy, (void)drainable;
    return 0;
}

static unsigned
drains(Strategy *strategy, unsigned buffered)
{
    (void)strategy;
    return buffered;
}

static unsigned
late(Strategy *strategy, unsigned count)
{
    (void)strategy, (void)count;
    return 0;
}

static uint64_t
value(Strategy *strategy, uint64_t bound)
{
    (void)strategy, (void)bound;
    return 0;
}

Strategy *
strategy_round_robin_new(void)
{
    RoundRobin *self = g_new0(RoundRobin, 1);

    self->strategy = (Strategy){
        .begin = begin,
        .pick = pick,
        .steps = steps,
        .store = store,
        .drains = drains,
        .late = late,
        .value = value,
    };
    return &self->strategy;
}

static Strategy *
make(const uint64_t *values)
{
    (void)values;
    return strategy_round_robin_new();
}

const StrategyKind strategy_round_robin_kind = {
    .name = "round-robin",
    .what = "cores in turn, 50 steps each; what can arrive arrives",
    .guarantee = "one schedule, whatever the seed: a first look, and no "
                 "search.",
    .make = make,
};
