/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "parts/past.h"

void
past_init(Past *past, unsigned cores)
{
    *past = (Past){0};
    past->cores = cores == 64 ? UINT64_MAX : (UINT64_C(1) << cores) - 1;
}

static gpa_t
line_of(const PastStore *store)
{
    return store->physical >> LINE_BITS;
}

void
past_mark_lines(const Past *past, Gmem *gmem)
{
    for (unsigned i = 0; i < past->count; i++)
        gmem->line_flags[line_of(&past->stores[i])] |= GMEM_PAST;
}

static void
unmark_lines(const Past *past, Gmem *gmem)
{
    for (unsigned i = 0; i < past->count; i++)
        gmem->line_flags[line_of(&past->stores[i])] &= (uint8_t)~GMEM_PAST;
}

void
past_forget(Past *past, Gmem *gmem)
{
    if (past->count == 0)
        return;
    unmark_lines(past, gmem);
    memset(past->newest, 0, sizeof past->newest);
    memset(past->foreign, 0, sizeof past->foreign);
    past->count = 0;
}

static bool
overlaps(const PastStore *store, gpa_t physical, uint64_t size)
{
    return store->physical < physical + size &&
           physical < store->physical + store->size;
}

/* Put the store at `index` into its chain, as the newest. */
static void
chain(Past *past, unsigned index)
{
    PastStore *store = &past->stores[index];
    unsigned number = past_chain(store->physical);

    store->older = past->newest[number];
    past->newest[number] = (uint8_t)(index + 1);
    past->foreign[number] |= past->cores & ~(UINT64_C(1) << store->maker);
}

/* Can anybody still go back behind the store, or behind an older one of its
 * line?  Then its bytes are needed: a load is of one moment. */
static bool
is_needed(const Past *past, const PastStore *store)
{
    if (store->passed != past->cores)
        return true;
    for (unsigned i = past->newest[past_chain(store->physical)]; i != 0;
         i = past->stores[i - 1].older)
        if (line_of(&past->stores[i - 1]) == line_of(store))
            return true;
    return false;
}

/* Keep what is not among the `oldest` first, and what is needed. */
static void
thin_out(Past *past, Gmem *gmem, unsigned oldest)
{
    unsigned count = past->count;

    unmark_lines(past, gmem);
    memset(past->newest, 0, sizeof past->newest);
    memset(past->foreign, 0, sizeof past->foreign);
    past->count = 0;
    for (unsigned i = oldest; i < count; i++)
        if (is_needed(past, &past->stores[i])) {
            past->stores[past->count] = past->stores[i];
            chain(past, past->count++);
        }
    past_mark_lines(past, gmem);
}

/* Core `cpu` knows of the stores of these bytes up to `order`. */
static bool
pass(Past *past, unsigned cpu, gpa_t physical, uint64_t size, uint64_t order)
{
    bool full = false;

    for (unsigned i = past->newest[past_chain(physical)]; i != 0;) {
        PastStore *store = &past->stores[i - 1];

        i = store->older;
        if (store->order > order || !overlaps(store, physical, size))
            continue;
        store->passed |= UINT64_C(1) << cpu;
        full |= store->passed == past->cores;
    }
    return full;
}

void
past_note(Past *past, Gmem *gmem, unsigned cpu, gpa_t physical, unsigned size,
          uint64_t old)
{
    uint64_t bit = UINT64_C(1) << cpu;

    INVARIANT(size >= 1 && physical % LINE_BYTES + size <= LINE_BYTES);
    if (bit == past->cores)
        return;
    if (past_is_foreign(past, cpu, physical))
        pass(past, cpu, physical, size, past->orders);
    if (past->count == PAST_STORES_MAX) /* half: it has a cost of its own */
        thin_out(past, gmem, PAST_STORES_MAX / 2);
    past->stores[past->count] = (PastStore){
        .order = ++past->orders,
        .passed = bit,
        .physical = physical,
        .old = old,
        .size = (uint8_t)size,
        .maker = (uint8_t)cpu,
    };
    chain(past, past->count++);
    gmem->line_flags[physical >> LINE_BITS] |= GMEM_PAST;
}

void
past_barrier(Past *past, Gmem *gmem, unsigned cpu)
{
    bool full = false;

    if (past->count == 0)
        return;
    for (unsigned i = 0; i < past->count; i++) {
        past->stores[i].passed |= UINT64_C(1) << cpu;
        full |= past->stores[i].passed == past->cores;
    }
    if (full)
        thin_out(past, gmem, 0);
}

/* Lay what the store overwrote over a value read at `physical`. */
static uint64_t
undo(const PastStore *store, gpa_t physical, unsigned size, uint64_t value)
{
    for (unsigned k = 0; k < store->size; k++) {
        gpa_t at = store->physical + k;
        unsigned shift;

        if (at < physical || at - physical >= size)
            continue;
        shift = 8 * (unsigned)(at - physical);
        value = (value & ~(UINT64_C(0xff) << shift)) |
                (store->old >> 8 * k & 0xff) << shift;
    }
    return value;
}

void
past_look(const Past *past, const Gmem *gmem, unsigned cpu, gpa_t physical,
          unsigned size, uint64_t behind, PastView *view)
{
    uint64_t value = 0;

    INVARIANT(size >= 1 && size <= 8);
    memcpy(&value, gmem->bytes + physical, size);
    view->count = 1;
    view->value[0] = value;
    view->order[0] = 0;
    view->own[0] = false;
    for (unsigned i = past->newest[past_chain(physical)]; i != 0;) {
        const PastStore *store = &past->stores[i - 1];

        i = store->older;
        if (!overlaps(store, physical, size))
            continue;
        view->order[view->count - 1] = store->order;
        view->own[view->count - 1] = store->maker == cpu;
        if (store->passed >> cpu & 1 || store->order <= behind)
            return;
        value = undo(store, physical, size, value);
        view->value[view->count] = value;
        view->order[view->count] = 0;
        view->own[view->count] = false;
        view->count++;
    }
}

void
past_read(Past *past, Gmem *gmem, unsigned cpu, gpa_t physical, uint64_t size,
          uint64_t order)
{
    if (pass(past, cpu, physical, size, order))
        thin_out(past, gmem, 0);
}

void
past_expect(Past *past, Gmem *gmem, unsigned cpu, uint64_t lines)
{
    bool full = false;

    for (unsigned i = 0; i < past->count; i++) {
        PastStore *store = &past->stores[i];

        if (lines >> line_of(store) % 64 & 1)
            continue;
        store->passed |= UINT64_C(1) << cpu;
        full |= store->passed == past->cores;
    }
    if (full)
        thin_out(past, gmem, 0);
}

/* Nothing more than that there is nothing, most often. */
size_t
past_bytes(const Past *past)
{
    return past->count == 0
               ? offsetof(Past, newest)
               : offsetof(Past, stores) + past->count * sizeof(PastStore);
}

void
past_copy(Past *to, const Past *from)
{
    memcpy(to, from, past_bytes(from));
}

unsigned
past_rank(const Past *past, unsigned cpu, uint64_t order)
{
    unsigned rank = 0;

    for (unsigned i = 0; i < past->count && past->stores[i].order <= order;
         i++)
        rank += !(past->stores[i].passed >> cpu & 1);
    return rank;
}

void
past_digest(const Past *past, Digest *digest)
{
    if (past->count == 0)
        return;
    digest_u64(digest, past->count);
    for (unsigned i = 0; i < past->count; i++) {
        const PastStore *store = &past->stores[i];

        digest_u64(digest, store->physical);
        digest_u64(digest, store->old);
        digest_u64(digest, store->passed);
        digest_u64(digest, store->size);
    }
}
