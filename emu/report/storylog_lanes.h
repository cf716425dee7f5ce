/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storylog_lanes -- what lasts in a run: how full the FIFOs and the store
 * buffers are, which stores linger, and who misses them.
 *
 *      FIFO 0 -> 1   0 1 2 3 3 3 2 1 0        lanes: a value at any step
 *      buffer cpu1   0 1 1 1 1 0 0 0 0
 *      store               |------|           retired, visible
 *
 * It looks whenever something is told or another core goes on, and notes what
 * has changed since it last looked.  Between two looks only one core ran, so
 * what came and went there nobody else could have met.
 *
 * A store that lingers is worth a line only if somebody missed it: another
 * core read the same bytes meanwhile, and got what was there before.  So memory
 * under lingering stores is watched, and three things are told:
 *
 *      cpu1   buffers gd(1).gd_npoll = 0
 *      cpu0   misses gd(1).gd_npoll = 0, stored at ipiq.c:387 of cpu1
 *      cpu1   visible: gd(1).gd_npoll = 0
 *
 * Layer 8; a part of storylog.
 */
#ifndef EMU_REPORT_STORYLOG_LANES_H
#define EMU_REPORT_STORYLOG_LANES_H

#include "base/base.h"
#include "report/storylog.h"

typedef struct StoryLogLanes StoryLogLanes;

/* Lanes of all FIFOs and buffers are added to `record`, which must outlive
 * this, as must `setup`. */
StoryLogLanes *storylog_lanes_new(const StoryLogSetup *setup,
                                  StoryRecord *record);
/* Memory is watched no longer. */
void storylog_lanes_free(StoryLogLanes *lanes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoryLogLanes, storylog_lanes_free)

/* Look, at this step. */
void storylog_lanes_look(StoryLogLanes *lanes, uint64_t step);

/* Look, before core `stepping` goes on, and watch what lingers of others. */
void storylog_lanes_step(StoryLogLanes *lanes, unsigned stepping,
                         uint64_t step);

/* Core `event->cpu` reads these bytes.  If it misses a store for the first
 * time, which that is goes into the event; as text, for the caller to free, or
 * NULL. */
char *storylog_lanes_read(StoryLogLanes *lanes, gpa_t physical, uint64_t size,
                          StoryEvent *event);

/* Store `index` of core `event->cpu` is about to become visible.  If somebody
 * missed it, as above; or NULL. */
char *storylog_lanes_drain(StoryLogLanes *lanes, unsigned index,
                           StoryEvent *event);

#endif
