/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * system -- what heddle has to know about a guest kernel: guest/NAME/rules.lua
 * as plain data, and the same found in one image.
 *
 *      rules.lua ──▶ System ── an Image ──▶ SystemView ── memory ──▶ StateView
 *                    names                  offsets                  addresses
 *                                                                    Rules
 *
 * A rules.lua may leave out any section; the system then lacks what it would
 * have given.  "bare" needs no file: it is a System without sections.
 *
 * Layer 7, below script; a System is read-only once loaded.
 */
#ifndef EMU_SCRIPT_SYSTEM_H
#define EMU_SCRIPT_SYSTEM_H

#include "base/base.h"
#include "base/capacity.h"
#include "guest/gmem.h"
#include "guest/image.h"
#include "watch/rules.h"
#include "watch/state.h"

typedef enum SystemError {
    SYSTEM_ERROR_FILE,  /* no such system, or its rules.lua cannot be used */
    SYSTEM_ERROR_IMAGE, /* the image lacks what rules.lua speaks of */
} SystemError;

#define SYSTEM_ERROR system_error_quark()
GQuark system_error_quark(void);

/* A build parameter, and the sizes it has by default and at the smallest. */
typedef struct SystemAxis {
    char *name;
    int64_t value;   /* default */
    int64_t reduced; /* the smallest that is sound; or as `value` */
} SystemAxis;

/* gd(n) is &array[n].member; the rest are its fields. */
typedef struct SystemGlobaldata {
    char *array, *member, *type;
    char *cpuid, *thread, *infomsg;
} SystemGlobaldata;

typedef struct SystemThread {
    char *type, *stack, *stack_size, *story, *idle;
} SystemThread;

/* A field of globaldata: a pointer to a queue for each target, or a queue of
 * the cpu's own. */
typedef struct SystemQueue {
    char *field;
    bool per_target;
} SystemQueue;

typedef struct SystemFifos {
    char *type;
    char *written, *read, *executed;
    char *slots, *func;
    GPtrArray *arguments; /* char *, fields of a slot */
    GPtrArray *queues;    /* SystemQueue */
    char *unclaimed;      /* field of globaldata, a mask: the cpus whose
                             messages nobody is serving yet; or NULL */
} SystemFifos;

/* Functions that wait for cpus, which a structure names: argument one points to
 * it.  Those in the mask `wanted` and not in `arrived` are missing. */
typedef struct SystemMasks {
    GPtrArray *functions; /* char * */
    char *type, *wanted, *arrived; /* NULL: has none */
} SystemMasks;

typedef struct SystemWord {
    RuleSource source;
    char *field;
} SystemWord;

typedef struct SystemRule {
    char *name;
    RuleKind kind;
    GPtrArray *points; /* Point */
    SystemWord words[RULE_WORDS_MAX];
    unsigned word_count;
    int64_t value;
    bool negated;      /* must not be `value` */
    int64_t reserve;
} SystemRule;

/* See RuleMessages and RuleMemory. */
typedef struct SystemMessages {
    GPtrArray *written, *returned; /* Point */
    char *provider, *received;
} SystemMessages;

typedef struct SystemMemory {
    char *provider, *freed, *taken;
} SystemMemory;

typedef struct System {
    char *name;
    char *folder;             /* guest/NAME */
    unsigned cpus_max;
    GPtrArray *axes;          /* SystemAxis, by name */
    SystemGlobaldata globaldata; /* .array NULL: has none */
    SystemThread thread;      /* .type NULL: has none */
    SystemFifos fifos;        /* .type NULL: has none */
    SystemMasks masks;
    GPtrArray *counter_symbols;  /* char *: variables that only count */
    GPtrArray *counter_fields;   /* char *: of globaldata */
    GPtrArray *rules;         /* SystemRule */
    SystemMessages messages;  /* .provider NULL: has none */
    SystemMemory memory;      /* .provider NULL: has none */
    GPtrArray *sends, *calls; /* char *: functions a story shows */
    GPtrArray *locks, *unlocks; /* char *: take or drop argument one */
    char *wait_provider, *wait_push, *wait_pop; /* probes, or NULL */
    char *trace_provider;     /* or NULL */
} System;

/* A System without sections; `folder` may be NULL. */
System *system_new(const char *name, const char *folder);
void system_free(System *system);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(System, system_free)

/* Read `path`, a rules.lua; its folder's name is the system's. */
System *system_load(const char *path, GError **error);

/*
 * Find the system `name` below `guest` (the folder of all systems).  An
 * unknown name is an error that suggests one; "bare" always exists.
 */
System *system_find(const char *guest, const char *name, GError **error);

/* NULL if there is none of that name. */
const SystemAxis *system_axis(const System *system, const char *name);
const SystemRule *system_rule(const System *system, const char *name);

/* Does guest/NAME/mutants have it?  False with an error that suggests. */
bool system_check_mutant(const System *system, const char *mutant,
                         GError **error);

/* Does this mutant repair something?  Its description says so: "a remedy for
 * ...". */
bool system_is_remedy(const System *system, const char *mutant);

/* The system in one image. */
typedef struct SystemView {
    const System *system;
    const Image *image;
    bool has_globaldata;
    gva_t globaldata_first; /* gd(0) */
    uint64_t globaldata_stride;
    const ImageType *globaldata; /* its type */
    uint64_t cpuid, thread, infomsg; /* offsets in it; UINT64_MAX: none */
    uint64_t story_thread, idle_thread;
    uint64_t stack, stack_size; /* offsets in a thread; UINT64_MAX: none */
} SystemView;

/* Fill `view` (both borrowed).  False with an error if the image does not
 * have what the globaldata and thread sections name. */
bool system_resolve(const System *system, const Image *image,
                    SystemView *view, GError **error);

/* The address of gd(cpu); the view must have globaldata. */
gva_t system_globaldata(const SystemView *view, unsigned cpu);

/* The house rules of `cpus` cpus; functions that this image lacks are left
 * out, and an image that has none of a rule's is an error.  `rules` must be
 * initialised and empty. */
bool system_list_rules(const SystemView *view, unsigned cpus, Rules *rules,
                       GError **error);

/*
 * Counters and FIFOs for state.h, in order.  To be asked when the guest has
 * come up: queues per target lie behind pointers that it sets.  A pointer that
 * is still NULL has no queues.  `state` must be initialised and empty.
 */
bool system_fill_state(const SystemView *view, const Gmem *gmem,
                       unsigned cpus, StateView *state, GError **error);

#endif
