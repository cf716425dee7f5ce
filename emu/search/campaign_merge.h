/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * campaign_merge -- the stores of shards become one.
 *
 *      shard 1  ▓ ▓ ▓ ▓ ─┐
 *      shard 2   ▓ ▓ ▓ ▓ ┴─▶  ▓▓▓▓▓▓▓▓  as if one had made all the runs
 *
 * Campaigns that search the same are put together: counts are added up, and of
 * the witnesses those with the lowest runs stay.  Runs that two stores both
 * have made would be counted twice, and are refused.
 *
 * Layer 6.
 */
#ifndef EMU_SEARCH_CAMPAIGN_MERGE_H
#define EMU_SEARCH_CAMPAIGN_MERGE_H

#include "base/base.h"
#include "search/campaign_store.h"

typedef enum CampaignMergeError {
    CAMPAIGN_MERGE_ERROR_TWICE, /* runs that are there already */
} CampaignMergeError;

#define CAMPAIGN_MERGE_ERROR campaign_merge_error_quark()
GQuark campaign_merge_error_quark(void);

/* Add all that `from` has to `into`: all of it, or nothing. */
bool campaign_merge(CampaignStore *into, CampaignStore *from, GError **error);

#endif
