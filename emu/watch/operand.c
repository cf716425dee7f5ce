/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/operand.h"

gva_t
operand_address(const Cpu *cpu, const InsnAccess *access)
{
    uint64_t bases[SEG_COUNT];

    for (unsigned i = 0; i < SEG_COUNT; i++)
        bases[i] = cpu->live->segments[i].base;
    return insn_effective_address(access, cpu->live->registers, bases);
}

uint64_t
operand_read(Cpu *cpu, const ImageOperand *operand)
{
    unsigned bytes = MIN(MAX(operand->size, 1u), 8u);
    unsigned unused = 64 - 8 * bytes;
    uint64_t value = 0;

    switch (operand->kind) {
    case IMAGE_OPERAND_UNKNOWN:
        return 0;
    case IMAGE_OPERAND_REGISTER:
        value = cpu->live->registers[operand->reg & 15] >> operand->shift;
        break;
    case IMAGE_OPERAND_CONSTANT:
        value = (uint64_t)operand->constant;
        break;
    case IMAGE_OPERAND_MEMORY:
        gmem_read(cpu->shared->gmem, operand_address(cpu, &operand->access),
                  &value, bytes);
        break;
    }
    if (operand->is_signed)
        return (uint64_t)((int64_t)(value << unused) >> unused);
    return value << unused >> unused;
}
