/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <criterion/criterion.h>

#include "litmus/litmus.h"
#include "litmus/litmus_report.h"
#include "litmus/litmus_states.h"

static Litmus *
read_test(const char *question)
{
    g_autofree char *text = g_strdup_printf(
        "X86_64 SB\nExpect=tso:Sometimes sc:Never\n"
        "{uint8_t b; uint64_t *p;}\nP0|P1;\n%s\n", question);
    GError *error = NULL;
    Litmus *litmus = litmus_parse(text, "sb.litmus", &error);

    cr_assert_not_null(litmus, "%s", error != NULL ? error->message : "");
    return litmus;
}

static void
add(LitmusStates *states, int64_t first, int64_t second, uint64_t count)
{
    int64_t values[] = {first, second};

    litmus_states_add(states, values, count);
}

static LitmusStates *
three_outcomes(const Litmus *litmus)
{
    LitmusStates *states = litmus_states_new(litmus);

    add(states, 1, 0, 40);
    add(states, 0, 1, 50);
    add(states, 0, 0, 3);
    add(states, 0, 1, 7);
    return states;
}

static void
is_text(const LitmusResult *result, const char *wanted)
{
    g_autofree char *text = litmus_report_text(result);

    cr_assert_str_eq(text, wanted, "%s", text);
}

static void
is_json(const LitmusResult *result, const char *wanted)
{
    g_autofree char *text = litmus_report_json(result);

    cr_assert_str_eq(text, wanted, "%s", text);
}

Test(litmus_report, a_search_is_told_as_herd_tells_it)
{
    g_autoptr(Litmus) litmus = read_test("exists (0:rax=0 /\\ 1:rax=0)");
    g_autoptr(LitmusStates) states = three_outcomes(litmus);
    LitmusResult result = {.litmus = litmus, .states = states, .model = "tso",
                           .is_complete = true, .explored = 57, .runs = 9};

    is_text(&result, "Test SB Allowed\n"
                     "States 3\n"
                     "0:rax=0; 1:rax=0;\n"
                     "0:rax=0; 1:rax=1;\n"
                     "0:rax=1; 1:rax=0;\n"
                     "Ok\n"
                     "Witnesses\n"
                     "Positive: 1 Negative: 2\n"
                     "Condition exists (0:rax=0 /\\ 1:rax=0)\n"
                     "Observation SB Sometimes 1 2\n"
                     "Model tso, complete: 57 states of the machine\n"
                     "Expected Sometimes: as seen\n\n");
    is_json(&result, "{\"kind\":\"litmus\",\"test\":\"SB\",\"file\":"
                     "\"sb.litmus\",\"model\":\"tso\",\"complete\":true,"
                     "\"states\":[{\"0:rax\":0,\"1:rax\":0},"
                     "{\"0:rax\":0,\"1:rax\":1},{\"0:rax\":1,\"1:rax\":0}],"
                     "\"runs\":9,\"observation\":\"Sometimes\","
                     "\"condition\":\"exists (0:rax=0 /\\\\ 1:rax=0)\","
                     "\"validated\":true,\"expected\":\"Sometimes\","
                     "\"agrees\":true}");
}

Test(litmus_report, samples_are_told_as_litmus7_tells_them)
{
    g_autoptr(Litmus) litmus = read_test("~exists (0:rax=0 /\\ 1:rax=0)");
    g_autoptr(LitmusStates) states = three_outcomes(litmus);
    LitmusResult result = {.litmus = litmus, .states = states, .model = "sc",
                           .is_sampled = true, .runs = 100};

    is_text(&result, "Test SB Forbidden\n"
                     "Histogram (3 states)\n"
                     "3     *>0:rax=0; 1:rax=0;\n"
                     "57    :>0:rax=0; 1:rax=1;\n"
                     "40    :>0:rax=1; 1:rax=0;\n"
                     "No\n"
                     "\n"
                     "Witnesses\n"
                     "Positive: 97, Negative: 3\n"
                     "Condition ~exists (0:rax=0 /\\ 1:rax=0) is NOT "
                     "validated\n"
                     "Observation SB Sometimes 3 97\n"
                     "Model sc, sampled: 100 runs\n"
                     "Expected Never: NOT as seen\n\n");
    is_json(&result, "{\"kind\":\"litmus\",\"test\":\"SB\",\"file\":"
                     "\"sb.litmus\",\"model\":\"sc\",\"complete\":false,"
                     "\"states\":[{\"0:rax\":0,\"1:rax\":0},"
                     "{\"0:rax\":0,\"1:rax\":1},{\"0:rax\":1,\"1:rax\":0}],"
                     "\"counts\":[3,57,40],"
                     "\"runs\":100,\"observation\":\"Sometimes\","
                     "\"condition\":\"~exists (0:rax=0 /\\\\ 1:rax=0)\","
                     "\"validated\":false,\"expected\":\"Never\","
                     "\"agrees\":false}");
}

Test(litmus_report, addresses_are_names_and_types_decide_about_signs)
{
    g_autoptr(Litmus) litmus = read_test("locations [b; p;] forall (b=255)");
    g_autoptr(LitmusStates) states = litmus_states_new(litmus);
    LitmusResult result = {.litmus = litmus, .states = states,
                           .model = "weak", .explored = 1, .runs = 1};

    add(states, -1, (int64_t)litmus_location_address(litmus, 0), 1);
    is_text(&result, "Test SB Required\n"
                     "States 1\n"
                     "[b]=255; [p]=b;\n"
                     "Ok\n"
                     "Witnesses\n"
                     "Positive: 1 Negative: 0\n"
                     "Condition forall ([b]=255)\n"
                     "Observation SB Always 1 0\n"
                     "Model weak, INCOMPLETE: 1 state of the machine\n\n");
    is_json(&result, "{\"kind\":\"litmus\",\"test\":\"SB\",\"file\":"
                     "\"sb.litmus\",\"model\":\"weak\",\"complete\":false,"
                     "\"states\":[{\"b\":255,\"p\":\"b\"}],"
                     "\"runs\":1,\"observation\":\"Always\","
                     "\"condition\":\"forall ([b]=255)\","
                     "\"validated\":true}");
}

Test(litmus_report, what_was_not_seen_yet_contradicts_nothing)
{
    g_autoptr(Litmus) litmus = read_test("exists (0:rax=2 /\\ 1:rax=0)");
    g_autoptr(LitmusStates) states = three_outcomes(litmus);
    LitmusResult result = {.litmus = litmus, .states = states, .model = "tso"};

    cr_assert(litmus_report_agrees(&result));
    result.is_complete = true;
    cr_assert_not(litmus_report_agrees(&result));
    result.is_sampled = true;
    cr_assert(litmus_report_agrees(&result));
    result.model = "sc";
    cr_assert(litmus_report_agrees(&result));
}

Test(litmus_report, a_filter_leaves_outcomes_out)
{
    g_autoptr(Litmus) litmus =
        read_test("filter (0:rax=0) exists (1:rax=1)");
    g_autoptr(LitmusStates) states = three_outcomes(litmus);
    LitmusTally tally = litmus_states_tally_runs(states);

    cr_assert_eq(litmus_states_count(states), 2);
    cr_assert_eq(tally.positive, 57);
    cr_assert_eq(tally.negative, 3);
    cr_assert_str_eq(litmus_states_observation(states), "Sometimes");
}

Test(litmus_report, nothing_seen_is_never)
{
    g_autoptr(Litmus) litmus = read_test("exists (0:rax=0 /\\ 1:rax=0)");
    g_autoptr(LitmusStates) states = litmus_states_new(litmus);

    cr_assert_str_eq(litmus_states_observation(states), "Never");
    cr_assert_not(litmus_states_validate(states));
}
