/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/coverage.h"

#define WAITS_MAX 8u

/* Who stored a byte last, in one word: 0 nobody, or STORED, a hash of the
 * instruction's address, and the core. */
#define STORED 0x80000000u
#define CPU_BITS 6u

/* Index words of one line that belong to FIFOs, by their place in it. */
#define WORDS (LINE_BYTES / 4)

typedef struct Line {
    gpa_t at;
    bool ours;                     /* watched, and by nobody before */
    bool stored;                   /* some of `stores` is set */
    bool has_fifos;
    uint16_t fifos[WORDS];         /* which FIFO has its index here, 0 none,
                                      else its number + 1 */
    uint32_t stores[LINE_BYTES];
} Line;

/* Waits of one core that are open, the innermost last; deeper ones are
 * counted only. */
typedef struct Waits {
    unsigned count;
    gva_t at[WAITS_MAX];
} Waits;

struct Coverage {
    CoverageSetup setup;
    GPtrArray *lines;      /* Line */
    uint32_t *line_at;     /* by line of RAM: number in `lines` + 1, or 0 */
    GPtrArray *stored;     /* Line: those with `stored`, borrowed */
    GHashTable *probes;    /* address -> 1 push, 2 pop */
    bool collects;
    uint64_t waiting;      /* sum over the cores that wait */
    Waits waits[CPUS_MAX];
    uint16_t last[CPUS_MAX]; /* point of each core */
    unsigned hit_count;
    uint16_t hits[COVERAGE_POINTS];
    uint8_t times[COVERAGE_POINTS];
};

/* --- Points --------------------------------------------------------------- */

/* The finaliser of splitmix64 (Steele, Lea, Flood, "Fast splittable
 * pseudorandom number generators", 2014). */
static inline uint64_t
mix(uint64_t value)
{
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

/* An address as `stores` has it. */
static inline uint32_t
place_of(gva_t rip)
{
    return (uint32_t)(mix(rip) >> 32) >> 1 & ~((1u << CPU_BITS) - 1);
}

static inline uint16_t
number_of(CoverageKind kind, uint64_t a, uint64_t b)
{
    return (uint16_t)((mix(mix(a) ^ b) >> 51) << 3 | (uint64_t)kind);
}

uint16_t
coverage_number(CoverageKind kind, uint64_t a, uint64_t b)
{
    if (kind == COVERAGE_READS || kind == COVERAGE_MISSED)
        a = place_of(a);
    return number_of(kind, a, b);
}

static inline void
count(Coverage *coverage, uint16_t number)
{
    uint8_t *times = &coverage->times[number];

    if (*times == 0)
        coverage->hits[coverage->hit_count++] = number;
    if (*times < UINT8_MAX)
        ++*times;
}

/* Core `cpu` meets others: the point itself, and that it comes behind the
 * core's last one. */
static void
hit(Coverage *coverage, unsigned cpu, uint16_t number)
{
    uint16_t *last = &coverage->last[cpu];

    count(coverage, number);
    if (*last == number)
        return;
    count(coverage, number_of(COVERAGE_NEXT, *last, number));
    *last = number;
}

unsigned
coverage_fifo_class(uint32_t length, uint32_t depth)
{
    uint32_t room = depth - MIN(length, depth);
    bool full = length > depth / 2;
    uint32_t end = full ? room : length;
    unsigned bits = end == 0 ? 0 : 32u - (unsigned)__builtin_clz(end);

    return 2 * bits + full;
}

/* --- Loads and stores ----------------------------------------------------- */

static inline Line *
line_of(const Coverage *coverage, gpa_t physical)
{
    uint32_t number = coverage->line_at[physical >> LINE_BITS];

    return number == 0 ? NULL : coverage->lines->pdata[number - 1];
}

/* The bytes of its own buffered stores, without those of this instruction:
 * what a core forwards to itself.  One bit for each of the first 64. */
static uint64_t
forwarded(const Coverage *coverage, unsigned cpu, gpa_t physical,
          const InsnAccess *access, gva_t rip)
{
    unsigned count, own = access->mode & INSN_ACCESS_WRITE ? access->size : 0;
    const Store *stores = machine_stores(coverage->setup.machine, cpu, &count);
    uint64_t bytes = 0;

    for (; count > 0; count--) {
        const Store *store = &stores[count - 1];

        if (own >= store->size && store->rip == rip &&
            store->physical - physical < access->size) {
            own -= store->size;
            continue;
        }
        own = 0;
        for (unsigned i = 0; i < store->size; i++)
            if (store->physical + i - physical < 64)
                bytes |= UINT64_C(1) << (store->physical + i - physical);
    }
    return bytes;
}

/* Newer values of these bytes that the core does not see yet. */
static void
note_missed(Coverage *coverage, unsigned cpu, gpa_t physical, uint64_t size,
            gva_t rip)
{
    Machine *machine = coverage->setup.machine;

    for (unsigned i = 0; i < machine_cpus(machine); i++) {
        unsigned count;
        const Store *stores = machine_stores(machine, i, &count);

        for (unsigned k = 0; i != cpu && k < count; k++)
            if (stores[k].physical < physical + size &&
                physical < stores[k].physical + stores[k].size)
                hit(coverage, cpu,
                    number_of(COVERAGE_MISSED, place_of(stores[k].rip), rip));
    }
}

/* Who stored these bytes of one line?  `own`: a bit for each that the core
 * forwards to itself. */
static void
note_read_part(Coverage *coverage, unsigned cpu, gva_t rip, uint64_t own,
               gpa_t physical, uint64_t size)
{
    const Line *line = line_of(coverage, physical);
    const uint32_t *stores;
    uint32_t last = 0;

    if (line == NULL || !line->stored)
        return;
    stores = &line->stores[physical % LINE_BYTES];
    for (unsigned i = 0; i < size; i++) {
        if (stores[i] == last || own >> i & 1)
            continue;
        last = stores[i];
        if (last != 0 && last % (1u << CPU_BITS) != cpu)
            hit(coverage, cpu,
                number_of(COVERAGE_READS,
                          last & ~(STORED | ((1u << CPU_BITS) - 1)), rip));
    }
}

static void
note_load(Coverage *coverage, unsigned cpu, gpa_t physical,
          const InsnAccess *access)
{
    Machine *machine = coverage->setup.machine;
    const Cpu *core = machine_cpu(machine, cpu);
    gva_t rip = core->hooked_at;
    uint64_t own = 0, size = MIN(access->size, LINE_BYTES);

    if (core->late_size != 0) {
        hit(coverage, cpu, number_of(COVERAGE_LATE, rip, 0));
        return;
    }
    if (core->depth != 0) {
        own = forwarded(coverage, cpu, physical, access, rip);
        note_missed(coverage, cpu, physical, size, rip);
    }
    for (uint64_t at = 0, part; at < size; at += part) {
        part = MIN(size - at, LINE_BYTES - (physical + at) % LINE_BYTES);
        note_read_part(coverage, cpu, rip, own >> at, physical + at, part);
    }
}

/* An index is about to be moved: how full is the FIFO, as this core sees
 * it? */
static void
note_fifo(Coverage *coverage, unsigned cpu, gpa_t physical)
{
    const Line *line = line_of(coverage, physical);
    const StateFifo *fifo;
    unsigned number;

    if (line == NULL || !line->has_fifos)
        return;
    number = line->fifos[physical % LINE_BYTES / 4];
    if (number == 0)
        return;
    fifo = &g_array_index(coverage->setup.view->fifos, StateFifo, number - 1);
    hit(coverage, cpu,
        number_of(COVERAGE_FIFO, physical,
                  coverage_fifo_class(
                      state_fifo_length(coverage->setup.machine, fifo),
                      fifo->depth)));
}

void
coverage_access(Coverage *coverage, unsigned cpu, gpa_t physical,
                const InsnAccess *access)
{
    if (!coverage->collects)
        return;
    if (access->mode & INSN_ACCESS_READ)
        note_load(coverage, cpu, physical, access);
    if (access->mode & INSN_ACCESS_WRITE)
        note_fifo(coverage, cpu, physical);
}

void
coverage_visible(Coverage *coverage, unsigned cpu, gpa_t physical,
                 uint64_t size, gva_t rip)
{
    uint32_t store = STORED | place_of(rip) | cpu;

    if (!coverage->collects)
        return;
    for (gpa_t at = physical, end; at < physical + size; at = end) {
        Line *line = line_of(coverage, at);

        end = MIN((at / LINE_BYTES + 1) * LINE_BYTES, physical + size);
        if (line == NULL)
            continue;
        if (!line->stored)
            g_ptr_array_add(coverage->stored, line);
        line->stored = true;
        for (; at < end; at++)
            line->stores[at % LINE_BYTES] = store;
    }
}

/* --- Waits and interrupts ------------------------------------------------- */

/* What core `cpu` adds to the sum. */
static uint64_t
wait_of(const Coverage *coverage, unsigned cpu)
{
    const Waits *waits = &coverage->waits[cpu];

    return waits->count == 0
               ? 0
               : mix(waits->at[MIN(waits->count, WAITS_MAX) - 1] + cpu);
}

void
coverage_point(Coverage *coverage, unsigned cpu, gva_t rip)
{
    Waits *waits = &coverage->waits[cpu];
    unsigned what = GPOINTER_TO_UINT(
        g_hash_table_lookup(coverage->probes, GSIZE_TO_POINTER(rip)));

    if (what == 0)
        return;
    coverage->waiting -= wait_of(coverage, cpu);
    if (what == 1) {
        if (waits->count < WAITS_MAX)
            waits->at[waits->count] = rip;
        waits->count++;
    } else if (waits->count > 0)
        waits->count--;
    coverage->waiting += wait_of(coverage, cpu);
    if (coverage->waiting != 0)
        hit(coverage, cpu,
            number_of(COVERAGE_WAIT, coverage->waiting, 0));
}

void
coverage_interrupted(Coverage *coverage, unsigned cpu, unsigned vector,
                     gva_t rip)
{
    (void)cpu;
    count(coverage, number_of(COVERAGE_TAKEN, vector, rip));
}

/* --- A run ---------------------------------------------------------------- */

void
coverage_begin(Coverage *coverage)
{
    for (unsigned i = 0; i < coverage->hit_count; i++)
        coverage->times[coverage->hits[i]] = 0;
    coverage->hit_count = 0;
    for (guint i = 0; i < coverage->stored->len; i++) {
        Line *line = g_ptr_array_index(coverage->stored, i);

        memset(line->stores, 0, sizeof line->stores);
        line->stored = false;
    }
    g_ptr_array_set_size(coverage->stored, 0);
    memset(coverage->last, 0, sizeof coverage->last);
    memset(coverage->waits, 0, sizeof coverage->waits);
    coverage->waiting = 0;
}

const uint16_t *
coverage_hits(const Coverage *coverage, unsigned *count)
{
    *count = coverage->hit_count;
    return coverage->hits;
}

unsigned
coverage_times(const Coverage *coverage, uint16_t point)
{
    return coverage->times[point];
}

/* --- Life ----------------------------------------------------------------- */

static void
note_index(Line *line, gpa_t index, guint fifo)
{
    if (index >> LINE_BITS != line->at >> LINE_BITS)
        return;
    line->fifos[index % LINE_BYTES / 4] = (uint16_t)(fifo + 1);
    line->has_fifos = true;
}

static void
find_fifos(const Coverage *coverage, Line *line)
{
    const StateView *view = coverage->setup.view;

    for (guint i = 0; view != NULL && i < view->fifos->len; i++) {
        const StateFifo *fifo = &g_array_index(view->fifos, StateFifo, i);

        note_index(line, fifo->physical + fifo->written, i);
        note_index(line, fifo->physical + fifo->read, i);
    }
}

void
coverage_watch(Coverage *coverage, gpa_t physical)
{
    uint32_t *number = &coverage->line_at[physical >> LINE_BITS];
    Line *line;

    if (*number != 0)
        return;
    line = g_new0(Line, 1);
    line->at = physical >> LINE_BITS << LINE_BITS;
    find_fifos(coverage, line);
    g_ptr_array_add(coverage->lines, line);
    *number = coverage->lines->len;
    if (coverage->collects)
        line->ours = machine_watch_line(coverage->setup.machine, line->at);
}

/* Another case may have begun, and made an end of all watching. */
static bool
is_watched(Machine *machine, gpa_t at)
{
    return machine_memory(machine)->line_flags[at >> LINE_BITS] & GMEM_WATCHED;
}

void
coverage_collect(Coverage *coverage, bool enable)
{
    Machine *machine = coverage->setup.machine;

    if (coverage->collects == enable)
        return;
    coverage->collects = enable;
    for (guint i = 0; i < coverage->lines->len; i++) {
        Line *line = g_ptr_array_index(coverage->lines, i);

        if (enable)
            line->ours = machine_watch_line(machine, line->at);
        else if (line->ours && is_watched(machine, line->at))
            machine_unwatch_line(machine, line->at);
    }
}

static void
find_probes(Coverage *coverage)
{
    const CoverageSetup *setup = &coverage->setup;

    for (size_t i = 0;
         setup->image != NULL && i < image_probe_count(setup->image); i++) {
        const ImageProbe *probe = image_probe(setup->image, i);
        bool push = g_strcmp0(probe->name, setup->wait_push) == 0;
        bool pop = g_strcmp0(probe->name, setup->wait_pop) == 0;

        if (setup->wait_provider == NULL || (!push && !pop) ||
            g_strcmp0(probe->provider, setup->wait_provider) != 0)
            continue;
        g_hash_table_insert(coverage->probes,
                            GSIZE_TO_POINTER(probe->address),
                            GUINT_TO_POINTER(push ? 1u : 2u));
        code_mark(machine_code(setup->machine), probe->address, CODE_POINT);
    }
}

Coverage *
coverage_new(const CoverageSetup *setup)
{
    Coverage *coverage = g_new0(Coverage, 1);

    coverage->setup = *setup;
    coverage->lines = g_ptr_array_new_with_free_func(g_free);
    coverage->stored = g_ptr_array_new();
    coverage->line_at =
        g_new0(uint32_t, machine_memory(setup->machine)->size >> LINE_BITS);
    coverage->probes = g_hash_table_new(g_direct_hash, g_direct_equal);
    find_probes(coverage);
    return coverage;
}

void
coverage_free(Coverage *coverage)
{
    if (coverage == NULL)
        return;
    coverage_collect(coverage, false);
    g_ptr_array_unref(coverage->lines);
    g_ptr_array_unref(coverage->stored);
    g_hash_table_unref(coverage->probes);
    g_free(coverage->line_at);
    g_free(coverage);
}
