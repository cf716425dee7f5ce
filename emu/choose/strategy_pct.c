/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probabilistic concurrency testing: S. Burckhardt, P. Kothari, M. Musuvathi,
 * S. Nagarakatte, "A Randomized Scheduler with Probabilistic Guarantees of
 * Finding Bugs", ASPLOS 2010.  Every entity (entity.h) has a priority, and the
 * highest acts; at d - 1 events, drawn at random among k, whoever acts gets a
 * priority below all those of the beginning.
 *
 * What is added: a core that executes PAUSE, or goes on for longer than it ever
 * did in the census, waits for somebody, and goes below all others.  And one
 * run of two has many more change points than d - 1, since bugs of drains and
 * late loads are often deeper than they look.
 */
#include "base/base.h"

#include "choose/chance.h"
#include "choose/entity.h"
#include "choose/strategy.h"

#define DEPTH_MAX 9
#define DEPTH_DEFAULT 3

/* Change points beyond d - 1 in those other runs: a power of two. */
#define MORE_BITS_MIN 2
#define MORE_BITS_MAX 7
#define POINTS_MAX (DEPTH_MAX - 1 + (1u << MORE_BITS_MAX))

/* Without a census: events of a run, and steps after which a core spins. */
#define EVENTS_GUESSED 1000u
#define PATIENCE_GUESSED 1000u
/* With one: that many times what it saw, and at most so many.  A core that
 * spins without PAUSE must not use up the run's budget. */
#define PATIENCE_FACTOR 2u
#define PATIENCE_MAX 3000u

/* Priorities: at first above this; at change point i, i; of spinners negative,
 * the last the lowest. */
#define PRIORITY_FIRST (INT64_C(1) << 32)

typedef struct Pct {
    Chance chance;
    unsigned depth;
    bool more;                      /* one run of two has more points */
    unsigned count;                 /* of change points in this run */
    int64_t priority[ENTITIES_MAX];
    int64_t lowest;                 /* given to a spinner */
    uint64_t points[POINTS_MAX];    /* numbers of events */
    uint64_t next;                  /* the first to come; UINT64_MAX: none */
    uint64_t events;                /* so far */
    uint64_t patience[CPUS_MAX];    /* steps */
    uint64_t halved;                /* cores whose next step is half an
                                       instruction: it loads, and its store
                                       is buffered */
    int64_t demotion;               /* what that core gets then */
    bool passes;                    /* the store that drains passed another */
} Pct;

/* --- Change points -------------------------------------------------------- */

static void
find_next(Pct *self)
{
    self->next = UINT64_MAX;
    for (unsigned i = 0; i < self->count; i++)
        if (self->points[i] > self->events)
            self->next = MIN(self->next, self->points[i]);
    self->chance.strategy.attentive = self->next != UINT64_MAX;
}

/* One more event.  Is it a change point?  Then *priority is what whoever does
 * it gets. */
static bool
count_event(Pct *self, int64_t *priority)
{
    if (LIKELY(++self->events != self->next))
        return false;
    for (unsigned i = 0; i < self->count; i++)
        if (self->points[i] == self->events)
            *priority = i;
    find_next(self);
    return true;
}

static int64_t
draw_priority(Pct *self)
{
    return PRIORITY_FIRST + (int64_t)(prng_next(&self->chance.prng) >> 2);
}

static uint64_t
events_of(const StrategyScope *scope)
{
    return scope->census != NULL ? MAX(scope->census->events_max, 1)
                                 : EVENTS_GUESSED;
}

static void
begin(Strategy *strategy, uint64_t seed, const StrategyScope *scope)
{
    Pct *self = (Pct *)strategy;

    prng_init(&self->chance.prng, seed);
    for (unsigned i = 0; i < ENTITIES_MAX; i++)
        if (i % CPUS_MAX < scope->cpus)
            self->priority[i] = draw_priority(self);
    self->count = self->depth - 1;
    if (self->more && prng_below(&self->chance.prng, 2) != 0)
        self->count += 1u << (MORE_BITS_MIN +
                              prng_below(&self->chance.prng, MORE_BITS_MAX -
                                                          MORE_BITS_MIN + 1));
    for (unsigned i = 0; i < self->count; i++)
        self->points[i] = 1 + prng_below(&self->chance.prng, events_of(scope));
    for (unsigned i = 0; i < scope->cpus; i++)
        self->patience[i] =
            scope->census != NULL
                ? MIN(PATIENCE_FACTOR * scope->census->cores[i].steps_max +
                          PATIENCE_GUESSED,
                      PATIENCE_MAX)
                : PATIENCE_GUESSED;
    self->chance.late = prng_below(&self->chance.prng, 2) != 0;
    self->lowest = 0;
    self->events = 0;
    self->halved = 0;
    self->passes = false;
    find_next(self);
}

/* --- Answers -------------------------------------------------------------- */

static unsigned
highest(const Pct *self, const Actions *actions, unsigned *entity)
{
    unsigned best = 0;

    *entity = entity_at(actions, 0);
    for (unsigned i = 1; i < actions->count; i++) {
        unsigned other = entity_at(actions, i);

        if (self->priority[other] > self->priority[*entity]) {
            best = i;
            *entity = other;
        }
    }
    return best;
}

/* Cores' events are counted by before(). */
static unsigned
pick(Strategy *strategy, const Actions *actions)
{
    Pct *self = (Pct *)strategy;
    unsigned entity, index;
    int64_t priority = 0;

    for (;;) {
        index = highest(self, actions, &entity);
        if (entity_kind(entity) == ACTION_STEP ||
            !count_event(self, &priority))
            return index;
        self->priority[entity] = priority;
    }
}

static uint64_t
steps(Strategy *strategy, unsigned cpu)
{
    Pct *self = (Pct *)strategy;

    return self->halved >> cpu & 1 ? 1 : self->patience[cpu];
}

static bool
before(Strategy *strategy, const CensusEvent *event)
{
    Pct *self = (Pct *)strategy;
    int64_t priority = 0;

    if (LIKELY(!count_event(self, &priority)))
        return false;
    /* The change can also come between the load and the store. */
    if (event->reads && event->writes && !event->locked &&
        prng_below(&self->chance.prng, 2) == 0) {
        self->halved |= UINT64_C(1) << event->cpu;
        self->demotion = priority;
    } else
        self->priority[entity_of(ACTION_STEP, event->cpu)] = priority;
    return true;
}

/* Stores that were passed are not bound by the priority of the one that
 * passed: as high as any at first, or the lowest. */
static void
redraw_drains(Pct *self, unsigned cpu)
{
    int64_t *priority = &self->priority[entity_of(ACTION_DRAIN, cpu)];

    self->passes = false;
    *priority = prng_below(&self->chance.prng, 2) != 0 ? --self->lowest
                                                : draw_priority(self);
}

static void
performed(Strategy *strategy, const StrategyDeed *deed)
{
    Pct *self = (Pct *)strategy;
    unsigned cpu = deed->action->cpu;
    int64_t *priority = &self->priority[entity_of(ACTION_STEP, cpu)];

    if (deed->action->kind == ACTION_DRAIN && self->passes)
        redraw_drains(self, cpu);
    if (deed->action->kind != ACTION_STEP)
        return;
    if (deed->paused || deed->steps >= self->patience[cpu])
        *priority = --self->lowest;
    else if (self->halved >> cpu & 1 && !deed->stood) {
        *priority = self->demotion;
        self->halved &= ~(UINT64_C(1) << cpu);
    }
}

static unsigned
store(Strategy *strategy, unsigned drainable)
{
    Pct *self = (Pct *)strategy;
    unsigned number = chance_store(strategy, drainable);

    self->passes = number > 0;
    return number;
}

static unsigned
drains(Strategy *strategy, unsigned buffered)
{
    Pct *self = (Pct *)strategy;
    uint64_t until = self->next - self->events;

    if (self->passes)
        return 1;
    if (until > buffered)
        until = buffered;
    self->events += until - 1;
    return (unsigned)until;
}

/* n k^(d-1), doubled if `more`; or UINT64_MAX if it is more than that. */
static uint64_t
odds(const Pct *self, uint64_t n, uint64_t k)
{
    uint64_t product = self->more ? 2 * n : n;

    for (unsigned i = 1; i < self->depth; i++)
        if (__builtin_mul_overflow(product, k, &product))
            return UINT64_MAX;
    return product;
}

static char *
promise(const Strategy *strategy, const StrategyScope *scope)
{
    const Pct *self = (const Pct *)strategy;
    uint64_t n, k = events_of(scope);

    if (scope->census == NULL)
        return NULL;
    n = scope->census->entities;
    return g_strdup_printf(
        "pct: a bug of depth %u is missed by one run with probability at most "
        "1 - 1/%" PRIu64 " (n = %" PRIu64 " who can act, k = %" PRIu64
        " events, 1/(%sn k^%u))",
        self->depth, odds(self, n, k), n, k, self->more ? "2 " : "",
        self->depth - 1);
}

static Strategy *
make(const uint64_t *values)
{
    Pct *self = g_new0(Pct, 1);

    self->depth = (unsigned)values[0];
    self->more = values[1] != 0;
    self->chance.strategy = (Strategy){
        .wants_census = true,
        .begin = begin,
        .pick = pick,
        .steps = steps,
        .store = store,
        .drains = drains,
        .late = chance_late,
        .value = chance_value,
        .before = before,
        .performed = performed,
        .promise = promise,
    };
    return &self->chance.strategy;
}

const StrategyKind strategy_pct_kind = {
    .name = "pct",
    .what = "random priorities, lowered at depth - 1 random events",
    .guarantee =
        "one run finds a bug of depth d, for which d ordered events "
        "suffice,\nwith probability at least 1/(2 n k^(d-1)): n who can act, "
        "k events in a\nrun, and no core spins.  Every other run has 4 to 128 "
        "changes more;\nmore=0: none has, and the bound is 1/(n k^(d-1)).",
    .source = "Burckhardt, Kothari, Musuvathi, Nagarakatte: ASPLOS 2010",
    .parameters = {{.name = "depth", .what = "of the bugs looked for",
                    .min = 1, .max = DEPTH_MAX, .fallback = DEPTH_DEFAULT},
                   {.name = "more", .what = "0: no run has more than depth "
                                            "- 1 changes",
                    .max = 1, .fallback = 1}},
    .make = make,
};
