/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/storylog_lanes.h"

#include "report/storylog_stand.h"
#include "report/storylog_value.h"

/* A store that was in the buffer at the last look. */
typedef struct Lingering {
    gpa_t physical;
    gva_t rip;
    unsigned size;
    uint32_t number;  /* in record->stores, from 1; 0: these were too many */
    uint64_t readers; /* cores that missed it */
} Lingering;

struct StoryLogLanes {
    const StoryLogSetup *setup;
    StoryRecord *record;
    unsigned fifos;             /* lanes of FIFOs come first */
    bool buffers;               /* then those of buffers, if there are any */
    uint32_t *values;           /* of each lane, at the last look */
    GArray *lingering[CPUS_MAX]; /* Lingering: the core's buffer */
    GArray *lines;              /* gpa_t: that are watched */
};

static void
add_lane(StoryRecord *record, int source, int target, uint32_t depth)
{
    StoryLane lane = {.source = source, .target = target, .depth = depth};

    g_array_append_val(record->lanes, lane);
}

StoryLogLanes *
storylog_lanes_new(const StoryLogSetup *setup, StoryRecord *record)
{
    StoryLogLanes *self = g_new0(StoryLogLanes, 1);
    const MemoryOptions *memory = machine_memory_options(setup->machine);

    self->setup = setup;
    self->record = record;
    for (guint i = 0; setup->view != NULL && i < setup->view->fifos->len; i++) {
        const StateFifo *fifo =
            &g_array_index(setup->view->fifos, StateFifo, i);

        add_lane(record, fifo->source, fifo->target, fifo->depth);
    }
    self->fifos = record->lanes->len;
    /* Under SC a store waits only inside of its read-modify-write. */
    self->buffers = memory->model != MEMORY_SC;
    for (unsigned i = 0; i < record->cpus; i++) {
        if (self->buffers)
            add_lane(record, -1, (int)i, memory->depth);
        self->lingering[i] = g_array_new(FALSE, FALSE, sizeof(Lingering));
    }
    self->lines = g_array_new(FALSE, FALSE, sizeof(gpa_t));
    self->values = g_new0(uint32_t, record->lanes->len);
    return self;
}

void
storylog_lanes_free(StoryLogLanes *self)
{
    if (self == NULL)
        return;
    for (guint i = 0; i < self->lines->len; i++)
        machine_unwatch_line(self->setup->machine,
                             g_array_index(self->lines, gpa_t, i));
    g_array_unref(self->lines);
    for (unsigned i = 0; i < CPUS_MAX; i++)
        if (self->lingering[i] != NULL)
            g_array_unref(self->lingering[i]);
    g_free(self->values);
    g_free(self);
}

static void
note(StoryLogLanes *self, uint64_t step, unsigned lane, uint32_t value)
{
    StorySample sample = {.step = step, .lane = lane, .value = value};

    if (self->values[lane] == value)
        return;
    self->values[lane] = value;
    storyrecord_sample(self->record, &sample);
}

/* --- Stores --------------------------------------------------------------- */

static StoryStore *
store_of(StoryLogLanes *self, const Lingering *one)
{
    return &g_array_index(self->record->stores, StoryStore, one->number - 1);
}

static bool
is_same(const Lingering *old, const Store *store)
{
    return old->physical == store->physical && old->rip == store->rip &&
           old->size == store->size;
}

/* What was there and is not any more has become visible.  Entries keep their
 * order, so each is looked for behind the one before. */
static unsigned
end_drained(StoryLogLanes *self, GArray *old, const Store *stores,
            unsigned count, uint64_t step)
{
    unsigned at = 0;

    for (guint i = 0; i < old->len;) {
        Lingering *one = &g_array_index(old, Lingering, i);
        unsigned k = at;

        while (k < count && !is_same(one, &stores[k]))
            k++;
        if (k < count) {
            at = k + 1;
            i++;
            continue;
        }
        if (one->number != 0)
            store_of(self, one)->visible = step;
        g_array_remove_index(old, i);
    }
    return at;
}

static void
begin_new(StoryLogLanes *self, unsigned cpu, const Store *store, uint64_t step)
{
    GArray *stores = self->record->stores;
    Lingering one = {
        .physical = store->physical,
        .rip = store->rip,
        .size = store->size,
    };
    StoryStore told = {
        .retired = step, .visible = STORY_NEVER, .cpu = (uint8_t)cpu};

    if (stores->len < STORYRECORD_STORES_MAX) {
        g_array_append_val(stores, told);
        one.number = stores->len;
    }
    g_array_append_val(self->lingering[cpu], one);
}

void
storylog_lanes_look(StoryLogLanes *self, uint64_t step)
{
    const StateView *view = self->setup->view;
    Machine *machine = self->setup->machine;

    for (unsigned i = 0; i < self->fifos; i++)
        note(self, step, i,
             state_fifo_length(machine,
                               &g_array_index(view->fifos, StateFifo, i)));
    for (unsigned cpu = 0; cpu < self->record->cpus; cpu++) {
        GArray *old = self->lingering[cpu];
        const Store *stores;
        unsigned count;

        stores = machine_stores(machine, cpu, &count);
        if (self->buffers)
            note(self, step, self->fifos + cpu, count);
        for (unsigned at = end_drained(self, old, stores, count, step);
             at < count && old->len < count; at++)
            begin_new(self, cpu, &stores[at], step);
    }
}

/* While its core runs, a store's value is in memory and not in the buffer, so
 * it is named once another one runs. */
static void
name_store(StoryLogLanes *self, unsigned cpu, unsigned index)
{
    const Lingering *one =
        &g_array_index(self->lingering[cpu], Lingering, index);
    unsigned count;
    const Store *stores = machine_stores(self->setup->machine, cpu, &count);
    g_autofree char *text = NULL;

    if (one->number == 0 || store_of(self, one)->text != NULL || index >= count)
        return;
    text = storylog_value_store(self->setup, &stores[index]);
    store_of(self, one)->text = storyrecord_text(self->record, text);
}

void
storylog_lanes_step(StoryLogLanes *self, unsigned stepping, uint64_t step)
{
    Machine *machine = self->setup->machine;

    storylog_lanes_look(self, step);
    for (unsigned cpu = 0; cpu < self->record->cpus; cpu++) {
        const GArray *lingering = self->lingering[cpu];

        for (guint i = 0; cpu != stepping && i < lingering->len; i++) {
            const Lingering *one = &g_array_index(lingering, Lingering, i);

            name_store(self, cpu, i);
            if (machine_watch_line(machine, one->physical))
                g_array_append_val(self->lines, one->physical);
        }
    }
}

/* The newest store of a core that these bytes overlap, with a name; or NULL. */
static Lingering *
find_newest(StoryLogLanes *self, unsigned cpu, gpa_t physical, uint64_t size)
{
    GArray *lingering = self->lingering[cpu];

    for (guint i = lingering->len; i-- > 0;) {
        Lingering *one = &g_array_index(lingering, Lingering, i);

        if (one->physical >= physical + size ||
            physical >= one->physical + one->size)
            continue;
        name_store(self, cpu, i);
        return one->number != 0 && store_of(self, one)->text != NULL ? one
                                                                     : NULL;
    }
    return NULL;
}

/* Has this core missed it before, or one like it that is buffered as well, as
 * a loop leaves them? */
static bool
was_missed(const GArray *lingering, const Lingering *one, unsigned reader)
{
    for (guint i = 0; i < lingering->len; i++) {
        const Lingering *other = &g_array_index(lingering, Lingering, i);

        if (other->physical == one->physical && other->rip == one->rip &&
            other->readers >> reader & 1)
            return true;
    }
    return false;
}

/* Only now is it known that its way into the buffer is worth a line. */
static void
tell_buffered(StoryLogLanes *self, const Lingering *one)
{
    const StoryStore *store = store_of(self, one);
    g_autofree char *value =
        g_strndup(store->text, strcspn(store->text, ","));
    g_autofree char *text = g_strdup_printf("buffers %s", value);
    StoryEvent event = {
        .step = store->retired,
        .cpu = store->cpu,
        .kind = STORY_EVENT_BUFFERED,
        .address = one->rip,
        .store = one->number,
        .text = text,
    };

    storylog_locate(self->setup, self->record, &event);
    storyrecord_aside(self->record, &event);
}

char *
storylog_lanes_read(StoryLogLanes *self, gpa_t physical, uint64_t size,
                    StoryEvent *event)
{
    for (unsigned owner = 0; owner < self->record->cpus; owner++) {
        Lingering *one = owner == event->cpu
                             ? NULL
                             : find_newest(self, owner, physical, size);

        if (one == NULL ||
            was_missed(self->lingering[owner], one, event->cpu))
            continue;
        if (one->readers == 0)
            tell_buffered(self, one);
        one->readers |= UINT64_C(1) << event->cpu;
        store_of(self, one)->missed = true;
        event->store = one->number;
        return g_strdup_printf("misses %s of cpu%u, still buffered",
                               store_of(self, one)->text, owner);
    }
    return NULL;
}

char *
storylog_lanes_drain(StoryLogLanes *self, unsigned index, StoryEvent *event)
{
    const GArray *lingering = self->lingering[event->cpu];
    const Lingering *one;

    if (index >= lingering->len)
        return NULL;
    one = &g_array_index(lingering, Lingering, index);
    if (one->readers == 0)
        return NULL;
    event->store = one->number;
    return g_strdup_printf("visible: %s", store_of(self, one)->text);
}
