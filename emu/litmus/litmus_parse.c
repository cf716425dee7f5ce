/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "litmus/litmus.h"

#include "litmus/litmus_columns.h"
#include "litmus/litmus_condition.h"
#include "litmus/litmus_init.h"
#include "litmus/litmus_lex.h"
#include "parts/memmodel.h"

static bool
is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if (!g_ascii_isprint(*text))
            return false;
    return true;
}

/* "X86_64 SB" */
static bool
parse_title(Litmus *litmus, const char *title, unsigned line, GError **error)
{
    size_t length = strcspn(title, " \t");
    g_autofree char *arch = g_strndup(title, length);
    g_autofree char *name = g_strstrip(g_strdup(title + length));

    if (!is_printable(title))
        return litmus_lex_fail_at(litmus->path, line, error,
                                  "this is not a litmus test: the first line "
                                  "should be X86_64 NAME");
    if (strcmp(arch, "X86_64") != 0)
        return litmus_lex_fail_at(litmus->path, line, error,
                                  "architecture '%.20s' is not supported, "
                                  "only X86_64 is", arch);
    if (*name == '\0')
        return litmus_lex_fail_at(litmus->path, line, error,
                                  "the test has no name");
    if (strpbrk(name, " \t") != NULL)
        return litmus_lex_fail_at(litmus->path, line, error,
                                  "a name without blanks is expected behind "
                                  "X86_64");
    litmus->name = g_steal_pointer(&name);
    return true;
}

static bool
lookup_model(const char *name, MemoryModel *model)
{
    for (unsigned i = 0; i < MEMORY_MODELS; i++) {
        if (strcmp(memmodel_name((MemoryModel)i), name) != 0)
            continue;
        *model = (MemoryModel)i;
        return true;
    }
    return false;
}

/* One "model:word" of Expect. */
static bool
check_expected(const Litmus *litmus, const char *part, unsigned line,
               MemoryModel *model, GError **error)
{
    const char *colon = strchr(part, ':');
    g_autofree char *name =
        g_strndup(part, colon != NULL ? (size_t)(colon - part) : strlen(part));

    if (colon == NULL)
        return litmus_lex_fail_at(litmus->path, line, error,
                                  "Expect: MODEL:WORD is expected, not '%s'",
                                  part);
    if (!lookup_model(name, model))
        return litmus_lex_fail_at(litmus->path, line, error,
                                  "Expect: there is no memory model '%s'",
                                  name);
    if (strcmp(colon + 1, "Never") != 0 &&
        strcmp(colon + 1, "Sometimes") != 0 && strcmp(colon + 1, "Always") != 0)
        return litmus_lex_fail_at(litmus->path, line, error,
                                  "Expect: Never, Sometimes or Always is "
                                  "expected, not '%s'", colon + 1);
    return true;
}

static bool
check_metadata(const Litmus *litmus, const char *text, unsigned line,
               GError **error)
{
    g_auto(GStrv) parts = NULL;
    bool seen[MEMORY_MODELS] = {false};
    unsigned count = 0;

    if (!g_str_has_prefix(text, "Expect="))
        return true;
    parts = g_strsplit_set(text + strlen("Expect="), " \t", -1);
    for (char **part = parts; *part != NULL; part++) {
        MemoryModel model = MEMORY_SC;

        if (**part == '\0')
            continue;
        if (!check_expected(litmus, *part, line, &model, error))
            return false;
        if (seen[model])
            return litmus_lex_fail_at(litmus->path, line, error,
                                      "Expect: %s is there twice",
                                      memmodel_name(model));
        seen[model] = true;
        count++;
    }
    if (count == 0)
        return litmus_lex_fail_at(litmus->path, line, error,
                                  "Expect: nothing is expected");
    return true;
}

/* A line between the title and '{'. */
static bool
parse_metadata(Litmus *litmus, char *text, unsigned line, GError **error)
{
    size_t key = 0;

    if (text[0] == '"') {
        size_t length = strlen(text);

        if (length < 2 || text[length - 1] != '"')
            return litmus_lex_fail_at(litmus->path, line, error,
                                      "this string has no end");
        g_ptr_array_add(litmus->documents, g_strndup(text + 1, length - 2));
        return true;
    }
    while (g_ascii_isalnum(text[key]) || strchr("_-.", text[key]) != NULL) {
        if (text[key] == '\0')
            break;
        key++;
    }
    if (key == 0 || text[key] != '=')
        return litmus_lex_fail_at(litmus->path, line, error,
                                  "expected \"text\", Key=value or '{'");
    if (g_str_has_prefix(text, "Expect=")) {
        for (guint i = 0; i < litmus->metadata->len; i++)
            if (g_str_has_prefix(litmus->metadata->pdata[i], "Expect="))
                return litmus_lex_fail_at(litmus->path, line, error,
                                          "a second Expect");
    }
    g_ptr_array_add(litmus->metadata, g_strdup(text));
    return check_metadata(litmus, text, line, error);
}

/* All that stands above '{', where *text is afterwards. */
static bool
parse_preamble(Litmus *litmus, const char **text, unsigned *line,
               GError **error)
{
    while (**text != '\0') {
        size_t length;
        g_autofree char *copy = NULL;

        *text += strspn(*text, " \t\r\f\v");
        if (**text == '{' && litmus->name != NULL)
            return true;
        length = strcspn(*text, "\n");
        copy = g_strchomp(g_strndup(*text, length));
        if (*copy != '\0' &&
            !(litmus->name == NULL
                  ? parse_title(litmus, copy, *line, error)
                  : parse_metadata(litmus, copy, *line, error)))
            return false;
        *text += length;
        if (**text == '\n') {
            ++*text;
            ++*line;
        }
    }
    return litmus_lex_fail_at(litmus->path, *line, error,
                              litmus->name == NULL
                                  ? "the file is empty"
                                  : "there are no initial values: { ... }");
}

/* An array as a whole means each of its elements. */
static bool
observe_listed(LitmusLex *lex, Litmus *litmus, GError **error)
{
    LitmusItem item;
    int index = lex->token == LITMUS_TOKEN_NAME
                    ? litmus_lookup_location(litmus, lex->name)
                    : -1;

    if (index >= 0) {
        const LitmusLocation *location = litmus->locations->pdata[index];
        LitmusLex ahead = *lex;

        litmus_lex_next(&ahead);
        if (location->elements > 1 && !litmus_lex_is(&ahead, '[')) {
            for (unsigned i = 0; i < location->elements; i++) {
                litmus_item_of_location(litmus, (unsigned)index, i, &item);
                litmus_observe(litmus, &item);
                g_free(item.name);
            }
            *lex = ahead;
            return true;
        }
    }
    if (!litmus_item_parse(lex, litmus, &item, error))
        return false;
    litmus_observe(litmus, &item);
    g_free(item.name);
    return true;
}

/* Behind `locations`; a type behind an item changes nothing here. */
static bool
parse_locations(LitmusLex *lex, Litmus *litmus, GError **error)
{
    if (!litmus_lex_expect(lex, '[', error))
        return false;
    while (!litmus_lex_is(lex, ']')) {
        if (litmus_lex_accept(lex, ';'))
            continue;
        if (!observe_listed(lex, litmus, error))
            return false;
        if (lex->token == LITMUS_TOKEN_NAME)
            litmus_lex_next(lex);
        while (litmus_lex_accept(lex, '*'))
            continue;
        if (!litmus_lex_is(lex, ';') && !litmus_lex_is(lex, ']'))
            return litmus_lex_fail(lex, error, "';' or ']'");
    }
    return litmus_lex_expect(lex, ']', error);
}

/* exists, ~exists, forall, final, or a lone proposition; false if the token
 * begins none of them. */
static bool
take_quantifier(LitmusLex *lex, LitmusQuantifier *quantifier)
{
    *quantifier = LITMUS_EXISTS;
    if (litmus_lex_is(lex, '('))
        return true;
    if (litmus_lex_is_name(lex, "forall"))
        *quantifier = LITMUS_FORALL;
    else if (litmus_lex_is(lex, '~') || litmus_lex_is_name(lex, "not"))
        *quantifier = LITMUS_NOT_EXISTS;
    else if (!litmus_lex_is_name(lex, "exists") &&
             !litmus_lex_is_name(lex, "final"))
        return false;
    litmus_lex_next(lex);
    if (*quantifier != LITMUS_NOT_EXISTS)
        return true;
    if (!litmus_lex_is_name(lex, "exists"))
        return false;
    litmus_lex_next(lex);
    return true;
}

/* "with tso:exists; sc:~exists": read, and of no meaning here. */
static bool
skip_kinds(LitmusLex *lex, GError **error)
{
    do {
        if (lex->token != LITMUS_TOKEN_NAME)
            return litmus_lex_fail(lex, error, "a name");
        litmus_lex_next(lex);
        if (!litmus_lex_expect(lex, ':', error))
            return false;
        litmus_lex_accept(lex, '~');
        if (!litmus_lex_is_name(lex, "exists") &&
            !litmus_lex_is_name(lex, "forall"))
            return litmus_lex_fail(lex, error, "exists, ~exists or forall");
        litmus_lex_next(lex);
    } while (litmus_lex_accept(lex, ';') && lex->token != LITMUS_TOKEN_END);
    return true;
}

static bool
parse_condition(LitmusLex *lex, Litmus *litmus, GError **error)
{
    LitmusQuantifier quantifier;

    if (lex->token == LITMUS_TOKEN_END) {
        litmus->condition = litmus_condition_true();
        return true;
    }
    if (!take_quantifier(lex, &quantifier))
        return litmus_lex_fail(lex, error, "exists, ~exists or forall");
    litmus->condition = g_new0(LitmusCondition, 1);
    litmus->condition->quantifier = quantifier;
    litmus->condition->proposition =
        litmus_proposition_parse(lex, litmus, error);
    if (litmus->condition->proposition == NULL)
        return false;
    litmus_lex_accept(lex, ';');
    if (!litmus_lex_is_name(lex, "with"))
        return true;
    litmus_lex_next(lex);
    return skip_kinds(lex, error);
}

/* All that stands below the code. */
static bool
parse_questions(LitmusLex *lex, Litmus *litmus, GError **error)
{
    litmus_lex_next(lex);
    if (litmus_lex_is_name(lex, "locations")) {
        litmus_lex_next(lex);
        if (!parse_locations(lex, litmus, error))
            return false;
    }
    if (litmus_lex_is_name(lex, "filter")) {
        litmus_lex_next(lex);
        litmus->filter = litmus_proposition_parse(lex, litmus, error);
        if (litmus->filter == NULL)
            return false;
    }
    if (!parse_condition(lex, litmus, error))
        return false;
    if (lex->token != LITMUS_TOKEN_END)
        return litmus_lex_fail(lex, error, "the end of the file");
    litmus_condition_bind(litmus->condition, litmus);
    litmus_proposition_bind(litmus->filter, litmus);
    return true;
}

Litmus *
litmus_parse(const char *text, const char *path, GError **error)
{
    g_autoptr(Litmus) litmus = litmus_new(path);
    g_autofree char *stripped = NULL;
    unsigned line = 1, threads_named, threads_line;
    const char *at;
    LitmusLex lex;

    if (strlen(text) > LITMUS_FILE_BYTES_MAX) {
        litmus_lex_fail_at(path, 1, error, "larger than %u bytes",
                           LITMUS_FILE_BYTES_MAX);
        return NULL;
    }
    stripped = litmus_lex_strip(text, path, error);
    at = stripped;
    if (stripped == NULL || !parse_preamble(litmus, &at, &line, error))
        return NULL;
    litmus_lex_begin(&lex, at, line, path);
    litmus_lex_next(&lex);
    if (!litmus_init_parse(&lex, litmus, &threads_named, &threads_line, error))
        return NULL;
    at = lex.at;
    line = lex.next_line;
    if (!litmus_columns_parse(&at, &line, litmus, error))
        return NULL;
    if (threads_named > litmus->thread_count) {
        litmus_lex_fail_at(path, threads_line, error,
                           "there is no thread %u", threads_named - 1);
        return NULL;
    }
    litmus_lex_begin(&lex, at, line, path);
    if (!parse_questions(&lex, litmus, error))
        return NULL;
    return g_steal_pointer(&litmus);
}
