/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/stacks.h"

void
stacks_init(Stacks *stacks, Machine *machine, const Rules *rules)
{
    *stacks = (Stacks){
        .machine = machine,
        .memory = machine_memory(machine),
        .rules = rules,
    };
    if (rules->thread == RULES_NOWHERE || rules->stack.size != 8 ||
        rules->stack_size.size == 0)
        return;
    for (unsigned cpu = 0; cpu < machine_cpus(machine); cpu++)
        if (!gmem_translate(stacks->memory,
                            rules->globaldata[cpu] + rules->thread, 8,
                            &stacks->of[cpu].thread_word))
            return;
    for (guint i = 0; i < rules->rules->len; i++) {
        const Rule *rule = g_ptr_array_index(rules->rules, i);

        if (rule->kind == RULE_STACK)
            stacks->reserve = rule->reserve;
    }
    stacks->known = true;
}

/* The stack of a thread; empty if it has none that can be found. */
static StackBounds
bounds_of(const Stacks *stacks, uint64_t thread)
{
    StackBounds bounds = {0};
    uint64_t size = 0;

    if (thread == 0 ||
        !gmem_read(stacks->memory, thread + stacks->rules->stack.offset,
                   &bounds.low, 8) ||
        !gmem_read(stacks->memory, thread + stacks->rules->stack_size.offset,
                   &size, stacks->rules->stack_size.size))
        return (StackBounds){0};
    bounds.high = bounds.low + size;
    return bounds;
}

void
stacks_begin(Stacks *stacks)
{
    unsigned cpus = stacks->known ? machine_cpus(stacks->machine) : 0;

    for (unsigned i = 0; i < cpus; i++) {
        StackOf *of = &stacks->of[i];

        memcpy(&of->thread, stacks->memory->bytes + of->thread_word, 8);
        of->current = of->on = bounds_of(stacks, of->thread);
        of->rsp = cpu_register(machine_cpu(stacks->machine, i), GPR_RSP);
        of->astray = false;
    }
}

static bool
is_on(const Stacks *stacks, const StackBounds *bounds, uint64_t rsp)
{
    return rsp <= bounds->high && rsp >= bounds->low + stacks->reserve;
}

bool
stacks_look_closely(Stacks *stacks, unsigned cpu, uint64_t rsp)
{
    StackOf *of = &stacks->of[cpu];
    bool was_astray = of->astray;

    /* Its own view: the switch may still be in its store buffer. */
    if (!machine_read(stacks->machine, cpu,
                      stacks->rules->globaldata[cpu] + stacks->rules->thread,
                      &of->thread, 8))
        return true;
    of->current = bounds_of(stacks, of->thread);
    of->astray = false;
    if (is_on(stacks, &of->current, rsp)) {
        of->on = of->current;
        return true;
    }
    if (of->current.high == 0 || is_on(stacks, &of->on, rsp))
        return true;
    of->astray = true;
    return was_astray;
}
