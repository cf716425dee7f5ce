/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "people/campaign.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/wallclock.h"
#include "people/campaign_crew.h"
#include "people/campaign_open.h"

#define SECOND UINT64_C(1000000000)
/* A worker has an answer after so long: short enough for progress and for
 * what an interruption loses, long enough to cost nothing. */
#define BLOCK_NANOSECONDS (SECOND / 10)
#define BLOCK_RUNS_FIRST 16u
#define BLOCK_RUNS_MAX 4096u
/* Given to a worker in advance, so that it never waits for us. */
#define TASKS_AHEAD 2u
/* Without a limit cases take turns. */
#define TURN_NANOSECONDS (10 * SECOND)
#define TICK_MILLISECONDS 100
/* Workers that died without one having done anything: something is wrong that
 * is not about a run. */
#define DEATHS_MAX 10u

typedef struct Task {
    CampaignHunt *hunt;
    CampaignHuntBlock *block;     /* or */
    CampaignHuntWitness *witness;
} Task;

struct Campaign {
    CampaignOptions options;
    Check *check;
    CampaignOpened opened;
    CampaignCrew *crew;
    const CampaignEvents *events;
    GQueue tasks[CAMPAIGN_CREW_MAX]; /* Task, in the order of sending */
    uint64_t block_runs[CAMPAIGN_CREW_MAX]; /* that take the right time */
    unsigned turn;        /* the hunt that is searched at the moment */
    uint64_t turn_ends;
    uint64_t began, ends; /* UINT64_MAX: never */
    bool stopping;
    unsigned deaths;      /* since a block was done */
    uint64_t coverage;
    uint64_t runs_before; /* of earlier sessions */
    uint64_t last_new;    /* when something was found */
    uint64_t ticked, runs_ticked;
    GError *error;
};

G_DEFINE_QUARK(heddle-campaign-error, campaign_error)

/* --- Signals -------------------------------------------------------------- */

static volatile sig_atomic_t interruptions;

static void
interrupt(int number)
{
    (void)number;
    interruptions++;
    if (interruptions > 1)
        _exit(130);
}

/* No SA_RESTART: a wait is to end. */
static void
catch_signals(void)
{
    struct sigaction action = {.sa_handler = interrupt};

    interruptions = 0;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* --- Giving out ----------------------------------------------------------- */

static CampaignHunt *
hunt_at(const Campaign *campaign, unsigned index)
{
    return g_ptr_array_index(campaign->opened.hunts, index);
}

static void
remember(Campaign *campaign, unsigned worker, Task task)
{
    Task *copy = g_new(Task, 1);

    *copy = task;
    g_queue_push_tail(&campaign->tasks[worker], copy);
}

static bool
give_witness(Campaign *campaign, unsigned worker)
{
    for (guint i = 0; i < campaign->opened.hunts->len; i++) {
        CampaignHunt *hunt = hunt_at(campaign, i);
        CampaignHuntWitness *witness = campaign_hunt_give_witness(hunt);

        if (witness == NULL)
            continue;
        remember(campaign, worker, (Task){.hunt = hunt, .witness = witness});
        campaign_crew_send(campaign->crew, worker, CAMPAIGN_WIRE_SHRINK,
                           g_variant_new(CAMPAIGN_WIRE_SHRINK_TYPE,
                                         hunt->key.case_number,
                                         witness->row->run, witness->row->seed,
                                         witness->row->identity,
                                         witness->row->tape));
        return true;
    }
    return false;
}

/* Towards the end of a limit blocks get smaller, for all to end together. */
static uint64_t
wanted_runs(const Campaign *campaign, const CampaignHunt *hunt,
            unsigned worker)
{
    uint64_t left = hunt->limit - MIN(hunt->given, hunt->limit);
    uint64_t fair = left / (2 * campaign->options.jobs);

    return MAX(MIN(campaign->block_runs[worker], fair), 1);
}

static bool
give_runs(Campaign *campaign, unsigned worker)
{
    for (guint i = 0; i < campaign->opened.hunts->len; i++) {
        CampaignHunt *hunt = hunt_at(campaign, campaign->turn);
        CampaignHuntBlock *block = campaign_hunt_give(
            hunt, wanted_runs(campaign, hunt, worker));

        if (block == NULL) {
            campaign->turn =
                (campaign->turn + 1) % campaign->opened.hunts->len;
            continue;
        }
        remember(campaign, worker, (Task){.hunt = hunt, .block = block});
        campaign_crew_send(campaign->crew, worker, CAMPAIGN_WIRE_RUN,
                           g_variant_new(CAMPAIGN_WIRE_RUN_TYPE,
                                         hunt->key.case_number,
                                         campaign_hunt_run(hunt,
                                                           block->ordinal),
                                         (uint64_t)hunt->key.shards,
                                         block->count));
        return true;
    }
    return false;
}

/* Without a limit of runs, or with one of time, cases take turns. */
static void
take_turns(Campaign *campaign)
{
    uint64_t now = wallclock_now();
    unsigned cases = campaign->opened.hunts->len;

    if (now < campaign->turn_ends || cases == 1)
        return;
    if (campaign->turn_ends != 0)
        campaign->turn = (campaign->turn + 1) % cases;
    if (campaign->options.seconds != 0)
        campaign->turn_ends = now + campaign->options.seconds * SECOND / cases;
    else if (campaign->options.runs != 0)
        campaign->turn_ends = UINT64_MAX;
    else
        campaign->turn_ends = now + TURN_NANOSECONDS;
}

static void
give(Campaign *campaign)
{
    take_turns(campaign);
    for (unsigned i = 0; i < campaign->options.jobs; i++)
        while (g_queue_get_length(&campaign->tasks[i]) < TASKS_AHEAD &&
               (give_witness(campaign, i) ||
                (!campaign->stopping && give_runs(campaign, i))))
            ;
}

/* --- Taking in ------------------------------------------------------------ */

static void
take_block(Campaign *campaign, unsigned worker, Task *task, GVariant *message)
{
    uint64_t nanoseconds, coverage, runs;
    unsigned number;

    g_variant_get_child(message, 0, "u", &number);
    g_variant_get_child(message, 1, "t", &nanoseconds);
    g_variant_get_child(message, 2, "t", &coverage);
    INVARIANT(task->block != NULL && task->hunt->key.case_number == number);
    task->block->result = g_variant_ref(message);
    task->block->stage = CAMPAIGN_HUNT_DONE;
    runs = task->block->count * BLOCK_NANOSECONDS / MAX(nanoseconds, 1);
    /* A first measurement may be anything. */
    runs = MIN(runs, 4 * campaign->block_runs[worker]);
    campaign->block_runs[worker] = CLAMP(runs, 1, BLOCK_RUNS_MAX);
    campaign->coverage = MAX(campaign->coverage, coverage);
    campaign->deaths = 0;
}

static void
take_shrunk(Task *task, GVariant *message)
{
    CampaignWitness *row;
    const char *key;
    uint64_t run, seed;
    unsigned number;

    INVARIANT(task->witness != NULL);
    row = task->witness->row;
    g_variant_get(message, "(utt&ssstssmsmsmss)", &number, &run, &seed,
                  &key, &row->shape, &row->shrunk, &row->digest, &row->where,
                  &row->replay, &row->trace, &row->shrunk_trace, &row->lua,
                  &row->story);
    INVARIANT(run == row->run && g_str_equal(key, row->identity));
    task->witness->stage = CAMPAIGN_HUNT_DONE;
}

static void
take_message(void *user, unsigned worker, CampaignWireKind kind,
             GVariant *message)
{
    Campaign *campaign = user;
    g_autofree Task *task = NULL;
    const char *text;

    if (kind == CAMPAIGN_WIRE_FAILED) {
        g_variant_get(message, "(&s)", &text);
        if (campaign->error == NULL)
            campaign->error = g_error_new_literal(
                CAMPAIGN_ERROR, CAMPAIGN_ERROR_WORKER, text);
        return;
    }
    task = g_queue_pop_head(&campaign->tasks[worker]);
    INVARIANT(task != NULL);
    if (kind == CAMPAIGN_WIRE_RAN)
        take_block(campaign, worker, task, message);
    else
        take_shrunk(task, message);
}

/* --- Deaths --------------------------------------------------------------- */

static void
notice(Campaign *campaign, const CampaignHunt *hunt, uint64_t run,
       const char *death, const char *rest)
{
    g_autofree char *text = g_strdup_printf(
        "a worker died (%s) in the run of seed %" PRIu64 " of case %u; %s",
        death, hunt->key.first_seed + run, hunt->key.case_number, rest);

    campaign->events->notice(campaign->events->user, text);
}

/* Somebody else ended it, who need not have meant this run. */
static bool
was_killed(int number)
{
    return number == SIGKILL || number == SIGTERM || number == SIGHUP;
}

static void
lose_run(Campaign *campaign, Task *task, uint64_t run, int number,
         const char *death)
{
    CampaignHunt *hunt = task->hunt;

    task->block->stage = CAMPAIGN_HUNT_WAITING;
    if (was_killed(number) && hunt->suspect != run) {
        hunt->suspect = run;
        notice(campaign, hunt, run, death, "it is made again");
        return;
    }
    notice(campaign, hunt, run, death, "it is left out");
    campaign_hunt_cut(hunt, task->block, run, death);
}

static void
lose_witness(Campaign *campaign, Task *task, int number, const char *death)
{
    CampaignHuntWitness *witness = task->witness;
    CampaignWitness *row = witness->row;

    witness->stage = CAMPAIGN_HUNT_WAITING;
    witness->deaths++;
    if (was_killed(number) && witness->deaths < 2)
        return;
    notice(campaign, task->hunt, row->run, death,
           "it was being shrunk, and is kept as it is");
    row->shape = g_strdup("not shrunk");
    row->shrunk = g_strdup(row->tape);
    row->where = g_strdup("");
    row->replay = campaign_hunt_replay(task->hunt, row->run);
    row->story = g_strdup("");
    witness->stage = CAMPAIGN_HUNT_DONE;
}

static bool
has_run(const Task *task, uint64_t run)
{
    uint64_t first;

    if (task->block == NULL)
        return false;
    first = campaign_hunt_run(task->hunt, task->block->ordinal);
    return run >= first &&
           (run - first) / task->hunt->key.shards < task->block->count;
}

/* What the dead worker had to do waits for another; what it was doing is to
 * blame. */
static void
take_back(Campaign *campaign, Task *task, int number, const CampaignSlot *slot)
{
    g_autofree char *death =
        number != 0 ? g_strdup_printf("signal %d, %s", number,
                                      strsignal(number))
                    : g_strdup("it exited");
    bool of_case = slot->case_number == task->hunt->key.case_number;

    if (of_case && !slot->shrinks && has_run(task, slot->run))
        lose_run(campaign, task, slot->run, number, death);
    else if (task->block != NULL)
        task->block->stage = CAMPAIGN_HUNT_WAITING;
    else if (of_case && slot->shrinks &&
             slot->run == task->witness->row->run)
        lose_witness(campaign, task, number, death);
    else
        task->witness->stage = CAMPAIGN_HUNT_WAITING;
}

static void
send_known(Campaign *campaign, unsigned worker, const CampaignHunt *hunt,
           const char *key)
{
    campaign_crew_send(campaign->crew, worker, CAMPAIGN_WIRE_KNOWN,
                       g_variant_new(CAMPAIGN_WIRE_KNOWN_TYPE,
                                     hunt->key.case_number, key));
}

/* A new worker learns what is known. */
static void
teach(Campaign *campaign, unsigned worker)
{
    for (guint i = 0; i < campaign->opened.hunts->len; i++) {
        const CampaignHunt *hunt = hunt_at(campaign, i);

        for (guint j = 0; j < hunt->identities->len; j++) {
            const CampaignHuntIdentity *identity =
                g_ptr_array_index(hunt->identities, j);

            if (identity->known)
                send_known(campaign, worker, hunt, identity->data.key);
        }
    }
}

static void
take_death(void *user, unsigned worker, int number, const CampaignSlot *slot)
{
    Campaign *campaign = user;
    Task *task;

    while ((task = g_queue_pop_head(&campaign->tasks[worker])) != NULL) {
        take_back(campaign, task, number, slot);
        g_free(task);
    }
    campaign->deaths++;
    if (campaign->deaths > DEATHS_MAX && campaign->error == NULL)
        campaign->error = g_error_new(
            CAMPAIGN_ERROR, CAMPAIGN_ERROR_WORKER,
            "%u workers died one after the other, the last of signal %d; "
            "is there memory enough?",
            campaign->deaths, number);
    teach(campaign, worker);
}

/* --- Telling -------------------------------------------------------------- */

static void
tell_known(void *user, CampaignHunt *hunt, const char *key)
{
    Campaign *campaign = user;

    for (unsigned i = 0; i < campaign->options.jobs; i++)
        send_known(campaign, i, hunt, key);
}

static void
tell_found(void *user, CampaignHunt *hunt, const CampaignIdentity *identity,
           const CampaignWitness *witness)
{
    Campaign *campaign = user;

    campaign->last_new = wallclock_now();
    campaign->events->found(campaign->events->user, hunt, identity, witness);
}

static void
tell_progress(Campaign *campaign)
{
    uint64_t now = wallclock_now();
    uint64_t made = campaign_crew_runs(campaign->crew);
    CampaignProgress progress = {
        .runs = campaign->runs_before + made,
        .coverage = campaign->coverage,
        .quiet_seconds = (now - campaign->last_new) / SECOND,
        .item = hunt_at(campaign, campaign->turn)->item,
    };

    if (now - campaign->ticked < SECOND)
        return;
    for (guint i = 0; i < campaign->opened.hunts->len; i++)
        progress.findings += hunt_at(campaign, i)->findings;
    progress.per_second = (made - campaign->runs_ticked) * SECOND /
                          (now - campaign->ticked);
    campaign->ticked = now;
    campaign->runs_ticked = made;
    campaign->events->progress(campaign->events->user, &progress);
}

/* --- The loop ------------------------------------------------------------- */

static bool
commit(Campaign *campaign, GError **error)
{
    CampaignHuntEvents events = {
        .known = tell_known,
        .found = tell_found,
        .user = campaign,
    };

    for (guint i = 0; i < campaign->opened.hunts->len; i++)
        if (!campaign_hunt_commit(hunt_at(campaign, i), &events, error))
            return false;
    return true;
}

static bool
is_over(const Campaign *campaign)
{
    for (guint i = 0; i < campaign->opened.hunts->len; i++)
        if (!campaign_hunt_is_over(hunt_at(campaign, i), campaign->stopping))
            return false;
    return true;
}

static bool
loop(Campaign *campaign, GError **error)
{
    CampaignCrewEvents events = {
        .message = take_message,
        .died = take_death,
        .user = campaign,
    };

    while (!is_over(campaign)) {
        give(campaign);
        if (!campaign_crew_wait(campaign->crew, TICK_MILLISECONDS, &events,
                                error) ||
            !commit(campaign, error))
            return false;
        if (campaign->error != NULL) {
            g_propagate_error(error, g_steal_pointer(&campaign->error));
            return false;
        }
        tell_progress(campaign);
        campaign->stopping = campaign->stopping || interruptions > 0 ||
                             wallclock_now() >= campaign->ends;
    }
    return true;
}

bool
campaign_run(Campaign *campaign, const CampaignEvents *events, GError **error)
{
    CampaignCrewSetup setup = {
        .check = campaign->check,
        .first_seed = campaign->options.check.first_seed,
        .workers = campaign->options.jobs,
        .store = campaign->opened.store,
    };

    campaign->events = events;
    catch_signals();
    campaign->began = campaign->last_new = campaign->ticked = wallclock_now();
    campaign->ends = campaign->options.seconds != 0
                         ? campaign->began + campaign->options.seconds * SECOND
                         : UINT64_MAX;
    for (guint i = 0; i < campaign->opened.hunts->len; i++)
        campaign->runs_before += hunt_at(campaign, i)->committed;
    if (is_over(campaign))
        return true;
    campaign->crew = campaign_crew_new(&setup, error);
    if (campaign->crew == NULL)
        return false;
    for (unsigned i = 0; i < campaign->options.jobs; i++) {
        campaign->block_runs[i] = BLOCK_RUNS_FIRST;
        teach(campaign, i);
    }
    return loop(campaign, error);
}

/* --- Life ----------------------------------------------------------------- */

Campaign *
campaign_new(const char *path, const CampaignOptions *options, GError **error)
{
    g_autoptr(Campaign) campaign = g_new0(Campaign, 1);

    INVARIANT(options->jobs >= 1 && options->jobs <= CAMPAIGN_CREW_MAX);
    INVARIANT(options->shard >= 1 && options->shard <= options->shards);
    campaign->options = *options;
    for (unsigned i = 0; i < CAMPAIGN_CREW_MAX; i++)
        g_queue_init(&campaign->tasks[i]);
    campaign->check = check_new(path, &options->check, error);
    if (campaign->check == NULL ||
        !campaign_open(campaign->check, options, &campaign->opened, error))
        return NULL;
    return g_steal_pointer(&campaign);
}

void
campaign_free(Campaign *campaign)
{
    if (campaign == NULL)
        return;
    campaign_crew_free(campaign->crew);
    for (unsigned i = 0; i < CAMPAIGN_CREW_MAX; i++)
        g_queue_clear_full(&campaign->tasks[i], g_free);
    campaign_open_clear(&campaign->opened);
    check_free(campaign->check);
    g_clear_error(&campaign->error);
    g_free(campaign);
}

const GPtrArray *
campaign_hunts(const Campaign *campaign)
{
    return campaign->opened.hunts;
}

const Scenario *
campaign_scenario(const Campaign *campaign)
{
    return check_scenario(campaign->check);
}

CampaignStore *
campaign_store(const Campaign *campaign)
{
    return campaign->opened.store;
}

const char *
campaign_store_path(const Campaign *campaign)
{
    return campaign->opened.path;
}

const char *
campaign_moved(const Campaign *campaign)
{
    return campaign->opened.moved;
}

bool
campaign_resumed(const Campaign *campaign)
{
    return campaign->opened.resumed;
}

bool
campaign_interrupted(const Campaign *campaign)
{
    (void)campaign;
    return interruptions > 0;
}
