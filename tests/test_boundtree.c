/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tree of schedules is walked once, whatever happens on the way.
 */
#include "base/base.h"

#include <criterion/criterion.h>

#include "choose/boundtree.h"

/* A run of `length` steps, at each of which one may deviate, with preemptions
 * and stores in turn.  Appends what was taken to the log. */
static void
walk(BoundTree *tree, unsigned length, GPtrArray *log)
{
    GString *taken = g_string_new(NULL);

    boundtree_begin_run(tree);
    for (unsigned i = 0; i < length; i++) {
        BoundKind kind = i % 2 == 0 ? BOUND_PREEMPTIONS : BOUND_STORES;
        BoundKind costs[] = {BOUND_FREE, kind};
        unsigned count = boundtree_left(tree, kind) > 0 ? 2 : 1;

        g_string_append_printf(taken, "%u",
                               boundtree_branch(tree, costs, count, 0));
    }
    g_ptr_array_add(log, g_string_free(taken, FALSE));
}

static GPtrArray *
walk_all(BoundTree *tree, unsigned length)
{
    GPtrArray *log = g_ptr_array_new_with_free_func(g_free);

    do
        walk(tree, length, log);
    while (boundtree_end_run(tree, false) && log->len < 100000);
    return log;
}

static BoundProgress
progress_of(const BoundTree *tree)
{
    BoundProgress progress;

    boundtree_progress(tree, &progress);
    return progress;
}

/* How many different ones there are, and how many ones each has at most. */
static unsigned
different(const GPtrArray *log, unsigned *most)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    *most = 0;
    for (guint i = 0; i < log->len; i++) {
        const char *taken = g_ptr_array_index(log, i);
        unsigned ones = 0;

        for (const char *at = taken; *at != '\0'; at++)
            ones += *at == '1';
        *most = MAX(*most, ones);
        g_hash_table_add(seen, (gpointer)taken);
    }
    return g_hash_table_size(seen);
}

Test(boundtree, it_walks_every_schedule_within_the_bounds)
{
    g_autoptr(BoundTree) tree = boundtree_new(&(Bounds){{2, 1, 0}});
    g_autoptr(GPtrArray) log = walk_all(tree, 8);
    unsigned most;

    /* Of 4 places for preemptions up to 2, of 4 for stores up to 1. */
    cr_expect_eq(different(log, &most), (1 + 4 + 6) * (1 + 4));
    cr_expect_eq(most, 3);
    cr_expect(progress_of(tree).complete);
}

Test(boundtree, fewer_deviations_come_first)
{
    g_autoptr(BoundTree) tree = boundtree_new(&(Bounds){{2, 1, 0}});
    g_autoptr(GPtrArray) log = walk_all(tree, 6);
    unsigned most = 0;

    for (guint i = 0; i < log->len; i++) {
        const char *taken = g_ptr_array_index(log, i);
        unsigned ones = 0;

        for (const char *at = taken; *at != '\0'; at++)
            ones += *at == '1';
        cr_expect_leq(ones, most + 1);
        most = MAX(most, ones);
    }
    cr_expect_str_eq(g_ptr_array_index(log, 0), "000000");
}

Test(boundtree, no_pass_is_made_that_could_find_nothing)
{
    g_autoptr(BoundTree) tree = boundtree_new(&(Bounds){{7, 3, 3}});
    g_autoptr(GPtrArray) log = walk_all(tree, 1);

    /* One place for a deviation: 0, then 0 and 1. */
    cr_expect_eq(log->len, 3);
    cr_expect(progress_of(tree).complete);
}

Test(boundtree, printed_and_parsed_at_any_moment_it_goes_on)
{
    g_autoptr(BoundTree) whole = boundtree_new(&(Bounds){{2, 2, 1}});
    g_autoptr(GPtrArray) all = walk_all(whole, 7);

    for (guint stop = 1; stop < all->len; stop += 7) {
        g_autoptr(BoundTree) first = boundtree_new(&(Bounds){{2, 2, 1}});
        g_autoptr(BoundTree) second = boundtree_new(&(Bounds){{2, 2, 1}});
        g_autoptr(GPtrArray) log = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GPtrArray) rest = NULL;
        g_autofree char *text = NULL;

        for (guint i = 0; i < stop; i++) {
            walk(first, 7, log);
            boundtree_end_run(first, false);
        }
        text = boundtree_print(first);
        cr_assert(boundtree_parse(second, text, NULL));
        rest = walk_all(second, 7);
        cr_assert_eq(rest->len, all->len - stop, "stopped after %u", stop);
        for (guint i = 0; i < rest->len; i++)
            cr_expect_str_eq(g_ptr_array_index(rest, i),
                             g_ptr_array_index(all, stop + i));
        cr_expect_eq(progress_of(second).runs, progress_of(whole).runs);
    }
}

Test(boundtree, a_damaged_text_or_one_of_other_bounds_is_refused)
{
    g_autoptr(BoundTree) tree = boundtree_new(&(Bounds){{1, 1, 1}});
    g_autoptr(BoundTree) other = boundtree_new(&(Bounds){{1, 1, 2}});
    g_autoptr(GPtrArray) log = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = NULL;

    for (unsigned i = 0; i < 9; i++) {
        walk(tree, 9, log);
        boundtree_end_run(tree, false);
    }
    text = boundtree_print(tree);
    cr_expect_not(boundtree_parse(other, text, NULL));
    for (size_t i = 0; text[i] != '\0'; i++) {
        g_autoptr(GError) error = NULL;
        char kept = text[i];

        text[i] = 'x';
        cr_expect_not(boundtree_parse(tree, text, &error), "%s", text);
        cr_expect_not_null(error);
        text[i] = kept;
    }
    cr_expect(boundtree_parse(tree, text, NULL));
}

Test(boundtree, the_parts_of_shards_are_the_whole)
{
    g_autoptr(BoundTree) whole = boundtree_new(&(Bounds){{2, 1, 0}});
    g_autoptr(GPtrArray) all = walk_all(whole, 8);
    g_autoptr(GPtrArray) parts = g_ptr_array_new();
    GPtrArray *part[3];
    unsigned most;

    for (unsigned shard = 0; shard < 3; shard++) {
        g_autoptr(BoundTree) tree = boundtree_new(&(Bounds){{2, 1, 0}});

        boundtree_take_shard(tree, shard, 3);
        part[shard] = walk_all(tree, 8);
        cr_expect_lt(part[shard]->len, all->len * 2 / 3);
        for (guint i = 0; i < part[shard]->len; i++)
            g_ptr_array_add(parts, g_ptr_array_index(part[shard], i));
    }
    cr_expect_eq(different(parts, &most), different(all, &most));
    for (unsigned shard = 0; shard < 3; shard++)
        g_ptr_array_unref(part[shard]);
}

Test(boundtree, the_guess_is_within_a_factor_of_two_half_way)
{
    g_autoptr(BoundTree) tree = boundtree_new(&(Bounds){{3, 0, 0}});
    g_autoptr(BoundTree) again = boundtree_new(&(Bounds){{3, 0, 0}});
    g_autoptr(GPtrArray) all = walk_all(tree, 60);
    g_autoptr(GPtrArray) half = g_ptr_array_new_with_free_func(g_free);
    uint64_t whole = progress_of(tree).done, guess;

    cr_assert_eq(progress_of(tree).expected, whole);
    while (half->len < all->len - whole / 2) {
        walk(again, 60, half);
        cr_assert(boundtree_end_run(again, false));
    }
    guess = progress_of(again).expected;
    cr_expect(guess > whole / 2 && guess < whole * 2,
              "guessed %" PRIu64 ", and it was %" PRIu64, guess, whole);
}

Test(boundtree, a_state_seen_with_as_much_left_cuts_and_with_less_does_not)
{
    g_autoptr(BoundTree) tree = boundtree_new(&(Bounds){{1, 0, 0}});
    BoundKind costs[] = {BOUND_FREE, BOUND_PREEMPTIONS};

    /* Pass 0 has one run, since nothing may deviate. */
    boundtree_begin_run(tree);
    cr_expect_eq(boundtree_left(tree, BOUND_PREEMPTIONS), 0);
    cr_expect(boundtree_end_run(tree, false));
    /* The default meets state 7 with a preemption left... */
    boundtree_begin_run(tree);
    cr_expect_eq(boundtree_branch(tree, costs, 2, 5), 0);
    cr_expect_eq(boundtree_visit(tree, 7), BOUND_NEW);
    cr_expect_eq(boundtree_branch(tree, costs, 1, 7), 0);
    cr_expect_eq(boundtree_visit(tree, 7), BOUND_ROUND);
    cr_expect(boundtree_end_run(tree, false));
    /* ... and so the other, which has none left there, is cut. */
    boundtree_begin_run(tree);
    cr_expect_eq(boundtree_branch(tree, costs, 2, 5), 1);
    cr_expect_eq(boundtree_visit(tree, 9), BOUND_NEW);
    cr_expect_eq(boundtree_visit(tree, 7), BOUND_SEEN);
    cr_expect_not(boundtree_end_run(tree, true));
    cr_expect(progress_of(tree).complete);

    boundtree_restart(tree);
    boundtree_begin_run(tree);
    cr_expect_eq(boundtree_left(tree, BOUND_PREEMPTIONS), 0);
    cr_expect(boundtree_end_run(tree, false));
    boundtree_begin_run(tree);
    cr_expect_eq(boundtree_branch(tree, costs, 2, 5), 0);
    cr_expect(boundtree_end_run(tree, false));
    boundtree_begin_run(tree);
    cr_expect_eq(boundtree_branch(tree, costs, 2, 5), 1);
    cr_expect_eq(boundtree_visit(tree, 7), BOUND_NEW);
    boundtree_end_run(tree, false);
}
