/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "audit/audit_plan.h"

/* Runs that a case gets at a time. */
#define RUNS_LEAST 20u
/* What a run is counted as: most cases have shorter ones. */
#define RUN_STEPS 5000u

/* A case in which an item may show itself. */
typedef struct Chance {
    unsigned item, subject, target;
    uint64_t density; /* how often it is executed in so many steps */
    uint64_t cost;    /* steps of a run */
} Chance;

#define DENSITY_STEPS 1000000u

static uint64_t
density_of(const AuditSubject *subject, const AuditTarget *target)
{
    uint64_t steps = 0;

    for (unsigned i = 0; i < MEMORY_MODELS; i++)
        steps += subject->baseline[i].steps;
    return target->executed * DENSITY_STEPS / MAX(steps, 1);
}

static uint64_t
cost_of(const AuditBaseline *baseline)
{
    return MAX(baseline->steps / MAX(baseline->runs, 1), 1);
}

static bool
could_show(const AuditSubject *subject, const AuditTarget *target,
           MemoryModel model)
{
    return target->executed > 0 && subject->baseline[model].holds != 0;
}

/* By item; where it is executed most often comes first. */
static int
compare_chances(gconstpointer left, gconstpointer right)
{
    const Chance *a = left, *b = right;

    if (a->item != b->item)
        return a->item < b->item ? -1 : 1;
    if (a->density != b->density)
        return a->density > b->density ? -1 : 1;
    return a->subject < b->subject ? -1 : a->subject > b->subject;
}

static GArray *
list_chances(const AuditBook *book, MemoryModel model)
{
    GArray *chances = g_array_new(FALSE, FALSE, sizeof(Chance));

    for (guint i = 0; i < book->subjects->len; i++) {
        const AuditSubject *subject = audit_book_subject(book, i);

        for (guint k = 0; k < subject->targets->len; k++) {
            const AuditTarget *target = audit_subject_target(subject, k);
            Chance chance = {.item = target->item, .subject = i, .target = k,
                             .density = density_of(subject, target),
                             .cost = cost_of(&subject->baseline[model])};

            if (could_show(subject, target, model) &&
                audit_book_is_open(book, target->item, model))
                g_array_append_val(chances, chance);
        }
    }
    g_array_sort(chances, compare_chances);
    return chances;
}

/* What a plan is about: an item, under a model, with all its chances. */
typedef struct Task {
    MemoryModel model;
    const Chance *chances;
    unsigned count;
} Task;

static void
plan_task(AuditBook *book, const Task *task, uint64_t steps)
{
    AuditItem *item = audit_book_item(book, task->chances->item);
    unsigned *turn = &item->turn[task->model];

    for (uint64_t spent = 0; spent < steps; ++*turn) {
        const Chance *chance = &task->chances[*turn % task->count];
        AuditSubject *subject = audit_book_subject(book, chance->subject);

        audit_subject_target(subject, chance->target)->planned[task->model] +=
            RUNS_LEAST;
        spent += RUNS_LEAST * chance->cost;
    }
}

void
audit_plan(AuditBook *book, MemoryModel model, uint64_t runs)
{
    g_autoptr(GArray) chances = list_chances(book, model);
    guint end;

    for (guint i = 0; i < chances->len; i = end) {
        const Chance *first = &g_array_index(chances, Chance, i);

        for (end = i + 1;
             end < chances->len &&
             g_array_index(chances, Chance, end).item == first->item;)
            end++;
        plan_task(book,
                  &(Task){.model = model, .chances = first, .count = end - i},
                  runs * RUN_STEPS);
    }
}

uint64_t
audit_plan_runs(const AuditSubject *subject, MemoryModel model, uint64_t runs)
{
    return MAX(runs * RUN_STEPS / cost_of(&subject->baseline[model]),
               RUNS_LEAST);
}

void
audit_plan_forget(const AuditBook *book)
{
    for (guint i = 0; i < book->subjects->len; i++) {
        const AuditSubject *subject = audit_book_subject(book, i);

        for (guint k = 0; k < subject->targets->len; k++)
            memset(audit_subject_target(subject, k)->planned, 0,
                   sizeof audit_subject_target(subject, k)->planned);
    }
}
