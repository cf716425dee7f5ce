/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_storms -- which recorded bugs are found from a general storm, by
 * which strategy, after how many schedules and seconds.
 *
 *      bench_storms [--seconds N] [--ipiq PATH] [--strategy NAME]...
 *                   [--only TEXT]...
 *
 * A storm knows no bug: its stories act at random, and its claims are what must
 * hold whatever they do.  The bug is in the kernel as written or of that time,
 * which is a mutant; or the stories do what a rule forbids.  In each case there
 * is one with the remedy, or where the rule is obeyed, that stays clean.
 *
 * Prints a Markdown table.  A search begins with seed 1, has a strategy that
 * has learned nothing, and ends with the first finding: a claim of the case
 * that is `possible` and shown, or any that is broken if it has none such.
 * Seconds are those of one processor, with the census and without the building
 * of the guest.  What one strategy has found the others look for in a sixth of
 * the time only.
 */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wallclock.h"
#include "check/check.h"
#include "script/guestbuild.h"

static const uint64_t second = 1000000000u; /* in nanoseconds */
#define COLUMNS_MAX 8u

typedef struct Row {
    const char *bugs; /* their numbers in our collection, blanks between */
    const char *what;
    const char *storm;  /* NULL: there is none */
    unsigned item;      /* which case, from 1 */
    const char *with;   /* mutants to add, commas between; or NULL */
    const char *memory; /* NULL: as the case has it */
    unsigned claim;     /* only this one counts, from 1; 0: any */
} Row;

#define LFENCES "no_index_lfence,no_slot_lfence"

static const Row rows[] = {
    {"R1", "two have claimed each other's mail", "sends", 1, NULL, NULL, 0},
    {"R2", "three have, in a ring", "relays", 1, NULL, NULL, 0},
    {"R3", "callbacks nest too deep", "echoes", 2, NULL, NULL, 0},
    {"R4", "passive messages wait for ever", "passives", 1, NULL, NULL, 0},
    {"R6", "a cpusync of who was not asked", "stops", 1, NULL, NULL, 0},
    {"R9", "a mask in a dead frame", "synchronizes", 1, NULL, NULL, 0},
    {"R10", "a message wants the sender's lock", "locks", 1, NULL, NULL, 2},
    {"R11", "the target spins on it", "locks", 2, NULL, NULL, 2},
    {"R12", "two masters at once", "cpusyncs", 1, NULL, NULL, 0},
    {"R13", "a master spins", "masters", 1, NULL, NULL, 0},
    {"R14", "a wakeup passes its store", "sleeps", 1, NULL, NULL, 0},
    {"R19", "callbacks wait for each other", "waits", 1, NULL, NULL, 2},
    {"R20", "a message to itself", "selves", 1, NULL, NULL, 0},
    {"R21", "interrupts where they are off", "clis", 1, NULL, NULL, 2},
    {"R22", "a FIFO is filled again", "refills", 1, NULL, NULL, 1},
    {"R28", "a message is overtaken", "talkers", 1, NULL, NULL, 0},
    {"R30", "stopped with the right to knock", "pauses", 2, NULL, NULL, 0},
    {"R31", "a gate in a callback", "gates", 1, NULL, NULL, 0},
    {"H01", "a plain release", "sends", 2, "plain_release,no_mfence", "tso", 0},
    {"H02", "a limit upside down", "echoes", 3, "hysteresis", NULL, 0},
    {"H03", "slots read too early", "sends", 2, LFENCES, "weak,barriers=source",
     0},
    {"H04", "a token in a callback", "threads", 3, "schedule_takes_token", NULL,
     0},
    {"H05", "a stopped cpu is deaf", "stops", 2, "deaf_stop", NULL, 0},
    {"H05", "or hears a message twice", "restarts", 1, NULL, NULL, 1},
    {"H07", "a lock under a token", "buffers", 1, NULL, NULL, 0},
    {"H09", "wakeups in a chain", "wakeups", 1, NULL, NULL, 0},
    {"H10", "a process gone in flight", "lives", 1, NULL, NULL, 0},
    {"H11 H21", "loops that serve nobody", "spins", 2, NULL, NULL, 0},
    {"H12", "a debugger is interrupted", "debuggers", 1, NULL, NULL, 1},
    {"H13", "2005: a bit for an interlock", "sleeps", 2, "tsleep_200511", "sc",
     0},
    {"H13", "2009: a second look at it", "sleeps", 2, "tsleep_200907", "sc", 0},
    {"H14", "queued, never scheduled", "threads", 3, "schedule_refuses_tsleepq",
     NULL, 0},
    {"H14", "gone, and on the queue", "threads", 3, "exit_on_queue", NULL, 0},
    {"H15", "released before queued", "releases", 1, NULL, NULL, 0},
    {"H16", "waits for a token half asleep", "sleeps", 2, "tsleep_token_late",
     "sc", 0},
    {"H16", "removed twice", "sleeps", 2, "tsleep_remove_open", "sc", 0},
    {"H16", "a timeout of an old sleep", "timeouts", 1, NULL, NULL, 0},
    {"H17", "a zone gone in flight", "zones", 1, NULL, NULL, 0},
    {"H18", "handlers with interrupts off", "shootdowns", 1, NULL, NULL, 0},
    {"H19", "flagged again", "holds", 1, NULL, NULL, 0},
    {"H19", "neither flagged nor served", "holds", 2, NULL, NULL, 0},
    {"H20", "splz when descheduled", "migrations", 3, "late_splz", NULL, 0},
    {"H22", "handed over before the switch", "migrations", 1, NULL, NULL, 0},
    {"H23", "full, and no knock", "sends", 2, "no_knock_full", NULL, 0},
    {"H23", "one knock", "relays", 2, "knock_once", NULL, 0},
    {"H23", "refused, and still inside", "echoes", 3, "enoent_in_crit", NULL,
     0},
    {"H24", "a stray semicolon", "sends", 2, "stray_semicolon", NULL, 0},
    {"H25", "outside of critical sections", "spins", 3, NULL, NULL, 0},
    {"H27", "a thread moves between sends", "streams", 1, NULL, NULL, 0},
    {"H28", "an EOI spoils the ICR", "sends", 2, "icr_open,eoi_drops", NULL, 0},
    {"H32", "rounds are counted", "waiters", 1, NULL, NULL, 0},
    {"H33", "a delayed wakeup stays", "sleeps", 2, "wakeup_delayed_one", "sc",
     0},
    {"H34", "shared: test, then set", "readers", 1, NULL, NULL, 0},
    {"H36", "resumed without a look", "pauses", 1, NULL, NULL, 0},
    {"H38", "two knocks in flight", NULL, 0, NULL, NULL, 0},
    {"H39", "a count of tokens is negative", NULL, 0, NULL, NULL, 0},
    {"H40", "an IPI is lost", "losses", 1, NULL, NULL, 0},
    {"H41", "sent before it was up", "arrivals", 1, NULL, NULL, 0},
    {"H43", "critcount moved by gcc", "locks", 3, "unlock_crit_first", NULL, 0},
    {"H44", "undone in two steps", "requests", 2, "undo_in_two", NULL, 0},
    {"H44", "given up in silence", "requests", 1, NULL, NULL, 0},
    {"H45", "more masters than slots", "crowds", 1, NULL, NULL, 0},
    {"H46", "unlock does not look", "spins", 1, NULL, NULL, 0},
    {"H47", "exclusive turns shared", "readers", 3, NULL, NULL, 0},
    {"H47", "one waits, so no SHARED", "readers", 4, NULL, NULL, 0},
};

static const char *const usual[] = {"random", "pct", "surw", "fuzz", NULL};

typedef struct Options {
    unsigned seconds;
    const char *ipiq;
    char **only;
    const char *const *strategies;
} Options;

/* What a search came to. */
typedef struct Result {
    bool found;
    uint64_t schedules, nanoseconds;
} Result;

/* Of all rows. */
typedef struct Score {
    GHashTable *all, *found; /* sets of numbers */
    unsigned rows, rows_found, by_strategy[COLUMNS_MAX];
} Score;

static void
must(bool ok, GError *error)
{
    if (ok)
        return;
    fprintf(stderr, "bench_storms: %s\n", error->message);
    exit(2);
}

/* What a case looks for counts, and nothing else; if it looks for nothing, as
 * the case of a remedy to which a bug was added, what must not happen. */
static Quantifier
quantifier_of(const ScenarioCase *item)
{
    for (guint i = 0; i < item->claims->len; i++) {
        const Claim *claim = g_ptr_array_index(item->claims, i);

        if (claim->quantifier == CLAIM_POSSIBLE)
            return CLAIM_POSSIBLE;
    }
    return CLAIM_NEVER;
}

static bool
shows(const Trial *trial, const Row *row)
{
    Quantifier quantifier = quantifier_of(trial->item);

    for (guint i = 0; i < trial->claims->len; i++) {
        const Claim *claim = g_ptr_array_index(trial->claims, i);

        if ((row->claim == 0 || row->claim == i + 1) &&
            claim->quantifier == quantifier && probe_occurred(trial->probe, i))
            return true;
    }
    return false;
}

static Result
search(Check *check, const Row *row, const TrialOptions *options,
       unsigned seconds)
{
    const ScenarioCase *item = g_ptr_array_index(check_scenario(check)->cases,
                                                 row->item - 1);
    Result result = {0};
    GError *error = NULL;
    uint64_t begun;
    Trial trial;

    /* Builds the guest, if that was not done yet. */
    must(check_stage(check, item, &error) != NULL, error);
    begun = wallclock_cpu();
    must(check_prepare_with(check, item, options, &trial, &error), error);
    while (!result.found && result.nanoseconds < seconds * second) {
        RunRecord record;

        must(trial_run(&trial, ++result.schedules, NULL, &record, &error),
             error);
        result.found = !record.cut && shows(&trial, row);
        result.nanoseconds = wallclock_cpu() - begun;
    }
    trial_clear(&trial);
    return result;
}

static Result
bench_cell(const Row *row, const char *strategy, unsigned seconds,
           const Options *options)
{
    g_autofree char *name = g_strdup_printf("storm_of_%s.lua", row->storm);
    g_autofree char *path = g_build_filename(guestbuild_data(), "scenarios",
                                             "dragonfly", name, NULL);
    g_auto(GStrv) mutants = row->with != NULL ? g_strsplit(row->with, ",", -1)
                                              : NULL;
    TrialOptions trial = {.stage.ipiq = options->ipiq,
                          .strategy = strategy,
                          .mutants = mutants,
                          .first_seed = 1};
    MemoryOptions memory;
    GError *error = NULL;
    g_autoptr(Check) check = NULL;

    if (row->memory != NULL) {
        must(memmodel_parse(row->memory, &memory, &error), error);
        trial.memory = &memory;
    }
    check = check_new(path, &trial, &error);
    must(check != NULL, error);
    return search(check, row, &trial, seconds);
}

static void
print_cell(const Result *result)
{
    if (result->found)
        printf(" | %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT ".%02u s",
               result->schedules, result->nanoseconds / second,
               (unsigned)(result->nanoseconds / (second / 100) % 100));
    else
        printf(" | none of %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT " s",
               result->schedules, result->nanoseconds / second);
    fflush(stdout);
}

static void
keep_score(Score *score, const Row *row, bool found)
{
    g_auto(GStrv) bugs = g_strsplit(row->bugs, " ", -1);

    score->rows += row->storm != NULL;
    score->rows_found += found;
    for (char **bug = bugs; *bug != NULL; bug++) {
        g_hash_table_add(score->all, g_strdup(*bug));
        if (found)
            g_hash_table_add(score->found, g_strdup(*bug));
    }
}

static void
print_built(const Row *row)
{
    g_auto(GStrv)
        mutants = g_strsplit(row->with != NULL ? row->with : "", ",", -1);
    g_autofree char *with = g_strjoinv(" ", mutants);
    g_autofree char *memory = row->memory != NULL ? g_strdup(row->memory)
                                                  : g_strdup("");

    printf("| %s | %s | %s %u | %s%s%s", row->bugs, row->what, row->storm,
           row->item, with, *with != '\0' && *memory != '\0' ? "; " : "",
           memory);
}

static void
bench_row(const Row *row, const Options *options, Score *score)
{
    bool found = false;

    if (row->storm != NULL)
        print_built(row);
    else
        printf("| %s | %s | none | ", row->bugs, row->what);
    for (unsigned i = 0; options->strategies[i] != NULL && i < COLUMNS_MAX;
         i++) {
        Result result;

        if (row->storm == NULL) {
            printf(" | ");
            continue;
        }
        result = bench_cell(
            row, options->strategies[i],
            found ? MAX(options->seconds / 6, 1) : options->seconds, options);
        print_cell(&result);
        found = found || result.found;
        score->by_strategy[i] += result.found;
    }
    printf(" |\n");
    keep_score(score, row, found);
}

static bool
is_wanted(const Row *row, char **only)
{
    g_autofree char *name = g_strdup_printf(
        "%s %s %s", row->bugs, row->what, row->storm != NULL ? row->storm : "");

    if (only == NULL)
        return true;
    for (; *only != NULL; only++)
        if (strstr(name, *only) != NULL)
            return true;
    return false;
}

static void
print_score(const Score *score, const Options *options)
{
    printf("\n%u of %u bugs found, in %u of %u forms:",
           g_hash_table_size(score->found), g_hash_table_size(score->all),
           score->rows_found, score->rows);
    for (unsigned i = 0; options->strategies[i] != NULL && i < COLUMNS_MAX; i++)
        printf(" %s %u%s", options->strategies[i], score->by_strategy[i],
               options->strategies[i + 1] != NULL ? "," : "\n");
}

static void
bench_storms(const Options *options)
{
    Score score = {
        .all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
    };

    printf("| DF- | bug | storm, case | built with");
    for (unsigned i = 0; options->strategies[i] != NULL; i++)
        printf(" | %s", options->strategies[i]);
    printf(" |\n| --- | --- | --- | ---");
    for (unsigned i = 0; options->strategies[i] != NULL; i++)
        printf(" | ---");
    printf(" |\n");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (is_wanted(&rows[i], options->only))
            bench_row(&rows[i], options, &score);
    print_score(&score, options);
    g_hash_table_unref(score.all);
    g_hash_table_unref(score.found);
}

int
main(int argc, char **argv)
{
    gint seconds = 60;
    Options options = {0};
    g_autofree char *ipiq = NULL;
    g_auto(GStrv) only = NULL;
    g_auto(GStrv) strategies = NULL;
    const GOptionEntry entries[] = {
        {"seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "of a search at most",
         "N"},
        {"ipiq", 0, 0, G_OPTION_ARG_FILENAME, &ipiq, "as of heddle run",
         "PATH"},
        {"only", 0, 0, G_OPTION_ARG_STRING_ARRAY, &only,
         "rows with this in number, name or storm", "TEXT"},
        {"strategy", 0, 0, G_OPTION_ARG_STRING_ARRAY, &strategies,
         "only with this one", "NAME"},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    GError *error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    must(g_option_context_parse(context, &argc, &argv, &error), error);
    options = (Options){
        .seconds = (unsigned)MAX(seconds, 1),
        .ipiq = ipiq,
        .only = only,
        .strategies = strategies != NULL ? (const char *const *)strategies
                                         : usual,
    };
    bench_storms(&options);
    return 0;
}
