/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu_memory -- what a core's loads and stores do under the memory model.
 *
 * The hook knows what an instruction will access before it executes.  Under
 * the models with a store buffer its stores become entries there; under
 * `weak` its loads may be given an older value, which lies in RAM for the one
 * instruction.
 *
 *      sc     a store is visible at once, except that of an unlocked
 *             read-modify-write at the very end of a slice: others can come
 *             between its two halves
 *      tso    stores are buffered
 *      pso    stores are buffered
 *      weak   stores are buffered, loads may be late
 *
 * What drains the buffer: MFENCE, LOCKed instructions, serialising ones, IN
 * and OUT, accesses to the APIC's page, and every interrupt and exception
 * (SDM 3A, 8.3 and 11.10).  WRMSR to the x2APIC's registers and to the TSC
 * deadline does not (SDM 3A, 10.12.3).  Stores to text and to page tables are
 * buffered like others: whoever has decoded them is told whenever RAM changes.
 *
 * Layer 2; a part of cpu.
 */
#ifndef EMU_PARTS_CPU_MEMORY_H
#define EMU_PARTS_CPU_MEMORY_H

#include "base/base.h"
#include "parts/cpu.h"

/* Instructions that the hook must see when stores are buffered. */
#define CPU_ORDERING_MASK                                                      \
    (INSN_FENCE_M | INSN_FENCE_S | INSN_FENCE_L | INSN_LOCKED |               \
     INSN_SERIALISING | INSN_IN_OUT | INSN_NON_TEMPORAL | INSN_UNPREDICTED |   \
     CODE_SFENCE | CODE_CCFENCE)

/* All buffered stores become visible. */
void cpu_flush(Cpu *cpu);

/* They do, and no later load is older than this moment. */
void cpu_drain(Cpu *cpu);

/* The long ways of the two below. */
void cpu_show_some(Cpu *cpu);
void cpu_hide_some(Cpu *cpu);

/* The core begins to run: RAM becomes its view.  Under SC it first does the
 * half of an instruction that was left over. */
static inline void
cpu_show_stores(Cpu *cpu)
{
    if (cpu->stores.count > 0)
        cpu_show_some(cpu);
    else
        cpu->stores.shown = true;
}

/* It stops: RAM is memory again. */
static inline void
cpu_hide_stores(Cpu *cpu)
{
    if (cpu->stores.count > 0)
        cpu_hide_some(cpu);
    else
        cpu->stores.shown = false;
}

/* An instruction with these flags is about to execute: the order that it asks
 * for. */
void cpu_order(Cpu *cpu, uint64_t flags);

/* Under `weak`: it is about to load; see which value the load gives.  Before
 * its stores are noted. */
void cpu_note_loads(Cpu *cpu, const Insn *insn);

/* The instruction is about to store to [physical, physical + size) of RAM,
 * which was noted with cpu_note_write() already.  Returns whether the store is
 * buffered. */
bool cpu_note_store(Cpu *cpu, const Insn *insn, gpa_t physical,
                    uint64_t size);

/* The instruction that was given an older value has executed. */
void cpu_put_back(Cpu *cpu);

/* The core itself, not an instruction, stores to RAM: an interrupt frame. */
void cpu_store(Cpu *cpu, gpa_t physical, const void *bytes, uint64_t size);

#endif
