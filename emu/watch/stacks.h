/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stacks -- which stack each cpu is on, and whether it is still on it.
 *
 *      ┌──────────┬─────────────────────────────────┐
 *      │ reserve  │             in use ▶            │  of the current thread
 *      └──────────┴────────▲────────────────────────┘
 *      low                 RSP                      high
 *
 * A cpu belongs on the stack of its current thread.  A switch of threads
 * changes the current thread first and the stack a little later, so a cpu may
 * also stay on the stack that it was on.  It may not be anywhere else, nor in
 * the lowest `reserve` bytes, which the next interrupt needs.
 *
 * Looked at where rules look anyway, and at the end of each slice; what a cpu
 * does between two looks is not seen.  Layer 4; a part of rulecheck.
 */
#ifndef EMU_WATCH_STACKS_H
#define EMU_WATCH_STACKS_H

#include "base/base.h"
#include "machine/machine.h"
#include "watch/rules.h"

/* Bytes [low, high); of a cpu that was not looked at, nothing. */
typedef struct StackBounds {
    uint64_t low, high;
} StackBounds;

typedef struct StackOf {
    gpa_t thread_word;   /* where the address of its current thread is */
    uint64_t thread;     /* whose bounds these are */
    StackBounds current;
    StackBounds on;      /* the one that it was seen on */
    uint64_t rsp;        /* when it was looked at last */
    bool astray;         /* and was told of it */
} StackOf;

typedef struct Stacks {
    Machine *machine;
    const Gmem *memory;
    const Rules *rules;
    uint64_t reserve;
    StackOf of[CPUS_MAX];
    bool known;          /* the system has what is needed */
} Stacks;

/* The arguments must outlive it. */
void stacks_init(Stacks *stacks, Machine *machine, const Rules *rules);

/* A new run. */
void stacks_begin(Stacks *stacks);

/* The slow half of stacks_look(). */
bool stacks_look_closely(Stacks *stacks, unsigned cpu, uint64_t rsp);

/* Where is core `cpu`?  False when it has just left its stack; told once until
 * it is back. */
static inline bool
stacks_look(Stacks *stacks, unsigned cpu, uint64_t rsp)
{
    StackOf *of = &stacks->of[cpu];
    uint64_t thread;

    if (!stacks->known)
        return true;
    of->rsp = rsp;
    memcpy(&thread, stacks->memory->bytes + of->thread_word, sizeof thread);
    if (LIKELY(thread == of->thread && rsp <= of->current.high &&
               rsp >= of->current.low + stacks->reserve && !of->astray)) {
        of->on = of->current;
        return true;
    }
    return stacks_look_closely(stacks, cpu, rsp);
}

#endif
