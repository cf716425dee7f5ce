/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/storyrecord.h"

void
storyrecord_init(StoryRecord *record, unsigned cpus)
{
    INVARIANT(cpus >= 1 && cpus <= CPUS_MAX);
    *record = (StoryRecord){.cpus = cpus};
    record->first = g_array_new(FALSE, FALSE, sizeof(StoryEvent));
    record->newest = g_array_new(FALSE, FALSE, sizeof(StoryEvent));
    record->breaches = g_array_new(FALSE, FALSE, sizeof(StoryEvent));
    record->moments = g_array_new(FALSE, FALSE, sizeof(StoryEvent));
    record->buffered = g_array_new(FALSE, FALSE, sizeof(StoryEvent));
    record->lanes = g_array_new(FALSE, FALSE, sizeof(StoryLane));
    record->samples = g_array_new(FALSE, FALSE, sizeof(StorySample));
    record->stores = g_array_new(FALSE, FALSE, sizeof(StoryStore));
    record->texts = g_string_chunk_new(4096);
    for (unsigned i = 0; i < CPUS_MAX; i++)
        record->stands[i] = (StoryStand){.rests = true, .waits_for = -1};
}

void
storyrecord_clear(StoryRecord *record)
{
    if (record->first == NULL)
        return;
    g_array_unref(record->first);
    g_array_unref(record->newest);
    g_array_unref(record->breaches);
    g_array_unref(record->moments);
    g_array_unref(record->buffered);
    g_array_unref(record->lanes);
    g_array_unref(record->samples);
    g_array_unref(record->stores);
    g_string_chunk_free(record->texts);
    *record = (StoryRecord){0};
}

void
storyrecord_free(StoryRecord *record)
{
    if (record == NULL)
        return;
    storyrecord_clear(record);
    g_free(record);
}

const char *
storyrecord_text(StoryRecord *record, const char *text)
{
    g_autofree char *valid = NULL;

    if (text == NULL)
        return NULL;
    if (strlen(text) > STORYRECORD_TEXT_MAX) {
        g_autofree char *cut = g_strndup(text, STORYRECORD_TEXT_MAX - 3);
        g_autofree char *longer = g_strconcat(cut, "...", NULL);

        valid = g_utf8_make_valid(longer, -1);
    } else
        valid = g_utf8_make_valid(text, -1);
    /* The guest's strings must not break a line in two. */
    for (char *at = valid; *at != '\0'; at++)
        if (g_ascii_iscntrl(*at))
            *at = ' ';
    return g_string_chunk_insert_const(record->texts, valid);
}

static StoryEvent
own(StoryRecord *record, const StoryEvent *event)
{
    StoryEvent copy = *event;

    INVARIANT(event->cpu < record->cpus);
    copy.text = storyrecord_text(record, event->text);
    copy.file = storyrecord_text(record, event->file);
    copy.quote = storyrecord_text(record, event->quote);
    copy.function = storyrecord_text(record, event->function);
    return copy;
}

void
storyrecord_push(StoryRecord *record, const StoryEvent *event)
{
    StoryEvent copy = own(record, event);
    uint64_t later;

    if (record->count < STORYRECORD_FIRST) {
        g_array_append_val(record->first, copy);
        record->count++;
        return;
    }
    later = record->count++ - STORYRECORD_FIRST;
    if (later < STORYRECORD_NEWEST)
        g_array_append_val(record->newest, copy);
    else
        g_array_index(record->newest, StoryEvent, later % STORYRECORD_NEWEST) =
            copy;
}

void
storyrecord_sample(StoryRecord *record, const StorySample *sample)
{
    INVARIANT(sample->lane < record->lanes->len);
    if (record->samples->len < STORYRECORD_SAMPLES_MAX)
        g_array_append_vals(record->samples, sample, 1);
}

/* It is told beside the call that it came with. */
static uint8_t
depth_at(const StoryRecord *record, unsigned cpu, uint64_t step)
{
    for (uint64_t i = storyrecord_kept(record); i-- > 0;) {
        const StoryEvent *event = storyrecord_event(record, i);

        if (event->cpu == cpu && event->step <= step)
            return event->depth;
    }
    return 0;
}

static GArray *
aside_of(const StoryRecord *record, StoryEventKind kind)
{
    switch (kind) {
    case STORY_EVENT_BREACH:
        return record->breaches;
    case STORY_EVENT_MOMENT:
        return record->moments;
    case STORY_EVENT_BUFFERED:
        return record->buffered;
    default:
        return NULL;
    }
}

bool
storyrecord_is_aside(const StoryEvent *event)
{
    return event->kind == STORY_EVENT_BREACH ||
           event->kind == STORY_EVENT_MOMENT ||
           event->kind == STORY_EVENT_BUFFERED;
}

void
storyrecord_aside(StoryRecord *record, const StoryEvent *event)
{
    StoryEvent copy = own(record, event);
    GArray *to = aside_of(record, event->kind);
    unsigned at;

    INVARIANT(to != NULL);
    at = to->len;

    copy.depth = depth_at(record, copy.cpu, copy.step);
    while (at > 0 && g_array_index(to, StoryEvent, at - 1).step > copy.step)
        at--;
    g_array_insert_val(to, at, copy);
}

uint64_t
storyrecord_kept(const StoryRecord *record)
{
    return record->first->len + record->newest->len;
}

const StoryEvent *
storyrecord_event(const StoryRecord *record, uint64_t index)
{
    uint64_t later;

    INVARIANT(index < storyrecord_kept(record));
    if (index < record->first->len)
        return &g_array_index(record->first, StoryEvent, index);
    /* Once the ring is full its oldest event is where the next will be. */
    later = index - STORYRECORD_FIRST;
    if (record->newest->len == STORYRECORD_NEWEST)
        later = (later + record->count - STORYRECORD_FIRST) %
                STORYRECORD_NEWEST;
    return &g_array_index(record->newest, StoryEvent, later);
}

/* Those of `from` whose step is below `step`; `at` goes on. */
static void
add_below(GPtrArray *all, const GArray *from, guint *at, uint64_t step)
{
    while (*at < from->len && g_array_index(from, StoryEvent, *at).step < step)
        g_ptr_array_add(all, &g_array_index(from, StoryEvent, (*at)++));
}

/* A store was buffered before the event of the same step that noticed it, a
 * rule was broken by it, and so was what was claimed. */
GPtrArray *
storyrecord_all(const StoryRecord *record)
{
    GPtrArray *all = g_ptr_array_new();
    guint breach = 0, moment = 0, buffered = 0;

    for (uint64_t i = 0; i < storyrecord_kept(record); i++) {
        const StoryEvent *event = storyrecord_event(record, i);

        add_below(all, record->breaches, &breach, event->step);
        add_below(all, record->moments, &moment, event->step);
        add_below(all, record->buffered, &buffered, event->step + 1);
        g_ptr_array_add(all, (void *)event);
    }
    add_below(all, record->breaches, &breach, UINT64_MAX);
    add_below(all, record->moments, &moment, UINT64_MAX);
    add_below(all, record->buffered, &buffered, UINT64_MAX);
    return all;
}

const char *
storyrecord_kind_name(StoryEventKind kind)
{
    static const char *const names[] = {
        [STORY_EVENT_TOLD] = "story",
        [STORY_EVENT_CALL] = "call",
        [STORY_EVENT_RETURN] = "return",
        [STORY_EVENT_MESSAGE] = "message",
        [STORY_EVENT_WAIT] = "wait",
        [STORY_EVENT_WAIT_END] = "wait-end",
        [STORY_EVENT_INTERRUPT] = "interrupt",
        [STORY_EVENT_SENT] = "sent",
        [STORY_EVENT_ARRIVAL] = "arrival",
        [STORY_EVENT_BUFFERED] = "buffered",
        [STORY_EVENT_VISIBLE] = "visible",
        [STORY_EVENT_TIMER] = "timer",
        [STORY_EVENT_TRACE] = "trace",
        [STORY_EVENT_MARK] = "mark",
        [STORY_EVENT_SCHEDULE] = "schedule",
        [STORY_EVENT_BREACH] = "breach",
        [STORY_EVENT_MOMENT] = "moment",
        [STORY_EVENT_END] = "end",
    };

    return names[kind];
}
