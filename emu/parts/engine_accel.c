/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "base/base.h"

#include "parts/engine_accel.h"

#include <dlfcn.h>
#include <stdlib.h>

#include "base/capacity.h"
#include "parts/code.h"
#include "parts/engine.h"

/* QEMU's MemTxAttrs: a word of bits, passed by value. */
typedef struct Attributes {
    unsigned bits;
} Attributes;

typedef void SetPage(void *cpu, uint64_t virtual, uint64_t physical,
                     Attributes attributes, int protection, int mode,
                     uint64_t size);
typedef void *GenerateCode(void *cpu, uint64_t pc, uint64_t cs_base,
                           uint32_t flags, int compile_flags);
typedef uint64_t ReadFlags(void *state);
typedef void PageOperation(void *cpu, uint64_t virtual);
typedef void WholeOperation(void *cpu);

/* The interposed functions, under the library's names. */
SetPage tlb_set_page_with_attrs_x86_64;
GenerateCode tb_gen_code_x86_64;
ReadFlags helper_read_eflags_x86_64;

#define PAGE_WRITE 2
#define COMPILE_COUNT 0x7fff /* QEMU's CF_COUNT_MASK: instructions at most */
#define CODE_PAGES_BITS 12
#define CODE_PAGES (1u << CODE_PAGES_BITS)

typedef struct Instance {
    void *cpu;
    const Gmem *gmem;
} Instance;

static struct {
    bool prepared, wanted, active;
    SetPage *set_page;
    GenerateCode *generate_code;
    ReadFlags *read_flags;
    bool pushes; /* flags are read for a PUSHF, not for nobody */
    PageOperation *set_dirty, *flush_page;
    WholeOperation *flush;
    Instance *instances;
    unsigned count, capacity;
    bool alone;         /* the next block is one instruction */
    uint8_t *disguised; /* two bytes of RAM that stand as UD2, or NULL */
    uint8_t kept[2];    /* what they are */
    uint64_t code_pages[CODE_PAGES]; /* page numbers + 1, open addressing */
    unsigned code_page_count;
} accel = {.wanted = true};

static unsigned
code_slot(uint64_t page)
{
    unsigned slot = (unsigned)((page * UINT64_C(0x9e3779b97f4a7c15)) >>
                               (64 - CODE_PAGES_BITS));

    while (accel.code_pages[slot] != 0 && accel.code_pages[slot] != page + 1)
        slot = (slot + 1) % CODE_PAGES;
    return slot;
}

static bool
is_code_page(uint64_t virtual)
{
    return accel.code_pages[code_slot(virtual >> PAGE_BITS)] != 0;
}

/* More pages of code than there is room for: go on without, and let no TLB
 * keep a page that was taken for data. */
static void
give_up(void)
{
    accel.active = false;
    for (unsigned i = 0; i < accel.count; i++)
        accel.flush(accel.instances[i].cpu);
}

void
engine_accel_remember(void *cpu, const Gmem *gmem)
{
    if (accel.count == accel.capacity) {
        accel.capacity = MAX(2 * accel.capacity, CPUS_MAX);
        accel.instances = g_renew(Instance, accel.instances, accel.capacity);
    }
    accel.instances[accel.count++] = (Instance){.cpu = cpu, .gmem = gmem};
}

void
engine_accel_forget(const void *cpu)
{
    for (unsigned i = 0; i < accel.count; i++)
        if (accel.instances[i].cpu == cpu)
            accel.instances[i] = accel.instances[--accel.count];
}

void
tlb_set_page_with_attrs_x86_64(void *cpu, uint64_t virtual, uint64_t physical,
                               Attributes attributes, int protection, int mode,
                               uint64_t size)
{
    engine_accel_prepare();
    accel.set_page(cpu, virtual, physical, attributes, protection, mode, size);
    if (accel.active && (protection & PAGE_WRITE) && !is_code_page(virtual))
        accel.set_dirty(cpu, virtual);
}

/* A page that becomes code must leave every TLB that took it for data. */
static void
mark_code_page(uint64_t virtual)
{
    uint64_t page = virtual >> PAGE_BITS;
    unsigned slot = code_slot(page);

    if (accel.code_pages[slot] != 0)
        return;
    if (accel.code_page_count >= CODE_PAGES / 2) {
        give_up();
        return;
    }
    accel.code_pages[slot] = page + 1;
    accel.code_page_count++;
    for (unsigned i = 0; i < accel.count; i++)
        accel.flush_page(accel.instances[i].cpu, page << PAGE_BITS);
}

static void
undisguise(void)
{
    if (LIKELY(accel.disguised == NULL))
        return;
    memcpy(accel.disguised, accel.kept, sizeof accel.kept);
    accel.disguised = NULL;
}

/*
 * Unicorn's translator aborts the process at some bytes that are no
 * instruction (FF ED), and takes others for one.  While it reads, the first
 * of them in the block is UD2.
 */
static void
disguise_undefined(const void *cpu, uint64_t pc, uint32_t flags)
{
    InsnMode mode = flags & ENGINE_HIDDEN_CS64   ? INSN_MODE_64
                    : flags & ENGINE_HIDDEN_CS32 ? INSN_MODE_32
                                                 : INSN_MODE_16;
    const Gmem *gmem = NULL;
    gpa_t at, end;
    Insn insn;

    for (unsigned i = 0; i < accel.count; i++)
        if (accel.instances[i].cpu == cpu)
            gmem = accel.instances[i].gmem;
    if (gmem == NULL || !gmem_translate(gmem, pc, 1, &at))
        return;
    end = MIN((at | (PAGE_BYTES - 1)) + 1, gmem->size - INSN_LENGTH_MAX);
    for (unsigned n = 0; n < CODE_BLOCK_INSNS_MAX && at < end; n++) {
        if (!code_read(gmem, mode, at, at, &insn)) {
            accel.disguised = gmem->bytes + at;
            memcpy(accel.kept, accel.disguised, sizeof accel.kept);
            memcpy(accel.disguised, "\x0f\x0b", sizeof accel.kept);
            return;
        }
        if (insn.flags & CODE_ENDS_BLOCK)
            return;
        at += insn.length;
    }
}

void
engine_accel_tidy(void)
{
    undisguise();
    accel.alone = false;
}

void
engine_accel_next_alone(void)
{
    accel.alone = true;
}

/* A block may run on into the next page. */
void *
tb_gen_code_x86_64(void *cpu, uint64_t pc, uint64_t cs_base, uint32_t flags,
                   int compile_flags)
{
    void *block;

    engine_accel_prepare();
    if (accel.active) {
        mark_code_page(pc);
        if (accel.active)
            mark_code_page(pc + PAGE_BYTES);
    }
    undisguise();
    disguise_undefined(cpu, pc, flags);
    if (accel.alone)
        compile_flags = (compile_flags & ~COMPILE_COUNT) | 1;
    accel.alone = false;
    block = accel.generate_code(cpu, pc, cs_base, flags, compile_flags);
    undisguise();
    return block;
}

/*
 * Called before nearly every hook, so that RFLAGS are whole in memory, where
 * nobody reads them: uc_reg_read() works them out by itself.  What is in memory
 * stays as it is.
 */
uint64_t
helper_read_eflags_x86_64(void *state)
{
    if (LIKELY(accel.active && !accel.pushes))
        return ((const EngineState *)state)->flags_rest;
    accel.pushes = false;
    return accel.read_flags(state);
}

void
engine_expect_pushf(void)
{
    accel.pushes = true;
}

static void *
find(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

void
engine_accel_prepare(void)
{
    const char *wish = g_getenv("HEDDLE_ACCEL");

    if (accel.prepared)
        return;
    accel.prepared = true;
    accel.set_page = (SetPage *)find("tlb_set_page_with_attrs_x86_64");
    accel.generate_code = (GenerateCode *)find("tb_gen_code_x86_64");
    accel.read_flags = (ReadFlags *)find("helper_read_eflags_x86_64");
    accel.set_dirty = (PageOperation *)find("tlb_set_dirty_x86_64");
    accel.flush_page = (PageOperation *)find("tlb_flush_page_x86_64");
    accel.flush = (WholeOperation *)find("tlb_flush_x86_64");
    accel.active = accel.wanted && accel.set_page && accel.generate_code &&
                   accel.read_flags && accel.set_dirty && accel.flush_page &&
                   accel.flush && g_strcmp0(wish, "0") != 0;
}

bool
engine_accel_can_flush(void)
{
    return accel.flush != NULL && accel.read_flags != NULL;
}

void
engine_accel_flush(void *cpu)
{
    accel.flush(cpu);
}

bool
engine_accelerated(void)
{
    return accel.active;
}

void
engine_accelerate(bool enable)
{
    INVARIANT(!accel.prepared);
    accel.wanted = enable;
}
