/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/predicate.h"

Predicate *
predicate_new(PredicateKind kind, const char *text)
{
    Predicate *predicate = g_new0(Predicate, 1);

    predicate->kind = kind;
    predicate->cpu = PREDICATE_ANY_CPU;
    predicate->text = g_strdup(text);
    return predicate;
}

/* Lua's `&` binds tighter than `|`, and a method call tighter than both. */
static unsigned
binding_strength(PredicateKind kind)
{
    switch (kind) {
    case PREDICATE_OR:
        return 0;
    case PREDICATE_AND:
        return 1;
    case PREDICATE_AFTER:
        return 2;
    default:
        return 3;
    }
}

static char *
operand_text(const Predicate *operand, PredicateKind within)
{
    if (binding_strength(operand->kind) < binding_strength(within))
        return g_strdup_printf("(%s)", operand->text);
    return g_strdup(operand->text);
}

Predicate *
predicate_join(PredicateKind kind, Predicate *left, Predicate *right)
{
    Predicate *predicate = predicate_new(kind, NULL);
    g_autofree char *left_text = operand_text(left, kind);

    predicate->left = left;
    predicate->right = right;
    if (kind == PREDICATE_AFTER) {
        predicate->text = g_strdup_printf("%s :after (%s)", left_text,
                                          right->text);
    } else {
        g_autofree char *right_text = operand_text(right, kind);

        INVARIANT(kind == PREDICATE_AND || kind == PREDICATE_OR);
        predicate->text =
            g_strdup_printf("%s %s %s", left_text,
                            kind == PREDICATE_AND ? "&" : "|", right_text);
    }
    return predicate;
}

Predicate *
predicate_copy(const Predicate *predicate)
{
    Predicate *copy;

    if (predicate == NULL)
        return NULL;
    copy = g_new(Predicate, 1);
    *copy = *predicate;
    copy->name = g_strdup(predicate->name);
    copy->text = g_strdup(predicate->text);
    copy->point = point_copy(&predicate->point);
    copy->left = predicate_copy(predicate->left);
    copy->right = predicate_copy(predicate->right);
    return copy;
}

void
predicate_free(Predicate *predicate)
{
    if (predicate == NULL)
        return;
    predicate_free(predicate->left);
    predicate_free(predicate->right);
    point_clear(&predicate->point);
    g_free(predicate->name);
    g_free(predicate->text);
    g_free(predicate);
}

bool
predicate_mentions(const Predicate *predicate, PredicateKind kind)
{
    return predicate != NULL &&
           (predicate->kind == kind ||
            predicate_mentions(predicate->left, kind) ||
            predicate_mentions(predicate->right, kind));
}
