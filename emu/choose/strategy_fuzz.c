/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "base/prng.h"
#include "choose/corpus.h"
#include "choose/mutate.h"
#include "choose/strategy.h"

/*
 * Greybox: runs that show something new of how cores meet are kept, and most
 * runs begin as a changed copy of one that was kept.
 *
 *      corpus ── pick, change ──▶ wishes ──▶ asked: grant the next one, or
 *        ▲                                   when none is left wander
 *        │                                          │
 *        └── ended: new points? keep ◀── what was done, as wishes
 *
 * Wandering is what strategy_random.c does, under swarm options (Groce, Zhang,
 * Eide, Chen, Regehr, "Swarm testing", ISSTA 2012): half of the runs do
 * without some kinds of disturbance, since what is common in every run keeps
 * from happening what needs its absence.
 */

/* As in strategy_random.c. */
#define MEAN_BITS_MIN 3
#define MEAN_BITS_MAX 9

/* The first runs are as those of strategy_random.c, so that what that finds at
 * once is found at once, and the corpus begins with a fair sample. */
#define PLAIN_RUNS 32

/* One run in so many has stores that linger, as there; and later one in so
 * many has two swarm options. */
#define LINGERING_RUNS 4
#define SWARM_RUNS 4

/* With LONG: slices that let a core do a whole operation undisturbed. */
#define LONG_BITS_MIN 7

/* One in so many of the events that an option disfavours is kept. */
#define DISFAVOURED_KEPT 4

/* A slice of a wish, at most. */
#define STEPS_MAX (UINT64_C(1) << 20)

/* Wishes that are passed over in a row before one is bent. */
#define PASSED_MAX 4

/* Changes to a tape: 1, 2, 4 or 8 of them. */
#define CHANGES_BITS 4

typedef enum Swarm {
    SWARM_PROMPT_STORES = 1,    /* no delayed stores */
    SWARM_LINGERING_STORES = 2, /* all stores are */
    SWARM_PROMPT_MESSAGES = 4,  /* no delayed messages and timers */
    SWARM_LATE_MESSAGES = 8,
    SWARM_NEWEST = 16,          /* no late loads */
    SWARM_LONG = 32,            /* long slices only */
    SWARM_SLOW_CPU = 64,        /* one core is behind */
    SWARM_BITS = 7,
} Swarm;

typedef struct Fuzz {
    Strategy strategy;
    uint64_t fresh;      /* one run in so many follows no tape */
    Prng prng;
    Corpus *corpus;
    Coverage *coverage;  /* of the present run; NULL: nobody looks */
    unsigned cpus;
    bool idle;           /* a tape is played: nothing is kept of it */
    unsigned swarm;      /* Swarm */
    unsigned slow_cpu;
    uint64_t mean;
    Tape wishes, other;
    size_t at;           /* in `wishes`: the next turn, or the rest of this */
    size_t value_at;
    bool picked;         /* the turn at `at` was begun by pick() */
    bool granted;        /* ... and is a wish of `wishes` */
    Tape done, values;   /* what was done */
} Fuzz;

/* --- Wandering ------------------------------------------------------------ */

static void
draw_swarm(Fuzz *self)
{
    unsigned bits = MEAN_BITS_MIN, choices = MEAN_BITS_MAX - MEAN_BITS_MIN + 1;

    self->swarm = 0;
    if (prng_below(&self->prng, LINGERING_RUNS) == 0)
        self->swarm = SWARM_LINGERING_STORES;
    if (corpus_runs(self->corpus) >= PLAIN_RUNS &&
        prng_below(&self->prng, SWARM_RUNS) == 0)
        self->swarm = 1u << prng_below(&self->prng, SWARM_BITS) |
                      1u << prng_below(&self->prng, SWARM_BITS);
    self->slow_cpu = (unsigned)prng_below(&self->prng, self->cpus);
    if (self->swarm & SWARM_LONG) {
        bits = LONG_BITS_MIN;
        choices = MEAN_BITS_MAX - LONG_BITS_MIN + 1;
    }
    self->mean = UINT64_C(1) << (bits + prng_below(&self->prng, choices));
}

static bool
is_disfavoured(const Fuzz *self, const Actions *actions, unsigned index)
{
    Action action;

    if (index < actions->step_count && !(self->swarm & SWARM_SLOW_CPU))
        return false;
    action = action_at(actions, index);
    switch (action.kind) {
    case ACTION_STEP:
        return action.cpu == self->slow_cpu;
    case ACTION_DRAIN:
        return self->swarm & SWARM_LINGERING_STORES;
    default:
        return self->swarm & SWARM_LATE_MESSAGES;
    }
}

static unsigned
wander(Fuzz *self, const Actions *actions)
{
    unsigned stores = actions->step_count;
    unsigned index;

    if (self->swarm & SWARM_PROMPT_STORES && actions->drain_count > 0)
        return stores + (unsigned)prng_below(&self->prng,
                                             actions->drain_count);
    if (self->swarm & SWARM_PROMPT_MESSAGES && actions->rest_count > 0)
        return stores + actions->drain_count;
    index = (unsigned)prng_below(&self->prng, actions->count);
    if (self->swarm != 0 && is_disfavoured(self, actions, index) &&
        prng_below(&self->prng, DISFAVOURED_KEPT) != 0)
        index = (unsigned)prng_below(&self->prng, actions->count);
    return index;
}

/* --- Wishes --------------------------------------------------------------- */

/* The wish that is this action of the list. */
static uint64_t
wish_of(const Actions *actions, unsigned index)
{
    Action action = action_at(actions, index);
    unsigned rank = 0;

    for (unsigned i = actions->step_count + actions->drain_count; i < index;
         i++) {
        const Action *before =
            &actions->rest[i - actions->step_count - actions->drain_count];

        rank += before->kind == action.kind && before->cpu == action.cpu;
    }
    return mutate_wish(action.kind, action.cpu, rank);
}

static unsigned
place_in(uint64_t cores, unsigned cpu)
{
    return (unsigned)__builtin_popcountll(cores & ((UINT64_C(1) << cpu) - 1));
}

/* The action of the list that is wished for; false if there is none. */
static bool
find_wish(const Actions *actions, uint64_t wish, unsigned *index)
{
    ActionKind kind = mutate_wish_kind(wish);
    unsigned cpu = mutate_wish_cpu(wish), rank = mutate_wish_rank(wish);
    unsigned first = actions->step_count + actions->drain_count;
    bool found = false;

    if (kind == ACTION_STEP) {
        *index = place_in(actions->steps, cpu);
        return actions->steps >> cpu & 1;
    }
    if (kind == ACTION_DRAIN) {
        *index = actions->step_count + place_in(actions->drains, cpu);
        return actions->drains >> cpu & 1;
    }
    for (unsigned i = 0; i < actions->rest_count; i++) {
        const Action *action = &actions->rest[i];

        if (action->kind != kind || action->cpu != cpu)
            continue;
        *index = first + i;
        found = true;
        if (rank-- == 0)
            break;
    }
    return found;
}

static bool
next_turn(Fuzz *self)
{
    const Tape *wishes = &self->wishes;

    while (self->at < wishes->count &&
           wishes->items[self->at].kind != DECISION_ACTION)
        self->at++;
    return self->at < wishes->count;
}

/* What the turn that was begun has of this kind; false if it has none. */
static bool
take(Fuzz *self, DecisionKind kind, uint64_t *value)
{
    const Tape *wishes = &self->wishes;

    if (!self->granted || self->at == wishes->count ||
        wishes->items[self->at].kind != kind)
        return false;
    *value = wishes->items[self->at++].value;
    return true;
}

/* A core goes on, or drains, and nobody asked which: the next turn speaks of
 * this one if it is its kind. */
static void
begin_turn(Fuzz *self, ActionKind kind, unsigned cpu)
{
    uint64_t wish;

    if (self->picked) {
        self->picked = false;
        return;
    }
    self->granted = false;
    tape_push(&self->done, DECISION_ACTION, mutate_wish(kind, cpu, 0));
    if (!next_turn(self))
        return;
    wish = self->wishes.items[self->at].value;
    if (mutate_wish_kind(wish) != kind ||
        (kind == ACTION_STEP && mutate_wish_cpu(wish) != cpu))
        return;
    self->at++;
    self->granted = true;
}

static unsigned
pick(Strategy *strategy, const Actions *actions)
{
    Fuzz *self = (Fuzz *)strategy;
    unsigned index = 0;

    self->picked = true;
    self->granted = false;
    for (unsigned i = 0; !self->granted && next_turn(self); i++) {
        uint64_t wish = self->wishes.items[self->at++].value;

        if (wish & MUTATE_ANY)
            break;
        self->granted = find_wish(actions, wish, &index);
        if (!self->granted && i == PASSED_MAX) {
            index = (unsigned)(wish % actions->count);
            self->granted = true;
        }
    }
    if (!self->granted)
        index = wander(self, actions);
    tape_push(&self->done, DECISION_ACTION, wish_of(actions, index));
    if (action_at(actions, index).kind > ACTION_DRAIN)
        self->picked = false;
    return index;
}

/* Uniform in 1 .. 2 * mean - 1, whose mean is the mean. */
static uint64_t
steps(Strategy *strategy, unsigned cpu)
{
    Fuzz *self = (Fuzz *)strategy;
    uint64_t value;

    begin_turn(self, ACTION_STEP, cpu);
    if (!take(self, DECISION_STEPS, &value))
        value = prng_below(&self->prng, 2 * self->mean - 1);
    value = MIN(value, STEPS_MAX);
    tape_push(&self->done, DECISION_STEPS, value);
    return value + 1;
}

static unsigned
store(Strategy *strategy, unsigned drainable)
{
    Fuzz *self = (Fuzz *)strategy;
    uint64_t value;

    begin_turn(self, ACTION_DRAIN, 0);
    if (!take(self, DECISION_STORE, &value))
        value = prng_below(&self->prng, drainable);
    value %= drainable;
    tape_push(&self->done, DECISION_STORE, value);
    self->picked = true; /* drains() is asked of the same turn */
    return (unsigned)value;
}

/* All of them in half of the cases, or some. */
static unsigned
drains(Strategy *strategy, unsigned buffered)
{
    Fuzz *self = (Fuzz *)strategy;
    uint64_t value;

    begin_turn(self, ACTION_DRAIN, 0);
    if (!take(self, DECISION_DRAINS, &value))
        value = prng_below(&self->prng, 2 * (uint64_t)buffered);
    value = MIN(value, buffered - 1);
    tape_push(&self->done, DECISION_DRAINS, value);
    return (unsigned)value + 1;
}

static unsigned
late(Strategy *strategy, unsigned count)
{
    Fuzz *self = (Fuzz *)strategy;
    uint64_t value;

    if (take(self, DECISION_LATE, &value))
        value %= count;
    else if (self->swarm & SWARM_NEWEST)
        value = 0;
    else {
        value = prng_below(&self->prng, 2 * (uint64_t)count - 2);
        value = value < count ? value : 0;
    }
    tape_push(&self->done, DECISION_LATE, value);
    return (unsigned)value;
}

static uint64_t
answer(Strategy *strategy, uint64_t bound)
{
    Fuzz *self = (Fuzz *)strategy;
    const Tape *wishes = &self->wishes;
    uint64_t value;

    if (self->value_at < wishes->count &&
        wishes->items[self->value_at].kind == DECISION_VALUE)
        value = wishes->items[self->value_at++].value % bound;
    else
        value = prng_below(&self->prng, bound);
    tape_push(&self->values, DECISION_VALUE, value);
    return value;
}

/* --- A run ---------------------------------------------------------------- */

static void
choose_wishes(Fuzz *self)
{
    Prng *prng = &self->prng;
    unsigned changes = 1u << prng_below(prng, CHANGES_BITS);
    const Tape *other = NULL;

    tape_rewind(&self->wishes);
    if (self->idle || corpus_size(self->corpus) == 0 ||
        corpus_runs(self->corpus) < PLAIN_RUNS ||
        prng_below(prng, self->fresh) == 0)
        return;
    corpus_pick(self->corpus, prng, true, &self->wishes);
    if (corpus_size(self->corpus) > 1) {
        corpus_pick(self->corpus, prng, false, &self->other);
        other = &self->other;
    }
    for (; changes > 0; changes--)
        mutate_tape(&self->wishes, other, self->cpus, prng);
}

static void
begin(Strategy *strategy, uint64_t seed, const StrategyScope *scope)
{
    Fuzz *self = (Fuzz *)strategy;

    prng_init(&self->prng, seed);
    self->cpus = scope->cpus;
    self->idle = scope->played;
    self->coverage = scope->coverage;
    self->at = self->value_at = 0;
    self->picked = self->granted = false;
    tape_rewind(&self->done);
    tape_rewind(&self->values);
    draw_swarm(self);
    choose_wishes(self);
}

static void
ended(Strategy *strategy, const struct RunResult *result, const Tape *tape)
{
    Fuzz *self = (Fuzz *)strategy;
    const uint16_t *points;
    unsigned count;

    (void)result, (void)tape;
    if (self->idle || self->coverage == NULL)
        return;
    points = coverage_hits(self->coverage, &count);
    tape_append(&self->values, self->done.items, self->done.count);
    corpus_note(self->corpus, &self->values, points, count);
}

/* --- What it remembers ---------------------------------------------------- */

static GBytes *
save(const Strategy *strategy)
{
    return corpus_save(((const Fuzz *)strategy)->corpus);
}

static bool
load(Strategy *strategy, GBytes *bytes, GError **error)
{
    Fuzz *self = (Fuzz *)strategy;
    Corpus *corpus = corpus_load(bytes, error);

    if (corpus == NULL)
        return false;
    corpus_free(self->corpus);
    self->corpus = corpus;
    return true;
}

static bool
join(Strategy *strategy, GBytes *bytes, GError **error)
{
    g_autoptr(Corpus) other = corpus_load(bytes, error);

    if (other == NULL)
        return false;
    corpus_join(((Fuzz *)strategy)->corpus, other);
    return true;
}

static uint64_t
reached(const Strategy *strategy)
{
    return corpus_points(((const Fuzz *)strategy)->corpus);
}

static const StrategyMemory memory = {
    .save = save,
    .load = load,
    .join = join,
    .reached = reached,
};

static void
free_strategy(Strategy *strategy)
{
    Fuzz *self = (Fuzz *)strategy;

    corpus_free(self->corpus);
    tape_clear(&self->wishes);
    tape_clear(&self->other);
    tape_clear(&self->done);
    tape_clear(&self->values);
    g_free(self);
}

static Strategy *
make(const uint64_t *values)
{
    Fuzz *self = g_new0(Fuzz, 1);

    self->fresh = values[0];
    self->corpus = corpus_new();
    self->strategy = (Strategy){
        .wants_census = true,
        .wants_coverage = true,
        .memory = &memory,
        .begin = begin,
        .pick = pick,
        .steps = steps,
        .store = store,
        .drains = drains,
        .late = late,
        .value = answer,
        .ended = ended,
        .free = free_strategy,
    };
    return &self->strategy;
}

const StrategyKind strategy_fuzz_kind = {
    .name = "fuzz",
    .what = "changes schedules in which cores met in a new way",
    .guarantee =
        "none, but one run in `fresh` is as likely as any other to be any\n"
        "schedule that `random` makes.  What it does depends on its runs so\n"
        "far: a finding is replayed by its trace, not by its seed.",
    .source = "Wolff et al., Greybox fuzzing for concurrency testing, "
              "ASPLOS 2024;\n      swarm options: Groce et al., Swarm "
              "testing, ISSTA 2012",
    .parameters = {{.name = "fresh",
                    .what = "one run in so many begins anew",
                    .min = 1, .max = 1000, .fallback = 2}},
    .make = make,
};
