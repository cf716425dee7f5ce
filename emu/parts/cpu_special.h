/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu_special -- the instructions that Unicorn 2.0.1 does not execute, or
 * executes by looking at the host, or although they are none.
 *
 * BT and its kin leave flags undefined that Unicorn computes in one way or
 * another, depending on what stands before it in the block; begun anew there,
 * it is always the same way.
 *
 * Unicorn is stopped before each of them, and they are done here: what they
 * do to the registers, and how far RIP moves.  cpuid describes heddle's own
 * processor, the same on every host; the TSC is the machine's clock.
 *
 * Layer 2; a part of cpu.
 */
#ifndef EMU_PARTS_CPU_SPECIAL_H
#define EMU_PARTS_CPU_SPECIAL_H

#include "base/base.h"
#include "parts/cpu.h"

#define CPU_SPECIAL_MASK                                                       \
    (INSN_HALT | INSN_INT_N | INSN_SYSCALL | INSN_CPUID | INSN_RDTSC |         \
     INSN_MSR | INSN_CR_ACCESS | INSN_DR_ACCESS | INSN_IN_OUT |              \
     INSN_VMCALL | CODE_UNDEFINED | INSN_BIT_TEST)

/* Ticks of virtual time a second, as CPUID leaf 15h and tsc_frequency of a
 * guest have it: one tick is one nanosecond. */
#define CPU_TICKS_PER_SECOND UINT64_C(1000000000)

/*
 * Execute the special instruction at RIP.  True: cpu_run() is to return with
 * *stop.  False: go on; the instruction was executed, or raised an exception
 * that was delivered, or is to be executed by Unicorn after all.
 */
bool cpu_execute_special(Cpu *cpu, CpuStop *stop);

/* One special instruction of `length` bytes was executed: count it. */
void cpu_retire_special(Cpu *cpu, unsigned length);

/* What a write to the APIC's registers caused. */
void cpu_apply_effects(Cpu *cpu, const LapicEffects *effects);

/* INIT arrived; a start-up message arrived at a core that waits for one. */
void cpu_enter_init(Cpu *cpu);
void cpu_enter_startup(Cpu *cpu, uint8_t vector);

#endif
