/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "machine/action.h"

/* The core of bit number `index` among those set. */
static uint32_t
nth_cpu(uint64_t cores, unsigned index)
{
    for (; index > 0; index--)
        cores &= cores - 1;
    return (uint32_t)__builtin_ctzll(cores);
}

Action
action_at(const Actions *actions, unsigned index)
{
    INVARIANT(index < actions->count);
    if (index < actions->step_count)
        return (Action){.kind = ACTION_STEP,
                        .cpu = nth_cpu(actions->steps, index)};
    index -= actions->step_count;
    if (index < actions->drain_count)
        return (Action){.kind = ACTION_DRAIN,
                        .cpu = nth_cpu(actions->drains, index)};
    return actions->rest[index - actions->drain_count];
}

unsigned
action_lookup(const Actions *actions, const Action *action)
{
    for (unsigned i = 0; i < actions->count; i++) {
        Action other = action_at(actions, i);

        if (other.kind == action->kind && other.cpu == action->cpu &&
            (action->kind != ACTION_DELIVER ||
             other.number == action->number))
            return i;
    }
    return actions->count;
}

char *
action_print(const Action *action)
{
    switch (action->kind) {
    case ACTION_STEP:
        return g_strdup_printf("step cpu%" PRIu32, action->cpu);
    case ACTION_DRAIN:
        return g_strdup_printf("drain cpu%" PRIu32, action->cpu);
    case ACTION_DELIVER:
        return g_strdup_printf("deliver #%" PRIu64 " to cpu%" PRIu32,
                               action->number, action->cpu);
    case ACTION_FIRE:
        return g_strdup_printf("fire cpu%" PRIu32, action->cpu);
    }
    BUG("action kind %d", (int)action->kind);
}
