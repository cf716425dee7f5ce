/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <stdio.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/outfile.h"
#include "cli/replaying.h"
#include "report/report_json.h"
#include "report/report_junit.h"
#include "report/report_summary.h"
#include "report/report_tap.h"

static const char description[] =
    "Checks every case of the scenarios within its budget: one line for each\n"
    "claim, and for each finding its story and the command that replays it.\n"
    "Exit status 0 if every claim held, 1 if not, 2 if a file is wrong.";

/* What is said while running. */
typedef struct Output {
    const Options *options;
    ReportTotals totals;
    unsigned tap_count;
    GPtrArray *outcomes; /* CaseOutcome, all: for JUnit */
    GPtrArray *checks;   /* Check: outcomes speak of their scenarios */
    bool all_hold;
} Output;

static void
say(GString *text)
{
    fwrite(text->str, 1, text->len, stdout);
    fflush(stdout);
    g_string_free(text, TRUE);
}

static void
say_line(char *line)
{
    printf("%s\n", line);
    fflush(stdout);
    g_free(line);
}

/* A run, told as it is made: with --json an object, else a line. */
static void
tell_run(void *user, const Scenario *scenario, const ScenarioCase *item,
         const RunRecord *record)
{
    Output *output = user;
    const TrialOptions *check = &output->options->check;
    const MemoryOptions *memory =
        check->memory != NULL ? check->memory : &item->memory;

    if (output->options->json)
        say_line(report_json_run(scenario, item, record, memory));
    else if (!output->options->tap)
        printf("  run   seed %" PRIu64 ", %" PRIu64 " steps, %s, digest "
               "%016" PRIx64 "\n",
               record->seed, record->steps, verdict_name(record->verdict.kind),
               record->digest);
}

static void
tell_json(const Output *output, const CaseOutcome *outcome)
{
    const TrialOptions *check = &output->options->check;
    const MemoryOptions *memory =
        check->memory != NULL ? check->memory : &outcome->item->memory;

    for (guint i = 0; i < outcome->claims->len; i++)
        say_line(report_json_claim(
            outcome, &g_array_index(outcome->claims, ClaimOutcome, i)));
    for (guint i = 0; i < outcome->findings->len; i++)
        say_line(report_json_finding(outcome->scenario,
                                     g_ptr_array_index(outcome->findings, i),
                                     memory));
}

static void
tell_text(Output *output, const CaseOutcome *outcome)
{
    GString *text = g_string_new(NULL);

    report_summary_case(outcome, &output->totals, text,
                        output->options->check.color);
    for (guint i = 0; i < outcome->findings->len; i++) {
        const Finding *finding = g_ptr_array_index(outcome->findings, i);

        if (!output->options->quiet)
            g_string_append_printf(text, "\n%s\n", finding->story);
    }
    say(text);
}

static void
tell_case(Output *output, const CaseOutcome *outcome)
{
    GString *text;

    output->all_hold = output->all_hold && outcome->holds;
    if (output->options->json)
        tell_json(output, outcome);
    else if (output->options->tap) {
        text = g_string_new(NULL);
        report_tap_case(outcome, &output->tap_count, text);
        say(text);
    } else
        tell_text(output, outcome);
}

static bool
run_cases(Output *output, Check *check, GError **error)
{
    const Scenario *scenario = check_scenario(check);
    unsigned wanted = output->options->case_number;
    GString *text = g_string_new(NULL);

    if (wanted != 0 && replaying_case(scenario, wanted, error) == NULL) {
        g_string_free(text, TRUE);
        return false;
    }
    report_summary_scenario(scenario, &output->totals, text,
                            output->options->check.color);
    if (output->options->json || output->options->tap)
        g_string_truncate(text, 0);
    say(text);
    for (guint i = 0; i < scenario->cases->len; i++) {
        const ScenarioCase *item = g_ptr_array_index(scenario->cases, i);
        CaseOutcome *outcome;

        if (wanted != 0 && item->number != wanted)
            continue;
        outcome = check_case(check, item, error);
        if (outcome == NULL)
            return false;
        g_ptr_array_add(output->outcomes, outcome);
        tell_case(output, outcome);
    }
    return true;
}

/* One file.  What is wrong with it is said at once, and the others still
 * run. */
static bool
run_file(Output *output, const char *path)
{
    g_autoptr(GError) error = NULL;
    TrialOptions options = output->options->check;
    Check *check;

    if (output->options->has_seed || output->options->every_run) {
        options.ran = tell_run;
        options.user = output;
    }
    check = check_new(path, &options, &error);
    if (check != NULL) {
        g_ptr_array_add(output->checks, check);
        if (run_cases(output, check, &error)) {
            check_close(check);
            return true;
        }
    }
    fflush(stdout);
    fprintf(stderr, "heddle: %s\n", error->message);
    return false;
}

static bool
finish(Output *output, GError **error)
{
    const Options *options = output->options;
    GString *text = g_string_new(NULL);
    g_autofree char *junit = NULL;

    if (options->tap)
        report_tap_end(output->tap_count, text);
    else if (!options->json && output->totals.claims > 0)
        report_summary_end(&output->totals, text, options->check.color);
    say(text);
    if (options->junit == NULL)
        return true;
    junit = report_junit(output->outcomes);
    return outfile_write(options->junit, junit, error);
}

static int
run_files(Options *options, GError **error)
{
    Output output = {.options = options, .all_hold = true};
    bool world_is_right = true, finished;

    output.outcomes =
        g_ptr_array_new_with_free_func((GDestroyNotify)outcome_free);
    output.checks = g_ptr_array_new_with_free_func((GDestroyNotify)check_free);
    if (options->tap) {
        GString *text = g_string_new(NULL);

        report_tap_begin(text);
        say(text);
    }
    for (char **file = options->files; *file != NULL; file++)
        world_is_right = run_file(&output, *file) && world_is_right;
    finished = finish(&output, error);
    g_ptr_array_unref(output.outcomes);
    g_ptr_array_unref(output.checks);
    if (!finished || !world_is_right)
        return EXIT_WORLD;
    return output.all_hold ? EXIT_HELD : EXIT_FOUND;
}

int
cmd_run(int argc, char **argv, GError **error)
{
    Options options = {.has = OPTIONS_CASE | OPTIONS_MACHINE | OPTIONS_RUNS |
                              OPTIONS_TELL | OPTIONS_QUIET | OPTIONS_EVERY,
                       .runs = "runs of a case (2000)"};
    int status = EXIT_WORLD;

    if (options_read(&options, &argc, &argv, "SCENARIO...", description,
                     error))
        status = run_files(&options, error);
    options_clear(&options);
    return status;
}
