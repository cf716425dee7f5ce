/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <criterion/criterion.h>

#include "watch/inside.h"

static Inside inside;

static void
set_up(void)
{
    inside = (Inside){.one_function = false};
    inside_begin(&inside);
}

TestSuite(inside, .init = set_up);

Test(inside, a_region_that_begins_twice_has_to_end_twice)
{
    inside_move(&inside, 1, 0x1000, true);
    inside_move(&inside, 1, 0x1000, true);
    inside_move(&inside, 1, 0x1000, false);
    cr_expect_eq(inside.depth[1], 1);
    cr_expect_eq(inside.depth[0], 0);
    inside_move(&inside, 1, 0x1000, false);
    inside_move(&inside, 1, 0x1000, false); /* and once too often */
    cr_expect_eq(inside.depth[1], 0);
}

Test(inside, a_core_that_is_interrupted_where_it_begins_begins_once)
{
    inside_move(&inside, 0, 0x1000, true);
    inside_undo(&inside, 0);
    cr_expect_eq(inside.depth[0], 0);
    inside_move(&inside, 0, 0x1000, true);
    inside_move(&inside, 0, 0x1000, false);
    cr_expect_eq(inside.depth[0], 0);
}

Test(inside, a_core_that_is_interrupted_where_it_ends_is_still_inside)
{
    inside_move(&inside, 0, 0x1000, true);
    inside_move(&inside, 0, 0x1000, false);
    inside_undo(&inside, 0);
    cr_expect_eq(inside.depth[0], 1);
    inside_undo(&inside, 0); /* there is nothing more to undo */
    cr_expect_eq(inside.depth[0], 1);
}

Test(inside, within_a_function_the_same_stack_pointer_is_the_same_entry)
{
    inside.one_function = true;
    inside_move(&inside, 0, 0x1000, true);
    inside_move(&inside, 0, 0x1000, true);
    cr_expect_eq(inside.depth[0], 1);
    inside_move(&inside, 0, 0xf00, true); /* it calls itself */
    cr_expect_eq(inside.depth[0], 2);
    inside_move(&inside, 0, 0x1000, false); /* of another entry */
    cr_expect_eq(inside.depth[0], 2);
    inside_move(&inside, 0, 0xf00, false);
    inside_move(&inside, 0, 0x1000, false);
    cr_expect_eq(inside.depth[0], 0);
}
