/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * litmus_states -- the outcomes of a litmus test that were seen, and how
 * often.
 *
 * They are sorted by their values, the first item first, so that the same set
 * is always listed in the same order.  An outcome that the test's filter
 * rejects is not among them.
 *
 * `observed` of the test must not change while they live.  Layer 9; has one
 * owner.
 */
#ifndef EMU_LITMUS_LITMUS_STATES_H
#define EMU_LITMUS_LITMUS_STATES_H

#include "base/base.h"
#include "litmus/litmus.h"

typedef struct LitmusStates LitmusStates;

typedef struct LitmusState {
    uint64_t count; /* how often it was added */
    bool holds;     /* the condition's proposition, in it */
    int64_t values[];
} LitmusState;

/* How many outcomes have the proposition, and how many have not. */
typedef struct LitmusTally {
    uint64_t positive;
    uint64_t negative;
} LitmusTally;

/* The test is borrowed. */
LitmusStates *litmus_states_new(const Litmus *litmus);
void litmus_states_free(LitmusStates *states);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LitmusStates, litmus_states_free)

/* Add an outcome `count` times; values beyond an item's width are cut.  False
 * if the filter rejects it. */
bool litmus_states_add(LitmusStates *states, const int64_t *values,
                       uint64_t count);

/* Different outcomes, and the one at a position; borrowed. */
unsigned litmus_states_count(const LitmusStates *states);
const LitmusState *litmus_states_at(const LitmusStates *states, unsigned at);

/* By different outcomes, as herd counts; by how often, as litmus7 counts. */
LitmusTally litmus_states_tally(const LitmusStates *states);
LitmusTally litmus_states_tally_runs(const LitmusStates *states);

/* herd's Observation: "Never", "Sometimes" or "Always"; static. */
const char *litmus_states_observation(const LitmusStates *states);

/* Whether the condition of the test is true of what was seen. */
bool litmus_states_validate(const LitmusStates *states);

#endif
