/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "campaign/campaign_worker.h"

#include "base/wallclock.h"
#include "campaign/campaign_memory.h"
#include "campaign/campaign_sight.h"
#include "campaign/campaign_wire.h"
#include "check/reduce.h"
#include "check/replica.h"
#include "search/campaign_store.h"

/* A witness is worth so many replays of its schedule, which bounds what an
 * odd one can cost. */
#define SHRINK_REPLAYS_MAX 5000u

/* How often what a strategy remembers is sent. */
#define MEMORY_NANOSECONDS UINT64_C(2000000000)

typedef struct Worker {
    const CampaignWorkerSetup *setup;
    CampaignWire wire;
    Trial trial;
    unsigned case_number; /* of the trial; 0: there is none */
    GHashTable *known;    /* keys of which no more witnesses are wanted */
    GPtrArray *states;    /* by case: what its strategy keeps, while another
                             case is run; or NULL */
    CampaignSight *sight; /* of the trial */
    uint64_t state_due;   /* when what is remembered is sent again */
    char *promise;        /* of the trial's strategy, or NULL */
} Worker;

/* What a block of runs has seen of one identity. */
typedef struct Sight {
    CampaignIdentity identity;
    unsigned witnesses; /* that were written down */
} Sight;

/* Behind the verdicts, runs that the strategy cut. */
#define TALLY_CUT (VERDICT_BUDGET + 1)

typedef struct Tallies {
    uint64_t runs[TALLY_CUT + 1];
    uint64_t steps[TALLY_CUT + 1];
} Tallies;

typedef struct Block {
    GHashTable *by_key; /* Sight: looked up only */
    GPtrArray *sights;  /* the same, in order */
    GVariantBuilder witnesses;
    Tallies tallies;
} Block;

static void
free_sight(void *data)
{
    Sight *sight = data;

    g_free(sight->identity.key);
    g_free(sight->identity.verdict);
    g_free(sight->identity.place);
    g_free(sight);
}

static bool
fail(const Worker *worker, GError *error)
{
    campaign_wire_send(worker->setup->fd, CAMPAIGN_WIRE_FAILED,
                       g_variant_new(CAMPAIGN_WIRE_FAILED_TYPE,
                                     error->message));
    g_error_free(error);
    return false;
}

/* --- What a run showed ---------------------------------------------------- */

static Sight *
sight_of(const Worker *worker, Block *block, const Identity *identity,
         uint64_t run)
{
    Sight *sight = g_hash_table_lookup(block->by_key, identity->key);

    if (sight != NULL)
        return sight;
    sight = g_new0(Sight, 1);
    sight->identity = (CampaignIdentity){
        .key = g_strdup(identity->key),
        .verdict = g_strdup(identity->what),
        .place = g_strdup(identity->where),
        .expected = campaign_sight_expected(&worker->trial),
        .first = run,
    };
    g_ptr_array_add(block->sights, sight);
    g_hash_table_insert(block->by_key, sight->identity.key, sight);
    return sight;
}

static void
note(Worker *worker, Block *block, const RunRecord *record, uint64_t run)
{
    g_autoptr(GPtrArray) list =
        campaign_sight_list(worker->sight, &worker->trial, record);

    for (guint i = 0; list != NULL && i < list->len; i++) {
        const Identity *identity = g_ptr_array_index(list, i);
        Sight *sight = sight_of(worker, block, identity, run);
        g_autofree char *tape = NULL;

        sight->identity.count++;
        if (sight->witnesses == CAMPAIGN_WITNESSES ||
            g_hash_table_contains(worker->known, identity->key))
            continue;
        sight->witnesses++;
        tape = tape_print(run_tape(worker->trial.run));
        g_variant_builder_add(&block->witnesses, "(ttss)", run, record->seed,
                              identity->key, tape);
    }
}

/* --- Making runs ---------------------------------------------------------- */

static void
keep_state(Worker *worker, unsigned number, char *state)
{
    if (worker->states->len <= number)
        g_ptr_array_set_size(worker->states, (gint)number + 1);
    g_free(g_ptr_array_index(worker->states, number));
    g_ptr_array_index(worker->states, number) = state;
}

static void
leave_case(Worker *worker)
{
    if (worker->case_number == 0)
        return;
    if (worker->trial.strategy != NULL)
        keep_state(worker, worker->case_number,
                   campaign_memory_print(worker->trial.strategy));
    trial_clear(&worker->trial);
    g_clear_pointer(&worker->sight, campaign_sight_free);
    g_clear_pointer(&worker->promise, g_free);
    worker->case_number = 0;
}

/* Go on where the strategy was. */
static bool
restore_state(Worker *worker, unsigned number, GError **error)
{
    Strategy *strategy = worker->trial.strategy;
    const char *state = number < worker->states->len
                            ? g_ptr_array_index(worker->states, number)
                            : NULL;

    if (strategy->search != NULL && worker->setup->shards > 1)
        strategy->search->take_shard(strategy, worker->setup->shard,
                                     worker->setup->shards);
    return state == NULL || campaign_memory_restore(strategy, state, error);
}

static bool
set_up_case(Worker *worker, unsigned number, GError **error)
{
    const Scenario *scenario = check_scenario(worker->setup->check);

    if (worker->case_number == number)
        return true;
    leave_case(worker);
    worker->case_number = number;
    worker->sight = campaign_sight_new();
    if (!check_prepare(worker->setup->check,
                       g_ptr_array_index(scenario->cases, number - 1),
                       &worker->trial, error))
        return false;
    worker->trial.beats = &worker->setup->slot->beats;
    return restore_state(worker, number, error) &&
           trial_promise(&worker->trial, &worker->promise, error);
}

static bool
is_over(const Worker *worker)
{
    const Strategy *strategy = worker->trial.strategy;

    return strategy->search != NULL && strategy->search->is_over(strategy);
}

/* How far a search is, in words; NULL if it is none. */
static char *
print_search(const Worker *worker)
{
    const Strategy *strategy = worker->trial.strategy;
    StrategyProgress progress;
    GString *text;

    if (strategy->search == NULL)
        return g_strdup(worker->promise);
    strategy->search->progress(strategy, &progress);
    text = g_string_new(progress.complete ? "exhaustive within "
                                          : "not all within ");
    g_string_append_printf(text, "%s: %" PRIu64 " runs and %" PRIu64 " cuts",
                           progress.bounds, progress.runs, progress.cuts);
    if (!progress.complete && progress.expected > 0)
        g_string_append_printf(text, " of some %" PRIu64, progress.expected);
    if (!progress.complete && progress.passes > 0)
        g_string_append_printf(text, "; with at most %u deviations, of %u",
                               progress.pass, progress.passes);
    if (progress.why_not != NULL)
        g_string_append_printf(text, "; %s", progress.why_not);
    return g_string_free(text, FALSE);
}

/* A search is gone on with exactly where its runs ended.  What is merely
 * remembered can be large, and is sent from time to time. */
static char *
state_to_send(Worker *worker)
{
    const Strategy *strategy = worker->trial.strategy;
    uint64_t now = wallclock_now();

    if (strategy->search == NULL && now < worker->state_due)
        return NULL;
    worker->state_due = now + MEMORY_NANOSECONDS;
    return campaign_memory_print(strategy);
}

static void
send_block(Worker *worker, Block *block, uint64_t made, uint64_t nanoseconds)
{
    g_autofree char *state = state_to_send(worker);
    g_autofree char *promise = print_search(worker);
    GVariantBuilder tallies, sights;

    g_variant_builder_init(&tallies, G_VARIANT_TYPE("a(stt)"));
    for (unsigned kind = 0; kind <= TALLY_CUT; kind++)
        if (block->tallies.runs[kind] > 0)
            g_variant_builder_add(&tallies, "(stt)",
                                  kind == TALLY_CUT
                                      ? "cut"
                                      : verdict_name((VerdictKind)kind),
                                  block->tallies.runs[kind],
                                  block->tallies.steps[kind]);
    g_variant_builder_init(&sights, G_VARIANT_TYPE("a(sssbtt)"));
    for (guint i = 0; i < block->sights->len; i++) {
        const CampaignIdentity *identity =
            &((Sight *)g_ptr_array_index(block->sights, i))->identity;

        g_variant_builder_add(&sights, "(sssbtt)", identity->key,
                              identity->verdict, identity->place,
                              (gboolean)identity->expected, identity->count,
                              identity->first);
    }
    campaign_wire_send(
        worker->setup->fd, CAMPAIGN_WIRE_RAN,
        g_variant_new(CAMPAIGN_WIRE_RAN_TYPE, worker->case_number, made,
                      nanoseconds,
                      campaign_memory_reached(worker->trial.strategy),
                      &tallies, &sights,
                      &block->witnesses, (gboolean)is_over(worker), state,
                      promise));
}

static bool
make_runs(Worker *worker, const CampaignRuns *runs, Block *block,
          uint64_t *made, GError **error)
{
    CampaignSlot *slot = worker->setup->slot;

    for (*made = 0; *made < runs->count && !is_over(worker); (*made)++) {
        RunRecord record;
        unsigned kind;

        slot->run = runs->first + *made * runs->stride;
        if (!trial_run(&worker->trial, worker->setup->first_seed + slot->run,
                       NULL, &record, error))
            return false;
        kind = record.cut ? TALLY_CUT : record.verdict.kind;
        block->tallies.runs[kind]++;
        block->tallies.steps[kind] += record.steps;
        if (!record.cut)
            note(worker, block, &record, slot->run);
        slot->runs++;
    }
    return true;
}

static bool
serve_run(Worker *worker, GVariant *message)
{
    GError *error = NULL;
    CampaignRuns runs;
    Block block = {0};
    uint64_t began, made;
    unsigned number;
    bool ok;

    g_variant_get(message, CAMPAIGN_WIRE_RUN_TYPE, &number, &runs.first,
                  &runs.stride, &runs.count);
    worker->setup->slot->run = runs.first;
    worker->setup->slot->case_number = number;
    if (!set_up_case(worker, number, &error))
        return fail(worker, error);
    block.by_key = g_hash_table_new(g_str_hash, g_str_equal);
    block.sights = g_ptr_array_new_with_free_func(free_sight);
    g_variant_builder_init(&block.witnesses, G_VARIANT_TYPE("a(ttss)"));
    began = wallclock_now();
    ok = make_runs(worker, &runs, &block, &made, &error);
    if (ok)
        send_block(worker, &block, made, wallclock_now() - began);
    else
        g_variant_builder_clear(&block.witnesses);
    g_hash_table_unref(block.by_key);
    g_ptr_array_unref(block.sights);
    worker->setup->slot->case_number = 0;
    return ok || fail(worker, error);
}

/* --- Shrinking ------------------------------------------------------------ */

/* A witness and what became of it. */
typedef struct Shrinking {
    unsigned case_number;
    uint64_t run, seed;
    const char *key, *text; /* the tape, as text */
    Tape tape;
    Finding *first;         /* as it happened */
    Reduction reduction;
    Finding *shrunk;
} Shrinking;

static bool
shrink(Worker *worker, Shrinking *shrinking, GError **error)
{
    ReduceWish wish = {
        .seed = shrinking->seed,
        .tape = &shrinking->tape,
        .key = shrinking->key,
        .replays_max = SHRINK_REPLAYS_MAX,
    };
    TrialTold told = {0};

    if (!set_up_case(worker, shrinking->case_number, error) ||
        !tape_parse(&shrinking->tape, shrinking->text, error))
        return false;
    told.by_trace = campaign_memory_is_needed(worker->trial.strategy);
    shrinking->first = trial_tell(&worker->trial, &told, shrinking->seed,
                                  &shrinking->tape, error);
    if (shrinking->first == NULL ||
        !reduce_run(&worker->trial, &wish, &shrinking->reduction, error))
        return false;
    shrinking->shrunk =
        reduce_tell(&worker->trial, &shrinking->reduction, error);
    return shrinking->shrunk != NULL;
}

/* The shrunk run as a scenario beside its trace; NULL if it cannot be one. */
static char *
write_replica(Worker *worker, const Shrinking *shrinking)
{
    g_autofree char *path = replica_path(shrinking->shrunk);

    if (path == NULL || !replica_write(&worker->trial, &shrinking->reduction,
                                       path, NULL))
        return NULL;
    return g_steal_pointer(&path);
}

static bool
send_shrunk(Worker *worker, const Shrinking *shrinking)
{
    const Reduction *reduction = &shrinking->reduction;
    const Finding *first = shrinking->first, *shrunk = shrinking->shrunk;
    g_autofree char *shape = schedule_shape(reduction->schedule);
    g_autofree char *tape = tape_print(&reduction->tape);
    g_autofree char *replica = write_replica(worker, shrinking);

    return campaign_wire_send(
        worker->setup->fd, CAMPAIGN_WIRE_SHRUNK,
        g_variant_new(CAMPAIGN_WIRE_SHRUNK_TYPE, shrinking->case_number,
                      shrinking->run, shrinking->seed, shrinking->key, shape,
                      tape, first->run.digest, shrunk->where, first->replay,
                      first->trace, shrunk->trace, replica, shrunk->story));
}

/* The run cannot be made again from its tape, which is a bug of heddle: it is
 * kept as it is, and said. */
static bool
send_unshrunk(const Worker *worker, const Shrinking *shrinking, GError *error)
{
    bool ok = campaign_wire_send(
        worker->setup->fd, CAMPAIGN_WIRE_UNSHRUNK,
        g_variant_new(CAMPAIGN_WIRE_UNSHRUNK_TYPE, shrinking->case_number,
                      shrinking->run, shrinking->key, error->message));

    g_error_free(error);
    return ok;
}

static bool
serve_shrink(Worker *worker, GVariant *message)
{
    CampaignSlot *slot = worker->setup->slot;
    Shrinking shrinking = {0};
    GError *error = NULL;
    bool ok;

    g_variant_get(message, "(utt&s&s)", &shrinking.case_number,
                  &shrinking.run, &shrinking.seed, &shrinking.key,
                  &shrinking.text);
    slot->run = shrinking.run;
    slot->shrinks = true;
    slot->case_number = shrinking.case_number;
    tape_init(&shrinking.tape);
    if (shrink(worker, &shrinking, &error))
        ok = send_shrunk(worker, &shrinking);
    else if (g_error_matches(error, STAGE_ERROR, STAGE_ERROR_GUEST) ||
             g_error_matches(error, REDUCE_ERROR, REDUCE_ERROR_NOTHING))
        ok = send_unshrunk(worker, &shrinking, error);
    else
        ok = fail(worker, error);
    tape_clear(&shrinking.tape);
    reduce_clear(&shrinking.reduction);
    g_clear_pointer(&shrinking.first, finding_free);
    g_clear_pointer(&shrinking.shrunk, finding_free);
    slot->case_number = 0;
    slot->shrinks = false;
    return ok;
}

/* --- The loop ------------------------------------------------------------- */

static bool
serve(Worker *worker, CampaignWireKind kind, GVariant *message)
{
    GError *error = NULL;
    const char *key;
    unsigned number;

    switch (kind) {
    case CAMPAIGN_WIRE_RUN:
        return serve_run(worker, message);
    case CAMPAIGN_WIRE_SHRINK:
        return serve_shrink(worker, message);
    case CAMPAIGN_WIRE_STATE:
        g_variant_get(message, "(u&s)", &number, &key);
        if (number != worker->case_number) {
            keep_state(worker, number, g_strdup(key));
            return true;
        }
        return campaign_memory_join(worker->trial.strategy, key, &error) ||
               fail(worker, error);
    default:
        INVARIANT(kind == CAMPAIGN_WIRE_KNOWN);
        g_variant_get(message, "(u&s)", &number, &key);
        g_hash_table_add(worker->known, g_strdup(key));
        return true;
    }
}

int
campaign_worker_main(const CampaignWorkerSetup *setup)
{
    Worker worker = {.setup = setup};
    bool ok = true;

    campaign_wire_init(&worker.wire, setup->fd);
    worker.states = g_ptr_array_new_with_free_func(g_free);
    worker.known =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    while (ok && campaign_wire_fill(&worker.wire)) {
        GVariant *message;
        CampaignWireKind kind;

        while (ok &&
               (message = campaign_wire_next(&worker.wire, &kind)) != NULL) {
            ok = serve(&worker, kind, message);
            g_variant_unref(message);
        }
    }
    leave_case(&worker);
    g_ptr_array_unref(worker.states);
    g_hash_table_unref(worker.known);
    campaign_wire_clear(&worker.wire);
    return ok ? 0 : 1;
}
