/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <glib/gstdio.h>
#include <stdio.h>

#include "campaign/campaign_report.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "search/campaign_merge.h"

static const char description[] =
    "Joins the stores that `heddle explore --shard I/N` left, and prints what\n"
    "they found, as one search of all their runs would have.  With one FILE\n"
    "it prints what that has.  Exit status as explore's: 0 if nothing was\n"
    "found, 1 if something was, 2 if a file is wrong.";

typedef struct Merging {
    char **files;
    char *store;
    gboolean json;
} Merging;

static bool
read_options(Merging *merging, int *argc, char ***argv, GError **error)
{
    const GOptionEntry entries[] = {
        {"store", 'o', 0, G_OPTION_ARG_FILENAME, &merging->store,
         "keep the joined store", "OUT"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &merging->json,
         "print one JSON object a line", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY,
         &merging->files, NULL, NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("FILE...");

    g_option_context_set_summary(context, description);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, error))
        return false;
    if (merging->files == NULL || merging->files[0] == NULL) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_USAGE,
                    "no file: stores of heddle explore are wanted");
        return false;
    }
    if (merging->store == NULL ||
        !g_file_test(merging->store, G_FILE_TEST_EXISTS))
        return true;
    g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_USAGE,
                "--store %s is there already: name another", merging->store);
    return false;
}

static bool
join(const Merging *merging, CampaignStore *into, GError **error)
{
    for (char **file = merging->files; *file != NULL; file++) {
        g_autoptr(CampaignStore) from =
            campaign_store_open(*file, false, error);

        if (from == NULL)
            return false;
        if (!campaign_merge(into, from, error)) {
            g_prefix_error(error, "%s: ", *file);
            return false;
        }
    }
    return true;
}

static bool
print_all(const Merging *merging, CampaignStore *store, unsigned *findings,
          GError **error)
{
    g_autoptr(GError) failure = NULL;
    CampaignReportWish wish = {.json = merging->json, .findings = true};
    unsigned campaigns = campaign_store_count(store, &failure);

    *findings = 0;
    for (unsigned i = 1; failure == NULL && i <= campaigns; i++) {
        unsigned count = 0;
        g_autofree char *text =
            campaign_report_summary(store, i, &wish, &count, &failure);

        *findings += count;
        if (text != NULL)
            fputs(text, stdout);
    }
    if (failure == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* The joined store; without a name, a file that is gone afterwards. */
static bool
merge_files(Merging *merging, unsigned *findings, GError **error)
{
    g_autofree char *folder = NULL;
    g_autofree char *path = NULL;
    CampaignStore *into;
    bool ok;

    if (merging->store != NULL)
        path = g_strdup(merging->store);
    else {
        folder = g_dir_make_tmp("heddle-XXXXXX", error);
        if (folder == NULL)
            return false;
        path = g_build_filename(folder, "merged", NULL);
    }
    into = campaign_store_open(path, true, error);
    ok = into != NULL && join(merging, into, error) &&
         print_all(merging, into, findings, error);
    campaign_store_close(into);
    if (folder != NULL || !ok)
        g_unlink(path);
    if (folder != NULL)
        g_rmdir(folder);
    return ok;
}

int
cmd_merge(int argc, char **argv, GError **error)
{
    Merging merging = {0};
    unsigned findings = 0;
    int status = EXIT_WORLD;

    if (read_options(&merging, &argc, &argv, error) &&
        merge_files(&merging, &findings, error))
        status = findings > 0 ? EXIT_FOUND : EXIT_HELD;
    g_strfreev(merging.files);
    g_free(merging.store);
    return status;
}
