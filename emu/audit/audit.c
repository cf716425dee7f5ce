/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "audit/audit.h"

#include "audit/audit_book.h"
#include "audit/audit_plan.h"
#include "audit/audit_sweep.h"
#include "campaign/chores.h"

/* How the runs of an item are spread over rounds, in tenths: what many cases
 * miss is found in the first. */
#define TENTHS 10u
static const unsigned rounds[] = {1, 3, 6};
/* Of a pair so many times fewer runs are made; of all that is left, in one
 * case, so many. */
#define PAIR_PART 2u
#define SWEEP_PART 4u

/* What was missed under a model is looked for under the stronger ones in the
 * same case, in so many times the runs that it took. */
#define SHARPEN_FACTOR 4u
#define SHARPEN_LEAST 500u

typedef struct Audit {
    const AuditOptions *options;
    AuditBook book;
    uint64_t runs;     /* of an item, under each model */
    const char *doing; /* the present chores, for people */
    unsigned chores;   /* how many they are */
} Audit;

/* What a chore answers with, in any number. */
typedef struct Told {
    unsigned subject;
    AuditQuestion question;
    AuditAnswer answer;
} Told;

/* --- Chores --------------------------------------------------------------- */

typedef bool Work(void *user, unsigned number, GByteArray *answer,
                  GError **error);

static GPtrArray *
share_out(Audit *audit, Work *work, unsigned count, GError **error)
{
    Chores chores = {.count = count, .jobs = audit->options->jobs,
                     .work = work, .user = audit};

    audit->chores = count;
    return chores_do(&chores, error);
}

static void
tell_progress(const Audit *audit, unsigned number)
{
    if (audit->options->progress != NULL)
        audit->options->progress(audit->options->user, audit->doing, number,
                                 audit->chores);
}

static bool
look(void *user, unsigned number, GByteArray *answer, GError **error)
{
    Audit *audit = user;
    AuditSubject *subject = audit_book_subject(&audit->book, number);

    tell_progress(audit, number);
    if (!audit_subject_look(subject, error))
        return false;
    g_byte_array_append(answer, (const guint8 *)subject->baseline,
                        sizeof subject->baseline);
    check_close(subject->check);
    for (guint i = 0; i < subject->targets->len; i++)
        g_byte_array_append(
            answer,
            (const guint8 *)&audit_subject_target(subject, i)->executed,
            sizeof(uint64_t));
    return true;
}

static bool
look_at_all(Audit *audit, GError **error)
{
    g_autoptr(GPtrArray) answers = NULL;

    audit->doing = "what holds, and what is executed";
    answers = share_out(audit, look, audit->book.subjects->len, error);
    for (guint i = 0; answers != NULL && i < answers->len; i++) {
        const GByteArray *answer = g_ptr_array_index(answers, i);
        AuditSubject *subject = audit_book_subject(&audit->book, i);
        const guint8 *at = answer->data + sizeof subject->baseline;

        memcpy(subject->baseline, answer->data, sizeof subject->baseline);
        for (guint k = 0; k < subject->targets->len; k++) {
            AuditTarget *target = audit_subject_target(subject, k);

            memcpy(&target->executed, at + k * sizeof(uint64_t),
                   sizeof(uint64_t));
            if (target->executed > 0)
                audit_book_item(&audit->book, target->item)->rows[0]->cases++;
        }
    }
    return answers != NULL;
}

static bool
ask(AuditSubject *subject, Told *told, GByteArray *answer, GError **error)
{
    if (!audit_subject_try(subject, &told->question, &told->answer, error))
        return false;
    g_byte_array_append(answer, (const guint8 *)told, sizeof *told);
    return true;
}

/* Under one model after the other, until it is missed. */
static bool
try_target(Audit *audit, Told *told, GByteArray *answer, GError **error)
{
    AuditSubject *subject = audit_book_subject(&audit->book, told->subject);
    const AuditTarget *target =
        audit_subject_target(subject, told->question.target);

    for (unsigned i = 0; i < MEMORY_MODELS && !told->answer.missed; i++) {
        told->question.model = (MemoryModel)i;
        told->question.runs = target->planned[i];
        if (target->planned[i] > 0 && !ask(subject, told, answer, error))
            return false;
    }
    return true;
}

static bool
try(void *user, unsigned number, GByteArray *answer, GError **error)
{
    Audit *audit = user;
    AuditSubject *subject = audit_book_subject(&audit->book, number);
    bool ok = true;

    tell_progress(audit, number);
    for (guint i = 0; ok && i < subject->targets->len; i++) {
        Told told = {.subject = number, .question = {.target = i}};

        ok = try_target(audit, &told, answer, error);
    }
    check_close(subject->check);
    return ok;
}

/* Under the models that are stronger than the one that it is missed under. */
static bool
sharpen(void *user, unsigned number, GByteArray *answer, GError **error)
{
    Audit *audit = user;
    const AuditItem *item = audit_book_item(&audit->book, number);
    AuditSubject *subject;

    tell_progress(audit, number);
    if (!item->missed || item->sharpened)
        return true;
    subject = audit_book_subject(&audit->book, item->subject);
    for (unsigned model = 0; model < item->model; model++) {
        Told told = {
            .subject = item->subject,
            .question = {.model = (MemoryModel)model,
                         .target = item->question.target,
                         .runs = MAX(SHARPEN_FACTOR * item->answer.runs,
                                     SHARPEN_LEAST)},
        };

        if (audit_book_is_open(&audit->book, number, (MemoryModel)model) &&
            !ask(subject, &told, answer, error))
            return false;
    }
    check_close(subject->check);
    return true;
}

/* What is open under the model, but one of each two that must not both go. */
static void
list_left(const Audit *audit, const AuditSubject *subject, MemoryModel model,
          GArray *left)
{
    g_autoptr(GHashTable) kept = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < audit->book.items->len; i++) {
        const AuditItem *item = audit_book_item(&audit->book, i);

        if (item->rows[1] != NULL && audit_item_is_missed(item, model))
            g_hash_table_add(kept, GUINT_TO_POINTER(item->single[0]));
    }
    for (guint i = 0; i < subject->targets->len; i++) {
        const AuditTarget *target = audit_subject_target(subject, i);
        const AuditItem *item = audit_book_item(&audit->book, target->item);

        if (target->executed > 0 && item->rows[1] == NULL &&
            audit_book_is_open(&audit->book, target->item, model) &&
            !g_hash_table_contains(kept, GUINT_TO_POINTER(target->item)))
            g_array_append_val(left, i);
    }
}

static bool
sweep_under(Audit *audit, unsigned number, MemoryModel model,
            GByteArray *answer, GError **error)
{
    AuditSubject *subject = audit_book_subject(&audit->book, number);
    uint64_t runs =
        audit_plan_runs(subject, model, audit->runs / SWEEP_PART);
    AuditSweep sweep;
    bool ok;

    audit_sweep_init(&sweep);
    list_left(audit, subject, model, sweep.left);
    ok = audit_sweep(&sweep, subject, model, runs, error);
    for (guint i = 0; ok && i < sweep.suspects->len; i++) {
        Told told = {.subject = number,
                     .question = g_array_index(sweep.suspects, AuditQuestion,
                                               i)};

        ok = ask(subject, &told, answer, error);
    }
    for (guint i = 0; ok && i < sweep.left->len; i++) {
        Told told = {
            .subject = number,
            .question = {.model = model,
                         .target = g_array_index(sweep.left, unsigned, i)},
            .answer = {.together = sweep.clean},
        };

        g_byte_array_append(answer, (const guint8 *)&told, sizeof told);
    }
    audit_sweep_clear(&sweep);
    return ok;
}

static bool
sweep(void *user, unsigned number, GByteArray *answer, GError **error)
{
    Audit *audit = user;
    AuditSubject *subject = audit_book_subject(&audit->book, number);
    bool ok = true;

    tell_progress(audit, number);
    for (unsigned model = MEMORY_TSO; ok && model < MEMORY_MODELS; model++)
        ok = subject->baseline[model].holds == 0 ||
             sweep_under(audit, number, (MemoryModel)model, answer, error);
    check_close(subject->check);
    return ok;
}

/* The first that was told counts, in the order of the chores. */
static void
take(Audit *audit, const Told *told)
{
    AuditSubject *subject = audit_book_subject(&audit->book, told->subject);
    MemoryModel model = told->question.model;
    AuditTarget *target =
        audit_subject_target(subject, told->question.target);
    AuditItem *item = audit_book_item(&audit->book, target->item);

    audit_subject_strike(subject, model, told->answer.struck);
    target->tried[model] += told->answer.runs;
    if (item->rows[1] == NULL) {
        item->rows[0]->runs += told->answer.runs;
        item->rows[0]->together += told->answer.together;
    }
    if (!told->answer.missed || audit_item_is_missed(item, model))
        return;
    item->missed = true;
    item->model = model;
    item->subject = told->subject;
    item->question = told->question;
    item->answer = told->answer;
}

static bool
do_all(Audit *audit, Work *work, unsigned count, GError **error)
{
    g_autoptr(GPtrArray) answers = share_out(audit, work, count, error);

    for (guint i = 0; answers != NULL && i < answers->len; i++) {
        const GByteArray *answer = g_ptr_array_index(answers, i);
        Told told;

        for (guint at = 0; at < answer->len; at += sizeof told) {
            memcpy(&told, answer->data + at, sizeof told);
            take(audit, &told);
        }
    }
    return answers != NULL;
}

static bool
sharpen_all(Audit *audit, GError **error)
{
    if (!do_all(audit, sharpen, audit->book.items->len, error))
        return false;
    for (guint i = 0; i < audit->book.items->len; i++) {
        AuditItem *item = audit_book_item(&audit->book, i);

        item->sharpened = item->missed;
    }
    return true;
}

/* Everything that is open, with so many runs of each item and model. */
static bool
search(Audit *audit, uint64_t runs, GError **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(rounds); i++) {
        for (unsigned model = MEMORY_TSO; model < MEMORY_MODELS; model++)
            audit_plan(&audit->book, (MemoryModel)model,
                       runs * rounds[i] / TENTHS);
        if (!do_all(audit, try, audit->book.subjects->len, error))
            return false;
        audit_plan_forget(&audit->book);
    }
    audit_plan(&audit->book, MEMORY_SC, runs);
    if (!do_all(audit, try, audit->book.subjects->len, error))
        return false;
    audit_plan_forget(&audit->book);
    return sharpen_all(audit, error);
}

/* --- What came out -------------------------------------------------------- */

static bool
fill_witness(Audit *audit, const AuditItem *item, AuditWitness *witness,
             GError **error)
{
    AuditSubject *subject = audit_book_subject(&audit->book, item->subject);
    Finding *finding = audit_subject_tell(subject, &item->question,
                                          &item->answer, &witness->claim,
                                          error);

    if (finding == NULL)
        return false;
    witness->needed = (int)item->model;
    witness->scenario = g_strdup(check_scenario(subject->check)->path);
    witness->case_number = subject->item->number;
    witness->seed = item->answer.seed;
    witness->replay = g_steal_pointer(&finding->replay);
    witness->trace = g_steal_pointer(&finding->trace);
    finding_free(finding);
    check_close(subject->check);
    return true;
}

static bool
tell_row(Audit *audit, const AuditItem *item, GError **error)
{
    return !item->missed ||
           fill_witness(audit, item, &item->rows[0]->alone, error);
}

/* The strongest model counts; of several pairs the first. */
static bool
tell_pair(Audit *audit, const AuditItem *item, GError **error)
{
    for (unsigned i = 0; item->missed && i < G_N_ELEMENTS(item->rows); i++) {
        AuditRow *row = item->rows[i];

        if (row->other != NULL && row->both.needed <= (int)item->model)
            continue;
        audit_witness_clear(&row->both);
        row->other = item->rows[1 - i];
        if (!fill_witness(audit, item, &row->both, error))
            return false;
    }
    return true;
}

/* Rows that nobody executes go; the text of a file stays. */
static void
drop_idle_rows(GPtrArray *rows)
{
    for (guint i = rows->len; i > 0; i--) {
        AuditRow *row = g_ptr_array_index(rows, i - 1);

        if (row->cases > 0)
            continue;
        for (guint k = 0; row->text != NULL && k < rows->len; k++) {
            AuditRow *heir = g_ptr_array_index(rows, k);

            if (heir->cases > 0 &&
                g_strcmp0(heir->place.source, row->place.source) == 0)
                heir->text = g_steal_pointer(&row->text);
        }
        g_ptr_array_remove_index(rows, i - 1);
    }
}

static bool
tell_all(Audit *audit, GError **error)
{
    for (guint i = 0; i < audit->book.items->len; i++) {
        const AuditItem *item = audit_book_item(&audit->book, i);

        if (!(item->rows[1] == NULL ? tell_row : tell_pair)(audit, item,
                                                            error))
            return false;
    }
    drop_idle_rows(audit->book.rows);
    audit_rows_sort(audit->book.rows);
    return true;
}

static bool
audit_all(Audit *audit, GError **error)
{
    audit->runs = audit->options->trial.runs != 0
                      ? audit->options->trial.runs
                      : AUDIT_RUNS_DEFAULT;
    if (!look_at_all(audit, error))
        return false;
    audit->doing = "one at a time";
    if (!search(audit, audit->runs, error))
        return false;
    audit_book_add_pairs(&audit->book);
    audit->doing = "in pairs";
    if (!search(audit, audit->runs / PAIR_PART, error))
        return false;
    audit->doing = "all that is left";
    return do_all(audit, sweep, audit->book.subjects->len, error) &&
           sharpen_all(audit, error) && tell_all(audit, error);
}

GPtrArray *
audit_scenarios(char **paths, const AuditOptions *options, GError **error)
{
    Audit audit = {.options = options};
    GPtrArray *rows = NULL;
    bool ok = true;

    audit_book_init(&audit.book, &options->trial);
    for (char **path = paths; ok && *path != NULL; path++)
        ok = audit_book_load(&audit.book, *path, error);
    if (ok && audit_all(&audit, error))
        rows = g_ptr_array_ref(audit.book.rows);
    audit_book_clear(&audit.book);
    return rows;
}
