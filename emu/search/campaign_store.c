/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "search/campaign_store.h"

#include "search/database.h"

struct CampaignStore {
    Database *database;
};

/* A witness without a shape was not shrunk yet, and is no finding yet. */
static const DatabaseFormat format = {
    .application = 0x6864646c, /* "hddl" */
    .version = 1,
    .what = "store of heddle explore",
    .schema =
        "CREATE TABLE campaign (id INTEGER PRIMARY KEY, scenario TEXT,"
        " source TEXT, case_number INTEGER, title TEXT, ipiq TEXT,"
        " image TEXT, strategy TEXT, memory TEXT, first_seed INTEGER,"
        " steps_max INTEGER, shard INTEGER, shards INTEGER, heddle TEXT);"
        "CREATE TABLE done (campaign INTEGER, first INTEGER,"
        " stride INTEGER, count INTEGER, PRIMARY KEY (campaign, first));"
        "CREATE TABLE tally (campaign INTEGER, verdict TEXT, runs INTEGER,"
        " steps INTEGER, PRIMARY KEY (campaign, verdict));"
        "CREATE TABLE identity (campaign INTEGER, key TEXT, verdict TEXT,"
        " place TEXT, expected INTEGER, count INTEGER, first_run INTEGER,"
        " PRIMARY KEY (campaign, key));"
        "CREATE TABLE witness (campaign INTEGER, key TEXT, run INTEGER,"
        " seed INTEGER, tape TEXT, digest TEXT, replay TEXT, trace TEXT,"
        " shape TEXT, shrunk TEXT, shrunk_trace TEXT, lua TEXT,"
        " place TEXT, story TEXT,"
        " PRIMARY KEY (campaign, key, run));"
        "CREATE TABLE state (campaign INTEGER, name TEXT, value TEXT,"
        " PRIMARY KEY (campaign, name));"
        "CREATE VIEW finding AS SELECT w.campaign, i.verdict, w.place,"
        " w.seed, w.digest, i.expected, i.count, i.first_run, w.replay,"
        " w.trace, w.shrunk_trace, w.lua, w.shape, w.key, w.run"
        " FROM witness w JOIN identity i USING (campaign, key)"
        " WHERE w.shape IS NOT NULL AND NOT EXISTS (SELECT 1 FROM witness e"
        " WHERE e.campaign = w.campaign AND e.key = w.key"
        " AND e.shape = w.shape AND e.run < w.run);",
};

/* --- Plain data ----------------------------------------------------------- */

void
campaign_key_clear(CampaignKey *key)
{
    g_free(key->scenario);
    g_free(key->title);
    g_free(key->ipiq);
    g_free(key->strategy);
    g_free(key->memory);
    *key = (CampaignKey){0};
}

CampaignKey
campaign_key_copy(const CampaignKey *key)
{
    CampaignKey copy = *key;

    copy.scenario = g_strdup(key->scenario);
    copy.title = g_strdup(key->title);
    copy.ipiq = g_strdup(key->ipiq);
    copy.strategy = g_strdup(key->strategy);
    copy.memory = g_strdup(key->memory);
    return copy;
}

void
campaign_identity_free(CampaignIdentity *identity)
{
    if (identity == NULL)
        return;
    g_free(identity->key);
    g_free(identity->verdict);
    g_free(identity->place);
    g_free(identity);
}

void
campaign_witness_free(CampaignWitness *witness)
{
    if (witness == NULL)
        return;
    g_free(witness->identity);
    g_free(witness->tape);
    g_free(witness->shape);
    g_free(witness->shrunk);
    g_free(witness->where);
    g_free(witness->replay);
    g_free(witness->trace);
    g_free(witness->shrunk_trace);
    g_free(witness->lua);
    g_free(witness->story);
    g_free(witness);
}

static void
free_tally(void *data)
{
    CampaignTally *tally = data;

    g_free(tally->verdict);
    g_free(tally);
}

/* --- Life ----------------------------------------------------------------- */

CampaignStore *
campaign_store_open(const char *path, bool write, GError **error)
{
    Database *database = database_open(
        path, &format, write ? DATABASE_WRITE : DATABASE_READ, error);
    CampaignStore *store;

    if (database == NULL)
        return NULL;
    store = g_new(CampaignStore, 1);
    store->database = database;
    return store;
}

void
campaign_store_close(CampaignStore *store)
{
    if (store == NULL)
        return;
    database_close(store->database);
    g_free(store);
}

void
campaign_store_leave(CampaignStore *store)
{
    database_leave(store->database);
}

bool
campaign_store_begin(CampaignStore *store, GError **error)
{
    return database_begin(store->database, error);
}

bool
campaign_store_commit(CampaignStore *store, GError **error)
{
    return database_commit(store->database, error);
}

void
campaign_store_roll_back(CampaignStore *store)
{
    database_roll_back(store->database);
}

/* --- Writing -------------------------------------------------------------- */

/* Digests are text: 16 hexadecimal digits, as everywhere. */
static char *
print_digest(uint64_t digest)
{
    return g_strdup_printf("%016" PRIx64, digest);
}

bool
campaign_store_add(CampaignStore *store, const CampaignKey *key,
                   uint64_t *campaign, GError **error)
{
    g_autofree char *source = print_digest(key->source);
    g_autofree char *image = print_digest(key->image);

    if (!database_run(store->database, error,
                      "INSERT INTO campaign (scenario, source, case_number,"
                      " title, ipiq, image, strategy, memory, first_seed,"
                      " steps_max, shard, shards, heddle)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                      "ssusssssuuuus", key->scenario, source,
                      (uint64_t)key->case_number, key->title, key->ipiq,
                      image, key->strategy, key->memory, key->first_seed,
                      key->steps_max, (uint64_t)key->shard,
                      (uint64_t)key->shards, HEDDLE_VERSION))
        return false;
    *campaign = database_last_row(store->database);
    return true;
}

bool
campaign_store_done(CampaignStore *store, uint64_t campaign,
                    const CampaignRuns *runs, GError **error)
{
    uint64_t known = 0;
    DatabaseRows *rows;
    g_autoptr(GError) failure = NULL;

    rows = database_query(store->database, &failure,
                          "SELECT first FROM done WHERE campaign = ?"
                          " AND stride = ? AND first + count * stride = ?",
                          "uuu", campaign, runs->stride, runs->first);
    for (known = UINT64_MAX; database_next(&rows, &failure);)
        known = database_u64(rows, 0);
    if (failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    if (known != UINT64_MAX)
        return database_run(store->database, error,
                            "UPDATE done SET count = count + ?"
                            " WHERE campaign = ? AND first = ?",
                            "uuu", runs->count, campaign, known);
    return database_run(store->database, error,
                        "INSERT INTO done VALUES (?, ?, ?, ?)", "uuuu",
                        campaign, runs->first, runs->stride, runs->count);
}

bool
campaign_store_tally(CampaignStore *store, uint64_t campaign,
                     const CampaignTally *tally, GError **error)
{
    return database_run(store->database, error,
                        "INSERT INTO tally VALUES (?, ?, ?, ?)"
                        " ON CONFLICT DO UPDATE SET"
                        " runs = runs + excluded.runs,"
                        " steps = steps + excluded.steps",
                        "usuu", campaign, tally->verdict, tally->runs,
                        tally->steps);
}

bool
campaign_store_identity(CampaignStore *store, uint64_t campaign,
                        const CampaignIdentity *identity, GError **error)
{
    return database_run(store->database, error,
                        "INSERT INTO identity VALUES (?, ?, ?, ?, ?, ?, ?)"
                        " ON CONFLICT DO UPDATE SET"
                        " count = count + excluded.count,"
                        " first_run = min(first_run, excluded.first_run)",
                        "usssuuu", campaign, identity->key,
                        identity->verdict, identity->place,
                        (uint64_t)identity->expected, identity->count,
                        identity->first);
}

bool
campaign_store_witness(CampaignStore *store, uint64_t campaign,
                       const CampaignWitness *witness, GError **error)
{
    g_autofree char *digest = print_digest(witness->digest);

    return database_run(store->database, error,
                        "INSERT OR REPLACE INTO witness VALUES"
                        " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        "usuussssssssss", campaign, witness->identity,
                        witness->run, witness->seed, witness->tape, digest,
                        witness->replay, witness->trace, witness->shape,
                        witness->shrunk, witness->shrunk_trace, witness->lua,
                        witness->where, witness->story);
}

bool
campaign_store_state(CampaignStore *store, uint64_t campaign,
                     const char *name, const char *value, GError **error)
{
    return database_run(store->database, error,
                        "INSERT OR REPLACE INTO state VALUES (?, ?, ?)",
                        "uss", campaign, name, value);
}

bool
campaign_store_trim(CampaignStore *store, uint64_t campaign, GError **error)
{
    return database_run(store->database, error,
                        "DELETE FROM witness WHERE campaign = ?1 AND"
                        " (SELECT count(*) FROM witness e WHERE"
                        " e.campaign = ?1 AND e.key = witness.key AND"
                        " e.run < witness.run) >= ?2",
                        "uu", campaign, (uint64_t)CAMPAIGN_WITNESSES);
}

/* --- Reading -------------------------------------------------------------- */

/* What every reader ends with. */
static bool
finished(GError **failure, GError **error)
{
    if (*failure == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(failure));
    return false;
}

/* A text that must be there: a damaged store has null. */
static char *
text_of(DatabaseRows *rows, int column)
{
    char *text = database_text(rows, column);

    return text != NULL ? text : g_strdup("");
}

static uint64_t
digest_of(DatabaseRows *rows, int column)
{
    g_autofree char *text = text_of(rows, column);

    return g_ascii_strtoull(text, NULL, 16);
}

unsigned
campaign_store_count(CampaignStore *store, GError **error)
{
    DatabaseRows *rows = database_query(
        store->database, error, "SELECT count(*) FROM campaign", "");
    unsigned count = 0;

    while (database_next(&rows, error))
        count = (unsigned)database_u64(rows, 0);
    return count;
}

bool
campaign_store_key(CampaignStore *store, uint64_t campaign, CampaignKey *key,
                   GError **error)
{
    g_autoptr(GError) failure = NULL;
    DatabaseRows *rows = database_query(
        store->database, &failure,
        "SELECT scenario, source, case_number, title, ipiq, image, strategy,"
        " memory, first_seed, steps_max, shard, shards FROM campaign"
        " WHERE id = ?",
        "u", campaign);

    *key = (CampaignKey){0};
    while (database_next(&rows, &failure))
        *key = (CampaignKey){
            .scenario = text_of(rows, 0),
            .source = digest_of(rows, 1),
            .case_number = (unsigned)database_u64(rows, 2),
            .title = text_of(rows, 3),
            .ipiq = database_text(rows, 4),
            .image = digest_of(rows, 5),
            .strategy = text_of(rows, 6),
            .memory = text_of(rows, 7),
            .first_seed = database_u64(rows, 8),
            .steps_max = database_u64(rows, 9),
            .shard = (unsigned)database_u64(rows, 10),
            .shards = (unsigned)database_u64(rows, 11),
        };
    if (failure == NULL && key->scenario == NULL)
        g_set_error(&failure, DATABASE_ERROR, DATABASE_ERROR_DAMAGED,
                    "%s is damaged: it has no campaign %" PRIu64,
                    database_path(store->database), campaign);
    return finished(&failure, error);
}

int64_t
campaign_store_find(CampaignStore *store, CampaignMatch *match,
                    const void *wanted, GError **error)
{
    g_autoptr(GError) failure = NULL;
    unsigned count = campaign_store_count(store, &failure);
    int64_t found = 0;

    for (unsigned i = 1; failure == NULL && i <= count; i++) {
        CampaignKey key;

        if (campaign_store_key(store, i, &key, &failure) && match(&key, wanted))
            found = i;
        campaign_key_clear(&key);
    }
    if (failure == NULL)
        return found;
    g_propagate_error(error, g_steal_pointer(&failure));
    return -1;
}

GArray *
campaign_store_runs(CampaignStore *store, uint64_t campaign, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(CampaignRuns));
    DatabaseRows *rows = database_query(
        store->database, &failure,
        "SELECT first, stride, count FROM done WHERE campaign = ?"
        " ORDER BY first",
        "u", campaign);

    while (database_next(&rows, &failure)) {
        CampaignRuns one = {
            .first = database_u64(rows, 0),
            .stride = database_u64(rows, 1),
            .count = database_u64(rows, 2),
        };

        g_array_append_val(runs, one);
    }
    return finished(&failure, error) ? g_steal_pointer(&runs) : NULL;
}

GPtrArray *
campaign_store_tallies(CampaignStore *store, uint64_t campaign,
                       GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GPtrArray) tallies = g_ptr_array_new_with_free_func(free_tally);
    DatabaseRows *rows = database_query(
        store->database, &failure,
        "SELECT verdict, runs, steps FROM tally WHERE campaign = ?"
        " ORDER BY verdict",
        "u", campaign);

    while (database_next(&rows, &failure)) {
        CampaignTally *tally = g_new(CampaignTally, 1);

        tally->verdict = text_of(rows, 0);
        tally->runs = database_u64(rows, 1);
        tally->steps = database_u64(rows, 2);
        g_ptr_array_add(tallies, tally);
    }
    return finished(&failure, error) ? g_steal_pointer(&tallies) : NULL;
}

GPtrArray *
campaign_store_identities(CampaignStore *store, uint64_t campaign,
                          GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GPtrArray) identities = g_ptr_array_new_with_free_func(
        (GDestroyNotify)campaign_identity_free);
    DatabaseRows *rows = database_query(
        store->database, &failure,
        "SELECT key, verdict, place, expected, count, first_run"
        " FROM identity WHERE campaign = ? ORDER BY key",
        "u", campaign);

    while (database_next(&rows, &failure)) {
        CampaignIdentity *identity = g_new(CampaignIdentity, 1);

        *identity = (CampaignIdentity){
            .key = text_of(rows, 0),
            .verdict = text_of(rows, 1),
            .place = text_of(rows, 2),
            .expected = database_u64(rows, 3) != 0,
            .count = database_u64(rows, 4),
            .first = database_u64(rows, 5),
        };
        g_ptr_array_add(identities, identity);
    }
    return finished(&failure, error) ? g_steal_pointer(&identities) : NULL;
}

static CampaignWitness *
read_witness(DatabaseRows *rows)
{
    CampaignWitness *witness = g_new(CampaignWitness, 1);

    *witness = (CampaignWitness){
        .identity = text_of(rows, 0),
        .run = database_u64(rows, 1),
        .seed = database_u64(rows, 2),
        .tape = text_of(rows, 3),
        .digest = digest_of(rows, 4),
        .replay = database_text(rows, 5),
        .trace = database_text(rows, 6),
        .shape = database_text(rows, 7),
        .shrunk = database_text(rows, 8),
        .shrunk_trace = database_text(rows, 9),
        .lua = database_text(rows, 10),
        .where = database_text(rows, 11),
        .story = database_text(rows, 12),
    };
    return witness;
}

GPtrArray *
campaign_store_witnesses(CampaignStore *store, uint64_t campaign,
                         bool findings_only, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GPtrArray) witnesses = g_ptr_array_new_with_free_func(
        (GDestroyNotify)campaign_witness_free);
    DatabaseRows *rows = database_query(
        store->database, &failure,
        "SELECT key, run, seed, tape, digest, replay, trace, shape, shrunk,"
        " shrunk_trace, lua, place, story FROM witness w"
        " WHERE campaign = ? AND (? = 0 OR"
        " EXISTS (SELECT 1 FROM finding f WHERE f.campaign = w.campaign AND"
        " f.key = w.key AND f.run = w.run)) ORDER BY run, key",
        "uu", campaign, (uint64_t)findings_only);

    while (database_next(&rows, &failure))
        g_ptr_array_add(witnesses, read_witness(rows));
    return finished(&failure, error) ? g_steal_pointer(&witnesses) : NULL;
}

bool
campaign_store_state_of(CampaignStore *store, uint64_t campaign,
                        const char *name, char **value, GError **error)
{
    g_autoptr(GError) failure = NULL;
    DatabaseRows *rows = database_query(
        store->database, &failure,
        "SELECT value FROM state WHERE campaign = ? AND name = ?", "us",
        campaign, name);

    *value = NULL;
    while (database_next(&rows, &failure))
        *value = database_text(rows, 0);
    return finished(&failure, error);
}
