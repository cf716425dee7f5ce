/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storebuf -- one core's store buffer.
 *
 * A store retires into the buffer and becomes visible to other cores only
 * when it drains to memory (Sewell et al., "x86-TSO", CACM 53(7), 2010).
 *
 *      core ── store ──▶ [ newest | ... | oldest ] ── drain ──▶ memory
 *       ▲                   │
 *       └───── forward ─────┘    a load sees its own core's newest bytes first
 *
 * The core executes on RAM itself, at full speed, so forwarding is done by
 * showing: while a core runs, RAM holds its view, that is memory with its own
 * buffered stores on top, and each entry keeps the bytes that it covers.  When
 * the core stops, the entries are hidden again, newest first, and RAM is what
 * all cores agree on.
 *
 *      hidden    RAM: memory         entry.value   what it will write
 *      shown     RAM: own view       entry.covered what lies below it
 *
 * So a load costs nothing, a store costs an entry, and draining while shown
 * means forgetting the entry.
 *
 * An entry is at most eight bytes and never crosses a line: that is what
 * becomes visible at once (SDM 3A, 9.1.1).  Longer stores are several entries
 * in ascending order of address.
 *
 * Invariants: entries are in program order; count <= STOREBUF_DEPTH_MAX; the
 * first entry is not fenced; an empty buffer has no fence.  Of all cores of a
 * machine one at most is shown.
 *
 * Which entry drains next is not decided here: storebuf_drainable() says what
 * the memory model allows, choice.h what is taken.  Layer 2; embedded in Cpu.
 */
#ifndef EMU_PARTS_STOREBUF_H
#define EMU_PARTS_STOREBUF_H

#include "base/base.h"
#include "base/capacity.h"
#include "base/digest.h"
#include "guest/gmem.h"
#include "parts/memmodel.h"
#include "parts/past.h"

#define STORE_BYTES_MAX 8u

typedef struct Store {
    gpa_t physical;
    uint64_t value;   /* while hidden: its bytes, the lowest first */
    uint64_t covered; /* while shown: the bytes below */
    gva_t rip;        /* the instruction that made it; for people */
    uint8_t size;     /* 1 to 8 bytes, within one line */
    bool fenced;      /* SFENCE lies between it and the one before */
    bool weakly;      /* non-temporal: weakly ordered (SDM 1, 10.4.6.2) */
} Store;

typedef struct StoreBuf {
    unsigned count;
    bool fence;  /* SFENCE came after the newest entry */
    bool weakly; /* there was a non-temporal store since it was empty */
    bool shown;
    Store entries[STOREBUF_DEPTH_MAX]; /* oldest first */
} StoreBuf;

/* The bytes at `physical` as a number, the lowest first.  Sizes are spelled
 * out: a copy of a variable size costs ten times as much. */
static inline uint64_t
store_bytes(const Gmem *gmem, gpa_t physical, unsigned size)
{
    const uint8_t *from = gmem->bytes + physical;
    uint64_t value = 0;

    switch (size) {
    case 8:
        memcpy(&value, from, 8);
        return value;
    case 4:
        memcpy(&value, from, 4);
        return value;
    default:
        for (unsigned i = 0; i < size; i++)
            value |= (uint64_t)from[i] << 8 * i;
        return value;
    }
}

static inline void
store_put_bytes(Gmem *gmem, gpa_t physical, unsigned size, uint64_t value)
{
    uint8_t *to = gmem->bytes + physical;

    switch (size) {
    case 8:
        memcpy(to, &value, 8);
        return;
    case 4:
        memcpy(to, &value, 4);
        return;
    default:
        for (unsigned i = 0; i < size; i++)
            to[i] = (uint8_t)(value >> 8 * i);
    }
}

/*
 * A store to [physical, physical + size) is about to execute: RAM still holds
 * what it will cover.  The buffer must be shown and have room, the bytes be
 * one entry's.
 */
static inline void
storebuf_push(StoreBuf *buf, const Gmem *gmem, gpa_t physical, unsigned size,
              gva_t rip)
{
    Store *store = &buf->entries[buf->count++];

    store->physical = physical;
    store->size = (uint8_t)size;
    store->rip = rip;
    store->fenced = buf->fence;
    store->weakly = false;
    store->covered = store_bytes(gmem, physical, size);
    buf->fence = false;
}

/* The newest store is a non-temporal one. */
static inline void
storebuf_push_weakly(StoreBuf *buf)
{
    buf->entries[buf->count - 1].weakly = true;
    buf->weakly = true;
}

/* RAM becomes this core's view, or memory again.  Return the flags of all
 * lines that changed. */
uint8_t storebuf_show(StoreBuf *buf, Gmem *gmem);
uint8_t storebuf_hide(StoreBuf *buf, Gmem *gmem);

/* An SFENCE: stores before it drain before those after it. */
void storebuf_fence(StoreBuf *buf);

/*
 * The entries that may drain next, one bit each: under TSO the oldest, under
 * PSO also younger ones that overlap with no older one and have no fence
 * before them.  Non-temporal stores and ordinary ones may overtake each other
 * under every model.
 */
uint64_t storebuf_drainable(const StoreBuf *buf, MemoryModel model);

/* Entry `index`, which must be drainable, becomes visible.  What it
 * overwrites goes to `past` as written by core `cpu`, unless that is NULL. */
void storebuf_drain(StoreBuf *buf, Gmem *gmem, unsigned index, Past *past,
                    unsigned cpu);

/* The `count` oldest become visible, in order; always allowed. */
void storebuf_drain_oldest(StoreBuf *buf, Gmem *gmem, unsigned count,
                           Past *past, unsigned cpu);

/* All entries become visible, oldest first. */
void storebuf_drain_all(StoreBuf *buf, Gmem *gmem, Past *past, unsigned cpu);

/* What the core itself would read at [physical, physical + size) of RAM. */
void storebuf_forward(const StoreBuf *buf, const Gmem *gmem, gpa_t physical,
                      void *bytes, uint64_t size);

/* Turn what was read of memory into what the core itself would read; hidden
 * only.  And what was read of RAM while this buffer is shown into what is in
 * memory. */
void storebuf_cover(const StoreBuf *buf, gpa_t physical, void *bytes,
                    uint64_t size);
void storebuf_uncover(const StoreBuf *buf, gpa_t physical, void *bytes,
                      uint64_t size);

/* Does an entry overlap with these bytes? */
bool storebuf_overlaps(const StoreBuf *buf, gpa_t physical, uint64_t size);

/* Copy what is in use; both hidden. */
void storebuf_copy(StoreBuf *to, const StoreBuf *from);
/* Bytes that storebuf_copy() touches. */
size_t storebuf_bytes(const StoreBuf *buf);

/* Everything that later behaviour depends on; hidden.  An empty buffer adds
 * nothing. */
void storebuf_digest(const StoreBuf *buf, Digest *digest);

bool storebuf_check(const StoreBuf *buf);

#endif
