/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shrinking, of schedules whose finding is a rule that the test knows: the
 * result shows it, is 1-minimal, and is the one that is known.
 */
#include "base/base.h"

#include <criterion/criterion.h>

#include "base/prng.h"
#include "search/shrink.h"

TestSuite(shrink, .timeout = 60);

typedef bool Oracle(const Schedule *schedule);

typedef struct Game {
    Oracle *shows;
    unsigned plays;
    unsigned fails_at; /* the player fails then; 0: never */
} Game;

static bool
play(void *user, const Schedule *candidate, bool *same, GError **error)
{
    Game *game = user;

    game->plays++;
    if (game->plays == game->fails_at) {
        g_set_error(error, TAPE_ERROR, TAPE_ERROR_SYNTAX, "no more tape");
        return false;
    }
    *same = game->shows(candidate);
    return true;
}

static const Turn *
turn_at(const Schedule *schedule, guint index)
{
    return &g_array_index(schedule->turns, Turn, index);
}

/* Core 1 comes to rest between its steps 100 and 200; after that core 0 runs,
 * and then core 1 again.  A turn that is left out is made up for, so this is
 * what a race looks like. */
static bool
race(const Schedule *schedule)
{
    unsigned stage = 0;

    for (guint i = 0; i < schedule->turns->len; i++) {
        const Turn *turn = turn_at(schedule, i);

        if (turn->kind != TURN_RUN)
            continue;
        if (stage == 0 && turn->cpu == 1 && turn->until >= 100 &&
            turn->until <= 200)
            stage = 1;
        else if (stage == 1 && turn->cpu == 1)
            stage = turn->until > 200 ? 0 : 1;
        else if (stage == 1 && turn->cpu == 0 && turn->until >= 120)
            stage = 2;
    }
    return stage == 2;
}

/* The race, while the stores of core 1 are held over two turns at least. */
static bool
race_with_held_stores(const Schedule *schedule)
{
    uint64_t held = 0;

    for (guint i = 0; i < schedule->turns->len; i++)
        held += turn_at(schedule, i)->stores_held >> 1 & 1;
    return race(schedule) && held >= 2;
}

static bool
late_load_of_a_storm(const Schedule *schedule)
{
    bool late = false, storm = false;

    for (guint i = 0; i < schedule->lates->len; i++)
        late |= g_array_index(schedule->lates, LateLoad, i).at == 77;
    if (schedule->values->len > 2)
        storm = g_array_index(schedule->values, uint64_t, 2) >= 5;
    return late && storm;
}

static bool
always(const Schedule *schedule)
{
    (void)schedule;
    return true;
}

static bool
never(const Schedule *schedule)
{
    (void)schedule;
    return false;
}

/* A run of three cores, in which much is held. */
static Schedule *
make_run(uint64_t seed, guint turns)
{
    Schedule *schedule = schedule_new();
    uint64_t made[3] = {0};
    Prng prng;

    prng_init(&prng, seed);
    for (guint i = 0; i < turns; i++) {
        Turn turn = {.kind = prng_below(&prng, 4) == 0 ? TURN_DELIVER
                                                       : TURN_RUN,
                     .cpu = (unsigned)prng_below(&prng, 3),
                     .stores_held = prng_below(&prng, 8),
                     .ipis_held = prng_below(&prng, 8)};

        made[turn.cpu] += 1 + prng_below(&prng, 20);
        turn.until = made[turn.cpu];
        g_array_append_val(schedule->turns, turn);
    }
    for (unsigned i = 0; i < 100; i++) {
        LateLoad late = {.cpu = 0, .at = i, .back = 1};
        uint64_t value = prng_below(&prng, 10);

        g_array_append_val(schedule->lates, late);
        g_array_append_val(schedule->values, value);
    }
    return schedule;
}

/* The first of these runs that shows it. */
static Schedule *
find_run(Oracle *shows, guint turns)
{
    for (uint64_t seed = 0; seed < 1000; seed++) {
        Schedule *schedule = make_run(seed, turns);

        if (shows(schedule))
            return schedule;
        schedule_free(schedule);
    }
    cr_assert(false, "none of the runs shows it");
    return NULL;
}

static ShrinkReport
shrink(Schedule *schedule, Oracle *oracle)
{
    Game game = {.shows = oracle};
    ShrinkSetup setup = {.play = play, .user = &game};
    ShrinkReport report;

    cr_assert(shrink_schedule(schedule, &setup, &report, NULL));
    cr_expect_eq(report.replays, game.plays);
    return report;
}

static void
expect_gone(Schedule *without, Oracle *oracle)
{
    g_autofree char *text = schedule_print(without);

    cr_expect_not(oracle(without), "still shown by: %s", text);
    schedule_free(without);
}

/* The spans of one core, each lifted alone, are not needed. */
static void
expect_spans_needed(const Schedule *schedule, Oracle *oracle, bool stores)
{
    for (unsigned cpu = 0; cpu < 3; cpu++)
        for (guint from = 0; from < schedule->turns->len; from++) {
            Schedule *without = schedule_copy(schedule);
            guint to = from;
            bool inside = true;

            for (; inside && to < schedule->turns->len; to++) {
                Turn *turn = &g_array_index(without->turns, Turn, to);
                uint64_t *held =
                    stores ? &turn->stores_held : &turn->ipis_held;

                inside = *held >> cpu & 1;
                *held &= ~(UINT64_C(1) << cpu);
            }
            if (to - from > 1 || (to > from && inside))
                expect_gone(without, oracle);
            else
                schedule_free(without);
            from = to > from ? to - 1 : from;
        }
}

/* Try by force that nothing can be left out. */
static void
expect_minimal(const Schedule *schedule, Oracle *oracle)
{
    for (guint i = 0; i < schedule->turns->len; i++) {
        Schedule *without = schedule_copy(schedule);

        g_array_remove_index(without->turns, i);
        expect_gone(without, oracle);
    }
    for (guint i = 0; i < schedule->lates->len; i++) {
        Schedule *without = schedule_copy(schedule);

        g_array_remove_index(without->lates, i);
        expect_gone(without, oracle);
    }
    for (guint i = 0; i < schedule->values->len; i++) {
        Schedule *without = schedule_copy(schedule);

        if (g_array_index(without->values, uint64_t, i) == 0) {
            schedule_free(without);
            continue;
        }
        g_array_index(without->values, uint64_t, i) = 0;
        expect_gone(without, oracle);
    }
    expect_spans_needed(schedule, oracle, true);
    expect_spans_needed(schedule, oracle, false);
}

Test(shrink, a_race_of_two_turns_is_found_in_two_thousand)
{
    g_autoptr(Schedule) schedule = find_run(race, 2000);
    ShrinkReport report;
    g_autofree char *text = NULL;

    report = shrink(schedule, race);
    text = schedule_print(schedule);
    cr_expect(report.shows && report.minimal);
    cr_expect_str_eq(text, "1:100 0:stop");
    cr_expect_lt(report.replays, 1000);
}

Test(shrink, nothing_can_be_left_out_of_the_result)
{
    static Oracle *const rules[] = {race, race_with_held_stores,
                                  late_load_of_a_storm};

    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
        for (uint64_t seed = 0; seed < 30; seed++) {
            g_autoptr(Schedule) schedule = make_run(seed, 400);
            ShrinkReport report;

            if (!rules[i](schedule))
                continue;
            report = shrink(schedule, rules[i]);
            cr_expect(report.minimal);
            cr_expect(rules[i](schedule));
            expect_minimal(schedule, rules[i]);
        }
}

Test(shrink, held_stores_stay_where_they_are_needed)
{
    g_autoptr(Schedule) schedule = find_run(race_with_held_stores, 400);
    unsigned held = 0;

    shrink(schedule, race_with_held_stores);
    for (guint i = 0; i < schedule->turns->len; i++) {
        held += turn_at(schedule, i)->stores_held == 2;
        cr_expect_eq(turn_at(schedule, i)->stores_held & ~UINT64_C(2), 0);
        cr_expect_eq(turn_at(schedule, i)->ipis_held, 0);
    }
    cr_expect_eq(held, 2);
    cr_expect_leq(schedule_decisions(schedule), 5);
}

Test(shrink, choices_become_small_and_one_late_load_is_left)
{
    g_autoptr(Schedule) schedule = find_run(late_load_of_a_storm, 50);

    shrink(schedule, late_load_of_a_storm);
    cr_expect_eq(schedule->turns->len, 0);
    cr_expect_eq(schedule->lates->len, 1);
    cr_expect_eq(schedule->values->len, 3);
    cr_expect_eq(g_array_index(schedule->values, uint64_t, 0), 0);
    cr_expect_eq(g_array_index(schedule->values, uint64_t, 1), 0);
    cr_expect_eq(g_array_index(schedule->values, uint64_t, 2), 5);
}

Test(shrink, what_shows_itself_without_a_schedule_needs_two_replays)
{
    g_autoptr(Schedule) schedule = make_run(1, 500);
    ShrinkReport report;

    g_array_set_size(schedule->values, 0);
    report = shrink(schedule, always);
    cr_expect_eq(report.replays, 2);
    cr_expect_eq(schedule_decisions(schedule), 0);
}

Test(shrink, a_schedule_that_shows_nothing_is_left_alone)
{
    g_autoptr(Schedule) schedule = make_run(1, 50);
    g_autofree char *before = schedule_print(schedule), *after = NULL;
    ShrinkReport report = shrink(schedule, never);

    after = schedule_print(schedule);
    cr_expect_not(report.shows);
    cr_expect_not(report.minimal);
    cr_expect_eq(report.replays, 1);
    cr_expect_str_eq(before, after);
}

Test(shrink, it_stops_when_it_is_told_to_and_keeps_what_it_has)
{
    g_autoptr(Schedule) schedule = find_run(race, 2000);
    Game game = {.shows = race};
    ShrinkSetup setup = {.play = play, .user = &game, .replays_max = 12};
    ShrinkReport report;

    cr_assert(shrink_schedule(schedule, &setup, &report, NULL));
    cr_expect_eq(report.replays, 12);
    cr_expect_not(report.minimal);
    cr_expect(race(schedule));
    cr_expect_lt(schedule->turns->len, 2000);
}

Test(shrink, a_player_that_fails_ends_it_with_its_error)
{
    g_autoptr(Schedule) schedule = find_run(race, 200);
    g_autoptr(GError) error = NULL;
    Game game = {.shows = race, .fails_at = 5};
    ShrinkSetup setup = {.play = play, .user = &game};
    ShrinkReport report;

    cr_expect_not(shrink_schedule(schedule, &setup, &report, &error));
    cr_expect_str_eq(error->message, "no more tape");
    cr_expect_eq(game.plays, 5);
}
