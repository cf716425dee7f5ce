/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Partial order sampling: X. Yuan, J. Yang, R. Gu, "Partial Order Aware
 * Concurrency Sampling", CAV 2018.  Each pending event has a random priority,
 * the highest is done, and those that race with it (same line, one of them a
 * write) draw again.
 *
 * An event is a visible instruction with what follows up to the core's next
 * (before() is asked there), a buffered store, a message that arrives, a
 * timer that ticks.  A core that executes PAUSE has no event until somebody
 * has done another one.
 */
#include "base/base.h"

#include "choose/chance.h"
#include "choose/entity.h"
#include "choose/strategy.h"

/* Steps without a visible event after which the others are asked again. */
#define STEPS_MAX 1000u

/* Choices after which everybody draws again.  In a loop the others draw anew
 * at each event, and who has drawn low once would hardly ever have its turn. */
#define EPOCH 4096u

typedef struct Pos {
    Chance chance;
    uint64_t priority[ENTITIES_MAX]; /* 0: set aside */
    CensusEvent pending[CPUS_MAX];   /* what a core stands before ... */
    uint64_t stands;                 /* ... if its bit is set */
    uint64_t aside;                  /* cores that paused */
    uint64_t halved;                 /* cores whose next step is half an
                                        instruction (strategy.h, before) */
    uint64_t rival;                  /* highest of all but the one picked */
    unsigned choices;                /* of this epoch */
} Pos;

static uint64_t
draw(Pos *self)
{
    return prng_next(&self->chance.prng) | 1;
}

static void
begin(Strategy *strategy, uint64_t seed, const StrategyScope *scope)
{
    Pos *self = (Pos *)strategy;

    prng_init(&self->chance.prng, seed);
    for (unsigned i = 0; i < ENTITIES_MAX; i++)
        if (i % CPUS_MAX < scope->cpus)
            self->priority[i] = draw(self);
    self->chance.late = prng_below(&self->chance.prng, 2) != 0;
    self->stands = self->aside = self->halved = self->rival = 0;
    self->choices = 0;
}

static void
begin_epoch(Pos *self)
{
    self->choices = 0;
    for (unsigned i = 0; i < ENTITIES_MAX; i++)
        if (self->priority[i] != 0)
            self->priority[i] = draw(self);
}

static unsigned
pick(Strategy *strategy, const Actions *actions)
{
    Pos *self = (Pos *)strategy;
    unsigned best = 0;
    uint64_t most;

    if (++self->choices == EPOCH)
        begin_epoch(self);
    most = self->priority[entity_at(actions, 0)];
    self->rival = 0;
    for (unsigned i = 1; i < actions->count; i++) {
        uint64_t other = self->priority[entity_at(actions, i)];

        if (other > most) {
            self->rival = most;
            most = other;
            best = i;
        } else
            self->rival = MAX(self->rival, other);
    }
    if (most == 0) /* nobody but cores that paused */
        return (unsigned)prng_below(&self->chance.prng, actions->count);
    return best;
}

static uint64_t
steps(Strategy *strategy, unsigned cpu)
{
    Pos *self = (Pos *)strategy;

    return self->halved >> cpu & 1 ? 1 : STEPS_MAX;
}

/* --- Events --------------------------------------------------------------- */

/* Line `line` was read, or written: who races, but for `but`, draws again. */
static void
redraw(Pos *self, uint64_t but, uint64_t line, bool written)
{
    uint64_t others = self->stands & ~but;

    for (; others != 0; others &= others - 1) {
        unsigned other = (unsigned)__builtin_ctzll(others);
        const CensusEvent *event = &self->pending[other];

        if (event->line == line && (written || event->writes)) {
            self->priority[entity_of(ACTION_STEP, other)] = draw(self);
            self->rival = MAX(
                self->rival, self->priority[entity_of(ACTION_STEP, other)]);
        }
    }
}

/* Somebody did something: cores that paused, but for `but`, may look again. */
static void
wake(Pos *self, uint64_t but)
{
    uint64_t back = self->aside & ~but;

    self->aside &= but;
    for (; back != 0; back &= back - 1) {
        unsigned other = (unsigned)__builtin_ctzll(back);
        uint64_t *priority = &self->priority[entity_of(ACTION_STEP, other)];

        *priority = draw(self);
        self->rival = MAX(self->rival, *priority);
    }
}

/* Core `cpu` went on: what it stood before is done. */
static void
finish_event(Pos *self, unsigned cpu)
{
    uint64_t bit = UINT64_C(1) << cpu;

    if (self->stands & bit) {
        self->stands &= ~bit;
        redraw(self, bit, self->pending[cpu].line, self->pending[cpu].writes);
        wake(self, bit);
    }
}

static bool
before(Strategy *strategy, const CensusEvent *event)
{
    Pos *self = (Pos *)strategy;
    unsigned cpu = event->cpu;
    uint64_t *mine = &self->priority[entity_of(ACTION_STEP, cpu)];

    finish_event(self, cpu);
    self->pending[cpu] = *event;
    self->stands |= UINT64_C(1) << cpu;
    *mine = draw(self);
    /* A load and a store that are not done at once are two events. */
    if (event->reads && event->writes && !event->locked)
        self->halved |= UINT64_C(1) << cpu;
    return *mine < self->rival || (self->halved >> cpu & 1);
}

static void
performed(Strategy *strategy, const StrategyDeed *deed)
{
    Pos *self = (Pos *)strategy;
    unsigned cpu = deed->action->cpu;
    unsigned entity = entity_of(deed->action->kind, cpu);

    self->rival = 0; /* there may be no choice next, and no pick() */
    if (deed->stood)
        return;
    self->priority[entity] = draw(self);
    if (deed->action->kind != ACTION_STEP) {
        if (deed->action->kind == ACTION_DRAIN)
            redraw(self, 0, deed->line, true);
        wake(self, 0);
        return;
    }
    self->halved &= ~(UINT64_C(1) << cpu);
    finish_event(self, cpu);
    if (deed->paused) {
        self->aside |= UINT64_C(1) << cpu;
        self->priority[entity] = 0;
    }
}

static Strategy *
make(const uint64_t *values)
{
    Pos *self = g_new0(Pos, 1);

    (void)values;
    self->chance.strategy = (Strategy){
        .wants_census = true,
        .attentive = true,
        .begin = begin,
        .pick = pick,
        .steps = steps,
        .store = chance_store,
        .drains = chance_drain_one,
        .late = chance_late,
        .value = chance_value,
        .before = before,
        .performed = performed,
    };
    return &self->chance.strategy;
}

const StrategyKind strategy_pos_kind = {
    .name = "pos",
    .what = "random priorities of events, drawn again by those that race",
    .guarantee = "every order of racing events has a chance, which "
                 "independent events do\nnot make smaller; no bound is given.",
    .source = "Yuan, Yang, Gu: CAV 2018",
    .make = make,
};
