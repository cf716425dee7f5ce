/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * holding -- what a schedule keeps from arriving: buffered stores, messages,
 * timers.
 *
 *      fresh ── by default ──▶ arrives
 *        └──── held: a deviation ──▶ held ── released ──▶ arrives
 *
 * Fresh is what could arrive and is not held.  A store behind a held one that
 * it may not overtake is not fresh: it waits for nothing.  Stores have no
 * names, so those of a core that holds some are followed: a held store leaves
 * with a release, or unasked, with a fence or for want of room, the oldest
 * first.
 *
 * Layer 5; embedded in a strategy.
 */
#ifndef EMU_CHOOSE_HOLDING_H
#define EMU_CHOOSE_HOLDING_H

#include "base/base.h"
#include "base/capacity.h"
#include "choose/sharing.h"
#include "machine/machine.h"

/* The buffer of a core that holds stores, when it was looked at last. */
typedef struct HeldStores {
    uint64_t held; /* one bit for each; 0: the rest means nothing */
    unsigned count;
    struct {
        gpa_t physical;
        gva_t rip;
    } store[STOREBUF_DEPTH_MAX];
} HeldStores;

/* Messages that a run can hold at one moment. */
#define HOLDING_MESSAGES_MAX 16u

typedef struct Holding {
    unsigned messages;
    uint64_t message[HOLDING_MESSAGES_MAX]; /* their numbers */
    uint64_t timers;                        /* of cores, one bit each */
    HeldStores stores[CPUS_MAX];
} Holding;

/* Hold nothing. */
void holding_clear(Holding *holding);

/* Look at the machine, which has acted. */
void holding_update(Holding *holding, Machine *machine,
                    const Actions *actions);

/* The first fresh store, as a DRAIN whose number is its place in the buffer;
 * false if there is none.  And the first fresh message or timer. */
bool holding_fresh_store(const Holding *holding, const Machine *machine,
                         const Actions *actions, Action *action);
bool holding_fresh_message(const Holding *holding, const Actions *actions,
                           Action *action);

/* How many stores, from that of `drain` on, can become visible at once and are
 * to words that nobody shares. */
unsigned holding_private_stores(const Holding *holding,
                                const Machine *machine, const Sharing *sharing,
                                const Action *drain);

/* Keep it from arriving; false if no more can be held. */
bool holding_hold(Holding *holding, const Machine *machine,
                  const Action *action);

/* Number `index` of what is held and could arrive. */
bool holding_held(const Holding *holding, const Machine *machine,
                  const Actions *actions, unsigned index, Action *action);

/* It was done, of stores one. */
void holding_performed(Holding *holding, const Action *action);

/* Add what is held; returns whether there is anything. */
bool holding_digest(const Holding *holding, const Machine *machine,
                    Digest *digest);

#endif
