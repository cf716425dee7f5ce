/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run is a function of its decisions: not of the engine that carries it
 * out, of who looks on, of where it is cut, or of what ran before.
 */
#include "base/base.h"

#include "machine_boil.h"

#include <sys/wait.h>
#include <unistd.h>

TestSuite(cpu_engines, .timeout = 120);

#define TICKS 6000

typedef struct Setting {
    unsigned cpus;
    CpuEngine engine;
    bool flow, watched, points;
    uint64_t seed;
} Setting;

static void
ignore_point(void *user, unsigned cpu, gva_t rip)
{
    (void)cpu, (void)rip;
    ++*(unsigned *)user;
}

static void
ignore_access(void *user, unsigned cpu, gpa_t physical,
              const InsnAccess *access)
{
    (void)cpu, (void)physical, (void)access;
    ++*(unsigned *)user;
}

static void
ignore_flow(void *user, unsigned cpu, const Insn *insn, unsigned vector)
{
    (void)cpu, (void)insn, (void)vector;
    ++*(unsigned *)user;
}

static uint64_t
digest_of(const Setting *setting)
{
    g_auto(Rig) rig = boil_new(setting->cpus, 100000, setting->engine);
    unsigned told = 0;
    MachineWatch watch = {.point = ignore_point,
                          .access = ignore_access,
                          .flow = ignore_flow,
                          .user = &told};

    machine_watch(rig.machine, &watch);
    if (setting->flow)
        machine_watch_flow(rig.machine, true);
    if (setting->watched)
        machine_watch_memory(rig.machine, 0x600000, 0x80000);
    if (setting->points)
        for (gva_t at = 0x200000; at < 0x203000; at++)
            code_mark(machine_code(rig.machine), at, CODE_POINT);
    rig_go(&rig, 3000);
    machine_rebase(rig.machine);
    boil_drive(&rig, setting->seed, TICKS, NULL);
    cr_expect_eq(told != 0, setting->flow || setting->watched ||
                                setting->points);
    return machine_digest(rig.machine);
}

/* The digest as another process computes it, without the accelerator; before
 * this one makes an engine. */
static uint64_t
digest_unaccelerated(const Setting *setting)
{
    uint64_t digest = 0;
    int ends[2], status;
    pid_t child;

    cr_assert_eq(pipe(ends), 0);
    child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        g_setenv("HEDDLE_ACCEL", "0", TRUE);
        digest = digest_of(setting);
        if (engine_accelerated())
            digest = 0;
        _exit(write(ends[1], &digest, sizeof digest) == sizeof digest ? 0 : 1);
    }
    close(ends[1]);
    cr_assert_eq(read(ends[0], &digest, sizeof digest), sizeof digest);
    close(ends[0]);
    waitpid(child, &status, 0);
    cr_assert_eq(status, 0);
    return digest;
}

Test(cpu_engines, whoever_carries_it_out_or_looks_on_the_digest_is_the_same)
{
    uint64_t bare[4];

    for (unsigned i = 0; i < 4; i++)
        bare[i] = digest_unaccelerated(&(Setting){.cpus = i + 1,
                                                  .seed = i + 1});
    for (uint64_t seed = 1; seed <= 4; seed++) {
        Setting plain = {.cpus = (unsigned)seed, .seed = seed};
        Setting other = plain;
        uint64_t wanted = digest_of(&plain);

        cr_expect_eq(bare[seed - 1], wanted, "seed %" PRIu64 ": accelerator",
                     seed);
        other.engine = CPU_ENGINE_STEPWISE;
        cr_expect_eq(digest_of(&other), wanted, "seed %" PRIu64 ": stepwise",
                     seed);
        other.engine = CPU_ENGINE_COMMON;
        cr_expect_eq(digest_of(&other), wanted, "seed %" PRIu64 ": common",
                     seed);
        other = plain;
        other.flow = true;
        cr_expect_eq(digest_of(&other), wanted, "seed %" PRIu64 ": flow", seed);
        other = plain;
        other.watched = true;
        cr_expect_eq(digest_of(&other), wanted, "seed %" PRIu64 ": watched",
                     seed);
        other = plain;
        other.points = true;
        cr_expect_eq(digest_of(&other), wanted, "seed %" PRIu64 ": points",
                     seed);
        other.flow = other.watched = true;
        other.engine = CPU_ENGINE_STEPWISE;
        cr_expect_eq(digest_of(&other), wanted, "seed %" PRIu64 ": all", seed);
    }
}

/* Do again what was written down, cut after `cut` ticks: there `between` is
 * called. */
static void
drive_again(const Rig *rig, const Drive *drive, uint64_t cut,
            void (*between)(const Rig *rig))
{
    uint64_t gone = 0;

    for (guint i = 0; i < drive->acts->len; i++) {
        const Action *action = &g_array_index(drive->acts, Action, i);
        uint64_t made = g_array_index(drive->made, uint64_t, i);
        uint64_t before = gone;

        gone += made;
        if (action->kind == ACTION_STEP && before < cut && cut < gone) {
            machine_perform(rig->machine, action, cut - before);
            between(rig);
            machine_perform(rig->machine, action, gone - cut);
        } else {
            if (before == cut && (i == 0 || made > 0))
                between(rig);
            machine_perform(rig->machine, action, MAX(made, 1));
        }
    }
}

/* A snapshot, then something else altogether, then back. */
static void
save_and_load(const Rig *rig)
{
    g_autoptr(MachineSnapshot) snapshot = machine_save(rig->machine);
    uint64_t digest = machine_digest(rig->machine);

    if (digest % 4 == 0)
        boil_drive(rig, digest, 50, NULL);
    machine_load(rig->machine, snapshot);
    cr_expect_eq(machine_digest(rig->machine), digest);
}

static void
only_look(const Rig *rig)
{
    machine_digest(rig->machine);
}

static void
cut_everywhere(CpuEngine engine, void (*between)(const Rig *rig),
               uint64_t ticks, uint64_t step)
{
    g_auto(Rig) rig = boil_new(3, 100000, engine);
    g_auto(Drive) drive = drive_new();
    uint64_t wanted;

    rig_go(&rig, 3000);
    machine_rebase(rig.machine);
    boil_drive(&rig, 7, ticks, &drive);
    wanted = machine_digest(rig.machine);
    for (uint64_t cut = 0; cut < ticks; cut += step) {
        machine_restore(rig.machine);
        drive_again(&rig, &drive, cut, between);
        cr_assert_eq(machine_digest(rig.machine), wanted, "cut at %" PRIu64,
                     cut);
    }
}

Test(cpu_engines, a_run_cut_at_any_step_and_continued_is_the_same_run)
{
    cut_everywhere(CPU_ENGINE_FIBER, save_and_load, 2500, 1);
}

Test(cpu_engines, a_stepwise_run_can_be_cut_too)
{
    cut_everywhere(CPU_ENGINE_STEPWISE, save_and_load, 2500, 7);
}

Test(cpu_engines, cores_that_share_an_engine_can_be_cut_too)
{
    cut_everywhere(CPU_ENGINE_COMMON, save_and_load, 2500, 7);
}

Test(cpu_engines, looking_at_any_step_changes_nothing)
{
    cut_everywhere(CPU_ENGINE_FIBER, only_look, 2500, 3);
}

Test(cpu_engines, every_run_from_the_base_is_the_first_run)
{
    g_auto(Rig) rig = boil_new(4, 100000, CPU_ENGINE_FIBER);
    uint64_t base, first[20];

    rig_go(&rig, 3000);
    machine_rebase(rig.machine);
    base = machine_digest(rig.machine);
    for (unsigned i = 0; i < 60; i++) {
        boil_drive(&rig, i % 20, 3000, NULL);
        if (i < 20)
            first[i] = machine_digest(rig.machine);
        else
            cr_expect_eq(machine_digest(rig.machine), first[i % 20], "run %u",
                         i);
        machine_restore(rig.machine);
        cr_expect_eq(machine_digest(rig.machine), base, "after run %u", i);
    }
}

Test(cpu_engines, restoring_misses_no_byte_that_a_run_wrote)
{
    g_auto(Rig) rig = boil_new(4, 100000, CPU_ENGINE_FIBER);
    Gmem *memory = machine_memory(rig.machine);
    g_autofree uint8_t *copy = NULL;

    rig_go(&rig, 3000);
    machine_rebase(rig.machine);
    copy = g_memdup2(memory->bytes, memory->size);
    for (unsigned i = 0; i < 40; i++) {
        boil_drive(&rig, i, 5000, NULL);
        machine_restore(rig.machine);
        for (uint64_t at = 0; at < memory->size; at++)
            cr_assert_eq(copy[at], memory->bytes[at], "run %u at %" PRIx64, i,
                         at);
    }
}

Test(cpu_engines, one_core_and_sixty_four_boil_and_are_restored)
{
    static const unsigned counts[] = {1, 64};

    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        g_auto(Rig) rig = boil_new(counts[i], 100000, CPU_ENGINE_FIBER);
        uint64_t first;

        rig_go(&rig, counts[i] * 400);
        machine_rebase(rig.machine);
        boil_drive(&rig, 3, 20000, NULL);
        first = machine_digest(rig.machine);
        machine_restore(rig.machine);
        boil_drive(&rig, 3, 20000, NULL);
        cr_expect_eq(machine_digest(rig.machine), first);
    }
}

Test(cpu_engines, a_boiling_guest_comes_to_its_end)
{
    g_auto(Rig) rig = boil_new(4, 300, CPU_ENGINE_FIBER);

    rig_go(&rig, 400000);
    for (unsigned i = 0; i < 4; i++) {
        cr_expect_eq(rig_activity(&rig, i), CPU_HELD, "cpu%u: %d at %" PRIx64,
                     i, (int)rig_activity(&rig, i),
                     cpu_rip(machine_cpu(rig.machine, i)));
        cr_expect_gt(rig_taken(&rig, i, 0x30), 0);
        cr_expect_gt(rig_taken(&rig, i, 0x31), 0);
        cr_expect_gt(rig_taken(&rig, i, 2), 0);
        cr_expect_gt(rig_taken(&rig, i, 13), 0);
        cr_expect_eq(rig_taken(&rig, i, 8), 0);
    }
}
