/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "litmus/litmus_columns.h"

#include "litmus/litmus_cell.h"
#include "litmus/litmus_lex.h"

static void
skip_space(const char **text, unsigned *line)
{
    for (; g_ascii_isspace(**text); (*text)++)
        *line += **text == '\n';
}

static bool
begins_with_word(const char *text, const char *word)
{
    size_t length = strlen(word);

    return strncmp(text, word, length) == 0 &&
           !g_ascii_isalnum(text[length]) && text[length] != '_';
}

/* `not` is an instruction too, unless `exists` follows. */
static bool
is_end(const char *text)
{
    static const char *const words[] = {
        "exists", "forall", "locations", "filter", "final", "observed",
        "with",
    };

    if (*text == '\0' || *text == '~' || *text == '(')
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (begins_with_word(text, words[i]))
            return true;
    return begins_with_word(text, "not") &&
           begins_with_word(text + 3 + strspn(text + 3, " \t\r\n"), "exists");
}

/* The next cell of a row: trimmed, with its line.  *end is '|' or ';'. */
static char *
take_cell(const char **text, unsigned *line, unsigned *cell_line, char *end,
          const char *path, GError **error)
{
    const char *start;
    size_t length;
    char *cell;

    skip_space(text, line);
    start = *text;
    *cell_line = *line;
    length = strcspn(start, "|;");
    *end = start[length];
    if (*end == '\0') {
        litmus_lex_fail_at(path, *line, error, "this row has no ';'");
        return NULL;
    }
    for (size_t i = 0; i < length; i++)
        *line += start[i] == '\n';
    *text = start + length + 1;
    cell = g_strndup(start, length);
    g_strchomp(cell);
    return cell;
}

static bool
parse_heading(const char **text, unsigned *line, Litmus *litmus,
              GError **error)
{
    char end = '|';

    while (end == '|') {
        unsigned cell_line;
        g_autofree char *cell = take_cell(text, line, &cell_line, &end,
                                          litmus->path, error);
        g_autofree char *wanted = g_strdup_printf("P%u", litmus->thread_count);
        size_t length = strlen(wanted);

        if (cell == NULL)
            return false;
        if (litmus->thread_count == LITMUS_THREADS_MAX)
            return litmus_lex_fail_at(litmus->path, cell_line, error,
                                      "more than %u threads",
                                      LITMUS_THREADS_MAX);
        if (strncmp(cell, wanted, length) != 0 ||
            (cell[length] != '\0' && cell[length] != ':'))
            return litmus_lex_fail_at(litmus->path, cell_line, error,
                                      "expected the heading %s of a column",
                                      wanted);
        litmus->thread_count++;
    }
    return true;
}

static bool
parse_row(const char **text, unsigned *line, Litmus *litmus, GError **error)
{
    unsigned count = 0, row_line = *line;
    char end = '|';

    while (end == '|') {
        unsigned cell_line;
        g_autofree char *cell = take_cell(text, line, &cell_line, &end,
                                          litmus->path, error);

        if (cell == NULL)
            return false;
        row_line = cell_line;
        if (count < litmus->thread_count &&
            !litmus_cell_add(litmus, count, cell, cell_line, error))
            return false;
        count++;
    }
    if (count == litmus->thread_count)
        return true;
    return litmus_lex_fail_at(litmus->path, row_line, error,
                              "this row has %u cell%s, but there %s %u "
                              "thread%s", count, count > 1 ? "s" : "",
                              litmus->thread_count > 1 ? "are" : "is",
                              litmus->thread_count,
                              litmus->thread_count > 1 ? "s" : "");
}

/* First every location is known, then every name is looked up. */
static bool
know_names(Litmus *litmus, GError **error)
{
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < litmus->thread_count; i++) {
            const GPtrArray *lines = litmus->threads[i].lines;

            for (guint k = 0; k < lines->len; k++) {
                const LitmusLine *line = lines->pdata[k];

                if (!(pass == 0 ? litmus_cell_declare(litmus, i, line, error)
                                : litmus_cell_check(litmus, i, line, error)))
                    return false;
            }
        }
    }
    return true;
}

bool
litmus_columns_parse(const char **text, unsigned *line, Litmus *litmus,
                     GError **error)
{
    unsigned rows = 0;

    skip_space(text, line);
    if (**text == '\0')
        return litmus_lex_fail_at(litmus->path, *line, error,
                                  "there is no code: P0 | P1 ; ...");
    if (!parse_heading(text, line, litmus, error))
        return false;
    for (skip_space(text, line); !is_end(*text); skip_space(text, line)) {
        if (++rows > LITMUS_ROWS_MAX)
            return litmus_lex_fail_at(litmus->path, *line, error,
                                      "more than %u rows", LITMUS_ROWS_MAX);
        if (!parse_row(text, line, litmus, error))
            return false;
    }
    return know_names(litmus, error);
}
