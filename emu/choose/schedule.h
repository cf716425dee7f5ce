/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * schedule -- a run as turns that keep their meaning when one is left out.
 *
 * A tape says which of the listed actions was taken; without one of its
 * decisions all later ones mean something else.  A schedule says the same in
 * words: this core goes on to here, then that one to there.  It is relative to
 * the calm way of going on (strategy `calm`):
 *
 *      a turn        core 1 goes on until it has made 812 steps, or until it
 *                    stops by itself: PAUSE, HLT, a mark, the end of its story
 *      between two   stores become visible, messages and timers arrive, but
 *                    for those of the cores that a turn says are held
 *      after all     the running core goes on until it stops by itself, then
 *                    the next that can; what can arrive arrives
 *      meanwhile     no load is late but those in `lates`; choose() gives 1
 *                    but for those in `values`
 *
 * Where a turn ends is a number of steps of that core since the run began.  So
 * a turn that is left out is made up for by the next one of its core, and one
 * that cannot be, since its core stands still, is passed over: every schedule
 * can be played on every machine.
 *
 * Layer 5; a value that owns its arrays.
 */
#ifndef EMU_CHOOSE_SCHEDULE_H
#define EMU_CHOOSE_SCHEDULE_H

#include "base/base.h"
#include "choose/run.h"
#include "choose/strategy.h"
#include "choose/tape.h"

typedef enum TurnKind {
    TURN_RUN,     /* core `cpu` executes */
    TURN_DRAIN,   /* stores of it become visible */
    TURN_DELIVER, /* a message in flight arrives at it */
    TURN_FIRE,    /* its timer ticks */
} TurnKind;

#define TURN_UNTIL_IT_STOPS UINT64_MAX

typedef struct Turn {
    TurnKind kind;
    unsigned cpu;
    uint64_t until;       /* RUN: the core's steps since the run began, or
                             TURN_UNTIL_IT_STOPS */
    unsigned number;      /* DRAIN: of those that may go, DELIVER: of those to
                             `cpu`; 0 is the oldest */
    unsigned count;       /* DRAIN: how many at most */
    uint64_t stores_held; /* after it: cores whose stores stay buffered, ... */
    uint64_t ipis_held;   /* ... cores whose messages and timers wait */
} Turn;

/* A load that gives an old value. */
typedef struct LateLoad {
    unsigned cpu;
    uint64_t at;   /* the core's steps since the run began */
    unsigned back; /* how far back; at least 1 */
} LateLoad;

typedef struct Schedule {
    GArray *turns;  /* Turn */
    GArray *lates;  /* LateLoad, in order of time */
    GArray *values; /* uint64_t, what choose() gave, less one, in order */
} Schedule;

Schedule *schedule_new(void);
Schedule *schedule_copy(const Schedule *schedule);
void schedule_free(Schedule *schedule);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Schedule, schedule_free)

/* As one line of text: "0:812 1:stop ..."; the caller frees it.  Two schedules
 * with one text are equal. */
char *schedule_print(const Schedule *schedule);

/* What schedules that are alike have in common: which cores take turns, and
 * what is held meanwhile, but not for how many steps, nor which core is which
 * ("run0# run1-ipis1"); the caller frees it. */
char *schedule_shape(const Schedule *schedule);

/* Decisions that it takes beyond the calm way: turns, spans of holding, late
 * loads, choose()s that did not give 1. */
unsigned schedule_decisions(const Schedule *schedule);

/* --- From a run ----------------------------------------------------------- */

/* Writes a run down, as it is made. */
typedef struct ScheduleRecorder {
    Machine *machine;
    Schedule *schedule;
    uint64_t begun[CPUS_MAX]; /* steps of the cores before the run */
    Actions actions;
} ScheduleRecorder;

/* Observe with what schedule_recorder_observer() fills; the machine must stand
 * at its base now and outlive the recorder. */
void schedule_recorder_init(ScheduleRecorder *recorder, Machine *machine);
void schedule_recorder_observer(ScheduleRecorder *recorder,
                                RunObserver *observer);
/* The run is over, and this was its tape: the schedule, exactly as it was; the
 * caller frees it. */
Schedule *schedule_recorder_finish(ScheduleRecorder *recorder,
                                   const Tape *tape);

/* --- To a run ------------------------------------------------------------- */

/* The strategy that plays a schedule; both are borrowed.  Without a schedule
 * it is `calm`, and `machine` may be NULL. */
Strategy *schedule_play_new(const Schedule *schedule, Machine *machine);

/* Of a strategy that plays a schedule, when an action is about to be
 * performed: are all turns over, so that this one is the calm way's? */
bool schedule_play_is_over(const Strategy *strategy);


#endif
