/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * censustaker -- makes the runs of a census.
 *
 * First some runs with every line of memory watched, which say what is
 * shared; then the same again with the places marked, which count.  Both stop
 * early when they have cost CENSUS_STEPS_MAX.
 *
 * Layer 5.
 */
#ifndef EMU_CHOOSE_CENSUSTAKER_H
#define EMU_CHOOSE_CENSUSTAKER_H

#include "base/base.h"
#include "choose/run.h"

/* Steps of all runs of one half: what a case with long runs may cost. */
#define CENSUS_STEPS_MAX UINT64_C(400000)

/*
 * Fill `census`, which must be initialised and empty, from runs of `run`,
 * whose machine is `machine`, and mark its places there.  Lines that are in it
 * already are taken for shared: stories look at them, which no watcher
 * sees.  Observers of `run`
 * are gone afterwards; watched lines are as before.  False with an error if
 * the scenario's own code failed.
 */
bool censustaker_take(Run *run, Machine *machine, Census *census,
                      GError **error);

#endif
