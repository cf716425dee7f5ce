/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "people/storylog_stores.h"

#include "people/storylog_value.h"

/* A store that somebody missed, and that is still buffered. */
typedef struct Missed {
    unsigned owner;
    gpa_t physical;
    gva_t rip;
    uint64_t readers; /* cores that missed it */
} Missed;

struct StoryLogStores {
    const StoryLogSetup *setup;
    GArray *missed; /* Missed */
    GArray *lines;  /* gpa_t: that are watched for this */
};

StoryLogStores *
storylog_stores_new(const StoryLogSetup *setup)
{
    StoryLogStores *self = g_new0(StoryLogStores, 1);

    self->setup = setup;
    self->missed = g_array_new(FALSE, FALSE, sizeof(Missed));
    self->lines = g_array_new(FALSE, FALSE, sizeof(gpa_t));
    return self;
}

void
storylog_stores_free(StoryLogStores *self)
{
    if (self == NULL)
        return;
    for (guint i = 0; i < self->lines->len; i++)
        machine_unwatch_line(self->setup->machine,
                             g_array_index(self->lines, gpa_t, i));
    g_array_unref(self->missed);
    g_array_unref(self->lines);
    g_free(self);
}

static bool
is_buffered(const StoryLogStores *self, const Missed *missed)
{
    unsigned count;
    const Store *stores =
        machine_stores(self->setup->machine, missed->owner, &count);

    for (unsigned i = 0; i < count; i++)
        if (stores[i].physical == missed->physical &&
            stores[i].rip == missed->rip)
            return true;
    return false;
}

/* Fences drain unasked. */
static void
forget_drained(StoryLogStores *self)
{
    for (guint i = self->missed->len; i-- > 0;)
        if (!is_buffered(self, &g_array_index(self->missed, Missed, i)))
            g_array_remove_index(self->missed, i);
}

void
storylog_stores_linger(StoryLogStores *self, unsigned stepping)
{
    Machine *machine = self->setup->machine;

    forget_drained(self);
    for (unsigned cpu = 0; cpu < machine_cpus(machine); cpu++) {
        unsigned count;
        const Store *stores = machine_stores(machine, cpu, &count);

        if (cpu == stepping)
            continue;
        for (unsigned i = 0; i < count; i++)
            if (machine_watch_line(machine, stores[i].physical))
                g_array_append_val(self->lines, stores[i].physical);
    }
}

static Missed *
find_missed(StoryLogStores *self, unsigned owner, const Store *store)
{
    for (guint i = 0; i < self->missed->len; i++) {
        Missed *missed = &g_array_index(self->missed, Missed, i);

        if (missed->owner == owner && missed->physical == store->physical &&
            missed->rip == store->rip)
            return missed;
    }
    return NULL;
}

/* Returns whether it is the first time. */
static bool
note_missed(StoryLogStores *self, unsigned owner, const Store *store,
            unsigned reader)
{
    uint64_t bit = UINT64_C(1) << reader;
    Missed *missed = find_missed(self, owner, store);
    Missed first = {.owner = owner,
                    .physical = store->physical,
                    .rip = store->rip,
                    .readers = bit};

    if (missed == NULL) {
        g_array_append_val(self->missed, first);
        return true;
    }
    if (missed->readers & bit)
        return false;
    missed->readers |= bit;
    return true;
}

char *
storylog_stores_access(StoryLogStores *self, unsigned cpu, gpa_t physical,
                       const InsnAccess *access)
{
    Machine *machine = self->setup->machine;

    if (!(access->mode & INSN_ACCESS_READ))
        return NULL;
    for (unsigned owner = 0; owner < machine_cpus(machine); owner++) {
        unsigned count;
        const Store *stores = machine_stores(machine, owner, &count);

        if (owner == cpu)
            continue;
        for (unsigned i = count; i-- > 0;) {
            g_autofree char *text = NULL;

            if (stores[i].physical >= physical + access->size ||
                physical >= stores[i].physical + stores[i].size ||
                !note_missed(self, owner, &stores[i], cpu))
                continue;
            text = storylog_value_store(self->setup, &stores[i]);
            return g_strdup_printf("misses %s of cpu%u, still buffered", text,
                                   owner);
        }
    }
    return NULL;
}

char *
storylog_stores_drain(StoryLogStores *self, unsigned cpu, unsigned index)
{
    unsigned count;
    const Store *stores = machine_stores(self->setup->machine, cpu, &count);
    g_autofree char *text = NULL;

    if (index >= count || find_missed(self, cpu, &stores[index]) == NULL)
        return NULL;
    text = storylog_value_store(self->setup, &stores[index]);
    return g_strdup_printf("visible: %s", text);
}
