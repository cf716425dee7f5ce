/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storyrecord -- what happened in one run, for telling: plain data.
 *
 *      events    [ the first ones | ... dropped ... | the newest ones ]
 *      lanes     what changes all the time: how full FIFOs and buffers are
 *      stores    that lingered in a buffer while another cpu ran
 *      breaches  rules that were broken
 *      moments   when what the run is told for was so
 *      buffered  where stores retired that were missed later
 *      stands    where each cpu stands at the end, and what it waits for
 *
 * A run can be a million steps, so the middle of a long one is dropped: the
 * beginning explains how it came about, the end shows it.
 *
 * Invariants: events are in order of their steps; every text lives as long as
 * the record.
 *
 * Layer 8; filled by storylog, read by the reports.
 */
#ifndef EMU_REPORT_STORYRECORD_H
#define EMU_REPORT_STORYRECORD_H

#include "base/base.h"
#include "base/capacity.h"

/* Events that are kept: of the beginning, and of the rest the newest. */
#define STORYRECORD_FIRST 2000u
#define STORYRECORD_NEWEST 100000u

/* Samples of lanes, and stores, that are kept: the first ones. */
#define STORYRECORD_SAMPLES_MAX 200000u
#define STORYRECORD_STORES_MAX 20000u

/* Bytes of one event's text; longer ones are cut. */
#define STORYRECORD_TEXT_MAX 200u

typedef enum StoryEventKind {
    STORY_EVENT_TOLD,      /* a story calls a guest function */
    STORY_EVENT_CALL,      /* a notable function is called */
    STORY_EVENT_RETURN,    /* one of these two returns */
    STORY_EVENT_MESSAGE,   /* an incoming message is executed */
    STORY_EVENT_WAIT,      /* the cpu begins to wait in a loop */
    STORY_EVENT_WAIT_END,
    STORY_EVENT_INTERRUPT, /* an interrupt or exception is taken */
    STORY_EVENT_SENT,      /* an interrupt message is sent */
    STORY_EVENT_ARRIVAL,   /* it reaches this cpu's APIC */
    STORY_EVENT_BUFFERED,  /* a store retires that another cpu will miss */
    STORY_EVENT_VISIBLE,   /* it is missed; it drains; a load is late */
    STORY_EVENT_TIMER,     /* this cpu's APIC timer fires */
    STORY_EVENT_TRACE,     /* one of the system's own trace points */
    STORY_EVENT_MARK,
    STORY_EVENT_SCHEDULE,  /* a schedule() writes memory, or drops a message */
    STORY_EVENT_BREACH,
    STORY_EVENT_MOMENT,    /* what a claim speaks of is so; after `cpu` did
                              what it does here */
    STORY_EVENT_END,       /* the cpu's story ends */
} StoryEventKind;

typedef struct StoryEvent {
    uint64_t step; /* of all cores, since the start of the run */
    const char *text;
    const char *function; /* of a BREACH or MOMENT, or NULL */
    const char *file; /* without directories; NULL if not known */
    const char *quote; /* that source line, trimmed; NULL if not known */
    gva_t address;
    uint64_t message; /* SENT, ARRIVAL: both ends have the same number, from
                         1; 0: none */
    uint32_t line;
    uint32_t store; /* BUFFERED, VISIBLE: in StoryRecord.stores, from 1; or 0 */
    uint8_t cpu;
    uint8_t depth; /* of calls that are told, below the story's call */
    StoryEventKind kind;
} StoryEvent;

/* Something that has a value at any time. */
typedef struct StoryLane {
    int source;     /* FIFO: messages from this cpu; -1: a cpu's buffer */
    int target;     /* to this one; the cpu of a buffer */
    uint32_t depth; /* what it can hold */
} StoryLane;

/* From `step` on lane number `lane` has this value. */
typedef struct StorySample {
    uint64_t step;
    uint32_t lane, value;
} StorySample;

#define STORY_NEVER UINT64_MAX

/* A store between its retirement and its visibility. */
typedef struct StoryStore {
    uint64_t retired, visible; /* steps; visible may be STORY_NEVER */
    const char *text; /* "gd(1).gd_npoll = 0, stored at f.c:12"; NULL if no
                         other cpu ran while it was buffered */
    uint8_t cpu;
    bool missed; /* another cpu read these bytes meanwhile */
} StoryStore;

/* Where a cpu stands at the end.  Texts may be NULL. */
typedef struct StoryStand {
    const char *function;
    const char *file;
    unsigned line;
    const char *quote; /* that source line, trimmed */
    const char *doing; /* "waits for room in its queue to cpu1" */
    const char *calls; /* the told calls, innermost first: "f < g" */
    bool rests;        /* idle, or waiting for a mark */
    int waits_for;     /* a cpu, or -1 */
} StoryStand;

typedef struct StoryRecord {
    unsigned cpus;
    uint64_t switches; /* how often another cpu went on */
    uint64_t count;    /* events that were pushed */
    GArray *first;     /* StoryEvent */
    GArray *newest;    /* StoryEvent; a ring */
    GArray *breaches;  /* StoryEvent, by step */
    GArray *moments;   /* StoryEvent, by step */
    GArray *buffered;  /* StoryEvent, by step */
    GArray *lanes;     /* StoryLane */
    GArray *samples;   /* StorySample, by step */
    GArray *stores;    /* StoryStore, by their retirement */
    GStringChunk *texts;
    StoryStand stands[CPUS_MAX];
} StoryRecord;

void storyrecord_init(StoryRecord *record, unsigned cpus);
void storyrecord_clear(StoryRecord *record);
/* Clear and free one that is on the heap; NULL is fine. */
void storyrecord_free(StoryRecord *record);

/* A copy of `text` that lives as long as the record; NULL gives NULL. */
const char *storyrecord_text(StoryRecord *record, const char *text);

/* Add an event, whose texts are copied. */
void storyrecord_push(StoryRecord *record, const StoryEvent *event);
/* Add a BREACH, MOMENT or BUFFERED, at any time: it takes its place, and the
 * depth of what its cpu did then. */
void storyrecord_aside(StoryRecord *record, const StoryEvent *event);
/* Is it one of these, which are told beside what a cpu does? */
bool storyrecord_is_aside(const StoryEvent *event);

/* A lane's value now, if it has changed. */
void storyrecord_sample(StoryRecord *record, const StorySample *sample);

/* Events that are kept; number `index` of them, in order. */
uint64_t storyrecord_kept(const StoryRecord *record);
const StoryEvent *storyrecord_event(const StoryRecord *record, uint64_t index);
/* All of them with those aside in their places: const StoryEvent *, borrowed
 * from the record. */
GPtrArray *storyrecord_all(const StoryRecord *record);

/* "call", "message"... */
const char *storyrecord_kind_name(StoryEventKind kind);

#endif
