/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "campaign/campaign.h"

#include <signal.h>
#include <unistd.h>

#include "base/wallclock.h"
#include "campaign/campaign_parts.h"

#define SECOND UINT64_C(1000000000)
#define BLOCK_RUNS_FIRST 16u
/* Given to a worker in advance, so that it never waits for us. */
#define TASKS_AHEAD 2u
/* Without a limit cases take turns. */
#define TURN_NANOSECONDS (10 * SECOND)
#define TICK_MILLISECONDS 100

/* How long a worker may be silent. */
#define PATIENCE_SECONDS 120u
#define PATIENCE_STEPS_A_SECOND 100000u
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

CampaignHunt *
campaign_hunt_at(const Campaign *campaign, unsigned index)
{
    return g_ptr_array_index(campaign->opened.hunts, index);
}

static void
remember(Campaign *campaign, unsigned worker, CampaignTask task)
{
    CampaignTask *copy = g_new(CampaignTask, 1);

    *copy = task;
    g_queue_push_tail(&campaign->tasks[worker], copy);
}

static bool
give_witness(Campaign *campaign, unsigned worker)
{
    for (guint i = 0; i < campaign->opened.hunts->len; i++) {
        CampaignHunt *hunt = campaign_hunt_at(campaign, i);
        CampaignHuntWitness *witness = campaign_hunt_give_witness(hunt);

        if (witness == NULL)
            continue;
        remember(campaign, worker,
                 (CampaignTask){.hunt = hunt, .witness = witness});
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
        CampaignHunt *hunt = campaign_hunt_at(campaign, campaign->turn);
        CampaignHuntBlock *block = campaign_hunt_give(
            hunt, wanted_runs(campaign, hunt, worker));

        if (block == NULL) {
            campaign->turn =
                (campaign->turn + 1) % campaign->opened.hunts->len;
            continue;
        }
        remember(campaign, worker,
                 (CampaignTask){.hunt = hunt, .block = block});
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

/* --- Telling -------------------------------------------------------------- */

static void
tell_known(void *user, CampaignHunt *hunt, const char *key)
{
    Campaign *campaign = user;

    for (unsigned i = 0; i < campaign->options.jobs; i++)
        campaign_send_known(campaign, i, hunt, key);
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
        .item = campaign_hunt_at(campaign, campaign->turn)->item,
    };

    if (now - campaign->ticked < SECOND)
        return;
    for (guint i = 0; i < campaign->opened.hunts->len; i++)
        progress.findings += campaign_hunt_at(campaign, i)->findings;
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
        if (!campaign_hunt_commit(campaign_hunt_at(campaign, i), &events,
                                  error))
            return false;
    return true;
}

static bool
is_over(const Campaign *campaign)
{
    for (guint i = 0; i < campaign->opened.hunts->len; i++)
        if (!campaign_hunt_is_over(campaign_hunt_at(campaign, i),
                                   campaign->stopping))
            return false;
    return true;
}

static bool
is_busy(void *user, unsigned worker)
{
    Campaign *campaign = user;

    return !g_queue_is_empty(&campaign->tasks[worker]);
}

static bool
loop(Campaign *campaign, GError **error)
{
    CampaignCrewEvents events = {
        .message = campaign_take_message,
        .died = campaign_take_death,
        .is_busy = is_busy,
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

/* Does a strategy make its runs one after the other? */
static bool
searches(const Campaign *campaign)
{
    bool found = false;

    for (guint i = 0; i < campaign->opened.hunts->len; i++) {
        g_autoptr(Strategy) strategy = strategy_parse(
            campaign_hunt_at(campaign, i)->key.strategy, NULL);

        found = found || (strategy != NULL && strategy->search != NULL);
    }
    return found;
}

static void
limit_jobs(Campaign *campaign)
{
    if (campaign->options.jobs == 1 || !searches(campaign))
        return;
    campaign->options.jobs = 1;
    campaign->events->notice(campaign->events->user,
                             "this strategy makes its runs one after the "
                             "other: with one job; --shard shares it out");
}

/* Unless somebody knows better: a busy host may be slow, an instrumented
 * program is. */
static void
choose_patience(Campaign *campaign)
{
    uint64_t steps = 0;

    for (guint i = 0; i < campaign->opened.hunts->len; i++)
        steps = MAX(steps, campaign_hunt_at(campaign, i)->key.steps_max);
    if (campaign->options.patience == 0)
        campaign->options.patience =
            PATIENCE_SECONDS + steps / PATIENCE_STEPS_A_SECOND;
}

bool
campaign_run(Campaign *campaign, const CampaignEvents *events, GError **error)
{
    CampaignCrewSetup setup;

    campaign->events = events;
    limit_jobs(campaign);
    choose_patience(campaign);
    setup = (CampaignCrewSetup){
        .check = campaign->check,
        .first_seed = campaign->options.check.first_seed,
        .shard = campaign->options.shard,
        .shards = campaign->options.shards,
        .workers = campaign->options.jobs,
        .patience = campaign->options.patience,
        .store = campaign->opened.store,
    };

    catch_signals();
    campaign->began = campaign->last_new = campaign->ticked = wallclock_now();
    campaign->ends = campaign->options.seconds != 0
                         ? campaign->began + campaign->options.seconds * SECOND
                         : UINT64_MAX;
    for (guint i = 0; i < campaign->opened.hunts->len; i++)
        campaign->runs_before += campaign_hunt_at(campaign, i)->committed;
    if (is_over(campaign))
        return true;
    campaign->crew = campaign_crew_new(&setup, error);
    if (campaign->crew == NULL)
        return false;
    for (unsigned i = 0; i < campaign->options.jobs; i++) {
        campaign->block_runs[i] = BLOCK_RUNS_FIRST;
        campaign_teach(campaign, i);
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
