/* SPDX-License-Identifier: BSD-2-Clause */
#include "storylog_rig.h"

#include "report/callstack.h"
#include "report/storylog_value.h"

TestSuite(storylog, .timeout = 60);

/* Boot the flood on a guest with this mutant; where it cannot be built (no
 * compiler, say) the test is skipped. */
static void
begin_flood(Flood *flood, const char *mutant)
{
    g_autofree char *path = NULL;

    *flood = (Flood){0};
    if (!flood_build(mutant, &path))
        cr_skip_test("the guest cannot be built here");
    flood_boot(flood, path);
    flood_remove(path);
}

static const StoryEvent *
lookup_event(const StoryRecord *record, StoryEventKind kind, const char *text)
{
    for (uint64_t i = 0; i < storyrecord_kept(record); i++) {
        const StoryEvent *event = storyrecord_event(record, i);

        if (event->kind == kind && g_str_has_prefix(event->text, text))
            return event;
    }
    return NULL;
}

Test(storylog, two_cpus_that_flood_each_other_are_told_step_by_step)
{
    const StoryEvent *wait, *process, *message;
    const StoryRecord *record;
    RunResult result;
    Flood flood;

    begin_flood(&flood, NULL);
    flood_run(&flood, 12, 20000, &result);
    cr_assert_eq((int)result.verdict.kind, (int)VERDICT_DONE);
    record = storylog_record(flood.log);
    cr_assert_not_null(lookup_event(record, STORY_EVENT_TOLD, "crit_enter()"));
    cr_assert_not_null(lookup_event(record, STORY_EVENT_TOLD,
                                    "lwkt_send_ipiq3(gd(1), nop, 0, 0)"));
    wait = lookup_event(record, STORY_EVENT_WAIT, "waits for room to cpu");
    process = lookup_event(record, STORY_EVENT_CALL, "lwkt_process_ipiq()");
    message = lookup_event(record, STORY_EVENT_MESSAGE, "nop()");
    cr_assert(wait != NULL && process != NULL && message != NULL);
    cr_assert_eq(wait->depth, 1);
    cr_assert_eq(message->depth, process->depth + 1);
    cr_assert_str_eq(wait->file, "ipiq.c");
    cr_assert_not_null(lookup_event(record, STORY_EVENT_SENT, "sends Xipiq"));
    cr_assert_not_null(lookup_event(record, STORY_EVENT_INTERRUPT,
                                    "interrupt Xipiq"));
    cr_assert_str_eq(record->stands[0].doing, "idle, its story has ended");
    cr_assert(record->switches > 0);
    flood_clear(&flood);
}

Test(storylog, events_are_in_order_and_depth_returns_to_zero)
{
    const StoryRecord *record;
    uint64_t before = 0;
    RunResult result;
    Flood flood;

    begin_flood(&flood, NULL);
    flood_run(&flood, 3, 20000, &result);
    record = storylog_record(flood.log);
    for (uint64_t i = 0; i < storyrecord_kept(record); i++) {
        const StoryEvent *event = storyrecord_event(record, i);

        cr_assert(event->step >= before);
        cr_assert(event->step <= result.steps);
        cr_assert(event->depth < 10);
        if (event->kind == STORY_EVENT_TOLD)
            cr_assert_eq(event->depth, 0);
        cr_assert_null(strstr(event->text, "ffff"), "%s", event->text);
        before = event->step;
    }
    flood_clear(&flood);
}

Test(storylog, cpus_that_wait_for_each_other_say_so)
{
    const StoryRecord *record;
    RunResult result;
    Flood flood;

    begin_flood(&flood, "no_drain");
    flood_run(&flood, 7, 6000, &result);
    cr_assert_eq((int)result.verdict.kind, (int)VERDICT_BUDGET);
    record = storylog_record(flood.log);
    for (unsigned i = 0; i < 2; i++) {
        const StoryStand *stand = &record->stands[i];

        cr_assert_not(stand->rests);
        cr_assert_eq(stand->waits_for, (int)(1 - i));
        cr_assert_str_eq(stand->function, "lwkt_send_ipiq3");
        cr_assert_str_eq(stand->doing, i == 0 ? "waits for room to cpu1"
                                              : "waits for room to cpu0");
        /* The source is where the image finds it, or nowhere. */
        if (stand->quote != NULL)
            cr_assert(g_str_has_prefix(stand->quote, "while"));
    }
    flood_clear(&flood);
}

Test(storylog, observation_changes_nothing)
{
    uint64_t digests[2], counts[2];

    for (unsigned i = 0; i < 2; i++) {
        RunResult result;
        Flood flood;

        begin_flood(&flood, NULL);
        flood.unobserved = i == 1;
        flood_run(&flood, 5, 20000, &result);
        digests[i] = machine_digest(flood.machine);
        counts[i] = storylog_record(flood.log)->count;
        flood_clear(&flood);
    }
    cr_assert_eq(digests[0], digests[1]);
    cr_assert(counts[0] > 0);
    cr_assert_eq(counts[1], 0u);
}

Test(storylog, a_call_is_told_in_the_words_of_its_story)
{
    RunResult result;
    Flood flood;

    begin_flood(&flood, NULL);
    flood.speaks = true;
    flood_run(&flood, 5, 20000, &result);
    cr_assert_not_null(lookup_event(storylog_record(flood.log),
                                    STORY_EVENT_TOLD,
                                    "as the story says it"));
    cr_assert_not_null(lookup_event(storylog_record(flood.log),
                                    STORY_EVENT_TOLD, "crit_exit()"));
    flood_clear(&flood);
}

Test(storylog, pointers_are_printed_by_name)
{
    StoryLogObject object = {.name = "a", .address = 0x700000, .size = 16};
    StoryLogSetup setup = {.objects = &object, .object_count = 1};
    g_autoptr(GString) text = g_string_new(NULL);
    const ImageType *pointer;
    Flood flood;

    begin_flood(&flood, NULL);
    setup.image = flood.image;
    setup.machine = flood.machine;
    setup.globaldata = flood.globaldata;
    setup.globaldata_size = 64;
    pointer = image_type_named(flood.image, "struct thread *");
    cr_assert_not_null(pointer);
    storylog_value_print(&setup, pointer, 0x700000, text);
    g_string_append_c(text, ' ');
    storylog_value_print(&setup, pointer, 0x700008, text);
    g_string_append_c(text, ' ');
    storylog_value_print(&setup, pointer, flood.globaldata[1], text);
    g_string_append_c(text, ' ');
    storylog_value_print(&setup, pointer, flood.nop, text);
    g_string_append_c(text, ' ');
    storylog_value_print(&setup, pointer, 0, text);
    g_string_append_c(text, ' ');
    storylog_value_print(&setup, pointer, 0x600000, text);
    g_string_append_c(text, ' ');
    storylog_value_print(&setup, NULL, 0xffffffff, text);
    cr_assert_str_eq(text->str, "a a+8 gd(1) nop 0 *thread -1");
    flood_clear(&flood);
}

/* --- The stack of calls --------------------------------------------------- */

static void
push(CallStack *stack, gva_t sp, bool told)
{
    CallFrame frame = {.sp = sp, .is_told = told, .peer = -1};

    callstack_push(stack, &frame);
}

Test(storylog, a_return_pops_the_frame_that_it_returns_through)
{
    CallStack stack;
    CallFrame left;

    callstack_init(&stack);
    push(&stack, 1000, true);
    push(&stack, 900, false);
    push(&stack, 800, true);
    cr_assert_eq(callstack_depth(&stack), 2);
    /* A frame whose return was not seen goes with the one below it. */
    cr_assert(callstack_pop(&stack, 900, &left));
    cr_assert_eq(left.sp, 900u);
    cr_assert_eq(callstack_count(&stack), 1u);
    callstack_clear(&stack);
}

Test(storylog, a_return_on_another_stack_begins_a_new_depth)
{
    CallStack stack;
    CallFrame left;

    callstack_init(&stack);
    push(&stack, 1000, true);
    push(&stack, 900, true);
    cr_assert_not(callstack_pop(&stack, 5000, &left));
    cr_assert_eq(callstack_depth(&stack), 0);
    push(&stack, 4900, true);
    cr_assert_eq(callstack_depth(&stack), 1);
    /* The first thread comes back. */
    cr_assert(callstack_pop(&stack, 900, &left));
    cr_assert_eq(callstack_depth(&stack), 1);
    callstack_clear(&stack);
}

Test(storylog, a_guest_that_only_calls_does_not_fill_the_memory)
{
    CallStack stack;

    callstack_init(&stack);
    for (gva_t sp = 1000000; sp > 0; sp -= 8)
        push(&stack, sp, true);
    cr_assert_leq(callstack_count(&stack), CALLSTACK_FRAMES_MAX);
    cr_assert_eq(callstack_depth(&stack), 255);
    callstack_clear(&stack);
}
