/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "check/trial.h"

#include <stdio.h>

#include "check/weakening.h"
#include "choose/censustaker.h"

/* --- The trial ------------------------------------------------------------ */

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
imply(Trial *trial, PredicateKind kind, const char *text)
{
    Claim *claim = claim_new(CLAIM_NEVER, predicate_new(kind, text),
                             trial->item->line);

    claim->implied = true;
    g_ptr_array_add(trial->implied, claim);
    g_ptr_array_add(trial->claims, claim);
}

static void
collect_claims(Trial *trial)
{
    const ScenarioCase *item = trial->item;

    for (guint i = 0; i < item->claims->len; i++)
        g_ptr_array_add(trial->claims, g_ptr_array_index(item->claims, i));
    if (!case_mentions(item, PREDICATE_PANIC))
        imply(trial, PREDICATE_PANIC, "panic");
    if (!case_mentions(item, PREDICATE_FAULT))
        imply(trial, PREDICATE_FAULT, "fault");
    if (!case_mentions(item, PREDICATE_STUCK) &&
        !case_mentions(item, PREDICATE_DEADLOCK) &&
        !case_mentions(item, PREDICATE_LIVELOCK))
        imply(trial, PREDICATE_STUCK, "stuck");
    if (!case_mentions(item, PREDICATE_BREACH))
        imply(trial, PREDICATE_BREACH, "breach of a house rule");
}

static uint64_t
choose(void *user, uint64_t n)
{
    Trial *trial = user;

    return run_choose(trial->run, n);
}

static void
marked(void *user, unsigned cpu, const char *name)
{
    Trial *trial = user;

    run_marked(trial->run, cpu, name);
    if (trial->telling != NULL)
        telling_mark(trial->telling, cpu, name);
}

static void
passed(void *user, unsigned cpu)
{
    Trial *trial = user;

    run_passed_mark(trial->run, cpu);
}

static void
called(void *user, unsigned cpu, const char *text)
{
    Trial *trial = user;

    if (trial->telling != NULL)
        telling_call(trial->telling, cpu, text);
}

static void
loaded(void *user, unsigned cpu, gva_t address, uint64_t size)
{
    Trial *trial = user;

    run_loaded(trial->run, cpu, address, size);
    if (trial->telling != NULL)
        telling_load(trial->telling, cpu, address, size);
}

static void
stored(void *user, unsigned cpu, gva_t address, uint64_t size)
{
    Trial *trial = user;

    run_stored(trial->run, cpu, address, size);
}

static bool
eval_memory(void *user, unsigned index)
{
    Trial *trial = user;
    bool value = false;

    if (trial->condition_error == NULL)
        script_eval_memory(trial->script, index, &value,
                           &trial->condition_error);
    return value;
}

/* Bind the script; with `tells`, calls are told in the scenario's words. */
static void
bind_script(Trial *trial, bool tells)
{
    ScriptRun run = {
        .item = trial->item,
        .image = trial->stage->image,
        .machine = trial->stage->machine,
        .objects = trial->stage->objects,
        .choose = choose,
        .marked = marked,
        .passed = passed,
        .called = tells ? called : NULL,
        .loaded = loaded,
        .stored = stored,
        .user = trial,
    };

    script_bind(trial->script, &run);
    trial->stories = script_stories(trial->script);
    trial->director = script_director(trial->script);
}

static bool
set_up_probe(Trial *trial, GError **error)
{
    const Scenario *scenario = script_scenario(trial->script);
    Stage *stage = trial->stage;
    ProbeSetup setup = {
        .image = stage->image,
        .machine = stage->machine,
        .regions = scenario->regions,
        .claims = trial->claims,
        .objects = stage->objects,
        .object_sizes = stage->object_sizes,
        .object_count = stage->object_count,
        .rules = &stage->rules,
        .view = &stage->state,
        .memory = eval_memory,
        .user = trial,
    };

    machine_restore(stage->machine);
    machine_watch_flow(stage->machine, false);
    machine_watch_meetings(stage->machine, false);
    machine_watch_no_memory(stage->machine);
    code_unmark_all(machine_code(stage->machine));
    trial->probe = probe_new(&setup, error);
    if (trial->probe != NULL)
        return true;
    g_prefix_error(error, "%s:", scenario->path);
    return false;
}

static const char *
strategy_of(const Trial *trial)
{
    if (trial->options->strategy != NULL)
        return trial->options->strategy;
    return trial->item->budget.strategy != NULL ? trial->item->budget.strategy
                                                : "random";
}

static MemoryOptions
memory_of(const Trial *trial)
{
    const MemoryOptions *wish = trial->options->memory;

    return wish != NULL ? *wish : trial->item->memory;
}

static bool
set_up_strategy(Trial *trial, GError **error)
{
    const Scenario *scenario = script_scenario(trial->script);

    trial->strategy = strategy_parse(strategy_of(trial), error);
    if (trial->strategy != NULL)
        return true;
    g_prefix_error(error, "%s:%u: ", scenario->path, trial->item->line);
    return false;
}

/* The stage was set up under SC, which is done sooner. */
static void
set_up_memory(Trial *trial)
{
    MemoryOptions memory = memory_of(trial);

    stage_mark_barriers(trial->stage);
    machine_set_memory(trial->stage->machine, &memory);
}

static bool
weaken(Trial *trial, GError **error)
{
    g_autoptr(GArray) places = NULL;

    trial->aims = g_array_new(FALSE, FALSE, sizeof(gva_t));
    if (trial->options->weaken == NULL)
        return true;
    places = weakening_parse(trial->stage->image, trial->options->weaken,
                             error);
    for (guint i = 0; places != NULL && i < places->len; i++) {
        const Weakening *place = &g_array_index(places, Weakening, i);

        if (!trial->options->only_aims)
            weakening_apply(place, trial->stage->machine);
        g_array_append_val(trial->aims, place->address);
    }
    return places != NULL;
}

void
trial_clear(Trial *trial)
{
    watching_end(&trial->watching);
    coverage_free(trial->coverage);
    run_free(trial->run);
    probe_free(trial->probe);
    strategy_free(trial->strategy);
    census_clear(&trial->census);
    g_clear_error(&trial->condition_error);
    g_clear_pointer(&trial->claims, g_ptr_array_unref);
    g_clear_pointer(&trial->implied, g_ptr_array_unref);
    g_clear_pointer(&trial->aims, g_array_unref);
    base_set_bug_context(NULL, NULL);
}

static void
bug_context(void *user)
{
    const Trial *trial = user;

    fprintf(stderr,
            "heddle: to see it again: heddle replay %s --case %u --seed "
            "%" PRIu64 "\n",
            script_scenario(trial->script)->path, trial->item->number,
            trial->seed);
}

static uint64_t
steps_of(const Trial *trial)
{
    if (trial->options->steps_max != 0)
        return trial->options->steps_max;
    return trial->item->budget.steps_max != 0 ? trial->item->budget.steps_max
                                              : RUN_STEPS_MAX_DEFAULT;
}

bool
trial_init(Trial *trial, const TrialOptions *options, Script *script,
           Stage *stage, const ScenarioCase *item, GError **error)
{
    RunSetup setup;

    *trial = (Trial){.options = options, .script = script, .stage = stage,
                     .item = item};
    trial->claims = g_ptr_array_new();
    trial->implied =
        g_ptr_array_new_with_free_func((GDestroyNotify)claim_free);
    collect_claims(trial);
    if (!set_up_strategy(trial, error))
        return false;
    if (!set_up_probe(trial, error))
        return false;
    set_up_memory(trial);
    if (!weaken(trial, error))
        return false;
    bind_script(trial, false);
    setup = (RunSetup){
        .machine = trial->stage->machine,
        .stories = &trial->stories,
        .director = item->has_schedule ? &trial->director : NULL,
        .image = trial->stage->image,
        .probe = trial->probe,
        .view = &trial->stage->state,
        .steps_max = steps_of(trial),
        .bare = trial->stage->bare,
    };
    trial->run = run_new(&setup);
    run_set_aims(trial->run, (const gva_t *)trial->aims->data,
                 trial->aims->len);
    base_set_bug_context(bug_context, trial);
    return true;
}

/* --- One run -------------------------------------------------------------- */

/* Objects of the scenario are there to be shared, also with stories. */
static void
presume_shared(Trial *trial)
{
    const Stage *stage = trial->stage;

    for (unsigned i = 0; i < stage->object_count; i++) {
        gpa_t physical;

        if (!gmem_translate(machine_memory(stage->machine), stage->objects[i],
                            MAX(stage->object_sizes[i], 1), &physical))
            continue;
        for (gpa_t line = physical >> LINE_BITS;
             line <= (physical + MAX(stage->object_sizes[i], 1) - 1) >>
                         LINE_BITS;
             line++)
            g_array_append_val(trial->census.lines, line);
    }
}

/* Of what the census has found to be shared.  Its marks are for strategies
 * that are asked at each, and cost. */
static void
make_coverage(Trial *trial)
{
    const System *system = trial->stage->system;
    CoverageSetup setup = {
        .machine = trial->stage->machine,
        .view = &trial->stage->state,
        .image = trial->stage->image,
        .wait_provider = system->wait_provider,
        .wait_push = system->wait_push,
        .wait_pop = system->wait_pop,
    };

    if (trial->strategy->before == NULL)
        census_unmark(&trial->census, trial->stage->machine);
    trial->coverage = coverage_new(&setup);
    for (guint i = 0; i < trial->census.lines->len; i++)
        coverage_watch(trial->coverage,
                       g_array_index(trial->census.lines, uint64_t, i)
                           << LINE_BITS);
}

static void
set_up_coverage(Trial *trial, bool wanted)
{
    if (wanted && trial->coverage == NULL)
        make_coverage(trial);
    if (trial->coverage != NULL)
        coverage_collect(trial->coverage, wanted);
    run_set_coverage(trial->run, wanted ? trial->coverage : NULL);
}

/* Strategies that want a census get it before the first run that they decide
 * alone; a tape needs none. */
static bool
set_up_census(Trial *trial, const Tape *tape, GError **error)
{
    bool wanted = tape == NULL && trial->strategy->wants_census;

    if (wanted && trial->census.lines == NULL) {
        census_init(&trial->census);
        presume_shared(trial);
        /* Lines that rules watch since the last run: they would let go of them
         * while all memory is watched. */
        probe_begin(trial->probe);
        if (!censustaker_take(trial->run, trial->stage->machine,
                              &trial->census, error))
            return false;
    }
    run_set_census(trial->run, wanted ? &trial->census : NULL);
    set_up_coverage(trial, wanted && trial->strategy->wants_coverage);
    return true;
}

bool
trial_promise(Trial *trial, char **text, GError **error)
{
    StrategyScope scope = {
        .cpus = machine_cpus(trial->stage->machine),
        .steps_max = steps_of(trial),
    };

    *text = NULL;
    if (trial->strategy->promise == NULL)
        return true;
    if (!set_up_census(trial, NULL, error))
        return false;
    if (trial->strategy->wants_census)
        scope.census = &trial->census;
    *text = trial->strategy->promise(trial->strategy, &scope);
    return true;
}

/* Who searches sees everything; who tells a run wants quiet. */
static void
set_watching(Trial *trial, bool searches)
{
    searches = searches && trial->strategy->search != NULL;
    trial->searched += searches;
    if (searches && trial->watching.machine == NULL) {
        /* Its rules let go of the lines that they had watched. */
        probe_begin(trial->probe);
        watching_begin(&trial->watching, trial->stage->machine);
    }
    if (!searches)
        watching_end(&trial->watching);
}

bool
trial_run(Trial *trial, uint64_t seed, const Tape *tape, RunRecord *record,
         GError **error)
{
    RunResult result;

    trial->seed = seed;
    if (trial->beats != NULL)
        (*trial->beats)++;
    if (!set_up_census(trial, tape, error))
        return false;
    set_watching(trial, tape == NULL);
    if (!run_execute(trial->run, trial->strategy, tape, seed, &result, error))
        return false;
    if (trial->condition_error != NULL) {
        g_propagate_error(error, g_steal_pointer(&trial->condition_error));
        return false;
    }
    if (result.diverged) {
        g_set_error(error, STAGE_ERROR, STAGE_ERROR_GUEST,
                    "the trace does not fit: the guest or the scenario has "
                    "changed since it was made");
        return false;
    }
    *record = (RunRecord){
        .cut = result.cut,
        .seed = seed,
        .strategy = g_intern_string(trial->strategy->text),
        .steps = result.steps,
        .verdict = result.verdict,
    };
    return true;
}

bool
trial_play(Trial *trial, Strategy *strategy, uint64_t steps_max,
           RunRecord *record, GError **error)
{
    Strategy *usual = trial->strategy;
    bool ran;

    if (steps_max != 0)
        run_set_steps_max(trial->run, MIN(steps_max, steps_of(trial)));
    trial->strategy = strategy;
    ran = trial_run(trial, 0, NULL, record, error);
    trial->strategy = usual;
    record->strategy = g_intern_string(usual->text);
    run_set_steps_max(trial->run, steps_of(trial));
    return ran;
}

/* A search comes to its runs in order.  Fills `tape` with that of run number
 * `seed`. */
static bool
search_for(Trial *trial, uint64_t seed, Tape *tape, GError **error)
{
    const StrategySearch *search = trial->strategy->search;
    RunRecord record = {.cut = true};
    const Tape *made;

    while (trial->searched < seed && !search->is_over(trial->strategy))
        if (!trial_run(trial, trial->searched + 1, NULL, &record, error))
            return false;
    if (trial->searched != seed || record.cut) {
        g_set_error(error, STAGE_ERROR, STAGE_ERROR_GUEST,
                    "the search has no schedule number %" PRIu64, seed);
        return false;
    }
    made = run_tape(trial->run);
    for (size_t i = 0; i < made->count; i++)
        tape_push(tape, made->items[i].kind, made->items[i].value);
    return true;
}

/* The first claim of the case that this run broke, or showed; of a run
 * that came to a bad end, also one that this is certain. */
static void
choose_told(const Trial *trial, TrialTold *told)
{
    for (guint i = 0; i < trial->item->claims->len; i++) {
        const Claim *claim = g_ptr_array_index(trial->item->claims, i);
        bool occurred = probe_occurred(trial->probe, i);

        if (claim->quantifier == CLAIM_REACH ||
            (!occurred && claim->quantifier != CLAIM_CERTAIN))
            continue;
        if (told->claim != NULL && claim->quantifier == CLAIM_CERTAIN &&
            occurred)
            continue;
        told->claim = claim;
        told->expected = occurred && claim->quantifier != CLAIM_NEVER;
        if (claim->quantifier != CLAIM_CERTAIN || !occurred)
            return;
    }
}

static Finding *
tell(Trial *trial, const TrialTold *told, uint64_t seed, const Tape *tape,
     GError **error)
{
    TellingSetup setup = {
        .scenario = script_scenario(trial->script),
        .item = trial->item,
        .stage = trial->stage,
        .run = trial->run,
        .stories = &trial->stories,
        .probe = trial->probe,
        .ipiq = trial->options->stage.ipiq,
        .weaken = trial->options->weaken,
        .steps_max = trial->options->steps_max,
        .strategy = g_intern_string(trial->strategy->text),
        .default_strategy = trial->options->strategy == NULL,
        .memory = memory_of(trial),
        .default_memory = trial->options->memory == NULL,
        .trace_folder = trial->options->trace_folder,
        .by_trace = told->by_trace || trial->strategy->memory != NULL,
        .trace = told->trace,
        .raw = trial->options->raw,
        .keep_record = trial->options->keep_records,
        .color = trial->options->color,
    };
    g_autoptr(Telling) telling = telling_new(&setup);
    TrialTold about = *told;
    RunRecord record;
    bool ran;

    trial->telling = telling;
    bind_script(trial, true);
    ran = trial_run(trial, seed, tape, &record, error);
    bind_script(trial, false);
    trial->telling = NULL;
    if (!ran)
        return NULL;
    record.digest = machine_digest(trial->stage->machine);
    if (about.claim == NULL)
        choose_told(trial, &about);
    return telling_finish(telling, about.claim, about.expected, &record,
                          error);
}

bool
trial_is_lost(const Trial *trial, uint64_t seed, GError **error)
{
    if (trial->strategy->memory == NULL)
        return false;
    g_set_error(error, STAGE_ERROR, STAGE_ERROR_GUEST,
                "%s: a run of %s depends on the runs before it, so seed "
                "%" PRIu64 " alone does not make it again: replay the trace "
                "of its finding (heddle replay FILE.trace)",
                script_scenario(trial->script)->path, trial->strategy->text,
                seed);
    return true;
}

Finding *
trial_tell(Trial *trial, const TrialTold *told, uint64_t seed,
           const Tape *tape, GError **error)
{
    Finding *finding = NULL;
    Tape found;

    if (tape == NULL && trial_is_lost(trial, seed, error))
        return NULL;
    if (tape != NULL || trial->strategy->search == NULL) {
        watching_end(&trial->watching);
        return tell(trial, told, seed, tape, error);
    }
    tape_init(&found);
    if (search_for(trial, seed, &found, error)) {
        watching_end(&trial->watching);
        finding = tell(trial, told, seed, &found, error);
    }
    tape_clear(&found);
    return finding;
}
