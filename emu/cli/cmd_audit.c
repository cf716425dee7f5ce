/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <stdio.h>
#include <unistd.h>

#include "audit/report_audit.h"
#include "audit/report_audit_html.h"
#include "campaign/chores.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/outfile.h"

static const char description[] =
    "The barrier ledger: takes each fence, LOCK and compiler barrier that the\n"
    "scenarios execute away in the machine, alone and then two of a function\n"
    "together, and says under which memory model a claim misses it, with a\n"
    "run that shows it.  --runs is for each place and model, spread over the\n"
    "cases that execute it (1000).  \"Never seen\" is worth what the claims\n"
    "and the runs are worth.  Exit status 0.";

typedef struct Ledger {
    Options options;
    char *html;
    gboolean markdown;
    int jobs;
} Ledger;

static void
tell_progress(void *user, const char *what, unsigned number, unsigned count)
{
    (void)user;
    fprintf(stderr, "\r\033[K%s: %u of %u", what, number + 1, count);
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
        .jobs = (unsigned)ledger->jobs,
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

static bool
check_jobs(const Ledger *ledger, GError **error)
{
    if (ledger->jobs >= 1 && ledger->jobs <= (int)CHORES_JOBS_MAX)
        return true;
    g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_USAGE,
                "--jobs %d: a number of processes from 1 to %u is wanted",
                ledger->jobs, CHORES_JOBS_MAX);
    return false;
}

int
cmd_audit(int argc, char **argv, GError **error)
{
    Ledger ledger = {.jobs = 1};
    const GOptionEntry more[] = {
        {"html", 0, 0, G_OPTION_ARG_FILENAME, &ledger.html,
         "also write a page with the sources", "FILE"},
        {"jobs", 'j', 0, G_OPTION_ARG_INT, &ledger.jobs,
         "processes; the result does not depend on it (1)", "J"},
        {"markdown", 0, 0, G_OPTION_ARG_NONE, &ledger.markdown,
         "print a table for a document", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    int status = EXIT_WORLD;

    ledger.options.has = OPTIONS_RUNS | OPTIONS_QUIET | OPTIONS_FIRST;
    ledger.options.runs =
        "runs of each place and model, shared by its cases (1000)";
    ledger.options.more = more;
    if (options_read(&ledger.options, &argc, &argv, "SCENARIO...", description,
                     error) &&
        check_jobs(&ledger, error) && audit_files(&ledger, error))
        status = EXIT_HELD;
    options_clear(&ledger.options);
    g_free(ledger.html);
    return status;
}
