/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <signal.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/options.h"

static const struct {
    const char *name;
    Command *command;
    const char *summary;
} commands[] = {
    {"run", cmd_run, "check every case of scenarios"},
    {"explore", cmd_explore, "search, and keep what is found"},
    {"merge", cmd_merge, "join the results of shards"},
    {"replay", cmd_replay, "make one run again, and tell it"},
    {"shrink", cmd_shrink, "find the shortest schedule of a finding"},
    {"show", cmd_show, "show one run as text, a page, or a Perfetto trace"},
    {"audit", cmd_audit, "say which barriers a guest needs"},
    {"litmus", cmd_litmus, "run litmus tests in herd's format"},
};

static void
print_help(void)
{
    printf("heddle runs the inter-processor interrupt code of real kernels\n"
           "on emulated x86-64 cpus, and decides which cpu moves next.\n\n"
           "usage: heddle COMMAND [OPTION...] FILE...\n\n");
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].summary);
    printf("\nheddle COMMAND --help tells more.  Exit status: 0 every claim\n"
           "held, 1 one did not, 2 something outside is wrong, 134 a bug in\n"
           "heddle.\n");
}

static int
complain(const GError *error)
{
    fprintf(stderr, "heddle: %s\n", error->message);
    return EXIT_WORLD;
}

static int
dispatch(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (g_str_equal(argv[1], commands[i].name)) {
            int status;
            g_autofree char *name =
                g_strdup_printf("heddle %s", commands[i].name);

            g_set_prgname(name);
            argv[1] = name;
            status = commands[i].command(argc - 1, argv + 1, &error);
            return error != NULL ? complain(error) : status;
        }
    fprintf(stderr, "heddle: no command `%s`; heddle --help lists them\n",
            argv[1]);
    return EXIT_WORLD;
}

/* What was said is said only if it has arrived. */
static int
end_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "heddle: standard output cannot be written, and what it "
                    "has is not all: is the disk full?\n");
    return EXIT_WORLD;
}

static int
obey(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "heddle: no command; heddle --help lists them\n");
        return EXIT_WORLD;
    }
    if (g_str_equal(argv[1], "--help") || g_str_equal(argv[1], "help") ||
        g_str_equal(argv[1], "-h")) {
        print_help();
        return EXIT_HELD;
    }
    if (g_str_equal(argv[1], "--version")) {
        printf("heddle " HEDDLE_VERSION "\n");
        return EXIT_HELD;
    }
    return dispatch(argc, argv);
}

int
main(int argc, char **argv)
{
    /* A reader that has seen enough ends us quietly, as it ends cat; a file
     * that may not grow is an error like a full disk. */
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_IGN);
    return end_output(obey(argc, argv));
}
