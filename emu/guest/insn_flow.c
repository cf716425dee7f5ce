/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "guest/insn_flow.h"

#include <Zydis/Zydis.h>

typedef struct Operands {
    ZydisDecodedInstruction zydis;
    ZydisDecodedOperand all[ZYDIS_MAX_OPERAND_COUNT];
    unsigned accesses; /* memory operands seen so far */
} Operands;

static int
general_number(ZydisRegister reg)
{
    ZydisRegister whole = ZydisRegisterGetLargestEnclosing(
        ZYDIS_MACHINE_MODE_LONG_64, reg);

    if (reg == ZYDIS_REGISTER_NONE)
        return -1;
    if (ZydisRegisterGetClass(whole) != ZYDIS_REGCLASS_GPR64)
        return -1;
    return (int)whole - (int)ZYDIS_REGISTER_RAX;
}

static uint16_t
register_bit(ZydisRegister reg)
{
    int number = general_number(reg);

    if (number < 0)
        return 0;
    return (uint16_t)(1u << number);
}

static bool
is_high(ZydisRegister reg)
{
    return reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH;
}

/* --- All operands --------------------------------------------------------- */

static void
note_register(InsnFlow *flow, const ZydisDecodedOperand *operand)
{
    ZydisRegister reg = operand->reg.value;
    bool writes = operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
    bool reads = operand->actions & ZYDIS_OPERAND_ACTION_MASK_READ;
    ZydisRegisterClass class = ZydisRegisterGetClass(reg);
    uint16_t bit = register_bit(reg);

    if (bit != 0) {
        /* 8 and 16 bits leave the rest of the register; so may a conditional
         * write leave all of it. */
        if (reads || operand->size < 32 ||
            operand->actions & ZYDIS_OPERAND_ACTION_CONDWRITE)
            flow->reads |= bit;
        if (writes)
            flow->writes |= bit;
        return;
    }
    if (class == ZYDIS_REGCLASS_FLAGS || class == ZYDIS_REGCLASS_IP)
        return;
    if (writes)
        flow->writes_others = true;
}

static void
note_memory(InsnFlow *flow, const ZydisDecodedOperand *operand)
{
    uint16_t bits = register_bit(operand->mem.base) |
                    register_bit(operand->mem.index);

    if (operand->mem.type == ZYDIS_MEMOP_TYPE_AGEN)
        flow->reads |= bits;
    else
        flow->address_registers |= bits;
    if (operand->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
        operand->mem.base == ZYDIS_REGISTER_RSP)
        flow->uses_stack = true;
}

static void
note_operands(InsnFlow *flow, const Operands *operands)
{
    for (unsigned i = 0; i < operands->zydis.operand_count; i++) {
        const ZydisDecodedOperand *operand = &operands->all[i];

        if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER)
            note_register(flow, operand);
        else if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY)
            note_memory(flow, operand);
    }
    if (flow->insn.flags & INSN_BIT_STRING) /* the offset is an address */
        flow->address_registers |= flow->reads;
    if (flow->insn.flags & INSN_STRING_REP) /* how far it goes is one too */
        flow->address_registers |= register_bit(ZYDIS_REGISTER_RCX);
    if (operands->zydis.mnemonic == ZYDIS_MNEMONIC_XLAT)
        flow->address_registers |= register_bit(ZYDIS_REGISTER_RAX);
    flow->reads |= flow->address_registers;
}

static void
note_flags(InsnFlow *flow, const Operands *operands)
{
    const ZydisAccessedFlags *flags = operands->zydis.cpu_flags;

    if (flags == NULL)
        return;
    flow->flags_read = flags->tested & INSN_FLOW_ARITHMETIC;
    flow->flags_touched = (flags->modified | flags->set_0 | flags->set_1 |
                           flags->undefined) &
                          INSN_FLOW_ARITHMETIC;
    /* A shift by nothing and a string of no length leave them. */
    if (operands->zydis.meta.category != ZYDIS_CATEGORY_SHIFT &&
        operands->zydis.meta.category != ZYDIS_CATEGORY_ROTATE &&
        operands->zydis.meta.category != ZYDIS_CATEGORY_STRINGOP)
        flow->flags_written = flow->flags_touched;
}

/* xor with itself gives 0, whatever was there. */
static void
forget_zeroed(InsnFlow *flow, const Operands *operands)
{
    const ZydisDecodedOperand *a = &operands->all[0], *b = &operands->all[1];

    if (operands->zydis.mnemonic == ZYDIS_MNEMONIC_XOR &&
        a->type == ZYDIS_OPERAND_TYPE_REGISTER &&
        b->type == ZYDIS_OPERAND_TYPE_REGISTER &&
        a->reg.value == b->reg.value && a->size >= 32)
        flow->reads = 0;
}

/* May it raise an exception by the values of its registers? */
static bool
fails_by_value(ZydisMnemonic mnemonic)
{
    return mnemonic == ZYDIS_MNEMONIC_DIV || mnemonic == ZYDIS_MNEMONIC_IDIV ||
           mnemonic == ZYDIS_MNEMONIC_XGETBV ||
           mnemonic == ZYDIS_MNEMONIC_RDPMC;
}

/* --- The few that are understood ------------------------------------------ */

static InsnFlowOperand
operand_of(Operands *operands, unsigned index)
{
    const ZydisDecodedOperand *operand = &operands->all[index];
    InsnFlowOperand result = {.size = (uint8_t)(operand->size / 8)};
    int number;

    switch (operand->type) {
    case ZYDIS_OPERAND_TYPE_REGISTER:
        number = general_number(operand->reg.value);
        if (number < 0)
            break;
        result.where = INSN_FLOW_REGISTER;
        result.number = (uint8_t)number;
        result.high = is_high(operand->reg.value);
        break;
    case ZYDIS_OPERAND_TYPE_MEMORY:
        result.where = INSN_FLOW_MEMORY;
        result.number = (uint8_t)operands->accesses++;
        break;
    case ZYDIS_OPERAND_TYPE_IMMEDIATE:
        result.where = INSN_FLOW_IMMEDIATE;
        result.value = operand->imm.value.u;
        break;
    default:
        break;
    }
    return result;
}

/* Which operand is written and which is read; `from` may be an implied 1. */
static void
take_two(InsnFlow *flow, Operands *operands, InsnFlowKind kind)
{
    flow->kind = kind;
    flow->to = operand_of(operands, 0);
    flow->from = operand_of(operands, 1);
}

static void
take_one(InsnFlow *flow, Operands *operands, InsnFlowKind kind)
{
    flow->kind = kind;
    flow->to = operand_of(operands, 0);
    flow->from = (InsnFlowOperand){
        .where = INSN_FLOW_IMMEDIATE, .size = flow->to.size, .value = 1};
}

/* Of a push the second access is the stack if the first is what is pushed. */
static void
take_stack(InsnFlow *flow, Operands *operands, bool pushes)
{
    InsnFlowOperand visible = operand_of(operands, 0);
    InsnFlowOperand stack = {.where = INSN_FLOW_MEMORY,
                             .size = 8,
                             .number = (uint8_t)operands->accesses};

    if (visible.size != 8 && visible.where != INSN_FLOW_IMMEDIATE)
        return;
    flow->kind = INSN_FLOW_MOVE;
    flow->to = pushes ? stack : visible;
    flow->from = pushes ? visible : stack;
}

static void
take_address(InsnFlow *flow, Operands *operands)
{
    const ZydisDecodedOperandMem *mem = &operands->all[1].mem;
    int base = general_number(mem->base), index = general_number(mem->index);

    if (operands->zydis.address_width != 64)
        return;
    flow->kind = INSN_FLOW_ADDRESS;
    flow->to = operand_of(operands, 0);
    flow->base = base < 0 ? INSN_REG_NONE : (uint8_t)base;
    flow->index = index < 0 ? INSN_REG_NONE : (uint8_t)index;
    while (1u << (flow->scale + 1u) <= mem->scale)
        flow->scale++;
}

static void
understand(InsnFlow *flow, Operands *operands)
{
    switch (operands->zydis.mnemonic) {
    case ZYDIS_MNEMONIC_MOV:
    case ZYDIS_MNEMONIC_MOVZX:
        take_two(flow, operands, INSN_FLOW_MOVE);
        break;
    case ZYDIS_MNEMONIC_ADD:
        take_two(flow, operands, INSN_FLOW_ADD);
        break;
    case ZYDIS_MNEMONIC_INC:
        take_one(flow, operands, INSN_FLOW_ADD);
        break;
    case ZYDIS_MNEMONIC_SUB:
        take_two(flow, operands, INSN_FLOW_SUB);
        break;
    case ZYDIS_MNEMONIC_DEC:
        take_one(flow, operands, INSN_FLOW_SUB);
        break;
    case ZYDIS_MNEMONIC_CMP:
        take_two(flow, operands, INSN_FLOW_SUB);
        flow->keeps = true;
        break;
    case ZYDIS_MNEMONIC_AND:
        take_two(flow, operands, INSN_FLOW_AND);
        break;
    case ZYDIS_MNEMONIC_TEST:
        take_two(flow, operands, INSN_FLOW_AND);
        flow->keeps = true;
        break;
    case ZYDIS_MNEMONIC_LEA:
        take_address(flow, operands);
        break;
    case ZYDIS_MNEMONIC_PUSH:
        take_stack(flow, operands, true);
        break;
    case ZYDIS_MNEMONIC_POP:
        take_stack(flow, operands, false);
        break;
    default:
        break;
    }
}

/* An operand that is neither register, memory nor number is not understood;
 * nor is an access that the Insn does not have. */
static bool
is_understood(const InsnFlow *flow)
{
    const InsnFlowOperand *both[] = {&flow->to, &flow->from};

    for (unsigned i = 0; i < 2; i++) {
        if (i == 1 && flow->kind == INSN_FLOW_ADDRESS)
            break;
        if (both[i]->where == INSN_FLOW_NOWHERE ||
            (both[i]->where == INSN_FLOW_MEMORY &&
             both[i]->number >= flow->insn.access_count))
            return false;
    }
    return true;
}

bool
insn_flow_decode(InsnFlow *flow, const uint8_t *bytes, size_t available,
                 gva_t address)
{
    Operands operands = {.accesses = 0};
    ZydisDecoder decoder;

    *flow = (InsnFlow){.kind = INSN_FLOW_OTHER};
    if (!insn_decode(&flow->insn, bytes, available, address, INSN_MODE_64))
        return false;
    if (flow->insn.flags & INSN_UNPREDICTED && !(flow->insn.flags & INSN_IRET))
        return false;
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
                     ZYDIS_STACK_WIDTH_64);
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes,
                                             MIN(available, INSN_LENGTH_MAX),
                                             &operands.zydis, operands.all)))
        return false;
    note_operands(flow, &operands);
    note_flags(flow, &operands);
    forget_zeroed(flow, &operands);
    flow->branches = (flow->insn.flags &
                      (INSN_CALL | INSN_RET | INSN_BRANCH | INSN_IRET)) != 0 ||
                     fails_by_value(operands.zydis.mnemonic);
    flow->reads_time = (flow->insn.flags & (INSN_RDTSC | INSN_RDRAND)) != 0;
    understand(flow, &operands);
    if (flow->kind != INSN_FLOW_OTHER && !is_understood(flow))
        flow->kind = INSN_FLOW_OTHER;
    return true;
}
