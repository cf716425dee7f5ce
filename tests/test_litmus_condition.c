/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <criterion/criterion.h>

#include "litmus/litmus.h"
#include "litmus/litmus_condition.h"

/* Two threads, x y z of 8 bytes, b of one, u of four without sign. */
static Litmus *
ask(const char *question)
{
    g_autofree char *text = g_strdup_printf(
        "X86_64 T\n{x=0; y=0; z=0; int8_t b; uint32_t u; int64_t t[2];}\n"
        "P0|P1;\n%s\n", question);
    GError *error = NULL;
    Litmus *litmus = litmus_parse(text, "t", &error);

    cr_assert_not_null(litmus, "%s", error != NULL ? error->message : "");
    return litmus;
}

static void
is_printed(const char *question, const char *wanted)
{
    g_autoptr(Litmus) litmus = ask(question);
    g_autofree char *text =
        litmus_condition_print(litmus->condition, litmus);

    cr_assert_str_eq(text, wanted);
}

/* Whether the question's proposition holds when its items have these values,
 * in the order of `observed`. */
static bool
holds(const char *question, const int64_t *values)
{
    g_autoptr(Litmus) litmus = ask(question);
    int64_t outcome[8];

    cr_assert_leq(litmus->observed->len, 8);
    for (guint i = 0; i < litmus->observed->len; i++)
        outcome[i] = litmus_item_value(litmus->observed->pdata[i], values[i]);
    return litmus_proposition_holds(litmus->condition->proposition, outcome);
}

#define HOLDS(question, ...) holds(question, (const int64_t[]){__VA_ARGS__})

Test(litmus_condition, is_printed_as_herd_spells_it)
{
    is_printed("exists (0:rax=1 /\\ x=2)", "exists (0:rax=1 /\\ [x]=2)");
    is_printed("~exists 0:%RAX=0x10", "~exists (0:rax=16)");
    is_printed("not exists x=-1", "~exists ([x]=-1)");
    is_printed("forall true", "forall (true)");
    is_printed("exists false", "exists (false)");
    is_printed("(x=1)", "exists ([x]=1)");
    is_printed("final x=1 with tso:~exists;", "exists ([x]=1)");
    is_printed("exists ~(x=1)", "exists (not ([x]=1))");
    is_printed("exists x!=1 \\/ x<>2",
               "exists (not ([x]=1) \\/ not ([x]=2))");
    is_printed("exists P1:eax=x /\\ [y]=[z] /\\ t[1]=t[1]",
               "exists (1:eax=x /\\ [y]=[z] /\\ t[1]=t[1])");
    is_printed("exists (x=1 /\\ (y=1 /\\ z=1)) /\\ (x=2 \\/ y=2)",
               "exists ([x]=1 /\\ [y]=1 /\\ [z]=1 /\\ ([x]=2 \\/ [y]=2))");
    is_printed("exists (x=1 => y=1 /\\ z=1)",
               "exists (([x]=1 => [y]=1) /\\ [z]=1)");
}

Test(litmus_condition, operators_bind_as_in_herd)
{
    const char *mixed = "exists x=1 \\/ y=1 /\\ z=1";
    const char *implied = "exists x=1 => y=1";

    cr_assert(HOLDS(mixed, 1, 0, 0));
    cr_assert(HOLDS(mixed, 0, 1, 1));
    cr_assert_not(HOLDS(mixed, 0, 0, 1));
    cr_assert(HOLDS("exists not x=1 /\\ y=1", 0, 1));
    cr_assert_not(HOLDS("exists not x=1 /\\ y=1", 0, 0));
    cr_assert(HOLDS(implied, 0, 0));
    cr_assert(HOLDS(implied, 1, 1));
    cr_assert_not(HOLDS(implied, 1, 0));
    cr_assert(HOLDS("exists true", 0));
    cr_assert_not(HOLDS("exists false", 0));
}

Test(litmus_condition, a_number_is_meant_in_the_width_of_its_item)
{
    cr_assert(HOLDS("exists 0:eax=-1", INT64_C(0x7ffffffff)));
    cr_assert(HOLDS("exists 0:eax=0xffffffff", -1));
    cr_assert(HOLDS("exists 0:rax=-1", -1));
    cr_assert_not(HOLDS("exists 0:rax=-1", 0xffffffff));
    cr_assert(HOLDS("exists b=-1", 0xff));
    cr_assert(HOLDS("exists b=255", 0xff));
    cr_assert_not(HOLDS("exists b=256", 0));
    cr_assert(HOLDS("exists u=-1", 0xffffffff));
    cr_assert(HOLDS("exists 0:al=1", 0x101));
}

Test(litmus_condition, items_are_compared_with_addresses_and_items)
{
    g_autoptr(Litmus) litmus = ask("exists 0:rax=t[1]");
    int64_t t1 = (int64_t)litmus_location_address(litmus, 5) + 8;

    cr_assert(HOLDS("exists 0:rax=t[1]", t1));
    cr_assert_not(HOLDS("exists 0:rax=t[0]", t1));
    cr_assert(HOLDS("exists 0:rax=1:rbx", 5, 5));
    cr_assert_not(HOLDS("exists [x]=[y]", 5, 6));
}

Test(litmus_condition, items_are_observed_registers_first_and_once)
{
    static const char *const wanted[] = {
        "0:eax", "0:rax", "0:rbx", "0:r8", "0:r10", "1:rax", "b", "x",
    };
    g_autoptr(Litmus) litmus =
        ask("locations [1:rax; x; 0:r10;] filter (b=1)\n"
            "exists (x=1 /\\ 0:rbx=0 /\\ 0:rax=0 /\\ 0:eax=0 /\\ 0:r8=1:rax)");

    cr_assert_eq(litmus->observed->len, G_N_ELEMENTS(wanted));
    for (guint i = 0; i < litmus->observed->len; i++) {
        const LitmusItem *item = litmus->observed->pdata[i];

        cr_assert_str_eq(item->name, wanted[i]);
    }
}

Test(litmus_condition, observing_more_keeps_the_meaning)
{
    uint16_t written[LITMUS_THREADS_MAX] = {1u << 0 | 1u << 3, 0};
    g_autoptr(Litmus) litmus = ask("exists y=3");
    int64_t values[16] = {0};

    litmus_observe_all(litmus, written);
    cr_assert_eq(litmus->observed->len, 2 + 7);
    for (guint i = 0; i < litmus->observed->len; i++) {
        const LitmusItem *item = litmus->observed->pdata[i];

        values[i] = strcmp(item->name, "y") == 0 ? 3 : 0;
    }
    cr_assert(litmus_proposition_holds(litmus->condition->proposition,
                                       values));
}

Test(litmus_condition, quantifiers_judge_a_tally)
{
    g_autoptr(Litmus) some = ask("exists x=1");
    g_autoptr(Litmus) none = ask("~exists x=1");
    g_autoptr(Litmus) all = ask("forall x=1");

    cr_assert(litmus_condition_validated(some->condition, 1, 5));
    cr_assert_not(litmus_condition_validated(some->condition, 0, 5));
    cr_assert(litmus_condition_validated(none->condition, 0, 5));
    cr_assert_not(litmus_condition_validated(none->condition, 1, 5));
    cr_assert(litmus_condition_validated(all->condition, 5, 0));
    cr_assert_not(litmus_condition_validated(all->condition, 5, 1));
}
