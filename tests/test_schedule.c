/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Schedules: a run written down as turns is the same run when it is played,
 * and turns keep their meaning when others are left out.
 */
#include "base/base.h"

#include "run_rig.h"

#include "choose/schedule.h"

TestSuite(schedule, .timeout = 60);

/* Execute under a strategy, which is freed, and write it down. */
static Schedule *
record(Bench *bench, Strategy *strategy, uint64_t seed)
{
    ScheduleRecorder recorder;
    RunObserver observer;
    RunResult result;

    machine_restore(bench->rig.machine);
    schedule_recorder_init(&recorder, bench->rig.machine);
    schedule_recorder_observer(&recorder, &observer);
    run_observe(bench->run, &observer);
    cr_assert(
        run_execute(bench->run, strategy, NULL, seed, &result, NULL));
    run_observe(bench->run, NULL);
    strategy_free(strategy);
    return schedule_recorder_finish(&recorder, run_tape(bench->run));
}

static void
set_memory(Bench *bench, const char *model)
{
    MemoryOptions memory;

    cr_assert(memmodel_parse(model, &memory, NULL));
    machine_restore(bench->rig.machine);
    machine_set_memory(bench->rig.machine, &memory);
}

Test(schedule, a_run_written_down_is_the_same_run_when_played)
{
    static const char *const models[] = {"sc", "tso", "pso", "weak"};
    g_auto(Bench) bench;

    bench_init(&bench, 3, CPU_ENGINE_FIBER);
    for (unsigned i = 0; i < 3; i++)
        bench.script.calls[i] = i == 1 ? run_rings : run_bumps;
    for (size_t model = 0; model < G_N_ELEMENTS(models); model++) {
        set_memory(&bench, models[model]);
        for (uint64_t seed = 0; seed < 50; seed++) {
            g_autoptr(Schedule) first =
                record(&bench, strategy_random_new(0), seed);
            uint64_t digest = machine_digest(bench.rig.machine);
            g_autoptr(Schedule) again = record(
                &bench, schedule_play_new(first, bench.rig.machine), 7);
            g_autofree char *one = schedule_print(first);
            g_autofree char *two = schedule_print(again);

            cr_expect_eq(machine_digest(bench.rig.machine), digest,
                         "%s, seed %" PRIu64, models[model], seed);
            cr_expect_str_eq(one, two);
        }
    }
}

Test(schedule, the_calm_way_is_one_run_whatever_the_seed)
{
    g_auto(Bench) bench;
    g_autoptr(Schedule) one = NULL, two = NULL;
    g_autofree char *text = NULL, *other = NULL;

    bench_init(&bench, 3, CPU_ENGINE_FIBER);
    for (unsigned i = 0; i < 3; i++)
        bench.script.calls[i] = run_bumps;
    one = record(&bench, schedule_play_new(NULL, NULL), 1);
    two = record(&bench, schedule_play_new(NULL, NULL), 2);
    text = schedule_print(one);
    other = schedule_print(two);
    cr_expect_str_eq(text, other);
    /* nobody comes in between: no increment is lost, and each core has one
     * turn */
    cr_expect_eq(rig_u64(&bench.rig, 0x620000), 12);
    cr_expect_leq(one->turns->len, 6);
}

/* The first three turns of the run that a schedule makes, the last of which
 * the calm way goes on with: "0:5 1:44 0:57". */
static char *
beginning(Bench *bench, const Turn *turns, guint count)
{
    g_autoptr(Schedule) schedule = schedule_new(), run = NULL;

    g_array_append_vals(schedule->turns, turns, count);
    run = record(bench, schedule_play_new(schedule, bench->rig.machine), 1);
    g_array_set_size(run->turns, MIN(3, run->turns->len));
    for (guint i = 0; i < run->turns->len; i++) {
        Turn *turn = &g_array_index(run->turns, Turn, i);

        turn->stores_held = turn->ipis_held = 0;
    }
    return schedule_print(run);
}

Test(schedule, a_turn_that_is_left_out_is_made_up_for)
{
    static const Turn turns[] = {
        {.kind = TURN_RUN, .cpu = 0, .until = 5},
        {.kind = TURN_RUN, .cpu = 1, .until = 7},
        {.kind = TURN_RUN, .cpu = 0, .until = 9},
        {.kind = TURN_RUN, .cpu = 1, .until = 12},
    };
    g_autofree char *all = NULL, *later = NULL, *sooner = NULL;
    g_auto(Bench) bench;

    bench_init(&bench, 2, CPU_ENGINE_FIBER);
    bench.script.calls[0] = bench.script.calls[1] = run_bumps;
    all = beginning(&bench, turns, 4);
    cr_expect_str_eq(all, "0:5 1:7 0:9");
    later = beginning(&bench, turns + 1, 3);
    cr_expect_str_eq(later, "1:7 0:9 1:57");
    sooner = beginning(&bench, (Turn[]){turns[0], turns[2], turns[3]}, 3);
    cr_expect_str_eq(sooner, "0:9 1:57 0:57");
}

Test(schedule, turns_that_cannot_be_are_passed_over)
{
    g_auto(Bench) bench;
    g_autoptr(Schedule) schedule = schedule_new(), run = NULL;
    Turn turns[] = {
        {.kind = TURN_DRAIN, .cpu = 1, .number = 3, .count = 2},
        {.kind = TURN_DELIVER, .cpu = 0, .number = 9},
        {.kind = TURN_FIRE, .cpu = 1},
        {.kind = TURN_RUN, .cpu = 1, .until = 1},
        {.kind = TURN_RUN, .cpu = 1, .until = 1},
        {.kind = TURN_RUN, .cpu = 0, .until = 1000000},
        {.kind = TURN_RUN, .cpu = 0, .until = TURN_UNTIL_IT_STOPS},
    };
    LateLoad late = {.cpu = 0, .at = 3, .back = 100};
    uint64_t value = 1000;

    bench_init(&bench, 2, CPU_ENGINE_FIBER);
    bench.script.calls[0] = bench.script.calls[1] = run_bumps;
    g_array_append_vals(schedule->turns, turns, G_N_ELEMENTS(turns));
    g_array_append_val(schedule->lates, late);
    g_array_append_val(schedule->values, value);
    run = record(&bench, schedule_play_new(schedule, bench.rig.machine), 1);
    cr_expect_eq(rig_u64(&bench.rig, 0x620000), 8);
}
