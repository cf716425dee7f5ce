/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entity -- who can act, for strategies that give them priorities or weights.
 *
 * Each core, the drains of each core's buffer, the messages to each core, and
 * each core's timer: what a paper on threads calls a thread.
 *
 * Layer 5; a number.
 */
#ifndef EMU_CHOOSE_ENTITY_H
#define EMU_CHOOSE_ENTITY_H

#include "base/base.h"
#include "base/capacity.h"
#include "machine/action.h"

#define ENTITIES_MAX (4u * CPUS_MAX)

static inline unsigned
entity_of(ActionKind kind, unsigned cpu)
{
    return (unsigned)kind * CPUS_MAX + cpu;
}

static inline ActionKind
entity_kind(unsigned entity)
{
    return (ActionKind)(entity / CPUS_MAX);
}

/* Entity of action number `index` of the list. */
static inline unsigned
entity_at(const Actions *actions, unsigned index)
{
    Action action = action_at(actions, index);

    return entity_of(action.kind, action.cpu);
}

#endif
