/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strategies on whole runs of a small guest: a run is its seed's, its tape is
 * the run without the strategy, nobody starves, and what must be found is.
 */
#include "base/base.h"

#include "run_rig.h"

#include "choose/censustaker.h"
#include "choose/entity.h"

TestSuite(strategy, .timeout = 120);

/* `race` is an unlocked increment; `flag` and `late` are a store and a load of
 * two words, for each other's; `await` spins until the word is set. */
static const char guest[] =
    "main: jmp start_all\n" RUN_RIG_BODY
    ".globl race, racex, flag, late, await, burn, raise, ring\n"
    "race: incl 0x620000; ret\n"
    "racex: mov 0x620000, %eax; inc %eax; mov %eax, 0x620000; ret\n"
    "flag: movl $1, 0x620100; mov 0x620200, %eax; mov %eax, 0x620300; ret\n"
    "late: movl $1, 0x620200; mov 0x620100, %eax; mov %eax, 0x620400; ret\n"
    "await: pause; cmpl $0, 0x620100; je await; ret\n"
    "burn: cmpl $0, 0x620100; je burn; ret\n"
    "raise: movl $1, 0x620100; ret\n"
    "ring: apic 0x300, 0xc0045\n incl 0x620000; ret\n";

/* `calls` of each of three cpus, under a memory model. */
static void
bench_three(Bench *bench, const char *const *const calls[3],
            const char *memory)
{
    MemoryOptions options;

    cr_assert(memmodel_parse(memory, &options, NULL));
    bench_begin(bench, rig_new(guest, 3, CPU_ENGINE_FIBER), &options);
    run_set_steps_max(bench->run, 20000);
    memcpy(bench->script.calls, calls, 3 * sizeof calls[0]);
    cr_assert(censustaker_take(bench->run, bench->rig.machine, &bench->census,
                               NULL));
    run_set_census(bench->run, &bench->census);
}

static uint32_t
word(Bench *bench, gva_t address)
{
    uint32_t value = 0;

    cr_assert(machine_read(bench->rig.machine, MACHINE_NOBODY, address, &value,
                           sizeof value));
    return value;
}

static const char *const races[] = {"race", "racex", "race", NULL};
static const char *const rings[] = {"ring", "race", "ring", NULL};
static const char *const flags[] = {"flag", NULL};
static const char *const lates[] = {"late", NULL};
static const char *const awaits[] = {"await", "race", NULL};
static const char *const burns[] = {"burn", NULL};
static const char *const burns_then_races[] = {"burn", "race", "race", NULL};
static const char *const raises[] = {"race", "race", "raise", NULL};

static const char *const models[] = {"sc", "tso", "pso", "weak"};

/* The strategies that anybody can ask for in a line. */
static const char *const searching[] = {
    "random", "pct", "pct,depth=1,more=0", "pos", "surw", "surw,lines=1",
    "urw"};

/* --- Texts ---------------------------------------------------------------- */

Test(strategy, a_text_says_a_strategy_and_its_parameters)
{
    static const struct {
        const char *text, *printed;
    } good[] = {
        {"pct", "pct"},
        {"pct,depth=3", "pct"},
        {"pct,depth=2", "pct,depth=2"},
        {"pct,more=0,depth=2", "pct,depth=2,more=0"},
        {"random,mean=16", "random,mean=16"},
        {"surw,lines=3", "surw"},
    };
    static const char *const bad[] = {"",           "pc",          "pct,",
                                      "pct,depth=0", "pct,depth=10", "pos,x=1",
                                      "pct,depth",   "pct,depth=3x", "PCT"};

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(Strategy) strategy = strategy_parse(good[i].text, NULL);

        cr_assert_not_null(strategy, "%s", good[i].text);
        cr_expect_str_eq(strategy->text, good[i].printed);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        cr_expect_null(strategy_parse(bad[i], &error), "%s", bad[i]);
        cr_expect_not_null(error);
    }
}

Test(strategy, every_strategy_says_what_it_promises)
{
    g_autofree char *text = strategy_describe();
    unsigned count;
    const StrategyKind *const *kinds = strategy_kinds(&count);

    for (unsigned i = 0; i < count; i++) {
        cr_expect_not_null(strstr(text, kinds[i]->name));
        cr_expect_not_null(kinds[i]->guarantee, "%s", kinds[i]->name);
    }
    cr_expect_not_null(strstr(text, "ASPLOS 2010"));
}

/* --- The census ----------------------------------------------------------- */

Test(strategy, a_census_sees_what_cores_share_and_nothing_else)
{
    g_auto(Bench) bench;
    uint64_t shared = 0x620000 >> LINE_BITS;
    bool found = false;

    bench_three(&bench, (const char *const *const[]){races, races, nothing},
                "sc");
    for (guint i = 0; i < bench.census.lines->len; i++) {
        uint64_t line = g_array_index(bench.census.lines, uint64_t, i);

        found |= line == shared;
        cr_expect(line < RIG_TSS >> LINE_BITS || line >= 0x600000 >> LINE_BITS,
                  "line %" PRIx64, line << LINE_BITS);
    }
    cr_expect(found);
    /* inc; mov, mov; inc; and after each call the story is asked */
    cr_expect_eq(bench.census.cores[0].events_mean, 4 + 3);
    cr_expect_eq(bench.census.cores[1].events_max, 4 + 3);
    cr_expect_geq(bench.census.entities, 2);
}

/* --- Runs ----------------------------------------------------------------- */

Test(strategy, a_seed_is_a_run_and_its_tape_needs_no_strategy)
{
    g_autoptr(Strategy) robin = strategy_round_robin_new();

    for (size_t m = 0; m < G_N_ELEMENTS(models); m++) {
        g_auto(Bench) bench;

        bench_three(&bench, (const char *const *const[]){flags, lates, rings},
                    models[m]);
        for (size_t s = 0; s < G_N_ELEMENTS(searching) * 40; s++) {
            const char *text = searching[s / 40];
            g_autoptr(Strategy) strategy = strategy_parse(text, NULL);
            uint64_t seed = s % 40, digest;
            RunResult result;
            Tape tape = {0};

            cr_assert(run_execute(bench.run, strategy, NULL, seed, &result,
                                  NULL));
            digest = machine_digest(bench.rig.machine);
            cr_expect_eq(result.verdict.kind, VERDICT_DONE, "%s", text);
            tape_init(&tape);
            for (size_t i = 0; i < run_tape(bench.run)->count; i++)
                tape_push(&tape, run_tape(bench.run)->items[i].kind,
                          run_tape(bench.run)->items[i].value);
            cr_assert(run_execute(bench.run, strategy, NULL, seed, &result,
                                  NULL));
            cr_expect_eq(machine_digest(bench.rig.machine), digest,
                         "%s %s seed %" PRIu64, text, models[m], seed);
            run_set_census(bench.run, NULL);
            cr_assert(run_execute(bench.run, robin, &tape, 0, &result, NULL));
            run_set_census(bench.run, &bench.census);
            cr_expect_not(result.diverged, "%s %s seed %" PRIu64, text,
                          models[m], seed);
            cr_expect_eq(machine_digest(bench.rig.machine), digest,
                         "tape of %s %s seed %" PRIu64, text, models[m], seed);
            tape_clear(&tape);
        }
    }
}

Test(strategy, a_core_that_spins_starves_nobody)
{
    const char *const *const spins[][3] = {{awaits, raises, awaits},
                                           {burns, raises, nothing},
                                           {burns_then_races, raises, burns}};

    for (size_t i = 0; i < G_N_ELEMENTS(spins); i++) {
        g_auto(Bench) bench;

        bench_three(&bench, spins[i], "sc");
        for (size_t s = 0; s < G_N_ELEMENTS(searching) * 30; s++) {
            g_autoptr(Strategy) strategy =
                strategy_parse(searching[s / 30], NULL);
            RunResult result;

            cr_assert(run_execute(bench.run, strategy, NULL, s % 30, &result,
                                  NULL));
            cr_expect_eq(result.verdict.kind, VERDICT_DONE, "%s seed %zu: %s",
                         searching[s / 30], s % 30,
                         verdict_name(result.verdict.kind));
        }
    }
}

Test(strategy, an_update_is_lost_by_all_but_pct_of_depth_one)
{
    g_auto(Bench) bench;

    bench_three(&bench, (const char *const *const[]){races, races, nothing},
                "sc");
    for (size_t i = 0; i < G_N_ELEMENTS(searching); i++) {
        g_autoptr(Strategy) strategy = strategy_parse(searching[i], NULL);
        unsigned lost = 0;
        RunResult result;

        for (uint64_t seed = 0; seed < 200; seed++) {
            cr_assert(run_execute(bench.run, strategy, NULL, seed, &result,
                                  NULL));
            machine_drain_all(bench.rig.machine);
            lost += word(&bench, 0x620000) != 6;
        }
        if (strstr(searching[i], "depth=1") != NULL)
            cr_expect_eq(lost, 0, "without a change nobody is interrupted");
        else
            cr_expect_gt(lost, 0, "%s", searching[i]);
    }
}

/* How many of 200 seeds lose an update of three cores. */
static unsigned
lost_by(Bench *bench, const char *text)
{
    g_autoptr(Strategy) strategy = strategy_parse(text, NULL);
    unsigned lost = 0;
    RunResult result;

    for (uint64_t seed = 0; seed < 200; seed++) {
        cr_assert(run_execute(bench->run, strategy, NULL, seed, &result,
                              NULL));
        lost += word(bench, 0x620000) != 3;
    }
    return lost;
}

Test(strategy, aimed_interrupts_its_instruction)
{
    static const char *const once[] = {"race", NULL};
    g_auto(Bench) bench;
    gva_t race;

    bench_three(&bench, (const char *const *const[]){once, once, once}, "sc");
    race = rig_symbol(&bench.rig, "race");
    run_set_aims(bench.run, &race, 1);
    cr_expect_gt(lost_by(&bench, "aimed"), 2 * lost_by(&bench, "random"));
}

Test(strategy, both_loads_of_dekker_are_old_under_tso_and_never_under_sc)
{
    for (size_t m = 0; m < 2; m++) {
        g_auto(Bench) bench;

        bench_three(&bench, (const char *const *const[]){flags, lates, nothing},
                    models[m]);
        for (size_t i = 0; i < G_N_ELEMENTS(searching); i++) {
            g_autoptr(Strategy) strategy = strategy_parse(searching[i], NULL);
            unsigned both = 0;
            RunResult result;

            for (uint64_t seed = 0; seed < 400; seed++) {
                cr_assert(run_execute(bench.run, strategy, NULL, seed, &result,
                                      NULL));
                machine_drain_all(bench.rig.machine);
                both += word(&bench, 0x620300) == 0 &&
                        word(&bench, 0x620400) == 0;
            }
            if (m == 0)
                cr_expect_eq(both, 0, "%s under sc", searching[i]);
            else
                cr_expect_gt(both, 0, "%s under tso", searching[i]);
        }
    }
}

/* --- pct ------------------------------------------------------------------ */

/* A list of the steps of `cpus` cores. */
static Actions *
cores(unsigned cpus)
{
    Actions *actions = g_new0(Actions, 1);

    action_begin_list(actions, (UINT64_C(1) << cpus) - 1, 0);
    return actions;
}

/* How often the core that is to go on changes in `events` events. */
static unsigned
changes(Strategy *strategy, uint64_t seed, unsigned events)
{
    Census census = {.cpus = 3, .events_max = events, .entities = 3};
    StrategyScope scope = {.cpus = 3, .census = &census};
    g_autofree Actions *actions = cores(3);
    unsigned now, before, count = 0;

    strategy->begin(strategy, seed, &scope);
    before = strategy->pick(strategy, actions);
    for (unsigned i = 0; i < events; i++) {
        CensusEvent event = {.cpu = before, .reads = true};

        if (!strategy->attentive || !strategy->before(strategy, &event))
            continue;
        now = strategy->pick(strategy, actions);
        count += now != before;
        before = now;
    }
    return count;
}

Test(strategy, pct_changes_whoever_goes_on_at_most_depth_less_one_times)
{
    for (unsigned depth = 1; depth <= 4; depth++) {
        g_autofree char *text = g_strdup_printf("pct,depth=%u,more=0", depth);
        g_autoptr(Strategy) strategy = strategy_parse(text, NULL);
        unsigned most = 0;

        for (uint64_t seed = 0; seed < 300; seed++)
            most = MAX(most, changes(strategy, seed, 100));
        cr_expect_eq(most, depth - 1, "%s", text);
    }
}

Test(strategy, pct_changes_at_every_event_in_some_run)
{
    g_autoptr(Strategy) strategy = strategy_parse("pct,depth=2,more=0", NULL);
    g_autofree Actions *actions = cores(2);
    Census census = {.cpus = 2, .events_max = 10, .entities = 2};
    StrategyScope scope = {.cpus = 2, .census = &census};
    unsigned seen[10] = {0};

    for (uint64_t seed = 0; seed < 1000; seed++) {
        strategy->begin(strategy, seed, &scope);
        for (unsigned i = 0; i < 10; i++) {
            CensusEvent event = {.cpu = strategy->pick(strategy, actions),
                                 .reads = true};

            seen[i] += strategy->before(strategy, &event);
        }
    }
    for (unsigned i = 0; i < 10; i++)
        cr_expect(seen[i] > 50 && seen[i] < 150, "event %u: %u", i, seen[i]);
}

Test(strategy, pct_puts_a_core_that_pauses_below_all_others)
{
    g_autoptr(Strategy) strategy = strategy_parse("pct,depth=1", NULL);
    g_autofree Actions *actions = cores(3);
    StrategyScope scope = {.cpus = 3};
    unsigned order[4];

    strategy->begin(strategy, 1, &scope);
    for (unsigned i = 0; i < 4; i++) {
        Action action;
        StrategyDeed deed = {.action = &action, .steps = 1, .paused = true};

        order[i] = strategy->pick(strategy, actions);
        action = action_at(actions, order[i]);
        strategy->performed(strategy, &deed);
    }
    cr_expect(order[0] != order[1] && order[1] != order[2] &&
              order[0] != order[2]);
    cr_expect_eq(order[3], order[0], "spinners take turns");
}

Test(strategy, pct_says_its_bound_for_the_case)
{
    Census census = {.cpus = 2, .events_max = 100, .entities = 5};
    StrategyScope scope = {.cpus = 2, .census = &census};
    g_autoptr(Strategy) pure = strategy_parse("pct,more=0", NULL);
    g_autoptr(Strategy) mixed = strategy_parse("pct,depth=2", NULL);
    g_autofree char *one = pure->promise(pure, &scope);
    g_autofree char *other = mixed->promise(mixed, &scope);

    cr_expect_not_null(strstr(one, "1 - 1/50000 "), "%s", one);
    cr_expect_not_null(strstr(other, "1 - 1/1000 "), "%s", other);
}
