/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storylog_stand -- where a cpu stands when its run is over, in words.
 *
 * Of the calls that it is inside of, the innermost that explains why it gets
 * no further: a wait loop, or a lock that somebody holds.  Without one it is
 * simply where its RIP is.  Layer 7; a part of storylog.
 */
#ifndef EMU_PEOPLE_STORYLOG_STAND_H
#define EMU_PEOPLE_STORYLOG_STAND_H

#include "base/base.h"
#include "people/callstack.h"
#include "people/storylog.h"

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

#endif
