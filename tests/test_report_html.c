/* SPDX-License-Identifier: BSD-2-Clause */
#include "report_rig.h"

#include "people/report_html.h"
#include "people/report_perfetto.h"

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

Test(report_html, guest_text_cannot_break_the_page)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    Finding *finding = rig_finding(scenario);
    g_autofree char *page = NULL;

    finding->told = make_record();
    page = report_html(scenario, finding, NULL);
    cr_assert(!has(page, "<b>"));
    cr_assert(has(page, "f(&lt;b&gt;, &quot;x&quot;)"));
    cr_assert(has(page, "a &lt; b &amp;&amp; &quot;c&quot;"));
    finding_free(finding);
}

Test(report_html, a_message_is_an_arrow_and_a_missed_store_a_bar)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    Finding *finding = rig_finding(scenario);
    g_autofree char *page = NULL;

    finding->told = make_record();
    page = report_html(scenario, finding, NULL);
    cr_assert(has(page, "class=\"arrow\""));
    cr_assert(has(page, "rect class=\"missed\""));
    cr_assert(has(page, "in cpu1's buffer from step 35 to the end"));
    cr_assert(has(page, "messages from cpu0 to cpu1, of 8"));
    finding_free(finding);
}

Test(report_html, a_run_without_events_is_a_page_too)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    Finding *finding = rig_finding(scenario);
    g_autofree char *page = NULL, *trace = NULL;

    finding->told = g_new0(StoryRecord, 1);
    storyrecord_init(finding->told, 2);
    page = report_html(scenario, finding, NULL);
    trace = report_perfetto(scenario, finding);
    cr_assert(has(page, "</html>"));
    cr_assert(has(trace, "]}"));
    finding_free(finding);
}

Test(report_perfetto, a_call_ends_when_it_returns)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    Finding *finding = rig_finding(scenario);
    g_autofree char *trace = NULL;

    finding->told = make_record();
    trace = report_perfetto(scenario, finding);
    cr_assert(has(trace, "{\"ph\":\"B\",\"pid\":1,\"tid\":1,\"ts\":10,\"name\":"
                         "\"f(<b>, \\\"x\\\")\""));
    cr_assert(has(trace, "{\"ph\":\"E\",\"pid\":1,\"tid\":1,\"ts\":50}"));
    cr_assert(has(trace, "{\"ph\":\"s\",\"pid\":1,\"tid\":1,\"ts\":30,"));
    cr_assert(has(trace, "{\"ph\":\"f\",\"pid\":1,\"tid\":2,\"ts\":40,"));
    cr_assert(has(trace, "FIFO cpu0 to cpu1"));
    finding_free(finding);
}

Test(report_html, a_run_that_ended_well_is_named_after_what_it_shows)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    Finding *finding = rig_finding(scenario);
    g_autofree char *page = NULL;

    finding->told = make_record();
    finding->run.verdict = (Verdict){.kind = VERDICT_DONE, .cpu = -1};
    finding->expected = true;
    page = report_html(scenario, finding, NULL);
    cr_assert(has(page, "<h1><span>shown</span>: "), "%s", page);
    cr_assert(has(page, "done: every story has ended"));
    finding_free(finding);
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

Test(report_html, what_happens_at_once_is_on_one_line)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    Finding *finding = rig_finding(scenario);
    g_autofree char *page = NULL;

    finding->told = g_new0(StoryRecord, 1);
    storyrecord_init(finding->told, 2);
    rig_event(finding->told, 3, 0, STORY_EVENT_SENT, "sends it");
    rig_event(finding->told, 3, 100, STORY_EVENT_ARRIVAL, "it arrives");
    rig_event(finding->told, 3, 100, STORY_EVENT_TIMER, "timer fires");
    page = report_html(scenario, finding, NULL);
    cr_assert_eq(number_of(page, ">sends it<", " y=\""),
                 number_of(page, ">it arrives<", " y=\""));
    cr_assert_lt(number_of(page, ">it arrives<", " y=\""),
                 number_of(page, ">timer fires<", " y=\""));
    finding_free(finding);
}

Test(report_html, a_box_ends_where_its_call_returns)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    Finding *finding = rig_finding(scenario);
    g_autofree char *page = NULL;

    finding->told = g_new0(StoryRecord, 1);
    storyrecord_init(finding->told, 2);
    rig_event(finding->told, 10, 0, STORY_EVENT_TOLD, "f()");
    rig_event(finding->told, 20, 100, STORY_EVENT_MARK, "inside");
    rig_event(finding->told, 30, 0, STORY_EVENT_RETURN, "f returns");
    rig_event(finding->told, 40, 100, STORY_EVENT_MARK, "after");
    rig_event(finding->told, 50, 100, STORY_EVENT_MARK, "and more");
    page = report_html(scenario, finding, NULL);
    cr_assert_gt(number_of(page, "class=\"box told", " y=\"") +
                     number_of(page, "class=\"box told", " height=\""),
                 number_of(page, ">inside<", " y=\""));
    cr_assert_lt(number_of(page, "class=\"box told", " y=\"") +
                     number_of(page, "class=\"box told", " height=\""),
                 number_of(page, ">after<", " y=\""));
    finding_free(finding);
}

Test(report_html, the_table_says_the_same)
{
    g_autoptr(Scenario) scenario = rig_scenario();
    Finding *finding = rig_finding(scenario);
    g_autofree char *page = NULL;

    finding->told = make_record();
    page = report_html(scenario, finding, NULL);
    cr_assert(has(page, "<tr><td>30<td>cpu0<td>&ensp;sends Xipiq to cpu1"
                        "<td>ipiq.c:9<td>a &lt; b"));
    finding_free(finding);
}
