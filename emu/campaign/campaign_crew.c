/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "campaign/campaign_crew.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/wallclock.h"

#define SECOND UINT64_C(1000000000)

typedef struct Member {
    pid_t pid; /* 0: none */
    CampaignWire wire;
    GByteArray *unsent;
    uint64_t beats; /* at the last look */
    uint64_t quiet; /* nanoseconds since they changed */
    bool hung;
} Member;

struct CampaignCrew {
    CampaignCrewSetup setup;
    CampaignSlot *slots; /* shared memory */
    uint64_t dead_runs;  /* counted by slots that were cleared */
    uint64_t looked;     /* when it was last looked for signs of life */
    Member members[CAMPAIGN_CREW_MAX];
};

G_DEFINE_QUARK(heddle-campaign-crew-error, campaign_crew_error)

/* --- One worker ----------------------------------------------------------- */

static bool
fail(const char *what, GError **error)
{
    g_set_error(error, CAMPAIGN_CREW_ERROR, CAMPAIGN_CREW_ERROR_PROCESS,
                "a worker cannot be started: %s: %s", what,
                g_strerror(errno));
    return false;
}

/* In the child: what it has from its parent and must not have. */
static void
become_worker(CampaignCrew *crew, unsigned number, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    campaign_store_leave(crew->setup.store);
    for (unsigned i = 0; i < crew->setup.workers; i++)
        if (i != number && crew->members[i].pid != 0)
            close(crew->members[i].wire.fd);
}

static bool
start(CampaignCrew *crew, unsigned number, GError **error)
{
    Member *member = &crew->members[number];
    pid_t parent = getpid();
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return fail("socketpair", error);
    fflush(NULL);
    member->pid = fork();
    if (member->pid == 0) {
        CampaignWorkerSetup setup = {
            .check = crew->setup.check,
            .first_seed = crew->setup.first_seed,
            .shard = crew->setup.shard,
            .shards = crew->setup.shards,
            .fd = ends[1],
            .slot = &crew->slots[number],
        };

        become_worker(crew, number, parent);
        close(ends[0]);
        _exit(campaign_worker_main(&setup));
    }
    close(ends[1]);
    if (member->pid < 0) {
        member->pid = 0;
        close(ends[0]);
        return fail("fork", error);
    }
    campaign_wire_init(&member->wire, ends[0]);
    member->unsent = g_byte_array_new();
    member->beats = member->quiet = 0;
    member->hung = false;
    return true;
}

/* Let go of a worker that ended, or is to. */
static int
stop(Member *member)
{
    int status = 0;

    campaign_wire_clear(&member->wire);
    g_clear_pointer(&member->unsent, g_byte_array_unref);
    while (waitpid(member->pid, &status, 0) < 0 && errno == EINTR)
        ;
    member->pid = 0;
    return status;
}

static bool
replace(CampaignCrew *crew, unsigned number, const CampaignCrewEvents *events,
        GError **error)
{
    CampaignSlot slot;
    bool hung = crew->members[number].hung;
    int status = stop(&crew->members[number]);

    slot = crew->slots[number];
    crew->dead_runs += slot.runs;
    crew->slots[number] = (CampaignSlot){0};
    if (!start(crew, number, error))
        return false;
    events->died(events->user, number,
                 hung                  ? CAMPAIGN_CREW_HUNG
                 : WIFSIGNALED(status) ? WTERMSIG(status)
                                       : 0,
                 &slot);
    return true;
}

/* --- The crew ------------------------------------------------------------- */

CampaignCrew *
campaign_crew_new(const CampaignCrewSetup *setup, GError **error)
{
    g_autoptr(CampaignCrew) crew = g_new0(CampaignCrew, 1);

    crew->setup = *setup;
    crew->looked = wallclock_now();
    crew->slots = mmap(NULL, CAMPAIGN_CREW_MAX * sizeof *crew->slots,
                       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                       -1, 0);
    if (crew->slots == MAP_FAILED) {
        crew->slots = NULL;
        fail("shared memory", error);
        return NULL;
    }
    for (unsigned i = 0; i < setup->workers; i++)
        if (!start(crew, i, error))
            return NULL;
    return g_steal_pointer(&crew);
}

void
campaign_crew_free(CampaignCrew *crew)
{
    if (crew == NULL)
        return;
    for (unsigned i = 0; i < crew->setup.workers; i++)
        if (crew->members[i].pid != 0) {
            kill(crew->members[i].pid, SIGKILL);
            stop(&crew->members[i]);
        }
    if (crew->slots != NULL)
        munmap(crew->slots, CAMPAIGN_CREW_MAX * sizeof *crew->slots);
    g_free(crew);
}

static void
flush(Member *member)
{
    while (member->unsent->len > 0) {
        ssize_t written =
            send(member->wire.fd, member->unsent->data, member->unsent->len,
                 MSG_DONTWAIT | MSG_NOSIGNAL);

        if (written <= 0) /* full, or dead: then its other pipe says so */
            return;
        g_byte_array_remove_range(member->unsent, 0, (guint)written);
    }
}

void
campaign_crew_send(CampaignCrew *crew, unsigned number, CampaignWireKind kind,
                   GVariant *message)
{
    campaign_wire_pack(crew->members[number].unsent, kind, message);
    flush(&crew->members[number]);
}

static bool
listen_to(CampaignCrew *crew, unsigned number,
          const CampaignCrewEvents *events, GError **error)
{
    Member *member = &crew->members[number];
    CampaignWireKind kind;
    GVariant *message;

    if (!campaign_wire_fill(&member->wire))
        return replace(crew, number, events, error);
    member->quiet = 0;
    while ((message = campaign_wire_next(&member->wire, &kind)) != NULL) {
        events->message(events->user, number, kind, message);
        g_variant_unref(message);
    }
    return true;
}

/* Time in which we did not run ourselves, as after Ctrl-Z, does not count. */
static void
look_for_life(CampaignCrew *crew, const CampaignCrewEvents *events)
{
    uint64_t now = wallclock_now();
    uint64_t passed = MIN(now - crew->looked, SECOND);

    crew->looked = now;
    for (unsigned i = 0; i < crew->setup.workers; i++) {
        Member *member = &crew->members[i];
        uint64_t beats = crew->slots[i].beats;

        member->quiet += passed;
        if (!events->is_busy(events->user, i) || beats != member->beats)
            member->quiet = 0;
        member->beats = beats;
        if (member->quiet / SECOND < crew->setup.patience || member->hung)
            continue;
        member->hung = true;
        kill(member->pid, SIGKILL);
    }
}

bool
campaign_crew_wait(CampaignCrew *crew, int milliseconds,
                   const CampaignCrewEvents *events, GError **error)
{
    struct pollfd polled[CAMPAIGN_CREW_MAX];
    unsigned workers = crew->setup.workers;

    for (unsigned i = 0; i < workers; i++)
        polled[i] = (struct pollfd){
            .fd = crew->members[i].wire.fd,
            .events = crew->members[i].unsent->len > 0 ? POLLIN | POLLOUT
                                                       : POLLIN,
        };
    look_for_life(crew, events);
    if (poll(polled, workers, milliseconds) <= 0)
        return true;
    for (unsigned i = 0; i < workers; i++) {
        if (polled[i].revents & POLLOUT)
            flush(&crew->members[i]);
        if ((polled[i].revents & ~POLLOUT) != 0 &&
            !listen_to(crew, i, events, error))
            return false;
    }
    return true;
}

uint64_t
campaign_crew_runs(const CampaignCrew *crew)
{
    uint64_t runs = crew->dead_runs;

    for (unsigned i = 0; i < crew->setup.workers; i++)
        runs += crew->slots[i].runs;
    return runs;
}
