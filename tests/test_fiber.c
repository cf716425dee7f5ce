/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <criterion/criterion.h>

#include "parts/fiber.h"

typedef struct Walker {
    Fiber *fiber;
    unsigned step, deep;
    double sum;
} Walker;

static unsigned
descend(Walker *walker, unsigned depth)
{
    volatile char pad[1000];

    pad[0] = (char)depth;
    if (depth == 0) {
        fiber_leave(walker->fiber);
        return 0;
    }
    return descend(walker, depth - 1) + (unsigned)(pad[0] != 0);
}

static void
walk(void *user)
{
    Walker *walker = user;

    for (;;) {
        walker->step++;
        walker->sum += 0.5;
        fiber_leave(walker->fiber);
        walker->deep = descend(walker, 100);
    }
}

Test(fiber, it_goes_on_where_it_left_and_keeps_its_frames)
{
    Walker walker = {.step = 0};

    walker.fiber = fiber_new(walk, &walker);
    for (unsigned i = 0; i < 1000; i++) {
        fiber_enter(walker.fiber);
        cr_expect_eq(walker.step, i / 2 + 1);
    }
    cr_expect_eq(walker.deep, 100);
    cr_expect_eq(walker.sum, 250.0);
    fiber_free(walker.fiber);
}

Test(fiber, many_take_turns_in_any_order)
{
    Walker walkers[64];

    for (unsigned i = 0; i < 64; i++) {
        walkers[i] = (Walker){.step = 0};
        walkers[i].fiber = fiber_new(walk, &walkers[i]);
    }
    for (unsigned i = 0; i < 6400; i++)
        fiber_enter(walkers[i * 37 % 64].fiber);
    for (unsigned i = 0; i < 64; i++) {
        cr_expect_eq(walkers[i].step, 50);
        fiber_free(walkers[i].fiber);
    }
}

Test(fiber, one_that_never_ran_and_none_are_freed)
{
    Walker walker = {.step = 0};

    fiber_free(fiber_new(walk, &walker));
    fiber_free(NULL);
}
