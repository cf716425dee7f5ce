/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/json.h"

struct Json {
    GString *line;
    char closing[JSON_DEPTH_MAX]; /* of what is open, outermost first */
    unsigned depth;
    bool has_member;              /* in what is open innermost */
};

void
json_quote(GString *line, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    g_string_append_c(line, '"');
    for (const char *at = valid; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;

        if (byte == '"' || byte == '\\')
            g_string_append_printf(line, "\\%c", byte);
        else if (byte == '\n')
            g_string_append(line, "\\n");
        else if (byte == '\t')
            g_string_append(line, "\\t");
        else if (byte < 0x20 || byte == 0x7f)
            g_string_append_printf(line, "\\u%04x", byte);
        else
            g_string_append_c(line, (char)byte);
    }
    g_string_append_c(line, '"');
}

static void
begin_member(Json *json, const char *name)
{
    bool in_list = json->closing[json->depth - 1] == ']';

    INVARIANT((name == NULL) == in_list);
    if (json->has_member)
        g_string_append_c(json->line, ',');
    json->has_member = true;
    if (name == NULL)
        return;
    json_quote(json->line, name);
    g_string_append_c(json->line, ':');
}

static void
begin_inner(Json *json, const char *name, const char *brackets)
{
    if (json->depth > 0)
        begin_member(json, name);
    INVARIANT(json->depth < JSON_DEPTH_MAX);
    g_string_append_c(json->line, brackets[0]);
    json->closing[json->depth++] = brackets[1];
    json->has_member = false;
}

Json *
json_new(const char *kind)
{
    Json *json = g_new0(Json, 1);

    json->line = g_string_new(NULL);
    begin_inner(json, NULL, "{}");
    json_text(json, "kind", kind);
    return json;
}

void
json_free(Json *json)
{
    if (json == NULL)
        return;
    g_string_free(json->line, TRUE);
    g_free(json);
}

char *
json_finish(Json *json)
{
    char *line;

    INVARIANT(json->depth == 1);
    g_string_append_c(json->line, '}');
    line = g_string_free(json->line, FALSE);
    g_free(json);
    return line;
}

void
json_text(Json *json, const char *name, const char *value)
{
    begin_member(json, name);
    if (value == NULL)
        g_string_append(json->line, "null");
    else
        json_quote(json->line, value);
}

void
json_u64(Json *json, const char *name, uint64_t value)
{
    begin_member(json, name);
    g_string_append_printf(json->line, "%" PRIu64, value);
}

void
json_i64(Json *json, const char *name, int64_t value)
{
    begin_member(json, name);
    g_string_append_printf(json->line, "%" PRId64, value);
}

void
json_bool(Json *json, const char *name, bool value)
{
    begin_member(json, name);
    g_string_append(json->line, value ? "true" : "false");
}

void
json_digest(Json *json, const char *name, uint64_t value)
{
    begin_member(json, name);
    g_string_append_printf(json->line, "\"%016" PRIx64 "\"", value);
}

void
json_open_object(Json *json, const char *name)
{
    begin_inner(json, name, "{}");
}

void
json_open_list(Json *json, const char *name)
{
    begin_inner(json, name, "[]");
}

void
json_close(Json *json)
{
    INVARIANT(json->depth > 1);
    g_string_append_c(json->line, json->closing[--json->depth]);
    json->has_member = true;
}
