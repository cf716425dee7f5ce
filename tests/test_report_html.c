/* SPDX-License-Identifier: BSD-2-Clause */
#include "report_rig.h"

#include "report/report_html.h"
#include "report/report_perfetto.h"

/* cpu0 sends to cpu1, and cpu1 has a store that cpu0 misses. */
static StoryRecord *
make_record(void)
{
    StoryRecord *record = g_new0(StoryRecord, 1);
    StoryLane lane = {.source = 0, .target = 1, .depth = 8};
    StoryEvent sent = {.step = 30, .kind = STORY_EVENT_SENT, .depth = 1,
                       .message = 7, .text = "sends Xipiq to cpu1",
                       .file = "ipiq.c", .line = 9, .quote = "a < b && \"c\""};
    StoryEvent arrival = {.step = 40, .cpu = 1, .message = 7,
                          .kind = STORY_EVENT_ARRIVAL,
                          .text = "Xipiq arrives from cpu0"};
    StoryStore store = {.retired = 35, .visible = STORY_NEVER, .cpu = 1,
                        .missed = true, .text = "gd(1).gd_npoll = 0"};

    storyrecord_init(record, 2);
    g_array_append_val(record->lanes, lane);
    rig_event(record, 10, 0, STORY_EVENT_TOLD, "f(<b>, \"x\")");
    storyrecord_push(record, &sent);
    storyrecord_push(record, &arrival);
    storyrecord_sample(record, &(StorySample){.step = 30, .value = 3});
    rig_event(record, 50, 0, STORY_EVENT_RETURN, "f returns");
    rig_event(record, 60, 0, STORY_EVENT_TOLD, "g()");
    g_array_append_val(record->stores, store);
    return record;
}

static bool
has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

/* The page of a run that shows what was asked for, or its trace; the record is
 * gone then. */
static char *
page_of(StoryRecord *record, VerdictKind kind)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    Finding *finding = rig_finding(scenario);
    char *page;

    finding->told = record;
    finding->expected = true;
    if (kind == VERDICT_DONE)
        finding->run.verdict = (Verdict){.kind = kind, .cpu = -1};
    page = report_html(scenario, finding, NULL);
    finding_free(finding);
    return page;
}

static char *
trace_of(StoryRecord *record)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    Finding *finding = rig_finding(scenario);
    char *trace;

    finding->told = record;
    trace = report_perfetto(scenario, finding);
    finding_free(finding);
    return trace;
}

static StoryRecord *
empty_record(void)
{
    StoryRecord *record = g_new0(StoryRecord, 1);

    storyrecord_init(record, 2);
    return record;
}

/* The number behind `name` in the element that `part` is in. */
static unsigned
number_of(const char *page, const char *part, const char *name)
{
    const char *at = strstr(page, part);

    cr_assert_not_null(at);
    while (*at != '<')
        at--;
    at = strstr(at, name);
    cr_assert_not_null(at);
    return (unsigned)g_ascii_strtoull(at + strlen(name), NULL, 10);
}

Test(report_html, guest_text_cannot_break_the_page)
{
    g_autofree char *page = page_of(make_record(), VERDICT_LIVELOCK);

    cr_assert(!has(page, "<b>"));
    cr_assert(has(page, "f(&lt;b&gt;, &quot;x&quot;)"));
    cr_assert(has(page, "a &lt; b &amp;&amp; &quot;c&quot;"));
}

Test(report_html, a_message_is_an_arrow_and_a_missed_store_a_bar)
{
    g_autofree char *page = page_of(make_record(), VERDICT_LIVELOCK);

    cr_assert(has(page, "class=\"arrow\""));
    cr_assert(has(page, "rect class=\"missed\""));
    cr_assert(has(page, "in cpu1's buffer from step 35 to the end"));
    cr_assert(has(page, "messages from cpu0 to cpu1, of 8"));
}

Test(report_html, a_run_without_events_is_a_page_too)
{
    g_autofree char *page = page_of(empty_record(), VERDICT_LIVELOCK);
    g_autofree char *trace = trace_of(empty_record());

    cr_assert(has(page, "</html>"));
    cr_assert(has(trace, "]}"));
}

Test(report_html, a_run_that_ended_well_is_named_after_what_it_shows)
{
    g_autofree char *page = page_of(make_record(), VERDICT_DONE);

    cr_assert(has(page, "<h1><span>shown</span>: "), "%s", page);
    cr_assert(has(page, "done: every story has ended"));
}

Test(report_html, what_happens_at_once_is_on_one_line)
{
    StoryRecord *record = empty_record();
    g_autofree char *page = NULL;

    rig_event(record, 3, 0, STORY_EVENT_SENT, "sends it");
    rig_event(record, 3, 100, STORY_EVENT_ARRIVAL, "it arrives");
    rig_event(record, 3, 100, STORY_EVENT_TIMER, "timer fires");
    page = page_of(record, VERDICT_DONE);
    cr_assert_eq(number_of(page, ">sends it<", " y=\""),
                 number_of(page, ">it arrives<", " y=\""));
    cr_assert_lt(number_of(page, ">it arrives<", " y=\""),
                 number_of(page, ">timer fires<", " y=\""));
}

/* Does the first box of this class hold the row with this text? */
static bool
holds(const char *page, const char *box, const char *row)
{
    unsigned top = number_of(page, box, " y=\"");
    unsigned bottom = top + number_of(page, box, " height=\"");
    unsigned y = number_of(page, row, " y=\"");

    return y > top && y < bottom;
}

Test(report_html, a_box_ends_where_its_call_returns)
{
    StoryRecord *record = empty_record();
    g_autofree char *page = NULL;

    rig_event(record, 10, 0, STORY_EVENT_TOLD, "f()");
    rig_event(record, 20, 100, STORY_EVENT_MARK, "inside");
    rig_event(record, 30, 0, STORY_EVENT_RETURN, "f returns");
    rig_event(record, 40, 100, STORY_EVENT_MARK, "after");
    rig_event(record, 50, 100, STORY_EVENT_MARK, "and more");
    page = page_of(record, VERDICT_DONE);
    cr_assert(holds(page, "class=\"box told", ">inside<"));
    cr_assert(!holds(page, "class=\"box told", ">after<"));
}

Test(report_html, a_wait_holds_what_the_cpu_does_meanwhile)
{
    StoryRecord *record = empty_record();
    g_autofree char *page = NULL;

    rig_event(record, 10, 0, STORY_EVENT_TOLD, "f()");
    rig_event(record, 20, 1, STORY_EVENT_WAIT, "waits");
    rig_event(record, 30, 1, STORY_EVENT_CALL, "g()");
    rig_event(record, 40, 1, STORY_EVENT_RETURN, "g returns");
    rig_event(record, 50, 100, STORY_EVENT_MARK, "meanwhile");
    rig_event(record, 60, 1, STORY_EVENT_WAIT_END, "goes on");
    page = page_of(record, VERDICT_DONE);
    cr_assert(holds(page, "class=\"box wait", ">g()<"));
    cr_assert(holds(page, "class=\"box wait", ">meanwhile<"));
    cr_assert(!holds(page, "class=\"box wait", ">goes on<"));
    cr_assert(!holds(page, "class=\"box call", ">meanwhile<"));
}

Test(report_html, cpus_at_which_nothing_happens_are_counted)
{
    StoryRecord *record = g_new0(StoryRecord, 1);
    g_autofree char *page = NULL;

    storyrecord_init(record, 64);
    rig_event(record, 1, 700, STORY_EVENT_TOLD, "f()");
    page = page_of(record, VERDICT_DONE);
    cr_assert(has(page, "63 cpus are at rest"));
    cr_assert(has(page, ">cpu7</text>"));
    cr_assert(!has(page, ">cpu8</text>"));
}

Test(report_html, the_table_says_the_same)
{
    g_autofree char *page = page_of(make_record(), VERDICT_LIVELOCK);

    cr_assert(has(page, "<tr><td>30<td>cpu0<td>&ensp;sends Xipiq to cpu1"
                        "<td>ipiq.c:9<td>a &lt; b"));
}

Test(report_perfetto, a_call_ends_when_it_returns)
{
    g_autofree char *trace = trace_of(make_record());

    cr_assert(has(trace, "{\"ph\":\"B\",\"pid\":1,\"tid\":1,\"ts\":10,\"name\":"
                         "\"f(<b>, \\\"x\\\")\""));
    cr_assert(has(trace, "{\"ph\":\"E\",\"pid\":1,\"tid\":1,\"ts\":50}"));
    cr_assert(has(trace, "{\"ph\":\"s\",\"pid\":1,\"tid\":1,\"ts\":30,"));
    cr_assert(has(trace, "{\"ph\":\"f\",\"pid\":1,\"tid\":2,\"ts\":40,"));
    cr_assert(has(trace, "FIFO cpu0 to cpu1"));
}
