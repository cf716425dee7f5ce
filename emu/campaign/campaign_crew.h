/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * campaign_crew -- the worker processes of a campaign.
 *
 *      campaign_crew_send()  ──▶ buffer ──▶ socket ──▶ worker
 *      campaign_crew_wait()  ◀── message ◀── socket ◀──
 *                            ◀── a death, and what it was doing
 *
 * Workers ignore the keyboard's signals, which are their campaign's business,
 * and are killed by the kernel when it dies.  One that has something to do,
 * and shows no sign of life for too long, is killed here.  Nothing here blocks
 * but campaign_crew_wait().
 *
 * Layer 11; a part of campaign.
 */
#ifndef EMU_CAMPAIGN_CAMPAIGN_CREW_H
#define EMU_CAMPAIGN_CAMPAIGN_CREW_H

#include "base/base.h"
#include "campaign/campaign_wire.h"
#include "campaign/campaign_worker.h"
#include "search/campaign_store.h"

#define CAMPAIGN_CREW_MAX 256u

/* Instead of a signal: it hung, and was killed for that. */
#define CAMPAIGN_CREW_HUNG (-1)

typedef enum CampaignCrewError {
    CAMPAIGN_CREW_ERROR_PROCESS, /* the host makes no more processes */
} CampaignCrewError;

#define CAMPAIGN_CREW_ERROR campaign_crew_error_quark()
GQuark campaign_crew_error_quark(void);

typedef struct CampaignCrew CampaignCrew;

typedef struct CampaignCrewEvents {
    /* Worker `number` says something. */
    void (*message)(void *user, unsigned number, CampaignWireKind kind,
                    GVariant *message);
    /* It died: of this signal, 0 if it exited, or CAMPAIGN_CREW_HUNG.  The
     * slot is as it left it.  Another is already in its place. */
    void (*died)(void *user, unsigned number, int signal,
                 const CampaignSlot *slot);
    /* Has it something to do? */
    bool (*is_busy)(void *user, unsigned number);
    void *user;
} CampaignCrewEvents;

typedef struct CampaignCrewSetup {
    Check *check;         /* as campaign_worker.h has it */
    uint64_t first_seed;
    unsigned shard, shards;
    unsigned workers;
    uint64_t patience; /* seconds without a sign of life */
    CampaignStore *store; /* which no worker may touch */
} CampaignCrewSetup;

/* NULL with an error if processes cannot be made. */
CampaignCrew *campaign_crew_new(const CampaignCrewSetup *setup,
                                GError **error);
/* Ends the workers. */
void campaign_crew_free(CampaignCrew *crew);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CampaignCrew, campaign_crew_free)

/* Sinks `message`. */
void campaign_crew_send(CampaignCrew *crew, unsigned number,
                        CampaignWireKind kind, GVariant *message);

/* Wait for something to happen, for so long at most, and tell it.  A signal
 * ends the wait.  False with an error if a worker cannot be replaced. */
bool campaign_crew_wait(CampaignCrew *crew, int milliseconds,
                        const CampaignCrewEvents *events, GError **error);

/* Runs made by all workers, those included that they did not report yet. */
uint64_t campaign_crew_runs(const CampaignCrew *crew);

#endif
