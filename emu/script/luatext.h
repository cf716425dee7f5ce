/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * luatext -- the statements of a scenario file, as places in its text.
 *
 * A scenario is rewritten as text, since its stories exist as text only.  Of
 * all of Lua this knows strings, comments, brackets and blocks: enough to find
 * `WORD argument` where it stands by itself, outside of every function, and
 * where its argument ends.
 *
 *      case "as written"          a statement of `case`, from 0 to 17
 *      possible (stuck)           a statement of `possible`
 *      function f() case "x" end  none: it is inside of a block
 *
 * Text that is not Lua gives fewer statements, never an error: whoever uses
 * them loads the result.  Layer 7; knows no lua.h.
 */
#ifndef EMU_SCRIPT_LUATEXT_H
#define EMU_SCRIPT_LUATEXT_H

#include "base/base.h"

#define LUATEXT_WORD_MAX 16

typedef struct LuaText {
    char word[LUATEXT_WORD_MAX]; /* longer ones are not statements here */
    size_t begin;    /* of the word */
    size_t argument; /* of its argument: a string, a table or parentheses */
    size_t end;      /* after it */
    unsigned line;   /* of the word, from 1 */
    unsigned last;   /* of its end */
} LuaText;

/* All statements of this form, in order: LuaText; the caller unrefs it. */
GArray *luatext_statements(const char *text);

#endif
