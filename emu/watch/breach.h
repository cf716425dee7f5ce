/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * breach -- house rules that were broken in one run.
 *
 * The first BREACHES_KEPT are kept to be told; which rules were broken since
 * somebody looked is a mask, so that none is overlooked.  Layer 4; a value.
 */
#ifndef EMU_WATCH_BREACH_H
#define EMU_WATCH_BREACH_H

#include "base/base.h"

#define BREACHES_KEPT 16u

typedef struct Breach {
    const char *rule;
    unsigned cpu;
    ticks_t at;
    gva_t rip; /* the place */
} Breach;

typedef struct BreachLog {
    Breach items[BREACHES_KEPT];
    unsigned count;
    uint64_t fresh; /* by index of the rule; whoever has looked clears it */
} BreachLog;

/* Rule number `index` was broken. */
static inline void
breach_add(BreachLog *log, unsigned index, const Breach *breach)
{
    log->fresh |= UINT64_C(1) << index;
    if (log->count < BREACHES_KEPT)
        log->items[log->count++] = *breach;
}

#endif
