/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads and stores of real instructions under the memory models: what is
 * buffered, what drains it, and who sees it.
 */
#include "base/base.h"

#include "memory_rig.h"

TestSuite(cpu_memory, .timeout = 60);

/* --- Every kind of store -------------------------------------------------- */

typedef struct Kind {
    const char *text;
    unsigned stores; /* that are in the buffer afterwards, one was before */
} Kind;

#define BEFORE "movq $1, 0x600100\n"

static const Kind kinds[] = {
    {"nop", 1},
    {"movb $5, 0x600000", 2},
    {"movw $5, 0x600001", 2},
    {"movl $5, 0x600003", 2},
    {"movq $5, 0x600001", 2},
    {"movups %xmm0, 0x600008", 3},
    {"movq %rsp, 0x60003c", 3},
    {"movq %rsp, 0x600ffc", 3},
    {"movups %xmm0, 0x60003c", 4},
    {"push %rsp", 2},
    {"pushq 0x600000", 2},
    {"popq 0x600000; sub $8, %rsp", 2},
    {"call 1f; 1: add $8, %rsp", 2},
    {"mov $5, %ecx; mov $0x600000, %edi; rep stosb", 6},
    {"mov $0, %ecx; mov $0x600000, %edi; rep stosb", 1},
    {"mov $3, %ecx; mov $0x600000, %edi; mov $0x600100, %esi; rep movsq", 4},
    {"xchg %rsp, 0x600000; xchg %rsp, 0x600000", 0},
    {"lock addq $3, 0x600000", 0},
    {"xor %eax, %eax; inc %eax; lock cmpxchg %rsp, 0x600000", 0},
    {"xor %eax, %eax; lock cmpxchg %rsp, 0x600000", 0},
    {"incq 0x600000", 2},
    {"xor %eax, %eax; inc %eax; cmpxchg %rsp, 0x600000", 2},
    {"xor %eax, %eax; cmpxchg %rsp, 0x600000", 2},
    {"enter $16, $0; leave", 2},
    {"movnti %rsp, 0x600000", 2},
    {"movnti %rsp, 0x600000; sfence; mov %rsp, 0x600008", 3},
    {"sfence", 1},
    {"lfence", 1},
    {"mfence", 0},
    {"cpuid", 0},
    {"in $0x80, %al", 0},
    {"out %al, $0x80", 0},
    {"mov %cr3, %rax; mov %rax, %cr3", 0},
    {"mov %rsp, %dr0", 0},
    {"mov %cr8, %rax", 1},
    {"rdtsc", 1},
    {"pause", 1},
    {"invlpg 0x600000", 0},
    {"wbinvd", 0},
    {"lgdt gdtr", 0},
    {"mov $0x10, %eax; mov %eax, %ds", 0},
    {"mov $APIC+0x80, %eax; movl $0, (%rax)", 0},
    {"mov $APIC+0x80, %eax; mov (%rax), %eax", 0},
    {"mov $0x1b, %ecx; rdmsr", 1},
    {"msr 0xc0000103, 7", 0},
    {"msr 0xc0000082, 0x12345", 0},
    {"bts $3, 0x600000", 2},
    {"bt $3, 0x600000", 1},
    {"sgdt 0x600000", 3},
    {"fxsave 0x600000", 0},
    {"fstpt 0x600000", 3},
    {"setc 0x600000", 2},
    {"mov %cs, 0x600000", 2},
};

static void
compare_ram(const Rig *a, const Rig *b, const char *text)
{
    const Gmem *ram_a = machine_memory(a->machine);
    const Gmem *ram_b = machine_memory(b->machine);

    cr_expect(
        memcmp(ram_a->bytes + RIG_DATA, ram_b->bytes + RIG_DATA, 0x2000) == 0,
        "%s: data differ", text);
    cr_expect(
        memcmp(ram_a->bytes + 0x480000, ram_b->bytes + 0x480000, 0x4000) == 0,
        "%s: stacks differ", text);
}

Test(cpu_memory, every_kind_of_store_is_buffered_and_every_fence_drains)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const char *text = kinds[i].text;
        g_autofree char *body = g_strconcat("movups 0x600010, %xmm0\n" BEFORE,
                                            text, "; done\n", NULL);
        g_auto(Rig) sc = rig_start(body, 1, "sc");
        g_auto(Rig) tso = rig_start(body, 1, "tso");
        g_auto(Rig) one = rig_start(body, 1, "tso,depth=1");
        unsigned count;

        rig_to_vmcall(&sc, 0);
        rig_to_vmcall(&tso, 0);
        rig_to_vmcall(&one, 0);
        count = rig_buffered(&tso, 0);
        cr_expect_eq(count, kinds[i].stores, "%s: %u", text, count);
        cr_expect_leq(rig_buffered(&one, 0), 1, "%s: %u", text,
                      rig_buffered(&one, 0));
        cr_expect_eq(rig_buffered(&sc, 0), 0, "%s", text);
        machine_check(tso.machine);
        for (gva_t at = RIG_DATA; at < RIG_DATA + 0x200; at += 8)
            cr_assert_eq(rig_seen(&tso, 0, at), rig_u64(&sc, at),
                         "%s: as seen at %" PRIx64, text, at);
        machine_drain_all(tso.machine);
        machine_drain_all(one.machine);
        compare_ram(&tso, &sc, text);
        compare_ram(&one, &sc, text);
        for (unsigned r = 0; r < GPR_COUNT; r++)
            cr_expect_eq(rig_reg(&tso, 0, r), rig_reg(&sc, 0, r),
                         "%s: register %u", text, r);
    }
}

Test(cpu_memory, x2apic_registers_do_not_drain)
{
    g_auto(Rig) rig = rig_start("msr 0x1b, (0xfee00c00); " BEFORE
                                " msr 0x83f, 0x46\n done\n",
                                1, "tso");

    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_buffered(&rig, 0), 1);
    cr_expect_eq(rig_u64(&rig, 0x600100), 0);
}

Test(cpu_memory, a_masked_move_stores_what_the_mask_says)
{
    g_auto(Rig) rig = rig_start(
        "test %edi, %edi; jnz 1f\n"
        " mov $0x80, %eax; movq %rax, %xmm1; pcmpeqd %xmm0, %xmm0\n"
        " mov $0x600000, %edi; maskmovdqu %xmm1, %xmm0; vmcall\n"
        "1: movb $7, 0x600001; mfence; done\n",
        2, "tso");

    rig_to_vmcall(&rig, 0);
    rig_to_vmcall(&rig, 1);
    machine_drain_all(rig.machine);
    cr_expect_eq(rig_u64(&rig, RIG_DATA), 0x7ff, "%" PRIx64,
                 rig_u64(&rig, RIG_DATA));
}

/* --- Interrupts and exceptions -------------------------------------------- */

Test(cpu_memory, an_exception_drains_and_its_frame_is_buffered)
{
    g_auto(Rig) rig = rig_start(BEFORE "ud: ud2; done\n", 1, "tso");

    rig_step(&rig, 0, 2);
    cr_expect_eq(rig_u64(&rig, 0x600100), 1);
    cr_expect_eq(rig_buffered(&rig, 0), 5);
    cr_expect_eq(rig_seen(&rig, 0, rig_reg(&rig, 0, GPR_RSP)),
                 rig_symbol(&rig, "ud"));
}

Test(cpu_memory, an_interrupt_drains_and_its_frame_is_buffered)
{
    g_auto(Rig) rig = rig_start("sti; nop; " BEFORE "1: jmp 1b\n", 1, "tso");
    LapicMessage message = {.vector = 0x45};

    rig_step(&rig, 0, 4);
    cr_assert_eq(rig_buffered(&rig, 0), 1);
    cpu_receive(machine_cpu(rig.machine, 0), &message);
    machine_refresh(rig.machine);
    rig_step(&rig, 0, 1);
    cr_expect_eq(rig_u64(&rig, 0x600100), 1);
    cr_expect_eq(rig_buffered(&rig, 0), 5);
    rig_step(&rig, 0, 1000);
    machine_drain_all(rig.machine);
    cr_expect_eq(rig_taken(&rig, 0, 0x45), 1);
}

Test(cpu_memory, iret_drains)
{
    g_auto(Rig) rig = rig_start(
        "mov %rsp, %rax; push $0x10; push %rax; pushf; push $8\n"
        " push $1f; " BEFORE "iretq\n1: done\n",
        1, "tso");

    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_buffered(&rig, 0), 0);
}

/* A store that faults, wholly or half way, is none. */
Test(cpu_memory, stores_that_fault_leave_what_they_leave_under_sc)
{
    static const char *const texts[] = {
        "movq $5, 0x700",
        "movq $5, 0x900000",
        "movups %xmm0, 0x7ffff8",
        "pushq 0x900000",
        "mov $0x900000, %esi; mov $0x600000, %edi; movsq",
        "fxsave 0x7fff00",
        "incq 0x900000",
        "popq 0x900000",
        "mov $9, %ecx; mov $0x7fffe0, %edi; rep stosq",
        "fstpt 0x7ffffc",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *body = g_strconcat(
            "expect 8f; movq $-1, 0x600000; movq $-1, 0x7ffff8\n", BEFORE,
            texts[i], "\n 8: done\n", NULL);
        g_auto(Rig) sc = rig_start(body, 1, "sc");
        g_auto(Rig) tso = rig_start(body, 1, "tso");
        g_auto(Rig) weak = rig_start(body, 1, "weak,depth=2");

        rig_to_vmcall(&sc, 0);
        rig_to_vmcall(&tso, 0);
        rig_to_vmcall(&weak, 0);
        cr_expect_eq(rig_saw(&sc, 0, SAW_TRAPS), 1, "%s", texts[i]);
        machine_drain_all(tso.machine);
        machine_drain_all(weak.machine);
        cr_expect_eq(machine_digest(tso.machine), machine_digest(sc.machine),
                     "%s", texts[i]);
        cr_expect_eq(machine_digest(weak.machine), machine_digest(sc.machine),
                     "%s", texts[i]);
    }
}

Test(cpu_memory, a_full_buffer_does_not_keep_a_core_from_halting)
{
    g_auto(Rig)
        rig = rig_start("mov $64, %ecx; mov $0x600000, %edi; mov $1, %al\n"
                        " rep stosb; cli; hlt\n",
                        1, "tso");
    CpuStop stop;

    rig_step(&rig, 0, 1000);
    cr_expect_eq(rig_activity(&rig, 0), CPU_HALTED);
    cr_expect_eq(rig_buffered(&rig, 0), 32);
    cr_expect(rig_act(&rig, ACTION_DRAIN, 0, 64, &stop));
    cr_expect_eq(rig_buffered(&rig, 0), 0);
    cr_expect_not(rig_act(&rig, ACTION_DRAIN, 0, 64, &stop));
    cr_expect_eq(rig_u64(&rig, RIG_DATA + 56), 0x0101010101010101);
    machine_check(rig.machine);
}

/* INIT arrives: what was buffered is visible, and nothing is left to drain. */
Test(cpu_memory, init_drains)
{
    g_auto(Rig) rig = rig_start("test %edi, %edi; jz 1f; " BEFORE "2: jmp 2b\n"
                                "1: apic 0x300, 0xc4500\n done\n",
                                2, "tso");
    CpuStop stop;

    rig_step(&rig, 1, 5);
    cr_assert_eq(rig_buffered(&rig, 1), 1);
    rig_to_vmcall(&rig, 0);
    cr_assert(rig_act(&rig, ACTION_DELIVER, 1, 1, &stop));
    cr_expect_eq(rig_u64(&rig, 0x600100), 1);
    cr_expect_eq(rig_activity(&rig, 1), CPU_WAIT_SIPI);
    cr_expect_not(rig_act(&rig, ACTION_DRAIN, 1, 1, &stop));
    machine_check(rig.machine);
}

/* --- Two cores ------------------------------------------------------------ */

Test(cpu_memory, an_unlocked_increment_is_a_load_and_a_store)
{
    static const char *const models[] = {"sc", "tso", "pso", "weak"};
    static const char *const texts[] = {"incq 0x600000", "lock incq 0x600000"};

    for (size_t m = 0; m < G_N_ELEMENTS(models); m++)
        for (unsigned locked = 0; locked < 2; locked++) {
            g_autofree char *body = g_strconcat(texts[locked], "; done\n",
                                                NULL);
            g_auto(Rig) rig = rig_start(body, 2, models[m]);

            rig_step(&rig, 0, 1);
            cr_expect_eq(rig_buffered(&rig, 0), !locked, "%s", models[m]);
            rig_step(&rig, 1, 1);
            machine_check(rig.machine);
            machine_drain_all(rig.machine);
            cr_expect_eq(rig_u64(&rig, RIG_DATA), locked ? 2 : 1, "%s %s",
                         models[m], texts[locked]);
        }
}

Test(cpu_memory, under_sc_a_core_goes_on_with_its_other_half_first)
{
    g_auto(Rig) rig = rig_start(
        "test %edi, %edi; jnz 1f\n incq 0x600000; movq $5, 0x600008; done\n"
        "1: mov 0x600008, %rax; mov 0x600000, %rbx; done\n",
        2, "sc");

    rig_step(&rig, 0, 3);
    cr_expect_eq(rig_buffered(&rig, 0), 1);
    cr_expect_eq(rig_u64(&rig, RIG_DATA), 0);
    rig_step(&rig, 0, 1);
    cr_expect_eq(rig_buffered(&rig, 0), 0);
    rig_to_vmcall(&rig, 1);
    cr_expect_eq(rig_reg(&rig, 1, GPR_RAX), 5);
    cr_expect_eq(rig_reg(&rig, 1, GPR_RBX), 1);
}

Test(cpu_memory, both_cores_read_zero_when_stores_are_buffered)
{
    static const char body[] =
        "test %edi, %edi; jnz 1f\n movq $1, 0x600000; mov 0x600040, %rax\n"
        " done\n1: movq $1, 0x600040; mov 0x600000, %rax; done\n";
    g_auto(Rig) rig = rig_start(body, 2, "tso");

    rig_to_vmcall(&rig, 0);
    rig_to_vmcall(&rig, 1);
    cr_expect_eq(rig_reg(&rig, 0, GPR_RAX), 0);
    cr_expect_eq(rig_reg(&rig, 1, GPR_RAX), 0);
    machine_drain_all(rig.machine);
    cr_expect_eq(rig_u64(&rig, RIG_DATA), 1);
    cr_expect_eq(rig_u64(&rig, RIG_DATA + 64), 1);
}

/* --- Stores to instructions ----------------------------------------------- */

/* What is stored is not code when it is stored: nobody came there before.
 * 48 c7 c0 05 00 00 00 c3 is mov $5, %rax; ret. */

Test(cpu_memory, a_core_executes_what_it_has_just_stored)
{
    static const char body[] =
        "mov $0xc300000005c0c748, %rbx; mov %rbx, 0x610000\n"
        " mov $0x610000, %ecx; call *%rcx; mov %rax, %r12\n"
        " movb $6, 0x610003; call *%rcx; mov %rax, %r13; done\n";

    for (size_t i = 0; i < G_N_ELEMENTS(rig_engines); i++) {
        g_auto(Rig) rig = rig_start_on(body, 1, "tso", rig_engines[i]);

        for (unsigned n = 0; n < 40; n++)
            if (rig_activity(&rig, 0) == CPU_ACTIVE)
                rig_step(&rig, 0, 1);
        cr_expect_eq(rig_reg(&rig, 0, GPR_R12), 5);
        cr_expect_eq(rig_reg(&rig, 0, GPR_R13), 6);
        machine_check(rig.machine);
    }
}

/* It is buffered while another core makes instructions of what lies below. */
Test(cpu_memory, a_store_that_becomes_visible_in_instructions_is_told)
{
    static const char body[] = "mov $0x610000, %ecx; test %edi, %edi; jnz 1f\n"
                               " vmcall; movb $6, 0x610003; vmcall; nop; done\n"
                               "1: call *%rcx; mov %rax, %r12; vmcall\n"
                               " call *%rcx; mov %rax, %r13; done\n";

    for (size_t i = 0; i < G_N_ELEMENTS(rig_engines); i++) {
        g_auto(Rig) rig = rig_start_on(body, 2, "tso", rig_engines[i]);
        uint64_t code = 0xc300000005c0c748;

        cr_assert(
            machine_write(rig.machine, MACHINE_NOBODY, 0x610000, &code, 8));
        rig_to_vmcall(&rig, 0);
        rig_continue(&rig, 0);
        rig_to_vmcall(&rig, 0);
        cr_expect_eq(rig_buffered(&rig, 0), 1, "engine %zu", i);
        rig_to_vmcall(&rig, 1);
        cr_expect_eq(rig_reg(&rig, 1, GPR_R12), 5, "engine %zu", i);
        rig_continue(&rig, 0);
        rig_step(&rig, 0, 1); /* shown and hidden again */
        machine_drain_all(rig.machine);
        rig_continue(&rig, 1);
        rig_to_vmcall(&rig, 1);
        cr_expect_eq(rig_reg(&rig, 1, GPR_R13), 6, "engine %zu", i);
    }
}

Test(cpu_memory, a_store_to_decoded_instructions_is_buffered_like_any_other)
{
    static const char body[] =
        "mov $0x610000, %ecx; test %edi, %edi; jnz 1f\n"
        " call *%rcx; mov %rax, %r12; movb $6, 0x610003; call *%rcx\n"
        " mov %rax, %r13; done\n"
        "1: call *%rcx; mov %rax, %r12; vmcall\n"
        " call *%rcx; mov %rax, %r13; done\n";

    for (size_t i = 0; i < G_N_ELEMENTS(rig_engines); i++) {
        g_auto(Rig) rig = rig_start_on(body, 2, "weak", rig_engines[i]);
        uint64_t code = 0xc300000005c0c748;

        cr_assert(
            machine_write(rig.machine, MACHINE_NOBODY, 0x610000, &code, 8));
        for (unsigned n = 0; n < 40; n++)
            if (rig_activity(&rig, 0) == CPU_ACTIVE)
                rig_step(&rig, 0, 1 + n % 3);
        cr_expect_eq(rig_reg(&rig, 0, GPR_R12), 5, "engine %zu", i);
        cr_expect_eq(rig_reg(&rig, 0, GPR_R13), 6, "engine %zu", i);
        rig_to_vmcall(&rig, 1);
        cr_expect_eq(rig_reg(&rig, 1, GPR_R12), 5, "engine %zu", i);
        machine_drain_all(rig.machine);
        rig_continue(&rig, 1);
        rig_to_vmcall(&rig, 1);
        cr_expect_eq(rig_reg(&rig, 1, GPR_R13), 6, "engine %zu", i);
    }
}

/* --- From outside --------------------------------------------------------- */

typedef struct Spy {
    Rig *rig;
    uint64_t own, other, all;
    unsigned told;
} Spy;

static void
spy_at_point(void *user, unsigned cpu, gva_t rip)
{
    Spy *spy = user;

    (void)rip;
    spy->told++;
    spy->own = rig_seen(spy->rig, cpu, RIG_DATA);
    spy->other = rig_seen(spy->rig, cpu ^ 1, RIG_DATA);
    spy->all = rig_seen(spy->rig, MACHINE_NOBODY, RIG_DATA);
}

/* From within a core's slice as from between: its own view, another's, and
 * what all agree on. */
Test(cpu_memory, reading_is_right_while_a_core_runs)
{
    g_auto(Rig)
        rig = rig_start("movq $5, 0x600000\nhere: nop; done\n", 2, "tso");
    Spy spy = {.rig = &rig};
    MachineWatch watch = {.point = spy_at_point, .user = &spy};

    code_mark(machine_code(rig.machine), rig_symbol(&rig, "here"), CODE_POINT);
    machine_watch(rig.machine, &watch);
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(spy.told, 1);
    cr_expect_eq(spy.own, 5, "its own: %" PRIx64, spy.own);
    cr_expect_eq(spy.other, 0, "another's: %" PRIx64, spy.other);
    cr_expect_eq(spy.all, 0, "all: %" PRIx64, spy.all);
}

static void
break_at_point(void *user, unsigned cpu, gva_t rip)
{
    (void)rip;
    machine_break(user, cpu);
}

/* The tape of a directed run has the steps that were made: a slice that was
 * ended by a point is played as one of that length, whose last is whole. */
Test(cpu_memory, a_slice_that_was_ended_is_one_of_that_many_steps)
{
    static const char *const models[] = {"sc", "tso", "weak"};

    for (size_t m = 0; m < G_N_ELEMENTS(models); m++) {
        g_auto(Rig) rig = rig_start("nop; incq 0x600000\nhere: nop; done\n", 2,
                                    models[m]);
        MachineWatch watch = {.point = break_at_point, .user = rig.machine};
        ticks_t before;
        uint64_t digest;

        machine_restore(rig.machine);
        code_mark(machine_code(rig.machine), rig_symbol(&rig, "here"),
                  CODE_POINT);
        machine_watch(rig.machine, &watch);
        rig_continue(&rig, 0);
        before = machine_clock(rig.machine);
        rig_step(&rig, 0, 1000);
        before = machine_clock(rig.machine) - before;
        cr_assert_eq(before, 2);
        cr_expect_eq(cpu_rip(machine_cpu(rig.machine, 0)),
                     rig_symbol(&rig, "here"));
        digest = rig_buffered(&rig, 0);
        machine_restore(rig.machine);
        rig_continue(&rig, 0);
        machine_perform(
            rig.machine,
            &(Action){.kind = ACTION_STEP, .cpu = 0, .number = 1}, before);
        cr_expect_eq(rig_buffered(&rig, 0), digest, "%s", models[m]);
    }
}

Test(cpu_memory, writing_in_a_cores_stead_goes_into_its_buffer)
{
    static const char *const models[] = {"sc", "tso", "weak"};

    for (size_t m = 0; m < G_N_ELEMENTS(models); m++) {
        g_auto(Rig) rig = rig_start("incq 0x600000; nop; done\n", 2, models[m]);
        uint64_t value = 0x1122334455667788;

        rig_step(&rig, 0, 1);
        cr_assert(machine_write(rig.machine, 0, RIG_DATA + 4, &value, 8));
        cr_expect_eq(rig_seen(&rig, 0, RIG_DATA), 0x5566778800000001);
        cr_expect_eq(rig_seen(&rig, 0, RIG_DATA + 8), 0x11223344);
        machine_check(rig.machine);
        /* the older store is not overtaken */
        if (rig_buffered(&rig, 0) > 0)
            cr_expect_eq(rig_u64(&rig, RIG_DATA + 8), 0, "%s", models[m]);
        machine_drain_all(rig.machine);
        cr_expect_eq(rig_u64(&rig, RIG_DATA), 0x5566778800000001);
        cr_expect_eq(rig_u64(&rig, RIG_DATA + 8), 0x11223344);
    }
}
