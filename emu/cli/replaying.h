/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replaying -- the runs that a command line names, made again: of traces, or
 * of scenarios with --seed.
 *
 * Layer 13.
 */
#ifndef EMU_CLI_REPLAYING_H
#define EMU_CLI_REPLAYING_H

#include "base/base.h"
#include "cli/options.h"
#include "search/trace.h"

/* A case by its number; an error if there is none. */
const ScenarioCase *replaying_case(const Scenario *scenario, unsigned number,
                                   GError **error);

/* Says why the file names no run.  False. */
bool replaying_refuse(const char *path, GError **error);

/* Have the options be those of the run that the trace keeps, which must outlive
 * their use; and then again what the command line says. */
bool replaying_adopt(Options *options, const Trace *trace, GError **error);
void replaying_restore(Options *options);

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
