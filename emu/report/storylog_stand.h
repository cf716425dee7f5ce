/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storylog_stand -- where a cpu stands when its run is over, in words.
 *
 * Of the calls that it is inside of, the innermost that explains why it gets
 * no further: a wait loop, or a lock that somebody holds.  Without one it is
 * simply where its RIP is.  Layer 8; a part of storylog.
 */
#ifndef EMU_REPORT_STORYLOG_STAND_H
#define EMU_REPORT_STORYLOG_STAND_H

#include "base/base.h"
#include "report/callstack.h"
#include "report/storylog.h"

/* A lock that is held. */
typedef struct StoryLogLock {
    uint64_t word; /* its address */
    unsigned cpu;
    uint64_t step; /* of the call that took it */
} StoryLogLock;

/* What the log knows of a cpu; borrowed. */
typedef struct StoryLogMoment {
    unsigned cpu;
    const CallStack *stack;
    const char *awaited; /* a mark, or NULL */
    bool ended;          /* its story did */
    const GArray *locks; /* StoryLogLock */
} StoryLogMoment;

/* "waits for room in its queue to cpu1: 5 of 8"; the caller frees it. */
char *storylog_stand_wait(const StoryLogSetup *setup, unsigned cpu,
                          const CallFrame *frame);

/* Fill record->stands[moment->cpu]. */
void storylog_stand_describe(const StoryLogSetup *setup,
                             const StoryLogMoment *moment, StoryRecord *record);

/* What a list of StoryLogLock has of the lock that this call takes; NULL if it
 * is free, or the call is of another kind. */
const StoryLogLock *storylog_stand_lock(const GArray *locks,
                                        const CallFrame *frame);

/* A list of StoryLogLock: the lock of this call is taken, if it was not; the
 * one at `word` is let go. */
void storylog_stand_locked(GArray *locks, unsigned cpu,
                           const CallFrame *frame);
void storylog_stand_unlocked(GArray *locks, uint64_t word);

/* Give an event its place in the source, by its address. */
void storylog_locate(const StoryLogSetup *setup, StoryRecord *record,
                     StoryEvent *event);

#endif
