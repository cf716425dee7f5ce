/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/report_perfetto.h"

#include "report/json.h"
#include "report/report_rows.h"
#include "report/report_said.h"

#define DEPTH_MAX 256u

typedef struct Writer {
    const StoryRecord *record;
    GString *out;
    bool has_event;
    /* Of each cpu what is open, outermost first. */
    const StoryEvent *open[CPUS_MAX][DEPTH_MAX];
    unsigned count[CPUS_MAX];
    uint64_t last; /* step of the last event */
    GHashTable *arrived; /* numbers of messages with both ends here */
} Writer;

/* Perfetto keeps thread 0 for the idle thread of a kernel. */
static unsigned
thread_of(unsigned cpu)
{
    return cpu + 1;
}

/* Begin an event; the caller adds members and closes it with "}". */
static void
begin(Writer *writer, const char *phase, uint64_t step, unsigned cpu)
{
    if (writer->has_event)
        g_string_append_c(writer->out, ',');
    writer->has_event = true;
    g_string_append_printf(writer->out,
                           "\n{\"ph\":\"%s\",\"pid\":1,\"tid\":%u,"
                           "\"ts\":%" PRIu64,
                           phase, thread_of(cpu), step);
}

static void
add_name(Writer *writer, const char *name)
{
    g_string_append(writer->out, ",\"name\":");
    json_quote(writer->out, name);
}

static void
name_tracks(Writer *writer, const char *process)
{
    begin(writer, "M", 0, 0);
    add_name(writer, "process_name");
    g_string_append(writer->out, ",\"args\":{\"name\":");
    json_quote(writer->out, process);
    g_string_append(writer->out, "}}");
    for (unsigned i = 0; i < writer->record->cpus; i++) {
        begin(writer, "M", 0, i);
        add_name(writer, "thread_name");
        g_string_append_printf(writer->out, ",\"args\":{\"name\":\"cpu%u\"}}",
                               i);
        begin(writer, "M", 0, i);
        add_name(writer, "thread_sort_index");
        g_string_append_printf(writer->out, ",\"args\":{\"sort_index\":%u}}",
                               i);
    }
}

/* --- Calls ---------------------------------------------------------------- */

static void
close_slice(Writer *writer, unsigned cpu, uint64_t step)
{
    begin(writer, "E", step, cpu);
    g_string_append_c(writer->out, '}');
    writer->count[cpu]--;
}

/* What has ended when this comes. */
static void
close_before(Writer *writer, const StoryEvent *event)
{
    unsigned cpu = event->cpu;

    while (writer->count[cpu] > 0 &&
           report_rows_ends(writer->open[cpu][writer->count[cpu] - 1], event))
        close_slice(writer, cpu, event->step);
}

static void
add_place(Writer *writer, const StoryEvent *event)
{
    g_string_append_printf(writer->out, ",\"args\":{\"kind\":\"%s\"",
                           storyrecord_kind_name(event->kind));
    if (event->file != NULL) {
        g_autofree char *place =
            g_strdup_printf("%s:%u", event->file, event->line);

        g_string_append(writer->out, ",\"source\":");
        json_quote(writer->out, place);
    }
    if (event->quote != NULL) {
        g_string_append(writer->out, ",\"line\":");
        json_quote(writer->out, event->quote);
    }
    g_string_append(writer->out, "}}");
}

static void
open_slice(Writer *writer, const StoryEvent *event)
{
    if (writer->count[event->cpu] == DEPTH_MAX)
        return;
    writer->open[event->cpu][writer->count[event->cpu]++] = event;
    begin(writer, "B", event->step, event->cpu);
    add_name(writer, event->text);
    add_place(writer, event);
}

static void
add_instant(Writer *writer, const StoryEvent *event)
{
    begin(writer, "i", event->step, event->cpu);
    add_name(writer, event->text);
    g_string_append(writer->out, ",\"s\":\"t\"");
    add_place(writer, event);
}

/*
 * An arrow begins and ends in the slice that is open there, and Perfetto drops
 * one that has none; a cpu at rest is in none.  So both ends are slices without
 * duration, which are shown like instants.
 */
static void
add_end_of_message(Writer *writer, const StoryEvent *event)
{
    bool sent = event->kind == STORY_EVENT_SENT;

    begin(writer, "B", event->step, event->cpu);
    add_name(writer, event->text);
    add_place(writer, event);
    if (g_hash_table_contains(writer->arrived,
                              GSIZE_TO_POINTER(event->message))) {
        begin(writer, sent ? "s" : "f", event->step, event->cpu);
        add_name(writer, "ipi");
        g_string_append_printf(writer->out,
                               ",\"cat\":\"ipi\",\"id\":%" PRIu64 "%s}",
                               event->message, sent ? "" : ",\"bp\":\"e\"");
    }
    begin(writer, "E", event->step, event->cpu);
    g_string_append_c(writer->out, '}');
}

static void
add_event(Writer *writer, const StoryEvent *event)
{
    if (!storyrecord_is_aside(event))
        close_before(writer, event);
    if (report_rows_is_call(event))
        open_slice(writer, event);
    else if (event->kind == STORY_EVENT_SENT ||
             event->kind == STORY_EVENT_ARRIVAL)
        add_end_of_message(writer, event);
    else if (event->kind != STORY_EVENT_RETURN &&
             event->kind != STORY_EVENT_WAIT_END)
        add_instant(writer, event);
}

/* Of a message that was never delivered there is only one end, and of a long
 * run the middle is not kept. */
static void
find_arrived(Writer *writer, const GPtrArray *events)
{
    g_autoptr(GHashTable) sent = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < events->len; i++) {
        const StoryEvent *event = g_ptr_array_index(events, i);
        gpointer number = GSIZE_TO_POINTER(event->message);

        if (event->message != 0 && event->kind == STORY_EVENT_SENT)
            g_hash_table_add(sent, number);
        else if (event->kind == STORY_EVENT_ARRIVAL &&
                 g_hash_table_contains(sent, number))
            g_hash_table_add(writer->arrived, number);
    }
}

static void
add_events(Writer *writer)
{
    g_autoptr(GPtrArray) events = storyrecord_all(writer->record);

    find_arrived(writer, events);
    for (guint i = 0; i < events->len; i++) {
        const StoryEvent *event = g_ptr_array_index(events, i);

        writer->last = MAX(writer->last, event->step);
        add_event(writer, event);
    }
    for (unsigned i = 0; i < writer->record->cpus; i++)
        while (writer->count[i] > 0)
            close_slice(writer, i, writer->last);
}

/* --- Counters and stores -------------------------------------------------- */

static char *
lane_name(const StoryLane *lane)
{
    if (lane->source < 0)
        return g_strdup_printf("store buffer cpu%d", lane->target);
    if (lane->source == lane->target)
        return g_strdup_printf("own queue cpu%d", lane->target);
    return g_strdup_printf("FIFO cpu%d to cpu%d", lane->source, lane->target);
}

static void
add_counter(Writer *writer, unsigned lane, uint64_t step, unsigned value)
{
    g_autofree char *name =
        lane_name(&g_array_index(writer->record->lanes, StoryLane, lane));

    begin(writer, "C", step, 0);
    add_name(writer, name);
    g_string_append_printf(writer->out, ",\"args\":{\"entries\":%u}}", value);
}

/* A counter begins with its first sample, so empty ones say so. */
static void
add_samples(Writer *writer)
{
    const GArray *samples = writer->record->samples;
    g_autofree bool *begun = g_new0(bool, writer->record->lanes->len + 1);

    for (guint i = 0; i < samples->len; i++) {
        const StorySample *sample = &g_array_index(samples, StorySample, i);

        if (!begun[sample->lane] && sample->step > 0)
            add_counter(writer, sample->lane, 0, 0);
        begun[sample->lane] = true;
        add_counter(writer, sample->lane, sample->step, sample->value);
    }
}

static void
add_store(Writer *writer, const StoryStore *store, unsigned number)
{
    uint64_t end = store->visible == STORY_NEVER ? writer->last
                                                 : store->visible;
    g_autofree char *id =
        g_strdup_printf(",\"cat\":\"store\",\"id\":%u", number);

    begin(writer, "b", store->retired, store->cpu);
    add_name(writer, store->text);
    g_string_append_printf(writer->out, "%s,\"args\":{\"missed\":%s}}", id,
                           store->missed ? "true" : "false");
    begin(writer, "e", MAX(end, store->retired), store->cpu);
    add_name(writer, store->text);
    g_string_append_printf(writer->out, "%s}", id);
}

char *
report_perfetto(const Scenario *scenario, const Finding *finding)
{
    g_autofree Writer *writer = g_new0(Writer, 1);
    g_autofree char *said = NULL, *title = NULL;

    INVARIANT(finding->told != NULL);
    writer->record = finding->told;
    writer->arrived = g_hash_table_new(NULL, NULL);
    writer->out = g_string_new("{\"displayTimeUnit\":\"ns\",\"otherData\":{"
                               "\"replay\":");
    said = report_said_verdict(finding, finding->told);
    title = g_strdup_printf("%s: %s",
                            scenario->title != NULL ? scenario->title
                                                    : scenario->path,
                            said);
    json_quote(writer->out, finding->replay);
    g_string_append(writer->out, "},\"traceEvents\":[");
    name_tracks(writer, title);
    add_events(writer);
    add_samples(writer);
    for (guint i = 0; i < finding->told->stores->len; i++) {
        const StoryStore *store =
            &g_array_index(finding->told->stores, StoryStore, i);

        if (store->text != NULL)
            add_store(writer, store, i);
    }
    g_string_append(writer->out, "\n]}\n");
    g_hash_table_unref(writer->arrived);
    return g_string_free(writer->out, FALSE);
}
