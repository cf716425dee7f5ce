/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * campaign_sight -- what a run showed, as cheaply as it can be said.
 *
 * Most runs show nothing, and a look at the claims says so.  Of those that end
 * in a livelock most go round in a loop that was seen before; to name it, the
 * machine is driven round once more (identity.h), which costs as much as a
 * run.  So names are kept by where the cores stand in the loop, and by all else
 * that they are made of.
 *
 * Layer 11; a part of campaign_worker.
 */
#ifndef EMU_CAMPAIGN_CAMPAIGN_SIGHT_H
#define EMU_CAMPAIGN_CAMPAIGN_SIGHT_H

#include "base/base.h"
#include "check/identity.h"

/* The names of one trial's loops. */
typedef struct CampaignSight CampaignSight;

CampaignSight *campaign_sight_new(void);
void campaign_sight_free(CampaignSight *sight);

/*
 * What the run that was just made showed: a list of Identity, the primary one
 * first; NULL if it showed nothing.  Claims that were decided along with
 * something graver are left out: they say the same in the scenario's words.
 * The caller unrefs it.
 */
GPtrArray *campaign_sight_list(CampaignSight *sight, Trial *trial,
                               const RunRecord *record);

/* Did the run show nothing but what some `possible` or `certain` asks for? */
bool campaign_sight_expected(const Trial *trial);

#endif
