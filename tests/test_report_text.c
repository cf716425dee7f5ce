/* SPDX-License-Identifier: BSD-2-Clause */
#include "report_rig.h"

#include "report/report_rows.h"
#include "report/report_text.h"

/* The story of house.md 6.11. */
static void
make_spinlock_story(StoryRecord *record)
{
    storyrecord_init(record, 2);
    rig_event(record, 12, 100, STORY_EVENT_TOLD,
              "tsleep_interlock(ident1, 0)");
    for (unsigned i = 0; i < 5; i++)
        rig_event(record, 40 + 11 * i, 0, STORY_EVENT_TOLD,
                  "lwkt_send_ipiq3_passive(gd(1), nop, 0, 0)");
    rig_event(record, 97, 0, STORY_EVENT_TOLD, "spin_lock(a)");
    rig_event(record, 98, 0, STORY_EVENT_MARK, "mark \"cpu0 holds a\"");
    rig_event(record, 131, 100, STORY_EVENT_TOLD,
              "lwkt_send_ipiq3(gd(0), take_and_drop, a, 0)");
    rig_event(record, 166, 101, STORY_EVENT_SENT, "sends Xipiq to cpu0");
    rig_event(record, 166, 1, STORY_EVENT_ARRIVAL, "Xipiq arrives from cpu1");
    rig_event(record, 203, 0, STORY_EVENT_TOLD, "wakeup(ident1)");
    rig_event(record, 221, 1, STORY_EVENT_CALL,
              "lwkt_send_ipiq3(gd(1), wakeup_remote, ident1, 0)");
    rig_event(record, 238, 2, STORY_EVENT_WAIT,
              "waits for room to cpu1: 5 of 8 queued");
    rig_event(record, 260, 2, STORY_EVENT_CALL, "lwkt_process_ipiq()");
    rig_event(record, 279, 3, STORY_EVENT_MESSAGE, "take_and_drop(a)");
    rig_event(record, 281, 4, STORY_EVENT_CALL,
              "spin_lock(a)  <- held by cpu0 since step 97");
    storyrecord_aside(record, &(StoryEvent){
        .kind = STORY_EVENT_BREACH,
        .step = 221, .text = "no IPI operation with a spin lock held"});
    record->stands[0] = (StoryStand){
        .function = "spin_lock", .file = "spinlock.c", .line = 31,
        .quote = "while (spin->counta != 0)", .waits_for = 0,
        .doing = "spins on a, held by cpu0 since step 97",
        .calls = "spin_lock < take_and_drop < lwkt_process_ipiq < "
                 "lwkt_send_ipiq3 < wakeup",
    };
    record->stands[1].doing = "idle, its story has ended";
    record->switches = 2;
}

static char *
tell(const StoryRecord *record, bool color)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    Finding *finding = rig_finding(scenario);
    char *text = report_text(scenario, finding, record, color);

    finding_free(finding);
    return text;
}

static unsigned
count_lines(const char *text, unsigned width_max)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    unsigned count = 0;

    for (; lines[count] != NULL; count++)
        if (!g_str_has_prefix(lines[count], "replay"))
            cr_assert_leq(g_utf8_strlen(lines[count], -1), (long)width_max,
                          "%s", lines[count]);
    return count;
}

Test(report_text, a_finding_of_two_cpus_has_two_columns)
{
    static const char *const wanted[] = {
        "FOUND    livelock: cpu0 spins on a, held by cpu0 since step 97",
        "case     wakeup_holding_spinlock.lua:23  \"as asked: cpu0 waits "
        "for room, and...",
        "claim    never (stuck)  -- this run breaks it",
        "replay   heddle replay scenarios/dragonfly/wakeup_holding_spinlo"
        "ck.lua --case 1 --seed 42",
        "",
        "  step  cpu0                                 cpu1",
        " -----  -----------------------------------  -------------------"
        "------------------------",
        "    12                                       tsleep_interlock(id"
        "ent1, 0)",
        "    40  lwkt_send_ipiq3_passive(gd(1), nop, 0, 0) x5",
        "    97  spin_lock(a)",
        "    98  mark \"cpu0 holds a\"",
        "   131                                       lwkt_send_ipiq3(gd("
        "0), take_and_drop, a, 0)",
        "   166                                         sends Xipiq to cp"
        "u0",
        "   166    Xipiq arrives from cpu1",
        "   203  wakeup(ident1)",
        "   221    lwkt_send_ipiq3(gd(1), wakeup_remote, ident1, 0)",
        "   221    ! no IPI operation with a spin lock held",
        "   238      waits for room to cpu1: 5 of 8 queued",
        "   260      lwkt_process_ipiq()",
        "   279        take_and_drop(a)",
        "   281          spin_lock(a)  <- held by cpu0 since step 97",
        "",
        "cpu0     in spin_lock, spinlock.c:31, spins on a, held by cpu0 s"
        "ince step 97",
        "           | while (spin->counta != 0)",
        "         calls spin_lock < take_and_drop < lwkt_process_ipiq < l"
        "wkt_send_ipiq3 <",
        "         wakeup",
        "cpu1     idle, its story has ended",
        "waits    cpu0 for itself",
        "breach   step 221, cpu0: no IPI operation with a spin lock held",
        "loop     2 rounds of all cpus, 148 steps, and the machine is aga"
        "in as it was",
        "digest   9c1f 03aa 77d2 e401   (2 switches)",
        NULL,
    };
    g_autofree char *text = NULL;
    StoryRecord record;

    make_spinlock_story(&record);
    text = tell(&record, false);
    rig_lines(text, wanted);
    storyrecord_clear(&record);
}

Test(report_text, the_same_record_gives_the_same_text)
{
    g_autofree char *first = NULL, *second = NULL;
    StoryRecord record;

    make_spinlock_story(&record);
    first = tell(&record, false);
    second = tell(&record, false);
    cr_assert_str_eq(first, second);
    cr_assert_null(strchr(first, '\033'));
    storyrecord_clear(&record);
}

Test(report_text, color_is_there_when_it_is_asked_for)
{
    g_autofree char *text = NULL;
    StoryRecord record;

    make_spinlock_story(&record);
    text = tell(&record, true);
    cr_assert(g_str_has_prefix(text, "\033[1mFOUND\033[0m    livelock"));
    storyrecord_clear(&record);
}

Test(report_text, a_group_of_lines_that_repeats_is_shown_once)
{
    g_autofree char *text = NULL;
    StoryRecord record;

    storyrecord_init(&record, 2);
    rig_event(&record, 1, 0, STORY_EVENT_TOLD, "f()");
    for (unsigned i = 0; i < 37; i++) {
        rig_event(&record, 10 * i + 10, 1, STORY_EVENT_CALL, "poll()");
        rig_event(&record, 10 * i + 12, 100, STORY_EVENT_TOLD, "g()");
        rig_event(&record, 10 * i + 14, 2, STORY_EVENT_MESSAGE, "nop()");
    }
    text = tell(&record, false);
    cr_assert_not_null(strstr(text,
                              "    10    poll()\n"
                              "    12                                       "
                              "g() x37\n"
                              "    14      nop()\n"
                              "            ... its last 2 lines 37 times\n"),
                       "%s", text);
    storyrecord_clear(&record);
}

Test(report_text, nothing_is_folded_across_a_mark)
{
    g_autofree char *text = NULL;
    StoryRecord record;

    storyrecord_init(&record, 2);
    rig_event(&record, 1, 0, STORY_EVENT_TOLD, "f()");
    rig_event(&record, 2, 0, STORY_EVENT_TOLD, "f()");
    rig_event(&record, 3, 100, STORY_EVENT_MARK, "mark \"now\"");
    rig_event(&record, 4, 0, STORY_EVENT_TOLD, "f()");
    text = tell(&record, false);
    cr_assert_not_null(strstr(text, "     1  f() x2\n"));
    cr_assert_not_null(strstr(text, "     4  f()\n"));
    storyrecord_clear(&record);
}

Test(report_text, a_long_story_keeps_its_beginning_and_its_end)
{
    g_autofree char *text = NULL;
    StoryRecord record;

    storyrecord_init(&record, 2);
    for (unsigned i = 0; i < 3000; i++) {
        g_autofree char *call = g_strdup_printf("call(%u)", i);

        rig_event(&record, 2 * i, i % 2 * 100, STORY_EVENT_TOLD, call);
        rig_event(&record, 2 * i + 1, i % 2 * 100 + 1, STORY_EVENT_SENT,
                  "sends Xipiq to cpu1");
    }
    text = tell(&record, false);
    cr_assert_leq(count_lines(text, 100), REPORT_TEXT_ROWS_MAX + 15);
    cr_assert_not_null(strstr(text, "call(0)"));
    cr_assert_not_null(strstr(text, "call(2999)"));
    cr_assert_not_null(strstr(text, " are left out\n"), "%s", text);
    storyrecord_clear(&record);
}

Test(report_text, what_is_left_out_is_counted)
{
    g_autofree char *text = NULL;
    StoryRecord record;

    storyrecord_init(&record, 1);
    /* 35 distinct calls with an interrupt each: 70 rows. */
    for (unsigned i = 0; i < 35; i++) {
        g_autofree char *call = g_strdup_printf("call(%u)", i);

        rig_event(&record, 2 * i, 0, STORY_EVENT_TOLD, call);
        rig_event(&record, 2 * i + 1, 1, STORY_EVENT_INTERRUPT, "interrupt X");
    }
    text = tell(&record, false);
    /* Rows 14 to 49 are the middle, and half of them interrupts. */
    cr_assert_not_null(strstr(text, "... of the events between here and step "
                                    "50, 18 are left out\n"),
                       "%s", text);
    storyrecord_clear(&record);
}

Test(report_text, four_cpus_share_a_hundred_columns)
{
    g_autofree char *text = NULL;
    StoryRecord record;

    storyrecord_init(&record, 4);
    for (unsigned i = 0; i < 4; i++)
        rig_event(&record, i, 100 * i, STORY_EVENT_TOLD,
                  "lwkt_send_ipiq3(gd(1), nop, 0, 0)");
    text = tell(&record, false);
    count_lines(text, 100);
    cr_assert_not_null(strstr(text, "\n  step  cpu0              cpu1         "
                                    "     cpu2              cpu3\n"),
                       "%s", text);
    cr_assert_not_null(strstr(text, "(gd(1), nop, 0, 0)\n"));
    storyrecord_clear(&record);
}

Test(report_text, of_many_cpus_only_those_that_act_have_columns)
{
    g_autofree char *text = NULL;
    StoryRecord record;

    storyrecord_init(&record, 64);
    rig_event(&record, 1, 700, STORY_EVENT_TOLD, "f()");
    rig_event(&record, 2, 6300, STORY_EVENT_TOLD, "g()");
    text = tell(&record, false);
    cr_assert_not_null(strstr(text, "\n  step  cpu7 "), "%s", text);
    cr_assert_not_null(strstr(text, " cpu63\n"));
    cr_assert_not_null(strstr(text, "others   64 cpus are at rest\n"));
    storyrecord_clear(&record);
}

Test(report_text, more_than_four_acting_cpus_share_one_column)
{
    g_autofree char *text = NULL;
    StoryRecord record;

    storyrecord_init(&record, 12);
    for (unsigned i = 0; i < 12; i++)
        rig_event(&record, i, 100 * i + i % 2, STORY_EVENT_TOLD, "f()");
    text = tell(&record, false);
    cr_assert_not_null(strstr(text, "\n     0  cpu0   f()\n"
                                    "     1  cpu1     f()\n"),
                       "%s", text);
    storyrecord_clear(&record);
}

Test(report_text, an_empty_story_is_told_too)
{
    g_autofree char *text = NULL, *raw = NULL, *where = NULL;
    StoryRecord record;

    storyrecord_init(&record, 64);
    text = tell(&record, false);
    raw = report_text_raw(&record);
    where = report_text_where(&record);
    cr_assert_str_eq(raw, "");
    cr_assert(g_str_has_prefix(where, "cpu0 at rest; cpu1 at rest"));
    storyrecord_clear(&record);
}

Test(report_text, raw_shows_every_event)
{
    g_autofree char *raw = NULL;
    StoryRecord record;

    make_spinlock_story(&record);
    raw = report_text_raw(&record);
    cr_assert_eq(count_lines(raw, 120), 19u); /* and an empty one */
    cr_assert_not_null(strstr(raw, "     238 cpu0  wait      0000000000000000"
                                   "     waits for room to cpu1: 5 of 8"),
                       "%s", raw);
    storyrecord_clear(&record);
}

Test(report_text, where_names_the_cpus_that_do_not_rest)
{
    g_autofree char *where = NULL;
    StoryRecord record;

    make_spinlock_story(&record);
    where = report_text_where(&record);
    cr_assert_str_eq(where, "cpu0 in spin_lock, spinlock.c:31, spins on a, "
                            "held by cpu0 since step 97");
    storyrecord_clear(&record);
}

Test(report_text, a_run_that_is_done_says_what_it_broke)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    g_autofree char *plain = NULL, *broken = NULL;
    Finding *finding = rig_finding(scenario);
    StoryRecord record;

    storyrecord_init(&record, 2);
    finding->run.verdict = (Verdict){.kind = VERDICT_DONE, .cpu = -1};
    plain = report_text(scenario, finding, &record, false);
    cr_assert(g_str_has_prefix(plain, "FOUND    done: every story has ended"));
    storyrecord_aside(&record, &(StoryEvent){
        .kind = STORY_EVENT_BREACH, .step = 3, .text = "no x"});
    broken = report_text(scenario, finding, &record, false);
    cr_assert(g_str_has_prefix(broken,
                               "FOUND    done, but a rule was broken: no x"));
    cr_assert_not_null(strstr(broken, "\nbreach   step 3, cpu0: no x\n"));
    finding_free(finding);
    storyrecord_clear(&record);
}

Test(report_text, the_moment_that_was_looked_for_has_its_place)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    g_autofree char *text = NULL;
    Finding *finding = rig_finding(scenario);
    StoryRecord record;

    storyrecord_init(&record, 2);
    storyrecord_push(&record, &(StoryEvent){
        .kind = STORY_EVENT_TOLD, .step = 2, .text = "before()"});
    storyrecord_push(&record, &(StoryEvent){
        .kind = STORY_EVENT_TOLD, .step = 5, .text = "after()"});
    storyrecord_aside(&record, &(StoryEvent){
        .kind = STORY_EVENT_MOMENT, .step = 4, .cpu = 1, .text = "both",
        .function = "f", .file = "f.c", .line = 7});
    text = report_text(scenario, finding, &record, false);
    cr_assert(strstr(text, "before()") < strstr(text, "* both"));
    cr_assert(strstr(text, "* both") < strstr(text, "after()"));
    cr_assert_not_null(
        strstr(text, "\nmoment   step 4, cpu1: both, in f, f.c:7\n"));
    finding_free(finding);
    storyrecord_clear(&record);
}

Test(report_text, a_guests_text_cannot_break_the_lines)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    g_autofree char *text = NULL;
    Finding *finding = rig_finding(scenario);
    StoryRecord record;

    storyrecord_init(&record, 2);
    finding->run.verdict = (Verdict){.kind = VERDICT_PANIC, .cpu = 0,
                                     .text = "a\nb\033[2Jc\xff"};
    rig_event(&record, 1, 0, STORY_EVENT_WAIT, "waits: \033[2J\n\xfe");
    text = report_text(scenario, finding, &record, false);
    cr_assert(g_str_has_prefix(text, "FOUND    panic on cpu0: a b [2Jc"));
    cr_assert_not_null(strstr(text, "     1  waits:  [2J "));
    cr_assert(g_utf8_validate(text, -1, NULL));
    finding_free(finding);
    storyrecord_clear(&record);
}

Test(report_text, a_record_keeps_the_first_and_the_newest_events)
{
    g_autofree char *raw = NULL;
    const uint64_t all = STORYRECORD_FIRST + STORYRECORD_NEWEST + 500;
    StoryRecord record;

    storyrecord_init(&record, 1);
    for (uint64_t i = 0; i < all; i++)
        rig_event(&record, i, 0, STORY_EVENT_TOLD, "f()");
    cr_assert_eq(record.count, all);
    cr_assert_eq(storyrecord_kept(&record), all - 500);
    cr_assert_eq(storyrecord_event(&record, STORYRECORD_FIRST - 1)->step,
                 (uint64_t)STORYRECORD_FIRST - 1);
    for (uint64_t i = STORYRECORD_FIRST; i < all - 500; i++)
        cr_assert_eq(storyrecord_event(&record, i)->step, i + 500);
    raw = report_text_raw(&record);
    cr_assert_not_null(strstr(raw, "\n... 500 events were dropped\n"));
    storyrecord_clear(&record);
}

Test(report_text, of_too_many_rows_the_calls_that_do_not_return_stay)
{
    g_autofree char *text = NULL;
    StoryRecord record;

    storyrecord_init(&record, 2);
    for (unsigned i = 0; i < 20; i++) {
        rig_event(&record, 10 * i, 0, STORY_EVENT_TOLD, "f()");
        rig_event(&record, 10 * i + 5, 100, STORY_EVENT_TOLD, "g()");
    }
    rig_event(&record, 300, 1, STORY_EVENT_CALL, "the_end_is_inside()");
    for (unsigned i = 0; i < 200; i++) {
        g_autofree char *name = g_strdup_printf("message_%u()", i);

        rig_event(&record, 301 + i, 2, STORY_EVENT_MESSAGE, name);
    }
    text = tell(&record, false);
    cr_assert_not_null(strstr(text, "the_end_is_inside()"), "%s", text);
    cr_assert_null(strstr(text, "message_50()"));
    storyrecord_clear(&record);
}
