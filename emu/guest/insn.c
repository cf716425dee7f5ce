/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "guest/insn.h"

#include <Zydis/Zydis.h>

#include "guest/insn_class.h"

/* One instruction while it is being translated from Zydis's terms to ours. */
typedef struct Decoding {
    Insn *insn;
    ZydisDecodedInstruction zydis;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    gva_t address;
    InsnMode mode;
} Decoding;

static uint8_t
register_number(const Decoding *decoding, ZydisRegister reg)
{
    ZydisRegister whole = ZydisRegisterGetLargestEnclosing(
        decoding->zydis.machine_mode, reg);

    /* Outside 64-bit mode the largest is the 32-bit one. */
    switch (ZydisRegisterGetClass(whole)) {
    case ZYDIS_REGCLASS_GPR64:
        return (uint8_t)(whole - ZYDIS_REGISTER_RAX);
    case ZYDIS_REGCLASS_GPR32:
        return (uint8_t)(whole - ZYDIS_REGISTER_EAX);
    case ZYDIS_REGCLASS_GPR16:
        return (uint8_t)(whole - ZYDIS_REGISTER_AX);
    default:
        return ZydisRegisterGetClass(reg) == ZYDIS_REGCLASS_IP ? INSN_REG_RIP
                                                               : INSN_REG_NONE;
    }
}

static uint8_t
segment_number(const Decoding *decoding, ZydisRegister segment)
{
    uint8_t number = (uint8_t)(segment - ZYDIS_REGISTER_ES);

    if (segment < ZYDIS_REGISTER_ES || segment > ZYDIS_REGISTER_GS)
        return INSN_SEGMENT_NONE;
    /* The bases of the other four are zero by decree (Intel SDM 3A, 3.4.4). */
    if (decoding->mode == INSN_MODE_64 && number < INSN_FS)
        return INSN_SEGMENT_NONE;
    return number;
}

/* The scale of a decoded operand is a factor; 0 stands for no index. */
static uint8_t
scale_shift(uint8_t factor)
{
    return factor == 8 ? 3 : factor == 4 ? 2 : factor == 2 ? 1 : 0;
}

static void
add_access(Decoding *decoding, const InsnAccess *access)
{
    Insn *insn = decoding->insn;

    if (access->size == 0 || insn->access_count == INSN_ACCESS_MAX) {
        insn->flags |= INSN_UNPREDICTED;
        return;
    }
    insn->access[insn->access_count] = *access;
    if (decoding->mode != INSN_MODE_64)
        insn->access[insn->access_count].mode |= INSN_ACCESS_LINEAR_32;
    insn->access_count++;
}

static uint8_t
access_mode(const ZydisDecodedOperand *operand)
{
    uint8_t mode = 0;

    if (operand->actions & ZYDIS_OPERAND_ACTION_MASK_READ)
        mode |= INSN_ACCESS_READ;
    if (operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
        mode |= INSN_ACCESS_WRITE;
    return mode;
}

/* A memory operand as it is written, or implied with plain registers. */
static InsnAccess
operand_access(const Decoding *decoding, const ZydisDecodedOperand *operand)
{
    const ZydisDecodedOperandMem *mem = &operand->mem;
    InsnAccess access = {
        .displacement = mem->disp.value,
        .size = (uint16_t)(operand->size / 8),
        .base = register_number(decoding, mem->base),
        .index = register_number(decoding, mem->index),
        .scale = scale_shift(mem->scale),
        .segment = segment_number(decoding, mem->segment),
        .mode = access_mode(operand),
        .address_bits = decoding->zydis.address_width,
    };

    if (access.base == INSN_REG_RIP)
        access.displacement += (int64_t)decoding->address +
                               decoding->zydis.length;
    return access;
}

static bool
operand_is_stack(const ZydisDecodedOperand *operand)
{
    return operand->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
           (operand->mem.base == ZYDIS_REGISTER_RSP ||
            operand->mem.base == ZYDIS_REGISTER_ESP ||
            operand->mem.base == ZYDIS_REGISTER_SP);
}

/* Bytes that the stack operand spans.  Zydis counts far transfers
 * in 64-bit items, and iret always as if it changed the stack. */
static uint16_t
stack_bytes(const Decoding *decoding, const ZydisDecodedOperand *operand)
{
    unsigned item = decoding->zydis.operand_width / 8u;

    switch (decoding->zydis.mnemonic) {
    case ZYDIS_MNEMONIC_CALL:
    case ZYDIS_MNEMONIC_RET:
        if (decoding->zydis.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
            return (uint16_t)(2 * item);
        break;
    case ZYDIS_MNEMONIC_IRET:
    case ZYDIS_MNEMONIC_IRETD:
    case ZYDIS_MNEMONIC_IRETQ:
        /* SS and RSP are popped always only in 64-bit mode. */
        return (uint16_t)((decoding->mode == INSN_MODE_64 ? 5 : 3) * item);
    default:
        break;
    }
    return (uint16_t)(operand->size / 8);
}

static void
add_stack_access(Decoding *decoding, const ZydisDecodedOperand *operand)
{
    InsnAccess access = operand_access(decoding, operand);

    access.size = stack_bytes(decoding, operand);
    access.address_bits = decoding->zydis.stack_width;
    if (access.mode & INSN_ACCESS_WRITE)
        access.displacement -= access.size;
    add_access(decoding, &access);
}

/*
 * enter pushes rbp, then `level` - 1 frame pointers copied from the old frame,
 * then the new frame pointer (Intel SDM 2A, ENTER):
 *
 *      rbp ─▶ │          │            rsp ─▶ ├──────────┤
 *             │ level-1  │ ── copied ──▶     │ level+1  │ written
 *             └──────────┘                   └──────────┘
 */
static void
add_enter(Decoding *decoding)
{
    unsigned level = decoding->operands[1].imm.value.u & 31u;
    unsigned item = decoding->zydis.operand_width / 8u;
    InsnAccess access = {
        .base = INSN_RSP,
        .index = INSN_REG_NONE,
        .segment = segment_number(decoding, ZYDIS_REGISTER_SS),
        .mode = INSN_ACCESS_WRITE,
        .address_bits = decoding->zydis.stack_width,
    };

    access.size = (uint16_t)(item * (level == 0 ? 1 : level + 1));
    access.displacement = -(int64_t)access.size;
    add_access(decoding, &access);
    if (level > 1) {
        access.base = INSN_RBP;
        access.mode = INSN_ACCESS_READ;
        access.size = (uint16_t)(item * (level - 1));
        access.displacement = -(int64_t)access.size;
        add_access(decoding, &access);
    }
}

/* Memory operands that are only addresses. */
static bool
touches_nothing(const Decoding *decoding)
{
    switch (decoding->zydis.meta.category) {
    case ZYDIS_CATEGORY_NOP:
    case ZYDIS_CATEGORY_WIDENOP:
    case ZYDIS_CATEGORY_PREFETCH:
    case ZYDIS_CATEGORY_PREFETCHWT1:
    case ZYDIS_CATEGORY_CLFLUSHOPT:
    case ZYDIS_CATEGORY_CLWB:
    case ZYDIS_CATEGORY_CLDEMOTE:
        return true;
    default:
        break;
    }
    switch (decoding->zydis.mnemonic) {
    case ZYDIS_MNEMONIC_CLFLUSH:
    case ZYDIS_MNEMONIC_INVLPG:
    case ZYDIS_MNEMONIC_LEA:
        return true;
    default:
        return false;
    }
}

static void
add_operand(Decoding *decoding, const ZydisDecodedOperand *operand)
{
    const ZydisDecodedOperand *other = &decoding->operands[1];
    ZydisMnemonic mnemonic = decoding->zydis.mnemonic;
    InsnAccess access = operand_access(decoding, operand);

    if (operand->mem.type != ZYDIS_MEMOP_TYPE_MEM) {
        if (operand->mem.type != ZYDIS_MEMOP_TYPE_AGEN)
            decoding->insn->flags |= INSN_UNPREDICTED;
        return;
    }
    /* pop computes its target after rsp moved (Intel SDM 2B, POP). */
    if (mnemonic == ZYDIS_MNEMONIC_POP && access.base == INSN_RSP)
        access.displacement += access.size;
    /* Without an address size of its own leave reads through the stack's. */
    if (mnemonic == ZYDIS_MNEMONIC_LEAVE)
        access.address_bits = decoding->zydis.stack_width;
    if (mnemonic == ZYDIS_MNEMONIC_XLAT)
        access.index = INSN_REG_AL;
    if (decoding->insn->flags & INSN_BIT_TEST &&
        other->type == ZYDIS_OPERAND_TYPE_REGISTER) {
        access.mode |= (uint8_t)(INSN_ACCESS_BIT_STRING |
                                 register_number(decoding, other->reg.value)
                                     << INSN_ACCESS_BIT_REGISTER_SHIFT);
        decoding->insn->flags |= INSN_BIT_STRING;
    }
    add_access(decoding, &access);
}

static void
add_accesses(Decoding *decoding)
{
    if (touches_nothing(decoding))
        return;
    if (decoding->zydis.mnemonic == ZYDIS_MNEMONIC_ENTER) {
        add_enter(decoding);
        return;
    }
    for (unsigned i = 0; i < decoding->zydis.operand_count; i++) {
        const ZydisDecodedOperand *operand = &decoding->operands[i];

        if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY)
            continue;
        if (operand_is_stack(operand))
            add_stack_access(decoding, operand);
        else
            add_operand(decoding, operand);
    }
}

/* Control, debug and segment registers among the operands. */
static void
classify_system_registers(Decoding *decoding)
{
    Insn *insn = decoding->insn;
    uint64_t number_of = 0;

    for (unsigned i = 0; i < decoding->zydis.operand_count; i++) {
        const ZydisDecodedOperand *operand = &decoding->operands[i];
        bool written = operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
        ZydisRegister reg = operand->reg.value;

        if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER)
            continue;
        switch (ZydisRegisterGetClass(reg)) {
        case ZYDIS_REGCLASS_CONTROL:
            number_of = INSN_CR_ACCESS;
            insn->number = (uint8_t)(reg - ZYDIS_REGISTER_CR0);
            break;
        case ZYDIS_REGCLASS_DEBUG:
            number_of = INSN_DR_ACCESS;
            insn->number = (uint8_t)(reg - ZYDIS_REGISTER_DR0);
            break;
        case ZYDIS_REGCLASS_SEGMENT:
            /* Loading one reads its descriptor; syscall and its kin do not. */
            if (written && !(insn->flags & INSN_SYSCALL))
                insn->flags |= INSN_UNPREDICTED;
            if (written && reg == ZYDIS_REGISTER_SS &&
                (decoding->zydis.mnemonic == ZYDIS_MNEMONIC_MOV ||
                 decoding->zydis.mnemonic == ZYDIS_MNEMONIC_POP))
                insn->flags |= INSN_MOV_SS;
            continue;
        default:
            continue;
        }
        if (decoding->zydis.mnemonic != ZYDIS_MNEMONIC_MOV)
            continue;
        insn->flags |= number_of;
        /* Only cr8 is written without serialising (Intel SDM 3A, 8.3). */
        if (written)
            insn->flags |= INSN_TO_SYSTEM;
        if (written && !(number_of == INSN_CR_ACCESS && insn->number == 8))
            insn->flags |= INSN_SERIALISING;
    }
    if (!(insn->flags & (INSN_CR_ACCESS | INSN_DR_ACCESS)))
        return;
    for (unsigned i = 0; i < decoding->zydis.operand_count_visible; i++)
        if (decoding->operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
            insn->gpr == INSN_REG_NONE)
            insn->gpr = register_number(decoding,
                                        decoding->operands[i].reg.value);
}

static void
take_immediate(Decoding *decoding)
{
    Insn *insn = decoding->insn;
    const uint64_t wanted = INSN_INT_N | INSN_IN_OUT | INSN_CALL | INSN_RET |
                            INSN_BRANCH;
    ZydisMnemonic mnemonic = decoding->zydis.mnemonic;

    if (!(insn->flags & wanted))
        return;
    if (mnemonic == ZYDIS_MNEMONIC_INT3 || mnemonic == ZYDIS_MNEMONIC_INT1 ||
        mnemonic == ZYDIS_MNEMONIC_INTO) {
        insn->immediate = mnemonic == ZYDIS_MNEMONIC_INT3   ? 3
                          : mnemonic == ZYDIS_MNEMONIC_INT1 ? 1
                                                            : 4;
        insn->flags |= INSN_HAS_IMMEDIATE;
    }
    for (unsigned i = 0; i < decoding->zydis.operand_count_visible; i++) {
        const ZydisDecodedOperand *operand = &decoding->operands[i];
        uint64_t value = operand->imm.value.u;

        if (operand->type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
            continue;
        if (operand->imm.is_relative) {
            value += decoding->address + decoding->zydis.length;
            if (decoding->mode != INSN_MODE_64)
                value &= decoding->zydis.operand_width == 16 ? 0xffff
                                                             : UINT32_MAX;
        }
        insn->immediate = value;
        insn->flags |= INSN_HAS_IMMEDIATE;
    }
}

static unsigned
register_bit(const Decoding *decoding, ZydisRegister reg)
{
    uint8_t number = register_number(decoding, reg);

    return number < INSN_REG_NONE ? 1u << number : 0;
}

static void
take_registers(Decoding *decoding)
{
    unsigned reads = 0, writes = 0;

    for (unsigned i = 0; i < decoding->zydis.operand_count; i++) {
        const ZydisDecodedOperand *operand = &decoding->operands[i];
        unsigned bit = operand->type == ZYDIS_OPERAND_TYPE_REGISTER
                           ? register_bit(decoding, operand->reg.value)
                           : 0;

        if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY)
            reads |= register_bit(decoding, operand->mem.base) |
                     register_bit(decoding, operand->mem.index);
        writes |= operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE ? bit : 0;
        if (operand->actions & ZYDIS_OPERAND_ACTION_MASK_READ ||
            operand->size < 32)
            reads |= bit;
    }
    decoding->insn->gpr_reads = (uint16_t)reads;
    decoding->insn->gpr_writes = (uint16_t)writes;
}

static void
classify_memory(Decoding *decoding)
{
    Insn *insn = decoding->insn;
    const uint8_t both = INSN_ACCESS_READ | INSN_ACCESS_WRITE;
    bool updates = false;

    for (unsigned i = 0; i < insn->access_count; i++) {
        uint8_t mode = insn->access[i].mode;

        if (mode & INSN_ACCESS_READ)
            insn->flags |= INSN_READS;
        if (mode & INSN_ACCESS_WRITE)
            insn->flags |= INSN_WRITES;
        updates = updates || (mode & both) == both;
    }
    if (insn->access_count > 0 || insn->flags & INSN_UNPREDICTED)
        insn->flags |= INSN_MEMORY;
    /* xchg with memory locks the bus unasked (Intel SDM 3A, 8.1.2.1). */
    if (decoding->zydis.attributes & ZYDIS_ATTRIB_HAS_LOCK ||
        (decoding->zydis.mnemonic == ZYDIS_MNEMONIC_XCHG && updates))
        insn->flags |= INSN_LOCKED;
    else if (updates)
        insn->flags |= INSN_RMW;
}

static bool
decode_operands(Decoding *decoding, const uint8_t *bytes, size_t available)
{
    static const struct {
        ZydisMachineMode machine;
        ZydisStackWidth stack;
    } modes[] = {
        [INSN_MODE_16] = {ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16},
        [INSN_MODE_32] = {ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32},
        [INSN_MODE_64] = {ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64},
    };
    ZydisDecoder decoder;
    ZyanStatus status = ZydisDecoderInit(
        &decoder, modes[decoding->mode].machine, modes[decoding->mode].stack);

    INVARIANT(ZYAN_SUCCESS(status));
    return ZYAN_SUCCESS(
        ZydisDecoderDecodeFull(&decoder, bytes, MIN(available, INSN_LENGTH_MAX),
                               &decoding->zydis, decoding->operands));
}

bool
insn_decode(Insn *out, const uint8_t *bytes, size_t available, gva_t address,
            InsnMode mode)
{
    Decoding decoding = {.insn = out, .address = address, .mode = mode};

    INVARIANT(mode <= INSN_MODE_64);
    memset(out, 0, sizeof *out);
    if (!decode_operands(&decoding, bytes, available))
        return false;

    out->length = decoding.zydis.length;
    out->gpr = INSN_REG_NONE;
    out->flags = insn_class(&decoding.zydis);
    /* A far transfer loads cs, hence reads a descriptor. */
    if (decoding.zydis.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
        out->flags |= INSN_UNPREDICTED;
    add_accesses(&decoding);
    classify_system_registers(&decoding);
    take_immediate(&decoding);
    take_registers(&decoding);
    classify_memory(&decoding);
    return true;
}
