/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * callbacks -- the messages that each cpu is executing now, innermost last.
 *
 * A callback may send, wait for room and execute others meanwhile; so they
 * nest.  The stack pointer of the function that executes messages tells one
 * from the other: it is the same when a message is about to be executed and
 * when that is over.  Entries that were left in another way are dropped when
 * an outer one comes back.
 *
 * Layer 4; a part of rulecheck, a plain value.
 */
#ifndef EMU_WATCH_CALLBACKS_H
#define EMU_WATCH_CALLBACKS_H

#include "base/base.h"
#include "base/capacity.h"
#include "watch/rules.h"

/* Deeper ones are not seen: 16 KiB of stack hold some 60. */
#define CALLBACKS_MAX 128u

typedef struct Callback {
    uint64_t rsp;
    gva_t rip;          /* of the function that executes it */
    gva_t function;
    uint64_t object;    /* its first argument */
    uint64_t words[RULE_WORDS_MAX]; /* what must be the same at its end */
} Callback;

typedef struct Callbacks {
    unsigned depth[CPUS_MAX];
    Callback of[CPUS_MAX][CALLBACKS_MAX];
} Callbacks;

/* A new run. */
void callbacks_begin(Callbacks *callbacks, unsigned cpus);

/* The innermost one of a cpu, or NULL. */
Callback *callbacks_top(Callbacks *callbacks, unsigned cpu);

/* Is this the very moment that the innermost one was entered for?  A cpu that
 * is interrupted there comes to it twice. */
bool callbacks_is_again(Callbacks *callbacks, unsigned cpu, gva_t rip,
                        uint64_t rsp);

/* One begins: an empty entry; NULL when there are too many. */
Callback *callbacks_push(Callbacks *callbacks, unsigned cpu);

/* The one of this stack pointer is over: its entry, valid until the next push,
 * or NULL if there is none. */
Callback *callbacks_pop(Callbacks *callbacks, unsigned cpu, uint64_t rsp);

#endif
