/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/report_tap.h"

#include "report/report_words.h"

void
report_tap_begin(GString *out)
{
    g_string_append(out, "TAP version 14\n");
}

/* A description ends at an unescaped #, and at the end of the line. */
static void
append_description(GString *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '#' || *text == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, g_ascii_iscntrl(*text) ? ' ' : *text);
    }
}

/* A YAML scalar in double quotes, whose escapes are those of JSON. */
static void
append_field(GString *out, const char *name, const char *text)
{
    g_string_append_printf(out, "  %s: \"", name);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            g_string_append_printf(out, "\\%c", *text);
        else if (g_ascii_iscntrl(*text))
            g_string_append_printf(out, "\\x%02x", (unsigned char)*text);
        else
            g_string_append_c(out, *text);
    }
    g_string_append(out, "\"\n");
}

/* The story keeps its lines: a literal block. */
static void
append_story(GString *out, const char *story)
{
    g_auto(GStrv) lines = g_strsplit(story, "\n", -1);

    g_string_append(out, "  story: |2\n");
    for (unsigned i = 0; lines[i] != NULL; i++)
        if (lines[i][0] != '\0')
            g_string_append_printf(out, "    %s\n", lines[i]);
        else if (lines[i + 1] != NULL)
            g_string_append_c(out, '\n');
}

static void
append_failure(const CaseOutcome *outcome, const ClaimOutcome *claim,
               GString *out)
{
    const Finding *finding = report_words_finding(outcome, claim->claim);
    g_autofree char *how = report_words_how(claim);

    g_string_append(out, "  ---\n");
    append_field(out, "message", how);
    append_field(out, "file", outcome->scenario->path);
    g_string_append_printf(out, "  line: %u\n  runs: %" PRIu64 "\n",
                           claim->claim->line, claim->runs);
    if (claim->has_witness)
        g_string_append_printf(out, "  seed: %" PRIu64 "\n", claim->seed);
    if (finding != NULL) {
        append_field(out, "verdict", verdict_name(finding->run.verdict.kind));
        if (finding->replay != NULL)
            append_field(out, "replay", finding->replay);
        if (finding->story != NULL)
            append_story(out, finding->story);
    }
    g_string_append(out, "  ...\n");
}

void
report_tap_case(const CaseOutcome *outcome, unsigned *count, GString *out)
{
    for (unsigned i = 0; i < outcome->claims->len; i++) {
        const ClaimOutcome *claim =
            &g_array_index(outcome->claims, ClaimOutcome, i);
        g_autofree char *text = claim_print(claim->claim);

        ++*count;
        g_string_append_printf(out, "%sok %u - ", claim->holds ? "" : "not ",
                               *count);
        append_description(out, outcome->scenario->title);
        g_string_append(out, ": ");
        append_description(out, outcome->item->title);
        g_string_append(out, ": ");
        append_description(out, text);
        g_string_append_c(out, '\n');
        if (!claim->holds)
            append_failure(outcome, claim, out);
    }
}

void
report_tap_end(unsigned count, GString *out)
{
    g_string_append_printf(out, "1..%u\n", count);
}

void
report_tap_bail_out(const char *why, GString *out)
{
    g_string_append(out, "Bail out! ");
    append_description(out, why);
    g_string_append_c(out, '\n');
}
