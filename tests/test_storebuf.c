/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store buffer: forwarding, draining and the order that each model asks
 * for; and all of it against a list of bytes, at random.
 *
 * HEDDLE_SOAK=millions of steps HEDDLE_SEED=first make the random test longer.
 */
#include "base/base.h"

#include <criterion/criterion.h>

#include "base/prng.h"
#include "parts/storebuf.h"

TestSuite(storebuf, .timeout = 60);

/* One line of memory for the units, at 64. */
#define AT UINT64_C(64)

typedef struct Small {
    uint8_t bytes[4 * LINE_BYTES];
    uint8_t flags[4];
    Gmem gmem;
    StoreBuf buf;
} Small;

static void
small_init(Small *small)
{
    *small = (Small){.gmem.size = sizeof small->bytes};
    small->gmem.bytes = small->bytes;
    small->gmem.line_flags = small->flags;
    for (unsigned i = 0; i < sizeof small->bytes; i++)
        small->bytes[i] = (uint8_t)(0xa0 + i);
}

/* As the hook and the instruction do it; the buffer is shown meanwhile. */
static void
store_as(Small *small, gpa_t at, unsigned size, uint64_t value, bool weakly)
{
    storebuf_show(&small->buf, &small->gmem);
    storebuf_push(&small->buf, &small->gmem, at, size, 0x1000);
    if (weakly)
        storebuf_push_weakly(&small->buf);
    store_put_bytes(&small->gmem, at, size, value);
    storebuf_hide(&small->buf, &small->gmem);
    cr_assert(storebuf_check(&small->buf));
}

static void
store(Small *small, gpa_t at, unsigned size, uint64_t value)
{
    store_as(small, at, size, value, false);
}

static uint64_t
forwarded(const Small *small, gpa_t at, unsigned size)
{
    uint64_t value = 0;

    storebuf_forward(&small->buf, &small->gmem, at, &value, size);
    return value;
}

static uint64_t
digest_of(const StoreBuf *buf)
{
    Digest digest;

    digest_init(&digest);
    storebuf_digest(buf, &digest);
    return digest_value(&digest);
}

Test(storebuf, a_store_is_seen_by_its_own_core_only)
{
    Small s;

    small_init(&s);
    store(&s, AT, 4, 0x11223344);
    cr_expect_eq(store_bytes(&s.gmem, AT, 4), 0xe3e2e1e0);
    cr_expect_eq(forwarded(&s, AT, 4), 0x11223344);
    cr_expect_eq(forwarded(&s, AT + 2, 4), 0xe5e41122);
    cr_expect_eq(forwarded(&s, AT - 2, 4), 0x3344dfde);
    cr_expect_eq(forwarded(&s, AT + 4, 4), 0xe7e6e5e4);
}

Test(storebuf, the_newest_of_overlapping_stores_is_forwarded)
{
    Small s;

    small_init(&s);
    store(&s, AT, 8, 0x1111111111111111);
    store(&s, AT + 2, 2, 0x2222);
    store(&s, AT + 3, 4, 0x33333333);
    store(&s, AT + 7, 1, 0x44);
    cr_expect_eq(forwarded(&s, AT, 8), 0x4433333333221111);
    storebuf_show(&s.buf, &s.gmem);
    cr_expect_eq(store_bytes(&s.gmem, AT, 8), 0x4433333333221111);
    storebuf_hide(&s.buf, &s.gmem);
    cr_expect_eq(store_bytes(&s.gmem, AT, 8), 0xe7e6e5e4e3e2e1e0);
}

Test(storebuf, overlapping_stores_drain_one_after_the_other)
{
    Small s;

    small_init(&s);
    store(&s, AT, 8, 0x1111111111111111);
    store(&s, AT + 2, 2, 0x2222);
    storebuf_drain(&s.buf, &s.gmem, 0, NULL, 0);
    cr_expect_eq(store_bytes(&s.gmem, AT, 8), 0x1111111111111111);
    storebuf_drain(&s.buf, &s.gmem, 0, NULL, 0);
    cr_expect_eq(store_bytes(&s.gmem, AT, 8), 0x1111111122221111);
    cr_expect_eq(s.buf.count, 0);
}

Test(storebuf, draining_while_shown_is_forgetting)
{
    Small s;

    small_init(&s);
    store(&s, AT, 8, 0x1111111111111111);
    store(&s, AT + 2, 2, 0x2222);
    storebuf_show(&s.buf, &s.gmem);
    storebuf_drain(&s.buf, &s.gmem, 0, NULL, 0);
    storebuf_hide(&s.buf, &s.gmem);
    cr_expect_eq(store_bytes(&s.gmem, AT, 8), 0x1111111111111111);
    cr_expect_eq(forwarded(&s, AT, 8), 0x1111111122221111);
    storebuf_show(&s.buf, &s.gmem);
    storebuf_drain_all(&s.buf, &s.gmem, NULL, 0);
    storebuf_hide(&s.buf, &s.gmem);
    cr_expect_eq(store_bytes(&s.gmem, AT, 8), 0x1111111122221111);
}

Test(storebuf, what_others_write_below_is_below)
{
    Small s;

    small_init(&s);
    store(&s, AT, 2, 0x1111);
    store_put_bytes(&s.gmem, AT, 4, 0x99999999);
    cr_expect_eq(forwarded(&s, AT, 4), 0x99991111);
    storebuf_show(&s.buf, &s.gmem);
    cr_expect_eq(store_bytes(&s.gmem, AT, 4), 0x99991111);
    storebuf_hide(&s.buf, &s.gmem);
    cr_expect_eq(store_bytes(&s.gmem, AT, 4), 0x99999999);
}

Test(storebuf, tso_drains_the_oldest_and_pso_what_does_not_overlap)
{
    Small s;

    small_init(&s);
    cr_expect_eq(storebuf_drainable(&s.buf, MEMORY_PSO), 0);
    store(&s, AT, 4, 1);
    store(&s, AT + 4, 4, 2);
    store(&s, AT + 3, 2, 3);
    store(&s, AT + 5, 1, 4);
    cr_expect_eq(storebuf_drainable(&s.buf, MEMORY_SC), 1);
    cr_expect_eq(storebuf_drainable(&s.buf, MEMORY_TSO), 1);
    cr_expect_eq(storebuf_drainable(&s.buf, MEMORY_PSO), 3);
    cr_expect_eq(storebuf_drainable(&s.buf, MEMORY_WEAK), 3);
    storebuf_drain(&s.buf, &s.gmem, 1, NULL, 0);
    cr_expect_eq(storebuf_drainable(&s.buf, MEMORY_PSO), 5);
    cr_expect_eq(forwarded(&s, AT, 8), 0x0000040003000001);
}

Test(storebuf, nothing_overtakes_a_fence)
{
    Small s;

    small_init(&s);
    storebuf_fence(&s.buf);
    cr_expect_not(s.buf.fence, "of nothing");
    store(&s, AT, 4, 1);
    store(&s, AT + 4, 4, 2);
    storebuf_fence(&s.buf);
    storebuf_fence(&s.buf);
    store(&s, AT + 8, 4, 3);
    store(&s, AT + 12, 4, 4);
    cr_expect_eq(storebuf_drainable(&s.buf, MEMORY_PSO), 3);
    storebuf_drain(&s.buf, &s.gmem, 1, NULL, 0);
    cr_expect_eq(storebuf_drainable(&s.buf, MEMORY_PSO), 1);
    storebuf_drain(&s.buf, &s.gmem, 0, NULL, 0);
    cr_expect_eq(storebuf_drainable(&s.buf, MEMORY_PSO), 3);
    storebuf_drain(&s.buf, &s.gmem, 1, NULL, 0);
    storebuf_fence(&s.buf);
    storebuf_drain(&s.buf, &s.gmem, 0, NULL, 0);
    cr_expect_not(s.buf.fence, "nothing is left that it could order");
    store(&s, AT, 4, 5);
    cr_expect_not(s.buf.entries[0].fenced);
}

Test(storebuf, a_fence_behind_the_newest_stays_when_others_drain)
{
    Small s;

    small_init(&s);
    store(&s, AT, 4, 1);
    store(&s, AT + 4, 4, 2);
    storebuf_fence(&s.buf);
    storebuf_drain(&s.buf, &s.gmem, 1, NULL, 0);
    store(&s, AT + 8, 4, 3);
    cr_expect_eq(storebuf_drainable(&s.buf, MEMORY_PSO), 1);
}

Test(storebuf, non_temporal_stores_are_overtaken_under_tso_too)
{
    Small s;

    small_init(&s);
    store_as(&s, AT, 8, 1, true);
    store(&s, AT + 8, 8, 2);
    store(&s, AT + 16, 8, 3);
    store_as(&s, AT + 24, 8, 4, true);
    store_as(&s, AT + 8, 8, 5, true);
    /* 1 overtakes the weak 0; 2 does not overtake 1; 3 does everything; 4
     * overlaps with 1 */
    cr_expect_eq(storebuf_drainable(&s.buf, MEMORY_TSO), 0xb);
    storebuf_fence(&s.buf);
    store_as(&s, AT + 32, 8, 6, true);
    cr_expect_eq(storebuf_drainable(&s.buf, MEMORY_TSO), 0xb);
}

Test(storebuf, overlap_is_to_the_byte)
{
    Small s;

    small_init(&s);
    store(&s, AT + 4, 4, 1);
    cr_expect_not(storebuf_overlaps(&s.buf, AT, 4));
    cr_expect(storebuf_overlaps(&s.buf, AT, 5));
    cr_expect(storebuf_overlaps(&s.buf, AT + 7, 1));
    cr_expect_not(storebuf_overlaps(&s.buf, AT + 8, 8));
    cr_expect(storebuf_overlaps(&s.buf, AT, 64));
}

Test(storebuf, it_holds_as_many_as_a_set_has_bits)
{
    Small s;

    small_init(&s);
    for (unsigned i = 0; i < STOREBUF_DEPTH_MAX; i++)
        store(&s, AT + i, 1, i);
    cr_expect_eq(storebuf_drainable(&s.buf, MEMORY_TSO), 1);
    cr_expect_eq(storebuf_drainable(&s.buf, MEMORY_PSO), UINT64_MAX);
    storebuf_drain(&s.buf, &s.gmem, STOREBUF_DEPTH_MAX - 1, NULL, 0);
    cr_expect_eq(s.bytes[AT + 63], 63);
    storebuf_drain_all(&s.buf, &s.gmem, NULL, 0);
    for (unsigned i = 0; i < STOREBUF_DEPTH_MAX; i++)
        cr_expect_eq(s.bytes[AT + i], i);
    cr_expect_eq(storebuf_drainable(&s.buf, MEMORY_PSO), 0);
}

Test(storebuf, a_copy_is_the_same_and_what_is_not_used_is_not_copied)
{
    StoreBuf copy = {.count = 3};
    Small s;

    small_init(&s);
    store(&s, AT, 4, 0x12345678);
    store(&s, AT + 1, 2, 0xbbaa);
    storebuf_fence(&s.buf);
    storebuf_copy(&copy, &s.buf);
    cr_expect_eq(digest_of(&copy), digest_of(&s.buf));
    cr_expect_eq(storebuf_bytes(&copy), storebuf_bytes(&s.buf));
    storebuf_drain_all(&copy, &s.gmem, NULL, 0);
    cr_expect_eq(store_bytes(&s.gmem, AT, 4), 0x12bbaa78);
    cr_expect_eq(s.buf.count, 2);
}

/* The same stores, whatever lies below, around and behind them. */
Test(storebuf, a_digest_tells_what_is_buffered_and_nothing_else)
{
    Small a, b;

    small_init(&a);
    small_init(&b);
    cr_expect_eq(digest_of(&a.buf), digest_of(&b.buf));
    store(&a, AT + 32, 8, UINT64_MAX);
    storebuf_drain_all(&a.buf, &a.gmem, NULL, 0);
    cr_expect_eq(digest_of(&a.buf), digest_of(&b.buf), "empty again");
    store_put_bytes(&a.gmem, AT, 8, UINT64_MAX);
    store(&a, AT, 3, 0x030201);
    store(&b, AT, 3, 0x030201);
    cr_expect_eq(digest_of(&a.buf), digest_of(&b.buf));
    storebuf_fence(&a.buf);
    cr_expect_neq(digest_of(&a.buf), digest_of(&b.buf), "a fence");
    storebuf_fence(&b.buf);
    store(&a, AT, 1, 1);
    store(&b, AT, 1, 2);
    cr_expect_neq(digest_of(&a.buf), digest_of(&b.buf), "a value");
}

Test(storebuf, what_it_overwrites_goes_to_the_past_shown_or_hidden)
{
    Past past[2];
    Small s[2];

    for (unsigned i = 0; i < 2; i++) {
        small_init(&s[i]);
        past_init(&past[i], 2);
        store(&s[i], AT, 4, 0x11111111);
        store(&s[i], AT + 2, 4, 0x22222222);
        if (i == 1)
            storebuf_show(&s[i].buf, &s[i].gmem);
        storebuf_drain(&s[i].buf, &s[i].gmem, 0, &past[i], 0);
        storebuf_drain_all(&s[i].buf, &s[i].gmem, &past[i], 0);
        cr_assert_eq(past[i].count, 2);
        cr_expect_eq(past[i].stores[0].old, 0xe3e2e1e0);
        cr_expect_eq(past[i].stores[1].old, 0xe5e41111);
        cr_expect_eq(past[i].stores[0].passed, 1);
    }
}

/* --- At random ------------------------------------------------------------ */

#define CORES 3u
#define ROOM (4u * LINE_BYTES)
#define DEPTH 12u

/* The reference: memory, and of each core the stores as lists of bytes. */
typedef struct PlainStore {
    unsigned at, size;
    uint8_t bytes[STORE_BYTES_MAX];
    unsigned fences; /* before it */
    bool weakly;
} PlainStore;

typedef struct Plain {
    uint8_t memory[ROOM];
    unsigned count[CORES];
    unsigned fences[CORES];
    PlainStore stores[CORES][DEPTH];
} Plain;

typedef struct Pair {
    uint8_t bytes[ROOM];
    uint8_t flags[ROOM / LINE_BYTES];
    Gmem gmem;
    StoreBuf bufs[CORES];
    Plain plain;
    Prng prng;
    MemoryModel model;
    int shown; /* a core, or -1 */
} Pair;

static bool
plain_may_go(const Plain *plain, unsigned core, unsigned index,
             MemoryModel model)
{
    const PlainStore *younger = &plain->stores[core][index];

    for (unsigned i = 0; i < index; i++) {
        const PlainStore *older = &plain->stores[core][i];

        if (older->fences != younger->fences)
            return false;
        if (model == MEMORY_TSO && !older->weakly && !younger->weakly)
            return false;
        for (unsigned a = 0; a < older->size; a++)
            for (unsigned b = 0; b < younger->size; b++)
                if (older->at + a == younger->at + b)
                    return false;
    }
    return true;
}

static void
plain_drain(Plain *plain, unsigned core, unsigned index)
{
    PlainStore *stores = plain->stores[core];

    memcpy(plain->memory + stores[index].at, stores[index].bytes,
           stores[index].size);
    for (unsigned i = index + 1; i < plain->count[core]; i++)
        stores[i - 1] = stores[i];
    plain->count[core]--;
}

static uint8_t
plain_load(const Plain *plain, unsigned core, unsigned at)
{
    for (unsigned i = plain->count[core]; i-- > 0;) {
        const PlainStore *one = &plain->stores[core][i];

        if (at >= one->at && at < one->at + one->size)
            return one->bytes[at - one->at];
    }
    return plain->memory[at];
}

static void
hide(Pair *pair)
{
    if (pair->shown >= 0)
        storebuf_hide(&pair->bufs[pair->shown], &pair->gmem);
    pair->shown = -1;
}

static void
show(Pair *pair, unsigned core)
{
    if (pair->shown == (int)core)
        return;
    hide(pair);
    storebuf_show(&pair->bufs[core], &pair->gmem);
    pair->shown = (int)core;
}

static void
store_at_random(Pair *pair, unsigned core)
{
    Plain *plain = &pair->plain;
    StoreBuf *buf = &pair->bufs[core];
    unsigned size = 1 + (unsigned)prng_below(&pair->prng, STORE_BYTES_MAX);
    unsigned at = LINE_BYTES * (unsigned)prng_below(&pair->prng, 2) +
                  (unsigned)prng_below(&pair->prng, 24);
    PlainStore one = {
        .at = prng_chance(&pair->prng, 1, 8) ? at / 64 * 64 + 64 - size : at,
        .size = size,
        .fences = plain->fences[core],
        .weakly = prng_chance(&pair->prng, 1, 6),
    };
    uint64_t value = 0;

    show(pair, core);
    if (plain->count[core] == DEPTH) {
        storebuf_drain(buf, &pair->gmem, 0, NULL, core);
        plain_drain(plain, core, 0);
    }
    for (unsigned i = 0; i < size; i++)
        one.bytes[i] = (uint8_t)prng_next(&pair->prng);
    memcpy(&value, one.bytes, size);
    storebuf_push(buf, &pair->gmem, one.at, size, 0);
    if (one.weakly)
        storebuf_push_weakly(buf);
    store_put_bytes(&pair->gmem, one.at, size, value);
    plain->stores[core][plain->count[core]++] = one;
}

static void
drain_at_random(Pair *pair, unsigned core)
{
    Plain *plain = &pair->plain;
    uint64_t may, wanted = 0;
    unsigned index;

    for (unsigned i = 0; i < plain->count[core]; i++)
        if (plain_may_go(plain, core, i, pair->model))
            wanted |= UINT64_C(1) << i;
    may = storebuf_drainable(&pair->bufs[core], pair->model);
    cr_assert_eq(may, wanted, "%" PRIx64 " is not %" PRIx64, may, wanted);
    if (may == 0)
        return;
    if (pair->shown != (int)core || prng_chance(&pair->prng, 1, 2))
        hide(pair);
    for (;;) {
        index = (unsigned)prng_below(&pair->prng, plain->count[core]);
        if (may >> index & 1)
            break;
    }
    /* A shown core gives up its oldest only. */
    if (pair->shown >= 0)
        index = 0;
    storebuf_drain(&pair->bufs[core], &pair->gmem, index, NULL, core);
    plain_drain(plain, core, index);
}

static void
act_at_random(Pair *pair)
{
    unsigned core = (unsigned)prng_below(&pair->prng, CORES);
    StoreBuf *buf = &pair->bufs[core];

    switch (prng_below(&pair->prng, 16)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
        store_at_random(pair, core);
        break;
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
        drain_at_random(pair, core);
        break;
    case 11:
        show(pair, core);
        break;
    case 12:
        hide(pair);
        break;
    case 13:
        storebuf_fence(buf);
        pair->plain.fences[core]++;
        break;
    case 14:
        if (prng_chance(&pair->prng, 1, 4)) {
            if (pair->shown != (int)core)
                hide(pair);
            storebuf_drain_all(buf, &pair->gmem, NULL, core);
            while (pair->plain.count[core] > 0)
                plain_drain(&pair->plain, core, 0);
        }
        break;
    case 15:
        hide(pair);
        {
            StoreBuf copy = {0};

            storebuf_copy(&copy, buf);
            memset(buf, 0xee, sizeof *buf);
            buf->shown = false;
            storebuf_copy(buf, &copy);
        }
        break;
    }
}

static void
compare(Pair *pair, uint64_t seed, uint64_t step)
{
    unsigned at = (unsigned)prng_below(&pair->prng, ROOM - 32);
    uint8_t bytes[32];

    for (unsigned core = 0; core < CORES; core++) {
        cr_assert(storebuf_check(&pair->bufs[core]));
        cr_assert_eq(pair->bufs[core].count, pair->plain.count[core]);
        if (pair->shown == (int)core)
            for (unsigned i = 0; i < ROOM; i++)
                cr_assert_eq(pair->bytes[i], plain_load(&pair->plain, core, i),
                             "seed %" PRIu64 " step %" PRIu64 " shown", seed,
                             step);
        if (pair->shown >= 0)
            continue;
        storebuf_forward(&pair->bufs[core], &pair->gmem, at, bytes,
                         sizeof bytes);
        for (unsigned i = 0; i < sizeof bytes; i++)
            cr_assert_eq(bytes[i], plain_load(&pair->plain, core, at + i),
                         "seed %" PRIu64 " step %" PRIu64, seed, step);
    }
    if (pair->shown < 0)
        cr_assert_arr_eq(pair->bytes, pair->plain.memory, ROOM,
                         "seed %" PRIu64 " step %" PRIu64 " memory", seed,
                         step);
}

static void
run_at_random(uint64_t seed, uint64_t steps)
{
    static const MemoryModel models[] = {MEMORY_TSO, MEMORY_PSO, MEMORY_WEAK};
    g_autofree Pair *pair = g_new0(Pair, 1);

    pair->gmem = (Gmem){
        .bytes = pair->bytes, .size = ROOM, .line_flags = pair->flags};
    pair->shown = -1;
    pair->model = models[seed % G_N_ELEMENTS(models)];
    prng_init(&pair->prng, seed);
    for (unsigned i = 0; i < ROOM; i++)
        pair->bytes[i] = pair->plain.memory[i] = (uint8_t)i;
    for (uint64_t step = 0; step < steps; step++) {
        act_at_random(pair);
        compare(pair, seed, step);
    }
}

Test(storebuf, random_stores_and_drains_do_as_a_list_of_bytes_does,
     .timeout = 3600)
{
    const char *soak = g_getenv("HEDDLE_SOAK");
    const char *from = g_getenv("HEDDLE_SEED");
    uint64_t seed = from == NULL ? 1 : g_ascii_strtoull(from, NULL, 10);
    uint64_t runs = soak == NULL
                        ? 12
                        : 200 * MAX(g_ascii_strtoull(soak, NULL, 10), 1);

    for (uint64_t i = 0; i < runs; i++)
        run_at_random(seed + i, 5000);
}
