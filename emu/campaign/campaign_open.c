/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "campaign/campaign_open.h"

#include <glib/gstdio.h>

#include "base/digest.h"
#include "search/database.h"

/* --- Which file ----------------------------------------------------------- */

static char *
default_path(const Scenario *scenario, const CampaignOptions *options)
{
    g_autofree char *base = g_path_get_basename(scenario->path);
    g_autofree char *name = NULL;

    if (g_str_has_suffix(base, ".lua"))
        base[strlen(base) - 4] = '\0';
    if (options->case_number != 0)
        name = g_strdup_printf("%s-case%u.store", base, options->case_number);
    else
        name = g_strdup_printf("%s.store", base);
    return g_build_filename(options->folder, name, NULL);
}

static bool
rename_file(const char *from, const char *to, GError **error)
{
    if (!g_file_test(from, G_FILE_TEST_EXISTS) || g_rename(from, to) == 0)
        return true;
    g_set_error(error, CAMPAIGN_ERROR, CAMPAIGN_ERROR_STORE,
                "%s cannot be renamed: %s", from, g_strerror(errno));
    return false;
}

/* Out of the way, to the next free number: NAME.1.store. */
static bool
move_away(CampaignOpened *opened, GError **error)
{
    g_autofree char *stem =
        g_strndup(opened->path, strlen(opened->path) - strlen(".store"));
    g_autoptr(GError) failure = NULL;

    /* Opening finds out whether somebody uses it, and puts its log into it. */
    campaign_store_close(campaign_store_open(opened->path, true, &failure));
    if (g_error_matches(failure, DATABASE_ERROR, DATABASE_ERROR_BUSY)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    for (unsigned i = 1;; i++) {
        g_free(opened->moved);
        opened->moved = g_strdup_printf("%s.%u.store", stem, i);
        if (!g_file_test(opened->moved, G_FILE_TEST_EXISTS))
            break;
    }
    return rename_file(opened->path, opened->moved, error);
}

static bool
find_file(const Scenario *scenario, const CampaignOptions *options,
          CampaignOpened *opened, GError **error)
{
    g_autofree char *folder = NULL;

    opened->path = options->store != NULL ? g_strdup(options->store)
                                          : default_path(scenario, options);
    folder = g_path_get_dirname(opened->path);
    if (g_mkdir_with_parents(folder, 0777) != 0) {
        g_set_error(error, CAMPAIGN_ERROR, CAMPAIGN_ERROR_STORE,
                    "cannot make the folder %s: %s; name a store with --store",
                    folder, g_strerror(errno));
        return false;
    }
    if (options->resume || !g_file_test(opened->path, G_FILE_TEST_EXISTS))
        return true;
    if (options->store == NULL)
        return move_away(opened, error);
    g_set_error(error, CAMPAIGN_ERROR, CAMPAIGN_ERROR_STORE,
                "%s is there already: go on with it, with --resume, or name "
                "another",
                opened->path);
    return false;
}

/* --- What is searched ----------------------------------------------------- */

static bool
digest_file(const char *path, uint64_t *value, GError **error)
{
    g_autofree char *text = NULL;
    Digest digest;
    gsize size;

    if (!g_file_get_contents(path, &text, &size, error))
        return false;
    digest_init(&digest);
    digest_bytes(&digest, text, size);
    *value = digest_value(&digest);
    return true;
}

/* Of the guest as it is run: what is taken away is another guest. */
static bool
digest_image(const Scenario *scenario, const ScenarioCase *item,
             const CampaignOptions *options, uint64_t *value, GError **error)
{
    g_autofree char *path = stage_image_path(
        &scenario->system, item->mutants, &options->check.stage, error);
    const char *weaken = options->check.weaken;
    Digest digest;
    Image *image;

    if (path == NULL)
        return false;
    image = stage_load_image(&scenario->system, path, error);
    if (image == NULL)
        return false;
    *value = image_digest(image);
    image_free(image);
    if (weaken == NULL)
        return true;
    digest_init(&digest);
    digest_u64(&digest, *value);
    digest_bytes(&digest, weaken, strlen(weaken));
    *value = digest_value(&digest);
    return true;
}

static bool
describe(const Scenario *scenario, const ScenarioCase *item,
         const CampaignOptions *options, CampaignKey *key, GError **error)
{
    const TrialOptions *check = &options->check;
    const ScenarioBudget *budget = &item->budget;
    g_autoptr(Strategy) strategy = NULL;

    *key = (CampaignKey){
        .case_number = item->number,
        .first_seed = check->first_seed,
        .shard = options->shard,
        .shards = options->shards,
        .steps_max = check->steps_max != 0    ? check->steps_max
                     : budget->steps_max != 0 ? budget->steps_max
                                              : RUN_STEPS_MAX_DEFAULT,
    };
    if (!digest_file(scenario->path, &key->source, error) ||
        !digest_image(scenario, item, options, &key->image, error))
        return false;
    key->scenario = g_canonicalize_filename(scenario->path, NULL);
    key->title = g_strdup(item->title);
    key->ipiq = g_strdup(check->stage.ipiq);
    strategy = strategy_parse(check->strategy != NULL    ? check->strategy
                              : budget->strategy != NULL ? budget->strategy
                                                         : "random",
                              error);
    if (strategy == NULL)
        return false;
    key->strategy = g_strdup(strategy->text);
    key->memory =
        memmodel_print(check->memory != NULL ? check->memory : &item->memory);
    return true;
}

/* --- Hunts ---------------------------------------------------------------- */

static bool
is_of_case(const CampaignKey *key, const void *wanted)
{
    const ScenarioCase *item = wanted;

    return key->case_number == item->number;
}

/* Runs 0 to `runs` - 1 of all shards: how many are this one's. */
static uint64_t
share(uint64_t runs, const CampaignOptions *options)
{
    if (runs < options->shard)
        return 0;
    return (runs - options->shard) / options->shards + 1;
}

static bool
add_hunt(Check *check, const ScenarioCase *item,
         const CampaignOptions *options, CampaignOpened *opened,
         GError **error)
{
    CampaignHunt *hunt = NULL;
    int64_t campaign = -1;
    CampaignKey key;

    if (describe(check_scenario(check), item, options, &key, error))
        campaign = campaign_store_find(opened->store, is_of_case, item, error);
    if (campaign > 0)
        hunt = campaign_hunt_resume(opened->store, (uint64_t)campaign, item,
                                    &key, error);
    else if (campaign == 0)
        hunt = campaign_hunt_new(opened->store, item, &key, error);
    campaign_key_clear(&key);
    if (hunt == NULL) {
        g_prefix_error(error, "%s: ", opened->path);
        return false;
    }
    hunt->weaken = options->check.weaken;
    if (options->runs != 0)
        hunt->limit = share(options->runs, options);
    opened->resumed = opened->resumed || campaign > 0;
    g_ptr_array_add(opened->hunts, hunt);
    return true;
}

static bool
check_scenario_can_run(const Scenario *scenario,
                       const CampaignOptions *options, GError **error)
{
    if (scenario->code != NULL) {
        g_set_error(error, CAMPAIGN_ERROR, CAMPAIGN_ERROR_SCENARIO,
                    "%s: code is checked in all its behaviours by heddle run: "
                    "there is nothing to search",
                    scenario->path);
        return false;
    }
    if (options->case_number <= scenario->cases->len)
        return true;
    g_set_error(error, CAMPAIGN_ERROR, CAMPAIGN_ERROR_SCENARIO,
                "%s: no case %u; there are %u", scenario->path,
                options->case_number, scenario->cases->len);
    return false;
}

bool
campaign_open(Check *check, const CampaignOptions *options,
              CampaignOpened *opened, GError **error)
{
    const Scenario *scenario = check_scenario(check);

    *opened = (CampaignOpened){0};
    opened->hunts = g_ptr_array_new_with_free_func(
        (GDestroyNotify)campaign_hunt_free);
    if (!check_scenario_can_run(scenario, options, error) ||
        !find_file(scenario, options, opened, error))
        return false;
    opened->store = campaign_store_open(opened->path, true, error);
    if (opened->store == NULL)
        return false;
    for (guint i = 0; i < scenario->cases->len; i++) {
        const ScenarioCase *item = g_ptr_array_index(scenario->cases, i);

        if ((options->case_number == 0 ||
             item->number == options->case_number) &&
            !add_hunt(check, item, options, opened, error))
            return false;
    }
    return true;
}

void
campaign_open_clear(CampaignOpened *opened)
{
    g_clear_pointer(&opened->hunts, g_ptr_array_unref);
    g_clear_pointer(&opened->store, campaign_store_close);
    g_free(opened->path);
    g_free(opened->moved);
    *opened = (CampaignOpened){0};
}
