/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Selectively uniform random walk: H. Zhao, D. Wolff, U. Mathur,
 * A. Roychoudhury, "Selectively Uniform Concurrency Testing", ASPLOS 2025.
 * Whose event of a set comes next is drawn with the number of events of the
 * set that everybody still has before him as weights: without blocking, all
 * orders of the set are then equally likely.  How many there are, the census
 * says.  Where all visible events are the set, this is the paper's URW.
 *
 * The set here: the events at some lines drawn anew for each run, or all.
 * What is not in the set is scheduled at random in between.  Each drain,
 * delivery and timer is an event of the set.
 */
#include "base/base.h"

#include "choose/chance.h"
#include "choose/entity.h"
#include "choose/strategy.h"

#define LINES_MAX 16
#define LINES_DEFAULT 3
/* Steps without an event of the set after which whoever was to do the next one
 * is thought to spin, and somebody else is drawn. */
#define STEPS_MAX 1000u
/* Means of slices between events of a set, powers of two. */
#define MEAN_BITS_MIN 3
#define MEAN_BITS_MAX 9

typedef struct Surw {
    Chance chance;
    unsigned lines;               /* of the set; 0: all */
    uint64_t set[LINES_MAX];
    uint64_t remaining[CPUS_MAX]; /* events of the set */
    unsigned listed[ENTITIES_MAX]; /* entities that could act at the last
                                      pick, each once; none: there was no
                                      choice */
    unsigned listed_count;
    unsigned intended;            /* the entity whose event comes next */
    uint64_t stands;              /* cores before an event of the set ... */
    uint64_t splits;              /* ... which is a load and a store */
    uint64_t halved;              /* cores that do the first half next */
    uint64_t aside;               /* cores that paused, or spin without */
    uint64_t waited;              /* steps of the intended one so far */
    uint64_t mean;                /* steps; 0: up to the next event */
} Surw;

/* --- The set -------------------------------------------------------------- */

static bool
is_in_set(const Surw *self, uint64_t line)
{
    for (unsigned i = 0; i < self->lines; i++)
        if (self->set[i] == line)
            return true;
    return self->lines == 0;
}

static void
draw_set(Surw *self, const Census *census)
{
    for (unsigned i = 0; i < self->lines; i++) {
        guint index = (guint)prng_below(&self->chance.prng, census->lines->len);

        bool drawn = is_in_set(self, g_array_index(census->lines, uint64_t,
                                                   index));

        self->set[i] = g_array_index(census->lines, uint64_t, index);
        for (unsigned cpu = 0; cpu < census->cpus && !drawn; cpu++)
            self->remaining[cpu] += census_events(census, index, cpu);
    }
}

static void
begin(Strategy *strategy, uint64_t seed, const StrategyScope *scope)
{
    Surw *self = (Surw *)strategy;
    const Census *census = scope->census;

    prng_init(&self->chance.prng, seed);
    memset(self->remaining, 0, sizeof self->remaining);
    self->mean = 0;
    memset(self->set, 0, sizeof self->set);
    if (census != NULL && self->lines > 0 && census->lines->len > 0) {
        draw_set(self, census);
        self->mean = UINT64_C(1)
                     << (MEAN_BITS_MIN +
                         prng_below(&self->chance.prng,
                                    MEAN_BITS_MAX - MEAN_BITS_MIN + 1));
    } else if (census != NULL)
        for (unsigned i = 0; i < scope->cpus; i++)
            self->remaining[i] = census->cores[i].events_mean;
    self->chance.late = prng_below(&self->chance.prng, 2) != 0;
    self->listed_count = 0;
    self->intended = ENTITIES_MAX;
    self->stands = self->splits = self->halved = self->aside = 0;
    self->waited = 0;
}

/* --- Whose event is next -------------------------------------------------- */

static uint64_t
weight_of(const Surw *self, unsigned entity)
{
    unsigned cpu = entity % CPUS_MAX;

    if (entity_kind(entity) != ACTION_STEP)
        return 1;
    return self->aside >> cpu & 1 ? 0 : MAX(self->remaining[cpu], 1);
}

static void
draw_intended(Surw *self)
{
    uint64_t total = 0, drawn;

    self->waited = 0;
    for (unsigned i = 0; i < self->listed_count; i++)
        total += weight_of(self, self->listed[i]);
    if (total == 0) { /* nobody but cores that paused */
        self->intended = self->listed[prng_below(&self->chance.prng,
                                                 self->listed_count)];
        return;
    }
    drawn = prng_below(&self->chance.prng, total);
    for (unsigned i = 0; i < self->listed_count; i++) {
        uint64_t weight = weight_of(self, self->listed[i]);

        self->intended = self->listed[i];
        if (drawn < weight)
            return;
        drawn -= weight;
    }
}

/* An event of the set is done by core `cpu`: those who paused may look. */
static void
finish_event(Surw *self, unsigned cpu)
{
    uint64_t bit = UINT64_C(1) << cpu;

    self->aside &= bit;
    self->stands &= ~bit;
    if (self->remaining[cpu] > 0)
        self->remaining[cpu]--;
    if (self->listed_count > 0)
        draw_intended(self);
}

static void
list(Surw *self, const Actions *actions)
{
    self->listed_count = 0;
    for (unsigned i = 0; i < actions->count; i++) {
        unsigned entity = entity_at(actions, i);
        bool known = false;

        /* Several messages to one core are several actions. */
        for (unsigned k = 0; k < self->listed_count; k++)
            known |= self->listed[k] == entity;
        if (!known)
            self->listed[self->listed_count++] = entity;
    }
}

static bool
can_act(const Surw *self, unsigned entity)
{
    for (unsigned i = 0; i < self->listed_count; i++)
        if (self->listed[i] == entity)
            return weight_of(self, entity) > 0;
    return false;
}

/* Who acts now: whose event is next; or, of what is not in the set, anybody
 * who does not stand before an event of it. */
static unsigned
choose_entity(Surw *self)
{
    unsigned other;

    if (!can_act(self, self->intended))
        draw_intended(self);
    if (self->mean == 0)
        return self->intended;
    other = self->listed[prng_below(&self->chance.prng, self->listed_count)];
    if (entity_kind(other) != ACTION_STEP ||
        (self->stands | self->aside) >> other % CPUS_MAX & 1)
        return self->intended;
    return other;
}

static unsigned
pick(Strategy *strategy, const Actions *actions)
{
    Surw *self = (Surw *)strategy;
    unsigned entity, cpu, index = 0;
    uint64_t bit;

    list(self, actions);
    entity = choose_entity(self);
    cpu = entity % CPUS_MAX;
    bit = UINT64_C(1) << cpu;
    if (entity_kind(entity) == ACTION_STEP && self->stands & bit) {
        if (self->splits & bit)
            self->halved |= bit;
        finish_event(self, cpu);
    }
    while (entity_at(actions, index) != entity)
        index++;
    return index;
}

static uint64_t
steps(Strategy *strategy, unsigned cpu)
{
    Surw *self = (Surw *)strategy;

    if (self->halved >> cpu & 1)
        return 1;
    return self->mean == 0
               ? STEPS_MAX
               : 1 + prng_below(&self->chance.prng, 2 * self->mean - 1);
}

static bool
before(Strategy *strategy, const CensusEvent *event)
{
    Surw *self = (Surw *)strategy;
    bool splits = event->reads && event->writes && !event->locked;
    uint64_t bit = UINT64_C(1) << event->cpu;

    if (!is_in_set(self, event->line))
        return false;
    if (self->listed_count == 0 ||
        (self->intended == entity_of(ACTION_STEP, event->cpu) && !splits)) {
        finish_event(self, event->cpu);
        return false;
    }
    self->stands |= bit;
    self->splits = splits ? self->splits | bit : self->splits & ~bit;
    return true;
}

static void
performed(Strategy *strategy, const StrategyDeed *deed)
{
    Surw *self = (Surw *)strategy;
    unsigned cpu = deed->action->cpu;

    self->listed_count = 0;
    if (deed->action->kind != ACTION_STEP) {
        self->aside = 0;
        self->intended = ENTITIES_MAX;
        return;
    }
    if (deed->stood)
        return;
    self->halved &= ~(UINT64_C(1) << cpu);
    self->stands &= ~(UINT64_C(1) << cpu);
    if (deed->paused)
        self->aside |= UINT64_C(1) << cpu;
    if (self->intended != entity_of(ACTION_STEP, cpu))
        return;
    self->waited += deed->steps;
    if (self->waited >= STEPS_MAX) {
        self->aside |= UINT64_C(1) << cpu;
        self->intended = ENTITIES_MAX;
    }
}

/* --- The rest ------------------------------------------------------------- */

static char *
promise(const Strategy *strategy, const StrategyScope *scope)
{
    const Surw *self = (const Surw *)strategy;

    if (scope->census == NULL)
        return NULL;
    if (self->lines == 0)
        return g_strdup_printf(
            "urw: uniform over the orders of %" PRIu64 " events of a run",
            scope->census->events_mean);
    return g_strdup_printf(
        "surw: uniform over the orders of the events at %u of %u shared "
        "lines, drawn for each run",
        self->lines, scope->census->lines->len);
}

static Strategy *
new_of(unsigned lines)
{
    Surw *self = g_new0(Surw, 1);

    self->lines = lines;
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
        .promise = promise,
    };
    return &self->chance.strategy;
}

static Strategy *
make(const uint64_t *values)
{
    return new_of((unsigned)values[0]);
}

static Strategy *
make_urw(const uint64_t *values)
{
    (void)values;
    return new_of(0);
}

const StrategyKind strategy_surw_kind = {
    .name = "surw",
    .what = "uniform over the orders of some events, drawn for each run",
    .guarantee =
        "the events are those at a few shared lines.  All their orders "
        "are\nequally likely if nobody blocks and each core does as many as "
        "the\ncensus counted; drains and interrupts count as one event each.",
    .source = "Zhao, Wolff, Mathur, Roychoudhury: ASPLOS 2025",
    .parameters = {{.name = "lines", .what = "so many of them", .min = 1,
                    .max = LINES_MAX, .fallback = LINES_DEFAULT}},
    .make = make,
};

const StrategyKind strategy_urw_kind = {
    .name = "urw",
    .what = "surw where the set is all events",
    .guarantee =
        "as surw; so all schedules are equally likely where only cores act "
        "and\nnobody blocks.",
    .source = "Zhao, Wolff, Mathur, Roychoudhury: ASPLOS 2025",
    .make = make_urw,
};
