/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "parts/storebuf.h"

uint8_t
storebuf_show(StoreBuf *buf, Gmem *gmem)
{
    uint8_t flags = 0;

    INVARIANT(!buf->shown);
    buf->shown = true;
    for (unsigned i = 0; i < buf->count; i++) {
        Store *store = &buf->entries[i];

        store->covered = store_bytes(gmem, store->physical, store->size);
        store_put_bytes(gmem, store->physical, store->size, store->value);
        flags |= gmem->line_flags[store->physical >> LINE_BITS];
    }
    return flags;
}

/* When the newer ones are off, RAM holds what an entry wrote. */
uint8_t
storebuf_hide(StoreBuf *buf, Gmem *gmem)
{
    uint8_t flags = 0;

    INVARIANT(buf->shown);
    buf->shown = false;
    for (unsigned i = buf->count; i-- > 0;) {
        Store *store = &buf->entries[i];

        store->value = store_bytes(gmem, store->physical, store->size);
        store_put_bytes(gmem, store->physical, store->size, store->covered);
        flags |= gmem->line_flags[store->physical >> LINE_BITS];
    }
    return flags;
}

void
storebuf_fence(StoreBuf *buf)
{
    buf->fence = buf->count > 0;
}

static bool
overlap(const Store *a, const Store *b)
{
    return a->physical < b->physical + b->size &&
           b->physical < a->physical + a->size;
}

/* May `younger` overtake `older`, no fence being between them? */
static bool
may_overtake(const Store *younger, const Store *older, MemoryModel model)
{
    if (overlap(younger, older))
        return false;
    return model == MEMORY_PSO || model == MEMORY_WEAK || younger->weakly ||
           older->weakly;
}

uint64_t
storebuf_drainable(const StoreBuf *buf, MemoryModel model)
{
    uint64_t drainable = buf->count > 0 ? 1 : 0;

    if (model <= MEMORY_TSO && !buf->weakly)
        return drainable;
    for (unsigned i = 1; i < buf->count; i++) {
        bool waits = buf->entries[i].fenced;

        if (waits)
            break;
        for (unsigned j = 0; j < i && !waits; j++)
            waits = !may_overtake(&buf->entries[i], &buf->entries[j], model);
        if (!waits)
            drainable |= UINT64_C(1) << i;
    }
    return drainable;
}

/* A fence at the front has nothing left to wait for. */
static void
take_off(StoreBuf *buf, unsigned index, unsigned count)
{
    buf->count -= count;
    memmove(&buf->entries[index], &buf->entries[index + count],
            (buf->count - index) * sizeof(Store));
    if (buf->count > 0)
        buf->entries[0].fenced = false;
    else
        buf->fence = buf->weakly = false;
}

static void
make_visible(Store *store, Gmem *gmem, bool shown, Past *past, unsigned cpu)
{
    uint64_t old = shown ? store->covered
                         : store_bytes(gmem, store->physical, store->size);

    if (past != NULL)
        past_note(past, gmem, cpu, store->physical, store->size, old);
    if (!shown)
        store_put_bytes(gmem, store->physical, store->size, store->value);
}

void
storebuf_drain(StoreBuf *buf, Gmem *gmem, unsigned index, Past *past,
               unsigned cpu)
{
    INVARIANT(index < buf->count);
    INVARIANT(!buf->entries[index].fenced);
    make_visible(&buf->entries[index], gmem, buf->shown, past, cpu);
    take_off(buf, index, 1);
}

void
storebuf_drain_oldest(StoreBuf *buf, Gmem *gmem, unsigned count, Past *past,
                      unsigned cpu)
{
    INVARIANT(count <= buf->count);
    for (unsigned i = 0; i < count; i++)
        make_visible(&buf->entries[i], gmem, buf->shown, past, cpu);
    take_off(buf, 0, count);
}

void
storebuf_drain_all(StoreBuf *buf, Gmem *gmem, Past *past, unsigned cpu)
{
    if (!buf->shown || past != NULL)
        for (unsigned i = 0; i < buf->count; i++)
            make_visible(&buf->entries[i], gmem, buf->shown, past, cpu);
    buf->count = 0;
    buf->fence = buf->weakly = false;
}

/* Lay `value`, of a store, over bytes that were read at `physical`. */
static void
lay_over(const Store *store, uint64_t value, gpa_t physical, uint8_t *bytes,
         uint64_t size)
{
    for (unsigned k = 0; k < store->size; k++) {
        gpa_t at = store->physical + k;

        if (at >= physical && at - physical < size)
            bytes[at - physical] = (uint8_t)(value >> 8 * k);
    }
}

void
storebuf_forward(const StoreBuf *buf, const Gmem *gmem, gpa_t physical,
                 void *bytes, uint64_t size)
{
    memcpy(bytes, gmem->bytes + physical, size);
    if (!buf->shown)
        storebuf_cover(buf, physical, bytes, size);
}

void
storebuf_cover(const StoreBuf *buf, gpa_t physical, void *bytes, uint64_t size)
{
    INVARIANT(!buf->shown);
    for (unsigned i = 0; i < buf->count; i++)
        lay_over(&buf->entries[i], buf->entries[i].value, physical, bytes,
                 size);
}

void
storebuf_uncover(const StoreBuf *buf, gpa_t physical, void *bytes,
                 uint64_t size)
{
    INVARIANT(buf->shown);
    for (unsigned i = buf->count; i-- > 0;)
        lay_over(&buf->entries[i], buf->entries[i].covered, physical, bytes,
                 size);
}

bool
storebuf_overlaps(const StoreBuf *buf, gpa_t physical, uint64_t size)
{
    for (unsigned i = 0; i < buf->count; i++)
        if (buf->entries[i].physical < physical + size &&
            physical < buf->entries[i].physical + buf->entries[i].size)
            return true;
    return false;
}

size_t
storebuf_bytes(const StoreBuf *buf)
{
    return offsetof(StoreBuf, entries) + buf->count * sizeof(Store);
}

void
storebuf_copy(StoreBuf *to, const StoreBuf *from)
{
    INVARIANT(!from->shown && !to->shown);
    memcpy(to, from, storebuf_bytes(from));
}

void
storebuf_digest(const StoreBuf *buf, Digest *digest)
{
    INVARIANT(!buf->shown);
    if (buf->count == 0)
        return;
    digest_u64(digest, (uint64_t)buf->count << 1 | buf->fence);
    for (unsigned i = 0; i < buf->count; i++) {
        const Store *store = &buf->entries[i];

        digest_u64(digest, store->physical);
        digest_u64(digest, store->value);
        digest_u64(digest, (uint64_t)store->size << 2 |
                               (uint64_t)store->fenced << 1 | store->weakly);
    }
}

bool
storebuf_check(const StoreBuf *buf)
{
    if (buf->count > STOREBUF_DEPTH_MAX || (buf->count == 0 && buf->fence) ||
        (buf->count > 0 && buf->entries[0].fenced))
        return false;
    for (unsigned i = 0; i < buf->count; i++) {
        const Store *store = &buf->entries[i];

        if (store->size == 0 || store->size > STORE_BYTES_MAX ||
            store->physical >> LINE_BITS !=
                (store->physical + store->size - 1) >> LINE_BITS)
            return false;
    }
    return true;
}
