/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "litmus/litmus_lex.h"

#include "litmus/litmus.h"

bool
litmus_lex_fail_at(const char *path, unsigned line, GError **error,
                   const char *format, ...)
{
    g_autofree char *reason = NULL;
    va_list arguments;

    va_start(arguments, format);
    reason = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, LITMUS_ERROR, LITMUS_ERROR_SYNTAX, "%s:%u: %s", path,
                line, reason);
    return false;
}

/* Blank a comment that begins at *at; false if it has no end. */
static bool
blank_comment(char **at)
{
    unsigned depth = 0;
    char *here = *at;

    do {
        if (*here == '\0')
            return false;
        if (here[0] == '(' && here[1] == '*') {
            depth++;
            *here++ = ' ';
        } else if (here[0] == '*' && here[1] == ')') {
            depth--;
            *here++ = ' ';
        }
        if (*here != '\n')
            *here = ' ';
        here++;
    } while (depth > 0);
    *at = here;
    return true;
}

char *
litmus_lex_strip(const char *text, const char *path, GError **error)
{
    g_autofree char *copy = g_strdup(text);
    bool in_preamble = true, in_quotes = false;
    unsigned line = 1;
    char *at = copy;

    while (*at != '\0') {
        if (*at == '\n') {
            line++;
            in_quotes = false;
        } else if (in_preamble && *at == '"') {
            in_quotes = !in_quotes;
        } else if (in_preamble && *at == '{' && !in_quotes) {
            in_preamble = false;
        } else if (at[0] == '(' && at[1] == '*' && !in_quotes) {
            const char *start = at;

            if (!blank_comment(&at)) {
                litmus_lex_fail_at(path, line, error,
                                   "this comment has no end");
                return NULL;
            }
            for (; start < at; start++)
                line += *start == '\n';
            continue;
        }
        at++;
    }
    return g_steal_pointer(&copy);
}

void
litmus_lex_begin(LitmusLex *lex, const char *text, unsigned line,
                 const char *path)
{
    *lex = (LitmusLex){.path = path, .at = text, .line = line,
                       .next_line = line, .token = LITMUS_TOKEN_BAD};
}

/* Decimal or 0x; -2^63 .. 2^64-1. */
static LitmusToken
read_number(LitmusLex *lex)
{
    char *end;
    unsigned base = 10;
    const char *digits = lex->at;
    guint64 magnitude;

    lex->is_negative = *digits == '-';
    digits += lex->is_negative;
    if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
        base = 16;
        digits += 2;
        if (!g_ascii_isxdigit(*digits))
            return LITMUS_TOKEN_BAD;
    }
    for (end = (char *)digits, magnitude = 0; g_ascii_isxdigit(*end); end++) {
        unsigned digit = (unsigned)g_ascii_xdigit_value(*end);

        if (digit >= base || magnitude > (UINT64_MAX - digit) / base)
            return LITMUS_TOKEN_BAD;
        magnitude = magnitude * base + digit;
    }
    if (g_ascii_isalnum(*end) || *end == '_')
        return LITMUS_TOKEN_BAD;
    if (lex->is_negative && magnitude > UINT64_C(1) << 63)
        return LITMUS_TOKEN_BAD;
    lex->number = lex->is_negative ? -magnitude : magnitude;
    lex->at = end;
    return LITMUS_TOKEN_NUMBER;
}

static LitmusToken
read_name(LitmusLex *lex)
{
    size_t length = 0;

    while (g_ascii_isalnum(lex->at[length]) || lex->at[length] == '_')
        length++;
    if (length >= sizeof(lex->name))
        return LITMUS_TOKEN_BAD;
    memcpy(lex->name, lex->at, length);
    lex->name[length] = '\0';
    lex->at += length;
    return LITMUS_TOKEN_NAME;
}

static LitmusToken
read_sign(LitmusLex *lex)
{
    static const struct {
        const char *text;
        LitmusToken token;
    } table[] = {
        {"/\\", LITMUS_TOKEN_AND},      {"\\/", LITMUS_TOKEN_OR},
        {"=>", LITMUS_TOKEN_IMPLIES},   {"==", LITMUS_TOKEN_EQUAL},
        {"=", LITMUS_TOKEN_EQUAL},      {"!=", LITMUS_TOKEN_NOT_EQUAL},
        {"<>", LITMUS_TOKEN_NOT_EQUAL},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        if (!g_str_has_prefix(lex->at, table[i].text))
            continue;
        lex->at += strlen(table[i].text);
        return table[i].token;
    }
    if (!g_ascii_isgraph(*lex->at))
        return LITMUS_TOKEN_BAD;
    lex->sign = *lex->at++;
    return LITMUS_TOKEN_SIGN;
}

void
litmus_lex_next(LitmusLex *lex)
{
    while (g_ascii_isspace(*lex->at)) {
        lex->next_line += *lex->at == '\n';
        lex->at++;
    }
    lex->line = lex->next_line;
    lex->sign = '\0';
    if (*lex->at == '\0')
        lex->token = LITMUS_TOKEN_END;
    else if (g_ascii_isdigit(*lex->at) ||
             (*lex->at == '-' && g_ascii_isdigit(lex->at[1])))
        lex->token = read_number(lex);
    else if (g_ascii_isalpha(*lex->at) || *lex->at == '_')
        lex->token = read_name(lex);
    else
        lex->token = read_sign(lex);
}

bool
litmus_lex_is(const LitmusLex *lex, char sign)
{
    return lex->token == LITMUS_TOKEN_SIGN && lex->sign == sign;
}

bool
litmus_lex_is_name(const LitmusLex *lex, const char *name)
{
    return lex->token == LITMUS_TOKEN_NAME && strcmp(lex->name, name) == 0;
}

bool
litmus_lex_accept(LitmusLex *lex, char sign)
{
    if (!litmus_lex_is(lex, sign))
        return false;
    litmus_lex_next(lex);
    return true;
}

bool
litmus_lex_expect(LitmusLex *lex, char sign, GError **error)
{
    char what[] = "'?'";

    if (litmus_lex_accept(lex, sign))
        return true;
    what[1] = sign;
    return litmus_lex_fail(lex, error, what);
}

bool
litmus_lex_fail(const LitmusLex *lex, GError **error, const char *what)
{
    g_autofree char *here = NULL;

    switch (lex->token) {
    case LITMUS_TOKEN_END:
        here = g_strdup("the end");
        break;
    case LITMUS_TOKEN_NAME:
        here = g_strdup_printf("'%s'", lex->name);
        break;
    case LITMUS_TOKEN_NUMBER:
        here = g_strdup_printf(lex->is_negative ? "'%" PRId64 "'"
                                                : "'%" PRIu64 "'",
                               lex->number);
        break;
    case LITMUS_TOKEN_SIGN:
        here = g_strdup_printf("'%c'", lex->sign);
        break;
    case LITMUS_TOKEN_AND:
        here = g_strdup("'/\\'");
        break;
    case LITMUS_TOKEN_OR:
        here = g_strdup("'\\/'");
        break;
    case LITMUS_TOKEN_IMPLIES:
        here = g_strdup("'=>'");
        break;
    case LITMUS_TOKEN_EQUAL:
        here = g_strdup("'='");
        break;
    case LITMUS_TOKEN_NOT_EQUAL:
        here = g_strdup("'!='");
        break;
    case LITMUS_TOKEN_BAD:
        return litmus_lex_fail_at(lex->path, lex->line, error,
                                  "expected %s, not a number beyond 64 bits, "
                                  "an endless name or a strange byte", what);
    }
    return litmus_lex_fail_at(lex->path, lex->line, error,
                              "expected %s before %s", what, here);
}
