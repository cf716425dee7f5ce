/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine_boil -- a guest in which everything happens at once, and a way to
 * drive it: for the tests that compare whole runs.
 *
 * Each cpu does BOIL_ROUNDS rounds of something that its own generator picks:
 * locked and 16-byte atomics, strings, stores through all windows and across
 * pages, stack frames, interrupts of every kind to itself and others, halts,
 * exceptions, ring 3, code that is written while others execute it.
 */
#ifndef TESTS_MACHINE_BOIL_H
#define TESTS_MACHINE_BOIL_H

#include "machine_rig.h"

static const char boil_text[] =
    ".set SHARED, 0x600000\n"
    ".macro with mask\n mov %r13d, %ebx; shr $9, %ebx; and $\\mask, %ebx\n"
    ".endm\n"
    "main: jmp start_all\n"
    /* r12: own area, r13: generator, r14: rounds left, r15: number */
    "body: mov %edi, %r15d; mov %edi, %r12d; shl $14, %r12\n"
    " add $0x640000, %r12; lea 12345(%rdi), %r13; mov $ROUNDS, %r14d\n"
    " imul $7919, %r13, %r13\n"
    " mov $0x480000, %r8d; mov $0xffff800000600000, %r9\n"
    " mov $0xffffffff80600000, %r10\n"
    " mov $APIC, %ebp\n"
    " movl $0xb, 0x3e0(%rbp); movl $0x20030, 0x320(%rbp)\n"
    " movl $1700, 0x380(%rbp); sti\n"
    "next: dec %r14; js finish\n"
    " imul $1664525, %r13d, %r13d; add $1013904223, %r13d\n"
    " mov %r13d, %eax; shr $24, %eax; and $31, %eax\n"
    " jmp *ops(,%rax,8)\n"
    "finish: cli; done\n"
    "op0: mov %r13, %rax; lock xadd %rax, SHARED; lock incq SHARED+8\n"
    " with 127; lock btsq %rbx, SHARED+64; sbb %eax, %eax; mov %rax, 8(%r12)\n"
    " jmp next\n"
    "op1: mov SHARED+16, %rax; mov SHARED+24, %rdx\n"
    "1: mov %r13, %rbx; mov %r14, %rcx; lock cmpxchg16b SHARED+16\n"
    " jnz 1b; jmp next\n"
    "op2: with 63; mov %ebx, %ecx; mov $SHARED+4064, %esi\n"
    " lea 4070(%r12), %rdi; rep movsb; jmp next\n"
    "op3: with 31; mov %ebx, %ecx; lea 4000(%r12), %rdi; mov %r13, %rax\n"
    " rep stosq; jmp next\n"
    "op4: mov %rsp, %rbp; enter $64, $3; push %r13; pushfq\n"
    "  popq (%r12); pushw $7; pop %ax\n"
    " pop %r13; leave; mov $APIC, %ebp; jmp next\n"
    "op5: movl $0x40031, 0x300(%rbp); jmp next\n"
    "op6: mov %r13d, %eax; shr $9, %eax; xor %edx, %edx; divl cpus\n"
    " shl $24, %edx; mov %edx, 0x310(%rbp); with 15; lea 0x40(%rbx), %eax\n"
    " mov %eax, 0x300(%rbp); jmp next\n"
    "op7: cli; mov SHARED+32, %rax; add %r13, %rax; mov %rax, 16(%r12); nop\n"
    " sti; nop; jmp next\n"
    "op8: pushfq; pop %rax; xor $0x8d5, %eax; push %rax; popfq\n"
    " adc %r13, 24(%r12); rcl $3, %r13; sbb %rax, 24(%r12); ror $3, %r13\n"
    " push $0x202; popfq; jmp next\n"
    "op9: sti; hlt; jmp next\n"
    "op10: mov %r13, %rax; xchg %rax, SHARED+40; with 255\n"
    " bts %rbx, 128(%r12); btcw %bx, SHARED+96; xadd %rax, 32(%r12)\n"
    " jmp next\n"
    "op11: movq %r13, %xmm0; pshufd $0x44, %xmm0, %xmm1; addps %xmm0, %xmm2\n"
    " movups %xmm1, 4090(%r12); movdqa %xmm1, 256(%r12)\n"
    " mov %r13, 8188(%r12); movnti %r13, 512(%r12); jmp next\n"
    "op12: pause; mov $SHARED, %esi; mov %r12, %rdi; mov $40, %ecx\n"
    " repe cmpsb; mov %rcx, 40(%r12); xor %eax, %eax; mov $50, %ecx\n"
    " repne scasb; mov %rdi, 48(%r12); jmp next\n"
    "op13: xor %eax, %eax; cpuid; rdtsc; mov %rax, 56(%r12)\n"
    " rdtscp; mov 0x390(%rbp), %eax; mov %rax, 64(%r12); jmp next\n"
    "op14: call 1f; jmp next\n"
    "1: call 2f; ret\n"
    "2: push %rbp; mov %rsp, %rbp; mov $APIC, %ebp; pop %rax; mov $APIC, %ebp\n"
    " ret\n"
    /* cross-modifying: one writes an immediate that all execute */
    "op15: with 3; mov %r13b, patch+1(,%rbx); call patch\n"
    " mov %rax, 72(%r12); jmp next\n"
    "op16: expect 1f\n xor %ecx, %ecx; xor %edx, %edx; div %ecx\n"
    "1: expect 1f\n mov %rax, 8\n1: expect 1f\n ud2\n1: int3; jmp next\n"
    "op17: fxsave 1024(%r12); fld1; fadd %st, %st; fstpt 80(%r12)\n"
    " fnclex; jmp next\n"
    "op18: mov $0xc0000100, %ecx; mov %r13d, %eax; xor %edx, %edx; wrmsr\n"
    " cli; swapgs; swapgs; sti; rdmsr; mov %eax, 96(%r12); jmp next\n"
    "op19: with 3; lea 0xc0050(%rbx), %eax; mov %eax, 0x300(%rbp); jmp next\n"
    "op20: lea 1(%r15), %eax; xor %edx, %edx; divl cpus; shl $24, %edx\n"
    " mov %edx, 0x310(%rbp); movl $0x400, 0x300(%rbp); jmp next\n"
    "op21: mov %r13, 104(%r9); mov %r13, 112(%r10); lock incl 120(%r10)\n"
    " mov %r13b, 4095(%r9); mov %r13, 4092(%r10); jmp next\n"
    "op22: with 15; mov %rbx, %cr8; nop; nop; mov %cr8, %rax\n"
    " xor %eax, %eax; mov %rax, %cr8; mov %rax, 112(%r12); jmp next\n"
    /* ring 3 and back, with interrupts on */
    "op23: mov %rsp, %gs:120; push $0x23; lea 0x3ff0(%r12), %rax; push %rax\n"
    " push $0x202; push $0x2b; push $1f; cli; iretq\n"
    "1: mov %r13, 120(%r12); push %r13; pop %rax; expect 2f\n hlt\n"
    "2: sti; jmp next\n"
    "op24: mov %ss, %eax; mov %eax, %ss; nop; cli; mov %eax, %ss; sti; nop\n"
    " jmp next\n"
    /* writes into its own block */
    "op25: mov %r13b, 1f+1; nop\n1: mov $0, %al; mov %al, 128(%r12)\n"
    " movb $0x90, 2f; 2: nop; jmp next\n"
    "op26: mov $0x10, %eax; mov %eax, %ds; mov %eax, %es; xor %eax, %eax\n"
    " mov %eax, %fs; str %ax; jmp next\n"
    "op27: pushq (%r12); popq 136(%r12); push %rsp; pop %rax\n"
    " sgdt 160(%r12); mov %r12, %rbx; xlat; jmp next\n"
    "op28: xor %ecx, %ecx; rep movsb; rep stosb; mov $3, %ecx; sti\n"
    " lea 256(%r12), %rdi; rep stosw; jmp next\n"
    "op29: std; lea 4096(%r12), %rdi; mov $20, %ecx; rep stosb; cld; jmp next\n"
    "op30: in $0x71, %al; out %al, $0x80; mov %db6, %rax; mfence; lfence\n"
    " wbinvd; invlpg (%r12); mov %cr3, %rax; mov %rax, %cr3; jmp next\n"
    "op31: push $0x202; popfq; jmp next\n"
    "patch: mov $0x12345678, %eax; nop; nop; nop; ret\n"
    ".data\n"
    "ops: .quad op0, op1, op2, op3, op4, op5, op6, op7, op8, op9, op10, op11\n"
    " .quad op12, op13, op14, op15, op16, op17, op18, op19, op20, op21, op22\n"
    " .quad op23, op24, op25, op26, op27, op28, op29, op30, op31\n";

/* One that drives: random choices from a seed, written down. */
typedef struct Drive {
    GArray *acts;  /* Action */
    GArray *made;  /* ticks that each took */
} Drive;

static inline void
drive_clear(Drive *drive)
{
    g_clear_pointer(&drive->acts, g_array_unref);
    g_clear_pointer(&drive->made, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Drive, drive_clear)

static inline Drive
drive_new(void)
{
    return (Drive){.acts = g_array_new(FALSE, FALSE, sizeof(Action)),
                   .made = g_array_new(FALSE, FALSE, sizeof(uint64_t))};
}

static inline Rig
boil_new(unsigned cpus, unsigned rounds, CpuEngine engine)
{
    g_autofree char *text = g_strdup_printf(".set ROUNDS, %u\n%s", rounds,
                                            boil_text);

    return rig_new(text, cpus, engine);
}

/* Random actions and slices until all is done or `most` ticks went by. */
static inline void
boil_drive(const Rig *rig, uint64_t seed, uint64_t most, Drive *drive)
{
    g_autofree Actions *actions = g_new(Actions, 1);
    ticks_t end = machine_clock(rig->machine) + most;
    Prng prng;

    prng_init(&prng, seed);
    while (machine_clock(rig->machine) < end) {
        ticks_t before = machine_clock(rig->machine);
        uint64_t steps;
        Action action;

        machine_list_actions(rig->machine, actions);
        if (actions->count == 0)
            break;
        action = action_at(actions, (unsigned)prng_below(&prng,
                                                         actions->count));
        steps = prng_chance(&prng, 1, 8) ? 1 + prng_below(&prng, 200)
                                         : 1 + prng_below(&prng, 12);
        machine_perform(rig->machine, &action,
                        MIN(steps, end - MIN(end - 1, before)));
        if (drive != NULL) {
            uint64_t made = machine_clock(rig->machine) - before;

            g_array_append_val(drive->acts, action);
            g_array_append_val(drive->made, made);
        }
    }
    machine_check(rig->machine);
}

#endif
