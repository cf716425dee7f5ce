/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <criterion/criterion.h>

#include "choose/choice.h"

/* A list of `steps` cores and `rest` messages. */
static Actions *
list(unsigned steps, unsigned rest)
{
    Actions *actions = g_new0(Actions, 1);

    actions->steps = (UINT64_C(1) << steps) - 1;
    actions->step_count = steps;
    actions->count = steps + rest;
    for (unsigned i = 0; i < rest; i++)
        actions->rest[i] = (Action){.kind = ACTION_DELIVER, .number = i};
    return actions;
}

/* A hundred rounds of questions; answers into `out`. */
static void
ask(Choice *choice, uint64_t out[300])
{
    for (unsigned i = 0; i < 100; i++) {
        g_autofree Actions *actions = list(1 + i % 4, i % 3);
        bool whole;

        out[3 * i] = choice_action(choice, actions);
        out[3 * i + 1] = choice_steps(choice, i % 4, &whole);
        out[3 * i + 2] = choice_value(choice, 1 + i % 5);
        cr_assert_lt(out[3 * i], actions->count);
        cr_assert_geq(out[3 * i + 1], 1);
        cr_assert_lt(out[3 * i + 2], 1 + i % 5);
    }
}

Test(choice, what_was_recorded_is_played_by_any_strategy)
{
    Strategy *random = strategy_random_new(0);
    Strategy *robin = strategy_round_robin_new();
    uint64_t first[300], again[300];
    Choice recorder, player;

    choice_init(&recorder);
    choice_init(&player);
    choice_begin(&recorder, random, NULL, 7, &(StrategyScope){.cpus = 4});
    ask(&recorder, first);
    choice_begin(&player, robin, &recorder.tape, 99,
                 &(StrategyScope){.cpus = 4});
    ask(&player, again);
    cr_expect_not(player.diverged);
    cr_expect_eq(player.at, recorder.tape.count);
    cr_expect_arr_eq(first, again, sizeof first);
    cr_expect_eq(player.tape.count, recorder.tape.count);
    choice_clear(&recorder);
    choice_clear(&player);
    strategy_free(random);
    strategy_free(robin);
}

Test(choice, a_question_with_one_answer_is_not_asked_nor_written)
{
    Strategy *random = strategy_random_new(0);
    g_autofree Actions *one = list(1, 0);
    Choice choice;

    choice_init(&choice);
    choice_begin(&choice, random, NULL, 1, &(StrategyScope){.cpus = 1});
    cr_expect_eq(choice_action(&choice, one), 0);
    cr_expect_eq(choice_value(&choice, 1), 0);
    cr_expect_eq(choice.tape.count, 0);
    choice_clear(&choice);
    strategy_free(random);
}

Test(choice, only_a_slice_that_a_point_cut_short_ends_whole)
{
    Choice choice;

    choice_init(&choice);
    tape_push(&choice.tape, DECISION_STEPS, 7);
    choice_correct_steps(&choice, 0, 0, 8);
    cr_expect_eq(choice.tape.items[0].kind, DECISION_STEPS);
    cr_expect_eq(choice.tape.items[0].value, 7);
    choice_correct_steps(&choice, 0, 0, 3);
    cr_expect_eq(choice.tape.items[0].kind, DECISION_WHOLE_STEPS);
    cr_expect_eq(choice.tape.items[0].value, 2);
    choice_correct_steps(&choice, 0, 0, 0);
    cr_expect_eq(choice.tape.count, 0);
    choice_clear(&choice);
}

Test(choice, a_tape_of_another_machine_is_noticed_and_the_run_goes_on)
{
    Strategy *random = strategy_random_new(0);
    g_autofree Actions *two = list(2, 0);
    Choice choice;
    Tape tape;
    bool whole;

    tape_init(&tape);
    tape_push(&tape, DECISION_ACTION, 2); /* of two */
    choice_init(&choice);
    choice_begin(&choice, random, &tape, 1, &(StrategyScope){.cpus = 2});
    cr_expect_lt(choice_action(&choice, two), 2);
    cr_expect(choice.diverged);
    cr_expect_geq(choice_steps(&choice, 0, &whole), 1);

    tape_rewind(&tape);
    tape_push(&tape, DECISION_STEPS, 3); /* of the wrong kind */
    choice_begin(&choice, random, &tape, 1, &(StrategyScope){.cpus = 2});
    cr_expect_lt(choice_action(&choice, two), 2);
    cr_expect(choice.diverged);

    tape_rewind(&tape);
    tape_push(&tape, DECISION_STEPS, UINT64_MAX);
    choice_begin(&choice, random, &tape, 1, &(StrategyScope){.cpus = 2});
    cr_expect_geq(choice_steps(&choice, 0, &whole), 1);
    cr_expect(choice.diverged);
    choice_clear(&choice);
    tape_clear(&tape);
    strategy_free(random);
}

Test(choice, every_strategy_depends_on_the_seed_alone)
{
    unsigned count;
    const StrategyKind *const *kinds = strategy_kinds(&count);

    for (unsigned i = 0; i < count; i++) {
        const char *name = kinds[i]->name;
        Strategy *a = strategy_parse(name, NULL);
        Strategy *b = strategy_parse(name, NULL);
        StrategyScope scope = {.cpus = 4};
        uint64_t first[300], again[300];
        Choice choice;

        cr_assert_not_null(a, "%s", name);
        cr_expect_str_eq(a->text, name);
        choice_init(&choice);
        for (uint64_t seed = 0; seed < 20; seed++) {
            choice_begin(&choice, a, NULL, seed, &scope);
            ask(&choice, first);
            choice_begin(&choice, b, NULL, seed, &scope);
            ask(&choice, again);
            cr_expect_arr_eq(first, again, sizeof first, "%s", name);
        }
        choice_clear(&choice);
        strategy_free(a);
        strategy_free(b);
    }
}

Test(choice, random_reaches_every_action)
{
    Strategy *random = strategy_random_new(0);
    g_autofree Actions *actions = list(3, 4);
    unsigned seen = 0;

    for (uint64_t seed = 0; seed < 200; seed++) {
        random->begin(random, seed, &(StrategyScope){.cpus = 3});
        seen |= 1u << random->pick(random, actions);
    }
    cr_expect_eq(seen, 0x7f);
    strategy_free(random);
}

Test(choice, round_robin_gives_every_core_its_turn_and_arrivals_theirs)
{
    Strategy *robin = strategy_round_robin_new();
    g_autofree Actions *three = list(3, 0), *arrival = list(3, 1);

    robin->begin(robin, 1, &(StrategyScope){.cpus = 3});
    for (unsigned i = 0; i < 9; i++)
        cr_expect_eq(robin->pick(robin, three), i % 3);
    cr_expect_eq(robin->pick(robin, arrival), 3);
    cr_expect_eq(robin->pick(robin, three), 0);
    three->steps = UINT64_C(1) << 63 | 1; /* cores 0 and 63 */
    three->step_count = three->count = 2;
    cr_expect_eq(robin->pick(robin, three), 1);
    cr_expect_eq(robin->pick(robin, three), 0);
    strategy_free(robin);
}
