/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lifetime -- memory that is no longer there for those who still know it.
 *
 * Two kinds.  Freed memory is what the guest says it is: a note in its code
 * with an address and a size.  Nobody may touch it until it is taken again.
 *
 * A stack object is what a message speaks of and that lies on the stack of the
 * cpu that sent it.  It is watched until all messages about it are done.  It
 * dies when its stack pointer was seen above it; from then on
 *
 *      no other cpu may touch what of it is still below the stack pointer,
 *      no callback that was called for it may touch it, whatever may lie
 *      there by now.
 *
 *        high ┌───────────┐                 ┌───────────┐
 *             │           │                 │           │ ◀─ RSP
 *             │ mask ◀────┼── message       │           │ ◀─ a late callback
 *        RSP ▶│           │                 │           │    touches this
 *             └───────────┘                 └───────────┘
 *
 * While nothing is declared free and no message speaks of a stack, nothing is
 * watched and this costs nothing.  While something is, cores look at each of
 * their loads and stores.  Layer 4; a part of rulecheck.
 */
#ifndef EMU_WATCH_LIFETIME_H
#define EMU_WATCH_LIFETIME_H

#include "base/base.h"
#include "machine/machine.h"
#include "watch/stacks.h"

/* How much of an object is watched, since its size is not known: that of the
 * largest one that kernels pass so. */
#define LIFETIME_OBJECT_BYTES 32u
/* At once; later ones are not watched. */
#define LIFETIME_OBJECTS_MAX 128u
#define LIFETIME_FREED_MAX 256u
#define LIFETIME_LINES_MAX 4096u

typedef struct LifetimeObject {
    uint64_t address;
    gpa_t physical;
    unsigned owner;    /* the cpu */
    StackBounds stack;
    unsigned messages; /* about it, that are not done */
    bool dead;
} LifetimeObject;

typedef struct LifetimeRange {
    gpa_t begin, end;
} LifetimeRange;

/* A line that is watched for us, and how many of ours lie in it. */
typedef struct LifetimeLine {
    gpa_t line;
    unsigned users;
} LifetimeLine;

typedef struct Lifetime {
    Machine *machine;
    const Stacks *stacks;
    unsigned object_count, freed_count, line_count;
    LifetimeObject objects[LIFETIME_OBJECTS_MAX];
    LifetimeRange freed[LIFETIME_FREED_MAX];
    LifetimeLine lines[LIFETIME_LINES_MAX];
} Lifetime;

/* The arguments must outlive it. */
void lifetime_init(Lifetime *lifetime, Machine *machine, const Stacks *stacks);

/* A new run: nothing is watched. */
void lifetime_begin(Lifetime *lifetime);

/* Core `cpu` sends a message about `address`, and one about it is done. */
void lifetime_send(Lifetime *lifetime, unsigned cpu, uint64_t address);
void lifetime_done(Lifetime *lifetime, uint64_t address);

/* Core `cpu` was looked at by stacks_look(): what has died? */
void lifetime_look(Lifetime *lifetime, unsigned cpu);

/* Memory is free, or in use again. */
void lifetime_free(Lifetime *lifetime, gva_t address, uint64_t size);
void lifetime_take(Lifetime *lifetime, gva_t address, uint64_t size);

/* An access by core `cpu`, whose innermost callback is about `about` (0: it is
 * in none). */
typedef struct LifetimeAccess {
    unsigned cpu;
    gpa_t physical;
    uint64_t size;
    uint64_t about;
} LifetimeAccess;

/* Is this a touch of free memory; of a dead object of a stack? */
bool lifetime_touches_freed(const Lifetime *lifetime,
                            const LifetimeAccess *access);
bool lifetime_touches_dead(const Lifetime *lifetime,
                           const LifetimeAccess *access);

#endif
