/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu_interrupt -- entering a handler through the guest's IDT.
 *
 * Unicorn reports exceptions and knows nothing of interrupts; entering the
 * handler is done here, as Intel SDM 3A chapter 6 has it: the gate, the new
 * stack (IST, or the TSS's for an inner ring), the frame
 *
 *      SS RSP RFLAGS CS RIP [error code]
 *
 * and when that itself faults, double fault, and then shutdown.  IRET is the
 * guest's own and native.
 *
 * Only long mode has handlers here.  An exception while a core is still on
 * its way there (the sixteen and thirty-two bit part of an AP's start) is a
 * shutdown, which is what a core without an IDT does.
 *
 * Layer 2; a part of cpu.
 */
#ifndef EMU_PARTS_CPU_INTERRUPT_H
#define EMU_PARTS_CPU_INTERRUPT_H

#include "base/base.h"
#include "parts/cpu.h"

/* Vectors, as SDM 3A table 6-1 numbers them. */
enum {
    CPU_VECTOR_DE = 0,
    CPU_VECTOR_DB = 1,
    CPU_VECTOR_NMI = 2,
    CPU_VECTOR_UD = 6,
    CPU_VECTOR_DF = 8,
    CPU_VECTOR_TS = 10,
    CPU_VECTOR_NP = 11,
    CPU_VECTOR_SS = 12,
    CPU_VECTOR_GP = 13,
    CPU_VECTOR_PF = 14,
    CPU_VECTOR_AC = 17,
};

/* Error code of #PF. */
#define CPU_PF_PRESENT 1u
#define CPU_PF_WRITE 2u
#define CPU_PF_USER 4u
#define CPU_PF_FETCH 16u

typedef struct CpuEvent {
    uint64_t rip;    /* what the frame holds */
    uint32_t error;  /* if has_error */
    uint8_t vector;
    bool has_error;
    bool software;   /* INT n: the gate's DPL counts */
    bool external;   /* an interrupt: bit 0 of error codes on the way */
} CpuEvent;

/* Does the exception push an error code? */
bool cpu_vector_has_error(uint8_t vector);

/* Enter the handler.  False: shutdown.  Only outside of engine_run(). */
bool cpu_deliver(Cpu *cpu, const CpuEvent *event);

/* Name of an exception ("#PF page fault"), or NULL for any other vector. */
const char *cpu_vector_name(unsigned vector);

#endif
