/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several cores, the messages between them, timers and time.
 */
#include "base/base.h"

#include "machine_rig.h"

TestSuite(machine, .timeout = 60);

Test(machine, the_other_cores_start_from_real_mode)
{
    g_auto(Rig) rig = rig_run("main: jmp start_all\n"
                              "body: mov %edi, %r12d; done\n", 5);

    for (unsigned i = 0; i < 5; i++)
        cr_expect_eq(rig_reg(&rig, i, GPR_R12), i);
}

Test(machine, sixty_four_cores_start)
{
    g_auto(Rig) rig = rig_run("main: jmp start_all\n"
                              "body: mov %edi, %r12d; done\n", 64);

    cr_expect_eq(rig_reg(&rig, 63, GPR_R12), 63);
}

Test(machine, a_second_start_up_message_and_one_without_init_are_dropped)
{
    g_auto(Rig) rig = rig_run(
        "main: jmp start_all\n"
        "body: lock incq 0x620000; test %edi, %edi; jnz 1f\n"
        " apic 0x300, 0xc4610\n apic 0x300, 0xc4610\n"
        " mov $200, %ecx\n2: pause; dec %ecx; jnz 2b\n1: done\n", 3);

    cr_expect_eq(rig_u64(&rig, 0x620000), 3);
}

Test(machine, init_restarts_a_core_that_runs_and_one_that_halts)
{
    g_auto(Rig) rig = rig_run(
        "main: jmp start_all\n"
        "body: test %edi, %edi; jz 3f\n mov %edi, %eax\n"
        " lock incq 0x620000(,%rax,8); cmpq $2, 0x620000(,%rax,8); je 2f\n"
        " cmp $1, %edi; je 1f\n cli; hlt\n1: jmp 1b\n2: done\n"
        "3: mov $300, %ecx\n4: pause; dec %ecx; jnz 4b\n"
        " apic 0x300, 0xc4500\n mov $300, %ecx\n5: pause; dec %ecx; jnz 5b\n"
        " apic 0x300, 0xc4610\n done\n", 3);

    cr_expect_eq(rig_u64(&rig, 0x620008), 2);
    cr_expect_eq(rig_u64(&rig, 0x620010), 2);
}

/* Cpu 0 sends `command` to `destination`; how often each took vector 45h or
 * an NMI. */
static void
expect_taken(const char *before, uint32_t command, uint32_t destination,
             const unsigned wanted[3])
{
    g_autofree char *text = g_strdup_printf(
        "main: jmp start_all\n"
        "body: sti; %s\n lock incq 0x620000\n1: pause; cmpq $3, 0x620000\n"
        " jne 1b; test %%edi, %%edi; jnz 2f\n apic 0x310, %u\n"
        " apic 0x300, %u\n2: mov $200, %%ecx\n3: pause; dec %%ecx; jnz 3b\n"
        " cli; done\n", before, destination, command);
    g_auto(Rig) rig = rig_run(text, 3);
    unsigned vector = (command >> 8 & 7) == 4 ? 2 : 0x45;

    for (unsigned i = 0; i < 3; i++)
        cr_expect_eq(rig_taken(&rig, i, vector), wanted[i],
                     "command %x to %x: cpu%u took %u", command, destination, i,
                     rig_taken(&rig, i, vector));
}

Test(machine, every_shorthand_and_destination_reaches_whom_it_names)
{
    static const char logical[] =
        "mov %edi, %ecx; mov $1, %ebx; shl %cl, %ebx; shl $24, %ebx\n"
        " mov $APIC, %eax; mov %ebx, 0xd0(%rax)";

    expect_taken("", 0x45, 1u << 24, (const unsigned[]){0, 1, 0});
    expect_taken("", 0x45, 0xffu << 24, (const unsigned[]){1, 1, 1});
    expect_taken("", 0x45, 9u << 24, (const unsigned[]){0, 0, 0});
    expect_taken("", 0x40045, 0, (const unsigned[]){1, 0, 0});
    expect_taken("", 0x80045, 0, (const unsigned[]){1, 1, 1});
    expect_taken("", 0xc0045, 0, (const unsigned[]){0, 1, 1});
    expect_taken("", 0x400, 2u << 24, (const unsigned[]){0, 0, 1});
    expect_taken("", 0xc0400, 0, (const unsigned[]){0, 1, 1});
    expect_taken(logical, 0x845, 6u << 24, (const unsigned[]){0, 1, 1});
    /* lowest priority: one of those addressed, the least busy */
    expect_taken(logical, 0x945, 6u << 24, (const unsigned[]){0, 1, 0});
    expect_taken("mov $2, %eax; sub %edi, %eax; mov %rax, %cr8", 0x145,
                 0xffu << 24, (const unsigned[]){0, 0, 1});
}

Test(machine, x2apic_sends_by_one_msr)
{
    g_auto(Rig) rig = rig_run(
        "main: jmp start_all\n"
        "body: msr 0x1b, (0xfee00c00); movq $1, %gs:112; sti\n"
        " lock incq 0x620000\n1: pause; cmpq $2, 0x620000; jne 1b\n"
        " test %edi, %edi; jnz 2f\n msr 0x830, 0x100000045\n msr 0x83f, 0x46\n"
        "2: mov $100, %ecx\n3: pause; dec %ecx; jnz 3b\n cli; done\n", 2);

    cr_expect_eq(rig_taken(&rig, 1, 0x45), 1);
    cr_expect_eq(rig_taken(&rig, 0, 0x46), 1);
    cr_expect_eq(rig_taken(&rig, 0, 0x45), 0);
}

static Action
listed(const Rig *rig, unsigned index, unsigned *count)
{
    g_autofree Actions *actions = g_new(Actions, 1);

    machine_list_actions(rig->machine, actions);
    *count = actions->count;
    return index < actions->count ? action_at(actions, index)
                                  : (Action){.number = UINT64_MAX};
}

Test(machine, actions_are_steps_by_core_then_messages_by_number_then_timers)
{
    g_auto(Rig) rig = rig_run(
        "main: jmp start_all\n"
        "body: vmcall; test %edi, %edi; jnz 1f\n"
        " apic 0x300, 0xc0045\n apic 0x300, 0x40046\n apic 0x300, 0xc0047\n"
        " apic 0x3e0, 0xb\n apic 0x320, 0x30\n apic 0x380, 1\n1: jmp 1b\n", 3);
    unsigned count;
    CpuStop stop;

    for (unsigned i = 0; i < 3; i++)
        rig_continue(&rig, i);
    for (unsigned i = 0; i < 8; i++)
        cr_assert(rig_act(&rig, ACTION_STEP, 0, 30, &stop));
    /* steps of 0, 1, 2; 45h to 1 and 2; 46h to 0; then 47h waits behind 45h;
     * the timer */
    listed(&rig, 0, &count);
    cr_expect_eq(count, 7, "%u", count);
    for (unsigned i = 0; i < 3; i++) {
        cr_expect_eq(listed(&rig, i, &count).kind, ACTION_STEP);
        cr_expect_eq(listed(&rig, i, &count).cpu, i);
        cr_expect_eq(listed(&rig, 3 + i, &count).kind, ACTION_DELIVER);
        cr_expect_eq(listed(&rig, 3 + i, &count).cpu, (i + 1) % 3);
    }
    cr_expect_eq(listed(&rig, 6, &count).kind, ACTION_FIRE);
    cr_assert(rig_act(&rig, ACTION_DELIVER, 1, 1, &stop));
    cr_expect_eq(listed(&rig, 5, &count).cpu, 1);
    cr_expect_eq(count, 7);
    machine_check(rig.machine);
}

Test(machine, the_clock_jumps_when_only_a_timer_is_left)
{
    g_auto(Rig) rig = rig_run(
        "main: apic 0x3e0, 0xb\n apic 0x320, 0x30\n apic 0x380, 1000000\n"
        " rdtsc; mov %eax, %ebx; sti; hlt; cli; rdtsc; sub %ebx, %eax; done\n",
        1);

    cr_expect_eq(rig_taken(&rig, 0, 0x30), 1);
    cr_expect_geq(rig_reg(&rig, 0, GPR_RAX), 999990);
    cr_expect_leq(rig_reg(&rig, 0, GPR_RAX), 1000100);
}

Test(machine, a_periodic_timer_ticks_until_it_is_stopped)
{
    g_auto(Rig) rig = rig_run(
        "main: apic 0x3e0, 0xb\n apic 0x320, 0x20030\n apic 0x380, 5000\n sti\n"
        " mov $5, %ecx\n1: hlt; dec %ecx; jnz 1b\n cli; apic 0x380, 0\n"
        " sti; nop; nop; cli; done\n", 1);

    cr_expect_eq(rig_taken(&rig, 0, 0x30), 5);
}

Test(machine, a_tsc_deadline_fires_at_its_time_and_once)
{
    g_auto(Rig) rig = rig_run(
        "main: apic 0x320, 0x40030\n rdtsc; add $7777, %eax; mov %eax, %ebx\n"
        " mov $0x6e0, %ecx; wrmsr; sti; hlt; cli; rdtsc; sub %ebx, %eax\n"
        " mov %rax, %r12; mov $0x6e0, %ecx; rdmsr; done\n", 1);

    cr_expect_eq(rig_taken(&rig, 0, 0x30), 1);
    cr_expect_leq(rig_reg(&rig, 0, GPR_R12), 60);
    cr_expect_eq(rig_reg(&rig, 0, GPR_RAX), 0);
}

Test(machine, a_halt_that_nothing_can_end_leaves_nothing_to_do)
{
    g_auto(Rig) rig = rig_new("main: cli; hlt\n", 1, CPU_ENGINE_FIBER);
    unsigned count;

    rig_go(&rig, 10000);
    cr_expect_eq(rig_activity(&rig, 0), CPU_HALTED);
    listed(&rig, 0, &count);
    cr_expect_eq(count, 0);
}

/* More messages than the bus holds: noted, and the machine goes on. */
Test(machine, a_guest_that_floods_the_bus_is_noticed)
{
    g_auto(Rig) rig = rig_run("main: jmp start_all\n"
                              "body: vmcall\n1: apic 0x300, 0xc0045\n jmp 1b\n",
                              8);
    CpuStop stop;

    for (unsigned i = 0; i < 8; i++)
        rig_continue(&rig, i);
    for (unsigned i = 0; i < 2000; i++)
        cr_assert(rig_act(&rig, ACTION_STEP, i % 8, 100, &stop));
    cr_expect(machine_bus_overflowed(rig.machine));
    machine_check(rig.machine);
}

Test(machine, a_message_in_flight_can_be_dropped_and_doubled)
{
    g_auto(Rig) rig = rig_run("main: vmcall; apic 0x300, 0x40045\n"
                              " apic 0x300, 0x40046\n vmcall; sti; nop; nop\n"
                              " nop; cli; done\n", 1);
    const Message *messages;
    CpuStop stop;
    unsigned count;

    rig_continue(&rig, 0);
    rig_to_vmcall(&rig, 0);
    messages = machine_messages(rig.machine, &count);
    cr_assert_eq(count, 2);
    cr_expect(machine_double_message(rig.machine, messages[1].number));
    cr_expect(machine_drop_message(rig.machine, messages[0].number));
    cr_expect_not(machine_drop_message(rig.machine, 12345));
    cr_assert(rig_act(&rig, ACTION_DELIVER, 0, 1, &stop));
    cr_assert(rig_act(&rig, ACTION_DELIVER, 0, 1, &stop));
    cr_expect_not(rig_act(&rig, ACTION_DELIVER, 0, 1, &stop));
    rig_continue(&rig, 0);
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_taken(&rig, 0, 0x45), 0);
    cr_expect_eq(rig_taken(&rig, 0, 0x46), 1);
}

Test(machine, the_console_keeps_the_beginning)
{
    g_auto(Rig) rig = rig_run("main: done\n", 1);
    g_autofree char *much = g_strnfill(CONSOLE_BYTES_MAX, 'x');
    uint64_t before;

    machine_rebase(rig.machine);
    before = machine_digest(rig.machine);
    machine_console_write(rig.machine, "abc", 3);
    cr_expect_str_eq(machine_console(rig.machine), "abc");
    cr_expect_neq(machine_digest(rig.machine), before);
    machine_console_write(rig.machine, much, CONSOLE_BYTES_MAX);
    cr_expect_eq(strlen(machine_console(rig.machine)), CONSOLE_BYTES_MAX);
    machine_restore(rig.machine);
    cr_expect_eq(machine_digest(rig.machine), before);
}

Test(machine, one_that_does_nonsense_with_its_tables_only_hurts_itself)
{
    static const char *const texts[] = {
        "mov $0xdeadb000, %eax; mov %rax, %cr3",
        "mov $-4096, %rax; mov %rax, %cr3",
        "mov %cr0, %rax; and $0x7fffffff, %eax; mov %rax, %cr0",
        "mov %cr0, %rax; and $~1, %rax; mov %rax, %cr0",
        "xor %eax, %eax; mov %rax, %cr4",
        "lgdt nowhere; mov $8, %eax; mov %eax, %ds",
        "lidt nowhere; ud2", "lidt nowhere; int3",
        "lgdt nowhere; ud2", "mov $0x18, %eax; ltr %ax; ud2",
        "mov $0x58, %eax; ltr %ax", "lldt nowhere; mov $4, %eax; mov %eax, %fs",
        "ljmp *nowhere", "push $0x1230; push $1; lretq",
        "push $0x18; push $0x1000; lretq", "mov $0x123456789, %rsp; push %rax",
        "xor %esp, %esp; push %rax", "mov $0xfee00100, %esp; call 1f; 1:",
        "mov $0x1000, %edi; mov $0x600, %ecx; rep stosq",
        "movq $0, 0x1000; invlpg 0",
        "mov $0x800000000000063, %rax; mov %rax, 0x5008",
        "mov $0x300, %eax; push %rax; popfq; nop; nop",
        "push $0x4000; popfq; iretq", "mov $0xc0000080, %ecx\n"
        "xor %eax, %eax; xor %edx, %edx; wrmsr",
        "mov $gdt, %edi; mov $100, %ecx; mov %rdi, %rax; rep stosq; sti\n"
        "apic 0x300, 0x40045\n ud2",
        "mov $-1, %rax; mov %rax, %db7; mov %rax, %db0; nop",
        "msr 0x1b, 0; apic 0x300, 0x40045\n", "msr 0x1b, 0xfeb00900\n",
        "apic 0x300, 0xc4500\n apic 0x300, 0x44500\n",
        "apic 0x310, 0\n apic 0x300, 0x4500\n",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        for (int engine = 0; engine < 2; engine++) {
            g_autofree char *text = g_strdup_printf(
                "main: %s\n1: jmp 1b\n.data\n.balign 16\n"
                "nowhere: .word 0xffff; .quad 0x1234567812345678\n"
                " .byte 1, 2, 3, 4, 5, 6, 7, 8\n.text\n", texts[i]);
            g_auto(Rig) rig = rig_new(text, 2, (CpuEngine)engine);

            rig_go(&rig, 5000);
            machine_digest(rig.machine);
        }
}
