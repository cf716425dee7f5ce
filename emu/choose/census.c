/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/census.h"

#include "parts/cpu_hook.h"
#include "parts/cpu_memory.h"

void
census_init(Census *census)
{
    *census = (Census){
        .lines = g_array_new(FALSE, FALSE, sizeof(uint64_t)),
        .places = g_array_new(FALSE, FALSE, sizeof(gva_t)),
    };
}

void
census_clear(Census *census)
{
    g_clear_pointer(&census->lines, g_array_unref);
    g_clear_pointer(&census->places, g_array_unref);
}

static bool
holds(const GArray *ascending, uint64_t number)
{
    guint low = 0, high = ascending->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;
        uint64_t there = g_array_index(ascending, uint64_t, middle);

        if (there == number)
            return true;
        if (there < number)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool
census_sees(const Census *census, Machine *machine, unsigned number,
            gva_t rip, CensusEvent *event)
{
    Cpu *cpu = machine_cpu(machine, number);
    bool found = false;
    const Insn *insn;

    if (!holds(census->places, rip))
        return false;
    insn = code_at(machine_code(machine), cpu_mode(cpu), rip);
    *event = (CensusEvent){.cpu = number, .rip = rip,
                           .locked = (insn->flags & INSN_LOCKED) != 0};
    for (unsigned i = 0; i < insn->access_count; i++) {
        const InsnAccess *access = &insn->access[i];
        gpa_t physical;

        if (!gmem_translate(machine_memory(machine),
                            cpu_address_of(cpu, access), access->size,
                            &physical) ||
            !holds(census->lines, physical >> LINE_BITS))
            continue;
        if (!found)
            event->line = physical >> LINE_BITS;
        event->reads |= (access->mode & INSN_ACCESS_READ) != 0;
        event->writes |= (access->mode & INSN_ACCESS_WRITE) != 0;
        found = true;
    }
    return found;
}

void
census_mark(const Census *census, Machine *machine)
{
    for (guint i = 0; i < census->places->len; i++)
        code_mark(machine_code(machine),
                  g_array_index(census->places, gva_t, i), CODE_POINT);
}
