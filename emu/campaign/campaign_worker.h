/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * campaign_worker -- the process that makes a campaign's runs.
 *
 * It is told which runs to make, and answers with how they ended, what they
 * showed, and of what is new the first runs that show it.  What a run showed
 * is named by identity.h; a run that showed nothing costs nothing more than
 * itself, and one that shows what is known costs its name.
 *
 * A strategy that searches, instead of drawing each run from its seed, goes on
 * from block to block; what it keeps is sent along with each block, and given
 * to a worker that takes its place.  There can be only one such worker.
 *
 * A worker writes no file but the traces of what it shrank.  It dies with its
 * campaign.  What it is doing stands in a CampaignSlot, memory that it shares
 * with its campaign, for the case that it dies alone.
 *
 * Layer 11.
 */
#ifndef EMU_CAMPAIGN_CAMPAIGN_WORKER_H
#define EMU_CAMPAIGN_CAMPAIGN_WORKER_H

#include "base/base.h"
#include "check/check.h"

/* Written by the worker, read by the campaign, also after the death. */
typedef struct CampaignSlot {
    unsigned case_number; /* 0: it does nothing */
    uint64_t run;         /* that is made, or was shrunk */
    bool shrinks;
    uint64_t runs;        /* made so far */
    uint64_t beats;       /* runs begun, replays of shrinking as well */
} CampaignSlot;

typedef struct CampaignWorkerSetup {
    Check *check;        /* a scenario, and no stages yet */
    uint64_t first_seed; /* of run 0 */
    unsigned shard, shards; /* of a strategy that searches */
    int fd;              /* to the campaign and from it */
    CampaignSlot *slot;
} CampaignWorkerSetup;

/* Serve until the campaign ends; the exit status of the process. */
int campaign_worker_main(const CampaignWorkerSetup *setup);

#endif
