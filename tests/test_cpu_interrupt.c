/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When an interrupt is taken, in what order, and what it leaves untouched.
 */
#include "base/base.h"

#include "machine_rig.h"

TestSuite(cpu_interrupt, .timeout = 120);

static void
send_fixed(const Rig *rig, unsigned cpu, uint8_t vector)
{
    LapicMessage message = {.source = LAPIC_SOURCE_NONE,
                            .vector = vector,
                            .delivery = LAPIC_DELIVERY_FIXED};

    cpu_receive(machine_cpu(rig->machine, cpu), &message);
    machine_refresh(rig->machine);
}

static void
send_nmi(const Rig *rig, unsigned cpu)
{
    LapicMessage message = {.source = LAPIC_SOURCE_NONE,
                            .delivery = LAPIC_DELIVERY_NMI};

    cpu_receive(machine_cpu(rig->machine, cpu), &message);
    machine_refresh(rig->machine);
}

/* Code in which every flag matters, in both rings. */
static const char chain[] =
    "main: vmcall; mov $0x620000, %r12d; xor %r9d, %r9d; sti\n"
    " mov $12, %r14d\n"
    "1: add $0x7edcba98, %r9d; adc %r9, %r10; rcl $7, %r10; sbb %r9b, %r11b\n"
    " xadd %r10, %r11; cmc; adc $0, %r9; pushfq; pop %rax; add %rax, %r11\n"
    " mul %r11; rcr $3, %rax; mov $5, %ecx; lea 256(%r12), %rdi; mov %r12,"
    " %rsi\n"
    " rep movsb; xchg %r10, (%r12); bt $9, %r10; sbb %rbx, %rbx\n"
    " enter $32, $0; push %rbx; pop %rdx; leave\n"
    " cvtsi2sd %r10d, %xmm0; addsd %xmm0, %xmm1; movq %xmm1, 8(%r12)\n"
    " dec %r14d; jnz 1b\n"
    " cli; mov %rsp, %gs:120; push $0x23; push $0x630000; push $0x202\n"
    " push $0x2b; push $2f; iretq\n"
    "2: add $0x7edcba98, %r9d; adc %r9, %r10; rcl $7, %r10; push %r10\n"
    " sbb %rax, %r11; pop %rdx; adc %rdx, %r11; expect 3f\n hlt\n"
    "3: cli; done\n";

static void
undisturbed(const Rig *rig, uint64_t registers[GPR_COUNT])
{
    rig_to_vmcall(rig, 0);
    for (unsigned i = 0; i < GPR_COUNT; i++)
        registers[i] = rig_reg(rig, 0, i);
}

/* Go on for `steps` steps; true if it came to its end. */
static bool
steps_made(const Rig *rig, uint64_t steps)
{
    CpuStop stop;

    cr_assert(rig_act(rig, ACTION_STEP, 0, steps, &stop));
    return stop == CPU_STOP_HYPERCALL;
}

static void
disturb_everywhere(CpuEngine engine, void (*send)(const Rig *rig))
{
    g_auto(Rig) rig = rig_new(chain, 1, engine);
    Gmem *memory = machine_memory(rig.machine);
    uint64_t wanted[GPR_COUNT];
    uint8_t data[512], seen[512];
    uint64_t at = 0;

    rig_to_vmcall(&rig, 0);
    rig_continue(&rig, 0);
    machine_rebase(rig.machine);
    undisturbed(&rig, wanted);
    gmem_read(memory, 0x620000, data, sizeof data);
    for (bool end = false; !end; at++) {
        machine_restore(rig.machine);
        end = at > 0 && steps_made(&rig, at);
        if (end)
            break;
        send(&rig);
        rig_to_vmcall(&rig, 0);
        for (unsigned i = 0; i < GPR_COUNT; i++)
            cr_assert_eq(rig_reg(&rig, 0, i), wanted[i],
                         "step %" PRIu64 " register %u", at, i);
        gmem_read(memory, 0x620000, seen, sizeof seen);
        cr_assert(memcmp(data, seen, sizeof seen) == 0, "step %" PRIu64, at);
    }
    cr_expect_gt(at, 300);
}

static void
send_a_fixed_one(const Rig *rig)
{
    send_fixed(rig, 0, 0x45);
}

static void
send_an_nmi(const Rig *rig)
{
    send_nmi(rig, 0);
}

static void
send_many(const Rig *rig)
{
    send_fixed(rig, 0, 0x45);
    send_fixed(rig, 0, 0x99);
    send_nmi(rig, 0);
}

Test(cpu_interrupt, between_any_two_instructions_leaves_no_trace)
{
    disturb_everywhere(CPU_ENGINE_FIBER, send_a_fixed_one);
}

Test(cpu_interrupt, between_any_two_instructions_stepwise_too)
{
    disturb_everywhere(CPU_ENGINE_STEPWISE, send_a_fixed_one);
}

Test(cpu_interrupt, an_nmi_between_any_two_instructions_leaves_no_trace)
{
    disturb_everywhere(CPU_ENGINE_FIBER, send_an_nmi);
}

Test(cpu_interrupt, several_at_once_between_any_two_leave_no_trace)
{
    disturb_everywhere(CPU_ENGINE_FIBER, send_many);
}

/* Sends vector 45h where the base is, goes on to the next VMCALL, and says
 * how many times it was taken until then.  The slice decides nothing. */
static uint32_t
taken_with(const Rig *rig, uint64_t slice, gva_t *from)
{
    CpuStop stop = CPU_STOP_SLICE;

    machine_restore(rig->machine);
    send_fixed(rig, 0, 0x45);
    rig_continue(rig, 0);
    for (unsigned i = 0; i < 2000 && stop <= CPU_STOP_HALT; i++)
        if (!rig_act(rig, ACTION_STEP, 0, slice, &stop))
            break;
    *from = rig_saw(rig, 0, SAW_IRQ_RIP);
    if (image_lookup_symbol(rig->image, "here") != NULL)
        *from -= rig_symbol(rig, "here");
    return rig_taken(rig, 0, 0x45);
}

typedef struct Window {
    const char *text;
    uint32_t taken;
    gva_t from; /* from `here` */
} Window;

Test(cpu_interrupt, windows_open_where_the_manual_says)
{
    static const Window windows[] = {
        {"main: vmcall; nop; nop; done", 0, 0},
        {"main: vmcall; sti; cli; nop; done", 0, 0},
        {"main: vmcall; sti; nop\nhere: nop; cli; done; .globl here", 1, 0},
        {"main: vmcall; sti; sti; nop\nhere: nop; cli; done\n.globl here", 1,
         (gva_t)-1},
        {"main: vmcall; sti; hlt\nhere: cli; done; .globl here", 1, 0},
        {"main: vmcall; push $0x202; popfq\nhere: nop; cli; done\n.globl here",
         1, 0},
        {"main: vmcall; push $0x202; popfq\nhere: cli; done\n.globl here", 1,
         0},
        {"main: vmcall; mov %ss, %eax; push $0x202; popfq\n"
         "here: mov %eax, %ss; nop; cli; done\n.globl here", 1, 0},
        {"main: sti; mov %ss, %eax; mov $0xf, %ebx; mov %rbx, %cr8; vmcall\n"
         " xor %ebx, %ebx; mov %rbx, %cr8\nhere: nop; cli; done\n.globl here",
         1, 0},
        {"main: vmcall; mov %ss, %eax; sti; mov %eax, %ss\n"
         "here: nop; cli; done\n.globl here", 1, 0},
        {"main: sti; vmcall\nhere: nop; cli; done\n.globl here", 1, 0},
        /* iret opens it at its target */
        {"main: vmcall; push $0x10; push $0x481000; push $0x202; push $8\n"
         " push $here; iretq\nhere: cli; done\n.globl here", 1, 0},
        /* sysret, to ring 3 */
        {"main: msr 0xc0000080, 0x501; msr 0xc0000081, 0x18000800000000\n"
         " mov %rsp, %gs:120; vmcall; mov $here, %ecx; mov $0x202, %r11d\n"
         " sysretq\nhere: expect 1f\n hlt\n1: done\n.globl here", 1, 0},
    };

    for (size_t i = 0; i < 2 * G_N_ELEMENTS(windows); i++) {
        const Window *w = &windows[i / 2];
        g_auto(Rig) rig = rig_new(
            w->text, 1, i % 2 ? CPU_ENGINE_STEPWISE : CPU_ENGINE_FIBER);

        rig_to_vmcall(&rig, 0);
        machine_rebase(rig.machine);
        for (uint64_t slice = 1; slice <= 8; slice++) {
            gva_t from;
            uint32_t taken = taken_with(&rig, slice, &from);

            cr_expect_eq(taken, w->taken, "window %zu slice %" PRIu64 ": %u",
                         i / 2, slice, taken);
            if (taken > 0 && w->taken > 0)
                cr_expect_eq(from, w->from,
                             "window %zu slice %" PRIu64 ": from %" PRId64,
                             i / 2, slice, (int64_t)from);
        }
    }
}

Test(cpu_interrupt, a_halted_core_sleeps_until_something_may_wake_it)
{
    g_auto(Rig) rig = rig_new("main: cli; vmcall; hlt; vmcall; sti; hlt; done",
                              1, CPU_ENGINE_FIBER);
    g_autofree Actions *actions = g_new(Actions, 1);

    rig_to_vmcall(&rig, 0);
    rig_continue(&rig, 0);
    rig_go(&rig, 1000);
    cr_expect_eq(rig_activity(&rig, 0), CPU_HALTED);
    send_fixed(&rig, 0, 0x45); /* IF is 0 */
    machine_list_actions(rig.machine, actions);
    cr_expect_eq(actions->count, 0);
    send_nmi(&rig, 0);
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_taken(&rig, 0, 2), 1);
    cr_expect_eq(rig_taken(&rig, 0, 0x45), 0);
    rig_continue(&rig, 0); /* the one that waits ends the next halt */
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_taken(&rig, 0, 0x45), 1);
}

Test(cpu_interrupt, nmis_are_blocked_until_iret_and_one_is_kept)
{
    g_auto(Rig) rig = rig_new(
        "main: movq $handler, hooks+16; vmcall; nop; nop; done\n"
        "handler: incq 0x620000; cmpq $1, 0x620000; jne 1f; vmcall\n1: ret",
        1, CPU_ENGINE_FIBER);

    rig_to_vmcall(&rig, 0);
    send_nmi(&rig, 0);
    rig_continue(&rig, 0);
    rig_to_vmcall(&rig, 0); /* inside the handler */
    for (unsigned i = 0; i < 10; i++)
        send_nmi(&rig, 0);
    rig_continue(&rig, 0);
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_taken(&rig, 0, 2), 2);
}

Test(cpu_interrupt, an_nmi_goes_before_what_else_waits)
{
    g_auto(Rig) rig = rig_new("main: sti; vmcall; nop; cli; done", 1,
                              CPU_ENGINE_FIBER);

    rig_to_vmcall(&rig, 0);
    send_fixed(&rig, 0, 0x45);
    send_fixed(&rig, 0, 0x99);
    send_nmi(&rig, 0);
    rig_continue(&rig, 0);
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_saw(&rig, 0, SAW_LOG) & 0xffffff, 0x459902);
}

Test(cpu_interrupt, a_higher_class_nests_and_a_lower_one_waits_for_eoi)
{
    g_auto(Rig) rig = rig_new(
        "main: movq $handler, hooks+0x45*8; sti; vmcall; nop; cli; done\n"
        "handler: vmcall; sti; nop; nop; cli; ret", 1, CPU_ENGINE_FIBER);

    rig_to_vmcall(&rig, 0);
    send_fixed(&rig, 0, 0x45);
    rig_to_vmcall(&rig, 0); /* inside, interrupts off */
    send_fixed(&rig, 0, 0x47);
    send_fixed(&rig, 0, 0x31);
    send_fixed(&rig, 0, 0x60);
    rig_continue(&rig, 0);
    rig_to_vmcall(&rig, 0);
    rig_continue(&rig, 0);
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_saw(&rig, 0, SAW_LOG) & 0xffffffff, 0x31476045, "%" PRIx64,
                 rig_saw(&rig, 0, SAW_LOG));
}

Test(cpu_interrupt, the_task_priority_holds_a_class_back)
{
    g_auto(Rig) rig = rig_new(
        "main: mov $4, %ebx; mov %rbx, %cr8; sti; vmcall; nop; nop; vmcall\n"
        " mov $3, %ebx; mov %rbx, %cr8; nop; cli; done", 1, CPU_ENGINE_FIBER);

    rig_to_vmcall(&rig, 0);
    send_fixed(&rig, 0, 0x4f);
    send_fixed(&rig, 0, 0x50);
    rig_continue(&rig, 0);
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_taken(&rig, 0, 0x50), 1);
    cr_expect_eq(rig_taken(&rig, 0, 0x4f), 0);
    rig_continue(&rig, 0);
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_taken(&rig, 0, 0x4f), 1);
}

Test(cpu_interrupt, a_vector_that_waits_already_merges)
{
    g_auto(Rig) rig = rig_new("main: vmcall; sti; nop; nop; cli; done", 1,
                              CPU_ENGINE_FIBER);

    rig_to_vmcall(&rig, 0);
    send_fixed(&rig, 0, 0x45);
    send_fixed(&rig, 0, 0x45);
    rig_continue(&rig, 0);
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_taken(&rig, 0, 0x45), 1);
}

Test(cpu_interrupt, a_string_is_left_between_two_iterations_and_resumed)
{
    g_auto(Rig) rig = rig_new("main: vmcall; sti; mov $0x620000, %edi\n"
                              " mov $100, %ecx; mov $7, %al\nhere: rep stosb\n"
                              " cli; done\n.globl here", 1, CPU_ENGINE_FIBER);

    rig_to_vmcall(&rig, 0);
    rig_continue(&rig, 0);
    steps_made(&rig, 4 + 30);
    cr_expect_eq(rig_reg(&rig, 0, GPR_RCX), 70);
    send_fixed(&rig, 0, 0x45);
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_saw(&rig, 0, SAW_IRQ_RIP), rig_symbol(&rig, "here"));
    cr_expect_eq(rig_reg(&rig, 0, GPR_RCX), 0);
    cr_expect_eq(rig_u64(&rig, 0x620000 + 92), 0x0707070707070707);
}

Test(cpu_interrupt, a_core_held_at_a_hypercall_takes_it_there)
{
    g_auto(Rig) rig = rig_new("main: sti\nhere: vmcall; cli; done\n"
                              ".globl here", 1, CPU_ENGINE_FIBER);

    rig_to_vmcall(&rig, 0);
    send_fixed(&rig, 0, 0x45);
    rig_to_vmcall(&rig, 0);
    cr_expect_eq(rig_taken(&rig, 0, 0x45), 1);
    cr_expect_eq(rig_saw(&rig, 0, SAW_IRQ_RIP), rig_symbol(&rig, "here"));
    cr_expect_eq(cpu_rip(machine_cpu(rig.machine, 0)),
                 rig_symbol(&rig, "here"));
}

/* The frame begins where the victim does, with the low byte of the return
 * address: C3, a RET. */
Test(cpu_interrupt, a_frame_on_top_of_code_is_executed_as_what_it_is)
{
    g_auto(Rig) rig = rig_run(
        "main: xor %ebx, %ebx; call victim; mov %ebx, %r12d\n"
        " mov %rsp, %r9; mov $victim+40, %esp; jmp 1f\n"
        ".balign 256, 0x90\n .fill 0xc1, 1, 0x90\n1: int $0x50\n"
        " mov %r9, %rsp; xor %ebx, %ebx; call victim; done\n"
        ".balign 64\n.fill 120, 1, 0x90\nvictim: .fill 19, 2, 0xc3ff\n ret\n",
        1);

    cr_expect_eq(rig_taken(&rig, 0, 0x50), 1);
    cr_expect_eq(rig_reg(&rig, 0, GPR_R12), 19);
    cr_expect_eq(rig_reg(&rig, 0, GPR_RBX), 0);
}
