/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/strategy.h"

#include <stdio.h>

#include "choose/boundtree.h"
#include "choose/holding.h"
#include "choose/inside.h"
#include "choose/run.h"
#include "choose/sharing.h"

/* A core that neither pauses nor stops gives way after so many steps: it may
 * spin without PAUSE. */
#define STINT_STEPS 20000u

/* Turns that spinning cores give each other before what is held arrives. */
#define ROUNDS_HELD 2u

/* What can be done at a branch of cores and releases. */
#define OFFERS_MAX 192u

/* Why the core that ran last does not simply go on. */
typedef enum Halt {
    HALT_NONE,  /* it can */
    HALT_PAUSE, /* it gives way */
    HALT_STOP,  /* it cannot go on, or none ran yet */
} Halt;

typedef struct Bounded {
    Strategy strategy;
    Bounds bounds;
    char *bounds_text;
    BoundTree *tree;
    Sharing *sharing;
    bool over, clipped, endless; /* of the search */
    uint64_t restarts;
    uint64_t shared_words; /* that were known when the search began */

    StrategyScope scope;   /* of a run, from here on */
    bool idle;             /* the tree is not asked */
    bool cut;
    unsigned current;      /* the core that ran last; cpus: none yet */
    bool paused;
    uint64_t stint;        /* steps that it made without another one */
    unsigned yields;       /* since something changed for sure */
    Holding holding;
    uint64_t drains;       /* stores that the next drain makes visible ... */
    unsigned drained;      /* ... beginning with that one of those that may */
    Inside inside[CPUS_MAX];
} Bounded;

/* One thing to do. */
typedef struct Offer {
    Action action;
    BoundKind cost;
} Offer;

typedef struct Offers {
    unsigned count;
    Offer offer[OFFERS_MAX];
    BoundKind costs[OFFERS_MAX];
} Offers;

/* --- Runs ----------------------------------------------------------------- */

static void
begin(Strategy *strategy, uint64_t seed, const StrategyScope *scope)
{
    Bounded *self = (Bounded *)strategy;

    (void)seed;
    self->scope = *scope;
    self->idle = scope->played || self->over || scope->machine == NULL;
    self->cut = self->paused = false;
    self->current = scope->cpus;
    self->stint = self->yields = 0;
    self->drains = 1;
    self->drained = 0;
    holding_clear(&self->holding);
    memset(self->inside, 0, sizeof self->inside);
    if (!self->idle)
        boundtree_begin_run(self->tree);
}

static void
ended(Strategy *strategy, const struct RunResult *result, const Tape *tape)
{
    Bounded *self = (Bounded *)strategy;

    (void)tape;
    if (self->idle)
        return;
    if (sharing_count(self->sharing) != self->shared_words) {
        self->shared_words = sharing_count(self->sharing);
        self->restarts++;
        self->endless = self->clipped = false;
        boundtree_restart(self->tree);
        return;
    }
    if (!result->cut && result->verdict.kind == VERDICT_BUDGET)
        self->endless = true;
    self->over = !boundtree_end_run(self->tree, self->cut);
}

static bool
cuts(const Strategy *strategy)
{
    return ((const Bounded *)strategy)->cut;
}

static unsigned
left(Bounded *self, BoundKind kind)
{
    return self->idle ? 0 : boundtree_left(self->tree, kind);
}

/* --- What cores do -------------------------------------------------------- */

static void
flowed(Strategy *strategy, unsigned cpu, const Insn *insn, unsigned vector)
{
    Bounded *self = (Bounded *)strategy;

    inside_flowed(&self->inside[cpu], machine_cpu(self->scope.machine, cpu),
                  insn, vector);
}

/* Every access is seen, and those to shared words end a slice. */
static bool
touched(Strategy *strategy, unsigned cpu, gpa_t physical,
        const InsnAccess *access)
{
    Bounded *self = (Bounded *)strategy;
    SharingTouch touch = {
        .cpu = cpu,
        .handler = inside_is_handlers(&self->inside[cpu], physical),
        .writes = (access->mode & INSN_ACCESS_WRITE) != 0,
    };

    return !self->idle &&
           sharing_touch(self->sharing, &touch, physical, access->size);
}

static bool
stands(Strategy *strategy, unsigned cpu)
{
    (void)cpu;
    return !((Bounded *)strategy)->idle;
}

static void
performed(Strategy *strategy, const StrategyDeed *deed)
{
    Bounded *self = (Bounded *)strategy;
    const Action *action = deed->action;

    if (action->kind != ACTION_STEP) {
        holding_performed(&self->holding, action);
        self->drains = 1;
        self->drained = 0;
        self->yields = 0;
        return;
    }
    if (self->current != action->cpu)
        self->stint = 0;
    self->current = action->cpu;
    self->stint += deed->steps;
    self->paused = deed->paused || self->stint >= STINT_STEPS;
    if (self->paused) {
        self->stint = 0;
        self->yields++;
    }
    if (deed->stop == CPU_STOP_HYPERCALL)
        self->yields = 0;
}

/* --- Branches ------------------------------------------------------------- */

static void
offer(Bounded *self, Offers *offers, Action action, BoundKind cost)
{
    if (offers->count == OFFERS_MAX) {
        self->clipped = true;
        return;
    }
    offers->offer[offers->count] = (Offer){.action = action, .cost = cost};
    offers->costs[offers->count++] = cost;
}

static unsigned
branch(Bounded *self, const BoundKind *costs, unsigned count, uint64_t key)
{
    return self->idle ? 0
                      : boundtree_branch(self->tree, costs, count, key);
}

/* Shall it arrive now?  Or it is held from now on. */
static bool
arrives(Bounded *self, const Action *action, BoundKind kind)
{
    const BoundKind costs[] = {BOUND_FREE, kind};

    return left(self, kind) == 0 || branch(self, costs, 2, 0) == 0 ||
           !holding_hold(&self->holding, self->scope.machine, action);
}

/* What just happened and has not arrived: by default it does at once. */
static bool
find_arrival(Bounded *self, const Actions *actions, Action *action)
{
    unsigned stores;

    while (holding_fresh_store(&self->holding, self->scope.machine, actions,
                               action)) {
        stores = holding_private_stores(&self->holding, self->scope.machine,
                                        self->sharing, action);
        if (stores > 0) {
            self->drains = stores;
            return true;
        }
        if (arrives(self, action, BOUND_STORES))
            return true;
    }
    while (holding_fresh_message(&self->holding, actions, action))
        if (arrives(self, action, BOUND_INTERRUPTS))
            return true;
    return false;
}

/* The cores that can step, the one after the last first, the last one last. */
static void
offer_cores(Bounded *self, const Actions *actions, Halt halt, Offers *offers)
{
    unsigned cpus = self->scope.cpus;
    unsigned first = self->current == cpus ? 0 : self->current + 1;
    BoundKind other = halt == HALT_STOP ? BOUND_FREE : BOUND_PREEMPTIONS;

    if (halt == HALT_NONE)
        offer(self, offers,
              (Action){.kind = ACTION_STEP, .cpu = self->current}, BOUND_FREE);
    for (unsigned i = 0; i < cpus; i++) {
        unsigned cpu = (first + i) % cpus;
        bool spins = halt == HALT_PAUSE && cpu == self->current;

        if (!(actions->steps >> cpu & 1) ||
            (halt == HALT_NONE && cpu == self->current) ||
            (spins && offers->count > 0))
            continue;
        if (offers->count == 0)
            offer(self, offers, (Action){.kind = ACTION_STEP, .cpu = cpu},
                  BOUND_FREE);
        else if (other == BOUND_FREE || left(self, other) > 0)
            offer(self, offers, (Action){.kind = ACTION_STEP, .cpu = cpu},
                  other);
    }
}

static void
offer_releases(Bounded *self, const Actions *actions, Offers *offers)
{
    Action action;

    for (unsigned i = 0; holding_held(&self->holding, self->scope.machine,
                                      actions, i, &action);
         i++)
        offer(self, offers, action, BOUND_FREE);
}

/* All that what follows depends on; 0 if that cannot be said. */
static uint64_t
key_of(Bounded *self, Halt halt)
{
    Digest digest;

    digest_init(&digest);
    if (self->scope.digest == NULL ||
        !self->scope.digest(self->scope.user, &digest))
        return 0;
    digest_u64(&digest, (uint64_t)self->current << 2 | halt);
    if (holding_digest(&self->holding, self->scope.machine, &digest))
        digest_u64(&digest, self->yields);
    return MAX(digest_value(&digest), 1);
}

static Action
choose_offer(Bounded *self, Halt halt, const Offers *offers)
{
    unsigned count = offers->count;
    uint64_t key = 0;

    if (self->idle || (count == 1 && halt == HALT_NONE))
        return offers->offer[0].action;
    if (!boundtree_is_on_path(self->tree))
        key = key_of(self, halt);
    if (key != 0)
        switch (boundtree_visit(self->tree, key)) {
        case BOUND_NEW:
            break;
        case BOUND_ROUND:
            count = 1;
            break;
        case BOUND_SEEN:
            self->cut = true;
            return offers->offer[0].action;
        }
    return offers->offer[branch(self, offers->costs, count, key)].action;
}

/* --- Decisions ------------------------------------------------------------ */

static Action
decide(Bounded *self, const Actions *actions)
{
    bool can_go_on = self->current < self->scope.cpus &&
                     (actions->steps >> self->current & 1);
    Halt halt = !can_go_on ? HALT_STOP
                           : self->paused ? HALT_PAUSE : HALT_NONE;
    Offers offers;
    Action action;

    holding_update(&self->holding, self->scope.machine, actions);
    if (find_arrival(self, actions, &action))
        return action;
    /* Nobody can do anything else, or all seem to wait for it. */
    if ((actions->steps == 0 ||
         self->yields >= ROUNDS_HELD * self->scope.cpus) &&
        holding_held(&self->holding, self->scope.machine, actions, 0, &action))
        return action;
    offers.count = 0; /* it is large: no need to clear it all */
    offer_cores(self, actions, halt, &offers);
    offer_releases(self, actions, &offers);
    return choose_offer(self, halt, &offers);
}

static unsigned
pick(Strategy *strategy, const Actions *actions)
{
    Bounded *self = (Bounded *)strategy;
    Action action;
    unsigned index;

    if (self->scope.machine == NULL) /* nothing to search */
        return actions->count - 1;
    action = decide(self, actions);
    if (action.kind == ACTION_DRAIN)
        self->drained = (unsigned)__builtin_popcountll(
            machine_drainable(self->scope.machine, action.cpu) &
            ((UINT64_C(1) << action.number) - 1));
    index = action_lookup(actions, &action);
    INVARIANT(index < actions->count);
    return index;
}

static uint64_t
steps(Strategy *strategy, unsigned cpu)
{
    Bounded *self = (Bounded *)strategy;

    return cpu == self->current && self->stint < STINT_STEPS
               ? STINT_STEPS - self->stint
               : STINT_STEPS;
}

static unsigned
store(Strategy *strategy, unsigned drainable)
{
    Bounded *self = (Bounded *)strategy;

    return MIN(self->drained, drainable - 1);
}

static unsigned
drains(Strategy *strategy, unsigned buffered)
{
    Bounded *self = (Bounded *)strategy;

    return (unsigned)MIN(self->drains, buffered);
}

static unsigned
late(Strategy *strategy, unsigned count)
{
    Bounded *self = (Bounded *)strategy;
    BoundKind costs[OFFERS_MAX] = {BOUND_FREE};

    if (left(self, BOUND_STORES) == 0)
        return 0;
    if (count > OFFERS_MAX) {
        self->clipped = true;
        count = OFFERS_MAX;
    }
    for (unsigned i = 1; i < count; i++)
        costs[i] = BOUND_STORES;
    return branch(self, costs, count, 0);
}

static uint64_t
value(Strategy *strategy, uint64_t bound)
{
    Bounded *self = (Bounded *)strategy;
    BoundKind costs[BOUNDTREE_ALTERNATIVES_MAX];

    if (bound > BOUNDTREE_ALTERNATIVES_MAX) {
        self->clipped = true;
        bound = BOUNDTREE_ALTERNATIVES_MAX;
    }
    for (uint64_t i = 0; i < bound; i++)
        costs[i] = BOUND_FREE;
    return branch(self, costs, (unsigned)bound, 0);
}

/* --- The search ----------------------------------------------------------- */

static bool
is_over(const Strategy *strategy)
{
    return ((const Bounded *)strategy)->over;
}

static void
progress(const Strategy *strategy, StrategyProgress *progress)
{
    const Bounded *self = (const Bounded *)strategy;
    BoundProgress tree;

    boundtree_progress(self->tree, &tree);
    *progress = (StrategyProgress){
        .bounds = self->bounds_text,
        .runs = tree.runs,
        .cuts = tree.cuts,
        .expected =
            tree.runs + tree.cuts - tree.done + tree.expected + tree.later,
        .pass = tree.total,
        .passes = tree.totals,
        .restarts = self->restarts,
    };
    if (self->endless)
        progress->why_not = "some run came to no end within its steps";
    else if (self->clipped)
        progress->why_not = "some branch has too many alternatives";
    else if (tree.foreign)
        progress->why_not = "the saved search was made on another machine";
    progress->complete = tree.complete && progress->why_not == NULL;
}

static char *
print(const Strategy *strategy)
{
    const Bounded *self = (const Bounded *)strategy;
    g_autofree char *tree = boundtree_print(self->tree);
    g_autofree char *sharing = sharing_print(self->sharing);

    return g_strdup_printf("bounded %u %u %" PRIu64 "\n%s\n%s\n",
                           self->endless, self->clipped, self->restarts, tree,
                           sharing);
}

static bool
parse(Strategy *strategy, const char *text, GError **error)
{
    Bounded *self = (Bounded *)strategy;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    BoundProgress progress;
    unsigned endless, clipped;
    int end = 0;

    if (g_strv_length(lines) != 4 || *lines[3] != '\0' ||
        sscanf(lines[0], "bounded %u %u %" SCNu64 "%n", &endless, &clipped,
               &self->restarts, &end) != 3 ||
        lines[0][end] != '\0') {
        g_set_error(error, BOUNDTREE_ERROR,
                    BOUNDTREE_ERROR_SYNTAX,
                    "the saved search is damaged: begin it anew");
        return false;
    }
    if (!boundtree_parse(self->tree, lines[1], error) ||
        !sharing_parse(self->sharing, lines[2], error))
        return false;
    boundtree_progress(self->tree, &progress);
    self->endless = endless != 0;
    self->clipped = clipped != 0;
    self->shared_words = sharing_count(self->sharing);
    self->over = progress.complete;
    return true;
}

static void
take_shard(Strategy *strategy, unsigned shard, unsigned shards)
{
    boundtree_take_shard(((Bounded *)strategy)->tree, shard, shards);
}

static const StrategySearch search = {
    .is_over = is_over,
    .progress = progress,
    .print = print,
    .parse = parse,
    .take_shard = take_shard,
};

/* --- Life ----------------------------------------------------------------- */

static void
free_strategy(Strategy *strategy)
{
    Bounded *self = (Bounded *)strategy;

    boundtree_free(self->tree);
    sharing_free(self->sharing);
    g_free(self->bounds_text);
    g_free(self);
}

static void
append_bound(GString *text, unsigned most, const char *what)
{
    g_string_append_printf(text, "%s%u %s%s", text->len > 0 ? ", " : "", most,
                           what, most == 1 ? "" : "s");
}

static Strategy *
make(const uint64_t *values)
{
    Bounded *self = g_new0(Bounded, 1);
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < BOUND_KINDS; i++)
        self->bounds.most[i] = (unsigned)values[i];
    append_bound(text, self->bounds.most[BOUND_PREEMPTIONS], "preemption");
    append_bound(text, self->bounds.most[BOUND_STORES], "delayed store");
    append_bound(text, self->bounds.most[BOUND_INTERRUPTS],
                 "delayed interrupt");
    self->bounds_text = g_string_free(text, FALSE);
    self->tree = boundtree_new(&self->bounds);
    if (values[BOUND_KINDS] == 0)
        boundtree_ignore_states(self->tree);
    self->sharing = sharing_new();
    self->strategy = (Strategy){
        .begin = begin,
        .pick = pick,
        .steps = steps,
        .store = store,
        .drains = drains,
        .late = late,
        .value = value,
        .performed = performed,
        .touched = touched,
        .stands = stands,
        .flowed = flowed,
        .cuts = cuts,
        .ended = ended,
        .free = free_strategy,
        .search = &search,
    };
    return &self->strategy;
}

const StrategyKind strategy_bounded_kind = {
    .name = "bounded",
    .what = "every schedule within bounds, the simplest first",
    .guarantee =
        "Complete: when it is over, no schedule with so many preemptions,\n"
        "delayed stores (or late loads) and delayed interrupts behaves in\n"
        "another way than those that were made.",
    .source = "Musuvathi, Qadeer, Iterative context bounding, PLDI 2007",
    .parameters =
        {
            {"preemptions", "switches away from a core that could go on", 0,
             7, 2},
            {"stores", "stores that stay in their buffer, loads that are late",
             0, 3, 1},
            {"interrupts", "messages and timers that are held back", 0, 3, 1},
            {"states", "1: a run ends in a state that was seen; 0: none does",
             0, 1, 1},
        },
    .make = make,
};
