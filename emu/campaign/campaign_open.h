/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * campaign_open -- the store of a campaign: which file, new or resumed, and a
 * hunt for each case.
 *
 * A new campaign never writes over an old one: a store of the default name
 * that is there already is renamed, one that was named is refused.  Layer 11; a
 * part of campaign.
 */
#ifndef EMU_CAMPAIGN_CAMPAIGN_OPEN_H
#define EMU_CAMPAIGN_CAMPAIGN_OPEN_H

#include "base/base.h"
#include "campaign/campaign.h"
#include "check/check.h"

typedef struct CampaignOpened {
    char *path;
    char *moved;      /* what the old store is called now, or NULL */
    CampaignStore *store;
    GPtrArray *hunts; /* CampaignHunt */
    bool resumed;
} CampaignOpened;

bool campaign_open(Check *check, const CampaignOptions *options,
                   CampaignOpened *opened, GError **error);
/* Also after a failure. */
void campaign_open_clear(CampaignOpened *opened);

#endif
