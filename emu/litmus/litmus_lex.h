/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * litmus_lex -- the words of a litmus file, outside of its code.
 *
 * The text must be free of comments: litmus_lex_strip() turns them into
 * blanks and keeps the line breaks, so that lines count as in the file.
 *
 * Layer 9; a value over text that its user keeps.
 */
#ifndef EMU_LITMUS_LITMUS_LEX_H
#define EMU_LITMUS_LITMUS_LEX_H

#include "base/base.h"

typedef enum LitmusToken {
    LITMUS_TOKEN_END,
    LITMUS_TOKEN_NAME,      /* letters, digits and _; `name` holds it */
    LITMUS_TOKEN_NUMBER,    /* `number` holds it, in two's complement */
    LITMUS_TOKEN_SIGN,      /* one character, in `sign` */
    LITMUS_TOKEN_AND,       /* /\ */
    LITMUS_TOKEN_OR,        /* \/ */
    LITMUS_TOKEN_IMPLIES,   /* => */
    LITMUS_TOKEN_EQUAL,     /* = or == */
    LITMUS_TOKEN_NOT_EQUAL, /* != or <> */
    LITMUS_TOKEN_BAD,       /* a number beyond 64 bits, a strange byte */
} LitmusToken;

typedef struct LitmusLex {
    const char *path;
    const char *at;      /* what follows the token */
    unsigned line;       /* of the token, from 1 */
    unsigned next_line;  /* of `at` */
    LitmusToken token;
    char sign;
    char name[64];
    uint64_t number;
    bool is_negative;
} LitmusLex;

/* A copy without (* comments *), which nest; the quoted lines above the first
 * '{' are left alone.  NULL with an error when one has no end. */
char *litmus_lex_strip(const char *text, const char *path, GError **error);

/* Stand before the text; nothing is read yet. */
void litmus_lex_begin(LitmusLex *lex, const char *text, unsigned line,
                      const char *path);

/* Read the next token. */
void litmus_lex_next(LitmusLex *lex);

/* The token is that character, or that name. */
bool litmus_lex_is(const LitmusLex *lex, char sign);
bool litmus_lex_is_name(const LitmusLex *lex, const char *name);

/* Step over that character if it is there. */
bool litmus_lex_accept(LitmusLex *lex, char sign);

/* The same, with an error if it is not there. */
bool litmus_lex_expect(LitmusLex *lex, char sign, GError **error);

/* An error at the token: "path:line: expected WHAT before THIS".  Returns
 * false. */
bool litmus_lex_fail(const LitmusLex *lex, GError **error, const char *what);

/* An error of any kind at a line.  Returns false. */
bool litmus_lex_fail_at(const char *path, unsigned line, GError **error,
                        const char *format, ...) G_GNUC_PRINTF(4, 5);

#endif
