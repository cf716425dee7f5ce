/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "campaign/campaign_report.h"

#include "choose/strategy.h"
#include "report/json.h"
#include "report/report_words.h"

#define WIDTH 80u

/* --- JSON ----------------------------------------------------------------- */

char *
campaign_report_json_finding(const CampaignKey *key,
                             const CampaignIdentity *identity,
                             const CampaignWitness *witness)
{
    Json *json = json_new("finding");

    json_text(json, "scenario", key->scenario);
    json_text(json, "case", key->title);
    json_u64(json, "case_number", key->case_number);
    json_text(json, "verdict", identity->verdict);
    json_text(json, "place", identity->place);
    json_text(json, "where", witness->where);
    json_bool(json, "expected", identity->expected);
    json_u64(json, "seed", witness->seed);
    json_text(json, "strategy", key->strategy);
    json_text(json, "memory", key->memory);
    json_digest(json, "digest", witness->digest);
    json_text(json, "replay", witness->replay);
    json_text(json, "trace", witness->trace);
    json_text(json, "shrunk", witness->shrunk_trace);
    json_text(json, "lua", witness->lua);
    json_text(json, "shape", witness->shape);
    json_u64(json, "run", witness->run);
    json_u64(json, "count", identity->count);
    return json_finish(json);
}

char *
campaign_report_json_progress(const char *scenario,
                              const CampaignProgress *progress)
{
    Json *json = json_new("progress");

    json_text(json, "scenario", scenario);
    json_u64(json, "case_number", progress->item->number);
    json_u64(json, "runs", progress->runs);
    json_u64(json, "per_second", progress->per_second);
    json_u64(json, "findings", progress->findings);
    json_u64(json, "coverage", progress->coverage);
    json_u64(json, "since_new", progress->quiet_seconds);
    return json_finish(json);
}

/* --- While it goes on ----------------------------------------------------- */

/* A line with a command, if there is a file for it. */
static void
append_command(GString *out, const char *command, const char *path)
{
    g_autofree char *word = NULL;

    if (path == NULL)
        return;
    word = report_words_shell(path);
    g_string_append_printf(out, "%s %s\n", command, word);
}

char *
campaign_report_finding(const CampaignIdentity *identity,
                        const CampaignWitness *witness, bool story, bool color)
{
    GString *out = g_string_new(NULL);
    g_autoptr(GString) name = g_string_new(identity->verdict);

    if (story && *witness->story != '\0')
        g_string_append_printf(out, "%s\n", witness->story);
    if (*identity->place != '\0')
        g_string_append_printf(name, " at %s", identity->place);
    if (identity->expected)
        g_string_append(name, " (expected)");
    report_words_paint(out, color ? REPORT_BOLD : REPORT_PLAIN,
                       identity->expected ? "shown    " : "finding  ");
    report_words_wrap(out, name->str, 9, WIDTH);
    g_string_append_printf(out, "first    %s\n", witness->replay);
    append_command(out, "shrunk   heddle replay", witness->shrunk_trace);
    if (witness->lua != NULL)
        g_string_append_printf(out, "scenario %s\n", witness->lua);
    return g_string_free(out, FALSE);
}

static void
append_duration(GString *out, uint64_t seconds)
{
    if (seconds < 60)
        g_string_append_printf(out, "%" PRIu64 " s", seconds);
    else if (seconds < 3600)
        g_string_append_printf(out, "%" PRIu64 " min", seconds / 60);
    else
        g_string_append_printf(out, "%" PRIu64 " h %" PRIu64 " min",
                               seconds / 3600, seconds / 60 % 60);
}

char *
campaign_report_progress(const CampaignProgress *progress, unsigned width)
{
    g_autoptr(GString) line = g_string_new(NULL);
    GString *out = g_string_new(NULL);

    g_string_append_printf(
        line,
        "case %u  %" PRIu64 " runs  %" PRIu64 "/s  coverage %" PRIu64
        "  %" PRIu64 " finding%s  nothing new for ",
        progress->item->number, progress->runs, progress->per_second,
        progress->coverage, progress->findings,
        progress->findings == 1 ? "" : "s");
    append_duration(line, progress->quiet_seconds);
    report_words_cut(out, line->str, width);
    return g_string_free(out, FALSE);
}

/* --- The end -------------------------------------------------------------- */

/* What the store has of a campaign. */
typedef struct Content {
    CampaignKey key;
    GArray *runs;
    GPtrArray *tallies, *identities, *findings;
    uint64_t made, steps;
    char *promise;
} Content;

static void
clear_content(Content *content)
{
    campaign_key_clear(&content->key);
    g_free(content->promise);
    g_clear_pointer(&content->runs, g_array_unref);
    g_clear_pointer(&content->tallies, g_ptr_array_unref);
    g_clear_pointer(&content->identities, g_ptr_array_unref);
    g_clear_pointer(&content->findings, g_ptr_array_unref);
}

/* What its runs are worth: what the strategy said of this case, or says of
 * all; NULL if that is not known. */
static char *
find_promise(CampaignStore *store, uint64_t campaign, const char *strategy)
{
    g_autofree char *name = g_strndup(strategy, strcspn(strategy, ","));
    char *promise = NULL;
    unsigned count;
    const StrategyKind *const *kinds = strategy_kinds(&count);

    if (campaign_store_state_of(store, campaign, CAMPAIGN_STATE_PROMISE,
                                &promise, NULL) &&
        promise != NULL)
        return promise;
    for (unsigned i = 0; i < count; i++)
        if (g_str_equal(kinds[i]->name, name))
            return g_strdup(kinds[i]->guarantee);
    return NULL;
}

static bool
load(CampaignStore *store, uint64_t campaign, Content *content, GError **error)
{
    *content = (Content){0};
    if (!campaign_store_key(store, campaign, &content->key, error))
        return false;
    content->promise =
        find_promise(store, campaign, content->key.strategy);
    content->runs = campaign_store_runs(store, campaign, error);
    if (content->runs == NULL)
        return false;
    content->tallies = campaign_store_tallies(store, campaign, error);
    if (content->tallies == NULL)
        return false;
    content->identities = campaign_store_identities(store, campaign, error);
    if (content->identities == NULL)
        return false;
    content->findings =
        campaign_store_witnesses(store, campaign, true, error);
    if (content->findings == NULL)
        return false;
    for (guint i = 0; i < content->tallies->len; i++) {
        const CampaignTally *tally = g_ptr_array_index(content->tallies, i);

        content->made += tally->runs;
        content->steps += tally->steps;
    }
    return true;
}

static const CampaignIdentity *
identity_of(const Content *content, const CampaignWitness *witness)
{
    static const CampaignIdentity unknown = {
        .verdict = (char *)"unknown", .place = (char *)"", .key = (char *)""};

    for (guint i = 0; i < content->identities->len; i++) {
        const CampaignIdentity *identity =
            g_ptr_array_index(content->identities, i);

        if (g_str_equal(identity->key, witness->identity))
            return identity;
    }
    return &unknown;
}

static void
append_findings(const Content *content, GString *out)
{
    const CampaignIdentity *told = NULL;

    for (guint i = 0; i < content->findings->len; i++) {
        const CampaignWitness *witness =
            g_ptr_array_index(content->findings, i);
        const CampaignIdentity *identity = identity_of(content, witness);
        g_autoptr(GString) text = g_string_new(identity->verdict);

        if (*identity->place != '\0')
            g_string_append_printf(text, " at %s", identity->place);
        if (identity == told)
            g_string_append(text, ": another way to it");
        else
            g_string_append_printf(text, ": %" PRIu64 " of %" PRIu64 " runs",
                                   identity->count, content->made);
        told = identity;
        g_string_append(out, identity->expected ? "     shown  "
                                                : "     FOUND  ");
        report_words_wrap(out, text->str, 12, WIDTH);
        g_string_append_printf(out, "            %s\n", witness->replay);
        append_command(out, "            heddle show", witness->shrunk_trace);
        append_command(out, "            heddle run", witness->lua);
    }
}

static void
append_tallies(const Content *content, GString *out)
{
    for (guint i = 0; i < content->tallies->len; i++) {
        const CampaignTally *tally = g_ptr_array_index(content->tallies, i);

        g_string_append_printf(out, "%s%" PRIu64 " %s", i > 0 ? ", " : "",
                               tally->runs, tally->verdict);
    }
}

static char *
print_text(const Content *content)
{
    GString *out = g_string_new(NULL);
    g_autoptr(GString) line = g_string_new(NULL);
    const CampaignKey *key = &content->key;

    g_string_append_printf(out, "%3u  ", key->case_number);
    report_words_wrap(out, key->title, 5, WIDTH);
    g_string_append_printf(
        line, "%" PRIu64 " runs (%s, memory %s, from seed %" PRIu64,
        content->made, key->strategy, key->memory, key->first_seed);
    if (key->shard > 0 && key->shards > 1)
        g_string_append_printf(line, ", shard %u of %u", key->shard,
                               key->shards);
    g_string_append(line, "): ");
    append_tallies(content, line);
    g_string_append(out, "     ");
    report_words_wrap(out, line->str, 5, WIDTH);
    if (content->promise != NULL) {
        g_string_append(out, "     ");
        report_words_wrap(out, content->promise, 5, WIDTH);
    }
    append_findings(content, out);
    if (content->findings->len == 0)
        g_string_append(out, "     nothing found in these runs\n");
    return g_string_free(out, FALSE);
}

static char *
print_json(const Content *content, const CampaignReportWish *wish)
{
    GString *out = g_string_new(NULL);
    const CampaignKey *key = &content->key;
    g_autofree char *line = NULL;
    Json *json;

    for (guint i = 0; wish->findings && i < content->findings->len; i++) {
        const CampaignWitness *witness =
            g_ptr_array_index(content->findings, i);
        g_autofree char *finding = campaign_report_json_finding(
            key, identity_of(content, witness), witness);

        g_string_append_printf(out, "%s\n", finding);
    }
    json = json_new("campaign");
    json_text(json, "scenario", key->scenario);
    json_text(json, "case", key->title);
    json_u64(json, "case_number", key->case_number);
    json_text(json, "strategy", key->strategy);
    json_text(json, "guarantee", content->promise);
    json_text(json, "memory", key->memory);
    json_u64(json, "first_seed", key->first_seed);
    json_u64(json, "runs", content->made);
    json_u64(json, "steps", content->steps);
    json_u64(json, "findings", content->findings->len);
    json_open_object(json, "verdicts");
    for (guint i = 0; i < content->tallies->len; i++) {
        const CampaignTally *tally = g_ptr_array_index(content->tallies, i);

        json_u64(json, tally->verdict, tally->runs);
    }
    json_close(json);
    line = json_finish(json);
    g_string_append_printf(out, "%s\n", line);
    return g_string_free(out, FALSE);
}

char *
campaign_report_summary(CampaignStore *store, uint64_t campaign,
                        const CampaignReportWish *wish, unsigned *findings,
                        GError **error)
{
    Content content;
    char *text = NULL;

    if (load(store, campaign, &content, error)) {
        *findings = content.findings->len;
        text = wish->json ? print_json(&content, wish)
                          : print_text(&content);
    }
    clear_content(&content);
    return text;
}
