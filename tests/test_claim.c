/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/claim.h"

#include <criterion/criterion.h>

static void
expect_text(const Predicate *predicate, const char *text)
{
    cr_assert_str_eq(predicate->text, text);
}

Test(claim, a_combination_takes_both_sides_and_says_so)
{
    Predicate *left = predicate_new(PREDICATE_STUCK, "stuck");
    Predicate *right = predicate_new(PREDICATE_PANIC, "panic");
    Predicate *both = predicate_join(PREDICATE_AND, left, right);

    expect_text(both, "stuck & panic");
    cr_assert_eq(both->left, left);
    cr_assert_eq(both->right, right);
    predicate_free(both);
}

Test(claim, parentheses_stand_where_lua_needs_them)
{
    Predicate *either = predicate_join(PREDICATE_OR,
                                       predicate_new(PREDICATE_STUCK, "a"),
                                       predicate_new(PREDICATE_STUCK, "b"));
    Predicate *both = predicate_join(PREDICATE_AND, either,
                                     predicate_new(PREDICATE_STUCK, "c"));
    Predicate *all = predicate_join(PREDICATE_OR,
                                    predicate_new(PREDICATE_STUCK, "d"), both);
    Predicate *late = predicate_join(PREDICATE_AFTER,
                                     predicate_new(PREDICATE_STUCK, "e"), all);

    expect_text(both, "(a | b) & c");
    expect_text(all, "d | (a | b) & c");
    expect_text(late, "e :after (d | (a | b) & c)");
    predicate_free(late);
}

Test(claim, a_copy_shares_nothing)
{
    Predicate *original = predicate_join(
        PREDICATE_AFTER, predicate_new(PREDICATE_POINT, "enter(f)"),
        predicate_new(PREDICATE_MARK, "marked \"x\""));
    Predicate *copy;

    original->left->point.function = g_strdup("f");
    original->left->point.quote = g_strdup("q");
    original->right->name = g_strdup("x");
    copy = predicate_copy(original);
    cr_assert_neq(copy->left, original->left);
    cr_assert_neq(copy->left->point.function, original->left->point.function);
    predicate_free(original);
    cr_assert_str_eq(copy->left->point.function, "f");
    cr_assert_str_eq(copy->left->point.quote, "q");
    cr_assert_str_eq(copy->right->name, "x");
    cr_assert_null(predicate_copy(NULL));
    predicate_free(copy);
}

Test(claim, a_mention_is_found_anywhere_in_the_tree)
{
    Predicate *tree = predicate_join(
        PREDICATE_OR, predicate_new(PREDICATE_STUCK, "stuck"),
        predicate_join(PREDICATE_AND, predicate_new(PREDICATE_FAULT, "fault"),
                       predicate_new(PREDICATE_PANIC, "panic")));

    cr_assert(predicate_mentions(tree, PREDICATE_PANIC));
    cr_assert(predicate_mentions(tree, PREDICATE_AND));
    cr_assert_not(predicate_mentions(tree, PREDICATE_BUDGET));
    cr_assert_not(predicate_mentions(NULL, PREDICATE_BUDGET));
    predicate_free(tree);
}

Test(claim, a_new_predicate_is_about_any_cpu)
{
    Predicate *predicate = predicate_new(PREDICATE_BREACH, "breach \"r\"");

    cr_assert_eq(predicate->cpu, PREDICATE_ANY_CPU);
    predicate_free(predicate);
    predicate_free(NULL);
    claim_free(NULL);
}

Test(claim, a_claim_prints_as_it_is_written)
{
    static const char *const words[] = {"possible", "never", "certain",
                                        "reach"};

    for (int i = CLAIM_POSSIBLE; i <= CLAIM_REACH; i++) {
        Claim *claim =
            claim_new((Quantifier)i, predicate_new(PREDICATE_STUCK, "stuck"),
                      (unsigned)i + 7);
        g_autofree char *text = claim_print(claim);
        g_autofree char *expected = g_strdup_printf("%s (stuck)", words[i]);

        cr_assert_str_eq(text, expected);
        cr_assert_eq(claim->line, (unsigned)i + 7);
        cr_assert_not(claim->implied);
        claim_free(claim);
    }
}
