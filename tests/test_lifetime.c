/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects of a stack that are gone: who may touch what of them.
 */
#include "base/base.h"

#include <criterion/criterion.h>

#include "watch/lifetime.h"

TestSuite(lifetime);

#define STACK UINT64_C(0xffffffff80100000)
#define PHYSICAL UINT64_C(0x100000)
#define OBJECT 0x730u

/* An object of cpu0's stack that is dead, and cpu0 at STACK + rsp. */
static bool
touches_dead(uint64_t rsp, uint64_t at, uint64_t about)
{
    g_autofree Stacks *stacks = g_new0(Stacks, 1);
    g_autofree Lifetime *lifetime = g_new0(Lifetime, 1);
    LifetimeAccess access = {
        .cpu = 1, .physical = PHYSICAL + at, .size = 8, .about = about};

    stacks->of[0].rsp = STACK + rsp;
    lifetime->stacks = stacks;
    lifetime->object_count = 1;
    lifetime->objects[0] = (LifetimeObject){
        .address = STACK + OBJECT,
        .physical = PHYSICAL + OBJECT,
        .stack = {STACK, STACK + 0x1000},
        .messages = 1,
        .dead = true,
    };
    return lifetime_touches_dead(lifetime, &access);
}

Test(lifetime, what_is_below_the_stack_pointer_is_not_to_be_touched)
{
    cr_expect(touches_dead(0x760, OBJECT, 0));
    cr_expect(touches_dead(0x760, OBJECT + 0x18, 0));
    cr_expect_not(touches_dead(0x760, OBJECT + 0x20, 0), "not of the object");
    cr_expect_not(touches_dead(0x700, OBJECT, 0), "another frame's by now");
}

Test(lifetime, what_another_frame_has_put_over_half_of_it_is_that_frames)
{
    cr_expect(touches_dead(0x740, OBJECT, 0));
    cr_expect_not(touches_dead(0x740, OBJECT + 0x18, 0));
}

Test(lifetime, a_callback_may_not_touch_its_object_whatever_lies_there)
{
    cr_expect(touches_dead(0x700, OBJECT + 0x18, STACK + OBJECT));
}
