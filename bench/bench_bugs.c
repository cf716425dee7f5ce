/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_bugs -- how many schedules each strategy needs to find each bug.
 *
 *      bench_bugs [--trials N] [--limit N] [--ipiq PATH] [--only TEXT]...
 *      bench_bugs --seconds N [--strategy NAME]... [--only TEXT]...
 *
 * Prints a Markdown table: the median of the trials, and in brackets the
 * quartiles.  Trial t of a bug begins with seed t * STRIDE + 1, so trials
 * share no schedule, and each has a strategy of its own that has learned
 * nothing.  A trial that finds nothing within the limit counts as longer than
 * all that do; where some did, the cell says how many found it.  A strategy
 * that goes through schedules in order, whatever the seed, has one trial.
 *
 * SCTBench (Thomson, Donaldson, Betts, PPoPP 2014) and RFF (Wolff, Shi, Duck,
 * Mathur, Roychoudhury, ASPLOS 2024) report schedules to the first bug, and
 * this is the same measure.
 */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wallclock.h"
#include "check/check.h"
#include "script/guestbuild.h"

#define STRIDE 1000000u
/* After so many trials that found nothing the others are not made. */
#define HOPELESS 5u
#define TRIALS_MAX 100u
#define NANOSECONDS 1000000000ull

typedef struct Bug {
    const char *name, *scenario; /* below scenarios/dragonfly */
    unsigned item, claim;        /* which case, which of its claims: from 1 */
    const char *depth;           /* instead of the scenario's `D`, or NULL */
} Bug;

/* Storms first: their workload is random too. */
static const Bug bugs[] = {
    {"DF-R1, depth 8", "storm_of_sends", 1, 1, NULL},
    {"DF-R1, depth 32", "storm_of_sends", 1, 1, "32"},
    {"DF-R2, ring of three", "storm_of_relays", 1, 1, NULL},
    {"DF-R3, nested too deep", "storm_of_echoes", 2, 1, NULL},
    {"DF-R4, passive for ever", "storm_of_passives", 1, 1, NULL},
    {"DF-R6, never asked", "storm_of_stops", 1, 1, NULL},
    {"DF-R9, dead frame", "storm_of_synchronizes", 1, 2, NULL},
    {"DF-R9, two were last", "storm_of_synchronizes", 1, 1, NULL},
    {"DF-R10, own lock", "storm_of_locks", 1, 2, NULL},
    {"DF-R11, other's lock", "storm_of_locks", 2, 2, NULL},
    {"DF-R12, two masters", "storm_of_cpusyncs", 1, 1, NULL},
    {"DF-R13, master spins", "storm_of_masters", 1, 1, NULL},
    {"DF-R19, waiting callbacks", "storm_of_waits", 1, 2, NULL},
    {"DF-R20, to itself", "storm_of_selves", 1, 1, NULL},
    {"DF-R21, interrupts on", "storm_of_clis", 1, 2, NULL},
    {"Xcpustop, message twice", "storm_of_restarts", 1, 1, NULL},
    {"Xcpustop, held for ever", "storm_of_restarts", 1, 3, NULL},
    {"DF-R1, scripted", "claimed_mask_deadlock", 1, 1, NULL},
    {"DF-R2, scripted", "claimed_mask_ring", 1, 1, NULL},
    {"DF-R3, scripted", "callbacks_nest", 1, 1, NULL},
    {"DF-R12, scripted", "cpusync_two_masters", 1, 1, NULL},
    {"DF-R21, scripted", "send_with_interrupts_off", 1, 2, NULL},
    {"DF-R22, refilled", "refilled_while_waiting", 1, 1, NULL},
    {"DF-R28, overtaken", "low_cpu_first", 1, 1, NULL},
    {"DF-R31, gate", "schedule_opens_a_gate", 1, 1, NULL},
    {"no_drain", "fifo_full_mutual", 2, 1, NULL},
    {"no_recheck", "second_look", 2, 1, NULL},
    {"no_retest", "synchronize_and_sleep", 3, 1, NULL},
    {"interlock_late", "synchronize_and_sleep", 2, 1, NULL},
    {"unequal_indices", "indices_pass", 2, 1, NULL},
    {"early_ack", "cpusync_ripped_out", 2, 1, NULL},
    {"no_mfence and plain_release, tso", "lost_knock", 4, 1, NULL},
    {"DF-H42, tso", "wakeup_before_sleep", 1, 1, NULL},
    {"plain_sync_clear, tso", "synchronize_and_sleep", 4, 1, NULL},
    {"no sfence, pso", "slot_before_index", 1, 1, NULL},
    {"no lfence, weak", "slot_read_order", 4, 1, NULL},
};

/* They make one schedule whatever the seed, or want to be told an address. */
static const char *const left_out[] = {"round-robin", "calm", "aimed", NULL};

typedef struct Options {
    unsigned trials;
    uint64_t limit;
    const char *ipiq;
    char **only;
    char **strategies; /* only these; NULL: all that search */
    unsigned seconds;  /* 0: count schedules */
} Options;

static void
must(bool ok, GError *error)
{
    if (ok)
        return;
    fprintf(stderr, "bench_bugs: %s\n", error->message);
    exit(2);
}

/* The scenario's file; a copy with another depth, which the caller unlinks. */
static char *
path_of(const Bug *bug, bool *is_copy)
{
    g_autofree char *name = g_strconcat(bug->scenario, ".lua", NULL);
    g_autofree char *path = g_build_filename(guestbuild_data(), "scenarios",
                                             "dragonfly", name, NULL);
    g_autofree char *text = NULL;
    g_autofree char *changed = NULL;
    GString *whole;
    char *copy;
    GError *error = NULL;
    int handle;

    *is_copy = bug->depth != NULL;
    if (bug->depth == NULL)
        return g_steal_pointer(&path);
    must(g_file_get_contents(path, &text, NULL, &error), error);
    whole = g_string_new(text);
    changed = g_strconcat("local D = ", bug->depth, " --", NULL);
    g_string_replace(whole, "local D = ", changed, 1);
    handle = g_file_open_tmp("bench-XXXXXX.lua", &copy, &error);
    must(handle >= 0, error);
    close(handle);
    must(g_file_set_contents(copy, whole->str, -1, &error), error);
    g_string_free(whole, TRUE);
    return copy;
}

static const ScenarioCase *
case_of(Check *check, const Bug *bug)
{
    return g_ptr_array_index(check_scenario(check)->cases, bug->item - 1);
}

static bool
is_over(const Trial *trial)
{
    const StrategySearch *search = trial->strategy->search;

    return search != NULL && search->is_over(trial->strategy);
}

/* Schedules until the claim is shown; more than the limit if it is not. */
static uint64_t
schedules_of(Check *check, const Bug *bug, const TrialOptions *options,
             bool *whatever_the_seed)
{
    const ScenarioCase *item = case_of(check, bug);
    uint64_t made, found = options->runs + 1;
    GError *error = NULL;
    Trial trial;

    must(check_prepare_with(check, item, options, &trial, &error), error);
    *whatever_the_seed = trial.strategy->search != NULL;
    for (made = 1; made <= options->runs; made++) {
        RunRecord record;

        if (is_over(&trial))
            break;
        must(trial_run(&trial, options->first_seed + made - 1, NULL, &record,
                       &error), error);
        if (!record.cut && probe_occurred(trial.probe, bug->claim - 1)) {
            found = made;
            break;
        }
    }
    trial_clear(&trial);
    return found;
}

/* Keeps the results in order. */
static void
insert(uint64_t *results, unsigned count, uint64_t result)
{
    for (; count > 0 && results[count - 1] > result; count--)
        results[count] = results[count - 1];
    results[count] = result;
}

static void
print_cell(const uint64_t *results, unsigned trials, const Options *options)
{
    unsigned found = 0;
    uint64_t median, low, high;

    for (unsigned i = 0; i < trials; i++)
        found += results[i] <= options->limit;
    median = results[(trials - 1) / 2];
    low = results[(trials - 1) / 4];
    high = results[(trials - 1) - (trials - 1) / 4];
    printf(" | ");
    if (median > options->limit)
        printf(">%" G_GUINT64_FORMAT, options->limit);
    else if (trials == 1)
        printf("%" G_GUINT64_FORMAT, median);
    else if (high > options->limit)
        printf("%" G_GUINT64_FORMAT " [%" G_GUINT64_FORMAT "-]", median, low);
    else
        printf("%" G_GUINT64_FORMAT " [%" G_GUINT64_FORMAT "-%"
               G_GUINT64_FORMAT "]", median, low, high);
    if (found < trials)
        printf(", %u of %u", found, trials);
    fflush(stdout);
}

static void
bench_cell(const Bug *bug, const char *strategy, const Options *options)
{
    TrialOptions trial = {.stage.ipiq = options->ipiq, .strategy = strategy,
                          .runs = options->limit, .first_seed = 1};
    uint64_t results[TRIALS_MAX];
    unsigned made = 0, found = 0;
    bool is_copy, whatever_the_seed = false;
    g_autofree char *path = path_of(bug, &is_copy);
    GError *error = NULL;
    g_autoptr(Check) check = check_new(path, &trial, &error);

    must(check != NULL, error);
    while (made < options->trials && !(made == 1 && whatever_the_seed) &&
           !(made == HOPELESS && found == 0)) {
        uint64_t result;

        trial.first_seed = (uint64_t)made * STRIDE + 1;
        result = schedules_of(check, bug, &trial, &whatever_the_seed);
        found += result <= options->limit;
        insert(results, made++, result);
    }
    print_cell(results, made, options);
    if (is_copy)
        unlink(path);
}

/* Runs until time is up, whatever they show. */
static void
bench_seconds(const Bug *bug, const char *strategy, const Options *options)
{
    TrialOptions with = {.stage.ipiq = options->ipiq, .strategy = strategy,
                         .runs = options->limit, .first_seed = 1};
    bool is_copy;
    g_autofree char *path = path_of(bug, &is_copy);
    GError *error = NULL;
    g_autoptr(Check) check = check_new(path, &with, &error);
    uint64_t runs = 0, hangs = 0, panics = 0, begun = wallclock_now();
    Trial trial;

    must(check != NULL, error);
    must(check_prepare_with(check, case_of(check, bug), &with, &trial, &error),
         error);
    while (wallclock_now() - begun < options->seconds * NANOSECONDS &&
           !is_over(&trial)) {
        RunRecord record;

        must(trial_run(&trial, ++runs, NULL, &record, &error), error);
        hangs += record.verdict.kind == VERDICT_LIVELOCK ||
                 record.verdict.kind == VERDICT_DEADLOCK;
        panics += record.verdict.kind == VERDICT_PANIC;
    }
    printf("| %s, %s | %" G_GUINT64_FORMAT " | %" G_GUINT64_FORMAT
           " | %" G_GUINT64_FORMAT " hangs, %" G_GUINT64_FORMAT " panics |\n",
           bug->scenario, strategy, runs / options->seconds, runs, hangs,
           panics);
    fflush(stdout);
    trial_clear(&trial);
    if (is_copy)
        unlink(path);
}

static bool
is_wanted(const Bug *bug, char **only)
{
    if (only == NULL)
        return true;
    for (; *only != NULL; only++)
        if (strstr(bug->name, *only) != NULL)
            return true;
    return false;
}

static bool
is_column(const StrategyKind *kind, const Options *options)
{
    if (options->strategies != NULL)
        return g_strv_contains((const char *const *)options->strategies,
                               kind->name);
    return !g_strv_contains(left_out, kind->name);
}

static void
print_head(const StrategyKind *const *kinds, unsigned count,
           const Options *options)
{
    printf("| bug | scenario");
    for (unsigned k = 0; k < count; k++)
        if (is_column(kinds[k], options))
            printf(" | %s", kinds[k]->name);
    printf(" |\n| --- | ---");
    for (unsigned k = 0; k < count; k++)
        if (is_column(kinds[k], options))
            printf(" | ---");
    printf(" |\n");
}

static void
bench_bug(const Bug *bug, const Options *options)
{
    const StrategyKind *const *kinds;
    unsigned count;

    kinds = strategy_kinds(&count);
    if (options->seconds == 0)
        printf("| %s | %s %u", bug->name, bug->scenario, bug->item);
    for (unsigned k = 0; k < count; k++) {
        if (!is_column(kinds[k], options))
            continue;
        if (options->seconds == 0)
            bench_cell(bug, kinds[k]->name, options);
        else
            bench_seconds(bug, kinds[k]->name, options);
    }
    if (options->seconds == 0)
        printf(" |\n");
}

static void
bench_bugs(const Options *options)
{
    const StrategyKind *const *kinds;
    unsigned count;

    kinds = strategy_kinds(&count);
    if (options->seconds == 0)
        print_head(kinds, count, options);
    for (size_t i = 0; i < G_N_ELEMENTS(bugs); i++)
        if (is_wanted(&bugs[i], options->only))
            bench_bug(&bugs[i], options);
}

int
main(int argc, char **argv)
{
    gint trials = 20, seconds = 0;
    gint64 limit = 10000;
    Options options = {0};
    g_autofree char *ipiq = NULL;
    g_auto(GStrv) only = NULL;
    g_auto(GStrv) strategies = NULL;
    const GOptionEntry entries[] = {
        {"trials", 0, 0, G_OPTION_ARG_INT, &trials, "of each cell", "N"},
        {"limit", 0, 0, G_OPTION_ARG_INT64, &limit, "schedules of a trial",
         "N"},
        {"ipiq", 0, 0, G_OPTION_ARG_FILENAME, &ipiq, "as of heddle run",
         "PATH"},
        {"seconds", 0, 0, G_OPTION_ARG_INT, &seconds,
         "count runs and bad ends in so many seconds", "N"},
        {"only", 0, 0, G_OPTION_ARG_STRING_ARRAY, &only,
         "bugs with this in their name", "TEXT"},
        {"strategy", 0, 0, G_OPTION_ARG_STRING_ARRAY, &strategies,
         "only with this one", "NAME"},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    GError *error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    must(g_option_context_parse(context, &argc, &argv, &error), error);
    options = (Options){.trials = (unsigned)CLAMP(trials, 1, (int)TRIALS_MAX),
                        .limit = (uint64_t)MAX(limit, 1), .ipiq = ipiq,
                        .only = only, .strategies = strategies,
                        .seconds = (unsigned)MAX(seconds, 0)};
    bench_bugs(&options);
    return 0;
}
