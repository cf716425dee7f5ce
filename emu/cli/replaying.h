/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replaying -- the runs that a command line names, made again: of traces, or
 * of scenarios with --seed.
 *
 * Layer 8.
 */
#ifndef EMU_CLI_REPLAYING_H
#define EMU_CLI_REPLAYING_H

#include "base/base.h"
#include "cli/options.h"

/* Told of each run; false with an error ends it all. */
typedef bool ReplayingTell(void *user, const Scenario *scenario,
                           const Finding *finding, GError **error);

/*
 * Make the runs of options->files again, one after the other.  False with an
 * error at the first that cannot be made, or that is not the run which its
 * trace recorded.
 */
bool replaying_all(Options *options, ReplayingTell *tell, void *user,
                   GError **error);

#endif
