/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/counter.h"

#include "guest/insn_flow.h"

/* Instructions in which the flags must have been written anew. */
#define LOOK_AHEAD 32u

static bool
decode(Machine *machine, gva_t rip, InsnFlow *flow)
{
    const Gmem *memory = machine_memory(machine);
    gpa_t physical;

    return gmem_translate(memory, rip, 1, &physical) &&
           insn_flow_decode(flow, memory->bytes + physical,
                            memory->size - physical, rip);
}

/* Along jumps and calls whose target is known, but not along any other. */
static bool
flags_are_dead(Machine *machine, gva_t rip, uint32_t flags)
{
    for (unsigned i = 0; i < LOOK_AHEAD; i++) {
        InsnFlow flow;

        if (!decode(machine, rip, &flow) || flow.flags_read & flags)
            return false;
        flags &= ~flow.flags_written;
        if (flags == 0)
            return true;
        rip += flow.insn.length;
        if (!flow.branches)
            continue;
        if (!(flow.insn.flags & INSN_HAS_IMMEDIATE) ||
            flow.insn.flags & INSN_RET || flow.flags_read != 0 ||
            flow.address_registers & ~(1u << GPR_RSP))
            return false;
        rip = flow.insn.immediate;
    }
    return false;
}

static bool
is_blind(Machine *machine, gva_t rip)
{
    InsnFlow flow;

    return decode(machine, rip, &flow) &&
           (flow.kind == INSN_FLOW_ADD || flow.kind == INSN_FLOW_SUB) &&
           !flow.keeps && flow.to.where == INSN_FLOW_MEMORY &&
           flow.from.where == INSN_FLOW_IMMEDIATE &&
           flags_are_dead(machine, rip + flow.insn.length, flow.flags_touched);
}

static bool
is_counter(const StateView *view, gpa_t physical, unsigned size)
{
    for (guint i = 0; i < view->ranges->len; i++) {
        const StateRange *range = &g_array_index(view->ranges, StateRange, i);

        if (range->physical < physical + size &&
            physical < range->physical + range->size)
            return true;
    }
    return false;
}

void
counter_look(CounterWatch *watch, unsigned cpu, gpa_t physical,
             const InsnAccess *access)
{
    gva_t rip = cpu_rip(machine_cpu(watch->machine, cpu));
    gpointer key = GSIZE_TO_POINTER(rip);
    gpointer known;

    if (!is_counter(watch->view, physical, access->size))
        return;
    known = g_hash_table_lookup(watch->view->blind, key);
    if (known == NULL) {
        known = GINT_TO_POINTER(is_blind(watch->machine, rip) ? 1 : 2);
        g_hash_table_insert(watch->view->blind, key, known);
    }
    if (GPOINTER_TO_INT(known) != 1)
        watch->sees = true;
}

void
counter_watch(CounterWatch *watch, Machine *machine, const StateView *view)
{
    *watch = (CounterWatch){
        .machine = machine,
        .view = view,
        .lines = g_array_new(FALSE, FALSE, sizeof(gpa_t)),
    };
    for (guint i = 0; i < view->ranges->len; i++) {
        const StateRange *range = &g_array_index(view->ranges, StateRange, i);
        gpa_t line = range->physical & ~(gpa_t)(LINE_BYTES - 1);

        for (; line < range->physical + range->size; line += LINE_BYTES)
            if (machine_watch_line(machine, line))
                g_array_append_val(watch->lines, line);
    }
}

void
counter_unwatch(CounterWatch *watch)
{
    for (guint i = 0; i < watch->lines->len; i++)
        machine_unwatch_line(watch->machine,
                             g_array_index(watch->lines, gpa_t, i));
    g_clear_pointer(&watch->lines, g_array_unref);
}
