/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "campaign/campaign_sight.h"

#include "base/digest.h"

/* Loops whose names are kept; a campaign that finds more pays for them. */
#define LOOPS_MAX 100000u

struct CampaignSight {
    GHashTable *loops; /* GPtrArray of Identity by digest: looked up only */
};

static void
free_list(void *list)
{
    g_ptr_array_unref(list);
}

CampaignSight *
campaign_sight_new(void)
{
    CampaignSight *sight = g_new(CampaignSight, 1);

    sight->loops = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                         free_list);
    return sight;
}

void
campaign_sight_free(CampaignSight *sight)
{
    if (sight == NULL)
        return;
    g_hash_table_unref(sight->loops);
    g_free(sight);
}

/* Is a claim, written or implied, decided against the run or for a
 * `possible`?  Then the run has a name. */
static bool
showed_something(const Trial *trial, const RunRecord *record)
{
    unsigned breaches;

    if (record->verdict.kind != VERDICT_DONE &&
        record->verdict.kind != VERDICT_BUDGET)
        return true;
    probe_breaches(trial->probe, &breaches);
    if (breaches > 0)
        return true;
    for (guint i = 0; i < trial->claims->len; i++) {
        const Claim *claim = g_ptr_array_index(trial->claims, i);
        bool occurred = probe_occurred(trial->probe, i);

        if (claim->quantifier != CLAIM_REACH &&
            occurred != (claim->quantifier == CLAIM_CERTAIN))
            return true;
    }
    return false;
}

bool
campaign_sight_expected(const Trial *trial)
{
    bool expected = false;

    for (guint i = 0; i < trial->claims->len; i++) {
        const Claim *claim = g_ptr_array_index(trial->claims, i);
        bool occurred = probe_occurred(trial->probe, i);

        switch (claim->quantifier) {
        case CLAIM_NEVER:
            if (occurred)
                return false;
            break;
        case CLAIM_CERTAIN:
            if (!occurred)
                return false;
            expected = true;
            break;
        case CLAIM_POSSIBLE:
            expected = expected || occurred;
            break;
        case CLAIM_REACH:
            break;
        }
    }
    return expected;
}

/* All that the names of a livelock's run are made of. */
static uint64_t
digest_loop(const Trial *trial, const RunRecord *record)
{
    const RunStories *stories = run_stories(trial->run);
    const Breach *breaches;
    Digest digest;
    unsigned count;

    digest_init(&digest);
    digest_u64(&digest, record->verdict.loop_stand);
    digest_u64(&digest, record->verdict.loop_rounds);
    digest_u64(&digest, record->verdict.loop_steps);
    digest_u64(&digest, stories->waiting);
    digest_u64(&digest, stories->finished);
    breaches = probe_breaches(trial->probe, &count);
    for (unsigned i = 0; i < count; i++) {
        digest_bytes(&digest, breaches[i].rule, strlen(breaches[i].rule));
        digest_u64(&digest, breaches[i].moment.rip);
    }
    for (guint i = 0; i < trial->claims->len; i++)
        digest_u64(&digest, probe_occurred(trial->probe, i));
    return digest_value(&digest);
}

static GPtrArray *
list_identities(Trial *trial, const RunRecord *record)
{
    GPtrArray *list = identity_list(trial, record);

    for (guint i = list->len; i > 1; i--) {
        const Identity *identity = g_ptr_array_index(list, i - 1);

        if (identity->kind == IDENTITY_CLAIM)
            g_ptr_array_remove_index(list, i - 1);
    }
    return list;
}

GPtrArray *
campaign_sight_list(CampaignSight *sight, Trial *trial,
                    const RunRecord *record)
{
    GPtrArray *list;
    uint64_t key;

    if (!showed_something(trial, record))
        return NULL;
    if (record->verdict.kind != VERDICT_LIVELOCK)
        return list_identities(trial, record);
    key = digest_loop(trial, record);
    list = g_hash_table_lookup(sight->loops, &key);
    if (list != NULL)
        return g_ptr_array_ref(list);
    list = list_identities(trial, record);
    if (g_hash_table_size(sight->loops) < LOOPS_MAX)
        g_hash_table_insert(sight->loops, g_memdup2(&key, sizeof key),
                            g_ptr_array_ref(list));
    return list;
}
