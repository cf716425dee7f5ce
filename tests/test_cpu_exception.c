/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every exception goes to the guest's own handler, with the right vector,
 * error code, address and stack.
 */
#include "base/base.h"

#include "machine_rig.h"

TestSuite(cpu_exception, .timeout = 60);

typedef struct Case {
    const char *name, *text; /* `bad:` is the faulting instruction */
    unsigned vector;
    uint64_t error, cr2;
} Case;

/* Run `text`, and see what the first exception brought. */
static void
check(const Case *c)
{
    g_autofree char *text = g_strconcat(
        "main: expect after\n", c->text, "\nafter: done\n",
        strstr(c->text, "bad:") != NULL ? ".globl bad\n" : "", NULL);
    g_auto(Rig) rig = rig_run(text, 1);

    cr_expect_eq(rig_saw(&rig, 0, SAW_TRAPS), 1, "%s", c->name);
    cr_expect_eq(rig_saw(&rig, 0, SAW_VECTOR), c->vector, "%s: vector %" PRIu64,
                 c->name, rig_saw(&rig, 0, SAW_VECTOR));
    cr_expect_eq(rig_saw(&rig, 0, SAW_ERROR), c->error, "%s: error %" PRIx64,
                 c->name, rig_saw(&rig, 0, SAW_ERROR));
    cr_expect_eq(rig_saw(&rig, 0, SAW_RIP),
                 c->vector == 14 && strstr(c->text, "bad:") == NULL
                     ? c->cr2 /* of a fetch */
                     : rig_symbol(&rig, "bad"),
                 "%s: rip %" PRIx64, c->name, rig_saw(&rig, 0, SAW_RIP));
    cr_expect_eq(rig_saw(&rig, 0, SAW_CS), 8, "%s", c->name);
    if (c->vector == 14)
        cr_expect_eq(rig_saw(&rig, 0, SAW_CR2), c->cr2, "%s: cr2 %" PRIx64,
                     c->name, rig_saw(&rig, 0, SAW_CR2));
}

Test(cpu_exception, each_has_its_vector_error_code_and_address)
{
    static const Case cases[] = {
        {"divide", "xor %ecx, %ecx\nbad: div %ecx", 0, 0, 0},
        {"ud2", "bad: ud2", 6, 0, 0},
        {"bad opcode in 64-bit mode", "bad: .byte 0x06", 6, 0, 0},
        {"null read", "xor %eax, %eax\nbad: mov 8(%rax), %rbx", 14, 0, 8},
        {"null write", "xor %eax, %eax\nbad: mov %rbx, 8(%rax)", 14, 2, 8},
        {"hole read", "mov $0x10000000, %eax\nbad: mov (%rax), %bl", 14, 0,
         0x10000000},
        {"hole write", "mov $0x10000000, %eax\nbad: incb (%rax)", 14, 2,
         0x10000000},
        {"last bytes of RAM", "mov $0x7ffffc, %eax\nbad: mov (%rax), %rbx", 14,
         0, 0x800000},
        {"high hole", "mov $0xffffffffc0000000, %rax\nbad: mov %rbx, (%rax)",
         14, 2, 0xffffffffc0000000},
        {"hole locked", "mov $0x10000000, %eax\nbad: lock incq (%rax)", 14, 2,
         0x10000000},
        {"not canonical",
         "mov $0x1234567812345678, %rax\nbad: mov (%rax), %rbx", 13, 0, 0},
        {"not canonical write",
         "mov $0x8000000000000000, %rax\nbad: mov %rbx, (%rax)", 13, 0, 0},
        {"fetch from a hole", "mov $0x10000000, %rax; jmp *%rax", 14, 0,
         0x10000000},
        {"jump to null", "xor %eax, %eax; jmp *%rax", 14, 0, 0},
        {"call to null", "xor %eax, %eax; call *%rax", 14, 0, 0},
        {"call into the null page", "mov $0x123, %eax; call *%rax", 14, 0,
         0x123},
        {"jump to null with NX in use",
         "msr 0xc0000080, 0xd00; xor %eax, %eax; jmp *%rax", 14, 16, 0},
        {"jump into a hole with NX in use",
         "msr 0xc0000080, 0xd00; mov $0x10000000, %eax; jmp *%rax", 14, 16,
         0x10000000},
        {"selector beyond the GDT", "mov $0x1230, %eax\nbad: mov %eax, %ds", 13,
         0x1230, 0},
        {"int without a gate",
         "lidt small\nbad: int $0x80\n.data\nsmall: .word 0x3ff; .quad idt\n"
         ".text", 13, 0x80 * 8 + 2, 0},
        {"rdmsr of an unknown one", "mov $0x12345, %ecx\nbad: rdmsr", 13, 0, 0},
        {"wrmsr of an unknown one", "mov $0x12345, %ecx\nbad: wrmsr", 13, 0, 0},
        {"cr8 above 15", "mov $16, %eax\nbad: mov %rax, %cr8", 13, 0, 0},
        {"iret to a bad selector",
         "push $0x10; push %rsp; push $2; push $0x1230; push $after\n"
         "bad: iretq", 13, 0x1230, 0},
        {"lock on a register", "bad: .byte 0xf0, 0x01, 0xc0", 6, 0, 0},
        {"popcnt", "bad: popcnt %eax, %eax", 6, 0, 0},
        {"rdrand", "bad: rdrand %eax", 6, 0, 0},
        {"monitor", "bad: monitor", 6, 0, 0},
        {"syscall while it is off",
         "msr 0xc0000080, 0x500\nbad: syscall", 6, 0, 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        check(&cases[i]);
}

Test(cpu_exception, breakpoint_and_int_push_the_address_behind)
{
    g_auto(Rig) rig = rig_run("main: int3\n.globl behind, behind_int\n"
                              "behind: nop; vmcall\n"
                              " int $0x50\nbehind_int: done\n", 1);

    cr_expect_eq(rig_saw(&rig, 0, SAW_VECTOR), 3);
    cr_expect_eq(rig_saw(&rig, 0, SAW_RIP), rig_symbol(&rig, "behind"));
    rig_continue(&rig, 0);
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_taken(&rig, 0, 0x50), 1);
    cr_expect_eq(rig_saw(&rig, 0, SAW_IRQ_RIP), rig_symbol(&rig, "behind_int"));
}

Test(cpu_exception, single_step_traps_after_each_instruction)
{
    g_auto(Rig) rig = rig_run("main: pushfq; orq $0x100, (%rsp); popfq\n"
                              " nop; xor %eax, %eax; inc %eax\n"
                              " pushfq; andq $~0x100, (%rsp); popfq\n"
                              " done\n", 1);

    cr_expect_eq(rig_taken(&rig, 0, 1), 6, "%u", rig_taken(&rig, 0, 1));
}

Test(cpu_exception, single_step_sees_instructions_that_heddle_executes)
{
    g_auto(Rig) rig = rig_run("main: pushfq; orq $0x100, (%rsp); popfq\n"
                              " cpuid; rdtsc; mov %cr8, %rax\n"
                              " pushfq; andq $~0x100, (%rsp); popfq\n"
                              " done\n", 1);

    cr_expect_eq(rig_taken(&rig, 0, 1), 6, "%u", rig_taken(&rig, 0, 1));
}

Test(cpu_exception, the_ist_stack_is_used_when_the_gate_names_one)
{
    g_auto(Rig) rig = rig_new("main: vmcall; expect after\n ud2\nafter: done\n",
                              1, CPU_ENGINE_FIBER);

    rig_to_vmcall(&rig, 0);
    rig_set_gate(&rig, 6, rig_symbol(&rig, "stubs") + 6 * 16, 1, 0x0e);
    rig_continue(&rig, 0);
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_saw(&rig, 0, SAW_FRAME), 0x521000 - 40);
    cr_expect_eq(rig_saw(&rig, 0, SAW_RSP), 0x482000);
    cr_expect_eq(rig_saw(&rig, 0, SAW_SS), 0x10);
}

Test(cpu_exception, a_frame_is_aligned_to_sixteen_bytes)
{
    g_auto(Rig) rig = rig_run("main: sub $5, %rsp; expect after; ud2\n"
                              "after: done\n", 1);

    cr_expect_eq(rig_saw(&rig, 0, SAW_RSP), 0x482000 - 5);
    cr_expect_eq(rig_saw(&rig, 0, SAW_FRAME) + 40, 0x482000 - 16);
}

#define TO_USER                                                                \
    "main: mov %rsp, %rax; mov %rax, %gs:120\n"                                \
    " push $0x23; push $0x608000; push $0x3202; push $0x2b; push $user\n"      \
    " iretq\n"

Test(cpu_exception, user_mode_enters_by_rsp0_and_comes_back)
{
    g_auto(Rig) rig = rig_run(TO_USER
                              "user: mov $7, %r12d; int3\n mov $8, %r13d\n"
                              "expect after\n"
                              "bad: hlt\nafter: done\n.globl bad\n", 1);

    cr_expect_eq(rig_reg(&rig, 0, GPR_R12), 7);
    cr_expect_eq(rig_reg(&rig, 0, GPR_R13), 8);
    cr_expect_eq(rig_taken(&rig, 0, 3), 1);
    cr_expect_eq(rig_saw(&rig, 0, SAW_VECTOR), 13);
    cr_expect_eq(rig_saw(&rig, 0, SAW_RIP), rig_symbol(&rig, "bad"));
    cr_expect_eq(rig_saw(&rig, 0, SAW_CS), 0x2b);
    cr_expect_eq(rig_saw(&rig, 0, SAW_SS), 0x23);
    cr_expect_eq(rig_saw(&rig, 0, SAW_RSP), 0x608000);
    cr_expect_eq(rig_saw(&rig, 0, SAW_FRAME) + 40, 0x481000);
}

Test(cpu_exception, user_mode_may_not_do_what_is_the_kernels)
{
    static const char *const words[] = {
        "cli", "sti", "mov %cr0, %rax", "mov %cr8, %rax", "mov %rax, %cr3",
        "rdmsr", "wrmsr", "in $0x80, %al", "mov %db0, %rax", "lidt idtr",
        "ltr %ax", "invlpg (%rax)", "swapgs", "int $0x50", "clts", "wbinvd",
        "sysretq",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *text = g_strconcat(
            "main: mov %rsp, %rax; mov %rax, %gs:120\n"
            " push $0x23; push $0x608000; push $0x202; push $0x2b; push $user\n"
            " iretq\nuser: expect after\n mov $0xc0000080, %ecx\n.globl bad\n"
            "bad: ", words[i], "\nafter: done\n", NULL);
        g_auto(Rig) rig = rig_run(text, 1);

        cr_expect_eq(rig_saw(&rig, 0, SAW_TRAPS), 1, "%s", words[i]);
        cr_expect_eq(rig_saw(&rig, 0, SAW_VECTOR),
                     g_str_equal(words[i], "sysretq") ? 6 : 13,
                     "%s: %" PRIu64, words[i], rig_saw(&rig, 0, SAW_VECTOR));
        cr_expect_eq(rig_saw(&rig, 0, SAW_RIP), rig_symbol(&rig, "bad"), "%s",
                     words[i]);
        cr_expect_eq(rig_saw(&rig, 0, SAW_ERROR),
                     g_str_equal(words[i], "int $0x50") ? 0x50 * 8 + 2 : 0,
                     "%s", words[i]);
    }
}

/* Boots `text`, lets `change` damage the tables, and goes on. */
static Rig
after_damage(const char *text, void (*change)(const Rig *rig))
{
    Rig rig = rig_new(text, 1, CPU_ENGINE_FIBER);

    rig_to_vmcall(&rig, 0);
    change(&rig);
    rig_continue(&rig, 0);
    rig_go(&rig, 100000);
    return rig;
}

static void
absent_ud_gate(const Rig *rig)
{
    rig_set_u64(rig, rig_symbol(rig, "idt") + 6 * 16, 0x8 << 16 | 0xeULL << 40);
}

Test(cpu_exception, a_gate_that_is_not_present_is_its_own_exception)
{
    g_auto(Rig) rig = after_damage("main: vmcall; expect after\n.globl bad\n"
                                   "bad: ud2\nafter: done\n", absent_ud_gate);

    cr_expect_eq(rig_saw(&rig, 0, SAW_VECTOR), 11);
    cr_expect_eq(rig_saw(&rig, 0, SAW_ERROR), 6 * 8 + 2);
    cr_expect_eq(rig_saw(&rig, 0, SAW_RIP), rig_symbol(&rig, "bad"));
}

static void
no_gates_for_faults(const Rig *rig)
{
    for (unsigned v = 10; v < 15; v++)
        rig_set_u64(rig, rig_symbol(rig, "idt") + v * 16, 0);
    rig_set_u64(rig, rig_symbol(rig, "idt"), 0);
}

Test(cpu_exception, a_fault_on_the_way_to_a_fault_is_a_double_fault)
{
    g_auto(Rig) rig = after_damage("main: vmcall; xor %ecx, %ecx\n"
                                   " expect after; div %ecx\nafter: done\n",
                                   no_gates_for_faults);

    cr_expect_eq(rig_activity(&rig, 0), CPU_HELD);
    cr_expect_eq(rig_saw(&rig, 0, SAW_VECTOR), 8);
    cr_expect_eq(rig_saw(&rig, 0, SAW_ERROR), 0);
}

static void
no_gates(const Rig *rig)
{
    for (unsigned v = 0; v < 256; v++)
        rig_set_u64(rig, rig_symbol(rig, "idt") + v * 16, 0);
}

Test(cpu_exception, a_triple_fault_shuts_the_core_down)
{
    g_auto(Rig) rig = after_damage("main: vmcall; ud2; done\n", no_gates);
    g_autofree Actions *actions = g_new(Actions, 1);

    cr_expect_eq(rig_activity(&rig, 0), CPU_SHUTDOWN);
    machine_list_actions(rig.machine, actions);
    cr_expect_eq(actions->count, 0);
}

Test(cpu_exception, a_stack_in_a_hole_becomes_a_double_fault)
{
    g_auto(Rig) rig = rig_new("main: vmcall; mov $0x10000000, %rsp\n"
                              " expect after; ud2\nafter: done\n",
                              1, CPU_ENGINE_FIBER);

    rig_to_vmcall(&rig, 0);
    rig_set_gate(&rig, 8, rig_symbol(&rig, "stubs") + 8 * 16, 1, 0x0e);
    rig_continue(&rig, 0);
    rig_go(&rig, 10000);
    cr_expect_eq(rig_activity(&rig, 0), CPU_HELD);
    cr_expect_eq(rig_saw(&rig, 0, SAW_VECTOR), 8);
    cr_expect_eq(rig_saw(&rig, 0, SAW_RSP), 0x10000000);
    cr_expect_eq(rig_saw(&rig, 0, SAW_FRAME), 0x521000 - 40);
}

Test(cpu_exception, a_stack_in_the_null_page_becomes_a_double_fault)
{
    g_auto(Rig) rig = rig_new("main: vmcall; mov $0x800, %rsp\n"
                              " expect after; ud2\nafter: done\n",
                              1, CPU_ENGINE_FIBER);

    rig_to_vmcall(&rig, 0);
    rig_set_gate(&rig, 8, rig_symbol(&rig, "stubs") + 8 * 16, 1, 0x0e);
    rig_continue(&rig, 0);
    rig_go(&rig, 10000);
    cr_expect_eq(rig_activity(&rig, 0), CPU_HELD);
    cr_expect_eq(rig_saw(&rig, 0, SAW_VECTOR), 8);
}

Test(cpu_exception, pushes_without_room_fault_until_the_stack_is_changed)
{
    g_auto(Rig) rig = rig_new("main: vmcall; mov $0x10000000, %rsp\n"
                              " expect after\n.globl bad\nbad: push %rax\n"
                              "after: done\n", 1, CPU_ENGINE_FIBER);

    rig_to_vmcall(&rig, 0);
    rig_set_gate(&rig, 14, rig_symbol(&rig, "stubs") + 14 * 16, 1, 0x0e);
    rig_continue(&rig, 0);
    rig_go(&rig, 10000);
    cr_expect_eq(rig_saw(&rig, 0, SAW_VECTOR), 14);
    cr_expect_eq(rig_saw(&rig, 0, SAW_CR2), 0x10000000 - 8);
    cr_expect_eq(rig_saw(&rig, 0, SAW_RIP), rig_symbol(&rig, "bad"));
    cr_expect_eq(rig_saw(&rig, 0, SAW_RSP), 0x10000000);
}

Test(cpu_exception, a_handler_in_a_hole_does_not_hang_heddle)
{
    g_auto(Rig) rig = rig_new("main: vmcall; ud2; done\n", 1, CPU_ENGINE_FIBER);
    ticks_t before;
    CpuStop stop;

    rig_to_vmcall(&rig, 0);
    for (unsigned v = 0; v < 32; v++)
        rig_set_gate(&rig, v, 0x10000000, 1, 0x0e);
    rig_continue(&rig, 0);
    before = machine_clock(rig.machine);
    cr_assert(rig_act(&rig, ACTION_STEP, 0, 1000, &stop));
    cr_expect_eq(stop, CPU_STOP_SLICE);
    cr_expect_eq(machine_clock(rig.machine) - before, 1000);
}

Test(cpu_exception, a_handler_at_null_does_not_hang_heddle)
{
    g_auto(Rig) rig = rig_new("main: vmcall; ud2; done\n", 1, CPU_ENGINE_FIBER);
    CpuStop stop;

    rig_to_vmcall(&rig, 0);
    for (unsigned v = 0; v < 32; v++)
        rig_set_gate(&rig, v, 0, 1, 0x0e);
    rig_continue(&rig, 0);
    cr_assert(rig_act(&rig, ACTION_STEP, 0, 1000, &stop));
    cr_expect_eq(stop, CPU_STOP_SLICE);
}

Test(cpu_exception, code_in_the_apic_page_is_a_fault)
{
    g_auto(Rig) rig = rig_run("main: expect after; mov $APIC, %eax; jmp *%rax\n"
                              "after: done\n", 1);

    cr_expect_eq(rig_saw(&rig, 0, SAW_VECTOR), 14, "%" PRIu64,
                 rig_saw(&rig, 0, SAW_VECTOR));
}

Test(cpu_exception, an_instruction_that_runs_into_a_hole_faults_there)
{
    g_auto(Rig) rig = rig_run("main: movb $0x48, 0x7fffff; expect after\n"
                              " mov $0x7fffff, %eax; jmp *%rax\n"
                              "after: done\n", 1);

    cr_expect_eq(rig_saw(&rig, 0, SAW_VECTOR), 14);
    cr_expect_eq(rig_saw(&rig, 0, SAW_CR2), 0x800000);
    cr_expect_eq(rig_saw(&rig, 0, SAW_RIP), 0x7fffff);
}

Test(cpu_exception, a_fault_in_the_middle_of_a_string_leaves_it_there)
{
    g_auto(Rig) rig = rig_run("main: mov $0x7ffff0, %edi; mov $100, %ecx\n"
                              " mov $0x5a, %al; expect after\n.globl bad\n"
                              "bad: rep stosb\nafter: done\n", 1);

    cr_expect_eq(rig_saw(&rig, 0, SAW_RIP), rig_symbol(&rig, "bad"));
    cr_expect_eq(rig_saw(&rig, 0, SAW_CR2), 0x800000);
    cr_expect_eq(rig_reg(&rig, 0, GPR_RCX), 84);
    cr_expect_eq(rig_reg(&rig, 0, GPR_RDI), 0x800000);
    cr_expect_eq(rig_u64(&rig, 0x7ffff8), 0x5a5a5a5a5a5a5a5a);
}

/* A page that the guest itself takes away is missed at once, with or without
 * INVLPG: heddle's TLB is coherent, or runs would depend on its history. */
Test(cpu_exception, a_page_that_is_taken_away_faults_and_comes_back)
{
    g_auto(Rig) rig = rig_run(
        "main: mov $0x105000, %ebx; mov (%rbx), %rax\n"
        " movq $0, 0x4000+0x105*8; invlpg (%rbx); expect a\n"
        " mov (%rbx), %rax\na: vmcall\n"
        " movq $0x105061, 0x4000+0x105*8; invlpg (%rbx)\n"
        " mov (%rbx), %rax; expect b; mov %rax, (%rbx)\nb: vmcall\n"
        " movq $0x105063, 0x4000+0x105*8; invlpg (%rbx)\n"
        " mov %rax, (%rbx); done\n", 1);

    cr_expect_eq(rig_saw(&rig, 0, SAW_VECTOR), 14);
    cr_expect_eq(rig_saw(&rig, 0, SAW_CR2), 0x105000);
    cr_expect_eq(rig_saw(&rig, 0, SAW_ERROR), 0);
    rig_continue(&rig, 0);
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_saw(&rig, 0, SAW_TRAPS), 2);
    cr_expect_eq(rig_saw(&rig, 0, SAW_ERROR), 3);
    rig_continue(&rig, 0);
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_saw(&rig, 0, SAW_TRAPS), 2);
}
