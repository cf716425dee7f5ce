/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "cli/options.h"

#include <unistd.h>

#include "choose/strategy.h"

G_DEFINE_QUARK(heddle-options-error, options_error)

static bool
usage_error(GError **error, const char *option, const char *value,
            const char *wanted)
{
    g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_USAGE,
                "--%s %s: %s", option, value, wanted);
    return false;
}

/* Numbers are read here and not by GOption, whose 64 bits are signed and
 * whose errors do not say what would be right. */
static bool
read_number(const char *option, const char *text, uint64_t *number,
            GError **error)
{
    if (text == NULL ||
        g_ascii_string_to_unsigned(text, 10, 0, UINT64_MAX, number, NULL))
        return true;
    return usage_error(error, option, text, "a number is wanted");
}

/* Without the option it stays 0. */
static bool
read_count(const char *option, const char *text, uint64_t *number,
           GError **error)
{
    if (text == NULL ||
        g_ascii_string_to_unsigned(text, 10, 1, UINT64_MAX, number, NULL))
        return true;
    return usage_error(error, option, text, "a number from 1 on is wanted");
}

static char *
trace_folder(const char *wish)
{
    const char *state = g_getenv("XDG_STATE_HOME");
    const char *home = g_getenv("HOME");

    if (wish != NULL)
        return g_strdup(wish);
    if (state != NULL && *state != '\0')
        return g_build_filename(state, "heddle", NULL);
    if (home != NULL && *home != '\0' && access(home, W_OK) == 0)
        return g_build_filename(home, ".local", "state", "heddle", NULL);
    return g_strdup_printf("%s/heddle-%s", g_get_tmp_dir(),
                           g_get_user_name());
}

/* What is on the command line, before it is understood. */
typedef struct Texts {
    char *seed, *case_number, *runs, *steps, *engine;
    gboolean every_run, raw, quiet, json, tap;
} Texts;

/* Whether it is one is said at once, and not by the first case. */
static bool
read_strategy(const char *text, GError **error)
{
    g_autoptr(Strategy) strategy = NULL;

    if (text == NULL)
        return true;
    strategy = strategy_parse(text, error);
    if (strategy == NULL)
        g_prefix_error(error, "--strategy: ");
    return strategy != NULL;
}

static bool
read_texts(Options *options, const Texts *texts, GError **error)
{
    uint64_t number = 0;

    options->has_seed = texts->seed != NULL;
    options->check.first_seed = 1;
    if (!read_number("seed", texts->seed, &options->check.first_seed, error) ||
        !read_count("case", texts->case_number, &number, error) ||
        !read_count("runs", texts->runs, &options->check.runs, error) ||
        !read_count("steps", texts->steps, &options->check.steps_max, error))
        return false;
    options->steps_max = options->check.steps_max;
    if (number > G_MAXUINT)
        return usage_error(error, "case", texts->case_number,
                           "there is no such case");
    options->case_number = (unsigned)number;
    if (texts->engine == NULL || g_str_equal(texts->engine, "fiber"))
        options->check.stage.engine = CPU_ENGINE_FIBER;
    else if (g_str_equal(texts->engine, "stepwise"))
        options->check.stage.engine = CPU_ENGINE_STEPWISE;
    else if (g_str_equal(texts->engine, "common"))
        options->check.stage.engine = CPU_ENGINE_COMMON;
    else
        return usage_error(error, "engine", texts->engine,
                           "fiber, stepwise or common is wanted");
    if (!read_strategy(options->strategy, error))
        return false;
    if (options->memory_name == NULL)
        return true;
    if (!memmodel_parse(options->memory_name, &options->memory, error)) {
        g_prefix_error(error, "--memory: ");
        return false;
    }
    options->check.memory = &options->memory;
    return true;
}

static void
finish(Options *options, const Texts *texts)
{
    g_autofree char *wish = options->traces;

    options->check.raw = texts->raw;
    options->json = texts->json;
    options->tap = texts->tap;
    options->every_run = texts->every_run;
    options->quiet = texts->quiet;
    options->check.stage.ipiq = options->ipiq;
    options->check.weaken = options->weaken;
    options->check.mutants = options->mutants;
    options->check.strategy = options->strategy;
    options->check.one_run = options->has_seed;
    options->check.want_digests = options->has_seed || options->every_run;
    options->has_traces = wish != NULL;
    options->traces = trace_folder(wish);
    options->check.trace_folder = options->traces;
    options->check.color = isatty(STDOUT_FILENO) &&
                           (g_getenv("NO_COLOR") == NULL ||
                            *g_getenv("NO_COLOR") == '\0');
}

static void
clear_texts(Texts *texts)
{
    g_free(texts->seed);
    g_free(texts->case_number);
    g_free(texts->runs);
    g_free(texts->steps);
    g_free(texts->engine);
}

/* An option, and who has it; 0: all. */
typedef struct Offer {
    unsigned of;
    GOptionEntry entry;
} Offer;

/* Those that the command has, and a last one of nothing. */
static GArray *
choose_entries(Options *options, Texts *texts)
{
    const char *runs = options->runs != NULL ? options->runs : "";
    const Offer offers[] = {
        {OPTIONS_CASE, {"case", 0, 0, G_OPTION_ARG_STRING, &texts->case_number,
         "only the case of this number", "N"}},
        {0, {"seed", 0, 0, G_OPTION_ARG_STRING, &texts->seed,
         options->has & OPTIONS_FIRST ? "of the first run (1)"
                                      : "only the run of this seed", "S"}},
        {OPTIONS_RUNS, {"runs", 0, 0, G_OPTION_ARG_STRING, &texts->runs, runs,
         "N"}},
        {0, {"steps", 0, 0, G_OPTION_ARG_STRING, &texts->steps,
         "steps of a run at most (1000000)", "N"}},
        {0, {"strategy", 0, 0, G_OPTION_ARG_STRING, &options->strategy,
         options->has & OPTIONS_MACHINE
             ? "how schedules are chosen (random): doc/SEARCH.md"
             : "how schedules are chosen (aimed): doc/SEARCH.md", "NAME"}},
        {OPTIONS_MACHINE, {"memory", 0, 0, G_OPTION_ARG_STRING,
         &options->memory_name,
         "sc, tso, pso or weak; pso,depth=4,barriers=source", "MODEL"}},
        {0, {"ipiq", 0, 0, G_OPTION_ARG_FILENAME, &options->ipiq,
         "the kernel's lwkt_ipiq.c to run; in-tree: ours", "PATH"}},
        {0, {"mutant", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->mutants,
         "build the guest with this mutant in every case", "NAME"}},
        {OPTIONS_MACHINE, {"weaken", 0, 0, G_OPTION_ARG_STRING,
         &options->weaken,
         "take a fence, LOCK or barrier away, as audit names it", "PLACE"}},
        {0, {"engine", 0, 0, G_OPTION_ARG_STRING, &texts->engine,
         "fiber, common, or stepwise: the reference", "NAME"}},
        {0, {"traces", 0, 0, G_OPTION_ARG_FILENAME, &options->traces,
         "where findings are kept", "FOLDER"}},
        {OPTIONS_EVERY, {"every-run", 0, 0, G_OPTION_ARG_NONE,
         &texts->every_run, "print every run, with its digest", NULL}},
        {OPTIONS_TELL, {"raw", 0, 0, G_OPTION_ARG_NONE, &texts->raw,
         "tell every event of a finding", NULL}},
        {OPTIONS_QUIET, {"quiet", 'q', 0, G_OPTION_ARG_NONE, &texts->quiet,
         "do not tell findings", NULL}},
        {0, {"json", 0, 0, G_OPTION_ARG_NONE, &texts->json,
         "print one JSON object a line", NULL}},
        {OPTIONS_EVERY, {"tap", 0, 0, G_OPTION_ARG_NONE, &texts->tap,
         "print TAP", NULL}},
        {OPTIONS_EVERY, {"junit", 0, 0, G_OPTION_ARG_FILENAME, &options->junit,
         "write JUnit XML", "FILE"}},
        {0, {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY,
         &options->files, NULL, NULL}},
    };
    GArray *entries = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));

    for (size_t i = 0; i < G_N_ELEMENTS(offers); i++)
        if (offers[i].of == 0 || options->has & offers[i].of)
            g_array_append_val(entries, offers[i].entry);
    return entries;
}

bool
options_read(Options *options, int *argc, char ***argv, const char *usage,
             const char *description, GError **error)
{
    Texts texts = {0};
    g_autoptr(GArray) entries = choose_entries(options, &texts);
    g_autoptr(GOptionContext) context = g_option_context_new(usage);
    bool ok;

    g_option_context_set_summary(context, description);
    if (options->more != NULL)
        g_option_context_add_main_entries(context, options->more, NULL);
    g_option_context_add_main_entries(context, (GOptionEntry *)entries->data,
                                      NULL);
    ok = g_option_context_parse(context, argc, argv, error) &&
         read_texts(options, &texts, error);
    clear_texts(&texts);
    if (!ok)
        return false;
    finish(options, &texts);
    if (options->files != NULL && options->files[0] != NULL)
        return true;
    g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_USAGE,
                "no file: %s is wanted", usage);
    return false;
}

void
options_clear(Options *options)
{
    g_strfreev(options->files);
    g_free(options->junit);
    g_free(options->ipiq);
    g_free(options->weaken);
    g_strfreev(options->mutants);
    g_free(options->strategy);
    g_free(options->memory_name);
    g_free(options->traces);
    *options = (Options){0};
}
