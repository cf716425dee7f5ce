/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counter -- words that are declared to only count: do they?
 *
 * The short way to see that nothing depends on them, for loops in which nothing
 * else changes: the words are watched while the loop is gone round, and every
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

/* Play so many fair rounds: do the ranges of the view only count in them?  Uses
 * the machine's watchers. */
bool counter_only_counts(Machine *machine, const StateView *view,
                         Actions *actions, unsigned rounds);

#endif
