/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code that changes is executed as what it has become: by the core that wrote
 * it and by all others, through every window, at once.
 */
#include "base/base.h"

#include "machine_rig.h"

TestSuite(cpu_code, .timeout = 60);

/* The same text, also stopped before every instruction; all engines must
 * agree on registers and time. */
static void
expect_rax(const char *text, uint64_t wanted)
{
    ticks_t clock = 0;

    for (unsigned slice = 1; slice <= 1000; slice = slice * 7 + 1)
        for (int engine = 0; engine < 3; engine++) {
            g_auto(Rig) rig = rig_new(text, 1, (CpuEngine)engine);
            CpuStop stop = CPU_STOP_SLICE;

            for (unsigned i = 0; i < 3000 && stop == CPU_STOP_SLICE; i++)
                cr_assert(rig_act(&rig, ACTION_STEP, 0, slice, &stop));
            cr_assert_eq(stop, CPU_STOP_HYPERCALL, "slice %u", slice);
            cr_expect_eq(rig_reg(&rig, 0, GPR_RAX), wanted,
                         "slice %u: %" PRIx64, slice,
                         rig_reg(&rig, 0, GPR_RAX));
            if (clock != 0)
                cr_expect_eq(machine_clock(rig.machine), clock);
            clock = machine_clock(rig.machine);
        }
}

Test(cpu_code, a_store_into_its_own_block_counts_once_and_is_seen)
{
    expect_rax("main: movb $7, 1f+1\n1: mov $0, %al; movzbl %al, %eax; done\n",
               7);
}

Test(cpu_code, a_store_over_itself_is_seen_the_next_time)
{
    expect_rax("main: mov $2, %ecx; xor %eax, %eax\n"
               "1: inc %eax; movb $9, 1b+1-1+9\n dec %ecx; jnz 1b; done\n", 2);
}

Test(cpu_code, a_push_into_its_own_block_counts_once)
{
    expect_rax("main: mov %rsp, %r9; lea 1f+8, %rsp\n"
               " mov $0x90909090c0fec031, %rax; push %rax\n"
               "1: .fill 8, 1, 0xcc\n mov %r9, %rsp; done\n",
               1);
}

Test(cpu_code, a_string_that_runs_over_its_own_block_is_seen)
{
    expect_rax("main: mov $1f, %edi; mov $5, %ecx; mov $0x90, %al\n"
               " rep stosb\n1: .fill 5, 1, 0xcc\n movzbl %al, %eax; done\n",
               0x90);
}

Test(cpu_code, stores_through_other_windows_are_seen)
{
    expect_rax("main: movabs $0xffff800000000000+patch+1, %rbx\n"
               " call patch; mov %eax, %r8d; movb $5, (%rbx); call patch\n"
               " add %eax, %r8d\n"
               " mov $0xffffffff80000000, %rdx; add $patch+1, %rdx\n"
               " movb $9, (%rdx); call patch; add %r8d, %eax; done\n"
               "patch: mov $1, %eax; ret\n", 15);
}

Test(cpu_code, code_executed_through_another_window_changes_too)
{
    expect_rax("main: movabs $0xffff800000000000+patch, %rbx\n"
               " call *%rbx; mov %eax, %r8d; movb $5, patch+1; call *%rbx\n"
               " add %r8d, %eax; done\n"
               "patch: mov $1, %eax; ret\n", 6);
}

Test(cpu_code, an_instruction_across_two_pages_changes_in_its_second)
{
    expect_rax("main: call over; mov %eax, %r8d; movb $7, second\n"
               " call over; add %r8d, %eax; done\n"
               ".balign 4096, 0x90\n.fill 4095, 1, 0x90\n"
               ".set over, . - 3\n.byte 0xb8\nsecond: .byte 1, 0, 0, 0\n ret\n",
               8);
}

/* Another core changes what this one executes: between any two steps, within
 * a block, a line further, a page further. */
Test(cpu_code, what_another_core_wrote_is_executed_next)
{
    static const unsigned distances[] = {8, 70, 200, 4080};

    for (size_t d = 0; d < G_N_ELEMENTS(distances); d++)
        for (int engine = 0; engine < 3; engine++) {
            g_autofree char *text = g_strdup_printf(
                "main: jmp start_all\n"
                "body: vmcall; test %%edi, %%edi; jnz writer\n"
                " call victim; vmcall; call victim; done\n"
                "writer: movb $9, place+1; done\n"
                ".balign 4096, 0x90\nvictim: .fill %u, 1, 0x90\n"
                "place: mov $1, %%al; movzbl %%al, %%eax; ret\n", distances[d]);
            g_auto(Rig) rig = rig_new(text, 2, (CpuEngine)engine);
            CpuStop stop;

            rig_go(&rig, 100000);
            for (unsigned at = 1; at < 30; at++) {
                machine_rebase(rig.machine);
                rig_continue(&rig, 0);
                rig_continue(&rig, 1);
                cr_assert(rig_act(&rig, ACTION_STEP, 0, at % 9 + 3, &stop));
                if (at % 3 == 0) /* once through, then again */
                    rig_to_vmcall(&rig, 0);
                rig_to_vmcall(&rig, 1);
                if (at % 3 == 0) {
                    rig_continue(&rig, 0);
                    cr_assert(rig_act(&rig, ACTION_STEP, 0, at % 5 + 2, &stop));
                }
                rig_to_vmcall(&rig, 0);
                cr_expect_eq(rig_reg(&rig, 0, GPR_RAX), 9,
                             "distance %u engine %d after %u", distances[d],
                             engine, at);
                machine_restore(rig.machine);
            }
        }
}

Test(cpu_code, restored_code_is_what_it_was)
{
    g_auto(Rig) rig = rig_run("main: vmcall; call patch; mov %eax, %r8d\n"
                              " movb $5, patch+1; call patch; add %r8d, %eax\n"
                              " done\n.balign 64\npatch: mov $1, %eax; ret\n",
                              1);

    machine_rebase(rig.machine);
    for (unsigned i = 0; i < 5; i++) {
        rig_continue(&rig, 0);
        rig_to_vmcall(&rig, 0);
        cr_expect_eq(rig_reg(&rig, 0, GPR_RAX), 6);
        machine_restore(rig.machine);
    }
}

/* What Unicorn remembers of a core must survive that the core changes its
 * mode meanwhile: here INIT, while the code it knows is rewritten. */
Test(cpu_code, code_that_changed_during_init_is_seen_after_start_up)
{
    g_auto(Rig) rig = rig_run(
        "main: jmp start_all\n"
        "body: movabs $0xffff800000000000+patch, %rbx; call *%rbx; vmcall\n"
        " test %edi, %edi; jnz 1f\n apic 0x300, 0xc4500\n"
        " mov $1000, %ecx\n2: pause; dec %ecx; jnz 2b\n"
        " movb $77, patch+1; apic 0x300, 0xc4610\n1: done\n"
        ".balign 64\npatch: mov $1, %eax; ret\n", 2);

    rig_continue(&rig, 0);
    rig_go(&rig, 100000);
    cr_expect_eq(rig_activity(&rig, 1), CPU_HELD);
    cr_expect_eq(rig_reg(&rig, 1, GPR_RAX), 77);
}

/* A null pointer faults in every run, also in one that follows a run in which
 * paging was off. */
Test(cpu_code, what_a_run_did_to_the_tlb_is_forgotten)
{
    g_auto(Rig) rig = rig_run("main: jmp start_all\n"
                              "body: vmcall; test %edi, %edi; jnz 1f\n"
                              " apic 0x300, 0xc4500; mov $500, %ecx\n"
                              "2: pause; dec %ecx; jnz 2b\n"
                              " apic 0x300, 0xc4611\n done\n"
                              "1: expect 3f\n mov 0x10, %rax\n3: done\n", 2);
    Gmem *memory = machine_memory(rig.machine);
    static const uint8_t real[] = {0xa1, 0x10, 0, 0xf4}; /* mov ax,[16]; hlt */
    CpuStop stop;

    cr_assert(gmem_write(memory, 0x11000, real, sizeof real));
    machine_rebase(rig.machine);
    rig_continue(&rig, 0);
    rig_go(&rig, 100000);
    cr_expect_eq(rig_activity(&rig, 1), CPU_HALTED);
    machine_restore(rig.machine);
    rig_continue(&rig, 1);
    for (unsigned i = 0; i < 300; i++)
        if (rig_activity(&rig, 1) != CPU_HELD || i == 0)
            rig_act(&rig, ACTION_STEP, 1, 1, &stop);
    cr_expect_eq(rig_saw(&rig, 1, SAW_VECTOR), 14);
    cr_expect_eq(rig_saw(&rig, 1, SAW_CR2), 0x10);
}

/* A table entry that changes counts at once, and is what it was after a
 * restore. */
Test(cpu_code, a_page_table_entry_is_restored_with_its_translation)
{
    g_auto(Rig) rig = rig_run(
        "main: mov 0x105000, %rax; vmcall\n"
        " movq $0, 0x4000+0x105*8; expect 1f\n mov 0x105000, %rax\n1: vmcall\n"
        " movq $0x105063, 0x4000+0x105*8; mov 0x105000, %rax; done\n", 1);

    machine_rebase(rig.machine);
    for (unsigned i = 0; i < 3; i++) {
        rig_continue(&rig, 0);
        rig_to_vmcall(&rig, 0);
        cr_expect_eq(rig_saw(&rig, 0, SAW_TRAPS), 1, "run %u", i);
        if (i == 1) {
            rig_continue(&rig, 0);
            rig_to_vmcall(&rig, 0);
            cr_expect_eq(rig_saw(&rig, 0, SAW_TRAPS), 1);
        }
        machine_restore(rig.machine);
    }
}

/* Loading a segment writes to its descriptor; that is undone too. */
Test(cpu_code, descriptors_that_the_core_marks_are_restored)
{
    g_auto(Rig) rig = rig_run(
        "main: vmcall; mov $0x30, %eax; mov %eax, %es\n"
        " push $0x38; push $1f; lretq\n1: done\n", 1);
    gva_t gdt = rig_symbol(&rig, "gdt");

    rig_set_u64(&rig, gdt + 0x30, 0x00cf92000000ffff);
    rig_set_u64(&rig, gdt + 0x38, 0x00af9a000000ffff);
    machine_rebase(rig.machine);
    rig_continue(&rig, 0);
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_u64(&rig, gdt + 0x30), 0x00cf93000000ffff);
    machine_restore(rig.machine);
    cr_expect_eq(rig_u64(&rig, gdt + 0x30), 0x00cf92000000ffff);
    cr_expect_eq(rig_u64(&rig, gdt + 0x38), 0x00af9a000000ffff);
}

Test(cpu_code, a_wide_store_across_the_end_of_ram_leaves_nothing)
{
    g_auto(Rig) rig = rig_run(
        "main: vmcall; mov $0x800000-100, %eax; and $~15, %eax; expect 1f\n"
        "2: fxsave (%rax)\n1: expect 3f\n fstpt 0x7ffffc\n3: expect 4f\n"
        " movups %xmm0, 0x7ffff8\n4: done\n.globl bad\n.set bad, 2b\n", 1);
    Gmem *memory = machine_memory(rig.machine);
    uint8_t end[256];

    memcpy(end, memory->bytes + memory->size - 256, 256);
    machine_rebase(rig.machine);
    rig_continue(&rig, 0);
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_taken(&rig, 0, 14), 3);
    machine_restore(rig.machine);
    cr_expect(memcmp(end, memory->bytes + memory->size - 256, 256) == 0);
}

/* Unicorn's translator aborts at these bytes, which are no instruction. */
Test(cpu_code, bytes_that_would_abort_the_translator_are_undefined)
{
    static const char *const bytes[] = {
        ".byte 0xff, 0xed", ".byte 0xff, 0xdd", "nop; .byte 0xff, 0xed",
        ".byte 0x66, 0xff, 0xe8", ".byte 0xf0, 0x50", ".byte 0x8f, 0x14, 0xd6",
        ".byte 0x4f, 0x66, 0x89, 0x03", "xbegin after; .byte 0xff, 0xed",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bytes); i++) {
        g_autofree char *text = g_strdup_printf(
            "main: mov $0x620000, %%ebx; expect after\n%s\nafter: done\n",
            bytes[i]);
        g_auto(Rig) rig = rig_run(text, 1);

        cr_expect_eq(rig_saw(&rig, 0, SAW_VECTOR), 6, "%s", bytes[i]);
        cr_expect_eq(rig_saw(&rig, 0, SAW_TRAPS), 1, "%s", bytes[i]);
    }
}

/* More pages of code than the accelerator remembers: it gives up, and all
 * stays right. */
Test(cpu_code, code_on_every_page_of_ram_neither_aborts_nor_goes_stale)
{
    g_auto(Rig) rig = rig_run(
        "main: xor %r8d, %r8d; mov $0xffff800000000000, %r9\n"
        " mov $0x300000, %ebx\n1: movb $0xc3, (%rbx); call *%rbx\n"
        " lea (%rbx,%r9), %rax; call *%rax\n"
        " lea -0x80000000(%rbx), %rax; call *%rax\n"
        " add $0x1000, %ebx; cmp $0x7f0000, %ebx\n"
        " je 2f\n cmp $0x400000, %ebx; jne 1b\n mov $0x530000, %ebx; jmp 1b\n"
        "2: call patch; mov %eax, %r8d; movb $5, patch+1; call patch\n"
        " add %r8d, %eax; done\n.balign 64\npatch: mov $1, %eax; ret\n", 1);

    cr_expect_eq(rig_reg(&rig, 0, GPR_RAX), 6);
}

/* In 64-bit mode a code segment's base counts as 0. */
Test(cpu_code, a_code_segment_with_a_base_has_none_in_64_bit_mode)
{
    g_auto(Rig) rig = rig_run(
        "main: vmcall; push $0x38; push $1f; lretq\n"
        "1: mov $1, %r8d; nop; mov place, %rax; cpuid; mov %rbx, %r9; done\n"
        "place: .quad 77\n", 1);

    rig_set_u64(&rig, rig_symbol(&rig, "gdt") + 0x38, 0x00af9b3a0000ffff);
    rig_continue(&rig, 0);
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_reg(&rig, 0, GPR_R8), 1);
    cr_expect_eq(rig_saw(&rig, 0, SAW_TRAPS), 0);
}

Test(cpu_code, a_store_over_itself_is_done_once)
{
    expect_rax("main: mov $victim-0x17, %eax; jmp victim\n"
               ".balign 64, 0x90\n.fill 24, 1, 0x90\n"
               "victim: xorl $0xffffff90, 0x16(%rax)\n nop\n"
               " mov victim-1, %eax; done\n",
               (0x90 | 0x83u << 8 | 0x70u << 16 | 0x16u << 24) ^ 0xffffff90u);
}
