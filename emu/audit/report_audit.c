/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "audit/report_audit.h"

#include "report/json.h"
#include "report/report_words.h"

char *
report_audit_verdict(const AuditRow *row)
{
    GString *text = g_string_new(NULL);

    if (row->alone.needed != AUDIT_NEVER)
        g_string_append(text,
                        memmodel_name((MemoryModel)row->alone.needed));
    if (row->both.needed != AUDIT_NEVER)
        g_string_append_printf(text, "%s%s with line %u",
                               text->len > 0 ? "; " : "",
                               memmodel_name((MemoryModel)row->both.needed),
                               row->other->place.line);
    if (text->len == 0)
        g_string_append(text, "never seen");
    return g_string_free(text, FALSE);
}

char *
report_audit_place(const AuditRow *row)
{
    return row->file != NULL
               ? g_strdup_printf("%s:%u", row->file, row->place.line)
               : g_strdup(row->place.name);
}

char *
report_audit_code(const AuditRow *row)
{
    return row->place.kind == WEAKENING_BARRIER
               ? g_strdup(row->place.code)
               : audit_row_mnemonic(&row->place);
}

const AuditWitness *
report_audit_witness(const AuditRow *row)
{
    return row->alone.needed != AUDIT_NEVER ? &row->alone : &row->both;
}

char *
report_audit_shown(const AuditRow *row)
{
    const AuditWitness *witness = report_audit_witness(row);
    g_autofree char *file = NULL;

    if (witness->needed == AUDIT_NEVER)
        return g_strdup_printf("%" PRIu64 " runs of %u case%s, and %" PRIu64
                               " with others taken away as well", row->runs,
                               row->cases, row->cases == 1 ? "" : "s",
                               row->together);
    file = g_path_get_basename(witness->scenario);
    return g_strdup_printf("%s case %u, seed %" PRIu64 ": %s", file,
                           witness->case_number, witness->seed,
                           witness->claim);
}

/* --- Text ----------------------------------------------------------------- */

static void
count_rows(const GPtrArray *rows, unsigned counts[MEMORY_MODELS + 2])
{
    for (guint i = 0; i < rows->len; i++) {
        const AuditRow *row = g_ptr_array_index(rows, i);

        if (row->alone.needed != AUDIT_NEVER)
            counts[row->alone.needed]++;
        else
            counts[MEMORY_MODELS + (row->other == NULL)]++;
    }
}

char *
report_audit_text(const GPtrArray *rows)
{
    GString *out = g_string_new(NULL);
    unsigned counts[MEMORY_MODELS + 2] = {0};

    for (guint i = 0; i < rows->len; i++) {
        const AuditRow *row = g_ptr_array_index(rows, i);
        const char *replay = report_audit_witness(row)->replay;
        g_autofree char *place = report_audit_place(row);
        g_autofree char *needed = report_audit_verdict(row);
        g_autofree char *code = report_audit_code(row);
        g_autofree char *shown = report_audit_shown(row);

        g_string_append_printf(out, "%-16s %-27s %s\n    %s: %s\n", place,
                               row->place.function, code, needed, shown);
        if (replay != NULL)
            g_string_append_printf(out, "    %s\n", replay);
        else
            g_string_append_printf(out, "    --weaken %s\n", row->place.name);
    }
    count_rows(rows, counts);
    g_string_append_printf(out, "\n%u places: needed under", rows->len);
    for (unsigned i = 0; i < MEMORY_MODELS; i++)
        g_string_append_printf(out, " %s %u,", memmodel_name((MemoryModel)i),
                               counts[i]);
    g_string_append_printf(out, " with another %u, never seen needed %u\n",
                           counts[MEMORY_MODELS], counts[MEMORY_MODELS + 1]);
    return g_string_free(out, FALSE);
}

char *
report_audit_markdown(const GPtrArray *rows)
{
    GString *out = g_string_new("| place | function | what | needed under | "
                                "how it is known |\n"
                                "| --- | --- | --- | --- | --- |\n");

    for (guint i = 0; i < rows->len; i++) {
        const AuditRow *row = g_ptr_array_index(rows, i);
        g_autofree char *place = report_audit_place(row);
        g_autofree char *needed = report_audit_verdict(row);
        g_autofree char *code = report_audit_code(row);
        g_autofree char *shown = report_audit_shown(row);
        g_auto(GStrv) parts = g_strsplit(shown, "|", -1);
        g_autofree char *safe = g_strjoinv("\\|", parts);

        g_string_append_printf(out, "| %s | `%s` | %s | %s | %s |\n", place,
                               row->place.function, code, needed, safe);
    }
    return g_string_free(out, FALSE);
}

static const char *
needed_word(const AuditWitness *witness)
{
    return witness->needed != AUDIT_NEVER
               ? memmodel_name((MemoryModel)witness->needed)
               : NULL;
}

char *
report_audit_json(const AuditRow *row)
{
    const AuditWitness *witness = report_audit_witness(row);
    Json *json = json_new("audit");

    json_text(json, "file", row->file);
    json_u64(json, "line", row->place.line);
    json_text(json, "function", row->place.function);
    json_text(json, "place", row->place.name);
    json_text(json, "type", weakening_kind_name(row->place.kind));
    json_text(json, "code", row->place.code);
    json_text(json, "needed", needed_word(&row->alone));
    json_text(json, "with_place",
              row->other != NULL ? row->other->place.name : NULL);
    json_u64(json, "with_line",
             row->other != NULL ? row->other->place.line : 0);
    json_text(json, "needed_with", needed_word(&row->both));
    json_u64(json, "runs", row->runs);
    json_u64(json, "runs_together", row->together);
    json_u64(json, "cases", row->cases);
    if (witness->needed != AUDIT_NEVER) {
        json_text(json, "claim", witness->claim);
        json_text(json, "scenario", witness->scenario);
        json_u64(json, "case_number", witness->case_number);
        json_u64(json, "seed", witness->seed);
        json_text(json, "replay", witness->replay);
        json_text(json, "trace", witness->trace);
    }
    return json_finish(json);
}
