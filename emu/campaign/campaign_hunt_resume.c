/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "campaign/campaign_hunt.h"

/* --- Is it the same search? ----------------------------------------------- */

static bool
differs(const char *what, const char *ours, const char *theirs,
        GError **error)
{
    if (g_strcmp0(ours, theirs) == 0)
        return false;
    g_set_error(error, CAMPAIGN_HUNT_ERROR, CAMPAIGN_HUNT_ERROR_OTHER,
                "the store has another %s (%s, and not %s): begin a new one, "
                "without --resume or with another --store",
                what, theirs != NULL ? theirs : "default",
                ours != NULL ? ours : "default");
    return true;
}

static bool
number_differs(const char *what, uint64_t ours, uint64_t theirs,
               GError **error)
{
    g_autofree char *us = g_strdup_printf("%" PRIu64, ours);
    g_autofree char *them = g_strdup_printf("%" PRIu64, theirs);

    return differs(what, us, them, error);
}

static bool
digest_differs(const char *what, uint64_t ours, uint64_t theirs,
               GError **error)
{
    g_autofree char *us = g_strdup_printf("%016" PRIx64, ours);
    g_autofree char *them = g_strdup_printf("%016" PRIx64, theirs);

    return differs(what, us, them, error);
}

bool
campaign_hunt_is_same(const CampaignKey *ours, const CampaignKey *theirs,
                      GError **error)
{
    return !number_differs("case", ours->case_number, theirs->case_number,
                           error) &&
           !digest_differs("scenario text", ours->source, theirs->source,
                           error) &&
           !differs("--ipiq", ours->ipiq, theirs->ipiq, error) &&
           !digest_differs("guest image or --weaken", ours->image,
                           theirs->image, error) &&
           !differs("--strategy", ours->strategy, theirs->strategy, error) &&
           !differs("--memory", ours->memory, theirs->memory, error) &&
           !number_differs("--seed", ours->first_seed, theirs->first_seed,
                           error) &&
           !number_differs("--steps", ours->steps_max, theirs->steps_max,
                           error);
}

/* --- What is known -------------------------------------------------------- */

static bool
load_runs(CampaignHunt *hunt, GError **error)
{
    g_autoptr(GArray) runs =
        campaign_store_runs(hunt->store, hunt->campaign, error);
    const CampaignRuns *done;

    if (runs == NULL)
        return false;
    if (runs->len == 0)
        return true;
    done = &g_array_index(runs, CampaignRuns, 0);
    if (runs->len == 1 && done->first == hunt->key.shard - 1 &&
        done->stride == hunt->key.shards) {
        hunt->given = hunt->committed = done->count;
        return true;
    }
    g_set_error(error, CAMPAIGN_HUNT_ERROR, CAMPAIGN_HUNT_ERROR_OTHER,
                "the store does not say which runs were made: it is damaged");
    return false;
}

static bool
was_merged(const CampaignKey *theirs, GError **error)
{
    if (theirs->shard != 0)
        return false;
    g_set_error(error, CAMPAIGN_HUNT_ERROR, CAMPAIGN_HUNT_ERROR_OTHER,
                "the store is a merge of shards: resume each shard, and merge "
                "again");
    return true;
}

static bool
load_identities(CampaignHunt *hunt, GError **error)
{
    g_autoptr(GPtrArray) list =
        campaign_store_identities(hunt->store, hunt->campaign, error);

    for (guint i = 0; list != NULL && i < list->len; i++)
        campaign_hunt_count(hunt, g_ptr_array_index(list, i));
    return list != NULL;
}

/* Takes `row`. */
static void
load_witness(CampaignHunt *hunt, CampaignWitness *row)
{
    CampaignHuntIdentity *identity =
        g_hash_table_lookup(hunt->by_key, row->identity);
    CampaignHuntWitness *witness;

    if (identity == NULL) { /* of a damaged store; it tells nothing */
        campaign_witness_free(row);
        return;
    }
    identity->witnesses++;
    if (row->shape != NULL) {
        if (!campaign_hunt_has_shape(identity, row->shape)) {
            g_ptr_array_add(identity->shapes, g_strdup(row->shape));
            hunt->findings++;
        }
        campaign_witness_free(row);
        return;
    }
    witness = g_new0(CampaignHuntWitness, 1);
    witness->row = row;
    g_queue_push_tail(&hunt->witnesses, witness);
}

static bool
load_witnesses(CampaignHunt *hunt, GError **error)
{
    g_autoptr(GPtrArray) list = campaign_store_witnesses(
        hunt->store, hunt->campaign, false, error);

    if (list == NULL)
        return false;
    g_ptr_array_set_free_func(list, NULL);
    for (guint i = 0; i < list->len; i++)
        load_witness(hunt, g_ptr_array_index(list, i));
    return true;
}

static bool
load_tallies(CampaignHunt *hunt, GError **error)
{
    g_autoptr(GPtrArray) list =
        campaign_store_tallies(hunt->store, hunt->campaign, error);

    for (guint i = 0; list != NULL && i < list->len; i++) {
        const CampaignTally *tally = g_ptr_array_index(list, i);

        hunt->steps += tally->steps;
        if (g_str_equal(tally->verdict, "budget"))
            hunt->budget_runs += tally->runs;
    }
    return list != NULL;
}

CampaignHunt *
campaign_hunt_resume(CampaignStore *store, uint64_t campaign,
                     const ScenarioCase *item, const CampaignKey *key,
                     GError **error)
{
    CampaignHunt *hunt = campaign_hunt_make(store, item, key);
    CampaignKey theirs = {0};
    bool ok;

    hunt->campaign = campaign;
    ok = campaign_store_key(store, campaign, &theirs, error) &&
         campaign_hunt_is_same(key, &theirs, error) &&
         !was_merged(&theirs, error) &&
         !number_differs("shard", key->shard, theirs.shard, error) &&
         !number_differs("number of shards", key->shards, theirs.shards,
                         error) &&
         load_runs(hunt, error) && load_identities(hunt, error) &&
         load_witnesses(hunt, error) && load_tallies(hunt, error) &&
         campaign_store_state_of(store, campaign, CAMPAIGN_STATE_STRATEGY,
                                 &hunt->state, error);
    campaign_key_clear(&theirs);
    if (ok)
        return hunt;
    campaign_hunt_free(hunt);
    return NULL;
}
