/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "machine/machine_parts.h"
#include "parts/cpu_hook.h"
#include "parts/cpu_memory.h"

/* --- Store buffers -------------------------------------------------------- */

uint64_t
machine_drainable(const Machine *machine, unsigned cpu)
{
    return cpu_drainable(&machine->cpus[cpu]);
}

const Store *
machine_stores(const Machine *machine, unsigned cpu, unsigned *count)
{
    *count = machine->cpus[cpu].stores.count;
    return machine->cpus[cpu].stores.entries;
}

void
machine_fence(Machine *machine, unsigned cpu)
{
    cpu_drain(&machine->cpus[cpu]);
    machine_note_stores(machine, &machine->cpus[cpu]);
}

void
machine_drain_all(Machine *machine)
{
    for (unsigned i = 0; i < machine->cpu_count; i++)
        cpu_flush(&machine->cpus[i]);
    machine->buffered = 0;
    past_forget(&machine->past, &machine->memory);
}

void
machine_set_memory(Machine *machine, const MemoryOptions *options)
{
    CpuShared *shared = &machine->shared;

    INVARIANT(options->depth >= 1 && options->depth <= STOREBUF_DEPTH_MAX);
    machine_drain_all(machine);
    shared->memory = *options;
    shared->past = options->model == MEMORY_WEAK ? &machine->past : NULL;
    for (unsigned i = 0; i < machine->cpu_count; i++)
        cpu_update_memory(&machine->cpus[i]);
}

const MemoryOptions *
machine_memory_options(const Machine *machine)
{
    return &machine->shared.memory;
}

/* --- Access from outside -------------------------------------------------- */

/* The core that is running just now, or NULL. */
static const Cpu *
running(const Machine *machine)
{
    for (unsigned i = 0; i < machine->cpu_count; i++)
        if (machine->cpus[i].stores.shown)
            return &machine->cpus[i];
    return NULL;
}

bool
machine_read(Machine *machine, unsigned cpu, gva_t address, void *bytes,
             uint64_t size)
{
    const Cpu *shown = running(machine);
    gpa_t physical;

    if (!gmem_translate(&machine->memory, address, size, &physical))
        return false;
    memcpy(bytes, machine->memory.bytes + physical, size);
    if (shown != NULL && shown->number == cpu)
        return true;
    if (shown != NULL)
        storebuf_uncover(&shown->stores, physical, bytes, size);
    if (cpu != MACHINE_NOBODY)
        storebuf_cover(&machine->cpus[cpu].stores, physical, bytes, size);
    return true;
}

/* In a core's stead: shown for the moment, as when it runs. */
static void
write_as(Machine *machine, Cpu *cpu, gpa_t physical, const void *bytes,
         uint64_t size)
{
    cpu_show_stores(cpu);
    cpu_store(cpu, physical, bytes, size);
    cpu_hide_stores(cpu);
    machine_note_stores(machine, cpu);
}

bool
machine_write(Machine *machine, unsigned cpu, gva_t address,
              const void *bytes, uint64_t size)
{
    Gmem *memory = &machine->memory;
    gpa_t physical;

    if (!gmem_translate(memory, address, size, &physical))
        return false;
    if (cpu != MACHINE_NOBODY) {
        write_as(machine, &machine->cpus[cpu], physical, bytes, size);
        return true;
    }
    cpu_note_write(&machine->cpus[0], physical, size);
    memcpy(memory->bytes + physical, bytes, size);
    return true;
}
