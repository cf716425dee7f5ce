/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "cli/replaying.h"

typedef struct Replaying {
    Options *options;
    ReplayingTell *tell;
    void *user;
} Replaying;

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

const ScenarioCase *
replaying_case(const Scenario *scenario, unsigned number, GError **error)
{
    if (number >= 1 && number <= scenario->cases->len)
        return g_ptr_array_index(scenario->cases, number - 1);
    g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_USAGE,
                "%s: no case %u; there are %u", scenario->path, number,
                scenario->cases->len);
    return NULL;
}

bool
replaying_refuse(const char *path, GError **error)
{
    const char *why = "is no trace: name the run of a scenario with --seed S "
                      "(and --case N)";

    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        why = "is a folder: a trace or a scenario is wanted";
    else if (!g_file_test(path, G_FILE_TEST_EXISTS))
        why = "is no file that is there";
    g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_USAGE, "%s %s",
                *path != '\0' ? path : "\"\"", why);
    return false;
}

/* The option that says what a trace says itself, or NULL. */
static const char *
find_spare_option(const Options *options)
{
    return options->has_seed              ? "seed"
           : options->case_number != 0    ? "case"
           : options->steps_max != 0      ? "steps"
           : options->strategy != NULL    ? "strategy"
           : options->memory_name != NULL ? "memory"
           : options->ipiq != NULL        ? "ipiq"
           : options->mutants != NULL     ? "mutant"
           : options->weaken != NULL      ? "weaken"
                                          : NULL;
}

bool
replaying_adopt(Options *options, const Trace *trace, GError **error)
{
    TrialOptions *check = &options->check;
    const char *spare = find_spare_option(options);

    if (spare != NULL) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_USAGE,
                    "--%s: the file says itself which run it keeps: leave "
                    "the option out", spare);
        return false;
    }
    if (!memmodel_parse(trace->memory, &options->memory, error))
        return false;
    check->memory = &options->memory;
    check->strategy = trace->strategy;
    check->stage.ipiq = trace->ipiq;
    check->weaken = trace->weaken;
    check->mutants = trace->mutants;
    check->steps_max = trace->steps_max;
    return true;
}

void
replaying_restore(Options *options)
{
    TrialOptions *check = &options->check;

    check->memory = NULL;
    if (options->memory_name != NULL &&
        memmodel_parse(options->memory_name, &options->memory, NULL))
        check->memory = &options->memory;
    check->strategy = options->strategy;
    check->stage.ipiq = options->ipiq;
    check->weaken = options->weaken;
    check->mutants = options->mutants;
    check->steps_max = options->steps_max;
}

static bool
replay_trace(Replaying *replaying, const char *path, Trace *trace,
             GError **error)
{
    CheckReplay replay = {
        .tape = &trace->tape, .trace = path, .image = &trace->image};
    Options *options = replaying->options;
    g_autoptr(Check) check = NULL;
    const ScenarioCase *item;
    Finding *finding;
    bool same;

    if (!trace_read(trace, path, error))
        return false;
    if (!replaying_adopt(options, trace, error)) {
        g_prefix_error(error, "%s: ", path);
        return false;
    }
    options->check.trace_folder = NULL;
    replay.seed = trace->seed;
    check = check_new(trace->scenario, &options->check, error);
    item = check == NULL ? NULL
                         : replaying_case(check_scenario(check),
                                          trace->case_number, error);
    finding = item == NULL ? NULL : check_replay(check, item, &replay, error);
    if (finding == NULL) {
        g_prefix_error(error, "%s: ", path);
        return false;
    }
    same = compare(trace, path, finding, error) &&
           replaying->tell(replaying->user, check_scenario(check), finding,
                           error);
    finding_free(finding);
    return same;
}

static bool
replay_seed(Replaying *replaying, const char *path, GError **error)
{
    Options *options = replaying->options;
    CheckReplay replay = {.seed = options->check.first_seed};
    g_autoptr(Check) check = NULL;
    const Scenario *scenario;

    options->check.trace_folder = NULL;
    check = check_new(path, &options->check, error);
    if (check == NULL)
        return false;
    scenario = check_scenario(check);
    if (options->case_number != 0 &&
        replaying_case(scenario, options->case_number, error) == NULL)
        return false;
    for (guint i = 0; i < scenario->cases->len; i++) {
        const ScenarioCase *item = g_ptr_array_index(scenario->cases, i);
        Finding *finding;
        bool told;

        if (options->case_number != 0 &&
            item->number != options->case_number)
            continue;
        finding = check_replay(check, item, &replay, error);
        if (finding == NULL)
            return false;
        told = replaying->tell(replaying->user, scenario, finding, error);
        finding_free(finding);
        if (!told)
            return false;
    }
    return true;
}

bool
replaying_all(Options *options, ReplayingTell *tell, void *user,
              GError **error)
{
    Replaying replaying = {.options = options, .tell = tell, .user = user};

    for (char **file = options->files; *file != NULL; file++) {
        bool ok;

        if (trace_is_trace(*file)) {
            Trace trace;

            trace_init(&trace);
            ok = replay_trace(&replaying, *file, &trace, error);
            replaying_restore(options);
            trace_clear(&trace);
        } else if (options->has_seed)
            ok = replay_seed(&replaying, *file, error);
        else
            ok = replaying_refuse(*file, error);
        if (!ok)
            return false;
    }
    return true;
}
