/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "script/luatext.h"

typedef enum TokenKind {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_STRING,
    TOKEN_OTHER, /* one character, or part of a number */
} TokenKind;

typedef struct Lexer {
    const char *text;
    size_t at;       /* after the token */
    TokenKind kind;  /* of the token ... */
    size_t begin;    /* ... and where it begins */
    char other;      /* of OTHER */
    unsigned line;   /* of `begin` */
    unsigned line_at; /* of `at` */
    unsigned blocks, brackets; /* that are open after the token */
} Lexer;

static void
advance(Lexer *lexer, size_t count)
{
    for (; count > 0 && lexer->text[lexer->at] != '\0'; count--)
        lexer->line_at += lexer->text[lexer->at++] == '\n';
}

/* The `[==[` at this place: how many =, or -1 if there is none. */
static int
long_bracket(const char *text)
{
    int level = 0;

    if (text[0] != '[')
        return -1;
    while (text[1 + level] == '=')
        level++;
    return text[1 + level] == '[' ? level : -1;
}

static void
skip_long(Lexer *lexer, int level)
{
    g_autofree char *equals = g_strnfill((gsize)level, '=');
    g_autofree char *closing = g_strconcat("]", equals, "]", NULL);
    const char *from = lexer->text + lexer->at;
    const char *found = strstr(from + 2 + level, closing);

    advance(lexer, found == NULL
                       ? strlen(from)
                       : (size_t)(found - from) + (size_t)level + 2);
}

static void
skip_blanks(Lexer *lexer)
{
    for (;;) {
        const char *here = lexer->text + lexer->at;
        int level;

        if (g_ascii_isspace(*here))
            advance(lexer, 1);
        else if (here[0] != '-' || here[1] != '-')
            return;
        else if ((level = long_bracket(here + 2)) >= 0) {
            advance(lexer, 2);
            skip_long(lexer, level);
        } else
            advance(lexer, strcspn(here, "\n"));
    }
}

static void
skip_string(Lexer *lexer)
{
    char quote = lexer->text[lexer->at];

    advance(lexer, 1);
    while (lexer->text[lexer->at] != '\0' &&
           lexer->text[lexer->at] != quote)
        advance(lexer, lexer->text[lexer->at] == '\\' ? 2 : 1);
    advance(lexer, 1);
}

static bool
token_is(const Lexer *lexer, const char *word)
{
    size_t length = strlen(word);

    return lexer->kind == TOKEN_NAME && lexer->at - lexer->begin == length &&
           strncmp(lexer->text + lexer->begin, word, length) == 0;
}

static void
count_blocks(Lexer *lexer)
{
    static const char *const open[] = {"function", "if", "do", "repeat"};
    static const char *const close[] = {"end", "until"};

    for (unsigned i = 0; i < G_N_ELEMENTS(open); i++)
        lexer->blocks += token_is(lexer, open[i]);
    for (unsigned i = 0; i < G_N_ELEMENTS(close); i++)
        lexer->blocks -= lexer->blocks > 0 && token_is(lexer, close[i]);
    if (lexer->kind != TOKEN_OTHER)
        return;
    lexer->brackets += strchr("({[", lexer->other) != NULL;
    lexer->brackets -=
        lexer->brackets > 0 && strchr(")}]", lexer->other) != NULL;
}

static void
next(Lexer *lexer)
{
    const char *here;

    skip_blanks(lexer);
    here = lexer->text + lexer->at;
    lexer->begin = lexer->at;
    lexer->line = lexer->line_at;
    lexer->other = *here;
    if (*here == '\0')
        lexer->kind = TOKEN_END;
    else if (*here == '"' || *here == '\'') {
        lexer->kind = TOKEN_STRING;
        skip_string(lexer);
    } else if (long_bracket(here) >= 0) {
        lexer->kind = TOKEN_STRING;
        skip_long(lexer, long_bracket(here));
    } else if (g_ascii_isalpha(*here) || *here == '_') {
        lexer->kind = TOKEN_NAME;
        while (g_ascii_isalnum(lexer->text[lexer->at]) ||
               lexer->text[lexer->at] == '_')
            advance(lexer, 1);
    } else {
        lexer->kind = TOKEN_OTHER;
        advance(lexer, 1);
    }
    count_blocks(lexer);
}

/* Can a statement follow on this?  What it says no to are expressions. */
static bool
ends_statement(const Lexer *lexer)
{
    static const char *const inner[] = {"local", "and", "or", "not", "return",
                                        "in"};

    for (unsigned i = 0; i < G_N_ELEMENTS(inner); i++)
        if (token_is(lexer, inner[i]))
            return false;
    return lexer->kind != TOKEN_OTHER ||
           strchr("=,.:+-*/%<>~&|^#", lexer->other) == NULL;
}

/* The argument of the word that was just read, if it has one. */
static bool
read_argument(Lexer *lexer, LuaText *statement)
{
    next(lexer);
    statement->argument = lexer->begin;
    if (lexer->kind == TOKEN_OTHER &&
        (lexer->other == '(' || lexer->other == '{')) {
        while (lexer->kind != TOKEN_END && lexer->brackets > 0)
            next(lexer);
    } else if (lexer->kind != TOKEN_STRING)
        return false;
    statement->end = lexer->at;
    statement->last = lexer->line_at;
    return true;
}

GArray *
luatext_statements(const char *text)
{
    GArray *statements = g_array_new(FALSE, FALSE, sizeof(LuaText));
    Lexer lexer = {.text = text, .line = 1, .line_at = 1};
    bool fresh = true;

    next(&lexer);
    while (lexer.kind != TOKEN_END) {
        size_t length = lexer.at - lexer.begin;
        LuaText statement = {.begin = lexer.begin, .line = lexer.line};
        Lexer ahead = lexer;

        if (fresh && lexer.kind == TOKEN_NAME && lexer.blocks == 0 &&
            lexer.brackets == 0 && length < LUATEXT_WORD_MAX &&
            read_argument(&ahead, &statement)) {
            memcpy(statement.word, text + lexer.begin, length);
            g_array_append_val(statements, statement);
            lexer = ahead;
            fresh = true;
        } else
            fresh = ends_statement(&lexer);
        next(&lexer);
    }
    return statements;
}
