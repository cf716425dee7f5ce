/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "people/storylog_lanes.h"

#include "people/storylog_value.h"

/* A store that was in the buffer at the last look. */
typedef struct Lingering {
    gpa_t physical;
    gva_t rip;
    unsigned size;
    guint index; /* in record->stores */
} Lingering;

struct StoryLogLanes {
    const StoryLogSetup *setup;
    StoryRecord *record;
    unsigned fifos;             /* lanes of FIFOs come first */
    bool buffers;               /* then those of buffers, if there are any */
    uint32_t *values;           /* of each lane, at the last look */
    GArray *lingering[CPUS_MAX]; /* Lingering */
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
    for (unsigned i = 0; self->buffers && i < record->cpus; i++) {
        add_lane(record, -1, (int)i, memory->depth);
        self->lingering[i] = g_array_new(FALSE, FALSE, sizeof(Lingering));
    }
    self->values = g_new0(uint32_t, record->lanes->len);
    return self;
}

void
storylog_lanes_free(StoryLogLanes *self)
{
    if (self == NULL)
        return;
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
        g_array_index(self->record->stores, StoryStore, one->index).visible =
            step;
        g_array_remove_index(old, i);
    }
    return at;
}

static void
begin_new(StoryLogLanes *self, unsigned cpu, const Store *store, uint64_t step)
{
    GArray *stores = self->record->stores;
    g_autofree char *text = NULL;
    Lingering one = {
        .physical = store->physical,
        .rip = store->rip,
        .size = store->size,
        .index = stores->len,
    };
    StoryStore told = {
        .retired = step, .visible = STORY_NEVER, .cpu = (uint8_t)cpu};

    if (stores->len == STORYRECORD_STORES_MAX)
        return;
    text = storylog_value_store(self->setup, store);
    told.text = storyrecord_text(self->record, text);
    g_array_append_val(stores, told);
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
    for (unsigned cpu = 0; self->buffers && cpu < self->record->cpus; cpu++) {
        GArray *old = self->lingering[cpu];
        const Store *stores;
        unsigned count, at;

        stores = machine_stores(machine, cpu, &count);
        note(self, step, self->fifos + cpu, count);
        at = end_drained(self, old, stores, count, step);
        for (; at < count && old->len < count; at++)
            begin_new(self, cpu, &stores[at], step);
    }
}

void
storylog_lanes_read(StoryLogLanes *self, unsigned cpu, gpa_t physical,
                    uint64_t size)
{
    for (unsigned owner = 0; self->buffers && owner < self->record->cpus;
         owner++) {
        const GArray *old = self->lingering[owner];

        for (guint i = 0; owner != cpu && i < old->len; i++) {
            const Lingering *one = &g_array_index(old, Lingering, i);

            if (one->physical < physical + size &&
                physical < one->physical + one->size)
                g_array_index(self->record->stores, StoryStore, one->index)
                    .missed = true;
        }
    }
}
