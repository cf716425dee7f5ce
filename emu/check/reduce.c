/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "check/reduce.h"

#include "search/shrink.h"

G_DEFINE_QUARK(heddle-reduce-error, reduce_error)

/* A candidate may take longer than the run that is shrunk, by so many steps of
 * each core: its loop has to be found.  One that gets nowhere must end. */
#define CANDIDATE_STEPS 4000u

/* Steps after which only what 1-minimality needs is tried: some seconds. */
#define POLISH_STEPS 20000000u

typedef struct Reducing {
    Trial *trial;
    const char *key;
    uint64_t steps_max;
} Reducing;

void
reduce_clear(Reduction *reduction)
{
    g_clear_pointer(&reduction->found, g_ptr_array_unref);
    g_clear_pointer(&reduction->key, g_free);
    g_clear_pointer(&reduction->schedule, schedule_free);
    g_clear_pointer(&reduction->run, schedule_free);
    tape_clear(&reduction->tape);
}

static unsigned
count_switches(const Schedule *run)
{
    unsigned count = 0;
    int running = -1;

    for (guint i = 0; i < run->turns->len; i++) {
        const Turn *turn = &g_array_index(run->turns, Turn, i);

        if (turn->kind != TURN_RUN)
            continue;
        count += running >= 0 && running != (int)turn->cpu;
        running = (int)turn->cpu;
    }
    return count;
}

static bool
play(void *user, const Schedule *candidate, bool *same, GError **error)
{
    Reducing *reducing = user;
    Trial *trial = reducing->trial;
    g_autoptr(Strategy) strategy =
        schedule_play_new(candidate, trial->stage->machine);
    g_autoptr(GPtrArray) found = NULL;
    RunRecord record;

    if (!trial_play(trial, strategy, reducing->steps_max, &record, error))
        return false;
    found = identity_list(trial, &record);
    *same = identity_lookup(found, reducing->key) != NULL;
    return true;
}

/* Make the run, by tape or by strategy, and write it down in turns. */
static bool
record_run(Trial *trial, const ReduceWish *wish, Strategy *strategy,
           Reduction *out, GError **error)
{
    ScheduleRecorder recorder;
    RunObserver observer;
    bool ran;

    machine_restore(trial->stage->machine);
    schedule_recorder_init(&recorder, trial->stage->machine);
    schedule_recorder_observer(&recorder, &observer);
    run_observe(trial->run, &observer);
    ran = strategy != NULL
              ? trial_play(trial, strategy, 0, &out->record, error)
              : trial_run(trial, wish->seed, wish->tape, &out->record, error);
    run_observe(trial->run, NULL);
    schedule_free(out->run);
    out->run = schedule_recorder_finish(&recorder, run_tape(trial->run));
    if (!ran)
        return false;
    out->record.seed = wish->seed;
    out->record.digest = machine_digest(trial->stage->machine);
    return true;
}

static void
measure(const Trial *trial, const Reduction *reduction, ReductionSize *size)
{
    *size = (ReductionSize){
        .switches = count_switches(reduction->run),
        .decisions = (unsigned)run_tape(trial->run)->count,
        .steps = reduction->record.steps,
    };
}

static const Identity *
choose_identity(const Trial *trial, const ReduceWish *wish,
                const GPtrArray *found, GError **error)
{
    const Identity *kept = NULL;

    if (wish->key != NULL)
        kept = identity_lookup(found, wish->key);
    else if (found->len > 0)
        kept = g_ptr_array_index(found, 0);
    if (kept == NULL)
        g_set_error(error, REDUCE_ERROR, REDUCE_ERROR_NOTHING,
                    "case %u: this run found nothing that could be shown "
                    "with less: shrink a run that `heddle run` or `explore` "
                    "reports",
                    trial->item->number);
    return kept;
}

static void
keep_tape(const Trial *trial, Tape *tape)
{
    const Tape *made = run_tape(trial->run);

    tape_clear(tape);
    tape_init(tape);
    for (size_t i = 0; i < made->count; i++)
        tape_push(tape, made->items[i].kind, made->items[i].value);
}

/* The run that the shrunk schedule gives; or the first one again. */
static bool
make_result(Trial *trial, const ReduceWish *wish, Reduction *out, bool shows,
            GError **error)
{
    g_autoptr(Strategy) strategy =
        shows ? schedule_play_new(out->schedule, trial->stage->machine)
              : NULL;

    if (!record_run(trial, wish, strategy, out, error))
        return false;
    g_ptr_array_unref(out->found);
    out->found = identity_list(trial, &out->record);
    keep_tape(trial, &out->tape);
    measure(trial, out, &out->after);
    return true;
}

bool
reduce_run(Trial *trial, const ReduceWish *wish, Reduction *out,
           GError **error)
{
    Reducing reducing = {.trial = trial};
    ShrinkSetup setup = {
        .play = play, .user = &reducing, .replays_max = wish->replays_max};
    const Identity *kept;
    ShrinkReport report;

    *out = (Reduction){0};
    if (!record_run(trial, wish, NULL, out, error))
        return false;
    measure(trial, out, &out->before);
    out->found = identity_list(trial, &out->record);
    kept = choose_identity(trial, wish, out->found, error);
    if (kept == NULL)
        return false;
    out->key = g_strdup(kept->key);
    reducing.key = out->key;
    reducing.steps_max =
        out->record.steps +
        (uint64_t)CANDIDATE_STEPS * machine_cpus(trial->stage->machine);
    setup.polish_max = (unsigned)(POLISH_STEPS / reducing.steps_max) + 1;
    out->schedule = schedule_copy(out->run);
    if (!shrink_schedule(out->schedule, &setup, &report, error) ||
        !make_result(trial, wish, out, report.shows, error))
        return false;
    out->replays = report.replays;
    out->minimal = report.minimal;
    return true;
}

/* --- Telling -------------------------------------------------------------- */

Finding *
reduce_tell(Trial *trial, const Reduction *reduction, GError **error)
{
    TrialTold told = {.by_trace = true};

    return trial_tell(trial, &told, reduction->record.seed, &reduction->tape,
                      error);
}
