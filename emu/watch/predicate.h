/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * predicate -- something that holds, or not, at a moment of a run.
 *
 *      predicate  = region(cpu) | event | ending | predicate & predicate
 *                 | predicate "|" predicate | predicate :after predicate
 *
 * A predicate is asked at moments: when something that a scenario watches
 * happens, and at the end of the run.  Regions hold for a while, events for
 * their moment, endings at the end.  `a & b` holds when both hold at one
 * moment; `a :after b` when a holds and b has held at an earlier one.  A
 * predicate occurs in a run if it holds at some moment of it.
 *
 * Layer 4; a tree that owns its branches.
 */
#ifndef EMU_WATCH_PREDICATE_H
#define EMU_WATCH_PREDICATE_H

#include "base/base.h"
#include "watch/point.h"

typedef enum PredicateKind {
    /* states */
    PREDICATE_REGION,  /* `cpu` is inside region number `index` */
    /* events */
    PREDICATE_POINT,   /* `cpu` passes `point` */
    PREDICATE_TOUCH,   /* `cpu` accesses memory of object number `index` */
    PREDICATE_MARK,    /* a story marks `name` */
    PREDICATE_BREACH,  /* `cpu` breaks the rule `name` of the system,
                               or any rule if it is NULL */
    /* endings */
    PREDICATE_STUCK,        /* deadlock or livelock; with `cpu` and `name`:
                               that cpu stands inside that function */
    PREDICATE_DEADLOCK,
    PREDICATE_LIVELOCK,
    PREDICATE_PANIC,
    PREDICATE_FAULT,
    PREDICATE_BUDGET,       /* no end within the budget */
    PREDICATE_LOST_MESSAGE, /* the machine rests, and a message waits */
    PREDICATE_REGISTER,     /* register `index` of `cpu` is `value` */
    PREDICATE_MEMORY,       /* the scenario's expression number `index` */
    /* combinations */
    PREDICATE_AND,
    PREDICATE_OR,
    PREDICATE_AFTER, /* left, when right has held before */
} PredicateKind;

#define PREDICATE_ANY_CPU (-1)

typedef struct Predicate Predicate;
struct Predicate {
    PredicateKind kind;
    int cpu;       /* or PREDICATE_ANY_CPU */
    unsigned index;
    uint64_t value;
    char *name;
    Point point;
    char *text;    /* as the scenario would write it; for people */
    Predicate *left, *right; /* owned; trees do not share */
};

/* An empty predicate of this kind about any cpu; `text` is copied. */
Predicate *predicate_new(PredicateKind kind, const char *text);
/* A combination, which takes both sides. */
Predicate *predicate_join(PredicateKind kind, Predicate *left,
                          Predicate *right);
Predicate *predicate_copy(const Predicate *predicate);
void predicate_free(Predicate *predicate);

/* Does the tree speak of this kind anywhere? */
bool predicate_mentions(const Predicate *predicate, PredicateKind kind);

#endif
