/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storylog_stores -- which buffered stores mattered in a run.
 *
 * A store that lingers in a buffer is worth a line only if somebody missed
 * it: another core read the same bytes meanwhile, and got what was there
 * before.  So memory under lingering stores is watched, and two things are
 * told: the reading that missed the store, and the store when it comes.
 *
 *      cpu0   misses gd(1).gd_npoll = 0, which cpu1 has stored at ipiq.c:387
 *      cpu1   visible: gd(1).gd_npoll = 0
 *
 * Layer 7; a part of storylog.
 */
#ifndef EMU_PEOPLE_STORYLOG_STORES_H
#define EMU_PEOPLE_STORYLOG_STORES_H

#include "base/base.h"
#include "people/storylog.h"

typedef struct StoryLogStores StoryLogStores;

StoryLogStores *storylog_stores_new(const StoryLogSetup *setup);
/* Memory is watched no longer. */
void storylog_stores_free(StoryLogStores *stores);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoryLogStores, storylog_stores_free)

/* Core `stepping` is about to go on, and the stores of others linger. */
void storylog_stores_linger(StoryLogStores *stores, unsigned stepping);

/* Core `cpu` accesses these bytes.  What it misses for the first time, as
 * text for the caller to free; or NULL. */
char *storylog_stores_access(StoryLogStores *stores, unsigned cpu,
                             gpa_t physical, const InsnAccess *access);

/* Store `index` of core `cpu` becomes visible.  As text, if somebody missed
 * it; or NULL. */
char *storylog_stores_drain(StoryLogStores *stores, unsigned cpu,
                            unsigned index);

#endif
