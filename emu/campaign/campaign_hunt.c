/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "campaign/campaign_hunt.h"

#include "campaign/campaign_wire.h"

G_DEFINE_QUARK(heddle-campaign-error, campaign_hunt_error)

/* --- Identities ----------------------------------------------------------- */

static void
free_identity(void *data)
{
    CampaignHuntIdentity *identity = data;

    g_free(identity->data.key);
    g_free(identity->data.verdict);
    g_free(identity->data.place);
    g_ptr_array_unref(identity->shapes);
    g_free(identity);
}

CampaignHuntIdentity *
campaign_hunt_count(CampaignHunt *hunt, const CampaignIdentity *seen)
{
    CampaignHuntIdentity *identity =
        g_hash_table_lookup(hunt->by_key, seen->key);

    if (identity != NULL) {
        identity->data.count += seen->count;
        return identity;
    }
    if (hunt->identities->len == CAMPAIGN_HUNT_IDENTITIES_MAX)
        return NULL;
    identity = g_new0(CampaignHuntIdentity, 1);
    identity->data = *seen;
    identity->data.key = g_strdup(seen->key);
    identity->data.verdict = g_strdup(seen->verdict);
    identity->data.place = g_strdup(seen->place);
    identity->shapes = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(hunt->identities, identity);
    g_hash_table_insert(hunt->by_key, identity->data.key, identity);
    return identity;
}

bool
campaign_hunt_has_shape(const CampaignHuntIdentity *identity, const char *shape)
{
    for (guint i = 0; i < identity->shapes->len; i++)
        if (g_str_equal(g_ptr_array_index(identity->shapes, i), shape))
            return true;
    return false;
}

/* --- Life ----------------------------------------------------------------- */

static void
free_block(void *data)
{
    CampaignHuntBlock *block = data;

    g_clear_pointer(&block->result, g_variant_unref);
    g_free(block->death);
    g_free(block);
}

static void
free_witness(void *data)
{
    CampaignHuntWitness *witness = data;

    campaign_witness_free(witness->row);
    g_free(witness);
}

CampaignHunt *
campaign_hunt_make(CampaignStore *store, const ScenarioCase *item,
                   const CampaignKey *key)
{
    CampaignHunt *hunt = g_new0(CampaignHunt, 1);

    hunt->item = item;
    hunt->store = store;
    hunt->key = campaign_key_copy(key);
    hunt->limit = hunt->suspect = UINT64_MAX;
    g_queue_init(&hunt->blocks);
    g_queue_init(&hunt->witnesses);
    hunt->by_key = g_hash_table_new(g_str_hash, g_str_equal);
    hunt->identities = g_ptr_array_new_with_free_func(free_identity);
    return hunt;
}

void
campaign_hunt_free(CampaignHunt *hunt)
{
    if (hunt == NULL)
        return;
    g_queue_clear_full(&hunt->blocks, free_block);
    g_queue_clear_full(&hunt->witnesses, free_witness);
    g_hash_table_unref(hunt->by_key);
    g_ptr_array_unref(hunt->identities);
    campaign_key_clear(&hunt->key);
    g_free(hunt->state);
    g_free(hunt);
}

CampaignHunt *
campaign_hunt_new(CampaignStore *store, const ScenarioCase *item,
                  const CampaignKey *key, GError **error)
{
    CampaignHunt *hunt = campaign_hunt_make(store, item, key);

    if (campaign_store_begin(store, error) &&
        campaign_store_add(store, key, &hunt->campaign, error) &&
        campaign_store_commit(store, error))
        return hunt;
    campaign_store_roll_back(store);
    campaign_hunt_free(hunt);
    return NULL;
}

/* --- Giving out ----------------------------------------------------------- */

uint64_t
campaign_hunt_run(const CampaignHunt *hunt, uint64_t ordinal)
{
    return hunt->key.shard - 1 + ordinal * hunt->key.shards;
}

static CampaignHuntBlock *
new_block(uint64_t ordinal, uint64_t count)
{
    CampaignHuntBlock *block = g_new0(CampaignHuntBlock, 1);

    block->ordinal = ordinal;
    block->count = count;
    return block;
}

CampaignHuntBlock *
campaign_hunt_give(CampaignHunt *hunt, uint64_t wanted)
{
    CampaignHuntBlock *block;

    for (GList *at = hunt->blocks.head; at != NULL; at = at->next) {
        block = at->data;
        if (block->stage == CAMPAIGN_HUNT_WAITING) {
            block->stage = CAMPAIGN_HUNT_GIVEN;
            return block;
        }
    }
    if (hunt->given >= hunt->limit)
        return NULL;
    block = new_block(hunt->given, MIN(wanted, hunt->limit - hunt->given));
    block->stage = CAMPAIGN_HUNT_GIVEN;
    hunt->given += block->count;
    g_queue_push_tail(&hunt->blocks, block);
    return block;
}

CampaignHuntWitness *
campaign_hunt_give_witness(CampaignHunt *hunt)
{
    for (GList *at = hunt->witnesses.head; at != NULL; at = at->next) {
        CampaignHuntWitness *witness = at->data;

        if (witness->stage == CAMPAIGN_HUNT_WAITING) {
            witness->stage = CAMPAIGN_HUNT_GIVEN;
            return witness;
        }
    }
    return NULL;
}

char *
campaign_hunt_replay(const CampaignHunt *hunt, uint64_t run)
{
    const CampaignKey *key = &hunt->key;
    g_autofree char *scenario = g_shell_quote(key->scenario);
    g_autofree char *mutants = scenario_mutant_options(hunt->item);
    GString *text = g_string_new(NULL);

    g_string_printf(text,
                    "heddle replay %s --case %u --seed %" PRIu64
                    " --strategy %s --memory %s --steps %" PRIu64,
                    scenario, key->case_number, key->first_seed + run,
                    key->strategy, key->memory, key->steps_max);
    if (key->ipiq != NULL) {
        g_autofree char *ipiq = g_shell_quote(key->ipiq);

        g_string_append_printf(text, " --ipiq %s", ipiq);
    }
    if (hunt->weaken != NULL)
        g_string_append_printf(text, " --weaken %s", hunt->weaken);
    g_string_append(text, mutants);
    return g_string_free(text, FALSE);
}

void
campaign_hunt_cut(CampaignHunt *hunt, CampaignHuntBlock *block, uint64_t run,
                  const char *death)
{
    GList *link = g_queue_find(&hunt->blocks, block);
    uint64_t ordinal = (run - (hunt->key.shard - 1)) / hunt->key.shards;
    uint64_t after = block->ordinal + block->count - ordinal - 1;
    CampaignHuntBlock *dead = new_block(ordinal, 1);

    dead->stage = CAMPAIGN_HUNT_DONE;
    dead->death = g_strdup(death);
    g_queue_insert_after(&hunt->blocks, link, dead);
    if (after > 0)
        g_queue_insert_after(&hunt->blocks, link->next,
                             new_block(ordinal + 1, after));
    block->stage = CAMPAIGN_HUNT_WAITING;
    block->count = ordinal - block->ordinal;
    if (block->count > 0)
        return;
    g_queue_delete_link(&hunt->blocks, link);
    free_block(block);
}

bool
campaign_hunt_is_over(const CampaignHunt *hunt, bool stopping)
{
    if (!g_queue_is_empty((GQueue *)&hunt->witnesses))
        return false;
    if (!stopping)
        return hunt->committed >= hunt->limit;
    for (GList *at = hunt->blocks.head; at != NULL; at = at->next)
        if (((CampaignHuntBlock *)at->data)->stage == CAMPAIGN_HUNT_GIVEN)
            return false;
    return true;
}

/* --- Committing ----------------------------------------------------------- */

/* A new witness, in the store as it happened and in line to be shrunk. */
static bool
add_witness(CampaignHunt *hunt, CampaignWitness *row, GError **error)
{
    CampaignHuntIdentity *identity =
        g_hash_table_lookup(hunt->by_key, row->identity);
    CampaignHuntWitness *witness;

    if (identity == NULL || identity->witnesses == CAMPAIGN_WITNESSES) {
        campaign_witness_free(row);
        return true;
    }
    identity->witnesses++;
    witness = g_new0(CampaignHuntWitness, 1);
    witness->row = row;
    if (row->shape != NULL)
        witness->stage = CAMPAIGN_HUNT_DONE;
    g_queue_push_tail(&hunt->witnesses, witness);
    return campaign_store_witness(hunt->store, hunt->campaign, row, error);
}

static bool
commit_tallies(CampaignHunt *hunt, GVariant *list, GError **error)
{
    CampaignTally tally;
    const char *verdict;
    GVariantIter iter;

    g_variant_iter_init(&iter, list);
    while (g_variant_iter_next(&iter, "(&stt)", &verdict, &tally.runs,
                               &tally.steps)) {
        tally.verdict = (char *)verdict;
        hunt->steps += tally.steps;
        if (g_str_equal(verdict, "budget"))
            hunt->budget_runs += tally.runs;
        if (!campaign_store_tally(hunt->store, hunt->campaign, &tally,
                                  error))
            return false;
    }
    return true;
}

static bool
commit_identities(CampaignHunt *hunt, GVariant *list, GError **error)
{
    CampaignIdentity seen = {0};
    GVariantIter iter;
    gboolean expected;

    g_variant_iter_init(&iter, list);
    while (g_variant_iter_next(&iter, "(&s&s&sbtt)", &seen.key,
                               &seen.verdict, &seen.place, &expected,
                               &seen.count, &seen.first)) {
        seen.expected = expected;
        if (campaign_hunt_count(hunt, &seen) != NULL &&
            !campaign_store_identity(hunt->store, hunt->campaign, &seen,
                                     error))
            return false;
    }
    return true;
}

static bool
commit_witnesses(CampaignHunt *hunt, GVariant *list, GError **error)
{
    const char *key, *tape;
    uint64_t run, seed;
    GVariantIter iter;

    g_variant_iter_init(&iter, list);
    while (g_variant_iter_next(&iter, "(tt&s&s)", &run, &seed, &key, &tape)) {
        CampaignWitness *row = g_new0(CampaignWitness, 1);

        row->identity = g_strdup(key);
        row->run = run;
        row->seed = seed;
        row->tape = g_strdup(tape);
        if (!add_witness(hunt, row, error))
            return false;
    }
    return true;
}

/* What the strategy keeps belongs to the runs of this block. */
static bool
commit_states(CampaignHunt *hunt, GVariant *result, GError **error)
{
    const char *state, *promise;

    g_variant_get_child(result, 8, "m&s", &state);
    g_variant_get_child(result, 9, "m&s", &promise);
    return (state == NULL ||
            campaign_store_state(hunt->store, hunt->campaign,
                                 CAMPAIGN_STATE_STRATEGY, state, error)) &&
           (promise == NULL ||
            campaign_store_state(hunt->store, hunt->campaign,
                                 CAMPAIGN_STATE_PROMISE, promise, error));
}

/* A run in which a worker died: a finding about heddle. */
static bool
commit_death(CampaignHunt *hunt, const CampaignHuntBlock *block,
             GError **error)
{
    uint64_t run = campaign_hunt_run(hunt, block->ordinal);
    g_autofree char *key = g_strdup_printf(
        "case %u: heddle died: %s", hunt->key.case_number, block->death);
    CampaignIdentity seen = {
        .key = key,
        .verdict = (char *)"heddle died",
        .place = block->death,
        .count = 1,
        .first = run,
    };
    CampaignTally tally = {.verdict = (char *)"heddle died", .runs = 1};
    CampaignWitness *row;

    if (!campaign_store_tally(hunt->store, hunt->campaign, &tally, error))
        return false;
    if (campaign_hunt_count(hunt, &seen) == NULL)
        return true;
    if (!campaign_store_identity(hunt->store, hunt->campaign, &seen, error))
        return false;
    row = g_new0(CampaignWitness, 1);
    row->identity = g_steal_pointer(&key);
    row->run = run;
    row->seed = hunt->key.first_seed + run;
    row->tape = g_strdup("");
    row->shape = g_strdup("died");
    row->where = g_strdup(block->death);
    row->replay = campaign_hunt_replay(hunt, run);
    row->story = g_strdup("");
    return add_witness(hunt, row, error);
}

static bool
commit_block(CampaignHunt *hunt, const CampaignHuntBlock *block,
             GError **error)
{
    CampaignRuns runs = {
        .first = campaign_hunt_run(hunt, block->ordinal),
        .stride = hunt->key.shards,
        .count = block->count,
    };
    bool ok;

    if (block->result == NULL)
        ok = commit_death(hunt, block, error);
    else {
        g_autoptr(GVariant) tallies =
            g_variant_get_child_value(block->result, 4);
        g_autoptr(GVariant) identities =
            g_variant_get_child_value(block->result, 5);
        g_autoptr(GVariant) witnesses =
            g_variant_get_child_value(block->result, 6);

        ok = commit_tallies(hunt, tallies, error) &&
             commit_identities(hunt, identities, error) &&
             commit_witnesses(hunt, witnesses, error) &&
             commit_states(hunt, block->result, error);
    }
    return ok && (block->count == 0 ||
                  campaign_store_done(hunt->store, hunt->campaign, &runs,
                                      error));
}

static bool
is_done(GQueue *queue)
{
    const CampaignHuntBlock *first = g_queue_peek_head(queue);

    return first != NULL && first->stage == CAMPAIGN_HUNT_DONE;
}

static bool
commit_blocks(CampaignHunt *hunt, GError **error)
{
    while (is_done(&hunt->blocks)) {
        CampaignHuntBlock *block = g_queue_pop_head(&hunt->blocks);
        bool ok = commit_block(hunt, block, error);

        hunt->committed += block->count;
        free_block(block);
        if (!ok)
            return false;
    }
    return true;
}

static bool
is_shrunk(CampaignHunt *hunt)
{
    const CampaignHuntWitness *first = g_queue_peek_head(&hunt->witnesses);

    return first != NULL && first->stage == CAMPAIGN_HUNT_DONE;
}

/* The witnesses that are shrunk, up to the first that is not; each is on disk
 * before it is told. */
static bool
commit_shrunk(CampaignHunt *hunt, GPtrArray *told, GError **error)
{
    while (is_shrunk(hunt)) {
        CampaignHuntWitness *witness = g_queue_pop_head(&hunt->witnesses);

        g_ptr_array_add(told, witness);
        if (!campaign_store_witness(hunt->store, hunt->campaign,
                                    witness->row, error))
            return false;
    }
    return true;
}

static void
tell(CampaignHunt *hunt, const CampaignHuntEvents *events,
     const CampaignHuntWitness *witness)
{
    CampaignHuntIdentity *identity =
        g_hash_table_lookup(hunt->by_key, witness->row->identity);

    if (campaign_hunt_has_shape(identity, witness->row->shape))
        return;
    g_ptr_array_add(identity->shapes, g_strdup(witness->row->shape));
    hunt->findings++;
    events->found(events->user, hunt, &identity->data, witness->row);
}

bool
campaign_hunt_commit(CampaignHunt *hunt, const CampaignHuntEvents *events,
                     GError **error)
{
    g_autoptr(GPtrArray) told = g_ptr_array_new_with_free_func(free_witness);

    if (!is_done(&hunt->blocks) && !is_shrunk(hunt))
        return true;
    if (!campaign_store_begin(hunt->store, error))
        return false;
    if (!commit_blocks(hunt, error) || !commit_shrunk(hunt, told, error) ||
        !campaign_store_commit(hunt->store, error)) {
        campaign_store_roll_back(hunt->store);
        return false;
    }
    for (guint i = 0; i < hunt->identities->len; i++) {
        CampaignHuntIdentity *identity =
            g_ptr_array_index(hunt->identities, i);

        if (identity->known || identity->witnesses < CAMPAIGN_WITNESSES)
            continue;
        identity->known = true;
        events->known(events->user, hunt, identity->data.key);
    }
    for (guint i = 0; i < told->len; i++)
        tell(hunt, events, g_ptr_array_index(told, i));
    return true;
}
