/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state -- is the machine where it was before?
 *
 * A digest of the whole machine never comes back: time goes on and counters
 * count.  This hash leaves out what only counts, and sees FIFOs as queues:
 *
 *   left out     the clock, steps, the console, message numbers, and the
 *                words that the system's rules.lua declares as counters
 *   relative     the deadlines of APIC timers, to the clock
 *   as a queue   an index pair becomes the number of entries between them,
 *                and the entries in order, wherever in the ring they lie
 *
 * Two states with one hash behave alike, as long as no branch depends on what
 * was left out.  This is a hint where to look; proof.h is the proof.  Layer 4.
 */
#ifndef EMU_WATCH_STATE_H
#define EMU_WATCH_STATE_H

#include "base/base.h"
#include "machine/machine.h"

/* Bytes that are left out. */
typedef struct StateRange {
    gpa_t physical;
    uint64_t size;
} StateRange;

/* A ring whose indices run free; each index is a 32-bit integer. */
typedef struct StateFifo {
    gpa_t physical; /* of the structure */
    uint64_t size;
    uint32_t written, read, executed; /* offsets of the indices */
    uint32_t slots;                   /* offset of the first slot */
    uint32_t slot_size, depth;
    int source, target; /* cpus; both the same: nothing, or its own queue */
    bool own;           /* a cpu's own queue */
} StateFifo;

/* What the hash sees of a line, remembered by its bytes. */
typedef struct StateLine StateLine;

typedef struct StateView {
    GArray *ranges; /* StateRange, by address, not overlapping */
    GArray *fifos;  /* StateFifo, by address, not overlapping the ranges */
    GArray *left_out; /* StateRange: both, as state_view_sort() finds them */
    GHashTable *blind; /* a cache of counter.h */
    StateLine *lines;  /* a cache of state_hash(), or NULL */
} StateView;

void state_view_init(StateView *view);
void state_view_clear(StateView *view);
/* Bring ranges and fifos in order; after the last was added. */
void state_view_sort(StateView *view);

/* `shape` is the hash described above; in the other FIFOs are bytes like all
 * others, so that nothing but counters can differ unnoticed. */
typedef struct StateHash {
    uint64_t shape, but_counters;
} StateHash;

/* Settles all cores. */
void state_hash(Machine *machine, const StateView *view, StateHash *hash);

/* The same of all memory but what only counts: FIFOs by their bytes, and under
 * `weak` what late loads may still see.  For telling whether the machine will
 * go on as it did, and not only round.  `view` may be NULL. */
uint64_t state_hash_exactly(Machine *machine, const StateView *view);

/* Entries in a FIFO that were written and not read; and how many were read
 * since it was made, modulo 2^32. */
uint32_t state_fifo_length(Machine *machine, const StateFifo *fifo);
uint32_t state_fifo_index(Machine *machine, const StateFifo *fifo);
/* The first FIFO in which a message waits, or NULL: at rest, a lost one.
 * `view` may be NULL. */
const StateFifo *state_waiting_fifo(Machine *machine, const StateView *view);

#endif
