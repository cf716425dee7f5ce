/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/callbacks.h"

void
callbacks_begin(Callbacks *callbacks, unsigned cpus)
{
    for (unsigned i = 0; i < cpus; i++)
        callbacks->depth[i] = 0;
}

Callback *
callbacks_top(Callbacks *callbacks, unsigned cpu)
{
    unsigned depth = callbacks->depth[cpu];

    return depth == 0 ? NULL : &callbacks->of[cpu][depth - 1];
}

bool
callbacks_is_again(Callbacks *callbacks, unsigned cpu, gva_t rip, uint64_t rsp)
{
    const Callback *top = callbacks_top(callbacks, cpu);

    return top != NULL && top->rsp == rsp && top->rip == rip;
}

Callback *
callbacks_push(Callbacks *callbacks, unsigned cpu)
{
    if (callbacks->depth[cpu] == CALLBACKS_MAX)
        return NULL;
    return &callbacks->of[cpu][callbacks->depth[cpu]++];
}

Callback *
callbacks_pop(Callbacks *callbacks, unsigned cpu, uint64_t rsp)
{
    for (unsigned depth = callbacks->depth[cpu]; depth > 0; depth--)
        if (callbacks->of[cpu][depth - 1].rsp == rsp) {
            callbacks->depth[cpu] = depth - 1;
            return &callbacks->of[cpu][depth - 1];
        }
    return NULL;
}
