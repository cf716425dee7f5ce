/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "search/certificate.h"

#include <stdio.h>

G_DEFINE_QUARK(heddle - certificate - error, certificate_error)

#define MAGIC "heddle-certificate "

static const char *const claims[] = {
    [CERTIFICATE_LIVELOCK] = "livelock",
    [CERTIFICATE_DEADLOCK] = "deadlock",
    [CERTIFICATE_LOST] = "lost",
};

void
certificate_init(Certificate *certificate)
{
    *certificate = (Certificate){
        .left_out = g_ptr_array_new_with_free_func(g_free)};
    lasso_init(&certificate->lasso);
    trace_init(&certificate->trace);
}

void
certificate_clear(Certificate *certificate)
{
    g_clear_pointer(&certificate->left_out, g_ptr_array_unref);
    lasso_clear(&certificate->lasso);
    g_clear_pointer(&certificate->trace_text, g_free);
    trace_clear(&certificate->trace);
}

const char *
certificate_claim_name(CertificateClaim claim)
{
    return claims[claim];
}

char *
certificate_path(const char *trace_path)
{
    size_t length = strlen(trace_path);

    if (g_str_has_suffix(trace_path, ".trace"))
        length -= strlen(".trace");
    return g_strdup_printf("%.*s.proof", (int)length, trace_path);
}

/* --- Writing -------------------------------------------------------------- */

static void
print_moves(const char *name, const GArray *moves, GString *out)
{
    g_string_append_printf(out, "%s\n", name);
    for (guint i = 0; i < moves->len; i++) {
        g_string_append(out, "  ");
        lasso_print_move(&g_array_index(moves, LassoMove, i), out);
        g_string_append_c(out, '\n');
    }
}

bool
certificate_write(const Certificate *certificate, const char *path,
                  GError **error)
{
    g_autoptr(GString) body = g_string_new(NULL), text = g_string_new(NULL);
    g_autofree char *sum = NULL;

    g_string_append_printf(body, "claim %s\n", claims[certificate->claim]);
    if (certificate->lasso.loop->len > 0) {
        g_string_append_printf(body, "state %016" PRIx64 "\nrounds %u\n",
                               certificate->state, certificate->rounds);
        for (guint i = 0; i < certificate->left_out->len; i++)
            g_string_append_printf(
                body, "left-out %s\n",
                (char *)g_ptr_array_index(certificate->left_out, i));
        print_moves("stem", certificate->lasso.stem, body);
        print_moves("loop", certificate->lasso.loop, body);
    }
    g_string_append_printf(body, "trace\n%s", certificate->trace_text);
    sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, body->str,
                                        (gssize)body->len);
    g_string_printf(text, MAGIC "%d\nsha256 %s\n%s", CERTIFICATE_VERSION, sum,
                    body->str);
    if (g_file_set_contents(path, text->str, (gssize)text->len, error))
        return true;
    g_prefix_error(error, "certificate: ");
    return false;
}

/* --- Reading -------------------------------------------------------------- */

typedef struct Reading {
    Certificate *certificate;
    const char *path;
    char *at; /* what is left */
    unsigned line;
} Reading;

G_GNUC_PRINTF(3, 4)
static bool
refuse(const Reading *reading, GError **error, const char *format, ...)
{
    g_autofree char *what = NULL;
    va_list arguments;

    va_start(arguments, format);
    what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, CERTIFICATE_ERROR, CERTIFICATE_ERROR_FORMAT, "%s:%u: %s",
                reading->path, reading->line, what);
    return false;
}

/* The next line, cut out of the text; NULL at its end. */
static char *
take_line(Reading *reading)
{
    char *line = reading->at;
    char *end = strchr(line, '\n');

    if (end == NULL)
        return NULL;
    *end = '\0';
    reading->at = end + 1;
    reading->line++;
    return line;
}

/* The two lines before the body, which must be what they say. */
static bool
read_head(Reading *reading, size_t length, GError **error)
{
    g_autofree char *first = g_strdup_printf(MAGIC "%d", CERTIFICATE_VERSION);
    g_autofree char *sum = NULL;
    const char *begin = reading->at;
    char *line = take_line(reading);

    if (line == NULL || !g_str_equal(line, first))
        return refuse(reading, error,
                      "not a certificate of version %d: have it made anew by "
                      "replaying its trace",
                      CERTIFICATE_VERSION);
    line = take_line(reading);
    if (line == NULL || !g_str_has_prefix(line, "sha256 "))
        return refuse(reading, error, "the certificate is damaged");
    sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256,
                                      (const uint8_t *)reading->at,
                                      length - (size_t)(reading->at - begin));
    if (!g_str_equal(line + strlen("sha256 "), sum))
        return refuse(reading, error,
                      "the certificate is damaged: its checksum does not fit");
    return true;
}

static bool
read_claim(Reading *reading, const char *value, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(claims); i++)
        if (g_str_equal(value, claims[i])) {
            reading->certificate->claim = (CertificateClaim)i;
            return true;
        }
    return refuse(reading, error, "no claim is called `%.40s`", value);
}

static bool
read_field(Reading *reading, const char *line, GError **error)
{
    Certificate *certificate = reading->certificate;

    if (g_str_has_prefix(line, "claim "))
        return read_claim(reading, line + strlen("claim "), error);
    if (g_str_has_prefix(line, "state "))
        certificate->state = g_ascii_strtoull(line + strlen("state "), NULL,
                                              16);
    else if (g_str_has_prefix(line, "rounds "))
        certificate->rounds = (unsigned)g_ascii_strtoull(
            line + strlen("rounds "), NULL, 10);
    else if (g_str_has_prefix(line, "left-out "))
        g_ptr_array_add(certificate->left_out,
                        g_strdup(line + strlen("left-out ")));
    else
        return refuse(reading, error, "`%.40s` is not a line of a certificate",
                      line);
    return true;
}

static bool
read_body(Reading *reading, GError **error)
{
    Certificate *certificate = reading->certificate;
    GArray *moves = NULL;
    char *line;

    while ((line = take_line(reading)) != NULL && !g_str_equal(line, "trace")) {
        LassoMove move;

        if (g_str_equal(line, "stem"))
            moves = certificate->lasso.stem;
        else if (g_str_equal(line, "loop"))
            moves = certificate->lasso.loop;
        else if (moves == NULL) {
            if (!read_field(reading, line, error))
                return false;
        } else if (g_str_has_prefix(line, "  ") &&
                   lasso_parse_move(line + 2, &move))
            g_array_append_val(moves, move);
        else
            return refuse(reading, error, "`%.40s` is no move", line);
    }
    if (line == NULL)
        return refuse(reading, error, "the certificate is cut short");
    certificate->trace_text = g_strdup(reading->at);
    return trace_parse(&certificate->trace, certificate->trace_text,
                       reading->path, error);
}

bool
certificate_read(Certificate *certificate, const char *path, GError **error)
{
    g_autofree char *text = NULL;
    Reading reading = {.certificate = certificate, .path = path};
    size_t length = 0;

    /* A device may go on for ever. */
    if (g_file_test(path, G_FILE_TEST_EXISTS) &&
        !g_file_test(path, G_FILE_TEST_IS_DIR) &&
        !certificate_is_certificate(path))
        return refuse(&reading, error,
                      "not a certificate, and no trace that has one");
    if (!g_file_get_contents(path, &text, &length, error)) {
        g_prefix_error(error, "certificate: ");
        return false;
    }
    reading.at = text;
    return read_head(&reading, length, error) && read_body(&reading, error);
}

bool
certificate_is_certificate(const char *path)
{
    return trace_starts_with(path, MAGIC);
}
