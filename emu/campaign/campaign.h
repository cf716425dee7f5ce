/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * campaign -- `heddle explore`: the runs of a scenario's cases, made by worker
 * processes, and what they find, kept in a store.
 *
 *      Campaign ──▶ crew ══▶ workers        make runs, shrink
 *         │  ▲                  │
 *         │  └── results ◀──────┘
 *         ▼
 *      hunts, one a case ──▶ CampaignStore ──▶ told
 *
 * Only the campaign writes the store, and what it tells is there already.  The
 * store is a function of the runs that were made: not of the number of
 * workers, nor of interruptions, nor of how long anything took.
 *
 * A worker that dies is a finding about heddle: the run is left out and the
 * campaign goes on.  One that was killed from outside gets its run back, once.
 *
 * Layer 11.
 */
#ifndef EMU_CAMPAIGN_CAMPAIGN_H
#define EMU_CAMPAIGN_CAMPAIGN_H

#include "base/base.h"
#include "campaign/campaign_hunt.h"
#include "check/trial.h"

typedef struct CampaignOptions {
    TrialOptions check;     /* runs are CampaignOptions.runs */
    unsigned case_number;   /* 0: all */
    unsigned jobs;          /* workers, at least 1 */
    unsigned shard, shards; /* this is one of so many, from 1 */
    uint64_t runs;          /* of a case, of all shards; 0: no limit */
    uint64_t seconds;       /* of all cases together; 0: no limit */
    uint64_t patience;      /* seconds without a sign of life; 0: the default */
    const char *store;      /* a file; NULL: the default */
    const char *folder;     /* of the default, and of traces without another */
    bool resume;
} CampaignOptions;

typedef struct CampaignProgress {
    uint64_t runs;       /* in all, earlier sessions included */
    uint64_t per_second; /* lately */
    uint64_t findings;
    uint64_t coverage;
    uint64_t quiet_seconds; /* since something new was found */
    const ScenarioCase *item; /* that is searched at the moment */
} CampaignProgress;

typedef struct CampaignEvents {
    void (*found)(void *user, const CampaignHunt *hunt,
                  const CampaignIdentity *identity,
                  const CampaignWitness *witness);
    /* At least once a second. */
    void (*progress)(void *user, const CampaignProgress *progress);
    /* A line about workers that died. */
    void (*notice)(void *user, const char *text);
    void *user;
} CampaignEvents;

typedef enum CampaignError {
    CAMPAIGN_ERROR_STORE,  /* it is there already, or of something else */
    CAMPAIGN_ERROR_SCENARIO, /* has nothing that runs could search */
    CAMPAIGN_ERROR_WORKER, /* told what is wrong, or they keep dying */
} CampaignError;

#define CAMPAIGN_ERROR campaign_error_quark()
GQuark campaign_error_quark(void);

typedef struct Campaign Campaign;

/* Load the scenario and open the store; `options` is copied. */
Campaign *campaign_new(const char *path, const CampaignOptions *options,
                       GError **error);
void campaign_free(Campaign *campaign);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Campaign, campaign_free)

/*
 * Search until the limits, or the first SIGINT or SIGTERM; what was begun is
 * finished then.  The second SIGINT ends the process at once.
 */
bool campaign_run(Campaign *campaign, const CampaignEvents *events,
                  GError **error);

/* Elements are CampaignHunt *, by case. */
const GPtrArray *campaign_hunts(const Campaign *campaign);
const Scenario *campaign_scenario(const Campaign *campaign);
CampaignStore *campaign_store(const Campaign *campaign);
const char *campaign_store_path(const Campaign *campaign);
/* A store that was in the way and was renamed, or NULL. */
const char *campaign_moved(const Campaign *campaign);
/* Were there runs in the store already? */
bool campaign_resumed(const Campaign *campaign);
/* Did a signal end it? */
bool campaign_interrupted(const Campaign *campaign);

#endif
