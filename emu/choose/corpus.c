/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/corpus.h"

G_DEFINE_QUARK(heddle-corpus-error, corpus_error)

/* Weights are worked out anew after so many picks. */
#define WEIGH_EVERY 256u

/* The weight of an entry whose rarest point one run has hit, were it the only
 * one of its kind. */
#define WEIGHT_MAX (UINT64_C(1) << 40)

/* More runs that hit one point are not told apart. */
#define RUNS_MAX UINT32_MAX

/* After so many picks an entry has half of its weight, after twice as many a
 * third, ... */
#define PICKS_HALVE 16u

typedef struct Entry {
    GByteArray *tape;  /* kinds and values as LEB128 */
    uint16_t *points;  /* that no run before had hit */
    unsigned count;
    uint32_t picks;
    uint64_t weight;   /* when entries were weighed last */
} Entry;

struct Corpus {
    GPtrArray *entries;        /* Entry */
    uint32_t runs[COVERAGE_POINTS]; /* that hit each point */
    unsigned kinds[COVERAGE_KINDS]; /* how many of each kind are not 0 */
    uint64_t noted;            /* runs */
    GArray *sums;              /* uint64_t: of the weights up to each entry */
    unsigned picks;            /* since entries were weighed */
};

static void
free_entry(gpointer data)
{
    Entry *entry = data;

    g_byte_array_unref(entry->tape);
    g_free(entry->points);
    g_free(entry);
}

Corpus *
corpus_new(void)
{
    Corpus *corpus = g_new0(Corpus, 1);

    corpus->entries = g_ptr_array_new_with_free_func(free_entry);
    corpus->sums = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    return corpus;
}

void
corpus_free(Corpus *corpus)
{
    if (corpus == NULL)
        return;
    g_ptr_array_unref(corpus->entries);
    g_array_unref(corpus->sums);
    g_free(corpus);
}

unsigned
corpus_size(const Corpus *corpus)
{
    return corpus->entries->len;
}

unsigned
corpus_points(const Corpus *corpus)
{
    unsigned points = 0;

    for (unsigned i = 0; i < COVERAGE_KINDS; i++)
        points += corpus->kinds[i];
    return points;
}

uint64_t
corpus_runs(const Corpus *corpus)
{
    return corpus->noted;
}

/* Another run hit the point; `runs` of them have now. */
static void
set_runs(Corpus *corpus, uint16_t point, uint32_t runs)
{
    if (corpus->runs[point] == 0 && runs != 0)
        corpus->kinds[coverage_kind(point)]++;
    corpus->runs[point] = runs;
}

/* --- Numbers -------------------------------------------------------------- */

static void
put_number(GByteArray *bytes, uint64_t number)
{
    do {
        uint8_t byte = (number & 0x7f) | (number > 0x7f ? 0x80 : 0);

        g_byte_array_append(bytes, &byte, 1);
        number >>= 7;
    } while (number != 0);
}

typedef struct Reader {
    const uint8_t *bytes;
    size_t size, at;
    bool failed;
} Reader;

static uint64_t
get_number(Reader *reader, uint64_t most)
{
    uint64_t number = 0;

    for (unsigned shift = 0; shift < 64 && reader->at < reader->size;
         shift += 7) {
        uint8_t byte = reader->bytes[reader->at++];

        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte & 0x80)
            continue;
        if (number > most)
            break;
        return number;
    }
    reader->failed = true;
    return 0;
}

/* --- Weights -------------------------------------------------------------- */

/* How rare the point is, among those of its kind. */
static uint64_t
rarity_of(const Corpus *corpus, uint16_t point)
{
    return WEIGHT_MAX / corpus->runs[point] /
           corpus->kinds[coverage_kind(point)];
}

static uint64_t
weight_of(const Corpus *corpus, const Entry *entry)
{
    uint64_t weight = 0;

    for (unsigned i = 0; i < entry->count; i++)
        weight = MAX(weight, rarity_of(corpus, entry->points[i]));
    return MAX(weight / (1 + entry->picks / PICKS_HALVE), 1);
}

static uint64_t
sum_of(const Corpus *corpus)
{
    GArray *sums = corpus->sums;

    return sums->len == 0 ? 0
                          : g_array_index(sums, uint64_t, sums->len - 1);
}

static void
add_weight(Corpus *corpus, const Entry *entry)
{
    uint64_t sum = sum_of(corpus) + entry->weight;

    g_array_append_val(corpus->sums, sum);
}

static void
weigh(Corpus *corpus)
{
    g_array_set_size(corpus->sums, 0);
    for (guint i = 0; i < corpus->entries->len; i++) {
        Entry *entry = g_ptr_array_index(corpus->entries, i);

        entry->weight = weight_of(corpus, entry);
        add_weight(corpus, entry);
    }
    corpus->picks = 0;
}

/* --- Noting --------------------------------------------------------------- */

static GByteArray *
pack(const Tape *tape)
{
    GByteArray *bytes = g_byte_array_new();

    for (size_t i = 0; i < tape->count; i++) {
        put_number(bytes, tape->items[i].kind);
        put_number(bytes, tape->items[i].value);
    }
    return bytes;
}

/* `points` become the entry's. */
static Entry *
add_entry(Corpus *corpus, GArray *points)
{
    Entry *entry = g_new0(Entry, 1);

    entry->count = points->len;
    entry->points = (uint16_t *)(void *)g_array_free(points, FALSE);
    g_ptr_array_add(corpus->entries, entry);
    return entry;
}

bool
corpus_note(Corpus *corpus, const Tape *tape, const uint16_t *points,
            unsigned count)
{
    GArray *fresh = NULL;
    Entry *entry;

    for (unsigned i = 0; i < count; i++) {
        uint32_t runs = corpus->runs[points[i]];

        if (runs == 0) {
            if (fresh == NULL)
                fresh = g_array_new(FALSE, FALSE, sizeof *points);
            g_array_append_val(fresh, points[i]);
        }
        if (runs < RUNS_MAX)
            set_runs(corpus, points[i], runs + 1);
    }
    corpus->noted++;
    if (fresh == NULL)
        return false;
    entry = add_entry(corpus, fresh);
    entry->tape = pack(tape);
    entry->weight = weight_of(corpus, entry);
    add_weight(corpus, entry);
    return true;
}

/* --- Picking -------------------------------------------------------------- */

/* The first entry whose sum is beyond `at`. */
static guint
find_sum(const Corpus *corpus, uint64_t at)
{
    guint low = 0, high = corpus->sums->len - 1;

    while (low < high) {
        guint middle = (low + high) / 2;

        if (g_array_index(corpus->sums, uint64_t, middle) > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void
unpack(const GByteArray *bytes, Tape *tape)
{
    Reader reader = {.bytes = bytes->data, .size = bytes->len};

    tape_rewind(tape);
    while (reader.at < reader.size) {
        uint64_t kind = get_number(&reader, DECISION_KINDS - 1);

        tape_push(tape, (DecisionKind)kind, get_number(&reader, UINT64_MAX));
    }
    INVARIANT(!reader.failed);
}

void
corpus_pick(Corpus *corpus, Prng *prng, bool counts, Tape *tape)
{
    Entry *entry;

    INVARIANT(corpus->entries->len > 0);
    if (corpus->picks++ >= WEIGH_EVERY)
        weigh(corpus);
    entry = g_ptr_array_index(
        corpus->entries,
        find_sum(corpus, prng_below(prng, sum_of(corpus))));
    entry->picks += counts;
    unpack(entry->tape, tape);
}

/* --- As bytes ------------------------------------------------------------- */

/*
 *      MAGIC
 *      runs, picks
 *      for each point that was hit: its distance from the last one (the first
 *          from -1), how many runs; then 0
 *      for each entry: 1, picks, weight, number of points, each point, size of
 *          the tape, the tape; then 0
 */
#define MAGIC "heddle corpus 1\n"

GBytes *
corpus_save(const Corpus *corpus)
{
    GByteArray *bytes = g_byte_array_new();
    unsigned last = 0;

    g_byte_array_append(bytes, (const uint8_t *)MAGIC, strlen(MAGIC));
    put_number(bytes, corpus->noted);
    put_number(bytes, corpus->picks);
    for (unsigned i = 0; i < COVERAGE_POINTS; i++)
        if (corpus->runs[i] != 0) {
            put_number(bytes, i + 1 - last);
            put_number(bytes, corpus->runs[i]);
            last = i + 1;
        }
    put_number(bytes, 0);
    for (guint i = 0; i < corpus->entries->len; i++) {
        const Entry *entry = g_ptr_array_index(corpus->entries, i);

        put_number(bytes, 1);
        put_number(bytes, entry->picks);
        put_number(bytes, entry->weight);
        put_number(bytes, entry->count);
        for (unsigned k = 0; k < entry->count; k++)
            put_number(bytes, entry->points[k]);
        put_number(bytes, entry->tape->len);
        g_byte_array_append(bytes, entry->tape->data, entry->tape->len);
    }
    put_number(bytes, 0);
    return g_byte_array_free_to_bytes(bytes);
}

static void
read_points(Reader *reader, Corpus *corpus)
{
    uint64_t at = 0, distance;

    while ((distance = get_number(reader, COVERAGE_POINTS - at)) != 0) {
        uint32_t runs = (uint32_t)get_number(reader, RUNS_MAX);

        at += distance;
        set_runs(corpus, (uint16_t)(at - 1), runs);
        if (runs == 0)
            reader->failed = true;
    }
}

/* A tape that unpack() can read. */
static GByteArray *
read_tape(Reader *reader)
{
    size_t size = get_number(reader, reader->size);
    GByteArray *tape = g_byte_array_new();
    size_t begin = reader->at;

    while (!reader->failed && reader->at - begin < size) {
        get_number(reader, DECISION_KINDS - 1);
        get_number(reader, UINT64_MAX);
    }
    if (reader->at - begin != size)
        reader->failed = true;
    g_byte_array_append(tape, reader->bytes + begin,
                        (guint)(reader->at - begin));
    return tape;
}

static void
read_entry(Reader *reader, Corpus *corpus)
{
    GArray *points = g_array_new(FALSE, FALSE, sizeof(uint16_t));
    uint64_t picks = get_number(reader, UINT32_MAX);
    uint64_t weight = get_number(reader, WEIGHT_MAX);
    uint64_t count = get_number(reader, COVERAGE_POINTS);
    Entry *entry;

    for (uint64_t i = 0; i < count && !reader->failed; i++) {
        uint16_t point = (uint16_t)get_number(reader, COVERAGE_POINTS - 1);

        if (corpus->runs[point] == 0)
            reader->failed = true;
        g_array_append_val(points, point);
    }
    if (count == 0)
        reader->failed = true;
    entry = add_entry(corpus, points);
    entry->picks = (uint32_t)picks;
    entry->weight = MAX(weight, 1);
    entry->tape = read_tape(reader);
    add_weight(corpus, entry);
}

Corpus *
corpus_load(GBytes *bytes, GError **error)
{
    g_autoptr(Corpus) corpus = corpus_new();
    Reader reader = {.at = strlen(MAGIC)};

    reader.bytes = g_bytes_get_data(bytes, &reader.size);
    if (reader.size < reader.at ||
        memcmp(reader.bytes, MAGIC, reader.at) != 0)
        reader.failed = true;
    corpus->noted = get_number(&reader, UINT64_MAX);
    corpus->picks = (unsigned)get_number(&reader, UINT32_MAX);
    if (!reader.failed)
        read_points(&reader, corpus);
    while (!reader.failed && get_number(&reader, 1) == 1)
        read_entry(&reader, corpus);
    if (!reader.failed && reader.at == reader.size)
        return g_steal_pointer(&corpus);
    g_set_error(error, CORPUS_ERROR, CORPUS_ERROR_FORMAT,
                "the corpus is damaged at byte %zu, or of another version of "
                "heddle: begin without it",
                reader.at);
    return NULL;
}

/* --- Joining -------------------------------------------------------------- */

void
corpus_join(Corpus *corpus, const Corpus *other)
{
    for (guint i = 0; i < other->entries->len; i++) {
        const Entry *theirs = g_ptr_array_index(other->entries, i);
        GArray *fresh = g_array_new(FALSE, FALSE, sizeof(uint16_t));
        Entry *entry;

        for (unsigned k = 0; k < theirs->count; k++)
            if (corpus->runs[theirs->points[k]] == 0)
                g_array_append_val(fresh, theirs->points[k]);
        if (fresh->len == 0) {
            g_array_unref(fresh);
            continue;
        }
        for (guint k = 0; k < fresh->len; k++)
            set_runs(corpus, g_array_index(fresh, uint16_t, k), 1);
        entry = add_entry(corpus, fresh);
        entry->tape = g_byte_array_ref(theirs->tape);
    }
    for (unsigned i = 0; i < COVERAGE_POINTS; i++)
        set_runs(corpus, (uint16_t)i,
                 MAX(corpus->runs[i], other->runs[i]));
    corpus->noted = MAX(corpus->noted, other->noted);
    weigh(corpus);
}
