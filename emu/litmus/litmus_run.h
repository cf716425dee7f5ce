/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * litmus_run -- a litmus test on the machine: its columns on as many cores,
 * its locations in their memory.
 *
 *      Litmus + LitmusCode ──▶ LitmusRun ── search ──▶ every outcome
 *                                        └─ sample ──▶ outcomes of n runs
 *
 * The search looks at all interleavings, drains and late loads
 * (statespace.h).  A sampled run takes its decisions from the random strategy
 * through the one door, choice.h: it is a function of the test, the memory
 * model and the seed.  Sampling never leaves the engines: each column ends in
 * a jump to its own beginning, and between two runs registers and locations
 * get their first values again.
 *
 * Layer 9; one owner.
 */
#ifndef EMU_LITMUS_LITMUS_RUN_H
#define EMU_LITMUS_LITMUS_RUN_H

#include "base/base.h"
#include "litmus/litmus.h"
#include "litmus/litmus_assemble.h"
#include "litmus/litmus_states.h"
#include "machine/machine.h"
#include "search/statespace.h"

/* States after which a search gives up, unless somebody says otherwise. */
#define LITMUS_STATES_MAX UINT64_C(2000000)

/* Steps of one sampled run; a column that loops for ever must end. */
#define LITMUS_STEPS_MAX 100000u

typedef struct LitmusRun LitmusRun;

typedef enum LitmusRunError {
    LITMUS_RUN_ERROR_MACHINE, /* the test does not fit a machine */
    LITMUS_RUN_ERROR_STOPPED, /* a column faulted, halted or does not end */
} LitmusRunError;

#define LITMUS_RUN_ERROR litmus_run_error_quark()
GQuark litmus_run_error_quark(void);

/* Both are borrowed.  NULL with an error if no machine can be made. */
LitmusRun *litmus_run_new(const Litmus *litmus, const LitmusCode *code,
                          GError **error);
void litmus_run_free(LitmusRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LitmusRun, litmus_run_free)

/*
 * Add every outcome under this memory model to `states`.  False with an error
 * if a column cannot come to its end in some behaviour.  A search that gave up
 * is no error: the result says so.
 */
bool litmus_run_search(LitmusRun *run, const MemoryOptions *memory,
                       uint64_t states_max, LitmusStates *states,
                       StateSpaceResult *result, GError **error);

/* Add the outcomes of `runs` runs, of the seeds from `seed`. */
bool litmus_run_sample(LitmusRun *run, const MemoryOptions *memory,
                       uint64_t runs, uint64_t seed, LitmusStates *states,
                       GError **error);

#endif
