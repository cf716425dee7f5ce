/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * past -- what memory held before: the values that a late load may still see.
 *
 * Under the model `weak` a load need not give the newest value of its
 * location.  Every store that becomes visible leaves here what it overwrote,
 * and a load may go back behind such stores one by one:
 *
 *      x:   0 ──store a──▶ 1 ──store b──▶ 2      memory holds 2
 *                                                a late load may see 1, or 0
 *
 * How far a core may go back is kept with the stores: `passed` has a bit for
 * each core that knows of the store already, because
 *
 *      it made it (a core never reads behind its own store),
 *      it read its value or a newer one (coherence: loads of one location do
 *      not go back in time), or
 *      it had a load barrier since (LFENCE, MFENCE, a LOCKed or serialising
 *      instruction).
 *
 * Beside that, a load whose address came from an earlier load is not older
 * than what that one saw: the caller gives the order number that it must stay
 * behind.  What a core reads of its own stores says nothing about that: it may
 * have read them before anybody else could.
 *
 * When PAST_STORES_MAX are here, the older half is forgotten: loads are not
 * late for ever.  A store that all cores have passed goes at once.
 *
 * Stores are chained by line, and for each chain it is known which cores have
 * nothing in it but their own: a core's stack costs it nothing.
 *
 * Invariants: order numbers grow; a line with a store here has GMEM_PAST; a
 * store lies within one line.
 *
 * Layer 2; embedded in Machine, a value: snapshots copy it.
 */
#ifndef EMU_PARTS_PAST_H
#define EMU_PARTS_PAST_H

#include "base/base.h"
#include "base/capacity.h"
#include "base/digest.h"
#include "guest/gmem.h"

typedef struct PastStore {
    uint64_t order;    /* when it became visible, counted from 1 */
    uint64_t passed;   /* cores that may not go back behind it */
    gpa_t physical;
    uint64_t old;      /* the bytes that it overwrote, the lowest first */
    uint8_t size;      /* 1 to 8 */
    uint8_t maker;     /* the core that made it */
    uint8_t older;     /* the next older one of this chain, plus 1; or 0 */
} PastStore;

#define PAST_CHAINS 128u

typedef struct Past {
    uint64_t cores;  /* those that there are */
    uint64_t orders; /* given so far */
    unsigned count;
    uint8_t newest[PAST_CHAINS];   /* of each chain, plus 1; or 0 */
    uint64_t foreign[PAST_CHAINS]; /* cores that find stores of others there */
    PastStore stores[PAST_STORES_MAX]; /* oldest first */
} Past;

/* Stacks of different cores are a power of two apart: that must not bring
 * them into one chain. */
static inline unsigned
past_chain(gpa_t physical)
{
    gpa_t line = physical >> LINE_BITS;

    return (unsigned)(line ^ line >> 7 ^ line >> 11) % PAST_CHAINS;
}

/* Can core `cpu` find here what others have stored near `physical`? */
static inline bool
past_is_foreign(const Past *past, unsigned cpu, gpa_t physical)
{
    return past->foreign[past_chain(physical)] >> cpu & 1;
}

/* What one load could give; [0] is the newest value. */
typedef struct PastView {
    unsigned count;                     /* at least 1 */
    uint64_t order[PAST_STORES_MAX + 1]; /* of the store that made it; 0: it
                                           was there before all of them */
    bool own[PAST_STORES_MAX + 1];       /* that store is the core's */
    uint64_t value[PAST_STORES_MAX + 1];
} PastView;

/* Start with nothing, for this many cores. */
void past_init(Past *past, unsigned cores);
/* Forget everything: what memory holds is all that there is. */
void past_forget(Past *past, Gmem *gmem);

/* Core `cpu` overwrote `old` at [physical, physical + size), size 1 to 8,
 * within one line. */
void past_note(Past *past, Gmem *gmem, unsigned cpu, gpa_t physical,
               unsigned size, uint64_t old);

/* Core `cpu` has a load barrier. */
void past_barrier(Past *past, Gmem *gmem, unsigned cpu);

/*
 * What core `cpu` could read at [physical, physical + size), 1 to 8 bytes
 * within one line, if it may not go back behind stores up to order `behind`.
 */
void past_look(const Past *past, const Gmem *gmem, unsigned cpu,
               gpa_t physical, unsigned size, uint64_t behind,
               PastView *view);

/* It read the value that the store `order` made, or 0: later loads of these
 * bytes, which are within one line, give that or a newer one. */
void past_read(Past *past, Gmem *gmem, unsigned cpu, gpa_t physical,
               uint64_t size, uint64_t order);

/* Core `cpu` will read no line again but those whose numbers modulo 64 are in
 * `lines`: forget what only it could still have gone back to. */
void past_expect(Past *past, Gmem *gmem, unsigned cpu, uint64_t lines);

/* Copy what is in use, to where there is nothing. */
void past_copy(Past *to, const Past *from);
size_t past_bytes(const Past *past);
/* After a copy: have the lines of its stores flagged. */
void past_mark_lines(const Past *past, Gmem *gmem);

/* Everything that later behaviour depends on, orders taken relatively;
 * nothing if there is nothing. */
void past_digest(const Past *past, Digest *digest);
/* How many stores that `cpu` could go back behind are not newer than `order`:
 * an order that a core keeps, taken relatively. */
unsigned past_rank(const Past *past, unsigned cpu, uint64_t order);

#endif
