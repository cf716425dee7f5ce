/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lasso -- a way into a loop, and once round it, as explicit moves of the
 * machine.
 *
 *      here ── stem ──▶ first visit ── loop ──▶ second visit
 *                          ▲                         │
 *                          └── the same but for time ┘
 *
 * A move is an action of the machine, with the exact number of steps that a
 * STEP makes, or a `settle`: everything buffered becomes visible, and no load
 * is late.  Between settles loads give the newest value, and the last
 * instruction of a STEP is not split.
 *
 * As text a move is a line: "step cpu1 57", "deliver #12 to cpu1", "fire cpu0",
 * "settle".
 *
 * Layer 4; a value.
 */
#ifndef EMU_WATCH_LASSO_H
#define EMU_WATCH_LASSO_H

#include "base/base.h"
#include "machine/machine.h"

/* A core's turn in a round, at most. */
#define LASSO_TURN_STEPS 1000u

typedef struct LassoMove {
    bool settles;   /* and `action` is nothing */
    Action action;
    uint64_t steps; /* of a STEP: exactly so many */
} LassoMove;

typedef struct Lasso {
    GArray *stem, *loop; /* LassoMove */
} Lasso;

void lasso_init(Lasso *lasso);
void lasso_clear(Lasso *lasso);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Lasso, lasso_clear)

/*
 * One fair round: every message in flight arrives, every timer that is due
 * fires, every core that can run does so until it pauses, halts or has made
 * LASSO_TURN_STEPS, and all becomes visible.  Moves are appended to `moves`,
 * unless that is NULL.  False when the round ends in something that no loop
 * contains: a hypercall, a triple fault, or nothing to do.
 */
bool lasso_play_round(Machine *machine, Actions *actions, GArray *moves);

/* Make one move, which must be possible. */
void lasso_play_move(Machine *machine, const LassoMove *move);

/* Whether a timer of some APIC will fire. */
bool lasso_has_timer(Machine *machine);

void lasso_print_move(const LassoMove *move, GString *out);
/* False if the line is no move. */
bool lasso_parse_move(const char *line, LassoMove *move);

#endif
