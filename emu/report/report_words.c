/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/report_words.h"

void
report_words_paint(GString *out, ReportColor color, const char *text)
{
    static const char *const codes[] = {
        [REPORT_BOLD] = "1",
        [REPORT_RED] = "1;31",
        [REPORT_GREEN] = "32",
        [REPORT_DIM] = "2",
    };

    if (color == REPORT_PLAIN)
        g_string_append(out, text);
    else
        g_string_append_printf(out, "\033[%sm%s\033[0m", codes[color], text);
}

unsigned
report_words_width(const char *text)
{
    return (unsigned)g_utf8_strlen(text, -1);
}

void
report_words_cut(GString *out, const char *text, unsigned width)
{
    const char *end;

    if (report_words_width(text) <= width) {
        g_string_append(out, text);
        return;
    }
    end = g_utf8_offset_to_pointer(text, (long)MAX(width, 3) - 3);
    while (end > text && end[-1] == ' ')
        end--;
    g_string_append_len(out, text, end - text);
    g_string_append(out, "...");
}

void
report_words_wrap(GString *out, const char *text, unsigned indent,
                  unsigned width)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_auto(GStrv) words = NULL;
    unsigned column = indent;

    for (char *at = valid; *at != '\0'; at++)
        if (g_ascii_iscntrl(*at))
            *at = ' ';
    words = g_strsplit(valid, " ", -1);
    for (unsigned i = 0; words[i] != NULL; i++) {
        unsigned length = report_words_width(words[i]);

        if (column > indent && column + 1 + length > width) {
            g_string_append_printf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (i > 0) {
            g_string_append_c(out, ' ');
            column++;
        }
        g_string_append(out, words[i]);
        column += length;
    }
    g_string_append_c(out, '\n');
}

void
report_words_pad(GString *out, unsigned column)
{
    const char *start = strrchr(out->str, '\n');
    unsigned width = report_words_width(start != NULL ? start + 1 : out->str);

    for (; width < column; width++)
        g_string_append_c(out, ' ');
}

static char *
how_it_holds(const ClaimOutcome *outcome, const char *runs)
{
    if (outcome->how == HOW_REACHED && outcome->has_witness)
        return g_strdup_printf("reached, seed %" PRIu64, outcome->seed);
    return g_strdup_printf("%s, %s", outcome_how_name(outcome->how), runs);
}

char *
report_words_how(const ClaimOutcome *outcome)
{
    g_autofree char *runs =
        g_strdup_printf("%" PRIu64 " run%s", outcome->runs,
                        outcome->runs == 1 ? "" : "s");

    if (outcome->holds)
        return how_it_holds(outcome, runs);
    switch (outcome->claim->quantifier) {
    case CLAIM_POSSIBLE:
    case CLAIM_REACH:
        return g_strdup_printf("%s %s",
                               outcome->how == HOW_EXHAUSTIVE
                                   ? "impossible: in none of all"
                                   : "not found in",
                               runs);
    case CLAIM_NEVER:
        return g_strdup_printf("it happens, seed %" PRIu64, outcome->seed);
    case CLAIM_CERTAIN:
        return outcome->has_witness
                   ? g_strdup_printf("not so, seed %" PRIu64, outcome->seed)
                   : g_strdup("not so");
    }
    BUG("quantifier %d", (int)outcome->claim->quantifier);
}

void
report_words_escape(GString *out, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autofree char *escaped = NULL;

    for (char *at = valid; *at != '\0'; at++)
        if (g_ascii_iscntrl(*at) && *at != '\n' && *at != '\t')
            *at = '?';
    escaped = g_markup_escape_text(valid, -1);
    g_string_append(out, escaped);
}

char *
report_words_shell(const char *path)
{
    bool plain = strspn(path,
                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789_-+./") == strlen(path);

    return plain ? g_strdup(path) : g_shell_quote(path);
}

const Finding *
report_words_finding(const CaseOutcome *outcome, const Claim *claim)
{
    for (unsigned i = 0; i < outcome->findings->len; i++) {
        const Finding *finding = g_ptr_array_index(outcome->findings, i);

        if (finding->claim == claim)
            return finding;
    }
    return NULL;
}
