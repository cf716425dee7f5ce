/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <stdio.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/replaying.h"
#include "people/report_json.h"

static const char description[] =
    "Makes one run again, bit for bit, and tells its story: of a trace that\n"
    "a finding left, or of a scenario with --seed (and --case).  Exit status\n"
    "0 if the run is the one that was asked for, 2 if it cannot be made.";

static bool
print_run(void *user, const Scenario *scenario, const Finding *finding,
          GError **error)
{
    const Options *options = user;
    const MemoryOptions *memory = options->check.memory != NULL
                                      ? options->check.memory
                                      : &finding->item->memory;

    if (options->json) {
        g_autofree char *line =
            report_json_run(scenario, finding->item, &finding->run, memory);

        printf("%s\n", line);
    } else
        printf("%s\n", finding->story);
    (void)error;
    return true;
}

int
cmd_replay(int argc, char **argv, GError **error)
{
    Options options = {0};
    int status = EXIT_WORLD;

    if (options_read(&options, &argc, &argv, "FILE|SCENARIO", description,
                     error) &&
        replaying_all(&options, print_run, &options, error))
        status = EXIT_HELD;
    options_clear(&options);
    return status;
}
