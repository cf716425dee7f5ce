/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "machine/machine_parts.h"

static MachineSnapshot *
save_but_memory(Machine *machine)
{
    MachineSnapshot *snapshot = g_new0(MachineSnapshot, 1);
    size_t size = cpu_image_bytes();

    snapshot->clock = machine->clock;
    snapshot->bus = g_malloc(apicbus_bytes(&machine->bus));
    apicbus_copy(snapshot->bus, &machine->bus);
    snapshot->console = g_strdup(machine->console->str);
    snapshot->console_bytes = machine->console->len;
    snapshot->console_lost = machine->console_lost;
    snapshot->cpu_count = machine->cpu_count;
    snapshot->cpus = g_malloc(size * machine->cpu_count);
    for (unsigned i = 0; i < machine->cpu_count; i++)
        cpu_save(&machine->cpus[i], snapshot->cpus + i * size);
    snapshot->past = g_malloc(past_bytes(&machine->past));
    past_copy(snapshot->past, &machine->past);
    return snapshot;
}

static void
load_but_memory(Machine *machine, const MachineSnapshot *snapshot)
{
    size_t size = cpu_image_bytes();

    INVARIANT(snapshot->cpu_count == machine->cpu_count);
    machine->clock = snapshot->clock;
    apicbus_copy(&machine->bus, snapshot->bus);
    g_string_truncate(machine->console, 0);
    if (snapshot->console_bytes > 0)
        g_string_append_len(machine->console, snapshot->console,
                            (gssize)snapshot->console_bytes);
    machine->console_lost = snapshot->console_lost;
    for (unsigned i = 0; i < machine->cpu_count; i++)
        cpu_load(&machine->cpus[i], snapshot->cpus + i * size);
    past_forget(&machine->past, &machine->memory);
    past_copy(&machine->past, snapshot->past);
    past_mark_lines(&machine->past, &machine->memory);
    machine_refresh(machine);
}

void
machine_rebase(Machine *machine)
{
    machine_drain_all(machine);
    machine_snapshot_free(machine->base);
    machine->base = save_but_memory(machine);
    gmem_rebase(&machine->memory);
}

void
machine_restore(Machine *machine)
{
    INVARIANT(machine->base != NULL);
    for (unsigned i = 0; i < machine->cpu_count; i++)
        cpu_settle(&machine->cpus[i]);
    gmem_restore(&machine->memory, machine_code_written, machine);
    load_but_memory(machine, machine->base);
}

MachineSnapshot *
machine_save(Machine *machine)
{
    MachineSnapshot *snapshot = save_but_memory(machine);
    const Gmem *memory = &machine->memory;

    snapshot->line_count = memory->dirty_count;
    snapshot->lines =
        g_memdup2(memory->dirty, memory->dirty_count * sizeof(uint32_t));
    snapshot->line_bytes =
        g_malloc((size_t)memory->dirty_count << LINE_BITS);
    for (uint32_t i = 0; i < memory->dirty_count; i++)
        memcpy(snapshot->line_bytes + ((size_t)i << LINE_BITS),
               memory->bytes + ((size_t)memory->dirty[i] << LINE_BITS),
               LINE_BYTES);
    return snapshot;
}

void
machine_load(Machine *machine, const MachineSnapshot *snapshot)
{
    Gmem *memory = &machine->memory;

    machine_restore(machine);
    for (uint32_t i = 0; i < snapshot->line_count; i++) {
        gpa_t physical = (gpa_t)snapshot->lines[i] << LINE_BITS;

        gmem_will_write(memory, physical, LINE_BYTES);
        memcpy(memory->bytes + physical,
               snapshot->line_bytes + ((size_t)i << LINE_BITS), LINE_BYTES);
        if (memory->line_flags[snapshot->lines[i]] & GMEM_CODE)
            machine_code_written(machine, physical, LINE_BYTES);
    }
    load_but_memory(machine, snapshot);
}

void
machine_snapshot_free(MachineSnapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    g_free(snapshot->bus);
    g_free(snapshot->console);
    g_free(snapshot->cpus);
    g_free(snapshot->past);
    g_free(snapshot->lines);
    g_free(snapshot->line_bytes);
    g_free(snapshot);
}
