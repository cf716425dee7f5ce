/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/counter.h"

#include "guest/insn_flow.h"
#include "watch/lasso.h"

/* Instructions in which the flags must have been written anew. */
#define LOOK_AHEAD 32u

typedef struct Counting {
    Machine *machine;
    const StateView *view;
    bool sees; /* some access was not blind */
} Counting;

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

/* An access to a line of counters. */
static void
look(void *user, unsigned cpu, gpa_t physical, const InsnAccess *access)
{
    Counting *counting = user;
    gva_t rip = cpu_rip(machine_cpu(counting->machine, cpu));
    gpointer key = GSIZE_TO_POINTER(rip);
    gpointer known;

    if (!is_counter(counting->view, physical, access->size))
        return;
    known = g_hash_table_lookup(counting->view->blind, key);
    if (known == NULL) {
        known = GINT_TO_POINTER(is_blind(counting->machine, rip) ? 1 : 2);
        g_hash_table_insert(counting->view->blind, key, known);
    }
    if (GPOINTER_TO_INT(known) != 1)
        counting->sees = true;
}

bool
counter_only_counts(Machine *machine, const StateView *view, Actions *actions,
                    unsigned rounds)
{
    Counting counting = {.machine = machine, .view = view};
    MachineWatch watch = {.access = look, .user = &counting};
    g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(gpa_t));
    bool played = true;

    for (guint i = 0; i < view->ranges->len; i++) {
        const StateRange *range = &g_array_index(view->ranges, StateRange, i);
        gpa_t line = range->physical & ~(gpa_t)(LINE_BYTES - 1);

        for (; line < range->physical + range->size; line += LINE_BYTES)
            if (machine_watch_line(machine, line))
                g_array_append_val(lines, line);
    }
    machine_watch(machine, &watch);
    for (unsigned i = 0; i < rounds && played; i++)
        played = lasso_play_round(machine, actions, NULL);
    machine_watch(machine, NULL);
    for (guint i = 0; i < lines->len; i++)
        machine_unwatch_line(machine, g_array_index(lines, gpa_t, i));
    return played && !counting.sees;
}
