/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * director -- full manual control of a run: an interface, implemented above
 * by scripts.
 *
 * A case with a schedule() says itself what happens next, one command after the
 * other, until schedule() returns; then holds are lifted and the strategy goes
 * on.  Nothing happens that it does not command: buffered stores stay buffered
 * but for fences and a full buffer.  What a director commands is recorded on
 * the tape like any other decision, so that replay needs no director.
 *
 * Layer 5.
 */
#ifndef EMU_CHOOSE_DIRECTOR_H
#define EMU_CHOOSE_DIRECTOR_H

#include "base/base.h"
#include "watch/point.h"

typedef enum DirectorKind {
    DIRECTOR_STEP,        /* `cpu` executes `count` steps */
    DIRECTOR_RUN_TO,      /* `cpu` executes until it stands at `point` */
    DIRECTOR_RUN_HELD,    /* `cpu` executes until it stops by itself: waits
                             for a mark, halts, or its story ends */
    DIRECTOR_HOLD,        /* `cpu` does not move until it is released */
    DIRECTOR_RELEASE,
    DIRECTOR_IPI_HOLD,    /* messages to `cpu` stay in flight */
    DIRECTOR_IPI_RELEASE,
    DIRECTOR_IPI_DELIVER, /* the oldest message to `cpu` arrives now */
    DIRECTOR_IPI_DROP,    /* the oldest message to `cpu` is lost (a fault) */
    DIRECTOR_DRAIN,       /* `count` stores of `cpu` become visible, oldest
                             first; 0: all */
    DIRECTOR_DRAIN_ONE,   /* the `count`-th oldest store of `cpu`, from 1,
                             becomes visible, if the memory model lets it */
    DIRECTOR_STORES_HOLD, /* stores of `cpu` stay buffered in FREE */
    DIRECTOR_STORES_RELEASE,
    DIRECTOR_LATE,        /* the next load of `cpu` that can give an older
                             value gives the one from `count` values ago, or
                             the oldest */
    DIRECTOR_WRITE,       /* `count` bytes, at most 8, of memory are written;
                             all see it at once */
    DIRECTOR_FREE,        /* `count` steps as the strategy likes, within the
                             holds */
    DIRECTOR_END,         /* schedule() has returned */
} DirectorKind;

typedef struct DirectorCommand {
    DirectorKind kind;
    unsigned cpu;
    uint64_t count;
    const Point *point; /* of RUN_TO; borrowed until the next command */
    gpa_t physical;     /* of WRITE: where, which is RAM and no code, and
                           what */
    uint64_t value;
    unsigned line;      /* of the scenario, for messages */
} DirectorCommand;

typedef struct Director {
    /* A new run begins. */
    void (*begin)(void *user);
    /*
     * The next command; `done` says whether the one before did what it was
     * to do (RUN_TO reached its point, IPI_DELIVER found a message, DRAIN a
     * store).  False
     * with an error if the script failed.
     */
    bool (*next)(void *user, bool done, DirectorCommand *command,
                 GError **error);
    void *user;
} Director;

#endif
