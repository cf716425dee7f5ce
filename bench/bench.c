/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench -- what heddle costs, as ratios within one run.
 *
 *      bench [NAME...]     instructions memory litmus schedules reset growth
 *
 * Every measurement is a process of its own (the accelerator of
 * engine_accel.h is on or off for a whole process) and counts processor time;
 * the figure is the median of ROUNDS.  Machines are noisy: compare ratios.
 */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unicorn/unicorn.h>
#include <unistd.h>

#include "base/wallclock.h"
#include "check/check.h"
#include "check/stage.h"
#include "litmus/litmus_run.h"
#include "script/guestbuild.h"

#define ROUNDS 5
#define CORES 4u
#define FLOOD 100u /* messages: they fit into MAXCPUFIFO / 2 */

/* --- A stage without a scenario file -------------------------------------- */

typedef struct Rig {
    Scenario *scenario;
    Stage *stage;
} Rig;

static void
must(bool ok, GError *error)
{
    if (ok)
        return;
    fprintf(stderr, "bench: %s\n", error->message);
    exit(2);
}

static Rig
rig_new(unsigned cpus, const char *depth)
{
    Rig rig = {.scenario = scenario_new("bench")};
    StageOptions options = {.engine = CPU_ENGINE_FIBER};
    GError *error = NULL;
    char *path;

    rig.scenario->system.name = g_strdup("dragonfly");
    rig.scenario->system.cpus = cpus;
    rig.scenario->system.ram_mib = cpus > 16 ? 64 : 8;
    g_ptr_array_add(rig.scenario->system.defines,
                    g_strdup_printf("MAXCPUFIFO=%s", depth));
    path = stage_image_path(&rig.scenario->system, NULL, &options, &error);
    must(path != NULL, error);
    rig.stage = stage_new(rig.scenario, path, &options, &error);
    must(rig.stage != NULL, error);
    g_free(path);
    return rig;
}

static gva_t
symbol(const Rig *rig, const char *name)
{
    const ImageSymbol *found = image_lookup_symbol(rig->stage->image, name);

    if (found == NULL) {
        fprintf(stderr, "bench: the guest has no `%s`\n", name);
        exit(2);
    }
    return found->address;
}

/* --- The storm ------------------------------------------------------------ */

/* Every core floods the next one in one call, or sends to all others in
 * turn. */
typedef struct Storm {
    const Rig *rig;
    gva_t function, nop;
    unsigned calls;          /* of each core */
    bool floods;
    unsigned made[CPUS_MAX];
} Storm;

static void
storm_begin(void *user)
{
    Storm *storm = user;

    memset(storm->made, 0, sizeof storm->made);
}

static bool
storm_next(void *user, unsigned cpu, uint64_t result, StoryStep *step,
           StoryCall *call, GError **error)
{
    Storm *storm = user;
    unsigned cpus = storm->rig->scenario->system.cpus;
    unsigned n = storm->made[cpu]++;
    unsigned target = (cpu + 1 + n % (cpus - 1)) % cpus;

    (void)result, (void)error;
    *step = n < storm->calls ? STORY_CALL : STORY_END;
    *call = (StoryCall){.function = storm->function, .argument_count = 4};
    if (storm->floods) {
        call->arguments[0] = target;
        call->arguments[1] = FLOOD;
    } else {
        call->arguments[0] =
            system_globaldata(&storm->rig->stage->view, target);
        call->arguments[1] = storm->nop;
    }
    return true;
}

static uint64_t
no_marks(void *user)
{
    (void)user;
    return 0;
}

static const char *
nothing_awaited(void *user, unsigned cpu)
{
    (void)user, (void)cpu;
    return NULL;
}

/* Nanoseconds a step, with house rules, verdicts and a switch every `mean`
 * steps. */
static double
storm_cost(Storm *storm, uint64_t mean, unsigned runs)
{
    Stage *stage = storm->rig->stage;
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    ProbeSetup probing = {.image = stage->image, .machine = stage->machine,
                          .regions = none, .claims = none,
                          .rules = &stage->rules, .view = &stage->state};
    Stories stories = {.begin = storm_begin, .next = storm_next,
                       .marks = no_marks, .awaited = nothing_awaited,
                       .user = storm};
    GError *error = NULL;
    g_autoptr(Probe) probe = probe_new(&probing, &error);
    RunSetup setup = {.machine = stage->machine, .stories = &stories,
                      .image = stage->image, .probe = probe,
                      .view = &stage->state, .steps_max = UINT64_MAX};
    g_autoptr(Run) run = run_new(&setup);
    Strategy *strategy = strategy_random_new(mean);
    uint64_t steps = 0, before = 0;
    RunResult result;

    must(probe != NULL, error);
    for (unsigned i = 0; i < runs + runs / 4; i++) {
        if (i == runs / 4) { /* the first quarter warms up */
            steps = 0;
            before = wallclock_cpu();
        }
        must(run_execute(run, strategy, NULL, i + 1, &result, &error), error);
        steps += result.steps;
    }
    strategy_free(strategy);
    return (double)(wallclock_cpu() - before) / (double)steps;
}

/* --- Bare Unicorn on the same code ---------------------------------------- */

static void
empty_hook(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    (void)uc, (void)address, (void)size;
    ++*(uint64_t *)user;
}

/* One core of the flood, alone, by a Unicorn that knows nothing of heddle:
 * nanoseconds an instruction.  `hooked`: with one empty hook; the number of
 * instructions is counted once with it. */
static double
bare_cost(const Rig *rig, bool hooked, uint64_t *instructions)
{
    Machine *machine = rig->stage->machine;
    Gmem *memory = machine_memory(machine);
    Cpu *cpu = machine_cpu(machine, 0);
    gva_t halt = WINDOW_KERNEL + memory->size - PAGE_BYTES;
    uint64_t rsp = cpu->live->registers[GPR_RSP] - 8, spent = 0, count = 0;
    uint64_t target = 1, messages = FLOOD;
    const unsigned rounds = 200, warm = 40;
    uc_engine *uc;
    uc_hook hook;

    uc_open(UC_ARCH_X86, UC_MODE_64, &uc);
    uc_mem_map_ptr(uc, WINDOW_KERNEL, memory->size, UC_PROT_ALL,
                   memory->bytes);
    uc_reg_write(uc, UC_X86_REG_GS_BASE, &cpu->live->segments[SEG_GS].base);
    if (hooked)
        uc_hook_add(uc, &hook, UC_HOOK_CODE, (void *)(uintptr_t)empty_hook,
                    &count, 1, 0);
    for (unsigned round = 0; round < rounds; round++) {
        uint64_t before;

        memcpy(memory->bytes, memory->base, memory->size);
        memory->bytes[memory->size - PAGE_BYTES] = 0xf4; /* hlt */
        gmem_write(memory, rsp, &halt, 8);
        uc_reg_write(uc, UC_X86_REG_RSP, &rsp);
        uc_reg_write(uc, UC_X86_REG_RDI, &target);
        uc_reg_write(uc, UC_X86_REG_RSI, &messages);
        count = 0;
        before = wallclock_cpu();
        uc_emu_start(uc, symbol(rig, "flood_passive"), 0, 0, 0);
        if (round >= warm)
            spent += wallclock_cpu() - before;
    }
    uc_close(uc);
    if (hooked)
        *instructions = count;
    return (double)spent / (rounds - warm) / (double)*instructions;
}

/* --- Measurements, each in a process of its own --------------------------- */

typedef double Measure(void);

static double
measure_bare(void)
{
    Rig rig = rig_new(CORES, "256");
    uint64_t instructions;

    bare_cost(&rig, true, &instructions);
    return bare_cost(&rig, false, &instructions);
}

static double
measure_hooked(void)
{
    Rig rig = rig_new(CORES, "256");
    uint64_t instructions;

    return bare_cost(&rig, true, &instructions);
}

static double
measure_flood(void)
{
    Rig rig = rig_new(CORES, "256");
    Storm storm = {.rig = &rig, .function = symbol(&rig, "flood_passive"),
                   .calls = 1, .floods = true};

    return storm_cost(&storm, 20, 200);
}

static double
storm_of(unsigned cpus)
{
    Rig rig = rig_new(cpus, "8");
    Storm storm = {.rig = &rig, .function = symbol(&rig, "lwkt_send_ipiq3"),
                   .nop = symbol(&rig, "nop"), .calls = 20};

    return storm_cost(&storm, 20, cpus > 16 ? 100 : 1000);
}

/* The flood and the storm under another memory model. */
static double
model_cost(const char *model, bool floods)
{
    Rig rig = rig_new(CORES, floods ? "256" : "8");
    Storm flood = {.rig = &rig, .function = symbol(&rig, "flood_passive"),
                   .calls = 1, .floods = true};
    Storm storm = {.rig = &rig, .function = symbol(&rig, "lwkt_send_ipiq3"),
                   .nop = symbol(&rig, "nop"), .calls = 20};
    MemoryOptions memory;
    GError *error = NULL;

    must(memmodel_parse(model, &memory, &error), error);
    machine_set_memory(rig.stage->machine, &memory);
    return floods ? storm_cost(&flood, 20, 200) : storm_cost(&storm, 20, 1000);
}

#define MEASURE_MODEL(model)                                                   \
    static double measure_flood_##model(void)                                  \
    {                                                                          \
        return model_cost(#model, true);                                       \
    }                                                                          \
    static double measure_storm_##model(void)                                  \
    {                                                                          \
        return model_cost(#model, false);                                      \
    }

MEASURE_MODEL(sc)
MEASURE_MODEL(tso)
MEASURE_MODEL(pso)
MEASURE_MODEL(weak)

/* Sampled runs of SB a second. */
static double
measure_sampling(void)
{
    g_autofree char *path = g_build_filename(guestbuild_data(), "scenarios",
                                             "litmus", "SB.litmus", NULL);
    MemoryOptions memory = {.model = MEMORY_TSO, .depth = MEMORY_DEPTH_DEFAULT};
    const uint64_t runs = 1000000;
    GError *error = NULL;
    g_autoptr(Litmus) litmus = litmus_load(path, &error);
    g_autoptr(LitmusCode) code = NULL;
    g_autoptr(LitmusRun) run = NULL;
    g_autoptr(LitmusStates) states = NULL;
    uint64_t before;

    must(litmus != NULL, error);
    code = litmus_assemble(litmus, &error);
    must(code != NULL, error);
    run = litmus_run_new(litmus, code, &error);
    must(run != NULL, error);
    states = litmus_states_new(litmus);
    must(litmus_run_sample(run, &memory, runs / 10, 1, states, &error), error);
    before = wallclock_cpu();
    must(litmus_run_sample(run, &memory, runs, 1, states, &error), error);
    return (double)runs * 1e9 / (double)(wallclock_cpu() - before);
}

static double
measure_storm_2(void)
{
    return storm_of(2);
}

static double
measure_storm_4(void)
{
    return storm_of(4);
}

static double
measure_storm_64(void)
{
    return storm_of(64);
}

/* Runs a second of the first case of a scenario, all included. */
static double
schedules_of(const char *name)
{
    g_autofree char *path =
        g_build_filename(guestbuild_data(), "scenarios", "dragonfly", name,
                         NULL);
    TrialOptions options = {.first_seed = 1, .runs = 4000};
    GError *error = NULL;
    g_autoptr(Check) check = check_new(path, &options, &error);
    const ScenarioCase *item;
    uint64_t before, runs;

    must(check != NULL, error);
    item = g_ptr_array_index(check_scenario(check)->cases, 0);
    must(check_measure(check, item, 500, &error), error);
    before = wallclock_cpu();
    runs = 4000;
    must(check_measure(check, item, runs, &error), error);
    return (double)runs * 1e9 / (double)(wallclock_cpu() - before);
}

static double
measure_fifo_full(void)
{
    return schedules_of("fifo_full_mutual.lua");
}

static double
measure_r1(void)
{
    return schedules_of("claimed_mask_deadlock.lua");
}

/* Nanoseconds to go back to the base with 16 dirty pages and 4 cores; every
 * line of them dirty, or one. */
static double
reset_of(bool whole)
{
    Rig rig = rig_new(CORES, "8");
    Machine *machine = rig.stage->machine;
    Gmem *memory = machine_memory(machine);
    const unsigned rounds = 100000;
    uint64_t spent = 0;

    for (unsigned round = 0; round < rounds; round++) {
        uint64_t before;

        for (unsigned page = 0; page < 16; page++)
            gmem_will_write(memory, 0x200000 + page * PAGE_BYTES,
                            whole ? PAGE_BYTES : 1);
        before = wallclock_now();
        machine_restore(machine);
        spent += wallclock_now() - before;
    }
    return (double)spent / rounds;
}

static double
measure_reset(void)
{
    return reset_of(true);
}

static double
measure_small_reset(void)
{
    return reset_of(false);
}

/* KiB that one more core takes. */
static double
measure_memory(void)
{
    double kib[2];

    for (int i = 0; i < 2; i++) {
        Rig rig = rig_new(i == 0 ? 2 : 16, "8");
        g_autofree char *text = NULL;
        unsigned long size = 0, resident = 0;

        (void)rig;
        g_file_get_contents("/proc/self/statm", &text, NULL, NULL);
        if (text == NULL || sscanf(text, "%lu %lu", &size, &resident) != 2)
            return 0;
        kib[i] = (double)resident * 4;
        if (i == 0)
            continue;
    }
    return (kib[1] - kib[0]) / 16;
}

/* Median of ROUNDS children. */
static double
measure(Measure *function, const char *accelerated)
{
    double results[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        int ends[2], status;
        pid_t child;

        if (pipe(ends) != 0 || (child = fork()) < 0)
            exit(2);
        if (child == 0) {
            double result;

            g_setenv("HEDDLE_ACCEL", accelerated, TRUE);
            result = function();
            exit(write(ends[1], &result, sizeof result) != sizeof result);
        }
        close(ends[1]);
        if (read(ends[0], &results[i], sizeof(double)) != sizeof(double) ||
            waitpid(child, &status, 0) != child || status != 0)
            exit(2);
        close(ends[0]);
        for (int k = i; k > 0 && results[k] < results[k - 1]; k--) {
            double swap = results[k];

            results[k] = results[k - 1];
            results[k - 1] = swap;
        }
    }
    return results[ROUNDS / 2];
}

static void
bench_instructions(void)
{
    double bare = measure(measure_bare, "0");
    double hooked = measure(measure_hooked, "0");
    double bare_fast = measure(measure_bare, "1");
    double hooked_fast = measure(measure_hooked, "1");
    double flood = measure(measure_flood, "1");
    double flood_slow = measure(measure_flood, "0");
    double storm = measure(measure_storm_4, "1");

    printf("instructions, ns each, sc, 4 cores, a switch every 20\n");
    printf("  bare unicorn, no hook                   %6.1f\n", bare);
    printf("  bare unicorn, one empty hook            %6.1f\n", hooked);
    printf("  bare unicorn accelerated, no hook       %6.1f\n", bare_fast);
    printf("  bare unicorn accelerated, one hook      %6.1f\n", hooked_fast);
    printf("  heddle, the same code                   %6.1f   %.2f x no hook, "
           "%.2f x one hook\n", flood, flood / bare, flood / hooked);
    printf("  heddle not accelerated, the same code   %6.1f   %.2f x no hook, "
           "%.2f x one hook\n", flood_slow, flood_slow / bare,
           flood_slow / hooked);
    printf("  heddle, storm of active sends           %6.1f   %.2f x no hook, "
           "%.2f x one hook\n", storm, storm / bare, storm / hooked);
}

static void
bench_memory(void)
{
    static const struct {
        const char *name;
        Measure *flood, *storm;
    } models[] = {
        {"sc", measure_flood_sc, measure_storm_sc},
        {"tso", measure_flood_tso, measure_storm_tso},
        {"pso", measure_flood_pso, measure_storm_pso},
        {"weak", measure_flood_weak, measure_storm_weak},
    };
    double flood_sc = 0, storm_sc = 0;

    printf("memory models, ns an instruction, 4 cores, a switch every 20\n");
    for (size_t i = 0; i < G_N_ELEMENTS(models); i++) {
        double flood = measure(models[i].flood, "1");
        double storm = measure(models[i].storm, "1");

        if (i == 0) {
            flood_sc = flood;
            storm_sc = storm;
        }
        printf("  %-5s passive flood %6.1f  %.2f x   storm of active sends "
               "%6.1f  %.2f x\n",
               models[i].name, flood, flood / flood_sc, storm,
               storm / storm_sc);
    }
}

static void
bench_litmus(void)
{
    printf("litmus, SB under tso, sampled runs a second %7.0f\n",
           measure(measure_sampling, "1"));
}

static void
bench_schedules(void)
{
    printf("schedules a second, reset and verdict included\n");
    printf("  both FIFOs full, 2 cores, depth 8       %6.0f\n",
           measure(measure_fifo_full, "1"));
    printf("  DF-R1, 3 cores, depth 8                 %6.0f\n",
           measure(measure_r1, "1"));
}

static void
bench_reset(void)
{
    printf("reset, 16 dirty pages, 4 cores            %6.0f ns\n",
           measure(measure_reset, "1"));
    printf("reset, a line of each of them             %6.0f ns\n",
           measure(measure_small_reset, "1"));
}

static void
bench_growth(void)
{
    double two = measure(measure_storm_2, "1");
    double many = measure(measure_storm_64, "1");

    printf("growth, ns a step of the storm\n");
    printf("  2 cores                                 %6.1f\n", two);
    printf("  64 cores                                %6.1f   %.2f x\n", many,
           many / two);
    printf("  memory of one core, resident            %6.0f KiB\n",
           measure(measure_memory, "1"));
}

static const struct {
    const char *name;
    void (*function)(void);
} benches[] = {
    {"instructions", bench_instructions},
    {"memory", bench_memory},
    {"litmus", bench_litmus},
    {"schedules", bench_schedules},
    {"reset", bench_reset},
    {"growth", bench_growth},
};

int
main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(benches); i++) {
        bool wanted = argc < 2;

        for (int k = 1; k < argc; k++)
            wanted = wanted || g_str_equal(argv[k], benches[i].name);
        if (wanted)
            benches[i].function();
    }
    return 0;
}
