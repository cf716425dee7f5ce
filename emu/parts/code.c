/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "parts/code.h"

#include <sys/mman.h>

/* Enough for any kernel; when reached, all is decoded anew. */
#define CODE_INSNS_MAX (1u << 18)

/* What a plain instruction may do. */
#define PLAIN_CLASSES                                                          \
    (INSN_MEMORY | INSN_READS | INSN_RET | INSN_BRANCH | INSN_HAS_IMMEDIATE)

static gpa_t
physical_of(gva_t address)
{
    return address & ((UINT64_C(1) << WINDOW_BITS) - 1);
}

/* As keys and values of the table of marks. */
static gpointer
mark_key(gpa_t physical)
{
    return GSIZE_TO_POINTER(physical + 1);
}

static uint64_t
marks_at(const Code *code, gpa_t physical)
{
    return GPOINTER_TO_SIZE(
        g_hash_table_lookup(code->marks, mark_key(physical)));
}

/* Reserved whole and filled as needed, so that an Insn never moves. */
static Insn *
map_insns(void)
{
    void *insns = mmap(NULL, CODE_INSNS_MAX * sizeof(Insn),
                       PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (insns == MAP_FAILED)
        g_error("out of memory: decoded instructions");
    return insns;
}

void
code_init(Code *code, Gmem *gmem)
{
    *code = (Code){
        .gmem = gmem,
        .insns = map_insns(),
        .count = 1,
        .marks = g_hash_table_new(g_direct_hash, g_direct_equal),
    };
    for (size_t mode = 0; mode < G_N_ELEMENTS(code->pages); mode++)
        code->pages[mode] = g_new0(CodePage *, gmem->size >> PAGE_BITS);
}

/* Pages stay where they are: cores keep pointers to their slots. */
static void
forget_pages(Code *code)
{
    for (size_t mode = 0; mode < G_N_ELEMENTS(code->pages); mode++)
        for (uint64_t i = 0; i < code->gmem->size >> PAGE_BITS; i++)
            if (code->pages[mode][i] != NULL)
                memset(code->pages[mode][i], 0, sizeof(CodePage));
    code->count = 1;
}

void
code_clear(Code *code)
{
    if (code->insns == NULL)
        return;
    for (size_t mode = 0; mode < G_N_ELEMENTS(code->pages); mode++) {
        for (uint64_t i = 0; i < code->gmem->size >> PAGE_BITS; i++)
            g_free(code->pages[mode][i]);
        g_free(code->pages[mode]);
    }
    munmap(code->insns, CODE_INSNS_MAX * sizeof(Insn));
    g_hash_table_destroy(code->marks);
    *code = (Code){0};
}

static uint32_t
new_insn(Code *code)
{
    if (code->count == CODE_INSNS_MAX)
        forget_pages(code);
    return code->count++;
}

static CodePage *
page_of(Code *code, InsnMode mode, gpa_t physical)
{
    CodePage **page = &code->pages[mode][physical >> PAGE_BITS];

    if (*page == NULL)
        *page = g_new0(CodePage, 1);
    return *page;
}

const uint32_t *
code_slots(Code *code, InsnMode mode, gva_t address)
{
    gpa_t physical = physical_of(address);

    return physical < code->gmem->size ? page_of(code, mode, physical)->slot
                                       : NULL;
}

static bool
is_legacy_prefix(uint8_t byte)
{
    static const uint8_t prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
                                       0x66, 0x67, 0xf0, 0xf2, 0xf3};

    return memchr(prefixes, byte, sizeof prefixes) != NULL;
}

/* Where the opcode is; `length` if there is none.  *late_prefix: there is a
 * REX prefix before another one. */
static unsigned
find_opcode(const uint8_t *bytes, unsigned length, InsnMode mode,
            bool *late_prefix)
{
    bool rex = false;
    unsigned at = 0;

    *late_prefix = false;
    for (; at < length; at++) {
        if (is_legacy_prefix(bytes[at]))
            *late_prefix |= rex;
        else if (mode == INSN_MODE_64 && bytes[at] >> 4 == 4)
            rex = true;
        else
            break;
    }
    return at;
}

/*
 * What Unicorn executes as something else, and no compiler emits unasked:
 * AMD's XOP (opcode 8F whose reg field is not that of POP), which it takes for
 * POP; XBEGIN and XABORT (C7 and C6 in the same way), which it takes for MOV;
 * and a REX prefix before another prefix, which it obeys and processors
 * ignore.  Heddle's processor has none of them.
 */
static bool
is_misread(const uint8_t *bytes, unsigned length, InsnMode mode)
{
    bool late_prefix;
    unsigned at = find_opcode(bytes, length, mode, &late_prefix);

    return late_prefix ||
           (at + 1 < length && (bytes[at + 1] & 0x38) != 0 &&
            (bytes[at] == 0x8f || (bytes[at] & 0xfe) == 0xc6));
}

bool
code_read(const Gmem *gmem, InsnMode mode, gpa_t physical, gva_t address,
          Insn *insn)
{
    uint64_t available = MIN(gmem->size - physical, INSN_LENGTH_MAX);

    return insn_decode(insn, gmem->bytes + physical, available, address,
                       mode) &&
           !is_misread(gmem->bytes + physical, insn->length, mode);
}

static void
note_code(Code *code, gpa_t first, gpa_t last)
{
    last = MIN(last, code->gmem->size - 1);
    for (gpa_t line = first >> LINE_BITS; line <= last >> LINE_BITS; line++)
        code->gmem->line_flags[line] |= GMEM_CODE;
}

/*
 * Unicorn translates ahead, up to the end of a block or page: a write there
 * must be told even if the core has not come so far.  What follows from a
 * place that the last walk came through is noted already.
 */
static void
note_block(Code *code, InsnMode mode, gpa_t physical)
{
    gpa_t at = physical, end = (physical | (PAGE_BYTES - 1)) + 1;
    unsigned start = physical & (PAGE_BYTES - 1);
    Insn insn;

    if (code->block_mode == mode && code->block_end == end &&
        code->block_starts[start / 64] >> start % 64 & 1)
        return;
    memset(code->block_starts, 0, sizeof code->block_starts);
    code->block_mode = mode;
    code->block_end = end;
    for (unsigned n = 0; n < CODE_BLOCK_INSNS_MAX && at < end; n++) {
        start = at & (PAGE_BYTES - 1);
        code->block_starts[start / 64] |= UINT64_C(1) << start % 64;
        if (!code_read(code->gmem, mode, at, at, &insn)) {
            note_code(code, at, MAX(end - 1, at + INSN_LENGTH_MAX - 1));
            return;
        }
        note_code(code, at, at + insn.length - 1);
        if (insn.flags & CODE_ENDS_BLOCK)
            return;
        at += insn.length;
    }
}

/* Code outside of RAM (the APIC page, a hole) is never cached: the core will
 * fault on it, and the hook only wants something harmless to look at.  So it
 * is with an instruction that RAM's end cuts off. */
const Insn *
code_decode(Code *code, InsnMode mode, gva_t address)
{
    gpa_t physical = physical_of(address);
    uint32_t number = new_insn(code);
    Insn *insn = &code->insns[number];
    CodePage *page;

    if (physical >= code->gmem->size) {
        *insn = (Insn){0};
        code->count--;
        return insn;
    }
    if (!code_read(code->gmem, mode, physical, address, insn))
        *insn = (Insn){
            .flags = code->gmem->size - physical < INSN_LENGTH_MAX
                         ? 0
                         : CODE_UNDEFINED};
    for (unsigned i = 0; i < insn->access_count; i++)
        if (insn->access[i].size == 10 || insn->access[i].size > 16)
            insn->flags |= CODE_PIECEWISE;
    insn->flags |= marks_at(code, physical);
    if (insn->flags & CODE_UNORDERED)
        insn->flags &= ~(INSN_LOCKED | INSN_FENCE_M | INSN_FENCE_S |
                         INSN_FENCE_L);
    if (insn->flags & CODE_UNBARRED)
        insn->flags &= ~(CODE_SFENCE | CODE_CCFENCE);

    page = page_of(code, mode, physical);
    page->slot[physical & (PAGE_BYTES - 1)] =
        number | (insn->flags & ~PLAIN_CLASSES ? 0 : CODE_PLAIN);
    note_block(code, mode, physical);
    return insn;
}

void
code_forget(Code *code, gpa_t physical, uint64_t size)
{
    gpa_t before = MIN(physical, INSN_LENGTH_MAX - 1);
    gpa_t first = physical - before;
    gpa_t end = MIN(physical + size, code->gmem->size);

    code->block_end = 0;
    for (size_t mode = 0; mode < G_N_ELEMENTS(code->pages); mode++)
        for (gpa_t at = first; at < end; at++) {
            CodePage *page = code->pages[mode][at >> PAGE_BITS];

            if (page == NULL)
                at |= PAGE_BYTES - 1;
            else
                page->slot[at & (PAGE_BYTES - 1)] = 0;
        }
}

/* Marks that only tell are flags of what is decoded already; the others change
 * what the instruction is, so that it is decoded anew. */
#define TELLING_MARKS (CODE_POINT | CODE_MEETING)

static void
update_marks(Code *code, gpa_t physical, uint64_t marks)
{
    uint64_t changed = marks_at(code, physical) ^ marks;

    g_hash_table_insert(code->marks, mark_key(physical),
                        GSIZE_TO_POINTER(marks));
    if (changed & ~TELLING_MARKS || physical >= code->gmem->size) {
        code_forget(code, physical, 1);
        return;
    }
    for (size_t mode = 0; mode < G_N_ELEMENTS(code->pages); mode++) {
        CodePage *page = code->pages[mode][physical >> PAGE_BITS];
        uint32_t *slot =
            page != NULL ? &page->slot[physical & (PAGE_BYTES - 1)] : NULL;
        Insn *insn;

        if (slot == NULL || *slot == 0)
            continue;
        insn = &code->insns[*slot & ~CODE_PLAIN];
        insn->flags ^= changed;
        *slot = (*slot & ~CODE_PLAIN) |
                (insn->flags & ~PLAIN_CLASSES ? 0 : CODE_PLAIN);
    }
}

void
code_mark(Code *code, gva_t address, uint64_t mark)
{
    gpa_t physical = physical_of(address);

    INVARIANT((mark & ~CODE_MARKS) == 0);
    update_marks(code, physical, marks_at(code, physical) | mark);
}

void
code_unmark(Code *code, gva_t address, uint64_t mark)
{
    gpa_t physical = physical_of(address);

    INVARIANT((mark & ~CODE_MARKS) == 0);
    update_marks(code, physical, marks_at(code, physical) & ~mark);
}

uint64_t
code_marks(const Code *code, gva_t address)
{
    return marks_at(code, physical_of(address));
}

void
code_unmark_all(Code *code)
{
    g_hash_table_remove_all(code->marks);
    forget_pages(code);
}
