/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inside -- is a core inside of an interrupt handler, and which part of its
 * stack did that find free?
 *
 *      stack   | in use | free when the interrupt came |
 *                       ^ top
 *
 * Interrupts come when a schedule wants; exceptions are the core's own doing.
 * What a handler writes to the free part, nobody reads who was there before
 * (kernels have no red zone, System V ABI for x86-64, 3.2.2).
 *
 * Layer 5; embedded in a strategy, one for each core; all zero: it is not.
 */
#ifndef EMU_CHOOSE_INSIDE_H
#define EMU_CHOOSE_INSIDE_H

#include "base/base.h"
#include "parts/cpu.h"

typedef struct Inside {
    unsigned depth;
    uint32_t moved; /* of those, the interrupts: one bit each, the innermost
                       lowest */
    gpa_t top;      /* when the outermost came */
} Inside;

/* What CpuHost.flow tells of this core. */
void inside_flowed(Inside *inside, Cpu *cpu, const Insn *insn,
                   unsigned vector);

/* Is an access to `physical` the handler's, as far as others can tell? */
bool inside_is_handlers(const Inside *inside, gpa_t physical);

#endif
