/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "campaign/campaign.h"
#include "campaign/campaign_crew.h"
#include "campaign/campaign_report.h"
#include "cli/commands.h"
#include "cli/options.h"

static const char description[] =
    "Searches: makes run after run of the scenario's cases and keeps what\n"
    "they show in a store, on disk before it is said.  Goes on until --time\n"
    "or --runs is reached, or until it is interrupted; --resume goes on after\n"
    "that.  The same runs give the same findings, whatever --jobs, --shard\n"
    "and interruptions; not so with fuzz, whose runs depend on those before\n"
    "them.  Exit status 0 if nothing was found, 1 if something was, 2 if a\n"
    "file or the store is wrong.";

typedef struct Explore {
    Options options;
    CampaignOptions campaign;
    Campaign *running;
    /* As they were written. */
    char *jobs, *time, *patience, *shard, *store;
    char *traces; /* a folder */
    gboolean resume;
    bool has_line; /* a progress line is on the terminal */
    bool shows_progress;
} Explore;

/* --- The command line ----------------------------------------------------- */

static bool
usage_error(const char *option, const char *text, const char *wanted,
            GError **error)
{
    g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_USAGE, "--%s %s: %s",
                option, text, wanted);
    return false;
}

static bool
read_jobs(Explore *explore, GError **error)
{
    guint64 jobs = 1;

    if (explore->jobs != NULL &&
        !g_ascii_string_to_unsigned(explore->jobs, 10, 1, CAMPAIGN_CREW_MAX,
                                    &jobs, NULL))
        return usage_error("jobs", explore->jobs,
                           "a number of processes from 1 to 256 is wanted",
                           error);
    explore->campaign.jobs = (unsigned)jobs;
    return true;
}

/* 60, 90s, 5m, 2h, 1d */
static bool
read_time(const char *option, const char *text, uint64_t *seconds,
          GError **error)
{
    static const struct {
        char letter;
        uint64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    g_autofree char *digits = g_strdup(text);
    uint64_t unit = 1;
    guint64 number;
    size_t length;

    if (digits == NULL)
        return true;
    length = strlen(digits);
    for (size_t i = 0; i < G_N_ELEMENTS(units) && length > 0; i++)
        if (digits[length - 1] == units[i].letter) {
            digits[length - 1] = '\0';
            unit = units[i].seconds;
            break;
        }
    if (!g_ascii_string_to_unsigned(digits, 10, 1, 1000000, &number, NULL))
        return usage_error(option, text,
                           "a time like 60, 90s, 5m, 2h or 1d is wanted",
                           error);
    *seconds = number * unit;
    return true;
}

static bool
read_shard(Explore *explore, GError **error)
{
    g_auto(GStrv) parts = NULL;
    guint64 shard, shards;

    explore->campaign.shard = explore->campaign.shards = 1;
    if (explore->shard == NULL)
        return true;
    parts = g_strsplit(explore->shard, "/", -1);
    if (g_strv_length(parts) != 2 ||
        !g_ascii_string_to_unsigned(parts[1], 10, 1, 1000000, &shards,
                                    NULL) ||
        !g_ascii_string_to_unsigned(parts[0], 10, 1, shards, &shard, NULL))
        return usage_error("shard", explore->shard,
                           "I/N is wanted, with I from 1 to N", error);
    explore->campaign.shard = (unsigned)shard;
    explore->campaign.shards = (unsigned)shards;
    return true;
}

static bool
check_options(Explore *explore, GError **error)
{
    const Options *options = &explore->options;

    if (options->files[1] != NULL) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_USAGE,
                    "one scenario at a time: %s is one too many",
                    options->files[1]);
        return false;
    }
    return true;
}

static bool
read_options(Explore *explore, int *argc, char ***argv, GError **error)
{
    const GOptionEntry entries[] = {
        {"jobs", 'j', 0, G_OPTION_ARG_STRING, &explore->jobs,
         "processes that make runs (1)", "J"},
        {"time", 0, 0, G_OPTION_ARG_STRING, &explore->time,
         "how long to search: 60, 90s, 5m, 2h", "T"},
        {"patience", 0, 0, G_OPTION_ARG_STRING, &explore->patience,
         "a run without a sign of life for so long hangs (2m)", "T"},
        {"shard", 0, 0, G_OPTION_ARG_STRING, &explore->shard,
         "every N-th run only, from the I-th", "I/N"},
        {"store", 0, 0, G_OPTION_ARG_FILENAME, &explore->store,
         "where findings are kept", "FILE"},
        {"resume", 0, 0, G_OPTION_ARG_NONE, &explore->resume,
         "go on with what the store has", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_autofree char *strategies = strategy_describe();
    g_autofree char *text =
        g_strdup_printf("%s\n\n%s", description, strategies);
    CampaignOptions *campaign = &explore->campaign;
    bool ok;

    explore->options.has = OPTIONS_CASE | OPTIONS_MACHINE | OPTIONS_RUNS |
                           OPTIONS_QUIET | OPTIONS_FIRST;
    explore->options.runs = "runs of each case (no end)";
    explore->options.more = entries;
    ok = options_read(&explore->options, argc, argv, "SCENARIO", text, error);
    explore->options.more = NULL;
    if (!ok || !read_jobs(explore, error) ||
        !read_time("time", explore->time, &campaign->seconds, error) ||
        !read_time("patience", explore->patience, &campaign->patience,
                   error) ||
        !read_shard(explore, error) || !check_options(explore, error))
        return false;
    campaign->check = explore->options.check;
    campaign->check.one_run = campaign->check.want_digests = false;
    campaign->runs = campaign->check.runs;
    campaign->case_number = explore->options.case_number;
    campaign->store = explore->store;
    campaign->folder = campaign->check.trace_folder;
    campaign->resume = explore->resume;
    /* Beside the store, unless somebody said where. */
    if (explore->store == NULL || explore->options.has_traces)
        return true;
    explore->traces = g_path_get_dirname(explore->store);
    campaign->check.trace_folder = explore->traces;
    return true;
}

/* --- What is said --------------------------------------------------------- */

static void
clear_line(Explore *explore)
{
    if (explore->has_line)
        fputs("\r\033[K", stderr);
    explore->has_line = false;
}

static void
found(void *user, const CampaignHunt *hunt, const CampaignIdentity *identity,
      const CampaignWitness *witness)
{
    Explore *explore = user;
    const Options *options = &explore->options;
    g_autofree char *text =
        options->json
            ? campaign_report_json_finding(&hunt->key, identity, witness)
            : campaign_report_finding(identity, witness, !options->quiet,
                                      options->check.color);

    clear_line(explore);
    printf("%s\n", text);
    fflush(stdout);
}

static void
progress(void *user, const CampaignProgress *now)
{
    Explore *explore = user;
    g_autofree char *line = NULL;
    struct winsize window = {.ws_col = 80};

    if (explore->options.json) {
        const CampaignHunt *hunt =
            g_ptr_array_index(campaign_hunts(explore->running), 0);

        line = campaign_report_json_progress(hunt->key.scenario, now);
        printf("%s\n", line);
        fflush(stdout);
    } else if (explore->shows_progress) {
        ioctl(STDERR_FILENO, TIOCGWINSZ, &window);
        line = campaign_report_progress(now, MAX(window.ws_col, 20) - 1u);
        fprintf(stderr, "\r%s\033[K", line);
        explore->has_line = true;
    }
}

static void
notice(void *user, const char *text)
{
    Explore *explore = user;

    clear_line(explore);
    fprintf(stderr, "heddle: %s\n", text);
}

static bool
summarise(Explore *explore, unsigned *findings, GError **error)
{
    const GPtrArray *hunts = campaign_hunts(explore->running);

    *findings = 0;
    for (guint i = 0; i < hunts->len; i++) {
        const CampaignHunt *hunt = g_ptr_array_index(hunts, i);
        CampaignReportWish wish = {
            .json = explore->options.json,
            .color = explore->options.check.color,
        };
        unsigned count;
        g_autofree char *text =
            campaign_report_summary(campaign_store(explore->running),
                                    hunt->campaign, &wish, &count, error);

        if (text == NULL)
            return false;
        *findings += count;
        fputs(text, stdout);
    }
    if (!explore->options.json)
        printf("%sthe store is %s; --resume goes on with it\n",
               campaign_interrupted(explore->running) ? "interrupted; " : "",
               campaign_store_path(explore->running));
    fflush(stdout);
    return true;
}

static bool
search(Explore *explore, unsigned *findings, GError **error)
{
    CampaignEvents events = {
        .found = found,
        .progress = progress,
        .notice = notice,
        .user = explore,
    };
    const char *no_color = g_getenv("NO_COLOR");
    bool ok;

    explore->shows_progress = isatty(STDERR_FILENO) &&
                              isatty(STDOUT_FILENO) &&
                              (no_color == NULL || *no_color == '\0');
    if (campaign_moved(explore->running) != NULL)
        fprintf(stderr, "heddle: the store of an earlier search is now %s\n",
                campaign_moved(explore->running));
    ok = campaign_run(explore->running, &events, error);
    clear_line(explore);
    return ok && summarise(explore, findings, error);
}

int
cmd_explore(int argc, char **argv, GError **error)
{
    Explore explore = {0};
    unsigned findings = 0;
    int status = EXIT_WORLD;

    if (read_options(&explore, &argc, &argv, error)) {
        explore.running = campaign_new(explore.options.files[0],
                                       &explore.campaign, error);
        if (explore.running != NULL && search(&explore, &findings, error))
            status = findings > 0 ? EXIT_FOUND : EXIT_HELD;
    }
    campaign_free(explore.running);
    options_clear(&explore.options);
    g_free(explore.jobs);
    g_free(explore.time);
    g_free(explore.patience);
    g_free(explore.shard);
    g_free(explore.store);
    g_free(explore.traces);
    return status;
}
