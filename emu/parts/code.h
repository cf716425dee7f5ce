/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * code -- the instructions of the guest, decoded once, by physical address.
 *
 * The hook before every instruction asks here what the instruction is.  A
 * page of text has a table of slots, one for each byte an instruction can
 * start at; a slot is the number of a decoded Insn.
 *
 *      physical page ──▶ slots[4096] ──▶ insns[]
 *
 * One decoding serves all cores and all windows.  A line that was decoded
 * carries GMEM_CODE, and whoever writes there must call code_forget().
 *
 * Anyone above can mark an address: the mark is a flag of the Insn there,
 * which costs the hook nothing where it is not set.
 *
 * Invariants: slot 0 is "not decoded yet"; marks outlive code_forget().
 *
 * Layer 2; owned by Machine, shared by its cores.
 */
#ifndef EMU_PARTS_CODE_H
#define EMU_PARTS_CODE_H

#include "base/base.h"
#include "base/capacity.h"
#include "guest/gmem.h"
#include "guest/insn.h"

/* Insn flag: somebody watches this address. */
#define CODE_POINT (UINT64_C(1) << 62)
/* Insn flag: the bytes are no instruction; the core must raise #UD. */
#define CODE_UNDEFINED (UINT64_C(1) << 63)

/* Insn flag: so does the strategy, if it touches what cores share. */
#define CODE_MEETING (UINT64_C(1) << 57)

/* Insn flags: a compiler barrier of the source stands right before it, one
 * for stores or one for all accesses. */
#define CODE_SFENCE (UINT64_C(1) << 58)
#define CODE_CCFENCE (UINT64_C(1) << 59)

/* Insn flags: the instruction is to order nothing, as if it had no LOCK and
 * were no fence; the compiler barrier before it is to be as if absent. */
#define CODE_UNORDERED (UINT64_C(1) << 56)
#define CODE_UNBARRED (UINT64_C(1) << 55)

/* Insn flag: it accesses memory in several pieces inside one helper of
 * Unicorn, which goes on past a piece that faults. */
#define CODE_PIECEWISE (UINT64_C(1) << 61)

/*
 * Slot bit: nobody needs to look at the Insn, since it writes no memory and
 * is of no class that anybody could stop at.  Most instructions are plain,
 * and then the hook touches one word of this module and no more.
 */
#define CODE_PLAIN (1u << 31)

typedef struct CodePage {
    uint32_t slot[PAGE_BYTES];
} CodePage;

typedef struct Code {
    Gmem *gmem;
    CodePage **pages[3]; /* by InsnMode, then page number; NULL: none yet */
    Insn *insns;         /* slot n is insns[n] */
    uint32_t count;      /* slots in use */
    GHashTable *marks;   /* of physical addresses: CODE_MARKS */
    InsnMode block_mode; /* of the block that was noted last; */
    gpa_t block_end;     /* end of its page; a bit for each start in it */
    uint64_t block_starts[PAGE_BYTES / 64];
} Code;

/* Instructions at which Unicorn ends a block of translated code, and how many
 * a block can hold. */
#define CODE_ENDS_BLOCK                                                        \
    (INSN_BRANCH | INSN_CALL | INSN_RET | INSN_IRET | INSN_INT_N |             \
     INSN_SYSCALL | INSN_HALT)
#define CODE_BLOCK_INSNS_MAX 512

/* Decode the instruction that begins at `physical` as it would execute at
 * `address`.  False if it is none, or none that heddle's processor has. */
bool code_read(const Gmem *gmem, InsnMode mode, gpa_t physical, gva_t address,
               Insn *insn);

void code_init(Code *code, Gmem *gmem);
void code_clear(Code *code);

/* The slow half of code_at(). */
const Insn *code_decode(Code *code, InsnMode mode, gva_t address);

/*
 * The instruction at `address`, which a core is about to execute.  Valid
 * until the next call of a code_ function.
 */
static inline const Insn *
code_at(Code *code, InsnMode mode, gva_t address)
{
    gpa_t physical = address & ((UINT64_C(1) << WINDOW_BITS) - 1);
    const CodePage *page;
    uint32_t slot;

    if (UNLIKELY(physical >= code->gmem->size))
        return code_decode(code, mode, address);
    page = code->pages[mode][physical >> PAGE_BITS];
    if (UNLIKELY(page == NULL))
        return code_decode(code, mode, address);
    slot = page->slot[physical & (PAGE_BYTES - 1)] & ~CODE_PLAIN;
    if (UNLIKELY(slot == 0))
        return code_decode(code, mode, address);
    return &code->insns[slot];
}

/*
 * The slots of the page that holds `address`, made if there are none; NULL
 * outside of RAM.  Valid for the life of the Code.
 */
const uint32_t *code_slots(Code *code, InsnMode mode, gva_t address);

/* Bytes in [physical, physical + size) change: decode anew what touches
 * them. */
void code_forget(Code *code, gpa_t physical, uint64_t size);

/* Mark the address with one of CODE_MARKS, take that mark away, or all marks
 * of all addresses. */
#define CODE_MARKS                                                             \
    (CODE_POINT | CODE_MEETING | CODE_SFENCE | CODE_CCFENCE |                  \
     CODE_UNORDERED | CODE_UNBARRED)
void code_mark(Code *code, gva_t address, uint64_t mark);
/* The marks of an address. */
uint64_t code_marks(const Code *code, gva_t address);
void code_unmark(Code *code, gva_t address, uint64_t mark);
void code_unmark_all(Code *code);

#endif
