/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "audit/audit_row.h"

char *
audit_row_mnemonic(const Weakening *place)
{
    const char *end = strchr(place->code, ' ');

    if (place->kind == WEAKENING_BARRIER)
        return g_strdup("barrier");
    if (end != NULL && g_str_has_prefix(place->code, "lock "))
        end = strchr(end + 1, ' ');
    return end != NULL
               ? g_strndup(place->code, (gsize)(end - place->code))
               : g_strdup(place->code);
}

static char *
file_of(const Weakening *place)
{
    return place->source != NULL ? g_path_get_basename(place->source) : NULL;
}

char *
audit_row_key(const Weakening *place)
{
    g_autofree char *what = audit_row_mnemonic(place);
    g_autofree char *file = file_of(place);

    return file != NULL
               ? g_strdup_printf("%s:%06u %s %s", file, place->line,
                                 place->function, what)
               : g_strdup_printf("%s %s", place->name, what);
}

AuditRow *
audit_row_new(char *key, Weakening *place)
{
    AuditRow *row = g_new0(AuditRow, 1);

    row->key = key;
    row->place = *place;
    *place = (Weakening){0};
    row->file = file_of(&row->place);
    row->alone.needed = row->both.needed = AUDIT_NEVER;
    return row;
}

void
audit_witness_clear(AuditWitness *witness)
{
    g_free(witness->claim);
    g_free(witness->scenario);
    g_free(witness->replay);
    g_free(witness->trace);
    *witness = (AuditWitness){.needed = AUDIT_NEVER};
}

void
audit_row_free(AuditRow *row)
{
    g_free(row->key);
    weakening_clear(&row->place);
    g_free(row->file);
    g_free(row->text);
    audit_witness_clear(&row->alone);
    audit_witness_clear(&row->both);
    g_free(row);
}

void
audit_row_read(AuditRow *row, const Image *image)
{
    const char *file = row->place.source;
    GString *text;
    const char *line;

    if (file == NULL)
        return;
    text = g_string_new(NULL);
    for (unsigned i = 1; (line = image_source_line(image, file, i)) != NULL;
         i++)
        g_string_append_printf(text, "%s\n", line);
    g_free(row->text);
    row->text = g_string_free(text, FALSE);
}

GPtrArray *
audit_rows_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)audit_row_free);
}

static int
compare(gconstpointer left, gconstpointer right)
{
    const AuditRow *a = *(const AuditRow *const *)left;
    const AuditRow *b = *(const AuditRow *const *)right;

    return strcmp(a->key, b->key);
}

void
audit_rows_sort(GPtrArray *rows)
{
    g_ptr_array_sort(rows, compare);
}
