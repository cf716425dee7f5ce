/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/state.h"

void
state_view_init(StateView *view)
{
    view->ranges = g_array_new(FALSE, FALSE, sizeof(StateRange));
    view->fifos = g_array_new(FALSE, FALSE, sizeof(StateFifo));
}

void
state_view_clear(StateView *view)
{
    g_clear_pointer(&view->ranges, g_array_unref);
    g_clear_pointer(&view->fifos, g_array_unref);
}

static int
compare_ranges(gconstpointer a, gconstpointer b)
{
    const StateRange *x = a, *y = b;

    return x->physical < y->physical ? -1 : x->physical > y->physical;
}

static int
compare_fifos(gconstpointer a, gconstpointer b)
{
    const StateFifo *x = a, *y = b;

    return x->physical < y->physical ? -1 : x->physical > y->physical;
}

void
state_view_sort(StateView *view)
{
    g_array_sort(view->ranges, compare_ranges);
    g_array_sort(view->fifos, compare_fifos);
}

bool
state_is_comparable(Machine *machine)
{
    for (unsigned i = 0; i < machine_cpus(machine); i++)
        if (lapic_timer_deadline(&machine_cpu(machine, i)->state.lapic) !=
            TICKS_NEVER)
            return false;
    return true;
}

static uint32_t
word_at(Machine *machine, gpa_t physical)
{
    uint32_t word;

    memcpy(&word, machine_memory(machine)->bytes + physical, sizeof word);
    return word;
}

uint32_t
state_fifo_length(Machine *machine, const StateFifo *fifo)
{
    return word_at(machine, fifo->physical + fifo->written) -
           word_at(machine, fifo->physical + fifo->read);
}

static void
hash_fifo(Machine *machine, const StateFifo *fifo, Digest *digest)
{
    uint32_t read = word_at(machine, fifo->physical + fifo->read);
    uint32_t executed = word_at(machine, fifo->physical + fifo->executed);
    uint32_t length = state_fifo_length(machine, fifo);

    digest_u64(digest, length);
    digest_u64(digest, read - executed);
    for (uint32_t i = 0; i < MIN(length, fifo->depth); i++)
        digest_bytes(digest,
                     machine_memory(machine)->bytes + fifo->physical +
                         fifo->slots +
                         (uint64_t)((read + i) % fifo->depth) *
                             fifo->slot_size,
                     fifo->slot_size);
}

/* A line with the bytes of [physical, physical + size) cleared. */
static void
blank(uint8_t *line, gpa_t line_at, gpa_t physical, uint64_t size)
{
    gpa_t from = MAX(physical, line_at);
    gpa_t to = MIN(physical + size, line_at + LINE_BYTES);

    if (from < to)
        memset(line + (from - line_at), 0, to - from);
}

/* A copy of the line, without what the view leaves out. */
static void
copy_line(uint8_t line[LINE_BYTES], const uint8_t *bytes, gpa_t at,
          const StateView *view)
{
    memcpy(line, bytes + at, LINE_BYTES);
    for (guint k = 0; k < view->ranges->len; k++) {
        const StateRange *r = &g_array_index(view->ranges, StateRange, k);

        blank(line, at, r->physical, r->size);
    }
    for (guint k = 0; k < view->fifos->len; k++) {
        const StateFifo *f = &g_array_index(view->fifos, StateFifo, k);

        blank(line, at, f->physical, f->size);
    }
}

/* Lines are added up, not chained: the order of dirtying must not matter; nor
 * must it that a counter has counted for the first time. */
static uint64_t
hash_memory(Machine *machine, const StateView *view)
{
    const Gmem *memory = machine_memory(machine);
    uint64_t sum = 0;

    for (uint32_t i = 0; i < memory->dirty_count; i++) {
        gpa_t at = (gpa_t)memory->dirty[i] << LINE_BITS;
        uint8_t line[LINE_BYTES], base[LINE_BYTES];
        Digest digest;

        if (memory->base != NULL &&
            memcmp(memory->bytes + at, memory->base + at, LINE_BYTES) == 0)
            continue;
        copy_line(line, memory->bytes, at, view);
        if (memory->base != NULL) {
            copy_line(base, memory->base, at, view);
            if (memcmp(line, base, LINE_BYTES) == 0)
                continue;
        }
        digest_init(&digest);
        digest_u64(&digest, at);
        digest_bytes(&digest, line, LINE_BYTES);
        sum += digest_value(&digest);
    }
    return sum;
}

static void
hash_messages(Machine *machine, Digest *digest)
{
    unsigned count;
    const Message *messages = machine_messages(machine, &count);

    for (unsigned i = 0; i < count; i++) {
        digest_u64(digest, messages[i].target);
        digest_u64(digest, messages[i].message.source);
        digest_u64(digest, (uint64_t)messages[i].message.delivery << 8 |
                               messages[i].message.vector);
    }
}

uint64_t
state_hash(Machine *machine, const StateView *view)
{
    Digest digest;

    digest_init(&digest);
    for (unsigned i = 0; i < machine_cpus(machine); i++)
        cpu_digest_state(machine_cpu(machine, i), &digest);
    digest_u64(&digest, hash_memory(machine, view));
    for (guint k = 0; k < view->fifos->len; k++)
        hash_fifo(machine, &g_array_index(view->fifos, StateFifo, k), &digest);
    hash_messages(machine, &digest);
    return digest_value(&digest);
}

uint64_t
state_hash_exactly(Machine *machine, const StateView *view)
{
    g_autoptr(GArray) none = g_array_new(FALSE, FALSE, 1);
    StateView exact = {.ranges = view != NULL ? view->ranges : none,
                       .fifos = none};
    Digest digest;

    digest_init(&digest);
    for (unsigned i = 0; i < machine_cpus(machine); i++)
        cpu_digest_state(machine_cpu(machine, i), &digest);
    digest_u64(&digest, hash_memory(machine, &exact));
    if (machine_memory_options(machine)->model == MEMORY_WEAK)
        past_digest(machine_past(machine), &digest);
    hash_messages(machine, &digest);
    return digest_value(&digest);
}
