/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * action -- the things that can happen next.
 *
 * Layer 3; a value.
 */
#ifndef EMU_MACHINE_ACTION_H
#define EMU_MACHINE_ACTION_H

#include "base/base.h"
#include "base/capacity.h"

typedef enum ActionKind {
    ACTION_STEP,    /* core `cpu` executes */
    ACTION_DRAIN,   /* a buffered store of core `cpu` becomes visible */
    ACTION_DELIVER, /* message `number` reaches core `cpu` */
    ACTION_FIRE,    /* the timer of core `cpu` ticks */
} ActionKind;

typedef struct Action {
    ActionKind kind;
    uint32_t cpu;
    uint64_t number; /* DELIVER: of the message; DRAIN: the store's place in
                        the buffer, 0 the oldest; STEP: 1 if the last step is
                        done whole, even if it is a read-modify-write; 0
                        otherwise */
} Action;

/* Beside steps and drains: every core can be sent to by every core, and its
 * timer can be due. */
#define ACTIONS_REST_MAX (CPUS_MAX * CPUS_MAX + CPUS_MAX)

/*
 * A list of actions: numbers 0 .. count-1.  Steps come first, then drains;
 * both are kept as one bit a core, since there can be many and listing is
 * frequent.  Which store a drain begins with is a question of its own
 * (machine_drainable()).
 */
typedef struct Actions {
    uint64_t steps;  /* bit n: core n can step */
    uint64_t drains; /* bit n: core n has buffered stores */
    unsigned step_count, drain_count;
    unsigned count;
    unsigned rest_count;
    Action rest[ACTIONS_REST_MAX];
} Actions;

/* Make it a list of these steps and drains and nothing else yet. */
static inline void
action_begin_list(Actions *actions, uint64_t steps, uint64_t drains)
{
    actions->steps = steps;
    actions->drains = drains;
    actions->step_count = (unsigned)__builtin_popcountll(steps);
    actions->drain_count =
        drains == 0 ? 0 : (unsigned)__builtin_popcountll(drains);
    actions->count = actions->step_count + actions->drain_count;
    actions->rest_count = 0;
}

static inline void
action_add(Actions *actions, Action action)
{
    actions->rest[actions->rest_count++] = action;
    actions->count++;
}

/* The number of this action in the list, or actions->count. */
unsigned action_lookup(const Actions *actions, const Action *action);

/* Action `index` of the list; index < actions->count. */
Action action_at(const Actions *actions, unsigned index);

/* "step cpu0", "drain cpu1", "deliver #12 to cpu1", "fire cpu2"; the caller
 * frees it. */
char *action_print(const Action *action);

#endif
