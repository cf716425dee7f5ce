/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzing: the same seeds give the same runs, what it remembers can be saved,
 * loaded and joined, any tape at all can be played, and it finds DF-R1.
 */
#include "base/base.h"

#include <criterion/criterion.h>

#include "base/prng.h"
#include "check/check.h"
#include "choose/corpus.h"
#include "choose/mutate.h"

TestSuite(strategy_fuzz, .timeout = 120);

#define DEADLOCK HEDDLE_DATADIR "/scenarios/dragonfly/claimed_mask_deadlock.lua"

typedef struct Bench {
    Check *check;
    Trial trial;
} Bench;

/* Case 2: it never hangs, so runs have an end. */
static void
bench_init(Bench *bench)
{
    TrialOptions options = {.stage.engine = CPU_ENGINE_FIBER,
                            .strategy = "fuzz"};
    GError *error = NULL;

    bench->check = check_new(DEADLOCK, &options, &error);
    cr_assert_not_null(bench->check, "%s", error ? error->message : "");
    cr_assert(check_prepare(bench->check,
                            g_ptr_array_index(
                                check_scenario(bench->check)->cases, 1),
                            &bench->trial, &error),
              "%s", error ? error->message : "");
}

static void
bench_clear(Bench *bench)
{
    trial_clear(&bench->trial);
    check_free(bench->check);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static uint64_t
run(Bench *bench, uint64_t seed)
{
    GError *error = NULL;
    RunRecord record;

    cr_assert(trial_run(&bench->trial, seed, NULL, &record, &error), "%s",
              error ? error->message : "");
    return machine_digest(bench->trial.stage->machine);
}

Test(strategy_fuzz, the_same_seeds_are_the_same_runs)
{
    uint64_t digests[200], again = 0;

    for (unsigned round = 0; round < 2; round++) {
        g_auto(Bench) bench = {0};

        bench_init(&bench);
        for (unsigned i = 0; i < 200; i++) {
            uint64_t digest = run(&bench, i + 1);

            if (round == 0)
                digests[i] = digest;
            else
                again += digest == digests[i];
        }
    }
    cr_expect_eq(again, 200);
}

Test(strategy_fuzz, what_it_remembers_is_saved_and_goes_on_alike)
{
    g_auto(Bench) bench = {0}, other = {0};
    g_autoptr(GBytes) saved = NULL;
    const StrategyMemory *memory;

    bench_init(&bench);
    memory = bench.trial.strategy->memory;
    for (unsigned i = 0; i < 100; i++)
        run(&bench, i + 1);
    saved = memory->save(bench.trial.strategy);
    bench_init(&other);
    cr_assert(memory->load(other.trial.strategy, saved, NULL));
    cr_expect_eq(memory->reached(other.trial.strategy),
                 memory->reached(bench.trial.strategy));
    for (unsigned i = 100; i < 200; i++)
        cr_assert_eq(run(&bench, i + 1), run(&other, i + 1), "%u", i);
}

Test(strategy_fuzz, a_tape_that_is_played_is_not_learnt_from)
{
    g_auto(Bench) bench = {0};
    g_autoptr(GBytes) before = NULL;
    g_autoptr(GBytes) after = NULL;
    const StrategyMemory *memory;
    GError *error = NULL;
    RunRecord record;
    uint64_t digest;
    Tape tape = {0};

    bench_init(&bench);
    memory = bench.trial.strategy->memory;
    for (unsigned i = 0; i < 60; i++)
        digest = run(&bench, i + 1);
    tape_append(&tape, run_tape(bench.trial.run)->items,
                run_tape(bench.trial.run)->count);
    before = memory->save(bench.trial.strategy);
    cr_assert(trial_run(&bench.trial, 60, &tape, &record, &error), "%s",
              error ? error->message : "");
    cr_expect_eq(machine_digest(bench.trial.stage->machine), digest);
    after = memory->save(bench.trial.strategy);
    cr_expect(g_bytes_equal(before, after));
    tape_clear(&tape);
}

/* A corpus of one tape, which is noise. */
static GBytes *
make_noise(uint64_t seed)
{
    g_autoptr(Corpus) corpus = corpus_new();
    uint16_t points[] = {1, 2, 3};
    Tape tape = {0};
    Prng prng;

    prng_init(&prng, seed);
    for (unsigned i = 0; i < 500; i++)
        tape_push(&tape, (DecisionKind)prng_below(&prng, DECISION_KINDS),
                  prng_next(&prng) >> prng_below(&prng, 64));
    for (unsigned i = 0; i < 40; i++)
        corpus_note(corpus, &tape, points, G_N_ELEMENTS(points));
    tape_clear(&tape);
    return corpus_save(corpus);
}

Test(strategy_fuzz, any_tape_at_all_can_be_played)
{
    g_auto(Bench) bench = {0};

    bench_init(&bench);
    for (uint64_t i = 0; i < 40; i++) {
        g_autoptr(GBytes) noise = make_noise(i);

        cr_assert(bench.trial.strategy->memory->load(bench.trial.strategy,
                                                     noise, NULL));
        run(&bench, 2 * i);
        run(&bench, 2 * i + 1);
    }
}

Test(strategy_fuzz, any_tape_at_all_can_be_changed)
{
    Tape tape = {0}, other = {0};
    Prng prng;

    prng_init(&prng, 7);
    for (unsigned i = 0; i < 20000; i++) {
        if (i % 50 == 0) {
            tape_rewind(&tape);
            tape_rewind(&other);
            for (uint64_t k = prng_below(&prng, 40); k > 0; k--) {
                tape_push(&tape,
                          (DecisionKind)prng_below(&prng, DECISION_KINDS),
                          prng_next(&prng) >> prng_below(&prng, 64));
                tape_push(&other, DECISION_ACTION, prng_next(&prng));
            }
        }
        mutate_tape(&tape, i % 2 ? &other : NULL, 3, &prng);
        cr_assert_leq(tape.count, tape.capacity);
        for (size_t k = 0; k < tape.count; k++)
            cr_assert_lt(tape.items[k].kind, DECISION_KINDS);
    }
    tape_clear(&tape);
    tape_clear(&other);
}

Test(strategy_fuzz, a_damaged_corpus_is_refused_and_nothing_changes)
{
    g_autoptr(GBytes) whole = make_noise(3);
    gsize size;
    const guint8 *bytes = g_bytes_get_data(whole, &size);

    for (gsize i = 0; i < size; i++) {
        g_autoptr(GBytes) part = g_bytes_new(bytes, i);
        g_autoptr(GError) error = NULL;
        g_autoptr(Corpus) corpus = corpus_load(part, &error);

        cr_assert_null(corpus);
        cr_assert_not_null(error);
    }
    for (gsize i = 0; i < size; i++) { /* refused or not: nothing breaks */
        g_autofree guint8 *copy = g_memdup2(bytes, size);
        g_autoptr(GBytes) changed = NULL;
        g_autoptr(Corpus) corpus = NULL;
        Tape tape = {0};
        Prng prng;

        copy[i] ^= (guint8)(1u << i % 8);
        changed = g_bytes_new(copy, size);
        corpus = corpus_load(changed, NULL);
        prng_init(&prng, i);
        if (corpus != NULL && corpus_size(corpus) > 0)
            corpus_pick(corpus, &prng, true, &tape);
        tape_clear(&tape);
    }
}

Test(strategy_fuzz, joining_takes_over_what_is_new_and_only_once)
{
    g_autoptr(Corpus) one = corpus_new();
    g_autoptr(Corpus) other = corpus_new();
    g_autoptr(GBytes) joined = NULL;
    g_autoptr(GBytes) again = NULL;
    uint16_t mine[] = {1, 2}, theirs[] = {2, 3, 9}, same[] = {1};
    Tape tape = {0};

    tape_push(&tape, DECISION_ACTION, 0);
    cr_expect(corpus_note(one, &tape, mine, 2));
    cr_expect(corpus_note(other, &tape, theirs, 3));
    cr_expect(corpus_note(other, &tape, same, 1));
    cr_expect_not(corpus_note(other, &tape, same, 1));
    corpus_join(one, other);
    cr_expect_eq(corpus_size(one), 2);
    cr_expect_eq(corpus_points(one), 4);
    joined = corpus_save(one);
    corpus_join(one, other);
    again = corpus_save(one);
    cr_expect(g_bytes_equal(joined, again));
    tape_clear(&tape);
}

Test(strategy_fuzz, a_rare_tape_is_picked_more_often)
{
    g_autoptr(Corpus) corpus = corpus_new();
    uint16_t common[] = {8}, rare[] = {16};
    Tape tape = {0};
    unsigned rarely = 0;
    Prng prng;

    tape_push(&tape, DECISION_ACTION, 1);
    corpus_note(corpus, &tape, common, 1);
    tape.items[0].value = 2;
    corpus_note(corpus, &tape, rare, 1);
    for (unsigned i = 0; i < 1000; i++)
        corpus_note(corpus, &tape, common, 1);
    prng_init(&prng, 1);
    for (unsigned i = 0; i < 1000; i++) {
        corpus_pick(corpus, &prng, false, &tape);
        rarely += i >= 500 && tape.items[0].value == 2;
    }
    cr_expect_gt(rarely, 450);
    tape_clear(&tape);
}

Test(strategy_fuzz, it_finds_the_claimed_mask_and_tells_it_by_its_tape)
{
    TrialOptions options = {.stage.engine = CPU_ENGINE_FIBER,
                            .strategy = "fuzz", .first_seed = 1000};
    g_autoptr(GError) error = NULL;
    Check *check = check_new(DEADLOCK, &options, &error);
    const ScenarioCase *item =
        g_ptr_array_index(check_scenario(check)->cases, 0);
    CheckReplay replay = {.seed = 1000};
    CaseOutcome *outcome = check_case(check, item, &error);
    const Finding *finding;

    cr_assert_not_null(outcome, "%s", error ? error->message : "");
    cr_expect(outcome->holds);
    cr_assert_eq(outcome->findings->len, 1);
    finding = g_ptr_array_index(outcome->findings, 0);
    cr_expect_eq(finding->run.verdict.kind, VERDICT_LIVELOCK);
    cr_expect_null(check_replay(check, item, &replay, &error));
    cr_assert_not_null(error);
    cr_expect_not_null(strstr(error->message, "trace"), "%s", error->message);
    outcome_free(outcome);
    check_free(check);
}
