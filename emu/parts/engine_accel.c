/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "base/base.h"

#include "parts/engine_accel.h"

#include <dlfcn.h>
#include <stdlib.h>

#include "base/capacity.h"
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
typedef void PageOperation(void *cpu, uint64_t virtual);
typedef void WholeOperation(void *cpu);

/* The two interposed functions, under the library's names. */
SetPage tlb_set_page_with_attrs_x86_64;
GenerateCode tb_gen_code_x86_64;

#define PAGE_WRITE 2
#define CODE_PAGES_BITS 12
#define CODE_PAGES (1u << CODE_PAGES_BITS)

static struct {
    bool prepared, wanted, active;
    SetPage *set_page;
    GenerateCode *generate_code;
    PageOperation *set_dirty, *flush_page;
    WholeOperation *flush;
    void *cpus[CPUS_MAX * 4];
    unsigned cpu_count;
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

/* More instances or pages of code than there is room for: go on without, and
 * let no TLB keep a page that was taken for data. */
static void
give_up(void)
{
    accel.active = false;
    for (unsigned i = 0; i < accel.cpu_count; i++)
        accel.flush(accel.cpus[i]);
}

static void
remember_cpu(void *cpu)
{
    for (unsigned i = 0; i < accel.cpu_count; i++)
        if (accel.cpus[i] == cpu)
            return;
    if (accel.cpu_count == G_N_ELEMENTS(accel.cpus))
        give_up();
    else
        accel.cpus[accel.cpu_count++] = cpu;
}

void
engine_accel_forget(const void *cpu)
{
    for (unsigned i = 0; i < accel.cpu_count; i++)
        if (accel.cpus[i] == cpu)
            accel.cpus[i] = accel.cpus[--accel.cpu_count];
}

void
tlb_set_page_with_attrs_x86_64(void *cpu, uint64_t virtual, uint64_t physical,
                               Attributes attributes, int protection, int mode,
                               uint64_t size)
{
    engine_accel_prepare();
    accel.set_page(cpu, virtual, physical, attributes, protection, mode, size);
    if (!accel.active)
        return;
    remember_cpu(cpu);
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
    for (unsigned i = 0; i < accel.cpu_count; i++)
        accel.flush_page(accel.cpus[i], page << PAGE_BITS);
}

/* A block may run on into the next page. */
void *
tb_gen_code_x86_64(void *cpu, uint64_t pc, uint64_t cs_base, uint32_t flags,
                   int compile_flags)
{
    engine_accel_prepare();
    if (accel.active) {
        mark_code_page(pc);
        if (accel.active)
            mark_code_page(pc + PAGE_BYTES);
    }
    return accel.generate_code(cpu, pc, cs_base, flags, compile_flags);
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
    accel.set_dirty = (PageOperation *)find("tlb_set_dirty_x86_64");
    accel.flush_page = (PageOperation *)find("tlb_flush_page_x86_64");
    accel.flush = (WholeOperation *)find("tlb_flush_x86_64");
    accel.active = accel.wanted && accel.set_page && accel.generate_code &&
                   accel.set_dirty && accel.flush_page && accel.flush &&
                   g_strcmp0(wish, "0") != 0;
}

bool
engine_accel_can_flush(void)
{
    return accel.flush != NULL;
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
