/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>

#include "search/campaign_merge.h"
#include "search/campaign_store.h"
#include "search/database.h"

static char *folder;

static void
set_up(void)
{
    folder = g_dir_make_tmp("heddle-test-XXXXXX", NULL);
    cr_assert_not_null(folder);
}

static void
tear_down(void)
{
    static const char *const names[] = {"a", "b", "c", "a-wal", "a-shm"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);

        g_unlink(path);
    }
    g_rmdir(folder);
    g_free(folder);
}

TestSuite(campaign_store, .init = set_up, .fini = tear_down);

static CampaignStore *
open_store(const char *name, bool write)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) error = NULL;
    CampaignStore *store = campaign_store_open(path, write, &error);

    cr_assert_not_null(store, "%s", error != NULL ? error->message : "");
    return store;
}

static uint64_t
add_campaign(CampaignStore *store, unsigned shard, unsigned shards)
{
    CampaignKey key = {
        .scenario = (char *)"/s.lua",
        .source = UINT64_C(0xfedcba9876543210),
        .case_number = 2,
        .title = (char *)"it's \"quoted\"",
        .image = 7,
        .strategy = (char *)"random",
        .memory = (char *)"sc",
        .first_seed = UINT64_MAX - 5,
        .steps_max = 1000,
        .shard = shard,
        .shards = shards,
    };
    uint64_t campaign;

    cr_assert(campaign_store_begin(store, NULL));
    cr_assert(campaign_store_add(store, &key, &campaign, NULL));
    cr_assert(campaign_store_commit(store, NULL));
    return campaign;
}

static void
add_runs(CampaignStore *store, uint64_t campaign, CampaignRuns runs)
{
    CampaignTally tally = {
        .verdict = (char *)"done", .runs = runs.count, .steps = 10};

    cr_assert(campaign_store_begin(store, NULL));
    cr_assert(campaign_store_done(store, campaign, &runs, NULL));
    cr_assert(campaign_store_tally(store, campaign, &tally, NULL));
    cr_assert(campaign_store_commit(store, NULL));
}

/* A witness of "key", shrunk to `shape`, which may be NULL. */
static void
add_witness(CampaignStore *store, uint64_t campaign, uint64_t run,
            const char *shape)
{
    CampaignIdentity identity = {
        .key = (char *)"key",
        .verdict = (char *)"livelock",
        .place = (char *)"here",
        .count = 1,
        .first = run,
    };
    CampaignWitness witness = {
        .identity = (char *)"key",
        .run = run,
        .seed = run + 1,
        .tape = (char *)"AAAA",
        .shape = (char *)shape,
        .digest = UINT64_C(0x8000000000000001),
    };

    cr_assert(campaign_store_begin(store, NULL));
    cr_assert(campaign_store_identity(store, campaign, &identity, NULL));
    cr_assert(campaign_store_witness(store, campaign, &witness, NULL));
    cr_assert(campaign_store_commit(store, NULL));
}

static guint
count_witnesses(CampaignStore *store, uint64_t campaign, bool findings_only)
{
    g_autoptr(GPtrArray) list =
        campaign_store_witnesses(store, campaign, findings_only, NULL);

    cr_assert_not_null(list);
    return list->len;
}

Test(campaign_store, what_was_written_is_read_again)
{
    CampaignStore *store = open_store("a", true);
    uint64_t campaign = add_campaign(store, 1, 1);
    CampaignKey key;

    add_witness(store, campaign, 4, "shape");
    campaign_store_close(store);
    store = open_store("a", false);
    cr_assert_eq(campaign_store_count(store, NULL), 1);
    cr_assert(campaign_store_key(store, campaign, &key, NULL));
    cr_assert_str_eq(key.title, "it's \"quoted\"");
    cr_assert_eq(key.source, UINT64_C(0xfedcba9876543210));
    cr_assert_eq(key.first_seed, UINT64_MAX - 5);
    cr_assert_null(key.ipiq);
    campaign_key_clear(&key);
    cr_assert_eq(count_witnesses(store, campaign, true), 1);
    campaign_store_close(store);
}

Test(campaign_store, runs_that_go_on_extend_what_is_done)
{
    CampaignStore *store = open_store("a", true);
    uint64_t campaign = add_campaign(store, 2, 3);
    g_autoptr(GArray) runs = NULL;

    add_runs(store, campaign, (CampaignRuns){1, 3, 10});
    add_runs(store, campaign, (CampaignRuns){31, 3, 5});
    runs = campaign_store_runs(store, campaign, NULL);
    cr_assert_eq(runs->len, 1);
    cr_assert_eq(g_array_index(runs, CampaignRuns, 0).count, 15);
    campaign_store_close(store);
}

Test(campaign_store, what_was_not_committed_is_not_there)
{
    CampaignStore *store = open_store("a", true);
    uint64_t campaign = add_campaign(store, 1, 1);
    CampaignRuns runs = {0, 1, 10};

    cr_assert(campaign_store_begin(store, NULL));
    cr_assert(campaign_store_done(store, campaign, &runs, NULL));
    campaign_store_close(store);
    store = open_store("a", false);
    g_autoptr(GArray) done = campaign_store_runs(store, campaign, NULL);
    cr_assert_eq(done->len, 0);
    campaign_store_close(store);
}

Test(campaign_store, of_witnesses_with_one_shape_the_first_is_the_finding)
{
    CampaignStore *store = open_store("a", true);
    uint64_t campaign = add_campaign(store, 1, 1);
    g_autoptr(GPtrArray) findings = NULL;

    add_witness(store, campaign, 9, "one");
    add_witness(store, campaign, 3, "one");
    add_witness(store, campaign, 5, "two");
    add_witness(store, campaign, 1, NULL); /* not shrunk yet */
    findings = campaign_store_witnesses(store, campaign, true, NULL);
    cr_assert_eq(findings->len, 2);
    cr_assert_eq(((CampaignWitness *)findings->pdata[0])->run, 3);
    cr_assert_eq(((CampaignWitness *)findings->pdata[1])->run, 5);
    campaign_store_close(store);
}

Test(campaign_store, a_merge_keeps_the_witnesses_with_the_lowest_runs)
{
    CampaignStore *into = open_store("a", true);
    CampaignStore *one = open_store("b", true), *two = open_store("c", true);
    uint64_t first = add_campaign(one, 1, 2), second = add_campaign(two, 2, 2);
    g_autoptr(GPtrArray) all = NULL;
    GPtrArray *identities;

    add_runs(one, first, (CampaignRuns){0, 2, 50});
    add_runs(two, second, (CampaignRuns){1, 2, 50});
    for (unsigned i = 0; i < CAMPAIGN_WITNESSES; i++) {
        add_witness(one, first, 2 * i, "one");
        add_witness(two, second, 2 * i + 1, "two");
    }
    cr_assert(campaign_merge(into, one, NULL));
    cr_assert(campaign_merge(into, two, NULL));
    all = campaign_store_witnesses(into, 1, false, NULL);
    cr_assert_eq(all->len, CAMPAIGN_WITNESSES);
    for (unsigned i = 0; i < CAMPAIGN_WITNESSES; i++)
        cr_assert_eq(((CampaignWitness *)all->pdata[i])->run, i);
    identities = campaign_store_identities(into, 1, NULL);
    cr_assert_eq(identities->len, 1);
    cr_assert_eq(((CampaignIdentity *)identities->pdata[0])->count,
                 2 * CAMPAIGN_WITNESSES);
    g_ptr_array_unref(identities);
    campaign_store_close(one);
    campaign_store_close(two);
    campaign_store_close(into);
}

Test(campaign_store, a_merge_refuses_runs_that_are_there_and_changes_nothing)
{
    CampaignStore *into = open_store("a", true), *one = open_store("b", true);
    uint64_t campaign = add_campaign(one, 1, 1);
    g_autoptr(GPtrArray) tallies = NULL;
    g_autoptr(GError) error = NULL;

    add_runs(one, campaign, (CampaignRuns){0, 1, 50});
    cr_assert(campaign_merge(into, one, NULL));
    cr_assert_not(campaign_merge(into, one, &error));
    cr_assert(g_error_matches(error, CAMPAIGN_MERGE_ERROR,
                              CAMPAIGN_MERGE_ERROR_TWICE));
    tallies = campaign_store_tallies(into, 1, NULL);
    cr_assert_eq(((CampaignTally *)tallies->pdata[0])->runs, 50);
    campaign_store_close(one);
    campaign_store_close(into);
}

Test(campaign_store, progressions_that_interleave_are_no_overlap)
{
    CampaignStore *into = open_store("a", true), *one = open_store("b", true);
    CampaignStore *two = open_store("c", true);
    uint64_t first = add_campaign(one, 1, 2), second = add_campaign(two, 3, 6);

    add_runs(one, first, (CampaignRuns){1, 2, 50});
    add_runs(two, second, (CampaignRuns){2, 6, 10});
    cr_assert(campaign_merge(into, one, NULL));
    cr_assert(campaign_merge(into, two, NULL));
    add_runs(two, second, (CampaignRuns){63, 6, 10}); /* odd: those of one */
    campaign_store_close(into);
    g_autofree char *path = g_build_filename(folder, "a", NULL);
    g_unlink(path);
    into = open_store("a", true);
    cr_assert(campaign_merge(into, one, NULL));
    cr_assert_not(campaign_merge(into, two, NULL));
    campaign_store_close(one);
    campaign_store_close(two);
    campaign_store_close(into);
}

Test(campaign_store, a_second_writer_is_refused)
{
    CampaignStore *store = open_store("a", true);
    g_autofree char *path = g_build_filename(folder, "a", NULL);
    g_autoptr(GError) error = NULL;

    cr_assert_null(campaign_store_open(path, true, &error));
    cr_assert(g_error_matches(error, DATABASE_ERROR, DATABASE_ERROR_BUSY));
    campaign_store_close(open_store("a", false)); /* a reader is not */
    campaign_store_close(store);
}

Test(campaign_store, a_file_that_is_none_is_refused)
{
    g_autofree char *path = g_build_filename(folder, "a", NULL);
    g_autoptr(GError) error = NULL;

    cr_assert(g_file_set_contents(path, "not a database at all", -1, NULL));
    cr_assert_null(campaign_store_open(path, true, &error));
    cr_assert(g_error_matches(error, DATABASE_ERROR, DATABASE_ERROR_FILE));
}

Test(campaign_store, a_store_with_another_view_is_refused)
{
    g_autofree char *path = g_build_filename(folder, "a", NULL);
    g_autofree char *bytes = NULL;
    g_autoptr(GError) error = NULL;
    char *view;
    gsize size;

    campaign_store_close(open_store("a", true));
    cr_assert(g_file_get_contents(path, &bytes, &size, NULL));
    for (view = bytes; memcmp(view, "e.run < w.run", 13) != 0; view++)
        cr_assert_lt(view - bytes, (gssize)size - 14);
    view[6] = '>';
    cr_assert(g_file_set_contents(path, bytes, (gssize)size, NULL));
    cr_assert_null(campaign_store_open(path, true, &error));
    cr_assert(g_error_matches(error, DATABASE_ERROR, DATABASE_ERROR_DAMAGED));
}

Test(campaign_store, an_empty_file_is_a_store_that_was_not_made_in_time)
{
    g_autofree char *path = g_build_filename(folder, "a", NULL);
    CampaignStore *store;

    cr_assert(g_file_set_contents(path, "", 0, NULL));
    store = open_store("a", true);
    cr_assert_eq(campaign_store_count(store, NULL), 0);
    campaign_store_close(store);
}

Test(campaign_store, a_strategy_gets_back_what_it_kept)
{
    CampaignStore *store = open_store("a", true);
    uint64_t campaign = add_campaign(store, 1, 1);
    g_autofree char *value = NULL, *none = NULL;

    cr_assert(campaign_store_begin(store, NULL));
    cr_assert(campaign_store_state(store, campaign, "corpus", "old", NULL));
    cr_assert(campaign_store_state(store, campaign, "corpus", "new", NULL));
    cr_assert(campaign_store_commit(store, NULL));
    cr_assert(campaign_store_state_of(store, campaign, "corpus", &value,
                                      NULL));
    cr_assert_str_eq(value, "new");
    cr_assert(campaign_store_state_of(store, campaign, "none", &none, NULL));
    cr_assert_null(none);
    campaign_store_close(store);
}
