/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storylog_lanes -- what lasts in a run: how full the FIFOs and the store
 * buffers are, and which stores linger.
 *
 *      FIFO 0 -> 1   0 1 2 3 3 3 2 1 0        lanes: a value at any step
 *      buffer cpu1   0 1 1 1 1 0 0 0 0
 *      store               |------|           retired, visible
 *
 * It looks whenever something is told or another core goes on, and notes what
 * has changed since it last looked.  Between two looks only one core ran, so
 * what came and went there nobody else could have met.
 *
 * Layer 7; a part of storylog.
 */
#ifndef EMU_PEOPLE_STORYLOG_LANES_H
#define EMU_PEOPLE_STORYLOG_LANES_H

#include "base/base.h"
#include "people/storylog.h"

typedef struct StoryLogLanes StoryLogLanes;

/* Lanes of all FIFOs and buffers are added to `record`, which must outlive
 * this, as must `setup`. */
StoryLogLanes *storylog_lanes_new(const StoryLogSetup *setup,
                                  StoryRecord *record);
void storylog_lanes_free(StoryLogLanes *lanes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoryLogLanes, storylog_lanes_free)

/* Look, at this step. */
void storylog_lanes_look(StoryLogLanes *lanes, uint64_t step);

/* Core `cpu` reads these bytes: it misses what others have buffered there. */
void storylog_lanes_read(StoryLogLanes *lanes, unsigned cpu, gpa_t physical,
                         uint64_t size);

#endif
