/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * breach -- moments of a run, and house rules that were broken in it.
 *
 * The first BREACHES_KEPT are kept to be told; which rules were broken since
 * somebody looked is a mask, so that none is overlooked.  Layer 4; a value.
 */
#ifndef EMU_WATCH_BREACH_H
#define EMU_WATCH_BREACH_H

#include "base/base.h"

#define BREACHES_KEPT 16u

/* When something was so, and where `cpu` was, whose doing it was. */
typedef struct Moment {
    ticks_t at;
    unsigned cpu;
    gva_t rip;
} Moment;

typedef struct Breach {
    const char *rule;
    Moment moment;
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
