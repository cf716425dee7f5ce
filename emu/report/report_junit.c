/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/report_junit.h"

#include "report/report_words.h"

typedef struct Count {
    unsigned tests, failures;
} Count;

static void
attribute(GString *out, const char *name, const char *text)
{
    g_string_append_printf(out, " %s=\"", name);
    report_words_escape(out, text);
    g_string_append_c(out, '"');
}

static void
count_claims(const CaseOutcome *outcome, Count *count)
{
    for (unsigned i = 0; i < outcome->claims->len; i++) {
        count->tests++;
        if (!g_array_index(outcome->claims, ClaimOutcome, i).holds)
            count->failures++;
    }
}

static void
append_count(GString *out, const Count *count)
{
    g_string_append_printf(out, " tests=\"%u\" failures=\"%u\" errors=\"0\"",
                           count->tests, count->failures);
}

static void
append_failure(const ClaimOutcome *claim, const Finding *finding, GString *out)
{
    g_autofree char *how = report_words_how(claim);

    g_string_append(out, "      <failure");
    attribute(out, "message", how);
    attribute(out, "type",
              finding != NULL ? verdict_name(finding->run.verdict.kind)
                              : "claim");
    g_string_append_c(out, '>');
    if (finding != NULL && finding->story != NULL)
        report_words_escape(out, finding->story);
    g_string_append(out, "</failure>\n");
}

static void
append_output(const ClaimOutcome *claim, const Finding *finding, GString *out)
{
    g_autofree char *how = report_words_how(claim);

    g_string_append(out, "      <system-out>");
    report_words_escape(out, how);
    if (claim->has_witness)
        g_string_append_printf(out, "\nseed %" PRIu64, claim->seed);
    if (finding != NULL && finding->replay != NULL) {
        g_string_append(out, "\nreplay: ");
        report_words_escape(out, finding->replay);
    }
    g_string_append(out, "</system-out>\n");
}

static void
append_claim(const CaseOutcome *outcome, const ClaimOutcome *claim,
             GString *out)
{
    const Finding *finding = report_words_finding(outcome, claim->claim);
    g_autofree char *text = claim_print(claim->claim);
    g_autofree char *name =
        g_strdup_printf("%s: %s", outcome->item->title, text);

    g_string_append(out, "    <testcase");
    attribute(out, "classname", outcome->scenario->path);
    attribute(out, "name", name);
    attribute(out, "file", outcome->scenario->path);
    g_string_append_printf(out, " line=\"%u\">\n", claim->claim->line);
    if (!claim->holds)
        append_failure(claim, finding, out);
    append_output(claim, finding, out);
    g_string_append(out, "    </testcase>\n");
}

/* The cases of one scenario, from `first`; returns where the next begins. */
static unsigned
append_suite(const GPtrArray *outcomes, unsigned first, GString *out)
{
    const CaseOutcome *head = g_ptr_array_index(outcomes, first);
    unsigned end = first;
    Count count = {0};

    for (; end < outcomes->len; end++) {
        const CaseOutcome *outcome = g_ptr_array_index(outcomes, end);

        if (outcome->scenario != head->scenario)
            break;
        count_claims(outcome, &count);
    }
    g_string_append(out, "  <testsuite");
    attribute(out, "name", head->scenario->title);
    attribute(out, "file", head->scenario->path);
    append_count(out, &count);
    g_string_append(out, ">\n");
    for (unsigned i = first; i < end; i++) {
        const CaseOutcome *outcome = g_ptr_array_index(outcomes, i);

        for (unsigned j = 0; j < outcome->claims->len; j++)
            append_claim(outcome,
                         &g_array_index(outcome->claims, ClaimOutcome, j), out);
    }
    g_string_append(out, "  </testsuite>\n");
    return end;
}

char *
report_junit(const GPtrArray *outcomes)
{
    GString *out = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    Count count = {0};

    for (unsigned i = 0; i < outcomes->len; i++)
        count_claims(g_ptr_array_index(outcomes, i), &count);
    g_string_append(out, "<testsuites name=\"heddle\"");
    append_count(out, &count);
    g_string_append(out, ">\n");
    for (unsigned i = 0; i < outcomes->len;)
        i = append_suite(outcomes, i, out);
    g_string_append(out, "</testsuites>\n");
    return g_string_free(out, FALSE);
}
