/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "search/shrink.h"

/* With more turns than this, two at a time are too many to try. */
#define PAIRS_TURNS_MAX 24u

/* So many of the steps at which a turn could end are tried one by one. */
#define FIRST_STEPS 64u

typedef struct Shrink {
    const ShrinkSetup *setup;
    Schedule *best;
    unsigned replays;
    bool over;     /* no more replays, or the player failed */
    GError *error;
} Shrink;

/* --- Candidates ----------------------------------------------------------- */

static Turn *
turn_at(const Schedule *schedule, guint index)
{
    return &g_array_index(schedule->turns, Turn, index);
}

static bool
plays(Shrink *shrink, const Schedule *candidate)
{
    bool same = false;

    if (shrink->over)
        return false;
    if (shrink->setup->replays_max != 0 &&
        shrink->replays >= shrink->setup->replays_max) {
        shrink->over = true;
        return false;
    }
    shrink->replays++;
    if (!shrink->setup->play(shrink->setup->user, candidate, &same,
                             &shrink->error)) {
        shrink->over = true;
        return false;
    }
    return same;
}

/* Takes the candidate, and makes it the best if it shows the finding. */
static bool
try(Shrink *shrink, Schedule *candidate)
{
    if (!plays(shrink, candidate)) {
        schedule_free(candidate);
        return false;
    }
    schedule_free(shrink->best);
    shrink->best = candidate;
    return true;
}

/* Is there time for what could make it shorter still? */
static bool
may_polish(const Shrink *shrink)
{
    return shrink->setup->polish_max == 0 ||
           shrink->replays < shrink->setup->polish_max;
}

/* --- All at once ---------------------------------------------------------- */

typedef struct Keep {
    bool stores, ipis, lates;
} Keep;

/* The turns with only some of what is not calm about them. */
static Schedule *
calmed(const Schedule *schedule, Keep keep)
{
    Schedule *copy = schedule_copy(schedule);

    g_array_set_size(copy->turns, 0);
    for (guint i = 0; i < schedule->turns->len; i++) {
        Turn turn = *turn_at(schedule, i);
        Turn *last = copy->turns->len > 0
                         ? turn_at(copy, copy->turns->len - 1)
                         : NULL;

        if ((turn.kind == TURN_DRAIN && !keep.stores) ||
            ((turn.kind == TURN_DELIVER || turn.kind == TURN_FIRE) &&
             !keep.ipis))
            continue;
        if (!keep.stores)
            turn.stores_held = 0;
        if (!keep.ipis)
            turn.ipis_held = 0;
        if (last != NULL && last->kind == TURN_RUN && turn.kind == TURN_RUN &&
            last->cpu == turn.cpu)
            *last = turn;
        else
            g_array_append_val(copy->turns, turn);
    }
    if (!keep.lates)
        g_array_set_size(copy->lates, 0);
    return copy;
}

static void
calm_down(Shrink *shrink)
{
    static const Keep keeps[] = {
        {false, false, false}, {true, false, false}, {true, false, true},
        {false, true, false},  {true, true, false},
    };
    Schedule *none = schedule_copy(shrink->best);

    g_array_set_size(none->turns, 0);
    g_array_set_size(none->lates, 0);
    if (try(shrink, none))
        return;
    for (unsigned i = 0; i < G_N_ELEMENTS(keeps); i++)
        if (try(shrink, calmed(shrink->best, keeps[i])))
            return;
}

/* The shortest beginning that is enough, if all longer ones are. */
static void
cut_end(Shrink *shrink)
{
    guint low = 0, high = shrink->best->turns->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;
        Schedule *candidate = schedule_copy(shrink->best);

        g_array_set_size(candidate->turns, middle);
        if (try(shrink, candidate))
            high = middle;
        else
            low = middle + 1;
    }
}

/* --- Turns ---------------------------------------------------------------- */

static bool
drop_turns(Shrink *shrink, guint chunk)
{
    guint end = shrink->best->turns->len;
    bool changed = false;

    while (end > 0) {
        guint size = MIN(chunk, end);
        Schedule *candidate = schedule_copy(shrink->best);

        g_array_remove_range(candidate->turns, end - size, size);
        changed |= try(shrink, candidate);
        end -= size;
    }
    return changed;
}

/* Without one turn, and the steps that it made not made up for: the later
 * turns of its core begin and end sooner. */
static bool
skip_turns(Shrink *shrink)
{
    bool changed = false;

    for (guint i = shrink->best->turns->len; i > 0; i--) {
        const Turn turn = *turn_at(shrink->best, i - 1);
        uint64_t begun = 0;
        Schedule *candidate;

        if (turn.kind != TURN_RUN || turn.until == TURN_UNTIL_IT_STOPS)
            continue;
        candidate = schedule_copy(shrink->best);
        for (guint k = 0; k < candidate->turns->len; k++) {
            Turn *other = turn_at(candidate, k);

            if (other->kind != TURN_RUN || other->cpu != turn.cpu ||
                other->until == TURN_UNTIL_IT_STOPS)
                continue;
            if (k < i - 1)
                begun = other->until;
            else if (turn.until > begun)
                other->until -= turn.until - begun;
        }
        g_array_remove_index(candidate->turns, i - 1);
        changed |= try(shrink, candidate);
    }
    return changed;
}

/* Without two turns, neither of which can be left out alone. */
static bool
drop_pairs(Shrink *shrink)
{
    if (shrink->best->turns->len > PAIRS_TURNS_MAX)
        return false;
    for (guint i = shrink->best->turns->len; i > 1; i--)
        for (guint k = i - 1; k > 0 && may_polish(shrink); k--) {
            Schedule *candidate = schedule_copy(shrink->best);

            g_array_remove_index(candidate->turns, i - 1);
            g_array_remove_index(candidate->turns, k - 1);
            if (try(shrink, candidate))
                return true;
        }
    return false;
}

static bool
drop_chunks(Shrink *shrink)
{
    guint chunk = shrink->best->turns->len / 2;
    bool changed = false;

    for (; chunk > 1; chunk = MIN(chunk / 2, shrink->best->turns->len))
        changed |= drop_turns(shrink, chunk);
    while (drop_turns(shrink, 1))
        changed = true;
    return changed;
}

/* A core's next turn right after the one before: what others did in between
 * comes later. */
static bool
join_turns(Shrink *shrink)
{
    bool changed = false;

    for (guint i = 0; i < shrink->best->turns->len; i++) {
        const Turn *turn = turn_at(shrink->best, i);
        Schedule *candidate;
        guint next = i + 1;

        if (turn->kind != TURN_RUN)
            continue;
        while (next < shrink->best->turns->len &&
               (turn_at(shrink->best, next)->kind != TURN_RUN ||
                turn_at(shrink->best, next)->cpu != turn->cpu))
            next++;
        if (next == shrink->best->turns->len)
            continue;
        candidate = schedule_copy(shrink->best);
        *turn_at(candidate, i) = *turn_at(candidate, next);
        g_array_remove_index(candidate->turns, next);
        changed |= try(shrink, candidate);
    }
    return changed;
}

static bool
let_stop(Shrink *shrink)
{
    bool changed = false;

    for (guint i = 0; i < shrink->best->turns->len; i++) {
        const Turn *turn = turn_at(shrink->best, i);
        Schedule *candidate;

        if (turn->kind != TURN_RUN || turn->until == TURN_UNTIL_IT_STOPS)
            continue;
        candidate = schedule_copy(shrink->best);
        turn_at(candidate, i)->until = TURN_UNTIL_IT_STOPS;
        changed |= try(shrink, candidate);
    }
    return changed;
}

/* The first step at which this turn can end: after the last one of its core
 * before it. */
static uint64_t
first_end(const Schedule *schedule, guint index)
{
    uint64_t low = 1;

    for (guint i = 0; i < index; i++) {
        const Turn *turn = turn_at(schedule, i);

        if (turn->kind == TURN_RUN &&
            turn->cpu == turn_at(schedule, index)->cpu &&
            turn->until != TURN_UNTIL_IT_STOPS)
            low = turn->until + 1;
    }
    return low;
}

static bool
try_end(Shrink *shrink, guint index, uint64_t until)
{
    Schedule *candidate = schedule_copy(shrink->best);

    turn_at(candidate, index)->until = until;
    return try(shrink, candidate);
}

/* Turns end sooner: at one of the first steps, each of which is tried, since
 * a window can be one step wide and come back later; or else at the first
 * after which all do, if they do. */
static bool
end_sooner(Shrink *shrink)
{
    bool changed = false;

    for (guint i = 0; i < shrink->best->turns->len; i++) {
        uint64_t low = first_end(shrink->best, i);
        uint64_t high = turn_at(shrink->best, i)->until, tried = 0;

        if (turn_at(shrink->best, i)->kind != TURN_RUN ||
            high == TURN_UNTIL_IT_STOPS || !may_polish(shrink))
            continue;
        for (; tried < FIRST_STEPS && low < high && !shrink->over;
             low++, tried++)
            if (try_end(shrink, i, low)) {
                high = low;
                changed = true;
            }
        while (low < high && !shrink->over) {
            uint64_t middle = low + (high - low) / 2;

            if (try_end(shrink, i, middle)) {
                high = middle;
                changed = true;
            } else
                low = middle + 1;
        }
    }
    return changed;
}

/* --- What is held --------------------------------------------------------- */

static uint64_t *
held_at(const Schedule *schedule, guint index, bool stores)
{
    Turn *turn = turn_at(schedule, index);

    return stores ? &turn->stores_held : &turn->ipis_held;
}

/* Lift what these cores hold after the turns of [from, to). */
static bool
lift(Shrink *shrink, uint64_t cores, guint from, guint to, bool stores)
{
    Schedule *candidate = schedule_copy(shrink->best);
    bool any = false;

    for (guint i = from; i < to; i++) {
        uint64_t *held = held_at(candidate, i, stores);

        any |= (*held & cores) != 0;
        *held &= ~cores;
    }
    if (any)
        return try(shrink, candidate);
    schedule_free(candidate);
    return false;
}

/* Each span of one core: as a whole, then its end, then its beginning. */
static bool
lift_spans(Shrink *shrink, unsigned cpu, bool stores)
{
    uint64_t core = UINT64_C(1) << cpu;
    guint count = shrink->best->turns->len;
    bool changed = false;

    for (guint from = 0; from < count; from++) {
        guint to = from;

        while (to < count && *held_at(shrink->best, to, stores) & core)
            to++;
        if (to == from)
            continue;
        if (lift(shrink, core, from, to, stores))
            changed = true;
        else {
            guint first = from, last = to;

            while (last - first > 1 &&
                   lift(shrink, core, last - 1, last, stores))
                last--, changed = true;
            while (last - first > 1 &&
                   lift(shrink, core, first, first + 1, stores))
                first++, changed = true;
        }
        from = to;
    }
    return changed;
}

static bool
lift_held(Shrink *shrink, bool stores)
{
    guint count = shrink->best->turns->len;
    uint64_t cores = 0;
    bool changed = false;

    for (guint i = 0; i < count; i++)
        cores |= *held_at(shrink->best, i, stores);
    if (cores == 0)
        return false;
    if (lift(shrink, UINT64_MAX, 0, count, stores))
        return true;
    for (; cores != 0; cores &= cores - 1) {
        unsigned cpu = (unsigned)__builtin_ctzll(cores);

        if (lift(shrink, UINT64_C(1) << cpu, 0, count, stores))
            changed = true;
        else
            changed |= lift_spans(shrink, cpu, stores);
    }
    return changed;
}

static bool
drop_lates(Shrink *shrink)
{
    guint chunk = shrink->best->lates->len;
    bool changed = false;

    while (chunk > 0) {
        guint end = shrink->best->lates->len;

        while (end > 0) {
            guint size = MIN(chunk, end);
            Schedule *candidate = schedule_copy(shrink->best);

            g_array_remove_range(candidate->lates, end - size, size);
            changed |= try(shrink, candidate);
            end -= size;
        }
        chunk /= 2;
    }
    return changed;
}

/* --- choose() ------------------------------------------------------------- */

static bool
try_value(Shrink *shrink, guint index, uint64_t value)
{
    Schedule *candidate = schedule_copy(shrink->best);

    g_array_index(candidate->values, uint64_t, index) = value;
    return try(shrink, candidate);
}

/* 1 where that is enough, else as little as is enough. */
static bool
lower_values(Shrink *shrink)
{
    Schedule *none = schedule_copy(shrink->best);
    bool changed = false;

    g_array_set_size(none->values, 0);
    if (shrink->best->values->len == 0) {
        schedule_free(none);
        return false;
    }
    if (try(shrink, none))
        return true;
    for (guint i = shrink->best->values->len; i > 0; i--) {
        uint64_t low = 1,
                 high = g_array_index(shrink->best->values, uint64_t, i - 1);

        if (high == 0)
            continue;
        if (try_value(shrink, i - 1, 0)) {
            changed = true;
            continue;
        }
        while (low < high && !shrink->over) {
            uint64_t middle = low + (high - low) / 2;

            if (try_value(shrink, i - 1, middle)) {
                high = middle;
                changed = true;
            } else
                low = middle + 1;
        }
    }
    return changed;
}

/* A choose() that is not said gives 1. */
static void
forget_last_ones(Schedule *schedule)
{
    GArray *values = schedule->values;

    while (values->len > 0 &&
           g_array_index(values, uint64_t, values->len - 1) == 0)
        g_array_set_size(values, values->len - 1);
}

/* --- Shrinking ------------------------------------------------------------ */

static void
shrink_all(Shrink *shrink)
{
    bool changed = true;

    calm_down(shrink);
    cut_end(shrink);
    while (changed && !shrink->over) {
        changed = drop_chunks(shrink);
        changed |= join_turns(shrink);
        changed |= skip_turns(shrink);
        changed |= let_stop(shrink);
        changed |= lift_held(shrink, true);
        changed |= drop_lates(shrink);
        changed |= lift_held(shrink, false);
        changed |= lower_values(shrink);
        forget_last_ones(shrink->best);
        if (!changed)
            changed = drop_pairs(shrink) || end_sooner(shrink);
    }
}

bool
shrink_schedule(Schedule *schedule, const ShrinkSetup *setup,
                ShrinkReport *report, GError **error)
{
    Shrink shrink = {.setup = setup, .best = schedule_copy(schedule)};
    Schedule swap = *schedule;

    *report = (ShrinkReport){.shows = plays(&shrink, shrink.best)};
    if (report->shows)
        shrink_all(&shrink);
    report->replays = shrink.replays;
    report->minimal = report->shows && !shrink.over;
    *schedule = *shrink.best;
    *shrink.best = swap;
    schedule_free(shrink.best);
    if (shrink.error == NULL)
        return true;
    g_propagate_error(error, shrink.error);
    return false;
}
