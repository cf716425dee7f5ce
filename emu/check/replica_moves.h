/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replica_moves -- what a schedule makes the machine do, as commands of a
 * schedule() in Lua.
 *
 *      the run ──▶ moves: cpu1 makes steps 0 to 57, cpu1's stores drain ...
 *      the run again, with marks ──▶ which of them end at a line of source
 *      run_to(1, lwkt_send_ipiq3, "++ip->ip_windex;")     where that is exact
 *      step(1, 12)                                        where it is not
 *
 * Layer 10; a part of replica.
 */
#ifndef EMU_CHECK_REPLICA_MOVES_H
#define EMU_CHECK_REPLICA_MOVES_H

#include "base/base.h"
#include "check/reduce.h"
#include "check/trial.h"

typedef enum MoveKind {
    MOVE_RUN,
    MOVE_DRAIN,
    MOVE_DELIVER,
    MOVE_LATE,  /* the next load that can be late is */
    MOVE_OTHER, /* what schedule() has no word for */
} MoveKind;

typedef struct Move {
    MoveKind kind;
    unsigned cpu;
    uint64_t from, to; /* RUN: steps of the core since the run began */
    bool stops;        /* RUN: the core can make no step more */
    bool ended;        /* RUN: its story came to its end */
    gva_t rip;         /* RUN: where it stands then */
    unsigned number;   /* DRAIN: place of the first, DELIVER: of those to the
                          cpu; LATE: how far back */
    unsigned count;    /* DRAIN: how many at most */
    bool all;          /* DRAIN: no store is left */
    /* RUN: the words that lead there, found by replica_moves_name(). */
    char *target;      /* `f`, or `f, "a line"`; NULL: steps only */
    uint64_t target_at; /* steps of the core when it comes there */
} Move;

/* The moves of the reduction's schedule, up to where the calm way begins: a
 * list of Move; the caller unrefs it.  NULL with an error. */
GArray *replica_moves_list(Trial *trial, const Reduction *reduction,
                           GError **error);

/* Find words for where the moves end. */
bool replica_moves_name(Trial *trial, const Reduction *reduction,
                        GArray *moves, GError **error);

/* The body of schedule(), two blanks before each line; with `words`, and not
 * with steps only.  NULL with an error if a move cannot be said. */
char *replica_moves_print(const Trial *trial, const GArray *moves, bool words,
                          GError **error);

#define REPLICA_ERROR replica_error_quark()
GQuark replica_error_quark(void);
typedef enum ReplicaError {
    REPLICA_ERROR_UNSAID, /* the schedule needs what schedule() cannot say */
} ReplicaError;

#endif
