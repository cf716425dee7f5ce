/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "search/campaign_merge.h"

G_DEFINE_QUARK(heddle-campaign-merge-error, campaign_merge_error)

typedef struct Merge {
    CampaignStore *into, *from;
    uint64_t target, source; /* campaigns */
} Merge;

/* --- Which campaign ------------------------------------------------------- */

static bool
is_same_search(const CampaignKey *a, const void *wanted)
{
    const CampaignKey *b = wanted;

    return a->source == b->source && a->case_number == b->case_number &&
           g_strcmp0(a->ipiq, b->ipiq) == 0 && a->image == b->image &&
           g_strcmp0(a->strategy, b->strategy) == 0 &&
           g_strcmp0(a->memory, b->memory) == 0 &&
           a->first_seed == b->first_seed && a->steps_max == b->steps_max;
}

/* --- Runs ----------------------------------------------------------------- */

static uint64_t
divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

static uint64_t
last_of(const CampaignRuns *runs)
{
    return runs->first + (runs->count - 1) * runs->stride;
}

/*
 * Have two progressions a run in common?  They have one somewhere if and only
 * if their first ones are congruent modulo the greatest common divisor of the
 * strides; then one every least common multiple, which is looked for in the
 * part that both cover.
 */
static bool
overlap(const CampaignRuns *a, const CampaignRuns *b)
{
    uint64_t from = MAX(a->first, b->first);
    uint64_t to = MIN(last_of(a), last_of(b));
    uint64_t common = divisor(a->stride, b->stride);
    uint64_t at, tries = b->stride / common;

    if (from > to || a->first % common != b->first % common)
        return false;
    at = a->first + (from - a->first + a->stride - 1) / a->stride * a->stride;
    for (uint64_t i = 0; i < tries && at <= to; i++, at += a->stride)
        if ((at - b->first) % b->stride == 0)
            return true;
    return false;
}

static bool
is_sound(const CampaignRuns *runs)
{
    return runs->count > 0 && runs->stride > 0 &&
           runs->first < UINT64_MAX / 4 && runs->stride < UINT32_MAX &&
           runs->count < UINT64_MAX / 4 / runs->stride;
}

static bool
merge_runs(const Merge *merge, GError **error)
{
    g_autoptr(GArray) ours = NULL;
    g_autoptr(GArray) theirs =
        campaign_store_runs(merge->from, merge->source, error);

    if (theirs == NULL)
        return false;
    ours = campaign_store_runs(merge->into, merge->target, error);
    if (ours == NULL)
        return false;
    for (guint i = 0; i < theirs->len; i++) {
        const CampaignRuns *runs = &g_array_index(theirs, CampaignRuns, i);

        for (guint j = 0; j < ours->len; j++) {
            const CampaignRuns *other = &g_array_index(ours, CampaignRuns, j);

            if (is_sound(runs) && is_sound(other) && !overlap(runs, other))
                continue;
            g_set_error(error, CAMPAIGN_MERGE_ERROR,
                        CAMPAIGN_MERGE_ERROR_TWICE,
                        "it has runs that another has too: two shards of one "
                        "number, or one file twice");
            return false;
        }
    }
    for (guint i = 0; i < theirs->len; i++)
        if (!campaign_store_done(merge->into, merge->target,
                                 &g_array_index(theirs, CampaignRuns, i),
                                 error))
            return false;
    return true;
}

/* --- What was found ------------------------------------------------------- */

static bool
merge_tallies(const Merge *merge, GError **error)
{
    g_autoptr(GPtrArray) list =
        campaign_store_tallies(merge->from, merge->source, error);

    if (list == NULL)
        return false;
    for (guint i = 0; i < list->len; i++)
        if (!campaign_store_tally(merge->into, merge->target,
                                  g_ptr_array_index(list, i), error))
            return false;
    return true;
}

static bool
merge_identities(const Merge *merge, GError **error)
{
    g_autoptr(GPtrArray) list =
        campaign_store_identities(merge->from, merge->source, error);

    if (list == NULL)
        return false;
    for (guint i = 0; i < list->len; i++)
        if (!campaign_store_identity(merge->into, merge->target,
                                     g_ptr_array_index(list, i), error))
            return false;
    return true;
}

static bool
merge_witnesses(const Merge *merge, GError **error)
{
    g_autoptr(GPtrArray) list =
        campaign_store_witnesses(merge->from, merge->source, false, error);

    if (list == NULL)
        return false;
    for (guint i = 0; i < list->len; i++)
        if (!campaign_store_witness(merge->into, merge->target,
                                    g_ptr_array_index(list, i), error))
            return false;
    return campaign_store_trim(merge->into, merge->target, error);
}

/* --- All of it ------------------------------------------------------------ */

static bool
merge_campaign(Merge *merge, GError **error)
{
    CampaignKey key;
    bool ok = campaign_store_key(merge->from, merge->source, &key, error);
    int64_t target = ok ? campaign_store_find(merge->into, is_same_search,
                                              &key, error)
                        : -1;

    key.shard = 0;
    key.shards = 1;
    ok = target >= 0;
    merge->target = ok ? (uint64_t)target : 0;
    if (target == 0)
        ok = campaign_store_add(merge->into, &key, &merge->target, error);
    campaign_key_clear(&key);
    return ok && merge_runs(merge, error) && merge_tallies(merge, error) &&
           merge_identities(merge, error) && merge_witnesses(merge, error);
}

static bool
merge_campaigns(CampaignStore *into, CampaignStore *from, GError **error)
{
    g_autoptr(GError) failure = NULL;
    Merge merge = {.into = into, .from = from};
    unsigned count = campaign_store_count(from, &failure);

    if (failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    for (merge.source = 1; merge.source <= count; merge.source++)
        if (!merge_campaign(&merge, error))
            return false;
    return true;
}

bool
campaign_merge(CampaignStore *into, CampaignStore *from, GError **error)
{
    if (campaign_store_begin(into, error) &&
        merge_campaigns(into, from, error) &&
        campaign_store_commit(into, error))
        return true;
    campaign_store_roll_back(into);
    return false;
}
