/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random bytes as programs: no guest crashes or hangs heddle, two engines
 * agree on what it does, and nothing of it is left behind.
 *
 * A program is a page of bytes at 300000h, half of them the beginnings of
 * instructions that reach deep into the machine.  Whatever faults goes on a
 * few bytes further.  HEDDLE_FUZZ_SEEDS=first:count tries others.
 */
#include "base/base.h"

#include "machine_rig.h"

TestSuite(cpu_fuzz, .timeout = 300);

#define PROGRAM UINT64_C(0x300000)
#define TICKS 1500

static const char text[] =
    "main: jmp start_all\n"
    "body: vmcall; mov $0x300000, %eax; jmp *%rax\n"
    ".globl fuzz_error, fuzz_plain\n"
    "fuzz_error: add $8, %rsp\n"
    "fuzz_plain: push %rax; mov 8(%rsp), %rax; add $7, %rax; and $0xfff, %eax\n"
    " add $0x300000, %eax; mov %rax, 8(%rsp); movq $8, 16(%rsp)\n"
    " movq $0x202, 24(%rsp); movq $0x630000, 32(%rsp); movq $0x10, 40(%rsp)\n"
    " pop %rax; iretq\n";

/* Beginnings of instructions; the rest is random. */
static const char *const starts[] = {
    "\x0f\x01",         "\x0f\x00",         "\x0f\x20",
    "\x0f\x22",         "\x0f\x21",         "\x0f\x23",
    "\x0f\x30",         "\x0f\x32",         "\x0f\x05",
    "\x48\x0f\x07",     "\xcd",             "\xcc",
    "\xf1",             "\xf4",             "\xfb",
    "\xfa",             "\x9d",             "\x48\xcf",
    "\xcb",             "\x8e",             "\xff",
    "\xf0\x0f\xc1",     "\xf0\x48\x0f\xc7", "\x0f\xae",
    "\xf3\xa4",         "\xf3\x48\xab",     "\xf2\xae",
    "\x0f\xab",         "\xc8",             "\xc9",
    "\x6c",             "\xf3\x6e",         "\xe4",
    "\xee",             "\x0f\xa2",         "\x0f\x31",
    "\x44\x0f\x20\xc0", "\x44\x0f\x22\xc0", "\x0f\x01\xf8",
    "\x0f\x06",         "\x0f\x08",         "\x0f\x09",
    "\x0f\x0b",         "\x0f\x34",         "\x0f\x35",
    "\x66\x0f\xe7",     "\x0f\x2b",         "\xd9",
    "\xdb",             "\xdd",             "\xdf",
    "\xc4\xe2",         "\x62",             "\x0f\xb2",
    "\x0f\xb4",         "\x0f\xa1",         "\x0f\xa9",
    "\x8f",             "\x0f\x1a",         "\xc7\xf8",
    "\x48\xca",         "\x66\x67\x0f",     "\xeb\xfe",
    "\xe8",             "\xc3",             "\x48\x8d\x25",
    "\xc6\x05",         "\x48\x89\x05",     "\x48\xff\x2d",
};

static void
make_program(uint64_t seed, uint8_t bytes[PAGE_BYTES])
{
    Prng prng;

    prng_init(&prng, seed);
    for (unsigned at = 0; at < PAGE_BYTES;) {
        const char *start = starts[prng_below(&prng, G_N_ELEMENTS(starts))];

        if (prng_chance(&prng, 1, 2))
            for (; *start != '\0' && at < PAGE_BYTES; start++)
                bytes[at++] = (uint8_t)*start;
        for (uint64_t n = prng_below(&prng, 6); n > 0 && at < PAGE_BYTES; n--)
            bytes[at++] = (uint8_t)prng_next(&prng);
    }
}

/* Registers that often point somewhere, and often do not. */
static uint64_t
make_register(Prng *prng)
{
    static const uint64_t bases[] = {
        0x600000, 0x300000, 0xffff800000300000, 0xffffffff80600000,
        0x7fffe0, 0xfee00000, 0xffff8000fee00300, 0x1000, 0x220000,
        0, 0x10000000, 0xffff7ffffffffff0, 0x3fffffff8, 0xc0000080,
    };
    uint64_t base = bases[prng_below(prng, G_N_ELEMENTS(bases))];

    return prng_chance(prng, 1, 4) ? prng_next(prng)
                                   : base + prng_below(prng, 0x400);
}

static void
load_program(const Rig *rig, uint64_t seed)
{
    uint8_t bytes[PAGE_BYTES];
    Prng prng;

    make_program(seed, bytes);
    cr_assert(gmem_write(machine_memory(rig->machine), PROGRAM, bytes,
                         sizeof bytes));
    code_forget(machine_code(rig->machine), PROGRAM, sizeof bytes);
    prng_init(&prng, ~seed);
    for (unsigned i = 0; i < machine_cpus(rig->machine); i++) {
        Cpu *cpu = machine_cpu(rig->machine, i);

        cpu_code_changed(cpu, PROGRAM, sizeof bytes);
        for (unsigned r = 0; r < GPR_COUNT; r++)
            if (r != GPR_RSP)
                cpu_set_register(cpu, r, make_register(&prng));
        machine_finish_hypercall(rig->machine, i, 0);
    }
    machine_rebase(rig->machine);
}

static uint64_t
run_program(const Rig *rig, uint64_t seed)
{
    g_autofree Actions *actions = g_new(Actions, 1);
    ticks_t end = machine_clock(rig->machine) + TICKS;
    Prng prng;

    prng_init(&prng, seed * 3);
    while (machine_clock(rig->machine) < end) {
        Action action;
        ticks_t before = machine_clock(rig->machine);
        uint64_t steps = 1 + prng_below(&prng, 40);

        machine_list_actions(rig->machine, actions);
        if (actions->count == 0)
            break;
        action = action_at(actions, (unsigned)prng_below(&prng,
                                                         actions->count));
        if (machine_perform(rig->machine, &action, steps) ==
            CPU_STOP_HYPERCALL)
            machine_finish_hypercall(rig->machine, action.cpu, 0);
        if (action.kind == ACTION_STEP)
            cr_assert_leq(machine_clock(rig->machine) - before, steps + 1,
                          "seed %" PRIu64, seed);
    }
    machine_check(rig->machine);
    return machine_digest(rig->machine);
}

static Rig
prepare(CpuEngine engine)
{
    Rig rig = rig_new(text, 2, engine);

    rig_go(&rig, 3000);
    for (unsigned v = 0; v < 32; v++) {
        bool error = v == 8 || (v >= 10 && v <= 14) || v == 17;

        rig_set_gate(&rig, v, rig_symbol(&rig, error ? "fuzz_error"
                                                     : "fuzz_plain"),
                     1, v == 3 || v == 4 ? 0x6e : 0x0e);
    }
    machine_rebase(rig.machine);
    return rig;
}

static void
try_seeds(uint64_t first, uint64_t count)
{
    g_auto(Rig) fiber = prepare(CPU_ENGINE_FIBER);
    g_auto(Rig) step = prepare(CPU_ENGINE_STEPWISE);
    g_auto(Rig) common = prepare(CPU_ENGINE_COMMON);
    g_autoptr(MachineSnapshot) fresh = machine_save(fiber.machine);
    g_autoptr(MachineSnapshot) fresh_step = machine_save(step.machine);
    g_autoptr(MachineSnapshot) fresh_common = machine_save(common.machine);
    Gmem *memory = machine_memory(fiber.machine);
    g_autofree uint8_t *copy = g_malloc(memory->size);

    for (uint64_t seed = first; seed < first + count; seed++) {
        uint64_t digest;

        machine_load(fiber.machine, fresh);
        machine_load(step.machine, fresh_step);
        machine_load(common.machine, fresh_common);
        load_program(&fiber, seed);
        load_program(&common, seed);
        load_program(&step, seed);
        memcpy(copy, memory->bytes, memory->size);
        digest = run_program(&fiber, seed);
        cr_expect_eq(run_program(&step, seed), digest,
                     "seed %" PRIu64 ": the engines differ", seed);
        cr_expect_eq(run_program(&common, seed), digest,
                     "seed %" PRIu64 ": a common engine differs", seed);
        machine_restore(fiber.machine);
        machine_restore(step.machine);
        machine_restore(common.machine);
        cr_expect(memcmp(copy, memory->bytes, memory->size) == 0,
                  "seed %" PRIu64 ": something is left behind", seed);
        memcpy(memory->bytes, copy, memory->size);
        cr_expect_eq(run_program(&fiber, seed), digest,
                     "seed %" PRIu64 ": the second run differs", seed);
        machine_restore(fiber.machine);
    }
}

Test(cpu_fuzz, random_bytes_neither_crash_nor_hang_nor_differ)
{
    const char *wish = g_getenv("HEDDLE_FUZZ_SEEDS");
    uint64_t first = 1, count = 250;

    if (wish != NULL) {
        first = g_ascii_strtoull(wish, NULL, 10);
        count = g_ascii_strtoull(strchr(wish, ':') + 1, NULL, 10);
    }
    try_seeds(first, count);
}

/* Each of these once crashed heddle, was executed differently by two engines,
 * or left something behind. */
Test(cpu_fuzz, what_was_found_once_is_not_found_again)
{
    static const uint64_t seeds[] = {
        55,   80,   100,  133,  162,  329,  568,  820,  979,  1037,
        1226, 1473, 3325, 3827, 4406, 6619, 6683, 7104, 9867,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(seeds); i++)
        try_seeds(seeds[i], 1);
}
