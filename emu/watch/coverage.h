/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coverage -- what cores told each other in a run, as a set of points.
 *
 * Code that is executed says little about a schedule: nearly all of it is
 * executed in every run.  What differs is who met whom.  So the points are
 *
 *      reads   a load of one core got the value that a store of another made:
 *              the addresses of both instructions
 *      missed  a load got an older value although another core had stored a
 *              newer one, which was still in its store buffer: both addresses
 *      late    a load gave an older value (`weak`): its address
 *      fifo    a FIFO's index was moved while so many entries were in it: the
 *              FIFO, the index, and a class of the number
 *      wait    where each core waits, as the guest's probes say, all together
 *      taken   an interrupt: its vector, and the instruction before which it
 *              was taken
 *      next    two of the others, but for interrupts, one after the other on
 *              the same core
 *
 * The first is what RFF keeps (Wolff, Shi, Duck, Mathur, Roychoudhury,
 * "Greybox fuzzing for concurrency testing", ASPLOS 2024: pairs of a read and
 * the write that it reads from, by place in the program).  A load of what the
 * same core stored, from memory or from its store buffer, is no point.
 *
 * A point is the hash of what it says, a number below COVERAGE_POINTS, in a
 * flat map of counters, as AFL has it; two points of one kind may share a
 * number.  Which
 * were hit is also kept as a list, so that a new run costs what the last one
 * touched.
 *
 *      Machine ── access, visible, interrupted, point ──▶ Coverage ──▶ points
 *
 * Loads and stores are seen of the lines that were given to coverage_watch()
 * only, since every access that is told costs some tens of nanoseconds.  Of a
 * byte it is known who stored it last; what was there at the base was stored
 * by nobody.
 *
 * Invariant: the points are a function of the run; collecting them changes
 * nothing in it.
 *
 * Layer 4; owned by whoever runs.
 */
#ifndef EMU_WATCH_COVERAGE_H
#define EMU_WATCH_COVERAGE_H

#include "base/base.h"
#include "guest/image.h"
#include "machine/machine.h"
#include "watch/state.h"

#define COVERAGE_POINTS 65536u

typedef enum CoverageKind {
    COVERAGE_READS,  /* store's address, load's address */
    COVERAGE_MISSED, /* the same */
    COVERAGE_LATE,   /* load's address, 0 */
    COVERAGE_FIFO,   /* physical address of the index, class */
    COVERAGE_WAIT,   /* a sum over the cores, 0 */
    COVERAGE_TAKEN,  /* vector, address */
    COVERAGE_NEXT,   /* two points of the same core, one after the other */
    COVERAGE_KINDS = 8,
} CoverageKind;

typedef struct CoverageSetup {
    Machine *machine;
    const StateView *view;  /* NULL: no FIFOs */
    const Image *image;     /* whose probes tell of waits; NULL: none do */
    const char *wait_provider, *wait_push, *wait_pop; /* or NULL */
} CoverageSetup;

typedef struct Coverage Coverage;

/* What `setup` points to must outlive it.  Marks the probes of waits in the
 * machine's code. */
Coverage *coverage_new(const CoverageSetup *setup);
void coverage_free(Coverage *coverage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Coverage, coverage_free)

/* See the accesses to the line of `physical`, which is RAM.  A second time
 * changes nothing. */
void coverage_watch(Coverage *coverage, gpa_t physical);

/* Have the lines watched, or not: without, a run costs no more than one of
 * which nothing is collected, and has no points of the first four kinds.  Off
 * until it is asked for; only between two runs. */
void coverage_collect(Coverage *coverage, bool enable);

/* A new run: no point was hit. */
void coverage_begin(Coverage *coverage);

/* What happens in it; as in MachineWatch. */
void coverage_access(Coverage *coverage, unsigned cpu, gpa_t physical,
                     const InsnAccess *access);
void coverage_visible(Coverage *coverage, unsigned cpu, gpa_t physical,
                      uint64_t size, gva_t rip);
void coverage_interrupted(Coverage *coverage, unsigned cpu, unsigned vector,
                          gva_t rip);
void coverage_point(Coverage *coverage, unsigned cpu, gva_t rip);

/* What a point speaks of. */
static inline CoverageKind
coverage_kind(uint16_t point)
{
    return (CoverageKind)(point % COVERAGE_KINDS);
}

/* The points that were hit, in order of their first hit. */
const uint16_t *coverage_hits(const Coverage *coverage, unsigned *count);

/* How often this point was hit; stops at 255. */
unsigned coverage_times(const Coverage *coverage, uint16_t point);

/* The number of the point that says this; for tests. */
uint16_t coverage_number(CoverageKind kind, uint64_t a, uint64_t b);

/*
 * The class of `length` entries in a FIFO with room for `depth`: powers of two
 * from either end, since what matters is nearly empty or nearly full.
 */
unsigned coverage_fifo_class(uint32_t length, uint32_t depth);

#endif
