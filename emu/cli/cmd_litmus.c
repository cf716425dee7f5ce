/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <stdio.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "litmus/litmus_files.h"
#include "litmus/litmus_report.h"
#include "litmus/litmus_run.h"
#include "report/json.h"

static const char description[] =
    "Runs litmus tests in herd's X86_64 format and prints the outcomes that\n"
    "were reached.  FILE is a test, a folder of them, or a list (@NAME).\n\n"
    "Without --runs every interleaving, drain and late load is looked at, and\n"
    "the set of outcomes is complete if the output says so.  With --runs N,\n"
    "N runs are sampled and counted.\n\n"
    "Exit status: 0; 1 if a test says what it expects (Expect=tso:Never ...)\n"
    "and something else was seen; 2 if a file could not be run.";

typedef struct LitmusOptions {
    char **files;
    char **memory;     /* texts of models */
    char *runs, *seed, *states;
    gboolean exhaustive, json, observe_all;
    uint64_t run_count, first_seed, states_max;
    GArray *models;    /* MemoryOptions */
    bool disagrees, failed;
} LitmusOptions;

static void
complain(LitmusOptions *options, const char *file, GError *error)
{
    options->failed = true;
    fprintf(stderr, "heddle: %s\n", error->message);
    if (options->json) {
        Json *json = json_new("error");
        g_autofree char *line = NULL;

        json_text(json, "file", file);
        json_text(json, "message", error->message);
        line = json_finish(json);
        printf("%s\n", line);
    }
    g_error_free(error);
}

static bool
run_under(LitmusOptions *options, LitmusRun *run, const Litmus *litmus,
          const MemoryOptions *memory, GError **error)
{
    g_autoptr(LitmusStates) states = litmus_states_new(litmus);
    g_autofree char *model = memmodel_print(memory);
    g_autofree char *text = NULL;
    StateSpaceResult found = {.complete = false};
    LitmusResult result = {
        .litmus = litmus,
        .states = states,
        .model = model,
        .is_sampled = options->run_count > 0,
        .runs = options->run_count,
    };
    bool ok = options->run_count > 0
                  ? litmus_run_sample(run, memory, options->run_count,
                                      options->first_seed, states, error)
                  : litmus_run_search(run, memory, options->states_max, states,
                                      &found, error);

    if (!ok)
        return false;
    if (!result.is_sampled) {
        result.is_complete = found.complete;
        result.explored = found.states;
        result.runs = found.ends;
    }
    options->disagrees |= !litmus_report_agrees(&result);
    if (options->json) {
        text = litmus_report_json(&result);
        printf("%s\n", text);
    } else {
        text = litmus_report_text(&result);
        printf("%s", text);
    }
    return true;
}

static bool
run_file(LitmusOptions *options, const char *path, GError **error)
{
    g_autoptr(Litmus) litmus = litmus_load(path, error);
    g_autoptr(LitmusCode) code = NULL;
    g_autoptr(LitmusRun) run = NULL;

    if (litmus == NULL)
        return false;
    code = litmus_assemble(litmus, error);
    if (code == NULL)
        return false;
    if (options->observe_all)
        litmus_observe_all(litmus, code->registers_written);
    run = litmus_run_new(litmus, code, error);
    if (run == NULL)
        return false;
    for (guint i = 0; i < options->models->len; i++)
        if (!run_under(options, run, litmus,
                       &g_array_index(options->models, MemoryOptions, i),
                       error))
            return false;
    return true;
}

static void
run_files(LitmusOptions *options)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);

    for (char **name = options->files; *name != NULL; name++) {
        GError *error = NULL;

        if (!litmus_files_add(files, *name, &error))
            complain(options, *name, error);
    }
    for (guint i = 0; i < files->len; i++) {
        const char *path = g_ptr_array_index(files, i);
        GError *error = NULL;

        if (!run_file(options, path, &error))
            complain(options, path, error);
        fflush(stdout);
    }
}

/* --- Options -------------------------------------------------------------- */

static bool
read_number(const char *option, const char *text, uint64_t *number,
            GError **error)
{
    if (text == NULL ||
        g_ascii_string_to_unsigned(text, 10, 1, UINT64_MAX, number, NULL))
        return true;
    g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_USAGE,
                "--%s %s: a number is wanted, at least 1", option, text);
    return false;
}

static bool
read_models(LitmusOptions *options, GError **error)
{
    static const char *const usual[] = {"tso", NULL};
    static const char *const all[] = {"sc", "tso", "pso", "weak", NULL};
    const char *const *text = (const char *const *)options->memory;

    if (text == NULL || *text == NULL)
        text = usual;
    else if (g_str_equal(*text, "all") && text[1] == NULL)
        text = all;
    for (; *text != NULL; text++) {
        MemoryOptions memory;

        if (!memmodel_parse(*text, &memory, error)) {
            g_prefix_error(error, "--memory: ");
            return false;
        }
        g_array_append_val(options->models, memory);
    }
    return true;
}

static bool
read_texts(LitmusOptions *options, GError **error)
{
    options->states_max = LITMUS_STATES_MAX;
    options->first_seed = 1;
    if (!read_number("runs", options->runs, &options->run_count, error) ||
        !read_number("seed", options->seed, &options->first_seed, error) ||
        !read_number("states", options->states, &options->states_max, error) ||
        !read_models(options, error))
        return false;
    if (options->exhaustive && options->run_count > 0) {
        g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_USAGE,
                    "--exhaustive and --runs: one of them is wanted");
        return false;
    }
    if (options->files != NULL && options->files[0] != NULL)
        return true;
    g_set_error(error, OPTIONS_ERROR, OPTIONS_ERROR_USAGE,
                "no file: FILE... is wanted");
    return false;
}

static bool
read_options(LitmusOptions *options, int *argc, char ***argv, GError **error)
{
    const GOptionEntry entries[] = {
        {"memory", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->memory,
         "sc, tso (the default), pso, weak, or all; more than once", "MODEL"},
        {"exhaustive", 0, 0, G_OPTION_ARG_NONE, &options->exhaustive,
         "look at every behaviour (the default)", NULL},
        {"states", 0, 0, G_OPTION_ARG_STRING, &options->states,
         "give up a search after so many states (2000000)", "N"},
        {"runs", 0, 0, G_OPTION_ARG_STRING, &options->runs,
         "sample so many runs instead", "N"},
        {"seed", 0, 0, G_OPTION_ARG_STRING, &options->seed,
         "of the first of these runs (1)", "S"},
        {"observe-all", 0, 0, G_OPTION_ARG_NONE, &options->observe_all,
         "show every location and every register that is written", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &options->json,
         "print one JSON object a line", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY,
         &options->files, NULL, NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("FILE...");

    g_option_context_set_summary(context, description);
    g_option_context_add_main_entries(context, entries, NULL);
    return g_option_context_parse(context, argc, argv, error) &&
           read_texts(options, error);
}

int
cmd_litmus(int argc, char **argv, GError **error)
{
    LitmusOptions options = {
        .models = g_array_new(FALSE, FALSE, sizeof(MemoryOptions))};
    int status = EXIT_WORLD;

    if (read_options(&options, &argc, &argv, error)) {
        run_files(&options);
        status = options.failed      ? EXIT_WORLD
                 : options.disagrees ? EXIT_FOUND
                                     : EXIT_HELD;
    }
    g_strfreev(options.files);
    g_strfreev(options.memory);
    g_free(options.runs);
    g_free(options.seed);
    g_free(options.states);
    g_array_free(options.models, TRUE);
    return status;
}
