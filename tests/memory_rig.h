/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_rig -- guests of machine_rig under a memory model.
 *
 * Each cpu arrives at `body`, stops at a VMCALL there under `sc`, gets its
 * memory model, and goes on.
 *
 * Beside the layers: included by test_cpu_memory*.c only.
 */
#ifndef TESTS_MEMORY_RIG_H
#define TESTS_MEMORY_RIG_H

#include "base/base.h"

#include "machine_rig.h"

#include "parts/memmodel.h"

#define RIG_DATA UINT64_C(0x600000)

static inline void
rig_set_memory(const Rig *rig, const char *text)
{
    g_autoptr(GError) error = NULL;
    MemoryOptions options;

    cr_assert(memmodel_parse(text, &options, &error));
    machine_set_memory(rig->machine, &options);
}

/* All cpus stand behind the VMCALL that `body` begins with. */
static inline Rig
rig_start_on(const char *body, unsigned cpus, const char *memory,
             CpuEngine engine)
{
    g_autofree char *text = g_strconcat("main: jmp start_all\nbody: vmcall\n",
                                        body, NULL);
    Rig rig = rig_new(text, cpus, engine);

    rig_go(&rig, 2000000);
    rig_set_memory(&rig, memory);
    machine_rebase(rig.machine);
    for (unsigned i = 0; i < cpus; i++)
        rig_continue(&rig, i);
    return rig;
}

static inline Rig
rig_start(const char *body, unsigned cpus, const char *memory)
{
    return rig_start_on(body, cpus, memory, CPU_ENGINE_FIBER);
}

static inline void
rig_step(const Rig *rig, unsigned cpu, uint64_t steps)
{
    CpuStop stop;

    cr_assert(rig_act(rig, ACTION_STEP, cpu, steps, &stop));
}

static inline unsigned
rig_buffered(const Rig *rig, unsigned cpu)
{
    unsigned count;

    machine_stores(rig->machine, cpu, &count);
    return count;
}

/* As core `cpu` sees it. */
static inline uint64_t
rig_seen(const Rig *rig, unsigned cpu, gva_t address)
{
    uint64_t value = 0;

    cr_assert(machine_read(rig->machine, cpu, address, &value, 8));
    return value;
}

static const CpuEngine rig_engines[] = {CPU_ENGINE_FIBER, CPU_ENGINE_STEPWISE,
                                        CPU_ENGINE_COMMON};

static inline void
rig_watch_late(const Rig *rig, unsigned (*late)(void *, unsigned, unsigned),
               void *user)
{
    MachineWatch watch = {.late = late, .user = user};

    machine_watch(rig->machine, &watch);
}

#endif
