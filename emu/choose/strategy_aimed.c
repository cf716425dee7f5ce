/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random, with instructions that it likes to interrupt: those that somebody
 * has weakened (StrategyScope.aims).  Whether a missing barrier shows depends
 * on what the others do while its core is about there, so there is time:
 *
 *      the core comes there      half of the times the slice ends
 *      it goes on                half of these times for one step: others come
 *                                between the halves of a plain
 *                                read-modify-write, which it then leaves to
 *                                them for a while
 *      its stores                linger; where stores pass stores, half of the
 *                                runs let the youngest go first
 */
#include "base/base.h"

#include "base/prng.h"
#include "choose/strategy.h"

/* For how many picks of others stores are kept at most, in a run: a power of
 * two up to 2^HOLD_BITS. */
#define HOLD_BITS 7
/* Picks that are drawn anew because they would let go. */
#define REDRAWS 3
/* Picks for which a core that has made half a step stands still at most. */
#define STILL_MAX 8
/* Steps of a short slice: a power of two below 2^FEW_BITS. */
#define FEW_BITS 5

/* What a run does with a core that comes to an aim. */
typedef enum AimedWay {
    AIMED_HALVES, /* stops it, and has it do one step */
    AIMED_STOPS,  /* stops it, and has it do a few */
    AIMED_PASSES, /* lets it pass */
} AimedWay;

typedef struct AimedCore {
    bool stands;      /* before an aim */
    uint64_t held;    /* picks for which its stores are kept */
    uint64_t still;   /* picks for which it does not go on */
} AimedCore;

typedef struct Aimed {
    Strategy strategy;
    Strategy *random;
    Prng prng;        /* beside random's */
    uint64_t hold;    /* the longest of this run */
    AimedWay way;
    uint64_t few;     /* steps at most */
    bool passes;      /* young stores go first */
    unsigned picked;  /* the core whose store goes */
    AimedCore cores[CPUS_MAX];
} Aimed;

static void
begin(Strategy *strategy, uint64_t seed, const StrategyScope *scope)
{
    static const AimedWay ways[] = {AIMED_HALVES, AIMED_HALVES, AIMED_STOPS,
                                    AIMED_PASSES};
    Aimed *self = (Aimed *)strategy;

    prng_init(&self->prng, ~seed);
    self->hold = UINT64_C(1) << prng_below(&self->prng, HOLD_BITS + 1);
    self->way = ways[prng_below(&self->prng, G_N_ELEMENTS(ways))];
    self->few = self->way == AIMED_STOPS
                    ? UINT64_C(1) << prng_below(&self->prng, FEW_BITS)
                    : 1;
    self->passes = prng_below(&self->prng, 2) != 0;
    memset(self->cores, 0, sizeof self->cores);
    self->random->begin(self->random, seed, scope);
}

/* Would this let go of what is to be kept? */
static bool
lets_go(Aimed *self, const Action *action)
{
    AimedCore *core = &self->cores[action->cpu];

    if (action->kind == ACTION_STEP && core->still > 0)
        return true;
    return action->kind == ACTION_DRAIN && core->held > 0 && !self->passes;
}

static void
pass_time(Aimed *self, unsigned cpus)
{
    for (unsigned i = 0; i < cpus; i++) {
        AimedCore *core = &self->cores[i];

        core->held -= core->held > 0;
        core->still -= core->still > 0;
    }
}

static unsigned
pick(Strategy *strategy, const Actions *actions)
{
    Aimed *self = (Aimed *)strategy;
    unsigned index = self->random->pick(self->random, actions);
    Action action = action_at(actions, index);

    for (unsigned i = 0; i < REDRAWS && lets_go(self, &action); i++) {
        index = (unsigned)prng_below(&self->prng, actions->count);
        action = action_at(actions, index);
    }
    pass_time(self, CPUS_MAX);
    self->picked = action.cpu;
    return index;
}

static uint64_t
steps(Strategy *strategy, unsigned cpu)
{
    Aimed *self = (Aimed *)strategy;
    AimedCore *core = &self->cores[cpu];
    uint64_t random = self->random->steps(self->random, cpu);

    if (!core->stands || prng_below(&self->prng, 2) != 0)
        return random;
    core->still = 1 + prng_below(&self->prng, STILL_MAX);
    return 1 + prng_below(&self->prng, self->few);
}

static bool
lets_young_pass(Aimed *self)
{
    return self->passes && self->cores[self->picked].held > 0;
}

static unsigned
store(Strategy *strategy, unsigned drainable)
{
    Aimed *self = (Aimed *)strategy;
    unsigned random = self->random->store(self->random, drainable);

    return lets_young_pass(self) ? drainable - 1 : random;
}

static unsigned
drains(Strategy *strategy, unsigned buffered)
{
    Aimed *self = (Aimed *)strategy;
    unsigned random = self->random->drains(self->random, buffered);

    return lets_young_pass(self) ? 1 : random;
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
nears(Strategy *strategy, unsigned cpu, gva_t rip)
{
    Aimed *self = (Aimed *)strategy;

    (void)rip;
    self->cores[cpu].held = prng_below(&self->prng, self->hold + 1);
    return self->way != AIMED_PASSES && prng_below(&self->prng, 2) == 0;
}

static void
performed(Strategy *strategy, const StrategyDeed *deed)
{
    Aimed *self = (Aimed *)strategy;

    if (deed->action->kind == ACTION_STEP)
        self->cores[deed->action->cpu].stands = deed->stood;
}

static void
free_aimed(Strategy *strategy)
{
    Aimed *self = (Aimed *)strategy;

    strategy_free(self->random);
    g_free(self);
}

static Strategy *
make(const uint64_t *values)
{
    Aimed *self = g_new0(Aimed, 1);

    (void)values;
    self->random = strategy_random_new(0);
    self->strategy = (Strategy){
        .begin = begin,
        .pick = pick,
        .steps = steps,
        .store = store,
        .drains = drains,
        .late = late,
        .value = value,
        .nears = nears,
        .performed = performed,
        .free = free_aimed,
    };
    return &self->strategy;
}

const StrategyKind strategy_aimed_kind = {
    .name = "aimed",
    .what = "random, which likes to interrupt what --weaken takes away",
    .guarantee = "as random, which it is where nothing is weakened.  For "
                 "`heddle audit`.",
    .make = make,
};
