/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/report_said.h"

static bool
is_stuck(const Verdict *verdict)
{
    return verdict->kind == VERDICT_DEADLOCK ||
           verdict->kind == VERDICT_LIVELOCK ||
           verdict->kind == VERDICT_BUDGET;
}

char *
report_said_verdict(const Finding *finding, const StoryRecord *record)
{
    const Verdict *verdict = &finding->run.verdict;
    const char *name = verdict_name(verdict->kind);
    g_autoptr(GString) who = g_string_new(NULL);

    if (verdict->text[0] != '\0' && verdict->cpu >= 0 &&
        !g_str_has_prefix(verdict->text, "cpu"))
        return g_strdup_printf("%s on cpu%d: %s", name, verdict->cpu,
                               verdict->text);
    if (verdict->text[0] != '\0' && verdict->kind != VERDICT_BUDGET)
        return g_strdup_printf("%s: %s", name, verdict->text);
    for (unsigned i = 0; is_stuck(verdict) && i < record->cpus; i++) {
        const StoryStand *stand = &record->stands[i];

        if (!stand->rests && stand->doing != NULL)
            g_string_append_printf(who, "%s cpu%u %s",
                                   who->len == 0 ? ":" : ";", i, stand->doing);
    }
    if (verdict->kind == VERDICT_DONE && record->breaches->len > 0)
        return g_strdup_printf(
            "%s, but a rule was broken: %s", name,
            g_array_index(record->breaches, StoryEvent, 0).text);
    if (verdict->kind == VERDICT_DONE)
        return g_strdup_printf("%s: every story has ended%s", name,
                               finding->lost ? ", and messages wait for ever"
                                             : "");
    if (verdict->kind == VERDICT_BUDGET)
        return g_strdup_printf("%s: %s%s%s", name, verdict->text,
                               who->len > 0 ? "; " : "",
                               who->len > 0 ? who->str + 2 : "");
    return g_strdup_printf("%s%s", name, who->str);
}

char *
report_said_claim(const Finding *finding)
{
    g_autofree char *claim = claim_print(finding->claim);

    return g_strdup_printf("%s%s  %s", claim,
                           finding->claim->implied ? ", which goes without "
                                                     "saying"
                                                   : "",
                           finding->expected ? "-- this run shows it"
                                             : "-- this run breaks it");
}

char *
report_said_stand(const StoryStand *stand)
{
    GString *text = g_string_new(NULL);

    if (!stand->rests && stand->function != NULL)
        g_string_append_printf(text, "in %s", stand->function);
    if (!stand->rests && stand->file != NULL)
        g_string_append_printf(text, "%s%s:%u", text->len > 0 ? ", " : "at ",
                               stand->file, stand->line);
    if (stand->doing != NULL)
        g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "",
                               stand->doing);
    if (text->len == 0)
        g_string_append(text, stand->rests ? "at rest" : "somewhere");
    return g_string_free(text, FALSE);
}

char *
report_said_waits(const StoryRecord *record)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < record->cpus; i++) {
        const StoryStand *stand = &record->stands[i];

        if (stand->waits_for < 0)
            continue;
        g_string_append_printf(text, "%scpu%u for ",
                               text->len > 0 ? ", " : "", i);
        if (stand->waits_for == (int)i)
            g_string_append(text, "itself");
        else
            g_string_append_printf(text, "cpu%d", stand->waits_for);
    }
    if (text->len > 0)
        return g_string_free(text, FALSE);
    g_string_free(text, TRUE);
    return NULL;
}

char *
report_said_aside(const StoryEvent *event)
{
    GString *text = g_string_new(NULL);

    g_string_printf(text, "step %" PRIu64 ", cpu%u: %s", event->step,
                    event->cpu, event->text);
    if (event->function != NULL)
        g_string_append_printf(text, ", in %s", event->function);
    if (event->file != NULL)
        g_string_append_printf(text, ", %s:%u", event->file, event->line);
    return g_string_free(text, FALSE);
}
