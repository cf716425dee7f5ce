/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * insn -- one x86 instruction, predecoded for the per-instruction hook.
 *
 * What the hook wants to know about an instruction before it executes: its
 * class (one test of `flags`) and which memory it will touch (registers and a
 * displacement, so that the address is a few additions).  Both are found once
 * for an address and then only read.
 *
 *      bytes ── insn_decode() ──▶ Insn ── insn_effective_address() ──▶ gva
 *               once               ▲             every time
 *                                  └── registers before the instruction
 *
 * An Insn is one cache line.  Two accesses are enough for every instruction
 * that has a fixed number of them: push and call from memory, pop to memory,
 * movs, cmps, enter.  Neighbouring pushes (enter, pusha, far call) and pops
 * (iret, far ret, popa) are one access of their whole extent.
 *
 * Invariants: access_count <= INSN_ACCESS_MAX; INSN_MEMORY is set exactly
 * when access_count > 0 or INSN_UNPREDICTED is; INSN_READS and INSN_WRITES
 * are the union of the accesses' modes.
 *
 * The accesses are an upper bound: a repeated string instruction with rcx = 0,
 * a failed cmpxchg or a masked move may touch less.  What is beyond them
 * (descriptor tables, interrupt frames, vector gathers) sets
 * INSN_UNPREDICTED.  Layer 1; a value, embedded by its owner.
 */
#ifndef EMU_GUEST_INSN_H
#define EMU_GUEST_INSN_H

#include "base/base.h"

#define INSN_LENGTH_MAX 15 /* bytes; Intel SDM 2A, 2.3.11 */
#define INSN_ACCESS_MAX 2

/* General registers in the order of their encoding. */
enum {
    INSN_RAX,
    INSN_RCX,
    INSN_RDX,
    INSN_RBX,
    INSN_RSP,
    INSN_RBP,
    INSN_RSI,
    INSN_RDI,
    INSN_R8,
    INSN_R15 = 15,
    INSN_REG_NONE = 16,
    INSN_REG_RIP = 17, /* as base: the displacement is absolute already */
    INSN_REG_AL = 18,  /* as index: the low byte of rax (xlat) */
};

/* Segments in the order of their encoding: index of segment_bases[]. */
enum {
    INSN_ES,
    INSN_CS,
    INSN_SS,
    INSN_DS,
    INSN_FS,
    INSN_GS,
    INSN_SEGMENT_NONE,
};

typedef enum InsnMode {
    INSN_MODE_16, /* real mode, or a 16-bit code and stack segment */
    INSN_MODE_32,
    INSN_MODE_64,
} InsnMode;

/* What an instruction does.  Several bits may be set. */
#define INSN_MEMORY (UINT64_C(1) << 0)         /* touches data memory */
#define INSN_READS (UINT64_C(1) << 1)          /* some access reads */
#define INSN_WRITES (UINT64_C(1) << 2)         /* some access writes */
#define INSN_LOCKED (UINT64_C(1) << 3)         /* LOCK, or xchg with memory */
#define INSN_RMW (UINT64_C(1) << 4)            /* reads, writes; not locked */
#define INSN_NON_TEMPORAL (UINT64_C(1) << 5)   /* weakly ordered store */
#define INSN_BIT_STRING (UINT64_C(1) << 6)     /* bt* memory, register */
#define INSN_STRING_REP (UINT64_C(1) << 7)     /* rep, repe, repne string */
#define INSN_UNPREDICTED (UINT64_C(1) << 8)    /* memory beyond `access` */
#define INSN_FENCE_M (UINT64_C(1) << 9)        /* mfence */
#define INSN_FENCE_S (UINT64_C(1) << 10)       /* sfence */
#define INSN_FENCE_L (UINT64_C(1) << 11)       /* lfence */
#define INSN_SERIALISING (UINT64_C(1) << 12)   /* Intel SDM 3A, 8.3 */
#define INSN_PAUSE (UINT64_C(1) << 13)         /* pause, tpause */
#define INSN_HALT (UINT64_C(1) << 14)          /* hlt */
#define INSN_STI (UINT64_C(1) << 15)           /* sti */
#define INSN_CLI (UINT64_C(1) << 16)           /* cli */
#define INSN_POPF (UINT64_C(1) << 17)          /* popf of any width */
#define INSN_IRET (UINT64_C(1) << 18)          /* iret of any width */
#define INSN_MOV_SS (UINT64_C(1) << 19)        /* mov ss, pop ss: shadow */
#define INSN_CALL (UINT64_C(1) << 20)          /* near or far */
#define INSN_RET (UINT64_C(1) << 21)           /* near or far; not iret */
#define INSN_BRANCH (UINT64_C(1) << 22)        /* any other jump */
#define INSN_INT_N (UINT64_C(1) << 23)         /* int, int3, int1, into */
#define INSN_SYSCALL (UINT64_C(1) << 24)       /* sys{call,ret,enter,exit} */
#define INSN_SWAPGS (UINT64_C(1) << 25)        /* swapgs */
#define INSN_CPUID (UINT64_C(1) << 26)         /* cpuid */
#define INSN_RDTSC (UINT64_C(1) << 27)         /* rdtsc, rdtscp */
#define INSN_RDRAND (UINT64_C(1) << 28)        /* rdrand, rdseed */
#define INSN_MSR (UINT64_C(1) << 29)           /* rdmsr, wrmsr */
#define INSN_CR_ACCESS (UINT64_C(1) << 30)     /* mov cr, clts, lmsw, smsw */
#define INSN_DR_ACCESS (UINT64_C(1) << 31)     /* mov dr */
#define INSN_DESCRIPTOR (UINT64_C(1) << 32)    /* lgdt, lidt, lldt, ltr */
#define INSN_INVLPG (UINT64_C(1) << 33)        /* invlpg, invlpga, invpcid */
#define INSN_IN_OUT (UINT64_C(1) << 34)        /* in, out, ins, outs */
#define INSN_VMCALL (UINT64_C(1) << 35)        /* vmcall, vmmcall */
#define INSN_MONITOR_MWAIT (UINT64_C(1) << 36) /* and their u and x forms */
#define INSN_TO_SYSTEM                                                         \
    (UINT64_C(1) << 37)                        /* direction of the above: a
                                               * write of cr, dr, msr, port */
#define INSN_HAS_IMMEDIATE (UINT64_C(1) << 38) /* `immediate` is valid */
#define INSN_BIT_TEST (UINT64_C(1) << 39)      /* bt, bts, btr, btc */
#define INSN_PUSHF (UINT64_C(1) << 40)         /* pushf of any width */

/* Bits of InsnAccess.mode. */
enum {
    INSN_ACCESS_READ = 1,
    INSN_ACCESS_WRITE = 2,
    INSN_ACCESS_LINEAR_32 = 4,  /* segment base + offset wraps at 4 GiB */
    INSN_ACCESS_BIT_STRING = 8, /* bits 4-7: the bit-offset register */
    INSN_ACCESS_BIT_REGISTER_SHIFT = 4,
};

/* One run of bytes that the instruction may touch. */
typedef struct InsnAccess {
    int64_t displacement; /* includes what a push subtracts first */
    uint16_t size;        /* bytes */
    uint8_t base;         /* 0..15, INSN_REG_NONE or INSN_REG_RIP */
    uint8_t index;        /* 0..15, INSN_REG_NONE or INSN_REG_AL */
    uint8_t scale;        /* shift of the index: 0..3 */
    uint8_t segment;      /* whose base is added; 64-bit: none, FS or GS */
    uint8_t mode;         /* INSN_ACCESS_* */
    uint8_t address_bits; /* width of the offset: 16, 32 or 64 */
} InsnAccess;

typedef struct Insn {
    uint64_t flags;     /* INSN_* */
    uint64_t immediate; /* vector of int n; port of in, out; absolute target
                          * of a direct near jump or call; bytes of ret n */
    uint8_t length;     /* bytes, 1..15 */
    uint8_t access_count;
    uint8_t number; /* of the control or debug register */
    uint8_t gpr;    /* register moved to or from it, or INSN_REG_NONE */
    uint16_t gpr_reads;  /* general registers that flow into the result or
                          * an address, one bit each; a register of which
                          * only a part is written counts too */
    uint16_t gpr_writes; /* those that are written */
    uint8_t reserved[8];
    InsnAccess access[INSN_ACCESS_MAX];
} Insn;

_Static_assert(sizeof(Insn) == 64, "an Insn is one cache line");

/*
 * Decode the instruction at `bytes`, of which `available` may be read, as it
 * would execute at `address`.  False when these bytes are no instruction (or
 * not a whole one): the caller lets the core execute them and raise #UD or
 * fault at the missing page.  `out` is then all zero.
 *
 * Instruction semantics: Intel SDM 2.  In 64-bit mode an operand-size prefix
 * on near branches is ignored, as Intel does and AMD does not.
 */
bool insn_decode(Insn *out, const uint8_t *bytes, size_t available,
                 gva_t address, InsnMode mode);

/* Bytes by which the register of a bit string instruction displaces the
 * access: the offset is signed, counted in units of the operand (Intel SDM
 * 2A, 3.1.1.9). */
static inline uint64_t
insn_bit_string_offset(const InsnAccess *access, const uint64_t regs[16])
{
    uint64_t bits = regs[access->mode >> INSN_ACCESS_BIT_REGISTER_SHIFT];
    int64_t offset = access->size == 8   ? (int64_t)bits
                     : access->size == 4 ? (int32_t)bits
                                         : (int16_t)bits;

    return (uint64_t)(offset >> 3) & ~((uint64_t)access->size - 1);
}

/*
 * The address that `access` touches when the instruction starts with these
 * registers (RAX RCX RDX RBX RSP RBP RSI RDI R8..R15) and segment bases (ES CS
 * SS DS FS GS).  For a string instruction: of the next iteration.
 */
static inline gva_t
insn_effective_address(const InsnAccess *access, const uint64_t regs[16],
                       const uint64_t segment_bases[6])
{
    uint64_t offset = (uint64_t)access->displacement;

    if (LIKELY(access->base < INSN_REG_NONE))
        offset += regs[access->base];
    if (access->index < INSN_REG_NONE)
        offset += regs[access->index] << access->scale;
    else if (UNLIKELY(access->index == INSN_REG_AL))
        offset += regs[INSN_RAX] & 0xff;
    if (UNLIKELY(access->mode & INSN_ACCESS_BIT_STRING))
        offset += insn_bit_string_offset(access, regs);
    offset &= UINT64_MAX >> (64 - access->address_bits);
    if (access->segment != INSN_SEGMENT_NONE)
        offset += segment_bases[access->segment];
    if (UNLIKELY(access->mode & INSN_ACCESS_LINEAR_32))
        offset = (uint32_t)offset;
    return offset;
}

#endif
