/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * campaign_store -- what campaigns found, on disk.
 *
 *      campaign  what is searched: scenario, case, image, strategy, ...
 *        done      which of its runs were made
 *        tally     how they ended
 *        identity  what was found: verdict and place, and how often
 *          witness   the runs with the lowest numbers that show it, shrunk
 *        state     what a strategy wants to keep: a corpus, a frontier
 *
 * Run i of a campaign has the seed first_seed + i.  Of the witnesses of an
 * identity the CAMPAIGN_WITNESSES with the lowest runs are kept, and of those
 * whose shrunk schedules have one shape only the first is a finding (the view
 * `finding`).  So the findings are a function of the set of runs, however the
 * runs were shared out, and a merge is a union.
 *
 * doc/SEARCH.md documents the tables for people.  Layer 6.
 */
#ifndef EMU_SEARCH_CAMPAIGN_STORE_H
#define EMU_SEARCH_CAMPAIGN_STORE_H

#include "base/base.h"

/* Kept and shrunk of each identity. */
#define CAMPAIGN_WITNESSES 3u

/* Names of states. */
#define CAMPAIGN_STATE_STRATEGY "strategy" /* all it needs to go on */
#define CAMPAIGN_STATE_PROMISE "promise"   /* what its runs are worth */

typedef struct CampaignStore CampaignStore;

/* What a campaign searches. */
typedef struct CampaignKey {
    char *scenario;  /* the file, absolute */
    uint64_t source; /* a digest of its text */
    unsigned case_number;
    char *title;     /* of the case */
    char *ipiq;      /* as it was asked for, or NULL */
    uint64_t image;  /* digest of the guest image */
    char *strategy;
    char *memory;
    uint64_t first_seed;
    uint64_t steps_max; /* of a run */
    unsigned shard, shards; /* this is one of so many, from 1; 0: merged */
} CampaignKey;

void campaign_key_clear(CampaignKey *key);
CampaignKey campaign_key_copy(const CampaignKey *key);

/* A progression of runs: first, first + stride, ... */
typedef struct CampaignRuns {
    uint64_t first, stride, count;
} CampaignRuns;

typedef struct CampaignTally {
    char *verdict;
    uint64_t runs, steps;
} CampaignTally;

typedef struct CampaignIdentity {
    char *key;       /* what is compared */
    char *verdict;
    char *place;     /* in words */
    bool expected;   /* it shows a `possible` */
    uint64_t count;  /* runs that showed it */
    uint64_t first;  /* the first of them */
} CampaignIdentity;

typedef struct CampaignWitness {
    char *identity;  /* its key */
    uint64_t run, seed;
    char *tape;      /* as it happened */
    /* The rest is known when it was shrunk, and NULL and 0 before. */
    uint64_t digest; /* as it happened */
    char *replay;    /* the command that makes it again ... */
    char *trace;     /* ... and the file */
    char *shape;     /* schedule_shape() of the shrunk run */
    char *shrunk;    /* its tape */
    char *shrunk_trace, *lua; /* files, or NULL */
    char *where, *story;      /* where all stand in it, and its report */
} CampaignWitness;

void campaign_identity_free(CampaignIdentity *identity);
void campaign_witness_free(CampaignWitness *witness);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CampaignWitness, campaign_witness_free)

/* --- Life ----------------------------------------------------------------- */

CampaignStore *campaign_store_open(const char *path, bool write,
                                   GError **error);
void campaign_store_close(CampaignStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CampaignStore, campaign_store_close)
/* In a child after fork(), which must not use it otherwise. */
void campaign_store_leave(CampaignStore *store);

/* The numbers of its campaigns, from 1. */
unsigned campaign_store_count(CampaignStore *store, GError **error);

typedef bool CampaignMatch(const CampaignKey *key, const void *wanted);

/* The last campaign that matches; 0 if none does, -1 with an error. */
int64_t campaign_store_find(CampaignStore *store, CampaignMatch *match,
                            const void *wanted, GError **error);

/* Everything between is on disk when _commit() returns, or nothing is. */
bool campaign_store_begin(CampaignStore *store, GError **error);
bool campaign_store_commit(CampaignStore *store, GError **error);
void campaign_store_roll_back(CampaignStore *store);

/* --- Writing, between begin and commit ------------------------------------ */

bool campaign_store_add(CampaignStore *store, const CampaignKey *key,
                        uint64_t *campaign, GError **error);
/* Runs that were made; those that go on where a progression ends extend it. */
bool campaign_store_done(CampaignStore *store, uint64_t campaign,
                         const CampaignRuns *runs, GError **error);
/* Adds to what is there. */
bool campaign_store_tally(CampaignStore *store, uint64_t campaign,
                          const CampaignTally *tally, GError **error);
bool campaign_store_identity(CampaignStore *store, uint64_t campaign,
                             const CampaignIdentity *identity,
                             GError **error);
/* New, or in place of what was known of that run and identity. */
bool campaign_store_witness(CampaignStore *store, uint64_t campaign,
                            const CampaignWitness *witness, GError **error);
bool campaign_store_state(CampaignStore *store, uint64_t campaign,
                          const char *name, const char *value,
                          GError **error);
/* Of each identity keep the first CAMPAIGN_WITNESSES witnesses. */
bool campaign_store_trim(CampaignStore *store, uint64_t campaign,
                         GError **error);

/* --- Reading -------------------------------------------------------------- */

bool campaign_store_key(CampaignStore *store, uint64_t campaign,
                        CampaignKey *key, GError **error);
/* Elements are CampaignRuns, in order of their first run. */
GArray *campaign_store_runs(CampaignStore *store, uint64_t campaign,
                            GError **error);
/* Elements are CampaignTally *, by verdict. */
GPtrArray *campaign_store_tallies(CampaignStore *store, uint64_t campaign,
                                  GError **error);
/* Elements are CampaignIdentity *, by key. */
GPtrArray *campaign_store_identities(CampaignStore *store, uint64_t campaign,
                                     GError **error);
/* Elements are CampaignWitness *, by run, then identity.  With
 * `findings_only` those that are findings. */
GPtrArray *campaign_store_witnesses(CampaignStore *store, uint64_t campaign,
                                    bool findings_only, GError **error);
/* *value is NULL if nothing of that name was kept. */
bool campaign_store_state_of(CampaignStore *store, uint64_t campaign,
                             const char *name, char **value, GError **error);

#endif
