/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu_hook -- what happens before every instruction.
 *
 * The hook is the hottest code there is: some ten nanoseconds of each step.
 * The common case counts and returns; everything else (the slice's end, a
 * marked address, an instruction that Unicorn must not execute, a line that
 * becomes dirty) goes the slow way.
 *
 * Attention: whoever wants the hook to look up before the next instruction
 * sets the slice aside and makes it 0, so that the one test for the slice's
 * end serves both.
 *
 * Layer 2; a part of cpu.
 */
#ifndef EMU_PARTS_CPU_HOOK_H
#define EMU_PARTS_CPU_HOOK_H

#include "base/base.h"
#include "parts/cpu.h"
#include "parts/cpu_special.h"

/* Instructions at which the hook must do more than count. */
#define CPU_ATTEND_MASK                                                        \
    (CPU_SPECIAL_MASK | INSN_STRING_REP | INSN_STI | INSN_MOV_SS | INSN_IRET | \
     INSN_PAUSE | INSN_PUSHF | CODE_POINT | CODE_MEETING)

/* Instructions after which a waiting interrupt may become takeable; the APIC
 * and CR8 report for themselves.  SYSCALL stands for SYSRET. */
#define CPU_OPENS_WINDOW                                                       \
    (INSN_STI | INSN_POPF | INSN_IRET | INSN_MOV_SS | INSN_SYSCALL)

/* Engine's hook before every instruction; `user` points to the pointer to the
 * Cpu: a common engine has one core after the other. */
void cpu_on_instruction(struct uc_struct *unused, uint64_t address,
                        uint32_t size, void *user);

/* Would an interrupt be taken before the next instruction?  Exact inside the
 * hook and outside of engine_run(). */
bool cpu_interrupt_takeable(Cpu *cpu);

/* The linear address of an access of the next instruction. */
gva_t cpu_address_of(const Cpu *cpu, const InsnAccess *access);

/* The core is about to write [physical, physical + size), which is RAM. */
void cpu_note_write(Cpu *cpu, gpa_t physical, uint64_t size);

/* Make the hook look up before the next instruction. */
void cpu_request_attention(Cpu *cpu);

/* Work out anew at which instructions the hook must stop. */
void cpu_reset_stop_mask(Cpu *cpu);

/* The APIC changed: look what is pending. */
void cpu_update_waiting(Cpu *cpu);

/* Between STI or MOV SS and the instruction after it? */
static inline bool
cpu_in_shadow(const Cpu *cpu)
{
    return cpu->state.retired == cpu->state.shadow_at;
}

static inline bool
cpu_something_waits(const Cpu *cpu)
{
    return cpu->state.interrupt_waits || cpu->state.nmi_waits;
}

/* How the next instruction is to be decoded. */
static inline InsnMode
cpu_mode(const Cpu *cpu)
{
    uint32_t hidden = cpu->live->hidden;

    if (LIKELY(hidden & ENGINE_HIDDEN_CS64))
        return INSN_MODE_64;
    return hidden & ENGINE_HIDDEN_CS32 ? INSN_MODE_32 : INSN_MODE_16;
}

#endif
