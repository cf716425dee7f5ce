/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replica -- a shrunk finding as a scenario that shows it by itself.
 *
 *      what the scenario says before its cases     as it is
 *      the case, its mutants, stories, memory      as it is, but for claims
 *      function schedule() ... end                 the shrunk schedule
 *      explore { strategy = "calm", runs = 1 }     what comes after it
 *      possible { livelock }                       what it shows
 *
 * choose() of the stories gives what it gave in the shrunk run.  A broken
 * `certain` has no such claim: the replica says `never`, with the case as it
 * goes calmly for a control.
 *
 * What is written has been tried: the replica was loaded and run, and found the
 * same.  First with the words of people (run_to), then with steps only.
 *
 * Layer 10.
 */
#ifndef EMU_CHECK_REPLICA_H
#define EMU_CHECK_REPLICA_H

#include "base/base.h"
#include "check/reduce.h"
#include "check/trial.h"

/*
 * Write it to `path`.  False with an error, and no file, if this finding
 * cannot be told as a scenario; the trace is still good then.  Makes some runs
 * of the trial, and others on a machine of its own.
 */
bool replica_write(Trial *trial, const Reduction *reduction, const char *path,
                   GError **error);

/* Where it lies: beside the Finding's trace, under the same name; the caller
 * frees it.  NULL if there is no trace, or somebody renamed it. */
char *replica_path(const Finding *finding);

#endif
