/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * strategy -- how decisions are taken: an interface.
 *
 * A strategy is asked through the one door, choice.h, and nowhere else.  It
 * may look at the list of actions and at what it keeps itself; it sees no
 * host state.  One strategy a file.
 *
 * Layer 5.
 */
#ifndef EMU_CHOOSE_STRATEGY_H
#define EMU_CHOOSE_STRATEGY_H

#include "base/base.h"
#include "machine/action.h"

typedef struct Strategy Strategy;

struct Strategy {
    const char *name;
    /* A new run: everything that follows depends on `seed` only. */
    void (*begin)(Strategy *strategy, uint64_t seed, unsigned cpus);
    /* Which of the actions; there are at least two. */
    unsigned (*pick)(Strategy *strategy, const Actions *actions);
    /* For how many steps core `cpu` goes on at most, at least 1. */
    uint64_t (*steps)(Strategy *strategy, unsigned cpu);
    /* Which of `drainable` buffered stores, at least 2, becomes visible; 0 is
     * the oldest. */
    unsigned (*store)(Strategy *strategy, unsigned drainable);
    /* How many of `buffered` stores, at least 2, become visible at most: at
     * least 1. */
    unsigned (*drains)(Strategy *strategy, unsigned buffered);
    /* Which of `count` values a load gives, at least 2; 0 is the newest. */
    unsigned (*late)(Strategy *strategy, unsigned count);
    /* A number below `bound`, which is at least 2, for a story. */
    uint64_t (*value)(Strategy *strategy, uint64_t bound);
    void (*free)(Strategy *strategy);
};

/* Cores in turn, a fixed number of steps each; messages, timers and stores
 * arrive as soon as they can, and no load is late.  The same whatever the
 * seed. */
Strategy *strategy_round_robin_new(void);

/*
 * Every action is equally likely, and a core goes on for a random number of
 * steps whose mean is drawn once for each run, from 8 to 512: switches in the
 * middle of three instructions and long undisturbed stretches are both met.
 * `mean_steps` fixes the mean instead, if it is not 0.  In some runs stores
 * linger: a drain is taken a quarter as often.  One drain makes all stores
 * visible or a few of them, and a load that could be late is so half of the
 * time.
 */
Strategy *strategy_random_new(uint64_t mean_steps);

/* The strategy of this name with its defaults, or NULL. */
Strategy *strategy_named(const char *name);
/* The names of all strategies, NULL-terminated, for messages. */
const char *const *strategy_names(void);

#endif
