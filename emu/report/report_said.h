/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_said -- what all reports say of a finding, in the same words.
 *
 * The caller frees every text.  Layer 8; a part of report.
 */
#ifndef EMU_REPORT_REPORT_SAID_H
#define EMU_REPORT_REPORT_SAID_H

#include "base/base.h"
#include "report/finding.h"

/* What came of the run: "livelock: cpu0 spins on a, held by cpu1". */
char *report_said_verdict(const Finding *finding, const StoryRecord *record);

/* "never (stuck)  -- this run breaks it"; the finding must have a claim. */
char *report_said_claim(const Finding *finding);

/* "in spin_lock, spinlock.c:34, spins on b", or "at rest". */
char *report_said_stand(const StoryStand *stand);

/* "cpu0 for cpu1, cpu1 for cpu0", or NULL if nobody waits for anybody. */
char *report_said_waits(const StoryRecord *record);

/* Of a BREACH or MOMENT: "step 12, cpu1: what was so, in f, f.c:3". */
char *report_said_aside(const StoryEvent *event);

#endif
