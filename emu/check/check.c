/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "check/check.h"

#include "check/codecheck.h"

struct Check {
    TrialOptions options;
    Script *script;
    Image *image;       /* in which names are looked up while loading */
    GPtrArray *stages;  /* Stage */
    GHashTable *stage_of; /* by case: asking whether the sources have changed
                             takes longer than a run */
};

/* --- Loading -------------------------------------------------------------- */

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
check_new(const char *path, const TrialOptions *options, GError **error)
{
    g_autoptr(Check) check = g_new0(Check, 1);
    ScriptHost host = {.image = image_for_loading,
                       .mutants = options->mutants,
                       .user = check};

    check->options = *options;
    check->stages = g_ptr_array_new_with_free_func((GDestroyNotify)stage_free);
    check->stage_of = g_hash_table_new(g_direct_hash, g_direct_equal);
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
    g_hash_table_unref(check->stage_of);
    image_free(check->image);
    g_free(check);
}

void
check_close(Check *check)
{
    for (guint i = 0; i < check->stages->len; i++)
        stage_rest(g_ptr_array_index(check->stages, i));
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
            return stage_wake(stage, error) ? stage : NULL;
    }
    stage = stage_new(scenario, path, &check->options.stage, error);
    if (stage != NULL)
        g_ptr_array_add(check->stages, stage);
    return stage;
}

Stage *
check_stage(Check *check, const ScenarioCase *item, GError **error)
{
    Stage *stage = g_hash_table_lookup(check->stage_of, item);

    if (stage != NULL)
        return stage_wake(stage, error) ? stage : NULL;
    stage = find_stage(check, item, error);
    if (stage != NULL)
        g_hash_table_insert(check->stage_of, (gpointer)item, stage);
    return stage;
}

bool
check_prepare_with(Check *check, const ScenarioCase *item,
                   const TrialOptions *options, Trial *trial, GError **error)
{
    Stage *stage = check_stage(check, item, error);

    *trial = (Trial){.stage = stage};
    return stage != NULL && trial_init(trial, options, check->script, stage,
                                       item, error);
}

bool
check_prepare(Check *check, const ScenarioCase *item, Trial *trial,
              GError **error)
{
    return check_prepare_with(check, item, &check->options, trial, error);
}

/* --- Claims --------------------------------------------------------------- */

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
begin_outcome(Trial *trial, CaseOutcome *outcome)
{
    for (guint i = 0; i < trial->claims->len; i++) {
        const Claim *claim = g_ptr_array_index(trial->claims, i);
        ClaimOutcome one = {
            .claim = claim,
            .holds = claim->quantifier == CLAIM_NEVER ||
                     claim->quantifier == CLAIM_CERTAIN,
            .how = HOW_SAMPLED,
        };

        g_array_append_val(outcome->claims, one);
    }
    outcome->strategy = g_intern_string(trial->strategy->text);
}

static uint64_t
runs_of(const Trial *trial)
{
    const TrialOptions *options = trial->options;

    if (options->one_run)
        return 1;
    if (options->runs != 0)
        return options->runs;
    if (trial->item->budget.runs != 0)
        return trial->item->budget.runs;
    return trial->strategy->search != NULL ? TRIAL_SEARCH_DEFAULT
                                           : TRIAL_RUNS_DEFAULT;
}

/* True when every written claim is decided, so that more runs say nothing;
 * implied ones do not keep a case going. */
static bool
weigh_run(Trial *trial, CaseOutcome *outcome, const RunRecord *record)
{
    bool decided = true;

    for (guint i = 0; i < outcome->claims->len; i++) {
        ClaimOutcome *one = &g_array_index(outcome->claims, ClaimOutcome, i);

        if (!weigh(one, probe_occurred(trial->probe, i), record->seed) &&
            !one->claim->implied)
            decided = false;
    }
    outcome->runs++;
    outcome->steps += record->steps;
    outcome->budget_runs += record->verdict.kind == VERDICT_BUDGET;
    return decided;
}

/* Can a run be made again only from its tape? */
static bool
needs_tape(const Trial *trial)
{
    return trial->strategy->search != NULL ||
           trial->strategy->memory != NULL;
}

static void
keep_witnesses(Trial *trial, CaseOutcome *outcome, uint64_t seed)
{
    bool wanted = outcome->tapes->len == 0;

    for (guint i = 0; i < outcome->claims->len; i++) {
        const ClaimOutcome *one =
            &g_array_index(outcome->claims, ClaimOutcome, i);

        wanted = wanted || (one->has_witness && one->seed == seed);
    }
    if (wanted)
        outcome_keep_tape(outcome, seed, run_tape(trial->run));
}

static bool
weigh_or_skip(Trial *trial, CaseOutcome *outcome, const RunRecord *record)
{
    bool decided;

    if (record->cut) {
        outcome->cuts++;
        return false;
    }
    decided = weigh_run(trial, outcome, record);
    if (needs_tape(trial))
        keep_witnesses(trial, outcome, record->seed);
    return decided;
}

static bool
is_over(const Trial *trial)
{
    const StrategySearch *search = trial->strategy->search;

    return search != NULL && search->is_over(trial->strategy);
}

/* What was made of all runs within the bounds says more than a sample. */
static void
conclude_search(Trial *trial, CaseOutcome *outcome)
{
    const StrategySearch *search = trial->strategy->search;
    StrategyProgress progress;

    if (search == NULL)
        return;
    search->progress(trial->strategy, &progress);
    outcome->within = g_strdup(progress.bounds);
    outcome->complete = progress.complete;
    outcome->expected = progress.expected;
    outcome->why_not = progress.why_not;
    for (guint i = 0; progress.complete && i < outcome->claims->len; i++) {
        ClaimOutcome *one = &g_array_index(outcome->claims, ClaimOutcome, i);

        if (!one->has_witness)
            one->how = HOW_EXHAUSTIVE;
    }
}

static bool
make_runs(Trial *trial, CaseOutcome *outcome, GError **error)
{
    const TrialOptions *options = trial->options;
    uint64_t runs = runs_of(trial);
    bool decided = false;

    if (options->one_run &&
        trial_is_lost(trial, options->first_seed, error))
        return false;
    for (uint64_t i = 0; i < runs && !decided && !is_over(trial); i++) {
        RunRecord record;

        if (!trial_run(trial, options->first_seed + i, NULL, &record, error))
            return false;
        decided = weigh_or_skip(trial, outcome, &record);
        if (options->ran == NULL || record.cut)
            continue;
        if (options->want_digests)
            record.digest = machine_digest(trial->stage->machine);
        options->ran(options->user, script_scenario(trial->script), trial->item,
                     &record);
    }
    conclude_search(trial, outcome);
    return true;
}

/* --- Findings ------------------------------------------------------------- */

/* Does the claim speak of a run that does not end well? */
static bool
speaks_of_trouble(const Claim *claim)
{
    return predicate_mentions(claim->predicate, PREDICATE_STUCK) ||
           predicate_mentions(claim->predicate, PREDICATE_DEADLOCK) ||
           predicate_mentions(claim->predicate, PREDICATE_LIVELOCK) ||
           predicate_mentions(claim->predicate, PREDICATE_PANIC) ||
           predicate_mentions(claim->predicate, PREDICATE_LOST_MESSAGE) ||
           predicate_mentions(claim->predicate, PREDICATE_FAULT);
}

static bool
shows_something(const CaseOutcome *outcome)
{
    for (guint i = 0; i < outcome->claims->len; i++) {
        const ClaimOutcome *one =
            &g_array_index(outcome->claims, ClaimOutcome, i);

        if (one->claim->quantifier == CLAIM_POSSIBLE
                ? one->has_witness
                : one->claim->quantifier == CLAIM_CERTAIN &&
                      speaks_of_trouble(one->claim))
            return true;
    }
    return false;
}

/*
 * Findings are the witnesses of broken claims, and of `possible` ones that
 * were shown; and the first run of a case in which trouble is certain, or, if
 * nothing else is shown, that a rule is broken.
 */
static bool
is_worth_telling(const CaseOutcome *outcome, const ClaimOutcome *one,
                 uint64_t first_seed, uint64_t *seed)
{
    const Claim *claim = one->claim;

    *seed = one->has_witness ? one->seed : first_seed;
    if (one->holds && claim->quantifier == CLAIM_CERTAIN)
        return speaks_of_trouble(claim) ||
               (predicate_mentions(claim->predicate, PREDICATE_BREACH) &&
                !shows_something(outcome));
    if (!one->has_witness)
        return false;
    return !one->holds || claim->quantifier == CLAIM_POSSIBLE;
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
tell_findings(Trial *trial, CaseOutcome *outcome, GError **error)
{
    for (guint i = 0; i < outcome->claims->len; i++) {
        const ClaimOutcome *one =
            &g_array_index(outcome->claims, ClaimOutcome, i);
        TrialTold told = {.claim = one->claim, .expected = one->holds};
        Finding *finding;
        uint64_t seed;

        if (!is_worth_telling(outcome, one, trial->options->first_seed,
                              &seed) ||
            was_told(outcome, seed))
            continue;
        finding = trial_tell(trial, &told, seed, outcome_tape(outcome, seed),
                             error);
        if (finding == NULL)
            return false;
        g_ptr_array_add(outcome->findings, finding);
    }
    return true;
}

/* One run cannot show that something is never reached. */
static void
forget_undecided_claims(CaseOutcome *outcome, bool one_run)
{
    for (guint i = outcome->claims->len; one_run && i > 0; i--) {
        const ClaimOutcome *one =
            &g_array_index(outcome->claims, ClaimOutcome, i - 1);

        if (!one->holds && !one->has_witness)
            g_array_remove_index(outcome->claims, i - 1);
    }
}

/* Claims that were implied and hold are nobody's news. */
static void
forget_silent_claims(CaseOutcome *outcome)
{
    for (guint i = outcome->claims->len; i > 0; i--) {
        const ClaimOutcome *one =
            &g_array_index(outcome->claims, ClaimOutcome, i - 1);

        if (one->holds && one->claim->implied)
            g_array_remove_index(outcome->claims, i - 1);
    }
}

CaseOutcome *
check_case(Check *check, const ScenarioCase *item, GError **error)
{
    g_autoptr(CaseOutcome) outcome =
        outcome_new(check_scenario(check), item);
    Trial trial;
    bool ok;

    if (check_scenario(check)->code != NULL)
        return codecheck_case(check_scenario(check), item, &check->options,
                              error);
    ok = check_prepare(check, item, &trial, error);
    if (ok) {
        begin_outcome(&trial, outcome);
        ok = make_runs(&trial, outcome, error) &&
             tell_findings(&trial, outcome, error);
    }
    if (ok) {
        forget_undecided_claims(outcome, check->options.one_run);
        outcome->holds = true;
        for (guint i = 0; i < outcome->claims->len; i++)
            if (!g_array_index(outcome->claims, ClaimOutcome, i).holds)
                outcome->holds = false;
        forget_silent_claims(outcome);
        /* What is left must outlive the trial. */
        outcome->implied = g_steal_pointer(&trial.implied);
    }
    trial_clear(&trial);
    return ok ? g_steal_pointer(&outcome) : NULL;
}

bool
check_measure(Check *check, const ScenarioCase *item, uint64_t runs,
              GError **error)
{
    RunRecord record;
    Trial trial;
    bool ok = check_prepare(check, item, &trial, error);

    for (uint64_t i = 0; ok && i < runs; i++)
        ok = trial_run(&trial, check->options.first_seed + i, NULL, &record,
                      error);
    trial_clear(&trial);
    return ok;
}

bool
check_prepare_replay(Check *check, const ScenarioCase *item,
                     const CheckReplay *replay, Trial *trial, GError **error)
{
    *trial = (Trial){0};
    if (check_scenario(check)->code != NULL) {
        g_set_error(error, CODECHECK_ERROR, CODECHECK_ERROR_CLAIM,
                    "%s: code is checked in all its behaviours: there is no "
                    "run to replay",
                    check_scenario(check)->path);
        return false;
    }
    if (!check_prepare(check, item, trial, error))
        return false;
    if (replay->image == NULL ||
        *replay->image == image_digest(trial->stage->image))
        return true;
    g_set_error(error, STAGE_ERROR, STAGE_ERROR_GUEST,
                "the trace was made on another guest image: the "
                "guest's sources, the import or the compiler have "
                "changed; replay by seed instead");
    return false;
}

static bool
is_same_run(const Trial *trial, uint64_t digest, GError **error)
{
    uint64_t found = machine_digest(trial->stage->machine);

    if (found == digest)
        return true;
    g_set_error(error, STAGE_ERROR, STAGE_ERROR_GUEST,
                "the run ended with digest %016" PRIx64 " and the trace says "
                "%016" PRIx64 ": the scenario has changed",
                found, digest);
    return false;
}

bool
check_verify(Check *check, const ScenarioCase *item,
             const Certificate *certificate, Verification *verification,
             GError **error)
{
    const Trace *trace = &certificate->trace;
    CheckReplay replay = {.seed = trace->seed, .tape = &trace->tape,
                          .image = &trace->image};
    RunRecord record;
    Trial trial;
    bool made = check_prepare_replay(check, item, &replay, &trial, error) &&
                trial_run(&trial, trace->seed, &trace->tape, &record, error) &&
                is_same_run(&trial, trace->digest, error);

    if (made) {
        CertifyEnd end = {.stage = trial.stage, .run = trial.run,
                          .verdict = &record.verdict};

        certify_verify(&end, certificate, verification);
    }
    trial_clear(&trial);
    return made;
}

Finding *
check_replay(Check *check, const ScenarioCase *item,
             const CheckReplay *replay, GError **error)
{
    Finding *finding = NULL;
    Trial trial;

    if (check_prepare_replay(check, item, replay, &trial, error))
        finding = trial_tell(&trial, &(TrialTold){.trace = replay->trace},
                             replay->seed, replay->tape, error);
    trial_clear(&trial);
    return finding;
}
