/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine_parts -- what a Machine consists of, for the files that are it.
 *
 * Layer 3; a part of machine.
 */
#ifndef EMU_MACHINE_MACHINE_PARTS_H
#define EMU_MACHINE_MACHINE_PARTS_H

#include "base/base.h"
#include "machine/machine.h"

struct Machine {
    unsigned cpu_count;
    ticks_t clock;
    uint64_t runnable;                /* bit n: core n can step */
    uint64_t buffered;                /* bit n: it has buffered stores */
    ticks_t deadlines[CPUS_MAX];      /* of the APIC timers */
    ticks_t next_deadline;            /* the least of them */
    ApicBus bus;
    GString *console;
    uint64_t console_lost;            /* bytes beyond CONSOLE_BYTES_MAX */
    Gmem memory;
    Code code;
    CpuShared shared;
    CpuCommon common;
    MachineWatch watch;
    Past past;
    MachineSnapshot *base;
    Cpu cpus[CPUS_MAX];
};

struct MachineSnapshot {
    ticks_t clock;
    ApicBus *bus;
    char *console;
    size_t console_bytes;
    uint64_t console_lost;
    unsigned cpu_count;
    uint8_t *cpus;          /* cpu_image_bytes() each */
    Past *past;
    uint32_t line_count;    /* lines that may differ from the base */
    uint32_t *lines;
    uint8_t *line_bytes;
};

/* Core `cpu` may have come to buffered stores, or lost its last. */
static inline void
machine_note_stores(Machine *machine, const Cpu *cpu)
{
    uint64_t bit = UINT64_C(1) << cpu->number;

    if (UNLIKELY(cpu->stores.count > 0))
        machine->buffered |= bit;
    else
        machine->buffered &= ~bit;
}

/* Memory that holds code or page tables changes. */
void machine_code_written(void *machine, gpa_t physical, uint64_t size);

#endif
