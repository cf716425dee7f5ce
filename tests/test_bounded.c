/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The search makes all runs within its bounds, counted by hand, and no
 * shortcut of it loses an outcome.
 */
#include "base/base.h"

#include "run_rig.h"

TestSuite(bounded, .timeout = 120);

/* Words that cores share lie a line apart. */
static const char guest[] =
    ".set X, 0x620000\n .set Y, 0x620040\n"
    "main: movq $note, hooks+8*0x45; jmp start_all\n"
    RUN_RIG_BODY
    ".globl bump, store_x, store_y, ring, twice, wait_x, lock_x\n"
    "bump: mov X, %rax; inc %rax; mov %rax, X; ret\n"
    "store_x: movq $1, X; mov Y, %rax; ret\n"
    "store_y: movq $1, Y; mov X, %rax; ret\n"
    "ring: apic 0x300, 0xc0045\n xor %eax, %eax; ret\n"
    "note: movq $1, X; ret\n"
    "twice: mov X, %rax; mov X, %rcx; shl $1, %rax; or %rcx, %rax; ret\n"
    "wait_x: pause; cmpq $0, X; je wait_x; ret\n"
    "lock_x: mov $1, %eax; xchg %rax, X; test %rax, %rax; jz 1f; pause\n"
    " jmp lock_x\n"
    "1: movq $0, X; ret\n";

static void
search_init(Bench *bench, unsigned cpus, MemoryModel model)
{
    bench_begin(bench, rig_new(guest, cpus, CPU_ENGINE_FIBER),
                &(MemoryOptions){.model = model, .depth = 8});
    run_set_steps_max(bench->run, 20000);
    bench_watch(bench);
}

/* What a search has seen. */
typedef struct Seen {
    GHashTable *outcomes; /* text -> itself */
    GPtrArray *tapes;     /* text, of the runs since the last restart */
    StrategyProgress progress;
} Seen;

static void
seen_clear(Seen *seen)
{
    g_clear_pointer(&seen->outcomes, g_hash_table_unref);
    g_clear_pointer(&seen->tapes, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Seen, seen_clear)

static void
note_outcome(Bench *bench, const RunResult *result, Seen *seen)
{
    const uint64_t *results = bench->script.results;

    g_hash_table_add(
        seen->outcomes,
        g_strdup_printf("%s x=%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
                        verdict_name(result->verdict.kind),
                        rig_u64(&bench->rig, 0x620000), results[0], results[1],
                        results[2]));
    g_ptr_array_add(seen->tapes, tape_print(run_tape(bench->run)));
}

/* Make runs until the search is over, or `most` were made. */
static void
go_on(Bench *bench, Strategy *strategy, uint64_t most, Seen *seen)
{
    if (seen->outcomes == NULL) {
        seen->outcomes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                               NULL);
        seen->tapes = g_ptr_array_new_with_free_func(g_free);
    }
    for (uint64_t i = 0; i < most && !strategy->search->is_over(strategy);
         i++) {
        uint64_t restarts = seen->progress.restarts;
        RunResult result;

        cr_assert(run_execute(bench->run, strategy, NULL, i, &result, NULL));
        if (!result.cut)
            note_outcome(bench, &result, seen);
        strategy->search->progress(strategy, &seen->progress);
        if (seen->progress.restarts != restarts)
            g_ptr_array_set_size(seen->tapes, 0);
    }
}

static void
search(Bench *bench, const char *text, Seen *seen)
{
    g_autoptr(Strategy) strategy = strategy_parse(text, NULL);

    cr_assert_not_null(strategy, "%s", text);
    go_on(bench, strategy, 1000000, seen);
    seen->progress.bounds = NULL;
}

static bool
has(const Seen *seen, const char *outcome)
{
    return g_hash_table_contains(seen->outcomes, outcome);
}

static const char *const bump[] = {"bump", NULL};
static const char *const bumps[] = {"bump", "bump", NULL};
static const char *const store_x[] = {"store_x", NULL};
static const char *const store_y[] = {"store_y", NULL};
static const char *const ring[] = {"ring", NULL};
static const char *const twice[] = {"twice", NULL};
static const char *const wait_x[] = {"wait_x", NULL};
static const char *const lock_x[] = {"lock_x", "lock_x", NULL};
static const char *const chosen[] = {"choose", "bump", "choose", NULL};

Test(bounded, without_a_preemption_each_core_can_be_the_first)
{
    g_auto(Bench) bench;
    g_auto(Seen) seen = {0};

    search_init(&bench, 2, MEMORY_SC);
    bench.script.calls[0] = bench.script.calls[1] = bump;
    search(&bench, "bounded,preemptions=0,stores=0,interrupts=0", &seen);
    cr_expect_eq(seen.progress.runs, 2);
    cr_expect(seen.progress.complete);
    cr_expect_eq(g_hash_table_size(seen.outcomes), 2);
    cr_expect(has(&seen, "done x=2 1 2 0"));
    cr_expect(has(&seen, "done x=2 2 1 0"));
}

Test(bounded, one_preemption_has_three_places_for_each_core_that_is_first)
{
    g_auto(Bench) bench;
    g_auto(Seen) seen = {0};

    /* Behind its load, behind its store, behind the end of its story; and two
     * without, in both passes. */
    search_init(&bench, 2, MEMORY_SC);
    bench.script.calls[0] = bench.script.calls[1] = bump;
    search(&bench, "bounded,preemptions=1,stores=0,interrupts=0,states=0",
           &seen);
    cr_expect_eq(seen.progress.runs, 2 + 2 * (1 + 3));
    cr_expect_eq(seen.progress.cuts, 0);
    cr_expect(seen.progress.complete);
}

Test(bounded, a_lost_update_needs_a_preemption)
{
    static const struct {
        const char *text;
        bool finds;
    } rows[] = {{"bounded,preemptions=0", false},
                {"bounded,preemptions=1,stores=0,interrupts=0", true}};
    g_auto(Bench) bench;

    search_init(&bench, 2, MEMORY_SC);
    bench.script.calls[0] = bench.script.calls[1] = bump;
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Seen) seen = {0};

        search(&bench, rows[i].text, &seen);
        cr_expect(seen.progress.complete);
        cr_expect_eq(has(&seen, "done x=1 1 1 0"), rows[i].finds, "%s",
                     rows[i].text);
    }
}

Test(bounded, store_buffering_needs_a_delayed_store_and_no_preemption)
{
    static const struct {
        MemoryModel model;
        const char *text;
        bool finds;
    } rows[] = {{MEMORY_TSO, "bounded,preemptions=2,stores=0", false},
                {MEMORY_TSO, "bounded,preemptions=0,stores=1", true},
                {MEMORY_PSO, "bounded,preemptions=0,stores=1", true},
                {MEMORY_WEAK, "bounded,preemptions=0,stores=1", true},
                {MEMORY_SC, "bounded,preemptions=2,stores=1", false}};

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Bench) bench;
        g_auto(Seen) seen = {0};

        search_init(&bench, 2, rows[i].model);
        bench.script.calls[0] = store_x;
        bench.script.calls[1] = store_y;
        search(&bench, rows[i].text, &seen);
        cr_expect(seen.progress.complete);
        cr_expect_eq(has(&seen, "done x=1 0 0 0"), rows[i].finds, "%s",
                     rows[i].text);
        cr_expect(has(&seen, "done x=1 0 1 0"));
        cr_expect(has(&seen, "done x=1 1 0 0"));
    }
}

Test(bounded, an_interrupt_between_two_loads_needs_to_be_delayed)
{
    static const struct {
        const char *text;
        bool finds;
    } rows[] = {{"bounded,preemptions=0,interrupts=0", false},
                {"bounded,preemptions=0,interrupts=1", true},
                {"bounded,preemptions=1,interrupts=0", true}};
    g_auto(Bench) bench;

    search_init(&bench, 2, MEMORY_SC);
    bench.script.calls[0] = ring;
    bench.script.calls[1] = twice;
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Seen) seen = {0};

        /* 1: only the second load saw what the handler wrote. */
        search(&bench, rows[i].text, &seen);
        cr_expect(seen.progress.complete);
        cr_expect_eq(has(&seen, "done x=1 0 1 0"), rows[i].finds, "%s",
                     rows[i].text);
    }
}

Test(bounded, every_choice_of_a_story_is_made)
{
    g_auto(Bench) bench;
    g_auto(Seen) seen = {0};

    search_init(&bench, 1, MEMORY_SC);
    bench.script.calls[0] = chosen;
    search(&bench, "bounded", &seen);
    cr_expect(seen.progress.complete);
    cr_expect_eq(seen.progress.runs, 9);
    cr_expect_eq(g_hash_table_size(seen.outcomes), 9);
}

Test(bounded, a_core_that_waits_for_ever_is_found_and_does_not_stop_the_search)
{
    g_auto(Bench) bench;
    g_auto(Seen) seen = {0};

    search_init(&bench, 2, MEMORY_SC);
    bench.script.calls[0] = wait_x;
    bench.script.calls[1] = nothing;
    search(&bench, "bounded,interrupts=0", &seen);
    cr_expect(seen.progress.complete);
    cr_expect(has(&seen, "livelock x=0 0 0 0"));
    cr_expect_eq(g_hash_table_size(seen.outcomes), 1);
}

/* Programs and bounds on which shortcuts are compared. */
static const struct {
    const char *bounds;
    MemoryModel model;
    unsigned cpus;
    const char *const *calls[3];
} programs[] = {
    {"preemptions=3,stores=0,interrupts=0", MEMORY_SC, 2, {bumps, bumps}},
    {"preemptions=2,stores=0,interrupts=0", MEMORY_SC, 3, {bump, bump, bump}},
    {"preemptions=1,stores=2,interrupts=0", MEMORY_TSO, 2, {store_x, store_y}},
    {"preemptions=1,stores=1,interrupts=0", MEMORY_WEAK, 2,
     {store_x, store_y}},
    {"preemptions=1,stores=1,interrupts=0", MEMORY_PSO, 2, {bumps, bumps}},
    {"preemptions=1,stores=0,interrupts=1", MEMORY_SC, 2, {ring, twice}},
    {"preemptions=2,stores=1,interrupts=0", MEMORY_TSO, 2, {store_x, wait_x}},
    {"preemptions=2,stores=0,interrupts=0", MEMORY_SC, 2, {lock_x, lock_x}},
};

Test(bounded, states_that_were_seen_lose_no_outcome)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(programs); i++) {
        g_autofree char *with =
            g_strconcat("bounded,", programs[i].bounds, NULL);
        g_autofree char *without = g_strconcat(with, ",states=0", NULL);
        g_auto(Bench) bench;
        g_auto(Seen) cut = {0}, all = {0};

        search_init(&bench, programs[i].cpus, programs[i].model);
        for (unsigned k = 0; k < programs[i].cpus; k++)
            bench.script.calls[k] = programs[i].calls[k];
        search(&bench, with, &cut);
        search(&bench, without, &all);
        cr_expect(cut.progress.complete && all.progress.complete, "%u", i);
        cr_expect_eq(all.progress.cuts, 0);
        cr_expect_leq(cut.progress.runs, all.progress.runs);
        cr_expect_eq(g_hash_table_size(cut.outcomes),
                     g_hash_table_size(all.outcomes), "program %u", i);
        cr_log_info("program %u: %" PRIu64 " and %" PRIu64 " cut of %" PRIu64
                    ", %u outcomes", i, cut.progress.runs, cut.progress.cuts,
                    all.progress.runs, g_hash_table_size(all.outcomes));
    }
}

/* With bounds beyond what these programs can use. */
Test(bounded, it_misses_nothing_that_random_finds)
{
    static const struct {
        const char *bounds;
        MemoryModel model;
        const char *const *calls[2];
    } rows[] = {
        {"preemptions=7,stores=0,interrupts=0", MEMORY_SC, {bumps, bumps}},
        {"preemptions=3,stores=3,interrupts=0", MEMORY_TSO,
         {store_x, store_y}},
        {"preemptions=3,stores=3,interrupts=0", MEMORY_WEAK,
         {store_x, store_y}},
        {"preemptions=3,stores=3,interrupts=0", MEMORY_PSO, {bump, bump}},
        {"preemptions=3,stores=0,interrupts=2", MEMORY_SC, {ring, twice}},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strconcat("bounded,", rows[i].bounds, NULL);
        g_autoptr(Strategy) random = strategy_random_new(0);
        g_auto(Bench) bench;
        g_auto(Seen) seen = {0};
        unsigned outcomes;

        search_init(&bench, 2, rows[i].model);
        bench.script.calls[0] = rows[i].calls[0];
        bench.script.calls[1] = rows[i].calls[1];
        search(&bench, text, &seen);
        cr_expect(seen.progress.complete, "%s", text);
        outcomes = g_hash_table_size(seen.outcomes);
        for (uint64_t seed = 1; seed <= 2000; seed++) {
            RunResult result;

            cr_assert(run_execute(bench.run, random, NULL, seed, &result,
                                  NULL));
            note_outcome(&bench, &result, &seen);
        }
        cr_expect_eq(g_hash_table_size(seen.outcomes), outcomes,
                     "program %u", i);
    }
}

Test(bounded, saved_and_loaded_at_any_moment_it_makes_the_same_runs)
{
    g_auto(Bench) bench;
    g_auto(Seen) whole = {0};
    const char *text = "bounded,preemptions=2,stores=0,interrupts=0,states=0";

    search_init(&bench, 2, MEMORY_SC);
    bench.script.calls[0] = bench.script.calls[1] = bumps;
    search(&bench, text, &whole);
    for (uint64_t stop = 1; stop < 200; stop += 23) {
        g_autoptr(Strategy) first = strategy_parse(text, NULL);
        g_autoptr(Strategy) second = strategy_parse(text, NULL);
        g_auto(Seen) seen = {0};
        g_autofree char *saved = NULL;

        go_on(&bench, first, stop, &seen);
        saved = first->search->print(first);
        cr_assert(second->search->parse(second, saved, NULL));
        go_on(&bench, second, 1000000, &seen);
        cr_assert_eq(seen.tapes->len, whole.tapes->len, "stopped after %u",
                     (unsigned)stop);
        for (guint i = 0; i < whole.tapes->len; i++)
            cr_assert_str_eq(g_ptr_array_index(seen.tapes, i),
                             g_ptr_array_index(whole.tapes, i));
        cr_expect(seen.progress.complete);
    }
}

Test(bounded, a_damaged_search_is_refused)
{
    g_auto(Bench) bench;
    g_auto(Seen) seen = {0};
    g_autoptr(Strategy) strategy = strategy_parse("bounded", NULL);
    g_autofree char *saved = NULL;

    search_init(&bench, 2, MEMORY_SC);
    bench.script.calls[0] = bench.script.calls[1] = bump;
    go_on(&bench, strategy, 20, &seen);
    saved = strategy->search->print(strategy);
    for (size_t i = 0; saved[i] != '\0'; i++) {
        g_autoptr(Strategy) other = strategy_parse("bounded", NULL);
        g_autoptr(GError) error = NULL;
        char kept = saved[i];

        saved[i] = '%';
        cr_expect_not(other->search->parse(other, saved, &error), "%s", saved);
        cr_expect_not_null(error);
        saved[i] = kept;
    }
}

Test(bounded, a_run_of_the_search_is_its_tape)
{
    g_auto(Bench) bench;
    g_autoptr(Strategy) strategy =
        strategy_parse("bounded,preemptions=1,stores=2", NULL);
    g_autoptr(Strategy) other = strategy_round_robin_new();
    uint64_t runs = 0;

    search_init(&bench, 2, MEMORY_TSO);
    bench.script.calls[0] = store_x;
    bench.script.calls[1] = store_y;
    for (; !strategy->search->is_over(strategy); runs++) {
        RunResult made, again;
        uint64_t digest;
        Tape tape;

        cr_assert(run_execute(bench.run, strategy, NULL, 0, &made, NULL));
        if (made.cut)
            continue;
        digest = machine_digest(bench.rig.machine);
        tape_init(&tape);
        for (size_t i = 0; i < run_tape(bench.run)->count; i++)
            tape_push(&tape, run_tape(bench.run)->items[i].kind,
                      run_tape(bench.run)->items[i].value);
        cr_assert(run_execute(bench.run, other, &tape, 0, &again, NULL));
        cr_expect_not(again.diverged);
        cr_expect_eq(machine_digest(bench.rig.machine), digest);
        tape_clear(&tape);
    }
    cr_expect_gt(runs, 20);
}
