/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "parts/cpu_memory.h"

#include "parts/cpu_hook.h"

/* --- Buffers -------------------------------------------------------------- */

/* RAM changes where the store is: has anybody decoded it? */
static void
tell_text(Cpu *cpu, const Store *store)
{
    const CpuShared *shared = cpu->shared;

    if (UNLIKELY(shared->gmem->line_flags[store->physical >> LINE_BITS] &
                 GMEM_CODE))
        shared->host.code_written(shared->host.user, store->physical,
                                  store->size);
}

/* A buffered store is about to become visible. */
static void
tell_visible(Cpu *cpu, const Store *store)
{
    const CpuShared *shared = cpu->shared;

    if (UNLIKELY(shared->watches > 0) &&
        shared->gmem->line_flags[store->physical >> LINE_BITS] & GMEM_WATCHED)
        shared->host.visible(shared->host.user, cpu, store->physical,
                             store->size, store->rip);
}

static void
tell_texts(Cpu *cpu)
{
    for (unsigned i = 0; i < cpu->stores.count; i++)
        tell_text(cpu, &cpu->stores.entries[i]);
}

void
cpu_show_some(Cpu *cpu)
{
    if (cpu->depth == 0)
        cpu_flush(cpu);
    if (storebuf_show(&cpu->stores, cpu->shared->gmem) & GMEM_CODE)
        tell_texts(cpu);
}

void
cpu_hide_some(Cpu *cpu)
{
    if (storebuf_hide(&cpu->stores, cpu->shared->gmem) & GMEM_CODE)
        tell_texts(cpu);
}

void
cpu_flush(Cpu *cpu)
{
    const CpuShared *shared = cpu->shared;

    if (!cpu->stores.shown)
        tell_texts(cpu);
    for (unsigned i = 0; i < cpu->stores.count; i++)
        tell_visible(cpu, &cpu->stores.entries[i]);
    storebuf_drain_all(&cpu->stores, shared->gmem, shared->past, cpu->number);
}

/* Later loads give what is in memory now, or newer values. */
static void
order_loads(Cpu *cpu)
{
    const CpuShared *shared = cpu->shared;

    if (shared->past == NULL)
        return;
    past_barrier(shared->past, shared->gmem, cpu->number);
    memset(cpu->state.depends, 0, sizeof cpu->state.depends);
    cpu->depending = 0;
}

void
cpu_drain(Cpu *cpu)
{
    cpu_flush(cpu);
    order_loads(cpu);
}

#define DRAINING                                                               \
    (INSN_FENCE_M | INSN_LOCKED | INSN_SERIALISING | INSN_IN_OUT |            \
     INSN_UNPREDICTED)

/* A write to an MSR knows only when it executes whether it serialises. */
void
cpu_order(Cpu *cpu, uint64_t flags)
{
    bool source = cpu->shared->memory.barriers == MEMORY_BARRIERS_SOURCE;

    if (flags & DRAINING && !(flags & INSN_MSR))
        cpu_drain(cpu);
    if (flags & INSN_FENCE_S ||
        (flags & (CODE_SFENCE | CODE_CCFENCE) && source))
        storebuf_fence(&cpu->stores);
    if (flags & INSN_FENCE_L || (flags & CODE_CCFENCE && source))
        order_loads(cpu);
}

/* --- Stores --------------------------------------------------------------- */

/* Room for one more: the oldest leaves unasked. */
static void
make_room(Cpu *cpu)
{
    const CpuShared *shared = cpu->shared;

    while (cpu->stores.count >= shared->memory.depth) {
        tell_visible(cpu, &cpu->stores.entries[0]);
        storebuf_drain(&cpu->stores, shared->gmem, 0, shared->past,
                       cpu->number);
    }
}

/* How many bytes of an access become visible at once. */
static unsigned
part_of(gpa_t physical, uint64_t size)
{
    uint64_t line = LINE_BYTES - physical % LINE_BYTES;

    return (unsigned)MIN(MIN(line, size), STORE_BYTES_MAX);
}

static void
buffer(Cpu *cpu, gpa_t physical, uint64_t size, gva_t rip, bool weakly)
{
    while (size > 0) {
        unsigned part = part_of(physical, size);

        make_room(cpu);
        storebuf_push(&cpu->stores, cpu->shared->gmem, physical, part, rip);
        if (weakly)
            storebuf_push_weakly(&cpu->stores);
        physical += part;
        size -= part;
    }
}

/* Bytes of a store that surely writes all of them; what FXSAVE and its kin
 * leave out is not told. */
#define STORE_WHOLE_MAX 16u

/* It becomes visible with the instruction. */
static void
pass_buffer(Cpu *cpu, gpa_t physical, uint64_t size)
{
    Past *past = cpu->shared->past;
    Gmem *gmem = cpu->shared->gmem;

    if (past == NULL)
        return;
    while (size > 0) {
        unsigned part = part_of(physical, size);

        past_note(past, gmem, cpu->number, physical, part,
                  store_bytes(gmem, physical, part));
        physical += part;
        size -= part;
    }
}

/* A read-modify-write that read an older value: RAM holds that one, but what
 * the new entries cover is the newest. */
static void
cover_newest(Cpu *cpu)
{
    unsigned i = cpu->stores.count;

    for (unsigned left = cpu->late_size; left > 0;) {
        Store *store = &cpu->stores.entries[--i];

        store->covered =
            cpu->late_newest >> 8 * (store->physical - cpu->late_at);
        left -= store->size;
    }
    cpu->late_size = 0;
}

bool
cpu_note_store(Cpu *cpu, const Insn *insn, gpa_t physical, uint64_t size)
{
    if (size > STORE_WHOLE_MAX)
        cpu_drain(cpu);
    if (insn->flags & (INSN_LOCKED | INSN_UNPREDICTED) ||
        size > STORE_WHOLE_MAX) {
        pass_buffer(cpu, physical, size);
        return false;
    }
    buffer(cpu, physical, size, cpu->hooked_at,
           insn->flags & INSN_NON_TEMPORAL);
    if (cpu->late_size != 0 && physical == cpu->late_at &&
        size == cpu->late_size)
        cover_newest(cpu);
    return true;
}

void
cpu_store(Cpu *cpu, gpa_t physical, const void *bytes, uint64_t size)
{
    cpu_note_write(cpu, physical, size);
    if (cpu->depth != 0)
        buffer(cpu, physical, size, cpu->live->rip, false);
    memcpy(cpu->shared->gmem->bytes + physical, bytes, size);
}

/* --- Loads that may be late ----------------------------------------------- */

/* The newest order among the loads that the registers' values came from. */
static uint64_t
newest_of(const Cpu *cpu, unsigned registers)
{
    uint64_t newest = 0;

    for (; registers != 0; registers &= registers - 1)
        newest = MAX(newest, cpu->state.depends[__builtin_ctz(registers)]);
    return newest;
}

static unsigned
address_registers(const InsnAccess *access)
{
    unsigned registers = 0;

    if (access->base < INSN_REG_NONE)
        registers |= 1u << access->base;
    if (access->index < INSN_REG_NONE)
        registers |= 1u << access->index;
    if (access->index == INSN_REG_AL)
        registers |= 1u << INSN_RAX;
    return registers;
}

/* Does the instruction write where it loads, other than by writing back? */
static bool
is_entangled(Cpu *cpu, const Insn *insn, const InsnAccess *load,
             gpa_t physical)
{
    for (unsigned i = 0; i < insn->access_count; i++) {
        const InsnAccess *access = &insn->access[i];
        gpa_t at;

        if (access != load && access->mode & INSN_ACCESS_WRITE &&
            gmem_translate(cpu->shared->gmem, cpu_address_of(cpu, access),
                           access->size, &at) &&
            at < physical + load->size && physical < at + access->size)
            return true;
    }
    return false;
}

/* For one instruction, or no longer. */
static void
put_late(Cpu *cpu, uint64_t value)
{
    Store late = {.physical = cpu->late_at, .size = (uint8_t)cpu->late_size};

    tell_text(cpu, &late);
    store_put_bytes(cpu->shared->gmem, cpu->late_at, cpu->late_size, value);
}

/* Returns the order of the store whose value the load gives. */
static uint64_t
load_late(Cpu *cpu, const Insn *insn, const InsnAccess *access,
          gpa_t physical)
{
    const CpuShared *shared = cpu->shared;
    uint64_t behind = newest_of(cpu, address_registers(access));
    unsigned choice = 0;
    PastView view;

    past_look(shared->past, shared->gmem, cpu->number, physical, access->size,
              behind, &view);
    if (view.count > 1 && shared->host.late != NULL &&
        cpu->late_size == 0 &&
        !storebuf_overlaps(&cpu->stores, physical, access->size) &&
        !is_entangled(cpu, insn, access, physical))
        choice = shared->host.late(shared->host.user, cpu, view.count);
    if (choice > 0) {
        cpu->late_at = physical;
        cpu->late_size = access->size;
        cpu->late_newest = view.value[0];
        put_late(cpu, view.value[choice]);
        if (!(access->mode & INSN_ACCESS_WRITE))
            cpu_request_attention(cpu);
    }
    past_read(shared->past, shared->gmem, cpu->number, physical, access->size,
              view.order[choice]);
    return view.own[choice] ? behind : MAX(behind, view.order[choice]);
}

/* A load of several parts is not late. */
static void
read_parts(Cpu *cpu, gpa_t physical, uint64_t size)
{
    Past *past = cpu->shared->past;

    while (size > 0) {
        unsigned part = part_of(physical, size);

        past_read(past, cpu->shared->gmem, cpu->number, physical, part,
                  past->orders);
        physical += part;
        size -= part;
    }
}

static uint64_t
note_load(Cpu *cpu, const Insn *insn, const InsnAccess *access)
{
    const Gmem *gmem = cpu->shared->gmem;
    Past *past = cpu->shared->past;
    gpa_t physical;
    uint8_t flags;

    if (!gmem_translate(gmem, cpu_address_of(cpu, access), access->size,
                        &physical))
        return 0;
    flags = gmem->line_flags[physical >> LINE_BITS] |
            gmem->line_flags[(physical + access->size - 1) >> LINE_BITS];
    if (!(flags & GMEM_PAST) || insn->flags & INSN_LOCKED)
        return 0;
    if (access->size == part_of(physical, access->size))
        return load_late(cpu, insn, access, physical);
    read_parts(cpu, physical, access->size);
    return past->orders;
}

void
cpu_note_loads(Cpu *cpu, const Insn *insn)
{
    uint64_t newest = newest_of(cpu, insn->gpr_reads);
    unsigned writes = insn->gpr_writes;

    for (unsigned i = 0; i < insn->access_count; i++)
        if (insn->access[i].mode & INSN_ACCESS_READ) {
            uint64_t order = note_load(cpu, insn, &insn->access[i]);

            newest = MAX(newest, order);
        }
    cpu->depending &= ~(uint32_t)writes;
    if (newest > 0)
        cpu->depending |= writes;
    for (; writes != 0; writes &= writes - 1)
        cpu->state.depends[__builtin_ctz(writes)] = newest;
}

void
cpu_put_back(Cpu *cpu)
{
    put_late(cpu, cpu->late_newest);
    cpu->late_size = 0;
}

/* --- From outside --------------------------------------------------------- */

void
cpu_update_memory(Cpu *cpu)
{
    const MemoryOptions *memory = &cpu->shared->memory;

    INVARIANT(cpu->stores.count == 0);
    cpu->depth = memory->model == MEMORY_SC ? 0 : memory->depth;
    cpu_reset_stop_mask(cpu);
    /* Pages that the hook knows are taken the short way. */
    cpu->page_number = UINT64_MAX;
    memset(cpu->state.depends, 0, sizeof cpu->state.depends);
    cpu->depending = 0;
}

uint64_t
cpu_drainable(const Cpu *cpu)
{
    return storebuf_drainable(&cpu->stores, cpu->shared->memory.model);
}

void
cpu_drain_stores(Cpu *cpu, unsigned index, uint64_t count)
{
    const CpuShared *shared = cpu->shared;
    StoreBuf *stores = &cpu->stores;

    INVARIANT(index < stores->count);
    if (index > 0) {
        tell_text(cpu, &stores->entries[index]);
        tell_visible(cpu, &stores->entries[index]);
        storebuf_drain(stores, shared->gmem, index, shared->past, cpu->number);
        count--;
    }
    count = MIN(count, stores->count);
    for (unsigned i = 0; i < count; i++) {
        tell_text(cpu, &stores->entries[i]);
        tell_visible(cpu, &stores->entries[i]);
    }
    storebuf_drain_oldest(stores, shared->gmem, (unsigned)count, shared->past,
                          cpu->number);
}
