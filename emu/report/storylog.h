/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storylog -- watches one run that is made again to be told.
 *
 *      run ────── action, point, flow, sent, returned ──▶ ┌ StoryLog ┐
 *      scripts ── call, mark, await ────────────────────▶ │  stacks  │
 *      probe ──── aside ────────────────────────────────▶ └────┬─────┘
 *                                                              ▼
 *                                                         StoryRecord
 *
 * For each cpu it keeps the stack of calls: a frame is pushed at a call or an
 * interrupt, and popped by the return that finds its return address where the
 * frame's is.  A return without a frame means that the cpu runs on another
 * stack; depth then counts anew from there.
 *
 * Values are printed by their C types and by name: an object of the scenario,
 * `gd(1)`, a symbol.  No address of the guest is ever part of a text.
 *
 * Layer 8; owned by whoever makes the run.
 */
#ifndef EMU_REPORT_STORYLOG_H
#define EMU_REPORT_STORYLOG_H

#include "base/base.h"
#include "choose/run.h"
#include "report/storyrecord.h"
#include "script/system.h"
#include "watch/breach.h"
#include "watch/state.h"

typedef struct StoryLogObject {
    const char *name;
    gva_t address;
    uint64_t size;
} StoryLogObject;

/* What a system calls its things.  All of it is borrowed and must outlive the
 * log; every list and name may be NULL. */
typedef struct StoryLogSetup {
    const Image *image;
    Machine *machine;
    const Stories *stories;    /* who know what a story waits for */
    const StateView *view;     /* whose FIFOs a waiting sender waits for */
    const GPtrArray *notable;  /* char *: functions whose calls are told */
    const GPtrArray *sends;    /* ... that wait for room in a FIFO */
    const GPtrArray *locks;    /* ... that take the lock in argument one */
    const GPtrArray *unlocks;  /* ... that let it go */
    const SystemMasks *masks;  /* functions that wait for cpus */
    const char *unclaimed;     /* field of globaldata; see SystemFifos */
    const char *wait_provider; /* of the probes around a wait */
    const char *wait_push;     /* its argument is the reason, a string */
    const char *wait_pop;
    const char *trace_provider; /* X_receive(function, a, b, ...) is the
                                   execution of a message */
    const StoryLogObject *objects;
    unsigned object_count;
    const gva_t *globaldata;   /* of each cpu */
    const ImageType *globaldata_type; /* NULL: none */
    uint64_t globaldata_size;
} StoryLogSetup;

typedef struct StoryLog StoryLog;

StoryLog *storylog_new(const StoryLogSetup *setup);
void storylog_free(StoryLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoryLog, storylog_free)

/* What run_observe() wants. */
void storylog_observer(StoryLog *log, RunObserver *observer);

/* Have the machine tell what the log needs: marks the probes' addresses and
 * switches the telling of calls on.  Before run_execute(); the marks stay. */
void storylog_attach(StoryLog *log);

/* The story of `cpu` is about to call a guest function, as it wrote it:
 * "lwkt_send_ipiq3(gd(1), nop, 0, 0)".  From Stories.next(); without it the
 * call is printed from its arguments. */
void storylog_call(StoryLog *log, unsigned cpu, const char *text);
/* It reads guest memory itself. */
void storylog_load(StoryLog *log, unsigned cpu, gva_t address, uint64_t size);
/* The story of `cpu` marks. */
void storylog_mark(StoryLog *log, unsigned cpu, const char *name);
/* A BREACH, a rule was broken, or a MOMENT, what a claim speaks of was so; in
 * any order, after the run too. */
void storylog_aside(StoryLog *log, StoryEventKind kind, const Moment *moment,
                    const char *text);

/* The run is over and the machine stands as it ended: note where every cpu
 * stands.  Once, before the record is told. */
void storylog_finish(StoryLog *log);

/* Borrowed. */
const StoryRecord *storylog_record(const StoryLog *log);

/* The record, for the caller to free with storyrecord_free(); the log is only
 * to be freed after that. */
StoryRecord *storylog_take_record(StoryLog *log);

#endif
