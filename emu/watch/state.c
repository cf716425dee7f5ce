/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/state.h"

void
state_view_init(StateView *view)
{
    view->ranges = g_array_new(FALSE, FALSE, sizeof(StateRange));
    view->fifos = g_array_new(FALSE, FALSE, sizeof(StateFifo));
    view->left_out = g_array_new(FALSE, FALSE, sizeof(StateRange));
    view->blind = g_hash_table_new(NULL, NULL);
}

void
state_view_clear(StateView *view)
{
    g_clear_pointer(&view->ranges, g_array_unref);
    g_clear_pointer(&view->fifos, g_array_unref);
    g_clear_pointer(&view->left_out, g_array_unref);
    g_clear_pointer(&view->blind, g_hash_table_unref);
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
    g_array_set_size(view->left_out, 0);
    if (view->ranges->len > 0)
        g_array_append_vals(view->left_out, view->ranges->data,
                            view->ranges->len);
    for (guint i = 0; i < view->fifos->len; i++) {
        const StateFifo *fifo = &g_array_index(view->fifos, StateFifo, i);
        StateRange range = {fifo->physical, fifo->size};

        g_array_append_val(view->left_out, range);
    }
    g_array_sort(view->left_out, compare_ranges);
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

uint32_t
state_fifo_index(Machine *machine, const StateFifo *fifo)
{
    return word_at(machine, fifo->physical + fifo->read);
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

/* Clear what the ranges have of a copy of the line; false if nothing. */
static bool
blank_line(const GArray *ranges, gpa_t line_at, uint8_t *line)
{
    guint low = 0, high = ranges->len;
    bool any = false;

    while (low < high) {
        guint middle = (low + high) / 2;
        const StateRange *range = &g_array_index(ranges, StateRange, middle);

        if (range->physical + range->size <= line_at)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < ranges->len; low++) {
        const StateRange *range = &g_array_index(ranges, StateRange, low);
        gpa_t from = MAX(range->physical, line_at);
        gpa_t to = MIN(range->physical + range->size, line_at + LINE_BYTES);

        if (from >= to)
            break;
        memset(line + (from - line_at), 0, to - from);
        any = true;
    }
    return any;
}

static uint64_t
hash_line(gpa_t at, const uint8_t *line)
{
    Digest digest;

    digest_init(&digest);
    digest_u64(&digest, at);
    digest_bytes(&digest, line, LINE_BYTES);
    return digest_value(&digest);
}

/* A dirty line that differs from the base, of which something is left out. */
static uint64_t
hash_rest(const GArray *ranges, gpa_t at, const uint8_t *bytes,
          const uint8_t *before)
{
    uint8_t line[LINE_BYTES], base[LINE_BYTES];

    memcpy(line, bytes, LINE_BYTES);
    memcpy(base, before, LINE_BYTES);
    blank_line(ranges, at, line);
    blank_line(ranges, at, base);
    return memcmp(line, base, LINE_BYTES) == 0 ? 0 : hash_line(at, line);
}

/* Lines are added up, not chained: the order of dirtying must not matter; nor
 * must it that a counter has counted for the first time. */
static StateHash
hash_memory(Machine *machine, const StateView *view)
{
    static const uint8_t nothing[LINE_BYTES];
    const Gmem *memory = machine_memory(machine);
    StateHash sum = {0};

    for (uint32_t i = 0; i < memory->dirty_count; i++) {
        gpa_t at = (gpa_t)memory->dirty[i] << LINE_BITS;
        const uint8_t *bytes = memory->bytes + at;
        const uint8_t *base =
            memory->base != NULL ? memory->base + at : nothing;
        uint8_t line[LINE_BYTES];
        uint64_t hash;

        if (memcmp(bytes, base, LINE_BYTES) == 0)
            continue;
        memcpy(line, bytes, LINE_BYTES);
        if (UNLIKELY(blank_line(view->left_out, at, line))) {
            sum.shape += hash_rest(view->left_out, at, bytes, base);
            sum.but_counters += hash_rest(view->ranges, at, bytes, base);
            continue;
        }
        hash = hash_line(at, line);
        sum.shape += hash;
        sum.but_counters += hash;
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

void
state_hash(Machine *machine, const StateView *view, StateHash *hash)
{
    StateHash memory = hash_memory(machine, view);
    Digest digest;

    digest_init(&digest);
    for (unsigned i = 0; i < machine_cpus(machine); i++)
        cpu_digest_state(machine_cpu(machine, i), &digest);
    hash_messages(machine, &digest);
    hash->but_counters = digest_value(&digest) + memory.but_counters;
    digest_u64(&digest, memory.shape);
    for (guint k = 0; k < view->fifos->len; k++)
        hash_fifo(machine, &g_array_index(view->fifos, StateFifo, k), &digest);
    hash->shape = digest_value(&digest);
}

uint64_t
state_hash_exactly(Machine *machine, const StateView *view)
{
    g_autoptr(GArray) none = g_array_new(FALSE, FALSE, sizeof(StateRange));
    const GArray *ranges = view != NULL ? view->ranges : none;
    StateView exact = {.ranges = (GArray *)ranges, .fifos = none,
                       .left_out = (GArray *)ranges};
    StateHash hash;
    Digest digest;

    state_hash(machine, &exact, &hash);
    digest_init(&digest);
    digest_u64(&digest, hash.but_counters);
    if (machine_memory_options(machine)->model == MEMORY_WEAK)
        past_digest(machine_past(machine), &digest);
    return digest_value(&digest);
}
