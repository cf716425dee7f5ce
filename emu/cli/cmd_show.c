/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <stdio.h>

#include "check/replica.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/outfile.h"
#include "cli/replaying.h"
#include "report/report_html.h"
#include "report/report_json.h"
#include "report/report_perfetto.h"

static const char description[] =
    "Shows one run: its story as text, as a page for a browser, as a file for\n"
    "ui.perfetto.dev, or as JSON, one event a line.  The run is that of a\n"
    "trace, or of a scenario with --seed (and --case).";

typedef struct Show {
    Options options;
    char *html, *perfetto; /* files to write, or NULL */
    unsigned shown;        /* runs */
} Show;

static bool
write_file(const char *path, char *text, GError **error)
{
    bool written = outfile_write(path, text, error);

    g_free(text);
    return written;
}

static void
print_json(const Scenario *scenario, const Finding *finding,
           const MemoryOptions *memory)
{
    g_autoptr(GPtrArray) events = storyrecord_all(finding->told);
    g_autofree char *last = report_json_finding(scenario, finding, memory);

    for (guint i = 0; i < events->len; i++) {
        g_autofree char *line =
            report_json_event(g_ptr_array_index(events, i));

        printf("%s\n", line);
    }
    printf("%s\n", last);
}

/* What `heddle shrink` left beside the trace, or NULL. */
static char *
read_replica(const Finding *finding)
{
    g_autofree char *path = replica_path(finding);
    char *text = NULL;

    if (path != NULL && g_file_test(path, G_FILE_TEST_IS_REGULAR))
        g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

static bool
show_run(void *user, const Scenario *scenario, const Finding *finding,
         GError **error)
{
    Show *show = user;
    const Options *options = &show->options;

    if ((show->html != NULL || show->perfetto != NULL) && show->shown++ > 0) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_USAGE,
                    "a file shows one run, and these are several: name one "
                    "trace, or one case with --case");
        return false;
    }
    if (options->json)
        print_json(scenario, finding,
                   options->check.memory != NULL ? options->check.memory
                                                 : &finding->item->memory);
    else if (show->html == NULL && show->perfetto == NULL)
        printf("%s\n", finding->story);
    if (show->html != NULL) {
        g_autofree char *replica = read_replica(finding);

        if (!write_file(show->html, report_html(scenario, finding, replica),
                        error))
            return false;
    }
    return show->perfetto == NULL ||
           write_file(show->perfetto, report_perfetto(scenario, finding),
                      error);
}

int
cmd_show(int argc, char **argv, GError **error)
{
    Show show = {0};
    const GOptionEntry more[] = {
        {"html", 0, 0, G_OPTION_ARG_FILENAME, &show.html,
         "write a page for a browser, which needs nothing else", "FILE"},
        {"perfetto", 0, 0, G_OPTION_ARG_FILENAME, &show.perfetto,
         "write Chrome trace JSON, for ui.perfetto.dev", "FILE"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    int status = EXIT_WORLD;

    show.options.has = OPTIONS_CASE | OPTIONS_MACHINE | OPTIONS_TELL;
    show.options.more = more;
    if (options_read(&show.options, &argc, &argv, "FILE|SCENARIO", description,
                     error)) {
        show.options.check.keep_records = true;
        if (replaying_all(&show.options, show_run, &show, error))
            status = EXIT_HELD;
    }
    options_clear(&show.options);
    g_free(show.html);
    g_free(show.perfetto);
    return status;
}
