/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run -- one execution, from the base snapshot to a verdict.
 *
 *      while it goes on:
 *          stories that may go on are asked     what to call next
 *          the machine lists the actions        what may happen next
 *          the choice takes one                 strategy, or tape
 *          the machine performs it              watchers are told
 *
 * That is the meaning and very nearly the code.  A run ends when the guest
 * panics or shuts down, when nothing can happen any more, when the machine is
 * found in a fair loop, or when the budget of steps is used up.
 *
 * The loop detector looks only after some steps without a story having moved,
 * so a run that makes progress pays nothing for it.  It looks ahead and puts
 * everything back, so it is no decision and is on no tape.
 *
 * Layer 5.
 */
#ifndef EMU_CHOOSE_RUN_H
#define EMU_CHOOSE_RUN_H

#include "base/base.h"
#include "choose/choice.h"
#include "choose/director.h"
#include "choose/story.h"
#include "guest/image.h"
#include "machine/machine.h"
#include "watch/coverage.h"
#include "watch/probe.h"
#include "watch/state.h"
#include "watch/verdict.h"

/* Steps of one run, unless the scenario says otherwise. */
#define RUN_STEPS_MAX_DEFAULT UINT64_C(1000000)

/* Whoever wants to see more than the claims need (the story of a finding).
 * Each may be NULL. */
typedef struct RunObserver {
    /* Before an action is performed, for `steps` steps, or stores, at most. */
    void (*action)(void *user, const Action *action, uint64_t steps);
    /* A core stands at a marked address: the case's points, and those that
     * the observer marked itself. */
    void (*point)(void *user, unsigned cpu, gva_t rip);
    /* A call, return, interrupt or exception; needs machine_watch_flow(). */
    void (*flow)(void *user, unsigned cpu, const Insn *insn, unsigned vector);
    /* A message was sent. */
    void (*sent)(void *user, unsigned cpu, const Message *message);
    /* An access to watched memory. */
    void (*access)(void *user, unsigned cpu, gpa_t physical,
                   const InsnAccess *access);
    /* A load gives an old value, from before the last `stores` stores. */
    void (*late)(void *user, unsigned cpu, unsigned stores);
    /* A schedule() dropped a message that was in flight; it wrote memory. */
    void (*dropped)(void *user, const Message *message);
    void (*written)(void *user, const Store *store);
    /* A story's call returned, or its story ended (`ended`). */
    void (*returned)(void *user, unsigned cpu, uint64_t result, bool ended);
    void *user;
} RunObserver;

typedef struct RunSetup {
    Machine *machine;          /* with a base */
    const Stories *stories;
    const Director *director;  /* NULL: none */
    const Image *image;        /* for the director's points */
    Probe *probe;              /* NULL: no claims */
    const StateView *view;     /* NULL: no loop detection */
    uint64_t steps_max;
    bool bare;                 /* the base is the power-up state: cores come
                                  to STORY_NEXT when they like, or never */
} RunSetup;

typedef struct RunResult {
    Verdict verdict;
    uint64_t steps;     /* of all cores */
    uint64_t decisions; /* on the tape */
    bool diverged;      /* the played tape did not fit */
    bool cut;           /* the strategy ended it: there is no verdict, and the
                           claims were not asked */
} RunResult;

/* How far the stories came. */
typedef struct RunStories {
    uint64_t waiting;       /* cores whose story waits for a mark */
    uint64_t finished;      /* cores whose story ended */
    gva_t called[CPUS_MAX]; /* what the story of each called last; or 0 */
} RunStories;

typedef struct Run Run;

/* What `setup` points to must outlive the run. */
Run *run_new(const RunSetup *setup);
void run_free(Run *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Run, run_free)

/* NULL: nobody.  Gives who did before. */
RunObserver run_observe(Run *run, const RunObserver *observer);

/* What the strategies of later runs are told of the case, and where their
 * before() is asked; its places must be marked.  NULL: nothing, nowhere. */
void run_set_census(Run *run, const Census *census);

/* What the strategies of later runs are asked about, nears() in strategy.h;
 * borrowed.  Marks them in the machine's code. */
void run_set_aims(Run *run, const gva_t *aims, unsigned count);

/*
 * Go back to the base and execute.  With `played`, decisions come from that
 * tape as long as it lasts.  False with an error if the scenario's own code
 * failed.  The machine is left as the run left it, for looking and digesting.
 */
bool run_execute(Run *run, Strategy *strategy, const Tape *played,
                 uint64_t seed, RunResult *result, GError **error);

/*
 * Execute without stories until every core stands at its first STORY_NEXT and
 * nothing is in flight: the guest's set-up, before the base is taken.  The
 * verdict is DONE if it came so far.
 */
void run_set_up(Machine *machine, uint64_t steps_max, Verdict *verdict);

/* What happens in the run is told to `coverage` from now on; NULL: to nobody.
 * It must outlive the run. */
void run_set_coverage(Run *run, Coverage *coverage);

/* The choices of the last run; valid until the next. */
const Tape *run_tape(const Run *run);

/* From the next run on, at most so many steps. */
void run_set_steps_max(Run *run, uint64_t steps_max);

/* How far the stories came in the last run. */
const RunStories *run_stories(const Run *run);

/* The door, for stories that choose(). */
uint64_t run_choose(Run *run, uint64_t bound);
/* A story has read, or written, `size` bytes of guest memory at `address`. */
void run_loaded(Run *run, unsigned cpu, gva_t address, uint64_t size);
void run_stored(Run *run, unsigned cpu, gva_t address, uint64_t size);
/* A story marked.  A mark orders memory as well as time: it is a full fence of
 * its core, and so is going on after having waited for one. */
void run_marked(Run *run, unsigned cpu, const char *name);
/* A story goes on because of a mark, without having waited. */
void run_passed_mark(Run *run, unsigned cpu);

#endif
