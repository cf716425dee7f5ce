/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * campaign_parts -- what a Campaign consists of, for the files that are it.
 *
 * Layer 11; a part of campaign.
 */
#ifndef EMU_CAMPAIGN_CAMPAIGN_PARTS_H
#define EMU_CAMPAIGN_CAMPAIGN_PARTS_H

#include "base/base.h"
#include "campaign/campaign.h"
#include "campaign/campaign_crew.h"
#include "campaign/campaign_open.h"

typedef struct CampaignTask {
    CampaignHunt *hunt;
    CampaignHuntBlock *block;     /* or */
    CampaignHuntWitness *witness;
} CampaignTask;

struct Campaign {
    CampaignOptions options;
    Check *check;
    CampaignOpened opened;
    CampaignCrew *crew;
    const CampaignEvents *events;
    GQueue tasks[CAMPAIGN_CREW_MAX]; /* CampaignTask, in the order of sending */
    uint64_t block_runs[CAMPAIGN_CREW_MAX]; /* that take the right time */
    unsigned turn;        /* the hunt that is searched at the moment */
    uint64_t turn_ends;
    uint64_t began, ends; /* UINT64_MAX: never */
    bool stopping;
    unsigned deaths;      /* since a block was done */
    uint64_t coverage;
    uint64_t runs_before; /* of earlier sessions */
    uint64_t last_new;    /* when something was found */
    uint64_t ticked, runs_ticked;
    GError *error;
};

/* The hunt of this number, in the order of cases. */
CampaignHunt *campaign_hunt_at(const Campaign *campaign, unsigned index);

/* What a crew tells; `user` is the Campaign. */
void campaign_take_message(void *user, unsigned worker, CampaignWireKind kind,
                           GVariant *message);
void campaign_take_death(void *user, unsigned worker, int number,
                         const CampaignSlot *slot);

/* Of this identity the worker need not tell more. */
void campaign_send_known(Campaign *campaign, unsigned worker,
                         const CampaignHunt *hunt, const char *key);
/* A new worker learns what is known. */
void campaign_teach(Campaign *campaign, unsigned worker);

#endif
