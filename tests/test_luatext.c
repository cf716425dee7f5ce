/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Statements of a scenario file, found in its text.
 */
#include "base/base.h"

#include <criterion/criterion.h>

#include "script/luatext.h"

/* "word(argument) ..." of all that is found. */
static char *
found(const char *text)
{
    g_autoptr(GArray) list = luatext_statements(text);
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < list->len; i++) {
        const LuaText *one = &g_array_index(list, LuaText, i);

        cr_expect_leq(one->line, one->last);
        cr_expect_eq(strncmp(text + one->begin, one->word,
                             strlen(one->word)), 0);
        g_string_append_printf(out, "%s[%.*s]", one->word,
                               (int)(one->end - one->argument),
                               text + one->argument);
    }
    return g_string_free(out, FALSE);
}

Test(luatext, statements_stand_outside_of_functions)
{
    static const struct {
        const char *text, *found;
    } rows[] = {
        {"case \"a\" never (stuck)", "case[\"a\"]never[(stuck)]"},
        {"case 'a'\nreach{x,\n{y}}", "case['a']reach[{x,\n{y}}]"},
        {"-- case \"a\"\n--[[ case 'b'\n]] case [==[c]]]==]",
         "case[[==[c]]]==]]"},
        {"function f() case \"a\" end never (x)", "never[(x)]"},
        {"for i = 1, 2 do case \"a\" end if x then never(y) end", ""},
        {"while x do never(y) end repeat never(z) until a never(b)",
         "never[(b)]"},
        {"local never = reach (x)", ""},
        {"x = never (y)", ""},
        {"a.never (y)", ""},
        {"case \"a \\\" never (x)\" never (\")\")",
         "case[\"a \\\" never (x)\"]never[(\")\")]"},
        {"certain (function() return n[0] == 1 end)",
         "certain[(function() return n[0] == 1 end)]"},
        {"case \"unfinished", "case[\"unfinished]"},
        {"never ((", "never[((]"},
        {"case [==[", "case[[==[]"},
        {"end end ) } case \"a\"", "case[\"a\"]"},
        {"", ""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = found(rows[i].text);

        cr_expect_str_eq(text, rows[i].found, "%s: %s", rows[i].text, text);
    }
}

Test(luatext, lines_are_counted)
{
    g_autoptr(GArray) list =
        luatext_statements("--[[\n\n]]\ncase \"a\"\nnever {\n x,\n}\n");

    cr_assert_eq(list->len, 2);
    cr_expect_eq(g_array_index(list, LuaText, 0).line, 4);
    cr_expect_eq(g_array_index(list, LuaText, 1).line, 5);
    cr_expect_eq(g_array_index(list, LuaText, 1).last, 7);
}
