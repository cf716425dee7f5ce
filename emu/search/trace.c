/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "search/trace.h"

#include <stdio.h>

G_DEFINE_QUARK(heddle-trace-error, trace_error)

#define MAGIC "heddle-trace "

void
trace_init(Trace *trace)
{
    *trace = (Trace){0};
    tape_init(&trace->tape);
}

void
trace_clear(Trace *trace)
{
    g_free(trace->scenario);
    g_free(trace->ipiq);
    g_free(trace->weaken);
    g_strfreev(trace->mutants);
    g_free(trace->strategy);
    g_free(trace->memory);
    g_free(trace->verdict);
    tape_clear(&trace->tape);
    *trace = (Trace){0};
}

bool
trace_write(const Trace *trace, const char *path, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *tape = tape_print(&trace->tape);

    g_string_append_printf(text, MAGIC "%d\n", TRACE_VERSION);
    g_string_append_printf(text, "scenario %s\n", trace->scenario);
    g_string_append_printf(text, "case %u\n", trace->case_number);
    if (trace->ipiq != NULL)
        g_string_append_printf(text, "ipiq %s\n", trace->ipiq);
    if (trace->weaken != NULL)
        g_string_append_printf(text, "weaken %s\n", trace->weaken);
    if (trace->mutants != NULL) {
        g_autofree char *names = g_strjoinv(" ", trace->mutants);

        g_string_append_printf(text, "mutant %s\n", names);
    }
    g_string_append_printf(text, "strategy %s\n", trace->strategy);
    g_string_append_printf(text, "memory %s\n", trace->memory);
    g_string_append_printf(text, "seed %" PRIu64 "\n", trace->seed);
    if (trace->steps_max != 0)
        g_string_append_printf(text, "steps %" PRIu64 "\n", trace->steps_max);
    g_string_append_printf(text, "image %016" PRIx64 "\n", trace->image);
    g_string_append_printf(text, "verdict %s\n", trace->verdict);
    g_string_append_printf(text, "digest %016" PRIx64 "\n", trace->digest);
    g_string_append_printf(text, "tape %s\n", tape);
    if (g_file_set_contents(path, text->str, (gssize)text->len, error))
        return true;
    g_prefix_error(error, "trace: ");
    return false;
}

static bool
read_number(const char *value, unsigned base, uint64_t *number)
{
    return g_ascii_string_to_unsigned(value, base, 0, UINT64_MAX, number, NULL);
}

static bool
read_line(Trace *trace, const char *name, const char *value, GError **error)
{
    uint64_t number = 0;

    if (g_str_equal(name, "scenario"))
        trace->scenario = g_strdup(value);
    else if (g_str_equal(name, "ipiq"))
        trace->ipiq = g_strdup(value);
    else if (g_str_equal(name, "weaken"))
        trace->weaken = g_strdup(value);
    else if (g_str_equal(name, "mutant"))
        trace->mutants = g_strsplit(value, " ", -1);
    else if (g_str_equal(name, "strategy"))
        trace->strategy = g_strdup(value);
    else if (g_str_equal(name, "memory"))
        trace->memory = g_strdup(value);
    else if (g_str_equal(name, "verdict"))
        trace->verdict = g_strdup(value);
    else if (g_str_equal(name, "tape"))
        return tape_parse(&trace->tape, value, error);
    else if (g_str_equal(name, "seed") && read_number(value, 10, &number))
        trace->seed = number;
    else if (g_str_equal(name, "steps") && read_number(value, 10, &number))
        trace->steps_max = number;
    else if (g_str_equal(name, "case") && read_number(value, 10, &number) &&
             number <= G_MAXUINT)
        trace->case_number = (unsigned)number;
    else if (g_str_equal(name, "image") && read_number(value, 16, &number))
        trace->image = number;
    else if (g_str_equal(name, "digest") && read_number(value, 16, &number))
        trace->digest = number;
    else {
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT,
                    "`%.40s %.40s` is not a line of a trace", name, value);
        return false;
    }
    return true;
}

/* A line may come once only; `seen` is a set of their names. */
static bool
read_lines(Trace *trace, char **lines, const char *path, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (unsigned i = 1; lines[i] != NULL && *lines[i] != '\0'; i++) {
        char *value = strchr(lines[i], ' ');

        if (value != NULL)
            *value++ = '\0';
        if (!g_hash_table_add(seen, lines[i])) {
            g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT,
                        "%s:%u: a second line `%s`", path, i + 1, lines[i]);
            return false;
        }
        if (!read_line(trace, lines[i], value != NULL ? value : "", error)) {
            g_prefix_error(error, "%s:%u: ", path, i + 1);
            return false;
        }
    }
    return true;
}

bool
trace_read(Trace *trace, const char *path, GError **error)
{
    g_autofree char *text = NULL;

    if (g_file_get_contents(path, &text, NULL, error))
        return trace_parse(trace, text, path, error);
    g_prefix_error(error, "trace: ");
    return false;
}

bool
trace_parse(Trace *trace, const char *text, const char *path, GError **error)
{
    g_autofree char *first = NULL;
    g_auto(GStrv) lines = NULL;

    first = g_strdup_printf(MAGIC "%d", TRACE_VERSION);
    lines = g_strsplit(text, "\n", -1);
    if (lines[0] == NULL || !g_str_equal(lines[0], first)) {
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT,
                    "%s:1: not a trace of version %d: make it anew by "
                    "replaying its seed",
                    path, TRACE_VERSION);
        return false;
    }
    if (!read_lines(trace, lines, path, error))
        return false;
    if (trace->scenario != NULL && trace->strategy != NULL &&
        trace->memory != NULL && trace->verdict != NULL &&
        trace->case_number != 0 && trace->tape.count > 0)
        return true;
    g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT,
                "%s: the trace is cut short", path);
    return false;
}

bool
trace_starts_with(const char *path, const char *magic)
{
    g_autofree char *start = g_malloc0(strlen(magic) + 1);
    FILE *file = fopen(path, "r");
    bool is;

    if (file == NULL)
        return false;
    is = fgets(start, (int)strlen(magic) + 1, file) != NULL &&
         g_str_equal(start, magic);
    fclose(file);
    return is;
}

bool
trace_is_trace(const char *path)
{
    return trace_starts_with(path, MAGIC);
}
