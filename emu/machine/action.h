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
    ACTION_DELIVER, /* message `number` reaches core `cpu` */
    ACTION_FIRE,    /* the timer of core `cpu` ticks */
} ActionKind;

typedef struct Action {
    ActionKind kind;
    uint32_t cpu;
    uint64_t number; /* of the message; 0 otherwise */
} Action;

/* Beside steps: every core can be sent to by every core, and its timer can
 * be due. */
#define ACTIONS_REST_MAX (CPUS_MAX * CPUS_MAX + CPUS_MAX)

/*
 * A list of actions: numbers 0 .. count-1.  Steps come first and are kept as
 * one bit a core, since there can be many and listing is frequent.
 */
typedef struct Actions {
    uint64_t steps; /* bit n: core n can step */
    unsigned step_count;
    unsigned count;
    Action rest[ACTIONS_REST_MAX];
} Actions;

/* Action `index` of the list; index < actions->count. */
Action action_at(const Actions *actions, unsigned index);

/* "step cpu0", "deliver #12 to cpu1", "fire cpu2"; caller frees. */
char *action_print(const Action *action);

#endif
