/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/state.h"

/* What a line adds to the hash.  It depends on its place and its bytes alone,
 * so lines that change from round to round of a loop, a few, are all that is
 * hashed again; `used` by one line at a time, the last that fell there. */
struct StateLine {
    bool used, partly; /* something of it is left out */
    uint32_t number;
    uint8_t bytes[LINE_BYTES];
    StateHash hash;
};

#define CACHE_LINES 1024u /* of memory, and as many of its base */

void
state_view_init(StateView *view)
{
    view->ranges = g_array_new(FALSE, FALSE, sizeof(StateRange));
    view->fifos = g_array_new(FALSE, FALSE, sizeof(StateFifo));
    view->left_out = g_array_new(FALSE, FALSE, sizeof(StateRange));
    view->blind = g_hash_table_new(NULL, NULL);
    view->lines = g_new0(StateLine, 2 * CACHE_LINES);
}

void
state_view_clear(StateView *view)
{
    g_clear_pointer(&view->ranges, g_array_unref);
    g_clear_pointer(&view->fifos, g_array_unref);
    g_clear_pointer(&view->left_out, g_array_unref);
    g_clear_pointer(&view->blind, g_hash_table_unref);
    g_clear_pointer(&view->lines, g_free);
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
    memset(view->lines, 0, 2 * CACHE_LINES * sizeof *view->lines);
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

const StateFifo *
state_waiting_fifo(Machine *machine, const StateView *view)
{
    for (guint i = 0; view != NULL && i < view->fifos->len; i++) {
        const StateFifo *fifo = &g_array_index(view->fifos, StateFifo, i);

        if (state_fifo_length(machine, fifo) != 0)
            return fifo;
    }
    return NULL;
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

/* --- Memory --------------------------------------------------------------- */

/* Clear what the ranges have of the line; false if nothing. */
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

/* `blanked` says whether something was left out. */
static uint64_t
hash_line(const GArray *left_out, gpa_t at, const uint8_t *bytes,
          bool *blanked)
{
    uint8_t line[LINE_BYTES];
    Digest digest;

    memcpy(line, bytes, LINE_BYTES);
    *blanked = blank_line(left_out, at, line);
    digest_init(&digest);
    digest_u64(&digest, at);
    digest_bytes(&digest, line, LINE_BYTES);
    return digest_value(&digest);
}

static const StateLine *
see_line(const StateView *view, StateLine *known, uint32_t number,
         const uint8_t *bytes)
{
    gpa_t at = (gpa_t)number << LINE_BITS;
    bool counts;

    if (known->used && known->number == number &&
        memcmp(known->bytes, bytes, LINE_BYTES) == 0)
        return known;
    known->used = true;
    known->number = number;
    memcpy(known->bytes, bytes, LINE_BYTES);
    known->hash.shape = hash_line(view->left_out, at, bytes, &known->partly);
    known->hash.but_counters =
        known->partly ? hash_line(view->ranges, at, bytes, &counts)
                      : known->hash.shape;
    return known;
}

/*
 * Lines are added up, not chained: the order of dirtying must not matter; nor
 * must it that a counter has counted for the first time, so that a line of
 * which something is left out counts as it differs from its base.
 */
static StateHash
hash_memory(Machine *machine, const StateView *view)
{
    static const uint8_t nothing[LINE_BYTES];
    const Gmem *memory = machine_memory(machine);
    StateHash sum = {0};
    StateLine own[2];

    for (uint32_t i = 0; i < memory->dirty_count; i++) {
        uint32_t number = memory->dirty[i];
        gpa_t at = (gpa_t)number << LINE_BITS;
        const uint8_t *base =
            memory->base != NULL ? memory->base + at : nothing;
        StateLine *known = own;
        const StateLine *line;

        if (memcmp(memory->bytes + at, base, LINE_BYTES) == 0)
            continue;
        if (view->lines != NULL)
            known = &view->lines[number % CACHE_LINES * 2];
        else
            own[0].used = own[1].used = false;
        line = see_line(view, &known[0], number, memory->bytes + at);
        sum.shape += line->hash.shape;
        sum.but_counters += line->hash.but_counters;
        if (!line->partly)
            continue;
        line = see_line(view, &known[1], number, base);
        sum.shape -= line->hash.shape;
        sum.but_counters -= line->hash.but_counters;
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
