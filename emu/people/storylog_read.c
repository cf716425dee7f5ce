/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "people/storylog_read.h"

static gva_t
effective_address(const Cpu *cpu, const InsnAccess *access)
{
    uint64_t bases[SEG_COUNT];

    for (unsigned i = 0; i < SEG_COUNT; i++)
        bases[i] = cpu->live->segments[i].base;
    return insn_effective_address(access, cpu->live->registers, bases);
}

/*
 * An Insn does not name the register that a call goes through:
 *
 *      [41] ff d0+r    call *%reg     Intel SDM 2A, CALL, FF /2
 */
static gva_t
target_in_register(const Cpu *cpu)
{
    uint8_t bytes[3] = {0};
    unsigned at, high;

    if (!gmem_read(cpu->shared->gmem, cpu_rip(cpu), bytes, sizeof bytes))
        return 0;
    at = (bytes[0] & 0xf0) == 0x40;
    high = at == 1 && (bytes[0] & 1) ? 8 : 0;
    if (bytes[at] != 0xff || (bytes[at + 1] & 0xf8) != 0xd0)
        return 0;
    return cpu->live->registers[(bytes[at + 1] & 7u) + high];
}

gva_t
storylog_read_target(Cpu *cpu, const Insn *insn)
{
    if (insn->flags & INSN_HAS_IMMEDIATE)
        return insn->immediate;
    for (unsigned i = 0; i < insn->access_count; i++) {
        const InsnAccess *access = &insn->access[i];
        gva_t target = 0;

        if (access->mode & INSN_ACCESS_READ && access->size == 8 &&
            gmem_read(cpu->shared->gmem, effective_address(cpu, access),
                      &target, sizeof target))
            return target;
    }
    return target_in_register(cpu);
}

uint64_t
storylog_read_operand(Cpu *cpu, const ImageOperand *operand)
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
        gmem_read(cpu->shared->gmem, effective_address(cpu, &operand->access),
                  &value, bytes);
        break;
    }
    if (operand->is_signed)
        return (uint64_t)((int64_t)(value << unused) >> unused);
    return value << unused >> unused;
}
