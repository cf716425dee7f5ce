/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * insn_flow -- what of an instruction's results depends on what of its
 * operands.
 *
 * For those who follow values through a program: which registers, flags and
 * memory an instruction reads and writes, and for the few that move, add,
 * subtract and mask, how the result comes from the operands:
 *
 *      MOVE     to = from                     mov, movzx, push, pop
 *      ADD      to = to + from                add, inc, lock add
 *      SUB      to = to - from                sub, dec; cmp, without `to`
 *      AND      to = to & from                and; test, without `to`
 *      ADDRESS  to = base + index * scale + displacement          lea
 *      OTHER    every result depends on everything that is read
 *
 * Memory operands are numbered as in Insn.access.  Of 64-bit code only.
 * Layer 1; a value.
 */
#ifndef EMU_GUEST_INSN_FLOW_H
#define EMU_GUEST_INSN_FLOW_H

#include "base/base.h"
#include "guest/insn.h"

typedef enum InsnFlowKind {
    INSN_FLOW_OTHER,
    INSN_FLOW_MOVE,
    INSN_FLOW_ADD,
    INSN_FLOW_SUB,
    INSN_FLOW_AND,
    INSN_FLOW_ADDRESS,
} InsnFlowKind;

typedef enum InsnFlowWhere {
    INSN_FLOW_NOWHERE,
    INSN_FLOW_REGISTER,
    INSN_FLOW_MEMORY,
    INSN_FLOW_IMMEDIATE,
} InsnFlowWhere;

typedef struct InsnFlowOperand {
    InsnFlowWhere where;
    uint8_t number;  /* of the register, or of the access */
    uint8_t size;    /* bytes */
    bool high;       /* ah, ch, dh or bh */
    uint64_t value;  /* of an immediate, sign-extended */
} InsnFlowOperand;

/* The arithmetic flags, at their places in RFLAGS. */
#define INSN_FLOW_CF (1u << 0)
#define INSN_FLOW_PF (1u << 2)
#define INSN_FLOW_AF (1u << 4)
#define INSN_FLOW_ZF (1u << 6)
#define INSN_FLOW_SF (1u << 7)
#define INSN_FLOW_OF (1u << 11)
#define INSN_FLOW_ARITHMETIC                                                   \
    (INSN_FLOW_CF | INSN_FLOW_PF | INSN_FLOW_AF | INSN_FLOW_ZF |               \
     INSN_FLOW_SF | INSN_FLOW_OF)

typedef struct InsnFlow {
    Insn insn;
    InsnFlowKind kind;
    InsnFlowOperand to, from;  /* unless OTHER */
    bool keeps;                /* `to` is not written: cmp, test */
    uint8_t base, index, scale; /* of ADDRESS; INSN_REG_NONE: none */
    uint16_t address_registers; /* that addresses are made of; not of lea's */
    uint16_t reads, writes;    /* general registers; a part that is kept counts
                                  as read */
    uint32_t flags_read; /* arithmetic ones */
    uint32_t flags_touched; /* written, or perhaps */
    uint32_t flags_written; /* written for certain */
    bool uses_stack;    /* by itself: RSP moves, whatever is pushed or popped */
    bool branches;      /* where it goes on depends on what it reads: also of
                           a division, which may fail */
    bool writes_others; /* registers that are neither general nor flags */
    bool reads_time;    /* rdtsc and its like: the result is no function of the
                           operands */
} InsnFlow;

/* Analyse the instruction at `bytes`, of which `available` may be read, as it
 * executes at `address` in 64-bit mode.  False if it is none, or if its
 * accesses to memory are not known beforehand (INSN_UNPREDICTED, but IRET). */
bool insn_flow_decode(InsnFlow *flow, const uint8_t *bytes, size_t available,
                      gva_t address);

#endif
