/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <stdio.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "people/report_json.h"
#include "search/trace.h"

static const char description[] =
    "Makes one run again, bit for bit, and tells its story: of a trace that\n"
    "a finding left, or of a scenario with --seed (and --case).  Exit status\n"
    "0 if the run is the one that was asked for, 2 if it cannot be made.";

static void
print_run(const Options *options, const Scenario *scenario,
          const Finding *finding)
{
    const MemoryOptions *memory = options->check.memory != NULL
                                      ? options->check.memory
                                      : &finding->item->memory;

    if (options->json) {
        g_autofree char *line =
            report_json_run(scenario, finding->item, &finding->run, memory);

        printf("%s\n", line);
    } else
        printf("%s\n", finding->story);
}

/* Is it the run that the trace recorded? */
static bool
compare(const Trace *trace, const char *path, const Finding *finding,
        GError **error)
{
    if (finding->run.digest == trace->digest)
        return true;
    g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT,
                "%s: the run ended with digest %016" PRIx64
                " and the trace says %016" PRIx64
                ": the trace is damaged, or the scenario has changed",
                path, finding->run.digest, trace->digest);
    return false;
}

static const ScenarioCase *
find_case(const Scenario *scenario, unsigned number, GError **error)
{
    if (number >= 1 && number <= scenario->cases->len)
        return g_ptr_array_index(scenario->cases, number - 1);
    g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_USAGE,
                "%s: no case %u; there are %u", scenario->path, number,
                scenario->cases->len);
    return NULL;
}

static bool
replay_trace(Options *options, const char *path, Trace *trace, GError **error)
{
    CheckReplay replay = {.tape = &trace->tape, .image = &trace->image};
    g_autoptr(Check) check = NULL;
    const ScenarioCase *item;
    Finding *finding;
    bool same;

    if (!trace_read(trace, path, error))
        return false;
    if (!memmodel_parse(trace->memory, &options->memory, error)) {
        g_prefix_error(error, "%s: ", path);
        return false;
    }
    options->check.memory = &options->memory;
    options->check.strategy = trace->strategy;
    options->check.stage.ipiq = trace->ipiq;
    options->check.trace_folder = NULL;
    replay.seed = trace->seed;
    check = check_new(trace->scenario, &options->check, error);
    if (check == NULL)
        return false;
    item = find_case(check_scenario(check), trace->case_number, error);
    if (item == NULL)
        return false;
    finding = check_replay(check, item, &replay, error);
    if (finding == NULL) {
        g_prefix_error(error, "%s: ", path);
        return false;
    }
    same = compare(trace, path, finding, error);
    if (same)
        print_run(options, check_scenario(check), finding);
    finding_free(finding);
    return same;
}

static bool
replay_seed(Options *options, const char *path, GError **error)
{
    CheckReplay replay = {.seed = options->check.first_seed};
    g_autoptr(Check) check = NULL;
    const Scenario *scenario;

    options->check.trace_folder = NULL;
    check = check_new(path, &options->check, error);
    if (check == NULL)
        return false;
    scenario = check_scenario(check);
    if (options->case_number != 0 &&
        find_case(scenario, options->case_number, error) == NULL)
        return false;
    for (guint i = 0; i < scenario->cases->len; i++) {
        const ScenarioCase *item = g_ptr_array_index(scenario->cases, i);
        Finding *finding;

        if (options->case_number != 0 &&
            item->number != options->case_number)
            continue;
        finding = check_replay(check, item, &replay, error);
        if (finding == NULL)
            return false;
        print_run(options, scenario, finding);
        finding_free(finding);
    }
    return true;
}

static bool
replay_files(Options *options, GError **error)
{
    for (char **file = options->files; *file != NULL; file++) {
        bool ok;

        if (trace_is_trace(*file)) {
            Trace trace;

            trace_init(&trace);
            ok = replay_trace(options, *file, &trace, error);
            options->check.strategy = NULL;
            options->check.stage.ipiq = options->ipiq;
            trace_clear(&trace);
        } else if (options->has_seed)
            ok = replay_seed(options, *file, error);
        else {
            g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_USAGE,
                        "%s is no trace: name the run of a scenario with "
                        "--seed S (and --case N)",
                        *file);
            ok = false;
        }
        if (!ok)
            return false;
    }
    return true;
}

int
cmd_replay(int argc, char **argv, GError **error)
{
    Options options = {0};
    int status = EXIT_WORLD;

    if (options_read(&options, &argc, &argv, "FILE|SCENARIO", description,
                     error) &&
        replay_files(&options, error))
        status = EXIT_HELD;
    options_clear(&options);
    return status;
}
