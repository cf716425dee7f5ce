/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <stdio.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/replaying.h"
#include "cli/verifying.h"
#include "report/report_json.h"

static const char description[] =
    "Makes one run again, bit for bit, and tells its story: of a trace that\n"
    "a finding left, or of a scenario with --seed (and --case).  Exit status\n"
    "0 if the run is the one that was asked for, 2 if it cannot be made.\n"
    "\n"
    "With --verify FILE is a certificate (.proof), or a trace that has one\n"
    "beside it: the run is made again, and the loop of the certificate is\n"
    "played and checked without asking the search that found it.  Exit\n"
    "status 0 if the machine stays in it for ever, 1 if that is not so, 2 if\n"
    "the file is damaged or has nothing to verify.";

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
    gboolean verify = FALSE;
    const GOptionEntry more[] = {
        {"verify", 0, 0, G_OPTION_ARG_NONE, &verify,
         "check a certificate", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    Options options = {.has = OPTIONS_CASE | OPTIONS_MACHINE | OPTIONS_TELL,
                       .more = more};
    int status = EXIT_WORLD;

    if (options_read(&options, &argc, &argv, "FILE|SCENARIO", description,
                     error)) {
        if (verify)
            status = verifying_all(&options, error);
        else if (replaying_all(&options, print_run, &options, error))
            status = EXIT_HELD;
    }
    options_clear(&options);
    return status;
}
