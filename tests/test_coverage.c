/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What cores told each other: who read from whom, at which instructions, under
 * the memory models; and the other kinds of points.
 */
#include "base/base.h"

#include "memory_rig.h"

#include "watch/coverage.h"

TestSuite(coverage, .timeout = 60);

/* cpu0 stores twice and reads back, cpu1 loads. */
static const char body[] =
    ".globl put, put_more, own, get\n"
    " test %edi, %edi; jnz reader\n"
    "put: movq $1, 0x600000\n"
    "put_more: movl $2, 0x600008\n"
    "own: mov 0x600000, %rax\n"
    " done\n"
    "reader:\n"
    "get: mov 0x600000, %rbx\n"
    " done\n";

typedef struct Bench {
    Rig rig;
    Coverage *coverage;
} Bench;

static void
on_access(void *user, unsigned cpu, gpa_t physical, const InsnAccess *access)
{
    coverage_access(user, cpu, physical, access);
}

static void
on_visible(void *user, unsigned cpu, gpa_t physical, uint64_t size, gva_t rip)
{
    coverage_visible(user, cpu, physical, size, rip);
}

static void
on_interrupted(void *user, unsigned cpu, unsigned vector, gva_t rip)
{
    coverage_interrupted(user, cpu, vector, rip);
}

static Bench
bench_new(const char *text, const char *memory, CpuEngine engine)
{
    Bench bench = {.rig = rig_start_on(text, 2, memory, engine)};
    MachineWatch watch = {.access = on_access, .visible = on_visible,
                          .interrupted = on_interrupted};

    bench.coverage =
        coverage_new(&(CoverageSetup){.machine = bench.rig.machine});
    coverage_watch(bench.coverage, RIG_DATA);
    coverage_collect(bench.coverage, true);
    coverage_begin(bench.coverage);
    watch.user = bench.coverage;
    machine_watch(bench.rig.machine, &watch);
    return bench;
}

static void
bench_clear(Bench *bench)
{
    coverage_free(bench->coverage);
    rig_clear(&bench->rig);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

/* How often the pair of these two instructions was hit. */
static unsigned
pair(const Bench *bench, CoverageKind kind, const char *store,
     const char *load)
{
    return coverage_times(
        bench->coverage,
        coverage_number(kind, rig_symbol(&bench->rig, store),
                        rig_symbol(&bench->rig, load)));
}

static unsigned
hits_of(const Bench *bench, CoverageKind kind)
{
    unsigned count, found = 0;
    const uint16_t *hits = coverage_hits(bench->coverage, &count);

    for (unsigned i = 0; i < count; i++)
        found += coverage_kind(hits[i]) == kind;
    return found;
}

Test(coverage, a_load_of_anothers_store_is_seen_once_and_in_that_direction)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(rig_engines); i++) {
        g_auto(Bench) bench = bench_new(body, "sc", rig_engines[i]);

        rig_step(&bench.rig, 0, 4);
        rig_step(&bench.rig, 1, 3);
        cr_expect_eq(pair(&bench, COVERAGE_READS, "put", "get"), 1);
        cr_expect_eq(pair(&bench, COVERAGE_READS, "get", "put"), 0);
        cr_expect_eq(hits_of(&bench, COVERAGE_READS), 1);
    }
}

Test(coverage, a_load_before_the_store_is_no_pair)
{
    g_auto(Bench) bench = bench_new(body, "sc", CPU_ENGINE_FIBER);

    rig_step(&bench.rig, 1, 3);
    rig_step(&bench.rig, 0, 4);
    cr_expect_eq(hits_of(&bench, COVERAGE_READS), 0);
}

Test(coverage, what_a_core_forwards_to_itself_is_no_pair)
{
    g_auto(Bench) bench = bench_new(
        "test %edi, %edi; jnz other\n"
        "movq $1, 0x600000; mov 0x600000, %rax; done\n"
        "other: movq $2, 0x600000; mfence; done\n",
        "tso", CPU_ENGINE_FIBER);

    rig_step(&bench.rig, 0, 3);
    rig_step(&bench.rig, 1, 5);
    rig_step(&bench.rig, 0, 1);
    cr_expect_eq(rig_buffered(&bench.rig, 0), 1);
    cr_expect_eq(hits_of(&bench, COVERAGE_READS), 0);
}

Test(coverage, a_buffered_store_is_missed_and_is_read_when_it_is_visible)
{
    g_auto(Bench) bench = bench_new(
        ".globl put, get, again\n"
        "test %edi, %edi; jnz reader\n"
        "put: movq $1, 0x600000; done\n"
        "reader:\nget: mov 0x600000, %rax\n"
        "again: mov 0x600000, %rax; done\n",
        "tso", CPU_ENGINE_FIBER);
    CpuStop stop;

    rig_step(&bench.rig, 0, 3);
    rig_step(&bench.rig, 1, 3);
    cr_expect_eq(pair(&bench, COVERAGE_MISSED, "put", "get"), 1);
    cr_expect_eq(hits_of(&bench, COVERAGE_READS), 0);
    cr_assert(rig_act(&bench.rig, ACTION_DRAIN, 0, 1, &stop));
    rig_step(&bench.rig, 1, 1);
    cr_expect_eq(pair(&bench, COVERAGE_READS, "put", "again"), 1);
    cr_expect_eq(hits_of(&bench, COVERAGE_MISSED), 1);
}

Test(coverage, of_two_neighbours_in_a_line_the_right_store_is_named)
{
    g_auto(Bench) bench = bench_new(
        ".globl first, second, get\n"
        "test %edi, %edi; jnz reader\n"
        "first: movl $1, 0x600000\n"
        "second: movl $1, 0x600004; done\n"
        "reader:\nget: mov 0x600004, %eax; done\n",
        "sc", CPU_ENGINE_FIBER);

    rig_step(&bench.rig, 0, 4);
    rig_step(&bench.rig, 1, 3);
    cr_expect_eq(pair(&bench, COVERAGE_READS, "second", "get"), 1);
    cr_expect_eq(pair(&bench, COVERAGE_READS, "first", "get"), 0);
}

Test(coverage, a_read_modify_write_reads_before_it_stores)
{
    static const char *const models[] = {"sc", "tso", "pso", "weak"};

    for (unsigned i = 0; i < G_N_ELEMENTS(models); i++) {
        g_auto(Bench) bench = bench_new(
            ".globl mine\nmine: lock incq 0x600000; done\n", models[i],
            CPU_ENGINE_FIBER);

        rig_step(&bench.rig, 0, 1);
        rig_step(&bench.rig, 1, 1);
        cr_expect_eq(pair(&bench, COVERAGE_READS, "mine", "mine"), 1, "%s",
                     models[i]);
        cr_expect_eq(hits_of(&bench, COVERAGE_READS), 1);
    }
}

Test(coverage, a_new_run_has_no_points_and_the_same_run_the_same)
{
    g_auto(Bench) bench = bench_new(body, "sc", CPU_ENGINE_FIBER);
    g_autofree uint16_t *first = NULL;
    unsigned count, again;

    for (unsigned round = 0; round < 2; round++) {
        machine_restore(bench.rig.machine);
        coverage_begin(bench.coverage);
        coverage_hits(bench.coverage, &again);
        cr_assert_eq(again, 0);
        for (unsigned i = 0; i < 2; i++)
            rig_continue(&bench.rig, i);
        rig_step(&bench.rig, 0, 4);
        rig_step(&bench.rig, 1, 3);
        if (round == 0) {
            const uint16_t *hits = coverage_hits(bench.coverage, &count);

            cr_assert_gt(count, 0);
            first = g_memdup2(hits, count * sizeof *hits);
        }
    }
    cr_assert_eq(coverage_hits(bench.coverage, &again) != NULL, true);
    cr_assert_eq(again, count);
    cr_expect_arr_eq(coverage_hits(bench.coverage, &again), first,
                     count * sizeof *first);
}

Test(coverage, an_interrupt_is_a_pair_of_vector_and_place)
{
    g_auto(Bench) bench = bench_new(
        ".globl here\n"
        "test %edi, %edi; jz sender\n"
        "sti; nop\nhere: jmp here\n"
        "sender: apic 0x310, 0x01000000\n apic 0x300, 0x4045\n done\n",
        "sc", CPU_ENGINE_FIBER);
    CpuStop stop;

    rig_step(&bench.rig, 1, 10);
    rig_act(&bench.rig, ACTION_STEP, 0, 100, &stop);
    cr_assert(rig_act(&bench.rig, ACTION_DELIVER, 1, 1, &stop));
    rig_step(&bench.rig, 1, 1);
    cr_expect_eq(coverage_times(bench.coverage,
                                coverage_number(COVERAGE_TAKEN, 0x45,
                                                rig_symbol(&bench.rig,
                                                           "here"))),
                 1);
}

Test(coverage, a_fifo_is_told_apart_near_its_ends)
{
    cr_expect_eq(coverage_fifo_class(0, 8), coverage_fifo_class(0, 32));
    cr_expect_neq(coverage_fifo_class(0, 8), coverage_fifo_class(1, 8));
    cr_expect_neq(coverage_fifo_class(7, 8), coverage_fifo_class(8, 8));
    cr_expect_eq(coverage_fifo_class(31, 32), coverage_fifo_class(7, 8));
    cr_expect_eq(coverage_fifo_class(5, 32), coverage_fifo_class(6, 32));
    cr_expect_eq(coverage_fifo_class(9, 8), coverage_fifo_class(8, 8));
}
