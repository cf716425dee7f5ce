/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "audit/audit_book.h"

AuditSubject *
audit_book_subject(const AuditBook *book, unsigned number)
{
    return g_ptr_array_index(book->subjects, number);
}

AuditItem *
audit_book_item(const AuditBook *book, unsigned number)
{
    return &g_array_index(book->items, AuditItem, number);
}

void
audit_book_init(AuditBook *book, const TrialOptions *trial)
{
    *book = (AuditBook){
        .trial = *trial,
        .checks = g_ptr_array_new_with_free_func((GDestroyNotify)check_free),
        .subjects = g_ptr_array_new_with_free_func(
            (GDestroyNotify)audit_subject_free),
        .rows = audit_rows_new(),
        .items = g_array_new(FALSE, TRUE, sizeof(AuditItem)),
        .numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                         NULL),
    };
    book->trial.memory = NULL;
    book->trial.weaken = NULL;
}

void
audit_book_clear(AuditBook *book)
{
    g_ptr_array_unref(book->subjects);
    g_ptr_array_unref(book->checks);
    g_ptr_array_unref(book->rows);
    g_array_unref(book->items);
    g_hash_table_unref(book->numbers);
}

/* The number of the item with this key, or what it will be; then *known is
 * false. */
static unsigned
number_of(AuditBook *book, const char *key, bool *known)
{
    unsigned number =
        GPOINTER_TO_UINT(g_hash_table_lookup(book->numbers, key));

    *known = number != 0;
    if (*known)
        return number - 1;
    g_hash_table_insert(book->numbers, g_strdup(key),
                        GUINT_TO_POINTER(book->items->len + 1));
    return book->items->len;
}

/* --- Loading -------------------------------------------------------------- */

static bool
has_only_remedies(const Stage *stage, const ScenarioCase *item)
{
    guint own = item->mutants->len - item->added_mutants;

    for (guint i = 0; i < own; i++)
        if (!system_is_remedy(stage->system,
                              g_ptr_array_index(item->mutants, i)))
            return false;
    return true;
}

static bool
claims_something(const ScenarioCase *item)
{
    for (guint i = 0; i < item->claims->len; i++) {
        const Claim *claim = g_ptr_array_index(item->claims, i);

        if (claim->quantifier == CLAIM_NEVER ||
            claim->quantifier == CLAIM_CERTAIN)
            return true;
    }
    return false;
}

/* Each file is shown once, as it is without mutants if anybody has it so. */
static void
read_text(AuditBook *book, AuditRow *row, const Stage *stage, bool mutated)
{
    AuditItem *holder = NULL;

    if (row->place.source == NULL)
        return;
    for (guint i = 0; i < book->items->len && holder == NULL; i++) {
        AuditItem *item = audit_book_item(book, i);

        if (item->rows[0]->text != NULL &&
            g_strcmp0(item->rows[0]->place.source, row->place.source) == 0)
            holder = item;
    }
    if (holder == NULL)
        holder = &g_array_index(book->items, AuditItem, book->items->len - 1);
    else if (!holder->mutated || mutated)
        return;
    audit_row_read(holder->rows[0], stage->image);
    holder->mutated = mutated;
}

static unsigned
row_of(AuditBook *book, const Stage *stage, Weakening *found, bool mutated)
{
    g_autofree char *key = audit_row_key(found);
    AuditItem item = {0};
    bool known;
    unsigned number = number_of(book, key, &known);

    if (!known) {
        item.rows[0] = audit_row_new(g_steal_pointer(&key), found);
        g_ptr_array_add(book->rows, item.rows[0]);
        g_array_append_val(book->items, item);
    }
    read_text(book, audit_book_item(book, number)->rows[0], stage, mutated);
    return number;
}

static void
add_subject(AuditBook *book, Check *check, const ScenarioCase *item,
            const Stage *stage)
{
    AuditSubject *subject = audit_subject_new(check, item, &book->trial);
    g_autoptr(GArray) list = weakening_list(stage->image);
    bool mutated = item->mutants->len > 0;

    g_ptr_array_add(book->subjects, subject);
    for (guint i = 0; i < list->len; i++) {
        Weakening *found = &g_array_index(list, Weakening, i);
        Weakening kept = {.address = found->address,
                          .name = g_strdup(found->name)};

        weakening_locate(found, stage->image);
        audit_subject_add(subject, &kept,
                          row_of(book, stage, found, mutated));
        weakening_clear(&kept);
    }
}

/* The machines are made anew where they are needed. */
bool
audit_book_load(AuditBook *book, const char *path, GError **error)
{
    Check *check = check_new(path, &book->trial, error);
    const Scenario *scenario;

    if (check == NULL)
        return false;
    g_ptr_array_add(book->checks, check);
    scenario = check_scenario(check);
    for (guint i = 0; i < scenario->cases->len; i++) {
        const ScenarioCase *item = g_ptr_array_index(scenario->cases, i);
        const Stage *stage;

        if (scenario->code != NULL || item->has_schedule ||
            !claims_something(item))
            continue;
        stage = check_stage(check, item, error);
        if (stage == NULL)
            return false;
        if (has_only_remedies(stage, item))
            add_subject(book, check, item, stage);
    }
    check_close(check);
    return true;
}

/* --- Pairs ---------------------------------------------------------------- */

static bool
are_a_pair(const AuditItem *one, const AuditItem *other)
{
    const Weakening *a = &one->rows[0]->place, *b = &other->rows[0]->place;

    return one != other && g_strcmp0(a->source, b->source) == 0 &&
           g_strcmp0(a->function, b->function) == 0;
}

static unsigned
pair_of(AuditBook *book, unsigned one, unsigned other)
{
    unsigned first = MIN(one, other), second = MAX(one, other);
    g_autofree char *key = g_strdup_printf("%u %u", first, second);
    bool known;
    unsigned number = number_of(book, key, &known);
    AuditItem item = {
        .rows = {audit_book_item(book, first)->rows[0],
                 audit_book_item(book, second)->rows[0]},
        .single = {first, second},
    };

    if (!known)
        g_array_append_val(book->items, item);
    return number;
}

static void
add_pairs(AuditBook *book, AuditSubject *subject)
{
    guint count = subject->targets->len;

    for (guint i = 0; i < count; i++)
        for (guint k = i + 1; k < count; k++) {
            const AuditTarget *a = audit_subject_target(subject, i);
            const AuditTarget *b = audit_subject_target(subject, k);

            if (a->executed > 0 && b->executed > 0 &&
                are_a_pair(audit_book_item(book, a->item),
                           audit_book_item(book, b->item)))
                audit_subject_pair(subject, i, k,
                                   pair_of(book, a->item, b->item));
        }
}

void
audit_book_add_pairs(AuditBook *book)
{
    for (guint i = 0; i < book->subjects->len; i++)
        add_pairs(book, audit_book_subject(book, i));
}

/* --- What is open --------------------------------------------------------- */

/* Fences order nothing under SC, and barriers are notes of the models that
 * can tell. */
static bool
can_matter(MemoryModel model, WeakeningKind kind)
{
    return kind == WEAKENING_LOCK ||
           (kind == WEAKENING_FENCE && model != MEMORY_SC) ||
           (kind == WEAKENING_BARRIER && model >= MEMORY_PSO);
}

bool
audit_item_is_missed(const AuditItem *item, MemoryModel model)
{
    return item->missed && item->model <= model;
}

/* All that happens under SC happens under TSO, which is tried before. */
bool
audit_book_is_open(const AuditBook *book, unsigned number, MemoryModel model)
{
    const AuditItem *item = audit_book_item(book, number);

    if (audit_item_is_missed(item, model) ||
        (model == MEMORY_SC && !item->missed))
        return false;
    if (item->rows[1] == NULL)
        return can_matter(model, item->rows[0]->place.kind);
    for (unsigned i = 0; i < G_N_ELEMENTS(item->rows); i++)
        if (!can_matter(model, item->rows[i]->place.kind) ||
            audit_item_is_missed(audit_book_item(book, item->single[i]),
                                 model))
            return false;
    return true;
}
