/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "people/check.h"

#include <stdio.h>

#include "people/telling.h"

struct Check {
    CheckOptions options;
    Script *script;
    Image *image;       /* in which names are looked up while loading */
    GPtrArray *stages;  /* Stage */
};

/* A case, ready to run. */
typedef struct Bench {
    Check *check;
    const ScenarioCase *item;
    Stage *stage;        /* borrowed */
    GPtrArray *claims;   /* Claim: written and implied; borrowed or ours */
    GPtrArray *implied;  /* Claim: ours */
    Probe *probe;
    Run *run;
    Strategy *strategy;
    Stories stories;
    Director director;
    Telling *telling;    /* while a finding is told */
    uint64_t seed;       /* of the present run */
} Bench;

/* --- Loading ----------------------------------------------------------------- */

static const Image *
image_for_loading(void *user, const ScenarioSystem *system, GError **error)
{
    Check *check = user;
    g_autofree char *path =
        stage_image_path(system, NULL, &check->options.stage, error);

    if (path == NULL)
        return NULL;
    check->image = stage_load_image(system, path, error);
    return check->image;
}

Check *
check_new(const char *path, const CheckOptions *options, GError **error)
{
    g_autoptr(Check) check = g_new0(Check, 1);
    ScriptHost host = {.image = image_for_loading, .user = check};

    check->options = *options;
    check->stages = g_ptr_array_new_with_free_func((GDestroyNotify)stage_free);
    check->script = script_load(path, &host, error);
    if (check->script == NULL)
        return NULL;
    return g_steal_pointer(&check);
}

void
check_free(Check *check)
{
    if (check == NULL)
        return;
    script_free(check->script);
    g_ptr_array_unref(check->stages);
    image_free(check->image);
    g_free(check);
}

void
check_close(Check *check)
{
    g_ptr_array_set_size(check->stages, 0);
}

const Scenario *
check_scenario(const Check *check)
{
    return script_scenario(check->script);
}

static Stage *
find_stage(Check *check, const ScenarioCase *item, GError **error)
{
    const Scenario *scenario = check_scenario(check);
    g_autofree char *path =
        stage_image_path(&scenario->system, item->mutants,
                         &check->options.stage, error);
    Stage *stage;

    if (path == NULL)
        return NULL;
    for (guint i = 0; i < check->stages->len; i++) {
        stage = g_ptr_array_index(check->stages, i);
        if (g_str_equal(stage->path, path))
            return stage;
    }
    stage = stage_new(scenario, path, &check->options.stage, error);
    if (stage != NULL)
        g_ptr_array_add(check->stages, stage);
    return stage;
}

/* --- The bench ------------------------------------------------------------------ */

static bool
case_mentions(const ScenarioCase *item, PredicateKind kind)
{
    for (guint i = 0; i < item->claims->len; i++) {
        const Claim *claim = g_ptr_array_index(item->claims, i);

        if (predicate_mentions(claim->predicate, kind))
            return true;
    }
    return false;
}

static void
imply(Bench *bench, PredicateKind kind, const char *text)
{
    Claim *claim = claim_new(CLAIM_NEVER, predicate_new(kind, text),
                             bench->item->line);

    claim->implied = true;
    g_ptr_array_add(bench->implied, claim);
    g_ptr_array_add(bench->claims, claim);
}

static void
collect_claims(Bench *bench)
{
    const ScenarioCase *item = bench->item;

    for (guint i = 0; i < item->claims->len; i++)
        g_ptr_array_add(bench->claims, g_ptr_array_index(item->claims, i));
    if (!case_mentions(item, PREDICATE_PANIC))
        imply(bench, PREDICATE_PANIC, "panic");
    if (!case_mentions(item, PREDICATE_FAULT))
        imply(bench, PREDICATE_FAULT, "fault");
    if (!case_mentions(item, PREDICATE_STUCK) &&
        !case_mentions(item, PREDICATE_DEADLOCK) &&
        !case_mentions(item, PREDICATE_LIVELOCK))
        imply(bench, PREDICATE_STUCK, "stuck");
    if (!case_mentions(item, PREDICATE_BREACH))
        imply(bench, PREDICATE_BREACH, "breach of a house rule");
}

static uint64_t
choose(void *user, uint64_t n)
{
    Bench *bench = user;

    return run_choose(bench->run, n);
}

static void
marked(void *user, unsigned cpu, const char *name)
{
    Bench *bench = user;

    run_marked(bench->run, cpu, name);
    if (bench->telling != NULL)
        telling_mark(bench->telling, cpu, name);
}

static void
called(void *user, unsigned cpu, const char *text)
{
    Bench *bench = user;

    if (bench->telling != NULL)
        telling_call(bench->telling, cpu, text);
}

static bool
eval_memory(void *user, unsigned index)
{
    Bench *bench = user;
    g_autoptr(GError) error = NULL;
    bool value = false;

    if (!script_eval_memory(bench->check->script, index, &value, &error))
        g_printerr("heddle: %s\n", error->message);
    return value;
}

/* Bind the script; with `tells`, calls are told in the scenario's words. */
static void
bind_script(Bench *bench, bool tells)
{
    ScriptRun run = {
        .item = bench->item,
        .image = bench->stage->image,
        .machine = bench->stage->machine,
        .objects = bench->stage->objects,
        .choose = choose,
        .marked = marked,
        .called = tells ? called : NULL,
        .user = bench,
    };

    script_bind(bench->check->script, &run);
    bench->stories = script_stories(bench->check->script);
    bench->director = script_director(bench->check->script);
}

static bool
set_up_probe(Bench *bench, GError **error)
{
    const Scenario *scenario = check_scenario(bench->check);
    Stage *stage = bench->stage;
    ProbeSetup setup = {
        .image = stage->image,
        .machine = stage->machine,
        .regions = scenario->regions,
        .claims = bench->claims,
        .objects = stage->objects,
        .object_sizes = stage->object_sizes,
        .object_count = stage->object_count,
        .rules = &stage->rules,
        .view = &stage->state,
        .memory = eval_memory,
        .user = bench,
    };

    machine_restore(stage->machine);
    machine_watch_flow(stage->machine, false);
    machine_watch_no_memory(stage->machine);
    code_unmark_all(machine_code(stage->machine));
    bench->probe = probe_new(&setup, error);
    if (bench->probe != NULL)
        return true;
    g_prefix_error(error, "%s:", scenario->path);
    return false;
}

static const char *
strategy_of(const Bench *bench)
{
    if (bench->check->options.strategy != NULL)
        return bench->check->options.strategy;
    return bench->item->budget.strategy != NULL ? bench->item->budget.strategy
                                                : "random";
}

static MemoryModel
memory_of(const Bench *bench)
{
    const MemoryModel *wish = bench->check->options.memory;

    return wish != NULL ? *wish : bench->item->memory;
}

static bool
set_up_strategy(Bench *bench, GError **error)
{
    const Scenario *scenario = check_scenario(bench->check);
    const char *name = strategy_of(bench);
    g_autofree char *known = NULL;

    if (memory_of(bench) != MEMORY_SC) {
        g_set_error(error, STAGE_ERROR, STAGE_ERROR_GUEST,
                    "%s:%u: this heddle has only the memory model \"sc\"",
                    scenario->path, bench->item->line);
        return false;
    }
    bench->strategy = strategy_named(name);
    if (bench->strategy != NULL)
        return true;
    known = g_strjoinv(", ", (char **)strategy_names());
    g_set_error(error, STAGE_ERROR, STAGE_ERROR_GUEST,
                "%s:%u: no strategy \"%s\"; there are: %s", scenario->path,
                bench->item->line, name, known);
    return false;
}

static void
bench_clear(Bench *bench)
{
    run_free(bench->run);
    probe_free(bench->probe);
    if (bench->strategy != NULL)
        bench->strategy->free(bench->strategy);
    g_clear_pointer(&bench->claims, g_ptr_array_unref);
    g_clear_pointer(&bench->implied, g_ptr_array_unref);
    base_set_bug_context(NULL, NULL);
}

static void
bug_context(void *user)
{
    const Bench *bench = user;

    fprintf(stderr,
            "heddle: to see it again: heddle replay %s --case %u --seed "
            "%" PRIu64 "\n",
            check_scenario(bench->check)->path, bench->item->number,
            bench->seed);
}

static uint64_t
steps_of(const Bench *bench)
{
    if (bench->check->options.steps_max != 0)
        return bench->check->options.steps_max;
    return bench->item->budget.steps_max != 0 ? bench->item->budget.steps_max
                                              : RUN_STEPS_MAX_DEFAULT;
}

static bool
bench_init(Bench *bench, Check *check, const ScenarioCase *item,
           GError **error)
{
    RunSetup setup;

    *bench = (Bench){.check = check, .item = item};
    bench->claims = g_ptr_array_new();
    bench->implied =
        g_ptr_array_new_with_free_func((GDestroyNotify)claim_free);
    collect_claims(bench);
    if (!set_up_strategy(bench, error))
        return false;
    bench->stage = find_stage(check, item, error);
    if (bench->stage == NULL || !set_up_probe(bench, error))
        return false;
    bind_script(bench, false);
    setup = (RunSetup){
        .machine = bench->stage->machine,
        .stories = &bench->stories,
        .director = item->has_schedule ? &bench->director : NULL,
        .image = bench->stage->image,
        .probe = bench->probe,
        .view = &bench->stage->state,
        .steps_max = steps_of(bench),
        .bare = bench->stage->bare,
    };
    bench->run = run_new(&setup);
    base_set_bug_context(bug_context, bench);
    return true;
}

/* --- One run -------------------------------------------------------------------- */

static bool
make_run(Bench *bench, uint64_t seed, const Tape *tape, RunRecord *record,
         GError **error)
{
    RunResult result;

    bench->seed = seed;
    if (!run_execute(bench->run, bench->strategy, tape, seed, &result, error))
        return false;
    if (result.diverged) {
        g_set_error(error, STAGE_ERROR, STAGE_ERROR_GUEST,
                    "the trace does not fit: the guest or the scenario has "
                    "changed since it was made");
        return false;
    }
    *record = (RunRecord){
        .seed = seed,
        .strategy = bench->strategy->name,
        .steps = result.steps,
        .verdict = result.verdict,
    };
    return true;
}

/* What a run says of a claim.  Returns whether the claim is now decided. */
static bool
weigh(ClaimOutcome *outcome, bool occurred, uint64_t seed)
{
    bool decides = outcome->claim->quantifier == CLAIM_CERTAIN ? !occurred
                                                               : occurred;

    if (outcome->has_witness)
        return true;
    outcome->runs++;
    if (!decides)
        return false;
    outcome->has_witness = true;
    outcome->seed = seed;
    outcome->how = HOW_REACHED;
    outcome->holds = outcome->claim->quantifier == CLAIM_POSSIBLE ||
                     outcome->claim->quantifier == CLAIM_REACH;
    return true;
}

static void
begin_outcome(Bench *bench, CaseOutcome *outcome)
{
    for (guint i = 0; i < bench->claims->len; i++) {
        const Claim *claim = g_ptr_array_index(bench->claims, i);
        ClaimOutcome one = {
            .claim = claim,
            .holds = claim->quantifier == CLAIM_NEVER ||
                     claim->quantifier == CLAIM_CERTAIN,
            .how = HOW_SAMPLED,
        };

        g_array_append_val(outcome->claims, one);
    }
    outcome->strategy = bench->strategy->name;
}

static uint64_t
runs_of(const Bench *bench)
{
    const CheckOptions *options = &bench->check->options;

    if (options->one_run)
        return 1;
    if (options->runs != 0)
        return options->runs;
    return bench->item->budget.runs != 0 ? bench->item->budget.runs
                                         : CHECK_RUNS_DEFAULT;
}

/* True when every written claim is decided, so that more runs say nothing;
 * implied ones do not keep a case going. */
static bool
weigh_run(Bench *bench, CaseOutcome *outcome, const RunRecord *record)
{
    bool decided = true;

    for (guint i = 0; i < outcome->claims->len; i++) {
        ClaimOutcome *one = &g_array_index(outcome->claims, ClaimOutcome, i);

        if (!weigh(one, probe_occurred(bench->probe, i), record->seed) &&
            !one->claim->implied)
            decided = false;
    }
    outcome->runs++;
    outcome->steps += record->steps;
    outcome->budget_runs += record->verdict.kind == VERDICT_BUDGET;
    return decided;
}

static bool
make_runs(Bench *bench, CaseOutcome *outcome, GError **error)
{
    const CheckOptions *options = &bench->check->options;
    uint64_t runs = runs_of(bench);
    bool decided = false;

    for (uint64_t i = 0; i < runs && !decided; i++) {
        RunRecord record;

        if (!make_run(bench, options->first_seed + i, NULL, &record, error))
            return false;
        decided = weigh_run(bench, outcome, &record);
        if (options->ran == NULL)
            continue;
        if (options->want_digests)
            record.digest = machine_digest(bench->stage->machine);
        options->ran(options->user, check_scenario(bench->check), bench->item,
                     &record);
    }
    return true;
}

/* --- Findings --------------------------------------------------------------------- */

/* Which claim a run is told for, and whether it shows or breaks it. */
typedef struct Told {
    const Claim *claim; /* NULL: nobody asked about a claim */
    bool expected;
} Told;

static Finding *
tell(Bench *bench, const Told *told, uint64_t seed, const Tape *tape,
     GError **error)
{
    TellingSetup setup = {
        .scenario = check_scenario(bench->check),
        .item = bench->item,
        .stage = bench->stage,
        .run = bench->run,
        .stories = &bench->stories,
        .probe = bench->probe,
        .ipiq = bench->check->options.stage.ipiq,
        .strategy = strategy_of(bench),
        .default_strategy = bench->check->options.strategy == NULL,
        .memory = memory_of(bench),
        .trace_folder = bench->check->options.trace_folder,
        .raw = bench->check->options.raw,
        .color = bench->check->options.color,
    };
    g_autoptr(Telling) telling = telling_new(&setup);
    RunRecord record;
    bool ran;

    bench->telling = telling;
    bind_script(bench, true);
    ran = make_run(bench, seed, tape, &record, error);
    bind_script(bench, false);
    bench->telling = NULL;
    if (!ran)
        return NULL;
    record.digest = machine_digest(bench->stage->machine);
    return telling_finish(telling, told->claim, told->expected, &record,
                          error);
}

/* Does the claim speak of a run that does not end well? */
static bool
speaks_of_trouble(const Claim *claim)
{
    return predicate_mentions(claim->predicate, PREDICATE_STUCK) ||
           predicate_mentions(claim->predicate, PREDICATE_DEADLOCK) ||
           predicate_mentions(claim->predicate, PREDICATE_LIVELOCK) ||
           predicate_mentions(claim->predicate, PREDICATE_PANIC) ||
           predicate_mentions(claim->predicate, PREDICATE_FAULT);
}

/*
 * Findings are the witnesses of broken claims, and of `possible` ones that
 * were shown; and the first run of a case in which trouble is certain.
 */
static bool
is_worth_telling(const ClaimOutcome *outcome, uint64_t first_seed,
                 uint64_t *seed)
{
    const Claim *claim = outcome->claim;

    *seed = outcome->has_witness ? outcome->seed : first_seed;
    if (outcome->holds && claim->quantifier == CLAIM_CERTAIN)
        return speaks_of_trouble(claim);
    if (!outcome->has_witness)
        return false;
    return !outcome->holds || claim->quantifier == CLAIM_POSSIBLE;
}

static bool
was_told(const CaseOutcome *outcome, uint64_t seed)
{
    for (guint i = 0; i < outcome->findings->len; i++) {
        const Finding *finding = g_ptr_array_index(outcome->findings, i);

        if (finding->run.seed == seed)
            return true;
    }
    return false;
}

static bool
tell_findings(Bench *bench, CaseOutcome *outcome, GError **error)
{
    for (guint i = 0; i < outcome->claims->len; i++) {
        const ClaimOutcome *one =
            &g_array_index(outcome->claims, ClaimOutcome, i);
        Told told = {.claim = one->claim, .expected = one->holds};
        Finding *finding;
        uint64_t seed;

        if (!is_worth_telling(one, bench->check->options.first_seed, &seed) ||
            was_told(outcome, seed))
            continue;
        finding = tell(bench, &told, seed, NULL, error);
        if (finding == NULL)
            return false;
        g_ptr_array_add(outcome->findings, finding);
    }
    return true;
}

CaseOutcome *
check_case(Check *check, const ScenarioCase *item, GError **error)
{
    g_autoptr(CaseOutcome) outcome =
        case_outcome_new(check_scenario(check), item);
    Bench bench;
    bool ok = bench_init(&bench, check, item, error);

    if (ok) {
        begin_outcome(&bench, outcome);
        ok = make_runs(&bench, outcome, error) &&
             tell_findings(&bench, outcome, error);
    }
    if (ok) {
        outcome->holds = true;
        for (guint i = 0; i < outcome->claims->len; i++)
            if (!g_array_index(outcome->claims, ClaimOutcome, i).holds)
                outcome->holds = false;
        /* Claims that were implied and hold are nobody's news. */
        for (guint i = outcome->claims->len; i > item->claims->len; i--)
            if (g_array_index(outcome->claims, ClaimOutcome, i - 1).holds)
                g_array_remove_index(outcome->claims, i - 1);
        /* What is left must outlive the bench. */
        outcome->implied = g_steal_pointer(&bench.implied);
    }
    bench_clear(&bench);
    return ok ? g_steal_pointer(&outcome) : NULL;
}

bool
check_measure(Check *check, const ScenarioCase *item, uint64_t runs,
              GError **error)
{
    RunRecord record;
    Bench bench;
    bool ok = bench_init(&bench, check, item, error);

    for (uint64_t i = 0; ok && i < runs; i++)
        ok = make_run(&bench, check->options.first_seed + i, NULL, &record,
                      error);
    bench_clear(&bench);
    return ok;
}

Finding *
check_replay(Check *check, const ScenarioCase *item,
             const CheckReplay *replay, GError **error)
{
    Finding *finding = NULL;
    Bench bench;

    if (bench_init(&bench, check, item, error)) {
        if (replay->image != NULL &&
            *replay->image != image_digest(bench.stage->image))
            g_set_error(error, STAGE_ERROR, STAGE_ERROR_GUEST,
                        "the trace was made on another guest image: the "
                        "guest's sources, the import or the compiler have "
                        "changed; replay by seed instead");
        else
            finding = tell(&bench, &(Told){0}, replay->seed, replay->tape,
                           error);
    }
    bench_clear(&bench);
    return finding;
}
