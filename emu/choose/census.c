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
        .line_events = g_array_new(FALSE, TRUE, sizeof(uint64_t)),
        .places = g_array_new(FALSE, FALSE, sizeof(gva_t)),
    };
}

void
census_clear(Census *census)
{
    g_clear_pointer(&census->lines, g_array_unref);
    g_clear_pointer(&census->line_events, g_array_unref);
    g_clear_pointer(&census->places, g_array_unref);
    g_clear_pointer(&census->line_bits, g_free);
}

uint64_t
census_events(const Census *census, unsigned index, unsigned cpu)
{
    return g_array_index(census->line_events, uint64_t,
                         index * census->cpus + cpu);
}

unsigned
census_line(const Census *census, uint64_t line)
{
    guint low = 0, high = census->lines->len;

    while (high - low > 1) {
        guint middle = low + (high - low) / 2;

        if (g_array_index(census->lines, uint64_t, middle) <= line)
            low = middle;
        else
            high = middle;
    }
    INVARIANT(low < census->lines->len &&
              g_array_index(census->lines, uint64_t, low) == line);
    return low;
}

static inline bool
is_shared(const Census *census, uint64_t line)
{
    uint64_t last;

    if (census->lines->len == 0)
        return false;
    last = g_array_index(census->lines, uint64_t, census->lines->len - 1);
    return line <= last && (census->line_bits[line / 64] >> line % 64 & 1);
}

/* An instruction without a mark: does it make a shared line visible, or ask a
 * story? */
static bool
sees_unmarked(const Census *census, Cpu *cpu, gva_t rip, const Insn *insn,
           CensusEvent *event)
{
    if (insn->flags & INSN_VMCALL) {
        *event = (CensusEvent){.cpu = cpu->number, .rip = rip,
                               .line = CENSUS_STORY, .reads = true,
                               .writes = true, .locked = true};
        return true;
    }
    if (!(insn->flags & CPU_ORDERING_MASK))
        return false;
    for (unsigned i = 0; i < cpu->stores.count; i++) {
        uint64_t line = cpu->stores.entries[i].physical >> LINE_BITS;

        if (is_shared(census, line)) {
            *event = (CensusEvent){.cpu = cpu->number, .rip = rip,
                                   .line = line, .writes = true,
                                   .locked = true};
            return true;
        }
    }
    return false;
}

bool
census_sees(const Census *census, Cpu *cpu, gva_t rip, const Insn *insn,
            CensusEvent *event)
{
    const Gmem *memory = cpu->shared->gmem;
    bool found = false;

    if (!(insn->flags & CODE_MEETING))
        return sees_unmarked(census, cpu, rip, insn, event);
    for (unsigned i = 0; i < insn->access_count; i++) {
        const InsnAccess *access = &insn->access[i];
        gpa_t physical;

        if (!gmem_translate(memory, cpu_address_of(cpu, access),
                            access->size, &physical) ||
            !is_shared(census, physical >> LINE_BITS))
            continue;
        if (!found)
            *event = (CensusEvent){.cpu = cpu->number, .rip = rip,
                                   .line = physical >> LINE_BITS,
                                   .locked = (insn->flags & INSN_LOCKED) != 0};
        event->reads |= (access->mode & INSN_ACCESS_READ) != 0;
        event->writes |= (access->mode & INSN_ACCESS_WRITE) != 0;
        found = true;
    }
    return found || sees_unmarked(census, cpu, rip, insn, event);
}

void
census_mark(Census *census, Machine *machine)
{
    const GArray *lines = census->lines;

    for (guint i = lines->len; i > 0; i--) {
        uint64_t line = g_array_index(lines, uint64_t, i - 1);

        if (census->line_bits == NULL)
            census->line_bits = g_new0(uint64_t, line / 64 + 1);
        census->line_bits[line / 64] |= UINT64_C(1) << line % 64;
    }
    for (guint i = 0; i < census->places->len; i++)
        code_mark(machine_code(machine),
                  g_array_index(census->places, gva_t, i), CODE_MEETING);
    machine_watch_meetings(machine, true);
}

void
census_unmark(const Census *census, Machine *machine)
{
    for (guint i = 0; i < census->places->len; i++)
        code_unmark(machine_code(machine),
                    g_array_index(census->places, gva_t, i), CODE_MEETING);
    machine_watch_meetings(machine, false);
}
