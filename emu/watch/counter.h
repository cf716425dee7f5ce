/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counter -- words that are declared to only count: do they?
 *
 * The short way to see that nothing depends on them, for loops in which nothing
 * else changes: the words are watched while somebody goes round it, and every
 * instruction that touches one must be blind, that is
 *
 *      add a constant to the word or subtract one, in memory, and
 *      be followed by instructions that write all flags before one reads any.
 *
 * What this does not understand proof.h may.
 *
 * Layer 4.
 */
#ifndef EMU_WATCH_COUNTER_H
#define EMU_WATCH_COUNTER_H

#include "base/base.h"
#include "machine/machine.h"
#include "watch/state.h"

typedef struct CounterWatch {
    Machine *machine;
    const StateView *view;
    GArray *lines; /* gpa_t: those that it watches */
    bool sees;     /* some access was not blind */
} CounterWatch;

/* Watch the lines of the view's ranges, from here to counter_unwatch(). */
void counter_watch(CounterWatch *watch, Machine *machine,
                   const StateView *view);
void counter_unwatch(CounterWatch *watch);

/* For MachineWatch's access(). */
void counter_look(CounterWatch *watch, unsigned cpu, gpa_t physical,
                  const InsnAccess *access);

#endif
