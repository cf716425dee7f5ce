/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * claim -- what a scenario says about its runs, as plain data.
 *
 *      claim      = quantifier predicate
 *      quantifier = possible | never | certain | reach
 *      predicate  = region(cpu) | event | ending | predicate & predicate
 *                 | predicate "|" predicate | predicate :after predicate
 *
 * A predicate is asked at moments: when something that a scenario watches
 * happens, and at the end of the run.  Regions hold for a while, events for
 * their moment, endings at the end.  `a & b` holds when both hold at one
 * moment; `a :after b` when a holds and b has held at an earlier one.  A
 * predicate occurs in a run if it holds at some moment of it.
 *
 * Points are symbolic here (a function, a quoted line); probe.h finds them in
 * an image.  Layer 4.
 */
#ifndef EMU_WATCH_CLAIM_H
#define EMU_WATCH_CLAIM_H

#include "base/base.h"

typedef enum PointKind {
    POINT_ENTER, /* the first instruction of the function */
    POINT_LEAVE, /* its return, back in the caller */
    POINT_LINE,  /* a quoted source line of the function */
} PointKind;

typedef struct Point {
    PointKind kind;
    char *function;
    char *quote;   /* of POINT_LINE; NULL otherwise */
    unsigned line; /* of the scenario that names it, for messages */
} Point;

/* A cpu is inside from `begin` to `end`; nested entries count. */
typedef struct Region {
    char *name; /* as the scenario calls it, or "region" */
    Point begin, end;
} Region;

/* An object of the scenario in guest memory: `object "struct spinlock"`. */
typedef struct Object {
    char *name; /* as the scenario calls it, or "object" */
    char *type; /* a C type of the image */
    unsigned line;
} Object;

typedef enum PredicateKind {
    /* states */
    PREDICATE_REGION,  /* `cpu` is inside region number `index` */
    /* events */
    PREDICATE_POINT,   /* `cpu` passes `point` */
    PREDICATE_TOUCH,   /* `cpu` accesses memory of object number `index` */
    PREDICATE_MARK,    /* a story marks `name` */
    PREDICATE_BREACH,  /* `cpu` breaks the rule `name` of the system */
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
    unsigned number; /* in its case, children before parents; see claims_number() */
};

typedef enum Quantifier {
    CLAIM_POSSIBLE, /* some schedule shows it */
    CLAIM_NEVER,    /* none does */
    CLAIM_CERTAIN,  /* all do */
    CLAIM_REACH,    /* some does, or the case proves nothing */
} Quantifier;

typedef struct Claim {
    Quantifier quantifier;
    Predicate *predicate;
    unsigned line;
    bool implied; /* not written: "never panic" where nobody speaks of it */
} Claim;

const char *quantifier_name(Quantifier quantifier);

/* An empty predicate of this kind about any cpu; `text` is copied. */
Predicate *predicate_new(PredicateKind kind, const char *text);
/* A combination, which takes both sides. */
Predicate *predicate_join(PredicateKind kind, Predicate *left,
                          Predicate *right);
Predicate *predicate_copy(const Predicate *predicate);
void predicate_free(Predicate *predicate);

/* Does the tree speak of this kind anywhere? */
bool predicate_mentions(const Predicate *predicate, PredicateKind kind);

/* Takes the predicate. */
Claim *claim_new(Quantifier quantifier, Predicate *predicate, unsigned line);
void claim_free(Claim *claim);

/* "never (stuck)"; caller frees. */
char *claim_print(const Claim *claim);

/* Copy or free what a Point holds. */
Point point_copy(const Point *point);
void point_clear(Point *point);

#endif
