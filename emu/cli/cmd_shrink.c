/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <stdio.h>

#include "check/check.h"
#include "check/reduce.h"
#include "check/replica.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/replaying.h"
#include "report/json.h"

static const char description[] =
    "Finds the shortest schedule of a finding: of a trace that it left, or of\n"
    "a scenario with --case and --seed.  Says how many replays that took,\n"
    "tells the run, and keeps its trace with the others.  The result is\n"
    "1-minimal: no single decision can be left out.  Exit status 0 if that is\n"
    "so, 2 if the run cannot be made, or found nothing.  doc/SEARCH.md";

/* Unless there is only one it must be named. */
static const ScenarioCase *
find_case(const Scenario *scenario, unsigned number, GError **error)
{
    if (number == 0 && scenario->cases->len == 1)
        number = 1;
    if (number != 0)
        return replaying_case(scenario, number, error);
    g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_USAGE,
                "%s: name one of its %u cases with --case N", scenario->path,
                scenario->cases->len);
    return NULL;
}

/* What there is to say about a run. */
typedef struct Shrunk {
    Reduction reduction;
    Finding *finding;
    char *replica; /* a scenario that shows it, or NULL ... */
    char *why;     /* ... and why there is none */
} Shrunk;

static void
clear_shrunk(Shrunk *shrunk)
{
    reduce_clear(&shrunk->reduction);
    if (shrunk->finding != NULL)
        finding_free(shrunk->finding);
    g_free(shrunk->replica);
    g_free(shrunk->why);
}

static void
print_text(const Shrunk *shrunk)
{
    const Reduction *reduction = &shrunk->reduction;
    const ReductionSize *before = &reduction->before;
    const ReductionSize *after = &reduction->after;

    printf("%s\n", shrunk->finding->story);
    printf("finding  %s\n", reduction->key);
    printf("shrunk   from %u switches and %u decisions to %u and %u, in %u "
           "replays\n",
           before->switches, before->decisions, after->switches,
           after->decisions, reduction->replays);
    if (reduction->minimal && schedule_decisions(reduction->schedule) == 0)
        printf("minimal  the calm way shows it: nothing to leave out\n");
    else if (reduction->minimal)
        printf("minimal  %u of them differ from the calm way, and none can be "
               "left out\n",
               schedule_decisions(reduction->schedule));
    else
        printf("minimal  no: this run cannot be told in turns, and is left as "
               "it is\n");
    if (shrunk->finding->trace != NULL)
        printf("trace    %s\n", shrunk->finding->trace);
    if (shrunk->replica != NULL)
        printf("scenario %s\n", shrunk->replica);
    else if (shrunk->why != NULL)
        printf("scenario %s\n", shrunk->why);
}

static void
add_size(Json *json, const char *name, const ReductionSize *size)
{
    json_open_object(json, name);
    json_u64(json, "switches", size->switches);
    json_u64(json, "decisions", size->decisions);
    json_u64(json, "steps", size->steps);
    json_close(json);
}

static void
print_json(const Scenario *scenario, const Shrunk *shrunk)
{
    const Reduction *reduction = &shrunk->reduction;
    const Finding *finding = shrunk->finding;
    g_autofree char *schedule = schedule_print(reduction->schedule);
    g_autofree char *line = NULL;
    Json *json = json_new("shrink");

    json_text(json, "scenario", scenario->path);
    json_text(json, "case", finding->item->title);
    json_u64(json, "case_number", finding->item->number);
    json_text(json, "identity", reduction->key);
    json_text(json, "verdict", verdict_name(finding->run.verdict.kind));
    json_text(json, "where", finding->where);
    json_u64(json, "replays", reduction->replays);
    json_bool(json, "minimal", reduction->minimal);
    add_size(json, "before", &reduction->before);
    add_size(json, "after", &reduction->after);
    json_text(json, "schedule", schedule);
    json_digest(json, "digest", finding->run.digest);
    json_text(json, "replay", finding->replay);
    json_text(json, "trace", finding->trace);
    json_text(json, "lua", shrunk->replica);
    line = json_finish(json);
    printf("%s\n", line);
}

/* The scenario lies beside the trace, and has its name. */
static void
write_replica(Trial *trial, Shrunk *shrunk)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = replica_path(shrunk->finding);

    if (path == NULL)
        return;
    if (replica_write(trial, &shrunk->reduction, path, &error))
        shrunk->replica = g_steal_pointer(&path);
    else
        shrunk->why = g_strdup(error->message);
}

static bool
shrink_run(Options *options, const char *path, const CheckReplay *replay,
           GError **error)
{
    ReduceWish wish = {.seed = replay->seed, .tape = replay->tape};
    g_autoptr(Check) check = check_new(path, &options->check, error);
    const ScenarioCase *item;
    Shrunk shrunk = {0};
    Trial trial;
    bool found;

    if (check == NULL)
        return false;
    item = find_case(check_scenario(check), options->case_number, error);
    if (item == NULL)
        return false;
    if (check_prepare_replay(check, item, replay, &trial, error) &&
        reduce_run(&trial, &wish, &shrunk.reduction, error))
        shrunk.finding = reduce_tell(&trial, &shrunk.reduction, error);
    found = shrunk.finding != NULL;
    if (found)
        write_replica(&trial, &shrunk);
    trial_clear(&trial);
    if (found && options->json)
        print_json(check_scenario(check), &shrunk);
    else if (found)
        print_text(&shrunk);
    clear_shrunk(&shrunk);
    return found;
}

static bool
shrink_trace(Options *options, const char *path, Trace *trace, GError **error)
{
    CheckReplay replay = {.tape = &trace->tape, .image = &trace->image};
    bool shrunk;

    if (!trace_read(trace, path, error))
        return false;
    if (!replaying_adopt(options, trace, error)) {
        g_prefix_error(error, "%s: ", path);
        return false;
    }
    options->case_number = trace->case_number;
    replay.seed = trace->seed;
    shrunk = shrink_run(options, trace->scenario, &replay, error);
    if (!shrunk)
        g_prefix_error(error, "%s: ", path);
    replaying_restore(options);
    options->case_number = 0;
    return shrunk;
}

static bool
shrink_file(Options *options, const char *path, GError **error)
{
    CheckReplay replay = {.seed = options->check.first_seed};

    if (trace_is_trace(path)) {
        Trace trace;
        bool shrunk;

        trace_init(&trace);
        shrunk = shrink_trace(options, path, &trace, error);
        trace_clear(&trace);
        return shrunk;
    }
    if (options->has_seed)
        return shrink_run(options, path, &replay, error);
    return replaying_refuse(path, error);
}

int
cmd_shrink(int argc, char **argv, GError **error)
{
    Options options = {.has = OPTIONS_CASE | OPTIONS_MACHINE | OPTIONS_TELL};
    int status = EXIT_WORLD;

    if (options_read(&options, &argc, &argv, "FILE|SCENARIO", description,
                     error)) {
        status = EXIT_HELD;
        for (char **file = options.files;
             status == EXIT_HELD && *file != NULL; file++)
            if (!shrink_file(&options, *file, error))
                status = EXIT_WORLD;
    }
    options_clear(&options);
    return status;
}
