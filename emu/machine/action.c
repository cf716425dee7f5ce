/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "machine/action.h"

Action
action_at(const Actions *actions, unsigned index)
{
    uint64_t steps = actions->steps;

    INVARIANT(index < actions->count);
    if (index >= actions->step_count)
        return actions->rest[index - actions->step_count];
    for (; index > 0; index--)
        steps &= steps - 1;
    return (Action){.kind = ACTION_STEP,
                    .cpu = (uint32_t)__builtin_ctzll(steps)};
}

char *
action_print(const Action *action)
{
    switch (action->kind) {
    case ACTION_STEP:
        return g_strdup_printf("step cpu%" PRIu32, action->cpu);
    case ACTION_DELIVER:
        return g_strdup_printf("deliver #%" PRIu64 " to cpu%" PRIu32,
                               action->number, action->cpu);
    case ACTION_FIRE:
        return g_strdup_printf("fire cpu%" PRIu32, action->cpu);
    }
    BUG("action kind %d", (int)action->kind);
}
