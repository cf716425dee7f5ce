/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instructions that heddle executes itself do what the manual says, and
 * never see the host.
 */
#include "base/base.h"

#include "machine_rig.h"

TestSuite(cpu, .timeout = 60);

/* RAX after the text. */
static uint64_t
rax_after(const char *text)
{
    g_autofree char *whole = g_strconcat("main: ", text, "\ndone\n", NULL);
    g_auto(Rig) rig = rig_run(whole, 1);

    cr_expect_eq(rig_saw(&rig, 0, SAW_TRAPS), 0, "%s: vector %" PRIu64, text,
                 rig_saw(&rig, 0, SAW_VECTOR));
    return rig_reg(&rig, 0, GPR_RAX);
}

static void
expect_all(const char *const texts[][2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t wanted = g_ascii_strtoull(texts[i][1], NULL, 16);
        uint64_t got = rax_after(texts[i][0]);

        cr_expect_eq(got, wanted, "%s: %" PRIx64, texts[i][0], got);
    }
}

Test(cpu, system_registers_keep_what_is_written)
{
    static const char *const texts[][2] = {
        {"mov $5, %ebx; mov %rbx, %cr8; mov %cr8, %rax", "5"},
        {"mov $0x5a, %ebx; mov $APIC, %edx; movl %ebx, 0x80(%rdx)\n"
         "mov %cr8, %rax", "5"},
        {"mov $0x1234, %ebx; mov %rbx, %db0; mov %db0, %rax", "1234"},
        {"mov %db6, %rax", "ffff0ff0"},
        {"mov %db7, %rax", "400"},
        {"mov $0x77, %ebx; mov %rbx, %db4; mov %db6, %rax", "77"},
        {"msr 0xc0000102, 0x1122334455667788; mov $0xc0000102, %ecx; rdmsr\n"
         "shl $32, %rdx; or %rdx, %rax", "1122334455667788"},
        {"msr 0xc0000100, 0x620000; movq $99, 0x620008; mov %fs:8, %rax",
         "63"},
        {"msr 0xc0000102, 0x620000; movq $7, 0x620010; cli; swapgs\n"
         "mov %gs:16, %rax; swapgs", "7"},
        {"msr 0xc0000082, 0xffffffff80001234; mov $0xc0000082, %ecx; rdmsr\n"
         "mov %edx, %eax", "ffffffff"},
        {"msr 0xc0000103, 0x42; rdtscp; mov %rcx, %rax", "42"},
        {"msr 0xc0000080, 0xd01; mov $0xc0000080, %ecx; rdmsr", "d01"},
        {"mov $0x1b, %ecx; rdmsr", "fee00900"},
        {"mov $0x80010033, %ebx; mov %rbx, %cr0; mov %cr0, %rax", "80010033"},
        {"mov $0x123456, %ebx; mov %rbx, %cr2; mov %cr2, %rax", "123456"},
    };

    expect_all(texts, G_N_ELEMENTS(texts));
}

Test(cpu, prefixes_do_not_change_where_an_instruction_ends)
{
    static const char *const texts[][2] = {
        {"mov $0x1b, %ecx; .byte 0x48, 0x0f, 0x32", "fee00900"},
        {"mov $0xc0000103, %ecx; mov $5, %eax; xor %edx, %edx\n"
         ".byte 0x48, 0x0f, 0x30; rdtscp; mov %rcx, %rax", "5"},
        {"mov $0x55, %ecx; .byte 0x48, 0x0f, 0x31; mov %rcx, %rax", "55"},
        {"mov $0x55, %ecx; .byte 0x66, 0x0f, 0x31; mov %rcx, %rax", "55"},
        {"mov $0x15, %eax; .byte 0x48, 0x0f, 0xa2; mov %ecx, %eax",
         "3b9aca00"},
    };
    g_auto(Rig) rig = rig_run("main: .byte 0x48, 0x0f, 0x01, 0xc1\n"
                              " mov $3, %ebx; done\n", 1);

    rig_continue(&rig, 0);
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_reg(&rig, 0, GPR_RBX), 3);
    expect_all(texts, G_N_ELEMENTS(texts));
}

Test(cpu, time_is_the_number_of_steps)
{
    cr_expect_eq(rax_after("rdtsc; mov %eax, %ebx; nop; nop; rdtsc\n"
                           "sub %ebx, %eax"), 4);
    cr_expect_eq(rax_after("rdtsc; mov %eax, %ebx; mov $9, %ecx\n"
                           "1: dec %ecx; jnz 1b; rdtsc; sub %ebx, %eax"), 21);
    cr_expect_eq(rax_after("mov $0x10, %ecx; rdmsr; mov %eax, %ebx; rdtsc\n"
                           "sub %ebx, %eax"), 2);
    /* writing it turns nothing back */
    cr_expect_eq(rax_after("rdtsc; mov %eax, %ebx; msr 0x10, 0; rdtsc\n"
                           "sub %ebx, %eax"), 7);
}

Test(cpu, cpuid_describes_the_same_processor_on_every_host)
{
    cr_expect_eq(rax_after("xor %eax, %eax; cpuid"), 0x15);
    cr_expect_eq(rax_after("xor %eax, %eax; cpuid; mov %ebx, %eax"),
                 0x64646548); /* "Hedd" */
    /* x2APIC, SSE3, CMPXCHG16B; no RDRAND, XSAVE, MONITOR, POPCNT */
    cr_expect_eq(rax_after("mov $1, %eax; cpuid; mov %ecx, %eax"), 0x01202201);
    cr_expect_eq(rax_after("mov $0x80000008, %eax; cpuid; shr $8, %eax\n"
                           "and $0xff, %eax"), 48);
}

Test(cpu, ports_are_an_empty_bus)
{
    static const char *const texts[][2] = {
        {"mov $0x1122334455667788, %rax; in $0x80, %al", "11223344556677ff"},
        {"mov $0x1122334455667788, %rax; in $0x80, %ax", "112233445566ffff"},
        {"mov $0x1122334455667788, %rax; in $0x80, %eax", "ffffffff"},
        {"mov $0x70, %edx; mov $0x1122334455667788, %rax; in %dx, %ax",
         "112233445566ffff"},
        {"mov $9, %eax; out %al, $0x80; out %eax, %dx", "9"},
    };

    expect_all(texts, G_N_ELEMENTS(texts));
}

/* SDM 1, 3.4.3: OF 800, SF 80, ZF 40, AF 10, PF 4, CF 1. */
Test(cpu, pushf_stores_the_flags_of_what_was_before)
{
    static const char *const texts[][2] = {
        {"mov $0x7fffffff, %eax; add $1, %eax; pushfq; pop %rax\n"
         "and $0x8d5, %eax", "894"},
        {"xor %eax, %eax; sub $1, %eax; pushfq; pop %rax; and $0x8d5, %eax",
         "95"},
        {"xor %eax, %eax; stc; inc %eax; pushfq; pop %rax; and $0x8d5, %eax",
         "1"},
        {"mov $3, %eax; cmp $3, %eax; jne 1f; mov $1, %ecx\n"
         "1: pushfq; cmp $4, %eax; pushfq; pop %rax; pop %rcx\n"
         "shl $12, %rax; or %rcx, %rax; and $0x8d58d5, %eax", "95044"},
        {"mov $-1, %ecx; shl $1, %ecx; mov %ecx, 0x620000; pushfw; pop %ax\n"
         "and $0xc5, %eax", "81"},
    };

    expect_all(texts, G_N_ELEMENTS(texts));
}

Test(cpu, syscall_and_sysret_change_ring_and_flags)
{
    g_auto(Rig) rig = rig_run(
        "main: msr 0xc0000080, 0x501; msr 0xc0000081, 0x18000800000000\n"
        " msr 0xc0000082, entry; msr 0xc0000084, 0x200\n"
        " mov %rsp, %gs:120; mov $user, %ecx; mov $0x202, %r11d; sysretq\n"
        "user: mov %cs, %r8d; mov %ss, %r9d; syscall\nback: mov %cs, %r12d\n"
        " expect end; hlt\nend: done\n"
        "entry: mov %cs, %r10d; mov %ss, %r13d; pushfq; pop %r14\n"
        " mov %rcx, %r15; sysretq\n.globl back\n", 1);

    cr_expect_eq(rig_reg(&rig, 0, GPR_R8), 0x2b);
    cr_expect_eq(rig_reg(&rig, 0, GPR_R9), 0x23);
    cr_expect_eq(rig_reg(&rig, 0, GPR_R10), 8);
    cr_expect_eq(rig_reg(&rig, 0, GPR_R13), 0x10);
    cr_expect_eq(rig_reg(&rig, 0, GPR_R12), 0x2b);
    cr_expect_eq(rig_reg(&rig, 0, GPR_R14) & RFLAGS_IF, 0);
    cr_expect_eq(rig_reg(&rig, 0, GPR_R15), rig_symbol(&rig, "back"));
}

Test(cpu, atomics_do_what_they_say)
{
    static const char *const texts[][2] = {
        {"movq $5, 0x620000; mov $3, %eax; lock xadd %rax, 0x620000", "5"},
        {"movq $5, 0x620000; mov $5, %eax; mov $9, %ebx\n"
         "lock cmpxchg %rbx, 0x620000; mov 0x620000, %rax", "9"},
        {"movq $5, 0x620000; mov $4, %eax; mov $9, %ebx\n"
         "lock cmpxchg %rbx, 0x620000", "5"},
        {"movq $1, 0x620000; movq $2, 0x620008; mov $1, %eax; mov $2, %edx\n"
         "mov $3, %ebx; mov $4, %ecx; lock cmpxchg16b 0x620000\n"
         "setz %al; movzbl %al, %eax; add 0x620008, %rax", "5"},
        {"movq $1, 0x620000; movq $2, 0x620008; xor %eax, %eax; xor %edx, "
         "%edx\nlock cmpxchg16b 0x620000; shl $4, %rdx; add %rdx, %rax", "21"},
        {"movq $0, 0x620000; lock btsq $5, 0x620000; mov 0x620000, %rax",
         "20"},
        {"movq $0, 0x620008; mov $70, %ebx; bts %rbx, 0x620000\n"
         "mov 0x620008, %rax", "40"},
        {"movq $7, 0x620000; mov $9, %eax; xchg %rax, 0x620000", "7"},
    };

    expect_all(texts, G_N_ELEMENTS(texts));
}

Test(cpu, fences_and_hints_change_nothing_but_time)
{
    cr_expect_eq(rax_after("mov $77, %eax; mfence; lfence; sfence; pause\n"
                           "clflush 0x620000; prefetcht0 0x10; wbinvd"), 77);
}

Test(cpu, the_apic_is_reached_by_page_and_by_msr)
{
    static const char *const texts[][2] = {
        {"mov $APIC, %ebx; mov 0x30(%rbx), %eax", "1060015"},
        {"movabs $0xffff800000000000+APIC, %rbx; mov 0x30(%rbx), %eax",
         "1060015"},
        {"msr 0x1b, 0xfee00d00; mov $0x803, %ecx; rdmsr", "1060015"},
        {"msr 0x1b, 0xfee00d00; msr 0x808, 0x30; mov %cr8, %rax", "3"},
        {"msr 0x1b, 0xfee00d00; mov $APIC, %ebx; mov 0x30(%rbx), %eax",
         "ffffffff"},
    };

    expect_all(texts, G_N_ELEMENTS(texts));
}

Test(cpu, pause_and_a_sent_message_end_a_slice)
{
    g_auto(Rig) rig = rig_new("main: vmcall; nop; pause; nop; nop\n"
                              " apic 0x300, 0x40031\n nop; nop; done\n", 1,
                              CPU_ENGINE_FIBER);
    ticks_t before;
    CpuStop stop;

    rig_to_vmcall(&rig, 0);
    rig_continue(&rig, 0);
    before = machine_clock(rig.machine);
    cr_assert(rig_act(&rig, ACTION_STEP, 0, 1000, &stop));
    cr_expect_eq(machine_clock(rig.machine) - before, 2);
    cr_assert(rig_act(&rig, ACTION_STEP, 0, 1000, &stop));
    cr_expect_eq(machine_clock(rig.machine) - before, 6);
    cr_expect_eq(stop, CPU_STOP_SLICE);
}

Test(cpu, a_slice_is_exactly_as_long_as_it_was_given)
{
    for (int engine = 0; engine < 3; engine++) {
        g_auto(Rig) rig = rig_new("main: vmcall\n1: add $1, %rax; push %rax\n"
                                  " pop %rbx; jmp 1b\n", 1,
                                  (CpuEngine)engine);
        CpuStop stop;

        rig_to_vmcall(&rig, 0);
        rig_continue(&rig, 0);
        for (unsigned steps = 1; steps < 40; steps++) {
            ticks_t before = machine_clock(rig.machine);

            cr_assert(rig_act(&rig, ACTION_STEP, 0, steps, &stop));
            cr_expect_eq(machine_clock(rig.machine) - before, steps);
        }
        cr_expect_eq(rig_reg(&rig, 0, GPR_RAX), 780 / 4);
    }
}

typedef struct Told {
    const Rig *rig;
    unsigned points, accesses, writes;
    gva_t last;
    ticks_t at;
} Told;

static void
on_point(void *user, unsigned cpu, gva_t rip)
{
    Told *told = user;

    told->points++;
    told->last = rip;
    told->at = machine_clock(told->rig->machine);
    machine_break(told->rig->machine, cpu);
}

static void
on_access(void *user, unsigned cpu, gpa_t physical, const InsnAccess *access)
{
    Told *told = user;

    (void)cpu, (void)physical;
    told->accesses++;
    told->writes += (access->mode & INSN_ACCESS_WRITE) != 0;
}

Test(cpu, a_marked_address_is_told_once_each_time_and_stopped_before)
{
    for (int engine = 0; engine < 3; engine++) {
        g_auto(Rig) rig = rig_new("main: vmcall; mov $3, %ecx\n"
                                  "here: dec %ecx; jnz here; done\n"
                                  ".globl here\n", 1, (CpuEngine)engine);
        Told told = {.rig = &rig};
        MachineWatch watch = {.point = on_point, .user = &told};
        CpuStop stop;

        rig_to_vmcall(&rig, 0);
        machine_watch(rig.machine, &watch);
        code_mark(machine_code(rig.machine), rig_symbol(&rig, "here"),
                  CODE_POINT);
        rig_continue(&rig, 0);
        for (unsigned i = 0; i < 3; i++) {
            cr_assert(rig_act(&rig, ACTION_STEP, 0, 100, &stop));
            cr_expect_eq(told.points, i + 1);
            cr_expect_eq(machine_clock(rig.machine), told.at);
            cr_expect_eq(cpu_rip(machine_cpu(rig.machine, 0)),
                         rig_symbol(&rig, "here"));
            cr_expect_eq(rig_reg(&rig, 0, GPR_RCX), 3 - i);
        }
        rig_to_vmcall(&rig, 0);
        cr_expect_eq(told.points, 3);
    }
}

/* Lines that are dirty already are told like any other. */
Test(cpu, watched_memory_tells_every_access)
{
    g_auto(Rig) rig = rig_new("main: vmcall; mov $0x620000, %ebx\n"
                              " mov %rax, (%rbx); mov %rax, 8(%rbx)\n"
                              " mov %rax, 16(%rbx); mov (%rbx), %rax\n"
                              " incq (%rbx); mov %rax, 64(%rbx)\n"
                              " mov %rax, 60(%rbx); done\n", 1,
                              CPU_ENGINE_FIBER);
    Told told = {.rig = &rig};
    MachineWatch watch = {.access = on_access, .user = &told};

    rig_to_vmcall(&rig, 0);
    machine_watch(rig.machine, &watch);
    machine_watch_memory(rig.machine, 0x620000, 64);
    rig_continue(&rig, 0);
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(told.accesses, 6);
    cr_expect_eq(told.writes, 5);
    machine_watch_no_memory(rig.machine);
}
