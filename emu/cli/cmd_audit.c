/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/outfile.h"
#include "people/report_audit.h"

static const char description[] =
    "The barrier ledger: takes each fence, LOCK and compiler barrier that the\n"
    "scenarios execute away, alone, in the machine, and says under which\n"
    "memory model a claim misses it, with a run that shows it.  --runs is\n"
    "for each case, place and model (500).  \"Never seen\" is worth what the\n"
    "claims and the runs are worth.  Exit status 0.";

typedef struct Ledger {
    Options options;
    char *html;
    gboolean markdown;
} Ledger;

static void
tell_progress(void *user, const Scenario *scenario, const ScenarioCase *item,
              MemoryModel model)
{
    (void)user;
    fprintf(stderr, "\r\033[K%s, case %u, %s", scenario->path, item->number,
            memmodel_name(model));
}

static void
print_rows(const Ledger *ledger, const GPtrArray *rows)
{
    g_autofree char *text = NULL;

    for (guint i = 0; ledger->options.json && i < rows->len; i++) {
        g_autofree char *line =
            report_audit_json(g_ptr_array_index(rows, i));

        printf("%s\n", line);
    }
    if (ledger->options.json)
        return;
    text = ledger->markdown ? report_audit_markdown(rows)
                            : report_audit_text(rows);
    printf("%s", text);
}

static bool
audit_files(Ledger *ledger, GError **error)
{
    bool watched = isatty(STDERR_FILENO) && !ledger->options.quiet;
    AuditOptions options = {
        .trial = ledger->options.check,
        .runs = ledger->options.check.runs,
        .progress = watched ? tell_progress : NULL,
    };
    g_autoptr(GPtrArray) rows =
        audit_scenarios(ledger->options.files, &options, error);

    if (watched)
        fprintf(stderr, "\r\033[K");
    if (rows == NULL)
        return false;
    print_rows(ledger, rows);
    if (ledger->html != NULL) {
        g_autofree char *page = report_audit_html(rows);

        return outfile_write(ledger->html, page, error);
    }
    return true;
}

int
cmd_audit(int argc, char **argv, GError **error)
{
    Ledger ledger = {0};
    const GOptionEntry more[] = {
        {"html", 0, 0, G_OPTION_ARG_FILENAME, &ledger.html,
         "also write a page with the sources", "FILE"},
        {"markdown", 0, 0, G_OPTION_ARG_NONE, &ledger.markdown,
         "print a table for a document", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    int status = EXIT_WORLD;

    ledger.options.has = OPTIONS_RUNS | OPTIONS_QUIET | OPTIONS_FIRST;
    ledger.options.runs = "runs of each case, place and model (500)";
    ledger.options.more = more;
    if (options_read(&ledger.options, &argc, &argv, "SCENARIO...", description,
                     error) &&
        audit_files(&ledger, error))
        status = EXIT_HELD;
    options_clear(&ledger.options);
    g_free(ledger.html);
    return status;
}
