/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "audit/audit_sweep.h"

/* A part of what broke a claim is given so many times the runs that it took. */
#define NARROW_FACTOR 4u
#define NARROW_LEAST 200u

void
audit_sweep_init(AuditSweep *sweep)
{
    *sweep = (AuditSweep){
        .left = g_array_new(FALSE, FALSE, sizeof(unsigned)),
        .suspects = g_array_new(FALSE, FALSE, sizeof(AuditQuestion)),
    };
}

void
audit_sweep_clear(AuditSweep *sweep)
{
    g_array_unref(sweep->left);
    g_array_unref(sweep->suspects);
}

/* Some targets of a case, under a model. */
typedef struct Group {
    AuditSubject *subject;
    MemoryModel model;
    GArray *targets; /* unsigned */
    uint64_t runs;   /* to be made without them */
} Group;

/* If the targets [from, to) are missed, the group is these. */
static bool
narrow(Group *group, guint from, guint to, bool *missed, GError **error)
{
    g_autoptr(GArray) part = g_array_new(FALSE, FALSE, sizeof(unsigned));
    AuditAnswer answer;

    g_array_append_vals(part, &g_array_index(group->targets, unsigned, from),
                        to - from);
    if (!audit_subject_try_all(group->subject, group->model, part, group->runs,
                               &answer, error))
        return false;
    *missed = answer.missed;
    if (answer.missed) {
        g_array_set_size(group->targets, 0);
        g_array_append_vals(group->targets, part->data, part->len);
    }
    return true;
}

/* Halve it as long as one half does. */
static bool
halve(Group *group, GError **error)
{
    bool missed = true;

    while (missed && group->targets->len > 1) {
        guint count = group->targets->len, half = count / 2;

        if (!narrow(group, 0, half, &missed, error) ||
            (!missed && !narrow(group, half, count, &missed, error)))
            return false;
    }
    return true;
}

/* Leave out one after the other as long as the others do. */
static bool
thin_out(Group *group, GError **error)
{
    for (guint i = 0; group->targets->len > 1 && i < group->targets->len;) {
        unsigned target = g_array_index(group->targets, unsigned, i);
        bool missed;

        g_array_remove_index(group->targets, i);
        if (!narrow(group, 0, group->targets->len, &missed, error))
            return false;
        if (!missed)
            g_array_insert_val(group->targets, i++, target);
    }
    return true;
}

/* The target that is just this group: the one, or the pair of the two.  Both
 * the group and a pair have theirs in order. */
static bool
find_target(const Group *group, unsigned *number)
{
    const unsigned *of = (const unsigned *)(void *)group->targets->data;

    *number = of[0];
    if (group->targets->len == 1)
        return true;
    for (guint i = 0;
         group->targets->len == 2 && i < group->subject->targets->len; i++) {
        const AuditTarget *pair = audit_subject_target(group->subject, i);

        *number = i;
        if (pair->is_pair && pair->single[0] == of[0] &&
            pair->single[1] == of[1])
            return true;
    }
    return false;
}

static void
give_back(GArray *left, unsigned target)
{
    for (guint i = left->len; i-- > 0;)
        if (g_array_index(left, unsigned, i) == target)
            g_array_remove_index(left, i);
}

bool
audit_sweep(AuditSweep *sweep, AuditSubject *subject, MemoryModel model,
            uint64_t runs, GError **error)
{
    sweep->clean = 0;
    while (sweep->left->len > 0) {
        g_autoptr(GArray) targets =
            g_array_new(FALSE, FALSE, sizeof(unsigned));
        Group group = {.subject = subject, .model = model, .targets = targets};
        AuditAnswer answer;
        unsigned target;

        if (!audit_subject_try_all(subject, model, sweep->left, runs, &answer,
                                   error))
            return false;
        if (!answer.missed) {
            sweep->clean = answer.runs;
            return true;
        }
        g_array_append_vals(targets, sweep->left->data, sweep->left->len);
        group.runs = MAX(NARROW_FACTOR * answer.runs, NARROW_LEAST);
        if (!halve(&group, error) || !thin_out(&group, error))
            return false;
        if (find_target(&group, &target)) {
            AuditQuestion question = {
                .model = model, .target = target, .runs = group.runs};

            g_array_append_val(sweep->suspects, question);
        }
        give_back(sweep->left, g_array_index(targets, unsigned, 0));
    }
    return true;
}
