/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "campaign/campaign_parts.h"

#include <signal.h>
#include <string.h>

/* A worker has an answer after so long: short enough for progress and for
 * what an interruption loses, long enough to cost nothing. */
#define BLOCK_NANOSECONDS UINT64_C(100000000)
#define BLOCK_RUNS_MAX 4096u
/* Workers that died without one having done anything: something is wrong that
 * is not about a run. */
#define DEATHS_MAX 10u

/* --- Taking in ------------------------------------------------------------ */

/* The strategy says that there are no more runs.  Blocks that were given out
 * in advance will come back empty. */
static void
end_hunt(CampaignHunt *hunt, CampaignHuntBlock *block, uint64_t made)
{
    block->count = made;
    hunt->limit = MIN(hunt->limit, block->ordinal + made);
}

/* The last that was heard is kept, and the other workers hear it too. */
static void
take_state(Campaign *campaign, unsigned worker, CampaignHunt *hunt,
           const char *state)
{
    g_free(hunt->state);
    hunt->state = g_strdup(state);
    for (unsigned i = 0; i < campaign->options.jobs; i++)
        if (i != worker)
            campaign_crew_send(campaign->crew, i, CAMPAIGN_WIRE_STATE,
                               g_variant_new(CAMPAIGN_WIRE_STATE_TYPE,
                                             hunt->key.case_number, state));
}

static void
take_block(Campaign *campaign, unsigned worker, CampaignTask *task,
           GVariant *message)
{
    uint64_t made, nanoseconds, coverage, runs;
    CampaignHunt *hunt = task->hunt;
    const char *state;
    gboolean over;

    INVARIANT(task->block != NULL);
    g_variant_get_child(message, 1, "t", &made);
    g_variant_get_child(message, 2, "t", &nanoseconds);
    g_variant_get_child(message, 3, "t", &coverage);
    g_variant_get_child(message, 7, "b", &over);
    g_variant_get_child(message, 8, "m&s", &state);
    if (over)
        end_hunt(hunt, task->block, made);
    task->block->result = g_variant_ref(message);
    task->block->stage = CAMPAIGN_HUNT_DONE;
    if (state != NULL)
        take_state(campaign, worker, hunt, state);
    runs = made * BLOCK_NANOSECONDS / MAX(nanoseconds, 1);
    /* A first measurement may be anything. */
    runs = MIN(runs, 4 * campaign->block_runs[worker]);
    campaign->block_runs[worker] = CLAMP(runs, 1, BLOCK_RUNS_MAX);
    campaign->coverage = MAX(campaign->coverage, coverage);
    campaign->deaths = 0;
}

static void
take_shrunk(CampaignTask *task, GVariant *message)
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

/* A witness as it was found, since it cannot be shrunk. */
static void
keep_unshrunk(const CampaignTask *task, const char *why)
{
    CampaignWitness *row = task->witness->row;

    row->shape = g_strdup("not shrunk");
    row->shrunk = g_strdup(row->tape);
    row->where = g_strdup(why);
    row->replay = campaign_hunt_replay(task->hunt, row->run);
    row->story = g_strdup("");
    task->witness->stage = CAMPAIGN_HUNT_DONE;
}

static void
take_unshrunk(Campaign *campaign, const CampaignTask *task, GVariant *message)
{
    g_autofree char *text = NULL;
    const char *key, *why;
    unsigned number;
    uint64_t run;

    INVARIANT(task->witness != NULL);
    g_variant_get(message, "(ut&s&s)", &number, &run, &key, &why);
    text = g_strdup_printf("seed %" PRIu64 " of case %u cannot be shrunk: %s",
                           task->witness->row->seed, number, why);
    campaign->events->notice(campaign->events->user, text);
    keep_unshrunk(task, why);
}

void
campaign_take_message(void *user, unsigned worker, CampaignWireKind kind,
                      GVariant *message)
{
    Campaign *campaign = user;
    g_autofree CampaignTask *task = NULL;
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
    else if (kind == CAMPAIGN_WIRE_SHRUNK)
        take_shrunk(task, message);
    else
        take_unshrunk(campaign, task, message);
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

/* Somebody else ended it, who need not have meant this run; or it hung, which
 * may be the host's fault. */
static bool
was_killed(int number)
{
    return number == SIGKILL || number == SIGTERM || number == SIGHUP ||
           number == CAMPAIGN_CREW_HUNG;
}

static void
lose_run(Campaign *campaign, CampaignTask *task, uint64_t run, int number,
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
lose_witness(Campaign *campaign, CampaignTask *task, int number,
             const char *death)
{
    CampaignHuntWitness *witness = task->witness;

    witness->stage = CAMPAIGN_HUNT_WAITING;
    witness->deaths++;
    if (was_killed(number) && witness->deaths < 2)
        return;
    notice(campaign, task->hunt, witness->row->run, death,
           "it was being shrunk, and is kept as it is");
    keep_unshrunk(task, death);
}

static bool
has_run(const CampaignTask *task, uint64_t run)
{
    uint64_t first;

    if (task->block == NULL)
        return false;
    first = campaign_hunt_run(task->hunt, task->block->ordinal);
    return run >= first &&
           (run - first) / task->hunt->key.shards < task->block->count;
}

static char *
cause_of_death(const Campaign *campaign, int number)
{
    if (number == CAMPAIGN_CREW_HUNG)
        return g_strdup_printf("no sign of life for %" PRIu64 " seconds",
                               campaign->options.patience);
    if (number == 0)
        return g_strdup("it exited");
    return g_strdup_printf("signal %d, %s", number, strsignal(number));
}

/* What the dead worker had to do waits for another; what it was doing is to
 * blame. */
static void
take_back(Campaign *campaign, CampaignTask *task, int number,
          const CampaignSlot *slot)
{
    g_autofree char *death = cause_of_death(campaign, number);
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

void
campaign_send_known(Campaign *campaign, unsigned worker,
                    const CampaignHunt *hunt, const char *key)
{
    campaign_crew_send(campaign->crew, worker, CAMPAIGN_WIRE_KNOWN,
                       g_variant_new(CAMPAIGN_WIRE_KNOWN_TYPE,
                                     hunt->key.case_number, key));
}

void
campaign_teach(Campaign *campaign, unsigned worker)
{
    for (guint i = 0; i < campaign->opened.hunts->len; i++) {
        const CampaignHunt *hunt = campaign_hunt_at(campaign, i);

        if (hunt->state != NULL)
            campaign_crew_send(campaign->crew, worker, CAMPAIGN_WIRE_STATE,
                               g_variant_new(CAMPAIGN_WIRE_STATE_TYPE,
                                             hunt->key.case_number,
                                             hunt->state));
        for (guint j = 0; j < hunt->identities->len; j++) {
            const CampaignHuntIdentity *identity =
                g_ptr_array_index(hunt->identities, j);

            if (identity->known)
                campaign_send_known(campaign, worker, hunt, identity->data.key);
        }
    }
}

void
campaign_take_death(void *user, unsigned worker, int number,
                    const CampaignSlot *slot)
{
    Campaign *campaign = user;
    CampaignTask *task;

    if (number == CAMPAIGN_CREW_HUNG)
        campaign->events->notice(campaign->events->user,
                                 "a worker hung, and another takes its place");
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
            campaign->deaths, number == CAMPAIGN_CREW_HUNG ? SIGKILL : number);
    campaign_teach(campaign, worker);
}
