/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options -- what the commands have in common on their command lines.
 *
 * Layer 13.
 */
#ifndef EMU_CLI_OPTIONS_H
#define EMU_CLI_OPTIONS_H

#include "base/base.h"
#include "check/check.h"

/* Exit status; product.md. */
enum { EXIT_HELD = 0, EXIT_FOUND = 1, EXIT_WORLD = 2 };

/* Options that not every command has. */
enum {
    OPTIONS_CASE = 1,    /* --case */
    OPTIONS_MACHINE = 2, /* --memory, --weaken */
    OPTIONS_RUNS = 4,    /* --runs */
    OPTIONS_TELL = 8,    /* --raw */
    OPTIONS_QUIET = 16,  /* --quiet */
    OPTIONS_EVERY = 32,  /* --every-run, --tap, --junit */
    OPTIONS_FIRST = 64,  /* --seed is that of the first of the runs */
};

typedef struct Options {
    /* Set before options_read(). */
    unsigned has;             /* OPTIONS_* */
    const char *runs;         /* what --help says of --runs */
    const GOptionEntry *more; /* the command's own, or NULL */
    /* What was read. */
    TrialOptions check;
    char **files;       /* what is left of the command line; at least one */
    unsigned case_number; /* 0: all */
    bool has_seed;
    bool every_run;
    bool json;
    bool tap;
    char *junit;        /* a file, or NULL */
    bool quiet;         /* no stories */
    bool has_traces;    /* check's trace_folder is not the default */
    /* Owned strings behind check's pointers. */
    char *ipiq, *weaken, *strategy, *memory_name, *traces;
    char **mutants;
    MemoryOptions memory;
    uint64_t steps_max; /* 0: not said */
} Options;

typedef enum OptionsError { OPTIONS_ERROR_USAGE } OptionsError;

#define OPTIONS_ERROR options_error_quark()
GQuark options_error_quark(void);

/*
 * Read the options of a command.  `usage` is what stands behind the command's
 * name ("SCENARIO..."), `summary` and `description` what --help says.  --help
 * prints and exits 0.
 */
bool options_read(Options *options, int *argc, char ***argv, const char *usage,
                  const char *description, GError **error);
void options_clear(Options *options);

#endif
