/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/inside.h"

#include "parts/cpu_interrupt.h"

/* What a handler needs of a stack at most, bytes. */
#define STACK_BYTES 16384u

/* Handlers inside of each other; deeper ones are not told apart. */
#define NESTED_MAX 32u

/* Vectors below are exceptions, but for NMI (SDM 3A, 6.3.1). */
#define EXCEPTIONS 32u

void
inside_flowed(Inside *inside, Cpu *cpu, const Insn *insn, unsigned vector)
{
    bool moved = vector >= EXCEPTIONS || vector == CPU_VECTOR_NMI;

    if (insn != NULL) {
        if (insn->flags & INSN_IRET && inside->depth > 0) {
            inside->depth--;
            inside->moved >>= 1;
        }
        return;
    }
    if (inside->depth == NESTED_MAX)
        return;
    if (moved && inside->moved == 0 &&
        !gmem_translate(cpu->shared->gmem, cpu_register(cpu, GPR_RSP), 1,
                        &inside->top))
        inside->top = 0;
    inside->depth++;
    inside->moved = inside->moved << 1 | moved;
}

bool
inside_is_handlers(const Inside *inside, gpa_t physical)
{
    return inside->moved != 0 &&
           (physical >= inside->top || inside->top - physical > STACK_BYTES);
}
