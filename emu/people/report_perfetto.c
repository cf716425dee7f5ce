/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "people/report_perfetto.h"

#include "people/json.h"
#include "people/report_said.h"

#define DEPTH_MAX 256u

typedef struct Writer {
    const StoryRecord *record;
    GString *out;
    bool has_event;
    /* Of each cpu, the depths of what is open, outermost first. */
    uint8_t open[CPUS_MAX][DEPTH_MAX];
    unsigned count[CPUS_MAX];
} Writer;

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
                           phase, cpu, step);
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
    }
}

/* --- Calls ---------------------------------------------------------------- */

/* Whatever is as deep as `depth`, or deeper, has ended. */
static void
close_to(Writer *writer, unsigned cpu, unsigned depth, uint64_t step)
{
    while (writer->count[cpu] > 0 &&
           writer->open[cpu][writer->count[cpu] - 1] >= depth) {
        begin(writer, "E", step, cpu);
        g_string_append_c(writer->out, '}');
        writer->count[cpu]--;
    }
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
    writer->open[event->cpu][writer->count[event->cpu]++] = event->depth;
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

static void
add_flow(Writer *writer, const StoryEvent *event)
{
    bool sent = event->kind == STORY_EVENT_SENT;

    if (event->message == 0)
        return;
    begin(writer, sent ? "s" : "f", event->step, event->cpu);
    add_name(writer, "ipi");
    g_string_append_printf(writer->out,
                           ",\"cat\":\"ipi\",\"id\":%" PRIu64 "%s}",
                           event->message, sent ? "" : ",\"bp\":\"e\"");
}

static void
add_event(Writer *writer, const StoryEvent *event)
{
    close_to(writer, event->cpu, event->depth, event->step);
    switch (event->kind) {
    case STORY_EVENT_TOLD:
    case STORY_EVENT_CALL:
    case STORY_EVENT_MESSAGE:
    case STORY_EVENT_WAIT:
    case STORY_EVENT_INTERRUPT:
        open_slice(writer, event);
        return;
    case STORY_EVENT_RETURN:
    case STORY_EVENT_WAIT_END:
        return;
    case STORY_EVENT_SENT:
    case STORY_EVENT_ARRIVAL:
        add_instant(writer, event);
        add_flow(writer, event);
        return;
    default:
        add_instant(writer, event);
        return;
    }
}

static uint64_t
last_step(const StoryRecord *record)
{
    uint64_t kept = storyrecord_kept(record);

    return kept > 0 ? storyrecord_event(record, kept - 1)->step : 0;
}

static void
add_events(Writer *writer)
{
    const StoryRecord *record = writer->record;
    uint64_t kept = storyrecord_kept(record);

    for (uint64_t i = 0; i < kept; i++)
        add_event(writer, storyrecord_event(record, i));
    for (unsigned i = 0; i < record->cpus; i++)
        close_to(writer, i, 0, last_step(record));
    for (guint i = 0; i < record->breaches->len; i++)
        add_instant(writer, &g_array_index(record->breaches, StoryEvent, i));
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
add_samples(Writer *writer)
{
    const GArray *samples = writer->record->samples;

    for (guint i = 0; i < samples->len; i++) {
        const StorySample *sample = &g_array_index(samples, StorySample, i);
        g_autofree char *name = lane_name(&g_array_index(
            writer->record->lanes, StoryLane, sample->lane));

        begin(writer, "C", sample->step, 0);
        add_name(writer, name);
        g_string_append_printf(writer->out, ",\"args\":{\"entries\":%u}}",
                               sample->value);
    }
}

static void
add_store(Writer *writer, const StoryStore *store, unsigned number)
{
    uint64_t end = store->visible == STORY_NEVER ? last_step(writer->record)
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
    return g_string_free(writer->out, FALSE);
}
