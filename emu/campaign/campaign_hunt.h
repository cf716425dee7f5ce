/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * campaign_hunt -- the bookkeeping of one case of a campaign: which runs are
 * given out, which are done, what they found.
 *
 *      runs      ▓▓▓▓▓▓▓▓▓▓▓▓▒▒▒▒░░░▒▒▒▒░░░░│ not given out yet
 *                            │   │   └ done, but one before it is not
 *                            │   └ given out
 *                            └ committed: all before is in the store
 *
 * Blocks are given out in order and committed in order, whoever is done first.
 * So what a campaign knows after n runs is the same for one worker and for
 * many, and to go on after an interruption it needs one number.
 *
 * The first CAMPAIGN_WITNESSES runs that show an identity are its witnesses.
 * They are shrunk, by workers too, and become findings in order: one whose
 * shrunk schedule has the shape of an earlier one is none.
 *
 * Layer 11; a part of campaign.
 */
#ifndef EMU_CAMPAIGN_CAMPAIGN_HUNT_H
#define EMU_CAMPAIGN_CAMPAIGN_HUNT_H

#include "base/base.h"
#include "script/scenario.h"
#include "search/campaign_store.h"

/* Identities of a campaign; what is beyond is counted by verdict only. */
#define CAMPAIGN_HUNT_IDENTITIES_MAX 1000u

typedef enum CampaignHuntStage {
    CAMPAIGN_HUNT_WAITING, /* for a worker */
    CAMPAIGN_HUNT_GIVEN,
    CAMPAIGN_HUNT_DONE,
} CampaignHuntStage;

/* Some runs: the ordinal-th of this shard, and those after it. */
typedef struct CampaignHuntBlock {
    CampaignHuntStage stage;
    uint64_t ordinal, count;
    GVariant *result; /* of a CAMPAIGN_WIRE_RAN; NULL: its worker died */
    char *death;      /* how, then */
} CampaignHuntBlock;

/* A witness on its way to being a finding. */
typedef struct CampaignHuntWitness {
    CampaignHuntStage stage;
    CampaignWitness *row;
    unsigned deaths; /* of workers that shrank it */
} CampaignHuntWitness;

typedef struct CampaignHuntIdentity {
    CampaignIdentity data;
    unsigned witnesses;
    bool known; /* that there are enough was told */
    GPtrArray *shapes; /* char *: of its findings */
} CampaignHuntIdentity;

typedef struct CampaignHunt {
    const ScenarioCase *item; /* borrowed */
    CampaignStore *store;     /* borrowed */
    const char *weaken;       /* borrowed; or NULL */
    CampaignKey key;
    uint64_t campaign;   /* its number in the store */
    uint64_t limit;      /* runs of this shard at most */
    uint64_t given;      /* ordinals below were given out, or wait again */
    uint64_t committed;  /* ordinals below are in the store */
    GQueue blocks;       /* CampaignHuntBlock, from `committed` on */
    GQueue witnesses;    /* CampaignHuntWitness, in order */
    GHashTable *by_key;  /* CampaignHuntIdentity: looked up only */
    GPtrArray *identities; /* the same, in the order of their coming */
    unsigned findings;
    uint64_t steps;      /* of the committed runs */
    uint64_t budget_runs; /* that came to no end */
    char *state;         /* what its strategy keeps, or NULL */
    uint64_t suspect;    /* a run whose worker was killed; or UINT64_MAX */
} CampaignHunt;

/* What is told as it becomes known. */
typedef struct CampaignHuntEvents {
    /* Of this identity no more witnesses are wanted. */
    void (*known)(void *user, CampaignHunt *hunt, const char *key);
    /* It is on disk. */
    void (*found)(void *user, CampaignHunt *hunt,
                  const CampaignIdentity *identity,
                  const CampaignWitness *witness);
    void *user;
} CampaignHuntEvents;

typedef enum CampaignHuntError {
    CAMPAIGN_HUNT_ERROR_OTHER, /* the store is of another search */
} CampaignHuntError;

#define CAMPAIGN_HUNT_ERROR campaign_hunt_error_quark()
GQuark campaign_hunt_error_quark(void);

/* Does a seed mean the same run in both?  Else an error that says what is
 * different. */
bool campaign_hunt_is_same(const CampaignKey *ours, const CampaignKey *theirs,
                           GError **error);

/* A new campaign in the store. `key` is copied. */
CampaignHunt *campaign_hunt_new(CampaignStore *store, const ScenarioCase *item,
                                const CampaignKey *key, GError **error);
/* Go on with one that the store has; its key must be `key`. */
CampaignHunt *campaign_hunt_resume(CampaignStore *store, uint64_t campaign,
                                   const ScenarioCase *item,
                                   const CampaignKey *key, GError **error);
void campaign_hunt_free(CampaignHunt *hunt);

/* The number of a run, from 0, of all shards together. */
uint64_t campaign_hunt_run(const CampaignHunt *hunt, uint64_t ordinal);

/* The command that makes it again, with nothing left out; the caller frees. */
char *campaign_hunt_replay(const CampaignHunt *hunt, uint64_t run);

/* Runs for a worker, `wanted` of them at most; NULL if there are no more. */
CampaignHuntBlock *campaign_hunt_give(CampaignHunt *hunt, uint64_t wanted);
/* A witness that is to be shrunk, or NULL. */
CampaignHuntWitness *campaign_hunt_give_witness(CampaignHunt *hunt);

/* The worker that made these runs died in number `run`, which is left out
 * from now on; the others wait again. */
void campaign_hunt_cut(CampaignHunt *hunt, CampaignHuntBlock *block,
                       uint64_t run, const char *death);

/* Write down what is done. */
bool campaign_hunt_commit(CampaignHunt *hunt, const CampaignHuntEvents *events,
                          GError **error);

/* Is there nothing left to do?  With `stopping`, but for what was begun. */
bool campaign_hunt_is_over(const CampaignHunt *hunt, bool stopping);

/* --- For the files that are it -------------------------------------------- */

/* A hunt with nothing done. */
CampaignHunt *campaign_hunt_make(CampaignStore *store,
                                 const ScenarioCase *item,
                                 const CampaignKey *key);
/* The identity of this key, counted; NULL if it is new and one too many. */
CampaignHuntIdentity *campaign_hunt_count(CampaignHunt *hunt,
                                          const CampaignIdentity *seen);
bool campaign_hunt_has_shape(const CampaignHuntIdentity *identity,
                             const char *shape);

#endif
