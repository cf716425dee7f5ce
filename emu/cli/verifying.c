/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "cli/verifying.h"

#include <stdio.h>

#include "cli/replaying.h"
#include "report/json.h"

/* --- The certificate ------------------------------------------------------ */

/* Of a deadlock a trace says all that there is to say. */
static bool
make_from_trace(const char *path, Certificate *certificate, GError **error)
{
    if (!trace_read(&certificate->trace, path, error))
        return false;
    certificate->claim = CERTIFICATE_DEADLOCK;
    if (g_str_equal(certificate->trace.verdict, "deadlock"))
        return true;
    g_set_error(error, CERTIFICATE_ERROR, CERTIFICATE_ERROR_FILE,
                "%s: nothing to verify: the run ended with verdict %s, and "
                "there is no certificate beside it",
                path, certificate->trace.verdict);
    return false;
}

static bool
read_certificate(const char *path, Certificate *certificate, GError **error)
{
    g_autofree char *beside = NULL;

    if (!trace_is_trace(path))
        return certificate_read(certificate, path, error);
    beside = certificate_path(path);
    if (!g_file_test(beside, G_FILE_TEST_EXISTS))
        return make_from_trace(path, certificate, error);
    return certificate_read(certificate, beside, error);
}

/* --- The result ----------------------------------------------------------- */

static void
print_moves(const char *name, const GArray *moves)
{
    printf("%s\n", name);
    for (guint i = 0; i < moves->len; i++) {
        g_autoptr(GString) text = g_string_new(NULL);

        lasso_print_move(&g_array_index(moves, LassoMove, i), text);
        printf("  %s\n", text->str);
    }
}

static void
print_loop(const Certificate *certificate, const Verification *verification)
{
    printf("loop     %u round%s of all cpus, %" PRIu64 " steps, %" PRIu64
           " ticks\n",
           certificate->rounds, certificate->rounds == 1 ? "" : "s",
           verification->loop_steps, verification->loop_ticks);
    printf("left out the clock, steps and message numbers, which nothing in "
           "it reads\n");
    for (guint i = 0; i < certificate->left_out->len; i++)
        printf("         %s\n",
               (char *)g_ptr_array_index(certificate->left_out, i));
    print_moves("stem", certificate->lasso.stem);
    print_moves("loop", certificate->lasso.loop);
}

static void
print_text(const char *path, const Certificate *certificate,
           const Verification *verification)
{
    printf("%s %s: %s\n", verification->holds ? "VERIFIED" : "REFUTED ",
           certificate_claim_name(certificate->claim), verification->what);
    printf("file     %s\n", path);
    printf("run      %s, case %u, seed %" PRIu64 ", digest %016" PRIx64
           ", made again from its tape\n",
           certificate->trace.scenario, certificate->trace.case_number,
           certificate->trace.seed, certificate->trace.digest);
    if (verification->holds && certificate->lasso.loop->len > 0)
        print_loop(certificate, verification);
}

static void
print_json(const char *path, const Certificate *certificate,
           const Verification *verification)
{
    Json *json = json_new("verification");
    g_autofree char *line = NULL;

    json_text(json, "file", path);
    json_text(json, "scenario", certificate->trace.scenario);
    json_u64(json, "case", certificate->trace.case_number);
    json_u64(json, "seed", certificate->trace.seed);
    json_text(json, "claim", certificate_claim_name(certificate->claim));
    json_bool(json, "holds", verification->holds);
    json_text(json, "why", verification->what);
    json_u64(json, "loop_steps", verification->loop_steps);
    line = json_finish(json);
    printf("%s\n", line);
}

/* --- One file ------------------------------------------------------------- */

static bool
make_again(Options *options, const Certificate *certificate,
           Verification *verification, GError **error)
{
    const Trace *trace = &certificate->trace;
    g_autoptr(Check) check = NULL;
    const ScenarioCase *item = NULL;

    options->check.trace_folder = NULL;
    if (replaying_adopt(options, trace, error))
        check = check_new(trace->scenario, &options->check, error);
    if (check != NULL)
        item = replaying_case(check_scenario(check), trace->case_number, error);
    return item != NULL &&
           check_verify(check, item, certificate, verification, error);
}

static bool
verify_file(Options *options, const char *path, bool *holds, GError **error)
{
    g_auto(Certificate) certificate = {0};
    g_auto(Verification) verification = {0};
    bool made;

    certificate_init(&certificate);
    if (!read_certificate(path, &certificate, error))
        return false;
    made = make_again(options, &certificate, &verification, error);
    replaying_restore(options);
    if (!made) {
        g_prefix_error(error, "%s: ", path);
        return false;
    }
    (options->json ? print_json : print_text)(path, &certificate,
                                              &verification);
    *holds = *holds && verification.holds;
    return true;
}

int
verifying_all(Options *options, GError **error)
{
    bool holds = true;

    for (char **file = options->files; *file != NULL; file++)
        if (!verify_file(options, *file, &holds, error))
            return EXIT_WORLD;
    return holds ? EXIT_HELD : EXIT_FOUND;
}
