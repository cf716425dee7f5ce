/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * census -- where the cores of a case meet.
 *
 * A few runs are made under full watching, and tell which cache lines are
 * touched by at least two and written by one, which instructions do that, and
 * how much each core does in a run.  Interrupt handlers count as somebody
 * else than what they interrupt; what only these two share on their own stack
 * is left out.
 *
 * A visible event is an instruction at one of these places about to touch one
 * of these lines.  All other instructions commute with whatever the other
 * cores do, as far as those runs could tell: it is a sample, and a strategy
 * that stops nowhere else can miss what no census run touched.
 *
 * The census is a function of image, scenario, case and memory model, so that
 * a run stays a function of them and its seed.
 *
 * Layer 5; a value that owns its arrays.
 */
#ifndef EMU_CHOOSE_CENSUS_H
#define EMU_CHOOSE_CENSUS_H

#include "base/base.h"
#include "base/capacity.h"
#include "machine/machine.h"

/* Runs of a census: seeds 1 to this many, strategy random. */
#define CENSUS_RUNS 24u

typedef struct CensusCore {
    uint64_t steps_mean, steps_max;   /* of a run */
    uint64_t events_mean, events_max; /* visible ones */
} CensusCore;

typedef struct Census {
    unsigned cpus;
    GArray *lines;  /* uint64_t, ascending: physical >> LINE_BITS */
    GArray *places; /* gva_t, ascending: addresses of instructions */
    uint64_t events_mean, events_max; /* of all cores in a run: visible events,
                                         drains, deliveries and timers */
    CensusCore cores[CPUS_MAX];
} Census;

/* An instruction that is about to touch a shared line. */
typedef struct CensusEvent {
    unsigned cpu;
    gva_t rip;
    uint64_t line; /* the first that it touches */
    bool reads, writes;
    bool locked;   /* both at once */
} CensusEvent;

void census_init(Census *census);
void census_clear(Census *census);

/* Is core `cpu`, which stands before the instruction at `rip`, about to touch
 * a shared line? */
bool census_sees(const Census *census, Machine *machine, unsigned cpu,
                 gva_t rip, CensusEvent *event);

/* Mark its places in the machine's code, so that they are told. */
void census_mark(const Census *census, Machine *machine);

#endif
