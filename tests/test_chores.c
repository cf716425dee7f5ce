/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of chores: nobody can tell how many processes there were.
 */
#include "base/base.h"

#include <criterion/criterion.h>
#include <signal.h>

#include "campaign/chores.h"

TestSuite(chores, .timeout = 60);

static bool
square(void *user, unsigned number, GByteArray *answer, GError **error)
{
    const unsigned *bad = user;
    unsigned result = number * number;

    if (bad != NULL && number == *bad) {
        g_set_error(error, CHORES_ERROR, CHORES_ERROR_WORK,
                    "piece %u is too heavy", number);
        return false;
    }
    for (unsigned i = 0; i <= number % 3; i++)
        g_byte_array_append(answer, (const guint8 *)&result, sizeof result);
    return true;
}

Test(chores, answers_come_in_the_order_of_the_pieces)
{
    for (unsigned jobs = 1; jobs <= 5; jobs++) {
        Chores chores = {.count = 40, .jobs = jobs, .work = square};
        g_autoptr(GPtrArray) answers = chores_do(&chores, NULL);

        cr_assert_not_null(answers);
        for (unsigned i = 0; i < 40; i++) {
            const GByteArray *answer = g_ptr_array_index(answers, i);
            unsigned result;

            cr_assert_eq(answer->len, (i % 3 + 1) * sizeof result);
            memcpy(&result, answer->data, sizeof result);
            cr_expect_eq(result, i * i, "%u processes", jobs);
        }
    }
}

Test(chores, a_piece_that_fails_says_why)
{
    for (unsigned jobs = 1; jobs <= 3; jobs++) {
        unsigned bad = 7;
        Chores chores = {.count = 20, .jobs = jobs, .work = square,
                         .user = &bad};
        g_autoptr(GError) error = NULL;

        cr_expect_null(chores_do(&chores, &error));
        cr_assert_not_null(error);
        cr_expect_str_eq(error->message, "piece 7 is too heavy");
    }
}

static bool
die(void *user, unsigned number, GByteArray *answer, GError **error)
{
    (void)user, (void)answer, (void)error;
    if (number == 3)
        raise(SIGKILL);
    return true;
}

Test(chores, a_worker_that_is_killed_is_an_error)
{
    Chores chores = {.count = 8, .jobs = 2, .work = die};
    g_autoptr(GError) error = NULL;

    cr_expect_null(chores_do(&chores, &error));
    cr_assert_not_null(error);
    cr_expect(strstr(error->message, "killed") != NULL);
}

Test(chores, no_pieces_are_no_answers)
{
    Chores chores = {.jobs = 4, .work = square};
    g_autoptr(GPtrArray) answers = chores_do(&chores, NULL);

    cr_assert_not_null(answers);
    cr_expect_eq(answers->len, 0);
}
