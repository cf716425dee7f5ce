/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What late loads may still see; and all of it against a history that forgets
 * nothing, at random.
 *
 * HEDDLE_SOAK=millions of steps HEDDLE_SEED=first make the random test longer.
 */
#include "base/base.h"

#include <criterion/criterion.h>

#include "base/prng.h"
#include "parts/past.h"

TestSuite(past, .timeout = 60);

#define LINES 4u
#define ROOM (LINES * LINE_BYTES)

typedef struct Rig {
    uint8_t bytes[ROOM];
    uint8_t flags[LINES];
    Gmem gmem;
    Past past;
    PastView view;
} Rig;

static void
rig_init(Rig *rig, unsigned cores)
{
    *rig = (Rig){.gmem.size = ROOM};
    rig->gmem.bytes = rig->bytes;
    rig->gmem.line_flags = rig->flags;
    past_init(&rig->past, cores);
}

static void
store(Rig *rig, unsigned cpu, gpa_t at, unsigned size, uint64_t value)
{
    uint64_t old = 0;

    memcpy(&old, rig->bytes + at, size);
    past_note(&rig->past, &rig->gmem, cpu, at, size, old);
    memcpy(rig->bytes + at, &value, size);
}

static unsigned
look(Rig *rig, unsigned cpu, gpa_t at, unsigned size, uint64_t behind)
{
    past_look(&rig->past, &rig->gmem, cpu, at, size, behind, &rig->view);
    return rig->view.count;
}

static void
take(Rig *rig, unsigned cpu, gpa_t at, unsigned size, unsigned choice)
{
    past_read(&rig->past, &rig->gmem, cpu, at, size, rig->view.order[choice]);
}

static uint64_t
digest_of(const Past *past)
{
    Digest digest;

    digest_init(&digest);
    past_digest(past, &digest);
    return digest_value(&digest);
}

/* The lines that are flagged are those that have stores. */
static void
check_flags(const Rig *rig)
{
    for (gpa_t line = 0; line < LINES; line++) {
        bool has = false;

        for (unsigned i = 0; i < rig->past.count; i++) {
            const PastStore *one = &rig->past.stores[i];

            has |= one->physical >> LINE_BITS <= line &&
                   (one->physical + one->size - 1) >> LINE_BITS >= line;
        }
        cr_assert_eq(has, (rig->flags[line] & GMEM_PAST) != 0, "line %" PRIu64,
                     line);
    }
}

Test(past, a_late_load_goes_back_store_by_store)
{
    Rig r;

    rig_init(&r, 2);
    cr_expect_eq(look(&r, 1, 0, 8, 0), 1);
    store(&r, 0, 0, 8, 1);
    store(&r, 0, 0, 8, 2);
    cr_assert_eq(look(&r, 1, 0, 8, 0), 3);
    for (unsigned i = 0; i < 3; i++)
        cr_expect_eq(r.view.value[i], 2 - i);
    cr_expect_eq(r.view.order[0], 2);
    cr_expect_eq(r.view.order[1], 1);
    cr_expect_eq(r.view.order[2], 0);
    check_flags(&r);
}

Test(past, nobody_goes_back_behind_what_he_wrote)
{
    Rig r;

    rig_init(&r, 2);
    store(&r, 0, 0, 8, 1);
    cr_expect_eq(look(&r, 0, 0, 8, 0), 1);
    store(&r, 1, 0, 8, 2);
    cr_expect_eq(look(&r, 1, 0, 8, 0), 1);
    cr_expect_eq(look(&r, 0, 0, 8, 0), 2);
}

Test(past, loads_of_one_place_do_not_go_back_in_time)
{
    Rig r;

    rig_init(&r, 3);
    store(&r, 0, 0, 8, 1);
    store(&r, 0, 0, 8, 2);
    store(&r, 0, 0, 8, 3);
    cr_assert_eq(look(&r, 1, 0, 8, 0), 4);
    take(&r, 1, 0, 8, 2);
    cr_assert_eq(look(&r, 1, 0, 8, 0), 3, "1, 2 and 3 are left");
    cr_expect_eq(r.view.value[2], 1);
    cr_expect_eq(look(&r, 2, 0, 8, 0), 4, "another core still may");
    take(&r, 1, 0, 8, 0);
    cr_expect_eq(look(&r, 1, 0, 8, 0), 1);
}

Test(past, a_barrier_is_the_end_of_all_old_values)
{
    Rig r;

    rig_init(&r, 3);
    store(&r, 0, 0, 8, 1);
    store(&r, 0, 64, 8, 1);
    past_barrier(&r.past, &r.gmem, 1);
    cr_expect_eq(look(&r, 1, 0, 8, 0), 1);
    cr_expect_eq(look(&r, 1, 64, 8, 0), 1);
    cr_expect_eq(look(&r, 2, 0, 8, 0), 2);
    store(&r, 0, 0, 8, 2);
    cr_assert_eq(look(&r, 1, 0, 8, 0), 2);
    cr_expect_eq(r.view.value[1], 1);
    past_barrier(&r.past, &r.gmem, 2);
    cr_expect_eq(r.past.count, 1, "all have passed the first two");
    check_flags(&r);
    past_barrier(&r.past, &r.gmem, 1);
    past_barrier(&r.past, &r.gmem, 2);
    cr_expect_eq(r.past.count, 1 - 1);
    check_flags(&r);
}

Test(past, a_load_that_depends_is_not_older_than_what_it_depends_on)
{
    Rig r;

    rig_init(&r, 2);
    store(&r, 0, 0, 8, 1);
    store(&r, 0, 64, 8, 0);
    store(&r, 0, 8, 8, 1);
    cr_expect_eq(look(&r, 1, 0, 8, 0), 2);
    cr_expect_eq(look(&r, 1, 0, 8, 2), 1);
    cr_expect_eq(look(&r, 1, 8, 8, 2), 2);
    cr_expect_eq(look(&r, 1, 8, 8, 3), 1);
}

Test(past, parts_of_a_store_come_back_with_it)
{
    Rig r;

    rig_init(&r, 2);
    store(&r, 0, 0, 8, 0x1111111111111111);
    store(&r, 0, 2, 4, 0x22222222);
    cr_assert_eq(look(&r, 1, 4, 4, 0), 3);
    cr_expect_eq(r.view.value[0], 0x11112222);
    cr_expect_eq(r.view.value[1], 0x11111111);
    cr_expect_eq(r.view.value[2], 0);
    cr_assert_eq(look(&r, 1, 6, 8, 0), 2);
    cr_expect_eq(r.view.value[0], 0x1111);
    cr_assert_eq(look(&r, 1, 1, 2, 0), 3);
    cr_expect_eq(r.view.value[0], 0x2211);
    cr_expect_eq(r.view.value[1], 0x1111);
}

Test(past, one_core_alone_has_no_past)
{
    Rig r;

    rig_init(&r, 1);
    store(&r, 0, 0, 8, 1);
    cr_expect_eq(r.past.count, 0);
    check_flags(&r);
}

Test(past, sixty_four_cores_have_one)
{
    Rig r;

    rig_init(&r, 64);
    store(&r, 63, 0, 8, 1);
    cr_expect_eq(look(&r, 62, 0, 8, 0), 2);
    for (unsigned i = 0; i < 63; i++)
        past_barrier(&r.past, &r.gmem, i);
    cr_expect_eq(r.past.count, 0);
    check_flags(&r);
}

Test(past, the_older_half_is_forgotten_when_it_is_full)
{
    Rig r;

    rig_init(&r, 2);
    for (unsigned i = 0; i <= PAST_STORES_MAX; i++)
        store(&r, 0, 8 * (i % 32), 8, i + 1);
    cr_expect_eq(r.past.count, PAST_STORES_MAX / 2 + 1);
    check_flags(&r);
    cr_assert_eq(look(&r, 1, 0, 8, 0), 3);
    cr_expect_eq(r.view.value[0], 65);
    cr_expect_eq(r.view.value[1], 33);
    cr_expect_eq(r.view.value[2], 1);
    cr_expect_eq(look(&r, 1, 8, 8, 0), 2);
}

/* It read its own bytes and, beside them, another's. */
Test(past, a_load_of_own_and_other_bytes_has_read_both)
{
    Rig r;

    rig_init(&r, 2);
    store(&r, 0, 4, 4, 0x22222222);
    store(&r, 1, 0, 4, 0x11111111);
    cr_assert_eq(look(&r, 1, 0, 8, 0), 1);
    cr_expect_eq(r.view.value[0], 0x2222222211111111);
    take(&r, 1, 0, 8, 0);
    cr_expect_eq(look(&r, 1, 4, 4, 0), 1, "it has seen the newest");
}

Test(past, the_last_and_the_first_byte_of_a_line_are_not_of_one)
{
    Rig r;

    rig_init(&r, 2);
    store(&r, 0, 60, 4, 1);
    check_flags(&r);
    store(&r, 0, 64, 4, 2);
    check_flags(&r);
    cr_expect_eq(look(&r, 1, 60, 4, 0), 2);
    cr_expect_eq(look(&r, 1, 64, 4, 0), 2);
    past_forget(&r.past, &r.gmem);
    check_flags(&r);
}

/* Core 1 knows the second store by its upper half, all others by writing or
 * reading it; then nobody may see memory without it. */
Test(past, a_load_is_never_torn_by_what_all_have_passed)
{
    Rig r;

    rig_init(&r, 2);
    store(&r, 0, 0, 4, 0x11111111);
    store(&r, 0, 0, 8, 0x2222222222222222);
    cr_assert_eq(look(&r, 1, 4, 4, 0), 2);
    take(&r, 1, 4, 4, 0);
    look(&r, 1, 0, 8, 0);
    cr_expect_eq(r.view.count, 1, "there is also %" PRIx64, r.view.value[1]);
    cr_expect_eq(look(&r, 1, 0, 4, 0), 1);
}

Test(past, a_copy_is_marked_and_forgetting_unmarks)
{
    Past copy;
    Rig r;

    rig_init(&r, 2);
    store(&r, 0, 0, 8, 1);
    store(&r, 0, 64, 8, 1);
    past_copy(&copy, &r.past);
    cr_expect_eq(digest_of(&copy), digest_of(&r.past));
    past_forget(&r.past, &r.gmem);
    check_flags(&r);
    cr_expect_eq(digest_of(&r.past), digest_of(&(Past){.cores = 3}));
    past_copy(&r.past, &copy);
    past_mark_lines(&r.past, &r.gmem);
    check_flags(&r);
    cr_expect_eq(look(&r, 1, 64, 8, 0), 2);
}

/* The same past, but counted from elsewhere. */
Test(past, a_digest_does_not_count_what_is_gone)
{
    Rig a, b;

    rig_init(&a, 2);
    rig_init(&b, 2);
    store(&a, 0, 8, 8, 7);
    past_barrier(&a.past, &a.gmem, 1);
    store(&b, 0, 8, 8, 7);
    past_forget(&b.past, &b.gmem);
    store(&b, 0, 8, 8, 7);
    past_forget(&b.past, &b.gmem);
    store(&a, 0, 0, 8, 1);
    store(&b, 0, 0, 8, 1);
    cr_expect_eq(digest_of(&a.past), digest_of(&b.past));
    cr_expect_eq(past_rank(&a.past, 1, a.past.stores[0].order), 1);
    cr_expect_eq(past_rank(&b.past, 1, b.past.stores[0].order), 1);
    cr_expect_eq(past_rank(&b.past, 1, b.past.stores[0].order - 1), 0);
    cr_expect_eq(past_rank(&a.past, 0, a.past.stores[0].order), 0);
}

/* --- At random ------------------------------------------------------------ */

#define CORES 3u
#define HISTORY 20000u

/*
 * The reference: memory at every time, and what each core knows.  A core that
 * knows of a store sees no memory without it where that store lies.
 */
typedef struct Moment {
    unsigned at, size;
    uint64_t known;       /* cores */
    uint8_t memory[ROOM]; /* after it */
} Moment;

typedef struct Pair {
    Rig rig;
    unsigned count;  /* of moments; [0] is the beginning */
    unsigned oldest; /* that is not forgotten */
    Moment moments[HISTORY];
} Pair;

static bool
moment_overlaps(const Moment *moment, unsigned at, unsigned size)
{
    return moment->at < at + size && at < moment->at + moment->size;
}

/* All values that the reference allows; the newest first, one a moment at
 * which these bytes changed. */
static unsigned
reference_look(const Pair *pair, unsigned cpu, unsigned at, unsigned size,
               unsigned behind, uint64_t *values, unsigned *times)
{
    unsigned count = 0;

    for (unsigned t = pair->count; t-- > 0;) {
        const Moment *moment = &pair->moments[t];

        if (t > 0 && !moment_overlaps(moment, at, size))
            continue;
        values[count] = 0;
        memcpy(&values[count], moment->memory + at, size);
        times[count++] = t;
        if (t == 0 || moment->known >> cpu & 1 || t <= behind)
            break;
    }
    return count;
}

/* Knowing a store is knowing what it overwrote. */
static void
reference_know(Pair *pair, unsigned cpu, unsigned at, unsigned size,
               unsigned time)
{
    for (unsigned t = 1; t <= time; t++)
        if (moment_overlaps(&pair->moments[t], at, size))
            pair->moments[t].known |= UINT64_C(1) << cpu;
}

static void
store_at_random(Pair *pair, Prng *prng, unsigned cpu, unsigned at,
                unsigned size)
{
    Moment *moment = &pair->moments[pair->count];

    reference_know(pair, cpu, at, size, pair->count - 1);
    store(&pair->rig, cpu, at, size, prng_next(prng));
    *moment = (Moment){.at = at, .size = size, .known = UINT64_C(1) << cpu};
    memcpy(moment->memory, pair->rig.bytes, ROOM);
    pair->count++;
}

/* Everything that the past offers is allowed; and everything that is allowed
 * is offered as long as nothing was forgotten. */
static void
load_at_random(Pair *pair, Prng *prng, unsigned cpu, unsigned at, unsigned size,
               uint64_t seed)
{
    static uint64_t values[HISTORY];
    static unsigned times[HISTORY];
    unsigned behind = prng_chance(prng, 1, 3)
                          ? (unsigned)prng_below(prng, pair->count)
                          : 0;
    unsigned offered = look(&pair->rig, cpu, at, size, behind);
    unsigned allowed = reference_look(pair, cpu, at, size, behind, values,
                                      times);
    unsigned choice = (unsigned)prng_below(prng, offered);

    cr_assert_leq(offered, allowed, "seed %" PRIu64 " at %u: %u values, not %u",
                  seed, pair->count, offered, allowed);
    if (pair->count <= PAST_STORES_MAX / 2)
        cr_assert_eq(offered, allowed,
                     "seed %" PRIu64 " at %u: %u values, not %u", seed,
                     pair->count, offered, allowed);
    for (unsigned i = 0; i < offered; i++) {
        cr_assert_eq(pair->rig.view.value[i], values[i],
                     "seed %" PRIu64 " at %u", seed, pair->count);
        cr_assert(pair->rig.view.order[i] == times[i] ||
                      pair->rig.view.order[i] == 0,
                  "seed %" PRIu64 " at %u", seed, pair->count);
    }
    if (prng_chance(prng, 1, 2))
        return;
    take(&pair->rig, cpu, at, size, choice);
    reference_know(pair, cpu, at, size, times[choice]);
}

static void
run_at_random(uint64_t seed, unsigned steps, bool mixed)
{
    g_autofree Pair *pair = g_new0(Pair, 1);
    Prng prng;

    rig_init(&pair->rig, CORES);
    prng_init(&prng, seed);
    pair->count = 1;
    for (unsigned step = 0; step < steps && pair->count < HISTORY; step++) {
        unsigned cpu = (unsigned)prng_below(&prng, CORES);
        unsigned size = mixed ? 1 + (unsigned)prng_below(&prng, 8) : 8;
        unsigned at = mixed ? (unsigned)prng_below(&prng, 12)
                            : 8 * (unsigned)prng_below(&prng, 4);

        if (mixed && prng_chance(&prng, 1, 3)) /* another line, its end */
            at += LINE_BYTES + LINE_BYTES - 20;
        switch (prng_below(&prng, 8)) {
        case 0:
        case 1:
        case 2:
            store_at_random(pair, &prng, cpu, at, size);
            break;
        case 3:
            if (prng_chance(&prng, 1, 2))
                break;
            past_barrier(&pair->rig.past, &pair->rig.gmem, cpu);
            for (unsigned t = 1; t < pair->count; t++)
                pair->moments[t].known |= UINT64_C(1) << cpu;
            break;
        default:
            load_at_random(pair, &prng, cpu, at, size, seed);
            break;
        }
        check_flags(&pair->rig);
    }
}

static void
run_many(bool mixed)
{
    const char *soak = g_getenv("HEDDLE_SOAK");
    const char *from = g_getenv("HEDDLE_SEED");
    uint64_t seed = from == NULL ? 1 : g_ascii_strtoull(from, NULL, 10);
    uint64_t runs = soak == NULL
                        ? 60
                        : 10000 * MAX(g_ascii_strtoull(soak, NULL, 10), 1);

    for (uint64_t i = 0; i < runs; i++)
        run_at_random(seed + i, 100, mixed);
    for (uint64_t i = 0; i < runs / 60; i++)
        run_at_random(seed + i, 2000, mixed);
}

Test(past, words_at_random_do_as_a_whole_history_does, .timeout = 3600)
{
    run_many(false);
}

Test(past, bytes_at_random_do_as_a_whole_history_does, .timeout = 3600)
{
    run_many(true);
}
