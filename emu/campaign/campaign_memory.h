/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * campaign_memory -- what a strategy keeps from run to run, as text for the
 * store.
 *
 *      draws each run from its seed   nothing
 *      searches (bounded)             its frontier: needed to go on
 *      remembers (fuzz)               its corpus: good to have, can be joined
 *
 * Layer 11; a part of campaign_worker.
 */
#ifndef EMU_CAMPAIGN_CAMPAIGN_MEMORY_H
#define EMU_CAMPAIGN_CAMPAIGN_MEMORY_H

#include "base/base.h"
#include "choose/strategy.h"

/* Can a run be made again only from its tape? */
bool campaign_memory_is_needed(const Strategy *strategy);

/* The caller frees it; NULL: nothing. */
char *campaign_memory_print(const Strategy *strategy);

/* Go on from what was printed; the strategy made no runs yet. */
bool campaign_memory_restore(Strategy *strategy, const char *text,
                             GError **error);

/* Remember also what another worker does. */
bool campaign_memory_join(Strategy *strategy, const char *text,
                          GError **error);

/* How much its runs have reached; 0 of those who do not count. */
uint64_t campaign_memory_reached(const Strategy *strategy);

#endif
