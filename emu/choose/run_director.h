/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_director -- a director's commands turned into actions of the machine.
 *
 * Layer 5; a part of run.
 */
#ifndef EMU_CHOOSE_RUN_DIRECTOR_H
#define EMU_CHOOSE_RUN_DIRECTOR_H

#include "base/base.h"
#include "choose/choice.h"
#include "choose/director.h"
#include "guest/image.h"
#include "machine/machine.h"

typedef struct DirectorState {
    const Director *director; /* NULL: nobody directs any more */
    const Image *image;
    DirectorCommand command;  /* what is being done */
    bool busy;                /* it is not done yet */
    bool done;                /* how the last one ended */
    uint64_t left;            /* steps of STEP, FREE */
    ticks_t before;           /* clock when the last turn was given */
    GArray *stops;            /* gva_t: addresses of RUN_TO */
    bool arrived;             /* the core stands at one of them */
    uint64_t held, ipi_held;  /* cores; cores whose messages are held */
} DirectorState;

/* What to do next: perform `action`, number `index` of the list, for at most
 * `steps`; or nothing, ask again. */
typedef struct DirectorTurn {
    bool acts;
    unsigned index;
    Action action;
    uint64_t steps;
} DirectorTurn;

void director_begin(DirectorState *state, const Director *director,
                    const Image *image);
void director_clear(DirectorState *state);

static inline bool
director_is_active(const DirectorState *state)
{
    return state->director != NULL;
}

/* Does a command want this core to stop here?  Then it has arrived. */
bool director_wants(DirectorState *state, unsigned cpu, gva_t rip);

bool director_next_turn(DirectorState *state, Machine *machine,
                        const Actions *actions, Choice *choice,
                        DirectorTurn *turn, GError **error);

#endif
