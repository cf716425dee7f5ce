/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shrink -- the shortest schedule that still shows the finding.
 *
 * Candidates are played, one run each, and the first that shows the same
 * finding is taken and made smaller again, until nothing works any more:
 *
 *      the calm way alone; the turns without anything that is held
 *      the shortest beginning of the turns, the calm way after it
 *      turns without a chunk, of half, a quarter, ... one      (ddmin)
 *      two turns of one core as one, the earlier or the later  (Tinertia)
 *      a turn that ends where its core stops by itself, or sooner
 *      less that is held: stores, then messages; no late load; choose() gives 1
 *
 * The result is 1-minimal: without any one of its turns, with any one span of
 * holding lifted, any one late load in time, or any one choose() giving 1, it
 * does not show the finding.
 *
 * Zeller and Hildebrandt, Simplifying and isolating failure-inducing input,
 * TSE 2002; Choi and Zeller, Isolating failure-inducing thread schedules, ISSTA
 * 2002; Jalbert and Sen, A trace simplification technique for effective
 * debugging of concurrent programs, FSE 2010.
 *
 * Layer 6.
 */
#ifndef EMU_SEARCH_SHRINK_H
#define EMU_SEARCH_SHRINK_H

#include "base/base.h"
#include "choose/schedule.h"

typedef struct ShrinkSetup {
    /* Play it: `same` if it shows the same finding.  False with an error if it
     * cannot be played at all. */
    bool (*play)(void *user, const Schedule *candidate, bool *same,
                 GError **error);
    void *user;
    unsigned replays_max; /* then give up with what there is; 0: never */
    unsigned polish_max;  /* then try only what 1-minimality needs, not two
                             turns at a time nor where a turn could end sooner;
                             0: never */
} ShrinkSetup;

typedef struct ShrinkReport {
    unsigned replays;
    bool shows;   /* the schedule that was given shows the finding */
    bool minimal; /* the result is 1-minimal, as above */
} ShrinkReport;

/*
 * Shrink `schedule` in place.  If it does not show the finding itself it is
 * left alone, and report->shows is false.  False with the player's error.
 */
bool shrink_schedule(Schedule *schedule, const ShrinkSetup *setup,
                     ShrinkReport *report, GError **error);

#endif
