/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chance -- what strategies that draw at random have in common.
 *
 * A strategy whose first member is a Chance can take these for its own.  Its
 * begin() sets `prng` from the seed, and `late`.
 *
 * Layer 5; embedded in a strategy.
 */
#ifndef EMU_CHOOSE_CHANCE_H
#define EMU_CHOOSE_CHANCE_H

#include "base/base.h"
#include "base/prng.h"
#include "choose/strategy.h"

typedef struct Chance {
    Strategy strategy;
    Prng prng;
    bool late; /* loads of this run may be */
} Chance;

/* Strategy.store: each of them is equally likely. */
unsigned chance_store(Strategy *strategy, unsigned drainable);

/* Strategy.drains: one, since each is an event of its own. */
unsigned chance_drain_one(Strategy *strategy, unsigned buffered);

/* Strategy.late: the newest value half of the time, or always; else each is
 * equally likely. */
unsigned chance_late(Strategy *strategy, unsigned count);

/* Strategy.value: each number is equally likely. */
uint64_t chance_value(Strategy *strategy, uint64_t bound);

#endif
