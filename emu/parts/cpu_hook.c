/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "parts/cpu_hook.h"

#include "parts/cpu_memory.h"

/* --- The hook ------------------------------------------------------------- */

static void
leave_engine(Cpu *cpu, CpuExit exit, uint64_t address)
{
    cpu->exit = exit;
    cpu->exit_address = address;
    engine_stop(cpu->engine);
}

/* Unicorn calls the hook once more after the last iteration of a REP, with
 * nothing left to do; that is no step. */
static bool
repetition_is_done(const Cpu *cpu, const Insn *insn)
{
    uint64_t count = cpu->live->registers[GPR_RCX];

    return (count << (64 - insn->access[0].address_bits)) == 0;
}

/*
 * The slice is used up, or attention was requested.  True: go on with the
 * instruction.  False: the engine was told to stop.
 */
static bool
end_slice(Cpu *cpu, uint64_t address)
{
    while (cpu->slice < 0) {
        if (cpu->attention) {
            cpu->attention = false;
            cpu->slice = cpu->slice_kept;
        } else if (cpu->fiber != NULL) {
            cpu->stop = CPU_STOP_SLICE;
            cpu->inside = true;
            cpu->exit_address = address;
            fiber_leave(cpu->fiber);
            cpu->inside = false;
            cpu->attention = false;
        } else {
            cpu->slice = 0;
            leave_engine(cpu, CPU_EXIT_SLICE, address);
            return false;
        }
        if (cpu->leave || cpu->code_changed ||
            (cpu->slice > 0 && cpu_interrupt_takeable(cpu))) {
            leave_engine(cpu, CPU_EXIT_RECHECK, address);
            return false;
        }
        cpu->slice--;
    }
    if (cpu_something_waits(cpu) && cpu_in_shadow(cpu))
        cpu_request_attention(cpu);
    return true;
}

/* The classes that the core itself cares about, about to execute. */
static void
note_class(Cpu *cpu, uint64_t flags)
{
    if (flags & INSN_STI && !(engine_flags(cpu->engine) & RFLAGS_IF))
        cpu->state.shadow_at = cpu->state.retired + 1;
    if (flags & INSN_MOV_SS && !cpu_in_shadow(cpu))
        cpu->state.shadow_at = cpu->state.retired + 1;
    if (flags & INSN_IRET)
        cpu->state.nmi_blocked = false;
    if (flags & CPU_OPENS_WINDOW && cpu_something_waits(cpu))
        cpu_request_attention(cpu);
    if (flags & INSN_PAUSE) {
        cpu->attention = false;
        cpu->slice = 0;
        cpu->paused = true;
    }
    if (flags & INSN_PUSHF)
        engine_expect_pushf();
}

/* It drains the core's buffer, or asks a story, and somebody wants to know. */
static bool
meets_unmarked(const Cpu *cpu, uint64_t flags)
{
    return cpu->shared->tells_meetings &&
           (flags & INSN_VMCALL ||
            (flags & CPU_ORDERING_MASK && cpu->stores.count > 0));
}

/* Returns whether the instruction is to be executed and counted. */
static bool
attend(Cpu *cpu, const Insn *insn, uint64_t address)
{
    uint64_t flags = insn->flags;

    if (UNLIKELY(flags & INSN_STRING_REP) && repetition_is_done(cpu, insn)) {
        cpu->slice++;
        return false;
    }
    if (cpu->slice < 0) {
        if (!end_slice(cpu, address))
            return false;
        /* Others ran meanwhile, and may have had text decoded anew. */
        insn = code_at(cpu->shared->code, cpu_mode(cpu), address);
    }
    if ((flags & (CODE_POINT | CODE_MEETING) || meets_unmarked(cpu, flags)) &&
        !cpu->point_told && !cpu->alone) {
        cpu->point_told = true;
        cpu->slice_ends = false;
        cpu->shared->host.point(cpu->shared->host.user, cpu, address);
        if (cpu->slice_ends) {
            cpu->slice_ends = false;
            cpu->attention = false;
            cpu->slice = -1;
            if (!end_slice(cpu, address))
                return false;
        }
    }
    if (flags & CPU_ORDERING_MASK && cpu->depth != 0)
        cpu_order(cpu, flags);
    if (flags & CPU_SPECIAL_MASK && !cpu->native) {
        cpu->slice++;
        leave_engine(cpu, CPU_EXIT_SPECIAL, address);
        return false;
    }
    cpu->native = false;
    cpu->point_told = false;
    note_class(cpu, flags);
    if (cpu->trace_calls && !cpu->alone &&
        flags & (INSN_CALL | INSN_RET | INSN_IRET))
        cpu->shared->host.flow(cpu->shared->host.user, cpu, insn, 0);
    return true;
}

/* `visible`: it stores, and not to the buffer. */
static void
tell_access(Cpu *cpu, const InsnAccess *access, gpa_t physical, bool visible)
{
    const CpuShared *shared = cpu->shared;
    gpa_t first = physical >> LINE_BITS;
    gpa_t last = (physical + access->size - 1) >> LINE_BITS;

    for (gpa_t line = first; line <= last; line++)
        if (shared->gmem->line_flags[line] & GMEM_WATCHED) {
            shared->host.access(shared->host.user, cpu, physical, access);
            if (visible)
                shared->host.visible(shared->host.user, cpu, physical,
                                     access->size, cpu->hooked_at);
            return;
        }
}

gva_t
cpu_address_of(const Cpu *cpu, const InsnAccess *access)
{
    uint64_t bases[SEG_COUNT];

    for (unsigned i = 0; i < SEG_COUNT; i++)
        bases[i] = cpu->live->segments[i].base;
    return insn_effective_address(access, cpu->live->registers, bases);
}

void
cpu_note_write(Cpu *cpu, gpa_t physical, uint64_t size)
{
    Gmem *gmem = cpu->shared->gmem;
    gpa_t last = (physical + size - 1) >> LINE_BITS;
    uint8_t flags = 0;

    gmem_will_write(gmem, physical, size);
    for (gpa_t line = physical >> LINE_BITS; line <= last; line++)
        flags |= gmem->line_flags[line];
    if (LIKELY(!(flags & GMEM_CODE)))
        return;
    cpu->shared->host.code_written(cpu->shared->host.user, physical, size);
}

/* A write of which only a part is RAM: instructions of many stores do that
 * part before they fault. */
static void
note_part(Cpu *cpu, gva_t address, uint64_t size)
{
    const Gmem *gmem = cpu->shared->gmem;
    gpa_t physical;

    if (gmem_translate(gmem, address, 1, &physical))
        cpu_note_write(cpu, physical, MIN(size, gmem->size - physical));
    else if (gmem_translate(gmem, address + size - 1, 1, &physical))
        cpu_note_write(cpu, 0, physical + 1);
}

static bool
is_apic(gva_t address)
{
    return (address & ~WINDOW_DIRECT) >> PAGE_BITS ==
           LAPIC_BASE_RESET >> PAGE_BITS;
}

/* The access will fail at some byte.  Have it fault there before Unicorn has
 * done a part of it. */
static void
refuse_access(Cpu *cpu, const InsnAccess *access, gva_t address)
{
    const Gmem *gmem = cpu->shared->gmem;
    gpa_t physical;

    cpu->unmapped_address = address;
    if (gmem_translate(gmem, address, 1, &physical))
        cpu->unmapped_address += gmem->size - physical;
    cpu->unmapped_write = (access->mode & INSN_ACCESS_WRITE) != 0;
    cpu->unmapped_fetch = false;
    leave_engine(cpu, CPU_EXIT_UNMAPPED, cpu->hooked_at);
    cpu->unmapped_rip =
        cpu_mode(cpu) == INSN_MODE_64
            ? cpu->hooked_at
            : cpu->hooked_at - cpu->live->segments[SEG_CS].base;
}

/* Descriptor bits, in the second word (SDM 3A 3.4.5, 3.5). */
#define DESCRIPTOR_ACCESSED (1u << 8)
#define DESCRIPTOR_SEGMENT (1u << 12)
#define DESCRIPTOR_PRESENT (1u << 15)
#define DESCRIPTOR_FREE_TSS 9u

/* Loading a segment sets the accessed bit of its descriptor, and LTR makes a
 * TSS busy.  Which descriptor it will be is not looked up: nearly always all
 * bits are set already. */
static void
note_descriptors(Cpu *cpu, const EngineSegment *table, uint64_t flags)
{
    const Gmem *gmem = cpu->shared->gmem;

    for (uint64_t at = 0; at + 7 <= (table->limit & 0xffff); at += 8) {
        uint32_t high;
        gpa_t physical;
        bool changes;

        if (!gmem_translate(gmem, table->base + at + 4, 4, &physical))
            continue;
        memcpy(&high, gmem->bytes + physical, sizeof high);
        changes = high & DESCRIPTOR_SEGMENT
                      ? !(high & DESCRIPTOR_ACCESSED)
                      : (flags & INSN_DESCRIPTOR) != 0 &&
                            (high >> 8 & 15) == DESCRIPTOR_FREE_TSS;
        if (changes && (high & DESCRIPTOR_PRESENT))
            cpu_note_write(cpu, physical, 4);
    }
}

/* Of an unlocked read-modify-write, and of whatever else loads and stores,
 * others can see the store later than the load was done. */
static bool
splits(const Cpu *cpu, const Insn *insn)
{
    const uint64_t both = INSN_READS | INSN_WRITES;

    return (insn->flags & both) == both && !(insn->flags & INSN_LOCKED) &&
           cpu->slice == 0 && !cpu->attention && !cpu->whole;
}

/* What the instruction is about to touch: writes make lines dirty and go to
 * the store buffer, and reads and writes of watched memory are told. */
static void
note_accesses(Cpu *cpu, const Insn *insn)
{
    Gmem *gmem = cpu->shared->gmem;
    bool buffers = cpu->depth != 0 || splits(cpu, insn);

    if (cpu->shared->past != NULL)
        cpu_note_loads(cpu, insn);
    if (insn->flags & INSN_UNPREDICTED) {
        note_descriptors(cpu, &cpu->live->gdt, insn->flags);
        if (cpu->live->ldt.selector & ~3u)
            note_descriptors(cpu, &cpu->live->ldt, insn->flags);
    }
    for (unsigned i = 0; i < insn->access_count; i++) {
        const InsnAccess *access = &insn->access[i];
        gva_t address = cpu_address_of(cpu, access);
        bool visible = false;
        gpa_t physical;

        if (!gmem_translate(gmem, address, access->size, &physical)) {
            if (access->mode & INSN_ACCESS_WRITE)
                note_part(cpu, address, access->size);
            if (insn->flags & CODE_PIECEWISE && !is_apic(address)) {
                refuse_access(cpu, access, address);
                return;
            }
            continue;
        }
        if (access->mode & INSN_ACCESS_WRITE) {
            cpu_note_write(cpu, physical, access->size);
            visible = !buffers ||
                      !cpu_note_store(cpu, insn, physical, access->size);
        }
        if (UNLIKELY(cpu->shared->watches > 0))
            tell_access(cpu, access, physical, visible);
    }
}

/* An access that is as its operand says, loads, stores or both. */
#define ACCESS_PLAIN (INSN_ACCESS_READ | INSN_ACCESS_WRITE)

/* The common access: one, by base, index and displacement, to one line of
 * data that is dirty already, and in which the core cannot find older values
 * of others.  All others take the long way. */
typedef struct CommonAccess {
    gpa_t physical;
    bool watched; /* it is to be told */
} CommonAccess;

static inline __attribute__((always_inline)) bool
is_common_access(const Cpu *cpu, const Insn *insn, CommonAccess *common)
{
    const InsnAccess *access = &insn->access[0];
    const Gmem *gmem = cpu->shared->gmem;
    uint64_t address = (uint64_t)access->displacement;
    uint8_t flags;

    if (insn->access_count != 1 || access->mode > ACCESS_PLAIN ||
        access->address_bits != 64)
        return false;
    if (access->base < INSN_REG_NONE)
        address += cpu->live->registers[access->base];
    if (access->index < INSN_REG_NONE)
        address += cpu->live->registers[access->index] << access->scale;
    else if (access->index != INSN_REG_NONE)
        return false;
    if (access->segment != INSN_SEGMENT_NONE)
        address += cpu->live->segments[access->segment].base;
    if (!gmem_translate(gmem, address, access->size, &common->physical))
        return false;
    if ((common->physical & (LINE_BYTES - 1)) + access->size > LINE_BYTES)
        return false;
    flags = gmem->line_flags[common->physical >> LINE_BITS];
    if (LIKELY(flags == GMEM_DIRTY))
        return true;
    common->watched = flags & GMEM_WATCHED;
    flags &= (uint8_t)~GMEM_WATCHED;
    return flags == GMEM_DIRTY ||
           (flags == (GMEM_DIRTY | GMEM_PAST) &&
            !past_is_foreign(cpu->shared->past, cpu->number,
                             common->physical));
}

/* At the end of a slice a store that also loads takes the long way, which sees
 * whether it is to be split. */
static inline __attribute__((always_inline)) bool
store_is_noted(Cpu *cpu, const Insn *insn, uint64_t address,
               CommonAccess *common)
{
    if (!is_common_access(cpu, insn, common))
        return false;
    if (cpu->depth == 0)
        return cpu->slice > 0 || !(insn->flags & INSN_READS);
    if (cpu->stores.count >= cpu->depth ||
        insn->access[0].size > STORE_BYTES_MAX)
        return false;
    storebuf_push(&cpu->stores, cpu->shared->gmem, common->physical,
                  insn->access[0].size, address);
    return true;
}

/* Is there nothing to be noted of the instruction, or is it noted now?  If it
 * has an access that is to be told, `common` says so. */
static inline __attribute__((always_inline)) bool
is_noted(Cpu *cpu, const Insn *insn, uint64_t address, CommonAccess *common)
{
    if (UNLIKELY(cpu->depending != 0) &&
        (insn->gpr_reads | insn->gpr_writes) & cpu->depending)
        return false;
    if (!(insn->flags & cpu->memory_mask))
        return true;
    if (insn->flags & INSN_WRITES)
        return store_is_noted(cpu, insn, address, common);
    return is_common_access(cpu, insn, common);
}

/* The same as note_accesses() does of a watched line, for a common access. */
static __attribute__((noinline)) void
tell_common(Cpu *cpu, const Insn *insn, uint64_t address, gpa_t at)
{
    cpu->hooked_at = address;
    tell_access(cpu, &insn->access[0], at,
                insn->flags & INSN_WRITES && cpu->depth == 0);
}

#define HIDDEN_MODE (ENGINE_HIDDEN_CS64 | ENGINE_HIDDEN_CS32)

/* Is it about to write to instructions? */
static bool
writes_code(const Cpu *cpu, const Insn *insn)
{
    const Gmem *gmem = cpu->shared->gmem;
    gpa_t physical;

    for (unsigned i = 0; i < insn->access_count; i++) {
        const InsnAccess *access = &insn->access[i];

        if (access->mode & INSN_ACCESS_WRITE &&
            gmem_translate(gmem, cpu_address_of(cpu, access), access->size,
                           &physical))
            for (gpa_t line = physical >> LINE_BITS;
                 line <= (physical + access->size - 1) >> LINE_BITS; line++)
                if (gmem->line_flags[line] & GMEM_CODE)
                    return true;
    }
    return false;
}

/* Everything that is not "count one step of this core". */
static __attribute__((noinline)) void
hook_slowly(Cpu *cpu, uint64_t address)
{
    InsnMode mode = cpu_mode(cpu);
    const Insn *insn;
    CommonAccess common;

    if (UNLIKELY(cpu->late_size != 0))
        cpu_put_back(cpu);
    /* The instruction before has failed, and nothing has stopped yet. */
    if (UNLIKELY(cpu->exit == CPU_EXIT_UNMAPPED)) {
        cpu->slice++;
        engine_stop(cpu->engine);
        return;
    }
    /* A far transfer loaded it; see correct_rip(). */
    if (UNLIKELY(cpu->live->segments[SEG_CS].base != 0) &&
        mode == INSN_MODE_64) {
        cpu->slice++;
        leave_engine(cpu, CPU_EXIT_RECHECK, address);
        return;
    }
    insn = code_at(cpu->shared->code, mode, address);
    cpu->hooked_at = address;

    cpu->page_number = address >> PAGE_BITS;
    cpu->page_hidden = cpu->live->hidden & HIDDEN_MODE;
    cpu->page_slots = code_slots(cpu->shared->code, mode, address);
    if (cpu->page_slots == NULL)
        cpu->page_number = UINT64_MAX;
    if (cpu->slice < 0 || (insn->flags & cpu->stop_mask) != 0) {
        if (!attend(cpu, insn, address))
            return;
        /* Others may have run meanwhile, and text been decoded anew. */
        insn = code_at(cpu->shared->code, cpu_mode(cpu), address);
    }
    /* Unicorn begins an instruction anew that writes into the block that it
     * is part of, with half of the store done; so it must be a block alone. */
    if (insn->flags & INSN_WRITES && !cpu->alone &&
        !is_common_access(cpu, insn, &common) && writes_code(cpu, insn)) {
        cpu->slice++;
        cpu->alone = true;
        leave_engine(cpu, CPU_EXIT_ALONE, address);
        return;
    }
    cpu->alone = false;
    if (insn->flags & INSN_UNPREDICTED) /* it may load CS */
        cpu_request_attention(cpu);
    ++*cpu->clock;
    cpu->state.retired++;
    if (insn->flags & cpu->memory_mask)
        note_accesses(cpu, insn);
    else if (cpu->shared->past != NULL)
        cpu_note_loads(cpu, insn);
}

void
cpu_on_instruction(struct uc_struct *unused, uint64_t address, uint32_t size,
                   void *user)
{
    Cpu *cpu = *(Cpu **)user;

    (void)unused, (void)size;
    if (LIKELY(--cpu->slice >= 0 &&
               address >> PAGE_BITS == cpu->page_number &&
               (cpu->live->hidden & HIDDEN_MODE) == cpu->page_hidden)) {
        uint32_t slot = cpu->page_slots[address & (PAGE_BYTES - 1)];
        const Insn *insn = &cpu->insns[slot & ~CODE_PLAIN];
        CommonAccess common = {.watched = false};

        if (LIKELY(slot & cpu->plain) ||
            (slot != 0 && !(insn->flags & cpu->stop_mask) &&
             is_noted(cpu, insn, address, &common))) {
            ++*cpu->clock;
            cpu->state.retired++;
            if (UNLIKELY(common.watched))
                tell_common(cpu, insn, address, common.physical);
            return;
        }
    }
    hook_slowly(cpu, address);
}
