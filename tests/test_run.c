/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole runs: the same seed is the same run, its tape is the run, and each
 * ends with the verdict that is true of it.
 */
#include "base/base.h"

#include "run_rig.h"

TestSuite(run, .timeout = 60);

Test(run, a_seed_is_a_run_and_its_tape_is_the_same_run)
{
    uint64_t digests[3][30];

    for (int engine = 0; engine < 3; engine++) {
        g_auto(Bench) bench;

        bench_init(&bench, 3, (CpuEngine)engine);
        for (unsigned i = 0; i < 3; i++)
            bench.script.calls[i] = i == 1 ? run_rings : run_bumps;
        for (uint64_t seed = 0; seed < 30; seed++) {
            RunResult result = execute(&bench, NULL, seed), again;
            uint64_t digest = machine_digest(bench.rig.machine);
            g_autofree char *text = tape_print(run_tape(bench.run));
            Tape tape;

            cr_expect_eq(result.verdict.kind, VERDICT_DONE, "%s %s",
                         verdict_name(result.verdict.kind),
                         result.verdict.text);
            digests[engine][seed] = digest;
            tape_init(&tape);
            cr_assert(tape_parse(&tape, text, NULL));
            again = execute(&bench, &tape, seed + 1000);
            cr_expect_not(again.diverged);
            cr_expect_eq(again.steps, result.steps);
            cr_expect_eq(machine_digest(bench.rig.machine), digest);
            tape_clear(&tape);
        }
    }
    cr_expect_arr_eq(digests[0], digests[1], sizeof digests[0]);
    cr_expect_arr_eq(digests[0], digests[2], sizeof digests[0]);
}

Test(run, different_seeds_reach_different_interleavings)
{
    unsigned seen = 0;
    g_auto(Bench) bench;

    bench_init(&bench, 2, CPU_ENGINE_FIBER);
    bench.script.calls[0] = bench.script.calls[1] = run_bumps;
    for (uint64_t seed = 0; seed < 100; seed++) {
        execute(&bench, NULL, seed);
        seen |= 1u << rig_u64(&bench.rig, 0x620000);
    }
    /* an unlocked increment loses updates, and sometimes none */
    cr_expect(seen & 1u << 8);
    cr_expect(seen & 0xf0);
}

Test(run, a_tape_of_another_story_is_noticed)
{
    g_auto(Bench) bench;
    Tape tape;

    bench_init(&bench, 2, CPU_ENGINE_FIBER);
    bench.script.calls[0] = bench.script.calls[1] = run_bumps;
    execute(&bench, NULL, 1);
    tape_init(&tape);
    for (size_t i = 0; i < run_tape(bench.run)->count; i++)
        tape_push(&tape, run_tape(bench.run)->items[i].kind,
                  run_tape(bench.run)->items[i].value);
    bench.script.calls[0] = bench.script.calls[1] = nothing;
    cr_expect(execute(&bench, &tape, 1).diverged);
    tape_clear(&tape);
}

Test(run, each_end_has_its_verdict)
{
    static const struct {
        const char *call;
        VerdictKind kind;
        const char *text;
    } ends[] = {
        {"bump", VERDICT_DONE, ""},
        {"lose", VERDICT_PANIC, "lost"},
        {"wait", VERDICT_DEADLOCK, "cpu0 awaits \"green\""},
        {"spin", VERDICT_LIVELOCK, ""},
        {"sleep_deep", VERDICT_FAULT, "cpu0 halted with interrupts off"},
        {"triple", VERDICT_FAULT, ""},
        {"forbid", VERDICT_FAULT, "unknown hypercall"},
    };
    g_auto(Bench) bench;

    bench_init(&bench, 2, CPU_ENGINE_FIBER);
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        const char *const calls[] = {ends[i].call, NULL};
        RunResult result;

        bench.script.calls[0] = calls;
        bench.script.calls[1] = nothing;
        result = execute(&bench, NULL, i);
        cr_expect_eq(result.verdict.kind, ends[i].kind, "%s: %s (%s)",
                     ends[i].call, verdict_name(result.verdict.kind),
                     result.verdict.text);
        cr_expect(g_str_has_prefix(result.verdict.text, ends[i].text), "%s: %s",
                  ends[i].call, result.verdict.text);
    }
}

Test(run, a_run_that_spins_unwatched_ends_with_its_budget)
{
    static const char *const spins[] = {"spin", NULL};
    g_auto(Bench) bench;
    RunResult result;

    bench_init(&bench, 2, CPU_ENGINE_FIBER);
    bench.script.calls[0] = bench.script.calls[1] = spins;
    run_free(bench.run);
    bench.run = run_new(&(RunSetup){.machine = bench.rig.machine,
                                    .stories = &bench.stories,
                                    .image = bench.rig.image,
                                    .steps_max = 5000});
    result = execute(&bench, NULL, 1);
    cr_expect_eq(result.verdict.kind, VERDICT_BUDGET);
    cr_expect_eq(result.steps, 5000);
}

/* Looking ahead for a loop is no part of the run: nobody is told, and nothing
 * changes. */
Test(run, looking_ahead_for_a_loop_leaves_no_trace)
{
    static const char *const spins[] = {"spin", NULL};
    g_auto(Bench) bench;
    RunObserver observer = {.point = tell};
    Verdict verdict = {.kind = VERDICT_DONE};
    RunResult result;
    unsigned told;
    uint64_t digest;

    bench_init(&bench, 2, CPU_ENGINE_FIBER);
    bench.script.calls[0] = bench.script.calls[1] = spins;
    code_mark(machine_code(bench.rig.machine),
              rig_symbol(&bench.rig, "spin"), CODE_POINT);
    observer.user = &bench.script;
    run_observe(bench.run, &observer);
    result = execute(&bench, NULL, 1);
    told = bench.script.told;
    cr_expect_eq(result.verdict.kind, VERDICT_LIVELOCK);
    cr_expect_geq(told, 2);
    cr_expect_leq(told, result.steps);
    digest = machine_digest(bench.rig.machine);
    run_free(g_steal_pointer(&bench.run));
    cr_expect(verdict_find_lasso(bench.rig.machine, &bench.view,
                                 VERDICT_STEPS_FAR, &verdict, NULL));
    cr_expect_geq(verdict.loop_rounds, 1);
    cr_expect_geq(verdict.loop_steps, 2);
    cr_expect_eq(machine_digest(bench.rig.machine), digest);
}

/* --- The hash of a state -------------------------------------------------- */

static uint64_t
shape(Machine *machine, const StateView *view)
{
    StateHash hash;

    state_hash(machine, view, &hash);
    return hash.shape;
}

Test(state, counters_and_time_are_left_out_and_all_else_is_seen)
{
    g_auto(Rig) rig = rig_run("main: vmcall; nop; nop; vmcall; done\n", 1);
    StateRange counter = {0x620000, 8};
    StateView view;
    uint64_t hash;

    state_view_init(&view);
    g_array_append_val(view.ranges, counter);
    state_view_sort(&view);
    machine_rebase(rig.machine);
    hash = shape(rig.machine, &view);
    rig_set_u64(&rig, 0x620000, 5);
    machine_console_write(rig.machine, "x", 1);
    cr_expect_eq(shape(rig.machine, &view), hash);
    rig_set_u64(&rig, 0x620008, 5);
    cr_expect_neq(shape(rig.machine, &view), hash);
    rig_set_u64(&rig, 0x620008, 0);
    cr_expect_eq(shape(rig.machine, &view), hash);
    cpu_set_register(machine_cpu(rig.machine, 0), GPR_R9, 1);
    cr_expect_neq(shape(rig.machine, &view), hash);
    state_view_clear(&view);
}

Test(state, a_ring_is_a_queue_wherever_it_stands)
{
    g_auto(Rig) rig = rig_run("main: done\n", 1);
    StateFifo fifo = {.physical = 0x620000, .size = 0x100, .written = 0,
                      .read = 4, .executed = 8, .slots = 16, .slot_size = 8,
                      .depth = 4};
    StateView view;
    uint64_t hash;

    state_view_init(&view);
    g_array_append_val(view.fifos, fifo);
    state_view_sort(&view);
    machine_rebase(rig.machine);
    rig_set_u64(&rig, 0x620000, 2 | UINT64_C(1) << 32); /* one entry: slot 1 */
    rig_set_u64(&rig, 0x620008, 1);
    rig_set_u64(&rig, 0x620018, 77);
    rig_set_u64(&rig, 0x620010, 12345);
    hash = shape(rig.machine, &view);
    cr_expect_eq(state_fifo_length(rig.machine, &fifo), 1);
    rig_set_u64(&rig, 0x620000, 8 | UINT64_C(7) << 32); /* slot 3 */
    rig_set_u64(&rig, 0x620008, 7);
    rig_set_u64(&rig, 0x620028, 77);
    cr_expect_eq(shape(rig.machine, &view), hash);
    rig_set_u64(&rig, 0x620028, 78);
    cr_expect_neq(shape(rig.machine, &view), hash);
    state_view_clear(&view);
}

/* An idle core whose timer is far away is where it was a moment ago if so much
 * time has gone by as the timer has been put off. */
Test(state, a_timer_counts_by_what_is_left_of_it)
{
    g_auto(Rig) rig = rig_run("main: apic 0x320, 0x10030\n"
                              " apic 0x380, 100000\n vmcall\n"
                              " apic 0x380, 100000\n done\n", 1);
    Lapic *lapic = &machine_cpu(rig.machine, 0)->state.lapic;
    StateView view;
    uint64_t hash;

    state_view_init(&view);
    machine_rebase(rig.machine);
    hash = shape(rig.machine, &view);
    lapic->count_deadline += 5;
    cr_expect_neq(shape(rig.machine, &view), hash);
    lapic->count_deadline -= 5;
    cr_expect_eq(shape(rig.machine, &view), hash);
    state_view_clear(&view);
}
