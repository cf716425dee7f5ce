/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directing -- a director's commands turned into actions of the machine.
 *
 * Layer 5; embedded in Run.
 */
#ifndef EMU_CHOOSE_DIRECTING_H
#define EMU_CHOOSE_DIRECTING_H

#include "base/base.h"
#include "choose/choice.h"
#include "choose/director.h"
#include "choose/run.h"
#include "guest/image.h"
#include "machine/machine.h"

typedef struct Directing {
    const Director *director; /* NULL: nobody directs any more */
    const Image *image;
    const RunObserver *observer;
    DirectorCommand command;  /* what is being done */
    bool busy;                /* it is not done yet */
    bool done;                /* how the last one ended */
    uint64_t left;            /* steps of STEP, FREE */
    ticks_t before;           /* clock when the last turn was given */
    GArray *stops;            /* gva_t: addresses of RUN_TO */
    bool arrived;             /* the core stands at one of them */
    uint64_t held, ipi_held;  /* cores; cores whose messages are held */
    uint64_t stores_held;     /* cores whose stores are */
    uint64_t late[CPUS_MAX];  /* how far back their next late load goes */
} Directing;

/* What to do next: perform `action`, number `index` of the list, for at most
 * `steps`; or nothing, ask again. */
typedef struct DirectorTurn {
    bool acts;
    unsigned index;
    Action action;
    uint64_t steps;
    bool free; /* the strategy says how many stores drain */
} DirectorTurn;

void directing_begin(Directing *state, const Director *director,
                     const Image *image, const RunObserver *observer);
void directing_clear(Directing *state);

static inline bool
directing_is_active(const Directing *state)
{
    return state->director != NULL;
}

/* The last turn ended where the command wanted the core to stop. */
static inline bool
directing_arrived(const Directing *state)
{
    return state->busy && state->arrived;
}

/* Does a command want this core to stop here?  Then it has arrived. */
bool directing_wants(Directing *state, unsigned cpu, gva_t rip);

/* Which of `count` values a load of this core gives: what was commanded, or
 * what the choice takes. */
unsigned directing_late(Directing *state, Choice *choice, unsigned cpu,
                        unsigned count);

/* What a director did at once, on the tape of a replay: messages that it
 * dropped, memory that it wrote. */
void directing_replay(const Directing *state, Machine *machine,
                      Choice *choice);

bool directing_next_turn(Directing *state, Machine *machine,
                        const Actions *actions, Choice *choice,
                        DirectorTurn *turn, GError **error);

#endif
