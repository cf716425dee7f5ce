/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/schedule.h"

/* A core that spins gives way at its first PAUSE; if that helps nobody, at its
 * second, fourth, ... and at this one at the latest: turns become fewer where
 * nobody gets on, and are short where somebody does. */
#define PAUSES_MAX 64u

/* Steps after which a core gives way though it never paused. */
#define STEPS_MAX 10000u

typedef struct Player {
    Strategy strategy;
    const Schedule *schedule; /* NULL: nothing but the calm way */
    Machine *machine;         /* NULL without a schedule */
    unsigned cpus;
    guint at;                 /* the present turn */
    bool begun;               /* it has begun ... */
    bool stopped;             /* ... and its core has stopped by itself */
    bool settling;            /* what is not held arrives first */
    uint64_t stores_held, ipis_held;
    bool picked;              /* this action was asked for with pick() */
    uint64_t before[CPUS_MAX]; /* steps of each core before the run */
    unsigned running;         /* whose slice it is, or was */
    guint value_at;
    unsigned pauses, pauses_most; /* of the calm way: in the present turn */
    uint64_t steps_left;
    Actions only;             /* a list of one */
} Player;

static void
begin(Strategy *strategy, uint64_t seed, const StrategyScope *scope)
{
    Player *self = (Player *)strategy;

    (void)seed;
    self->cpus = scope->cpus;
    self->at = 0;
    self->begun = self->stopped = self->settling = self->picked = false;
    self->stores_held = self->ipis_held = 0;
    for (unsigned i = 0; self->machine != NULL && i < scope->cpus; i++)
        self->before[i] = machine_cpu(self->machine, i)->state.retired;
    self->running = 0;
    self->value_at = 0;
    self->pauses = 0;
    self->pauses_most = 1;
    self->steps_left = STEPS_MAX;
}

/* --- Looking into lists --------------------------------------------------- */

static bool
can_step(const Actions *actions, unsigned cpu)
{
    return actions->steps >> cpu & 1;
}

static unsigned
below(uint64_t cores, unsigned cpu)
{
    return (unsigned)__builtin_popcountll(cores &
                                          ((UINT64_C(1) << cpu) - 1));
}

/* The `number`-th of the rest of this kind and core, or count. */
static unsigned
find_rest(const Actions *actions, ActionKind kind, unsigned cpu,
          unsigned number)
{
    for (unsigned i = 0; i < actions->rest_count; i++)
        if (actions->rest[i].kind == kind && actions->rest[i].cpu == cpu &&
            number-- == 0)
            return actions->step_count + actions->drain_count + i;
    return actions->count;
}

/* What can arrive and is not held, or count. */
static unsigned
find_arrival(const Actions *actions, uint64_t stores_held, uint64_t ipis_held)
{
    uint64_t drains = actions->drains & ~stores_held;

    if (drains != 0)
        return actions->step_count +
               below(actions->drains, (unsigned)__builtin_ctzll(drains));
    for (unsigned i = 0; i < actions->rest_count; i++)
        if (!(ipis_held >> actions->rest[i].cpu & 1))
            return actions->step_count + actions->drain_count + i;
    return actions->count;
}

/* Steps of the core in this run. */
static uint64_t
made(const Player *self, unsigned cpu)
{
    return machine_cpu(self->machine, cpu)->state.retired - self->before[cpu];
}

/* --- Turns ---------------------------------------------------------------- */

static const Turn *
present(const Player *self)
{
    if (self->schedule == NULL || self->at >= self->schedule->turns->len)
        return NULL;
    return &g_array_index(self->schedule->turns, Turn, self->at);
}

static void
end_turn(Player *self)
{
    const Turn *turn = present(self);

    self->stores_held = turn->stores_held;
    self->ipis_held = turn->ipis_held;
    self->settling = true;
    self->begun = self->stopped = false;
    self->at++;
}

static bool
run_is_over(const Player *self, const Turn *turn)
{
    if (turn->until == TURN_UNTIL_IT_STOPS)
        return self->begun && self->stopped;
    return made(self, turn->cpu) >= turn->until;
}

/* The action of the present turn, or count if it is over or cannot be. */
static unsigned
find_turn(const Player *self, const Turn *turn, const Actions *actions)
{
    switch (turn->kind) {
    case TURN_RUN:
        if (!can_step(actions, turn->cpu) || run_is_over(self, turn))
            return actions->count;
        return below(actions->steps, turn->cpu);
    case TURN_DRAIN:
        if (self->begun || !(actions->drains >> turn->cpu & 1))
            return actions->count;
        return actions->step_count + below(actions->drains, turn->cpu);
    case TURN_DELIVER:
        if (self->begun)
            return actions->count;
        return find_rest(actions, ACTION_DELIVER, turn->cpu, turn->number);
    case TURN_FIRE:
        if (self->begun)
            return actions->count;
        return find_rest(actions, ACTION_FIRE, turn->cpu, 0);
    }
    return actions->count;
}

/* The calm way of going on. */
static unsigned
pick_calmly(Player *self, const Actions *actions)
{
    unsigned arrival = find_arrival(actions, 0, 0);
    uint64_t later, next;

    if (arrival < actions->count)
        return arrival;
    if (can_step(actions, self->running) && self->pauses < self->pauses_most &&
        self->steps_left > 0)
        return below(actions->steps, self->running);
    later = self->running >= 63 ? 0 : ~UINT64_C(0) << (self->running + 1);
    next = actions->steps & later;
    if (next == 0) {
        next = actions->steps;
        self->pauses_most = MIN(self->pauses_most * 2, PAUSES_MAX);
    }
    self->running = (unsigned)__builtin_ctzll(next);
    self->pauses = 0;
    self->steps_left = STEPS_MAX;
    return below(actions->steps, self->running);
}

/* Goes through the schedule until something can be done. */
static unsigned
choose_action(Player *self, const Actions *actions)
{
    const Turn *turn;

    for (;;) {
        unsigned index;

        if (self->settling) {
            index = find_arrival(actions, self->stores_held, self->ipis_held);
            if (index < actions->count)
                return index;
            self->settling = false;
        }
        turn = present(self);
        if (turn == NULL)
            return pick_calmly(self, actions);
        index = find_turn(self, turn, actions);
        if (index < actions->count) {
            self->begun = true;
            self->pauses = 0;
            self->pauses_most = 1;
            self->steps_left = STEPS_MAX;
            return index;
        }
        end_turn(self);
    }
}

static unsigned
pick(Strategy *strategy, const Actions *actions)
{
    Player *self = (Player *)strategy;

    self->picked = true;
    return choose_action(self, actions);
}

static uint64_t
steps(Strategy *strategy, unsigned cpu)
{
    Player *self = (Player *)strategy;
    const Turn *turn;

    if (!self->picked) { /* nothing else was possible */
        action_begin_list(&self->only, UINT64_C(1) << cpu, 0);
        choose_action(self, &self->only);
    }
    self->running = cpu;
    turn = present(self);
    if (turn == NULL || turn->kind != TURN_RUN || turn->cpu != cpu ||
        turn->until == TURN_UNTIL_IT_STOPS ||
        turn->until <= made(self, cpu))
        return MAX(self->steps_left, 1);
    return turn->until - made(self, cpu);
}

/* --- The rest ------------------------------------------------------------- */

/* Nobody was asked what to do, since there was one thing only: leave the turns
 * behind that are over. */
static void
pass_over(Player *self)
{
    const Turn *turn;

    while ((turn = present(self)) != NULL &&
           (turn->kind == TURN_RUN ? run_is_over(self, turn) : self->begun))
        end_turn(self);
}

/* The DRAIN that is being done, if the schedule has it. */
static const Turn *
present_drain(Player *self)
{
    const Turn *turn;

    if (self->picked && self->settling)
        return NULL;
    if (!self->picked)
        pass_over(self);
    turn = present(self);
    return turn != NULL && turn->kind == TURN_DRAIN ? turn : NULL;
}

static unsigned
store(Strategy *strategy, unsigned drainable)
{
    const Turn *turn = present_drain((Player *)strategy);

    return turn != NULL ? MIN(turn->number, drainable - 1) : 0;
}

static unsigned
drains(Strategy *strategy, unsigned buffered)
{
    const Turn *turn = present_drain((Player *)strategy);

    return turn != NULL ? MAX(turn->count, 1) : buffered;
}

static unsigned
late(Strategy *strategy, unsigned count)
{
    Player *self = (Player *)strategy;
    uint64_t now;

    if (self->schedule == NULL)
        return 0;
    now = made(self, self->running);
    for (guint i = 0; i < self->schedule->lates->len; i++) {
        const LateLoad *one =
            &g_array_index(self->schedule->lates, LateLoad, i);

        if (one->cpu == self->running && one->at == now)
            return MIN(one->back, count - 1);
    }
    return 0;
}

static uint64_t
value(Strategy *strategy, uint64_t bound)
{
    Player *self = (Player *)strategy;
    uint64_t chosen;

    if (self->schedule == NULL ||
        self->value_at >= self->schedule->values->len)
        return 0;
    chosen = g_array_index(self->schedule->values, uint64_t, self->value_at);
    self->value_at++;
    return MIN(chosen, bound - 1);
}

/* An action that nobody was asked about was the present turn's, if it looks
 * like it. */
static void
pass_forced(Player *self, const Action *action)
{
    static const TurnKind kinds[] = {
        [ACTION_STEP] = TURN_RUN,
        [ACTION_DRAIN] = TURN_DRAIN,
        [ACTION_DELIVER] = TURN_DELIVER,
        [ACTION_FIRE] = TURN_FIRE,
    };
    const Turn *turn;

    pass_over(self);
    turn = present(self);
    if (turn != NULL && turn->kind == kinds[action->kind] &&
        turn->cpu == action->cpu)
        self->begun = true;
}

static void
performed(Strategy *strategy, const StrategyDeed *deed)
{
    Player *self = (Player *)strategy;
    const Action *action = deed->action;

    if (action->kind != ACTION_STEP) {
        if (!self->picked)
            pass_forced(self, action);
        self->picked = false;
        return;
    }
    self->picked = false;
    self->running = action->cpu;
    self->steps_left -= MIN(self->steps_left, deed->steps);
    self->pauses += deed->paused;
    self->stopped = deed->paused || self->steps_left == 0;
}

static void
free_strategy(Strategy *strategy)
{
    g_free(strategy);
}

Strategy *
schedule_play_new(const Schedule *schedule, Machine *machine)
{
    Player *self = g_new0(Player, 1);

    INVARIANT(schedule == NULL || machine != NULL);
    self->schedule = schedule;
    self->machine = machine;
    self->strategy = (Strategy){
        .begin = begin,
        .pick = pick,
        .steps = steps,
        .store = store,
        .drains = drains,
        .late = late,
        .value = value,
        .performed = performed,
        .free = free_strategy,
    };
    return &self->strategy;
}

bool
schedule_play_is_over(const Strategy *strategy)
{
    const Player *self = (const Player *)strategy;

    return present(self) == NULL && !self->settling;
}

static Strategy *
make(const uint64_t *values)
{
    (void)values;
    return schedule_play_new(NULL, NULL);
}

const StrategyKind schedule_play_kind = {
    .name = "calm",
    .what = "a core goes on until it stops by itself; what can arrive arrives",
    .guarantee = "one schedule, whatever the seed: the one that `heddle "
                 "shrink` counts\nswitches against, and no search.",
    .make = make,
};
