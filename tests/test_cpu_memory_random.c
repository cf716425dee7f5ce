/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs at random on cores that share a few lines: the engines agree, a
 * run can be made again, and what is drained at once is `sc`.
 *
 * HEDDLE_SOAK=thousands of seeds HEDDLE_SEED=first make it longer.
 */
#include "base/base.h"

#include "memory_rig.h"

TestSuite(cpu_memory_random, .timeout = 3600);

#define PROGRAM UINT64_C(0x300000)
#define PROGRAM_INSTRUCTIONS 60u

typedef struct Writer {
    uint8_t bytes[PAGE_BYTES];
    unsigned at;
    Prng prng;
    bool plain; /* nothing that drains */
} Writer;

static void
put(Writer *writer, const char *hex)
{
    for (; hex[0] != '\0'; hex += 2) {
        while (*hex == ' ')
            hex++;
        writer->bytes[writer->at++] = (uint8_t)(g_ascii_xdigit_value(hex[0])
                                                    << 4 |
                                                g_ascii_xdigit_value(hex[1]));
    }
}

static void
put_u32(Writer *writer, uint64_t value)
{
    for (unsigned i = 0; i < 4; i++)
        writer->bytes[writer->at++] = (uint8_t)(value >> 8 * i);
}

/* Few places, so that they meet; some across a line. */
static uint64_t
shared_place(Writer *writer)
{
    static const unsigned places[] = {0, 0, 0, 8, 64, 64, 64, 72, 128, 128};

    if (prng_chance(&writer->prng, 1, 4))
        return RIG_DATA + prng_below(&writer->prng, 150);
    return RIG_DATA + places[prng_below(&writer->prng, G_N_ELEMENTS(places))];
}

/* rax, rcx, rdx, rbx, rbp */
static unsigned
some_register(Writer *writer)
{
    static const unsigned numbers[] = {0, 1, 2, 3, 5};

    return numbers[prng_below(&writer->prng, G_N_ELEMENTS(numbers))];
}

/* `opcode` with a register or extension and [address]. */
static void
put_absolute(Writer *writer, const char *opcode, unsigned reg)
{
    put(writer, opcode);
    writer->bytes[writer->at++] = (uint8_t)(4 | (reg & 7) << 3);
    writer->bytes[writer->at++] = 0x25;
    put_u32(writer, shared_place(writer));
}

static void
put_string(Writer *writer, const char *opcode)
{
    put(writer, "be");
    put_u32(writer, shared_place(writer));
    put(writer, "bf");
    put_u32(writer, shared_place(writer));
    put(writer, "b9");
    put_u32(writer, prng_below(&writer->prng, 5));
    put(writer, opcode);
}

/* A load whose address depends on a register. */
static void
put_dependent(Writer *writer)
{
    unsigned reg = some_register(writer);

    put(writer, "81"); /* and $0x40, %reg */
    writer->bytes[writer->at++] = (uint8_t)(0xe0 | reg);
    put_u32(writer, 0x40);
    put(writer, "488b"); /* mov RIG_DATA(%reg), %other */
    writer->bytes[writer->at++] = (uint8_t)(0x80 | some_register(writer) << 3 |
                                            reg);
    put_u32(writer, RIG_DATA);
}

static const char *const operations[] = {
    "4889",   "4889", "89",   "6689",
    "88", /* mov to memory */
    "488b",   "488b", "8b",   "668b",
    "8a", /* mov from memory */
    "4801",   "4803", "0fb7", "483b",
    "480fb1",                           /* add add movzx cmp cmpxchg */
    "480fc1", "0f11", "0f10", "660fd6", /* xadd movups movq */
    "4829",
};

static const char *const unlocked[] = {"48ff", "ff", "66ff", "fe"}; /* inc */

static const char *const ordering[] = {
    "0faef0", "0faee8", "0faef8", "f390", "0fa2", "cc", "0f31", "f4",
};

/* A function that all call and all change: mov $, %rax; mov $, %rcx; ret. */
#define FUNCTION UINT64_C(0x300f30)

static void
put_self_modification(Writer *writer)
{
    static const unsigned places[] = {3, 6, 10, 11};

    if (prng_chance(&writer->prng, 1, 2)) {
        put(writer, "c60425"); /* movb $, FUNCTION + places[] */
        put_u32(writer, FUNCTION + places[prng_below(&writer->prng, 4)]);
        writer->bytes[writer->at++] = (uint8_t)prng_next(&writer->prng);
        return;
    }
    put(writer, "bf"); /* mov $FUNCTION, %edi; call *%rdi */
    put_u32(writer, FUNCTION);
    put(writer, "ffd7");
}

/* To all others. */
static void
put_interrupt(Writer *writer)
{
    put(writer, "bf"); /* mov $APIC + 0x300, %edi; movl $c0045, (%rdi) */
    put_u32(writer, 0xfee00300);
    put(writer, "c707");
    put_u32(writer, 0xc0045);
}

static void
put_instruction(Writer *writer)
{
    unsigned reg = some_register(writer);
    uint64_t kind = prng_below(&writer->prng, writer->plain ? 16 : 24);

    if (kind < 8)
        put_absolute(
            writer,
            operations[prng_below(&writer->prng, G_N_ELEMENTS(operations))],
            reg);
    else if (kind < 10)
        put_absolute(writer, unlocked[prng_below(&writer->prng, 4)], 0);
    else if (kind == 10) {
        put(writer, "48c7");
        writer->bytes[writer->at++] = (uint8_t)(0xc0 | reg);
        put_u32(writer, prng_below(&writer->prng, 0x7fffffff));
    } else if (kind == 11)
        put_dependent(writer);
    else if (kind == 12)
        put_absolute(writer, "480fc3", reg); /* movnti */
    else if (kind == 13) {
        put_absolute(writer, "ff", 6); /* push and pop of memory */
        put_absolute(writer, "8f", 0);
    } else if (kind == 14)
        put_string(writer, prng_chance(&writer->prng, 1, 2) ? "f3a4" : "48a5");
    else if (kind == 15)
        put_string(writer, prng_chance(&writer->prng, 1, 2) ? "f348ab" : "ac");
    else if (kind == 16)
        put_absolute(writer, "f048ff", 0);
    else if (kind == 17)
        put_absolute(writer,
                     prng_chance(&writer->prng, 1, 2) ? "4887" : "f0480fb1",
                     reg);
    else if (kind >= 22)
        put_self_modification(writer);
    else if (kind == 21)
        put_interrupt(writer);
    else
        put(writer,
            ordering[prng_below(&writer->prng, G_N_ELEMENTS(ordering) - 1)]);
}

static void
load_function(const Rig *rig)
{
    static const uint8_t function[] = {
        0x48, 0xc7, 0xc0, 1, 0, 0, 0, 0x48, 0xc7, 0xc1, 2, 0, 0, 0, 0xc3,
    };

    cr_assert(machine_write(rig->machine, MACHINE_NOBODY, FUNCTION, function,
                            sizeof function));
}

/* Give every cpu a program of its own, and let it go. */
static void
load_programs(const Rig *rig, uint64_t seed, bool plain)
{
    load_function(rig);
    for (unsigned i = 0; i < machine_cpus(rig->machine); i++) {
        Writer writer = {.plain = plain};

        prng_init(&writer.prng, seed * 64 + i);
        put(&writer, plain ? "90" : "fb"); /* sti */
        for (unsigned n = 0; n < PROGRAM_INSTRUCTIONS; n++)
            put_instruction(&writer);
        put(&writer, "0f01c1ebfb");
        cr_assert(machine_write(rig->machine, MACHINE_NOBODY,
                                PROGRAM + i * PAGE_BYTES, writer.bytes,
                                writer.at));
    }
}

static Rig
prepare_programs(unsigned cpus, const char *memory, CpuEngine engine)
{
    return rig_start_on("xor %eax, %eax; mov %edi, %eax; shl $12, %eax\n"
                        " add $0x300000, %rax; jmp *%rax\n",
                        cpus, memory, engine);
}

/* What a run decides, from a seed. */
typedef struct Decider {
    Prng prng;
    unsigned late; /* decisions so far */
} Decider;

static unsigned
decide_late(void *user, unsigned cpu, unsigned count)
{
    Decider *decider = user;

    (void)cpu;
    decider->late++;
    return (unsigned)prng_below(&decider->prng, count);
}

static void
act_at_random(const Rig *rig, Decider *decider, const Actions *actions)
{
    Action action = action_at(
        actions, (unsigned)prng_below(&decider->prng, actions->count));
    uint64_t steps = 1 + prng_below(&decider->prng, 7);

    if (action.kind == ACTION_DRAIN) {
        uint64_t may = machine_drainable(rig->machine, action.cpu);

        for (uint64_t n = prng_below(&decider->prng,
                                     (uint64_t)__builtin_popcountll(may));
             n > 0; n--)
            may &= may - 1;
        action.number = (uint64_t)__builtin_ctzll(may);
    }
    machine_perform(rig->machine, &action, steps);
}

typedef void After(const Rig *rig, void *user);

static uint64_t
run_programs(const Rig *rig, uint64_t seed, After *after, void *user)
{
    g_autofree Actions *actions = g_new(Actions, 1);
    Decider decider = {.late = 0};

    prng_init(&decider.prng, seed);
    rig_watch_late(rig, decide_late, &decider);
    for (unsigned i = 0; i < machine_cpus(rig->machine); i++)
        rig_continue(rig, i);
    for (unsigned n = 0; n < 2000; n++) {
        machine_list_actions(rig->machine, actions);
        if (actions->count == 0)
            break;
        act_at_random(rig, &decider, actions);
        if (after != NULL)
            after(rig, user);
    }
    machine_watch(rig->machine, NULL);
    machine_check(rig->machine);
    return machine_digest(rig->machine);
}

/* The base is before the VMCALL is finished. */
static Rig
rewound(unsigned cpus, const char *memory, CpuEngine engine)
{
    Rig rig = prepare_programs(cpus, memory, engine);

    machine_restore(rig.machine);
    return rig;
}

static uint64_t
soak_seeds(uint64_t in_ci, uint64_t *first)
{
    const char *soak = g_getenv("HEDDLE_SOAK");
    const char *from = g_getenv("HEDDLE_SEED");

    *first = from == NULL ? 1 : g_ascii_strtoull(from, NULL, 10);
    return soak == NULL ? in_ci
                        : 1000 * MAX(g_ascii_strtoull(soak, NULL, 10), 1);
}

/* Also: twice the same, whatever was decoded before. */
static void
try_engines(const char *memory, unsigned cpus, uint64_t seeds)
{
    g_auto(Rig) fiber = rewound(cpus, memory, CPU_ENGINE_FIBER);
    g_auto(Rig) stepwise = rewound(cpus, memory, CPU_ENGINE_STEPWISE);
    g_auto(Rig) common = rewound(cpus, memory, CPU_ENGINE_COMMON);
    const Rig *rigs[] = {&fiber, &stepwise, &common, &fiber};
    uint64_t first, count = soak_seeds(seeds, &first);

    for (uint64_t seed = first; seed < first + count; seed++) {
        uint64_t digest = 0;

        for (unsigned i = 0; i < G_N_ELEMENTS(rigs); i++) {
            uint64_t now;

            machine_restore(rigs[i]->machine);
            load_programs(rigs[i], seed, false);
            now = run_programs(rigs[i], seed, NULL, NULL);
            if (i == 0)
                digest = now;
            cr_assert_eq(now, digest,
                         "%s, %u cpus, seed %" PRIu64 ": rig %u differs",
                         memory, cpus, seed, i);
        }
    }
}

Test(cpu_memory_random, engines_agree_under_every_model, .timeout = 3600)
{
    static const char *const models[] = {
        "sc", "tso", "pso", "weak", "tso,depth=1", "weak,depth=3",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(models); i++) {
        try_engines(models[i], 2, 12);
        try_engines(models[i], 3, 6);
    }
}

static void
drain_everything(const Rig *rig, void *user)
{
    (void)user;
    machine_drain_all(rig->machine);
}

Test(cpu_memory_random, drained_after_every_step_all_models_are_sc,
     .timeout = 3600)
{
    static const char *const models[] = {"tso", "pso", "weak", "tso,depth=1"};
    g_auto(Rig) sc = rewound(3, "sc", CPU_ENGINE_FIBER);
    uint64_t first, count = soak_seeds(10, &first);

    for (size_t i = 0; i < G_N_ELEMENTS(models); i++) {
        g_auto(Rig) rig = rewound(3, models[i], CPU_ENGINE_FIBER);

        for (uint64_t seed = first; seed < first + count; seed++) {
            uint64_t wanted;

            machine_restore(sc.machine);
            machine_restore(rig.machine);
            load_programs(&sc, seed, false);
            load_programs(&rig, seed, false);
            wanted = run_programs(&sc, seed, drain_everything, NULL);
            cr_assert_eq(run_programs(&rig, seed, drain_everything, NULL),
                         wanted, "%s, seed %" PRIu64, models[i], seed);
        }
    }
}

/* Steps of plain instructions change no memory: that is for drains. */
typedef struct Still {
    uint8_t bytes[0x1000];
    unsigned counts[3];
    uint64_t seed;
} Still;

static void
expect_still(const Rig *rig, void *user)
{
    const uint8_t *bytes = machine_memory(rig->machine)->bytes + RIG_DATA;
    Still *still = user;
    bool drained = false;

    for (unsigned i = 0; i < machine_cpus(rig->machine); i++) {
        drained |= rig_buffered(rig, i) < still->counts[i];
        if (rig_buffered(rig, i) > 20) {
            Action action = {.kind = ACTION_DRAIN, .cpu = i};

            machine_perform(rig->machine, &action, 10);
            drained = true;
        }
        still->counts[i] = rig_buffered(rig, i);
    }
    if (!drained)
        cr_assert(memcmp(bytes, still->bytes, sizeof still->bytes) == 0,
                  "seed %" PRIu64, still->seed);
    memcpy(still->bytes, bytes, sizeof still->bytes);
}

Test(cpu_memory_random, steps_change_no_memory_however_late_loads_are,
     .timeout = 3600)
{
    g_auto(Rig) rig = rewound(3, "weak,depth=64", CPU_ENGINE_FIBER);
    uint64_t first, count = soak_seeds(40, &first);

    for (uint64_t seed = first; seed < first + count; seed++) {
        Still still = {.seed = seed};

        machine_restore(rig.machine);
        load_programs(&rig, seed, true);
        memcpy(still.bytes, machine_memory(rig.machine)->bytes + RIG_DATA,
               sizeof still.bytes);
        run_programs(&rig, seed, expect_still, &still);
    }
}

/* Saved and loaded in the middle; looking ahead and coming back. */
static void
go_and_come_back(const Rig *rig, void *user)
{
    g_autoptr(MachineSnapshot) snapshot = NULL;
    unsigned *turn = user;
    uint64_t digest;

    if (++*turn % 5 != 0)
        return;
    digest = machine_digest(rig->machine);
    snapshot = machine_save(rig->machine);
    machine_drain_all(rig->machine);
    if (*turn % 2 == 0)
        machine_restore(rig->machine);
    machine_load(rig->machine, snapshot);
    cr_assert_eq(machine_digest(rig->machine), digest);
    machine_check(rig->machine);
}

Test(cpu_memory_random, snapshots_keep_buffers_and_the_past, .timeout = 3600)
{
    static const char *const models[] = {"sc", "tso", "pso", "weak"};

    for (size_t m = 0; m < G_N_ELEMENTS(models); m++)
        for (size_t i = 0; i < G_N_ELEMENTS(rig_engines); i++) {
            g_auto(Rig) rig = rewound(2, models[m], rig_engines[i]);

            for (uint64_t seed = 1; seed <= 5; seed++) {
                unsigned turn = 0;
                uint64_t wanted;

                machine_restore(rig.machine);
                load_programs(&rig, seed, false);
                wanted = run_programs(&rig, seed, NULL, NULL);
                machine_restore(rig.machine);
                load_programs(&rig, seed, false);
                cr_assert_eq(run_programs(&rig, seed, go_and_come_back, &turn),
                             wanted, "%s, engine %zu, seed %" PRIu64, models[m],
                             i, seed);
            }
        }
}

/* Watched memory and calls take other ways through the hook. */
Test(cpu_memory_random, watching_changes_nothing)
{
    static const char *const models[] = {"sc", "tso", "pso", "weak"};
    uint64_t first, count = soak_seeds(12, &first);

    for (size_t m = 0; m < G_N_ELEMENTS(models); m++) {
        g_auto(Rig) plain = rewound(3, models[m], CPU_ENGINE_FIBER);
        g_auto(Rig) watched = rewound(3, models[m], CPU_ENGINE_FIBER);

        machine_watch_memory(watched.machine, RIG_DATA, 128);
        machine_watch_flow(watched.machine, true);
        for (uint64_t seed = first; seed < first + count; seed++) {
            uint64_t wanted;

            machine_restore(plain.machine);
            machine_restore(watched.machine);
            load_programs(&plain, seed, false);
            load_programs(&watched, seed, false);
            wanted = run_programs(&plain, seed, NULL, NULL);
            cr_assert_eq(run_programs(&watched, seed, NULL, NULL), wanted,
                         "%s, seed %" PRIu64, models[m], seed);
        }
    }
}
