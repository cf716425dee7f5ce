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
 * of these lines, a fence about to drain a store to one, or a core about to ask
 * its story.  All other instructions commute with whatever the other cores do,
 * as far as those runs could tell: it is a sample, and a strategy that stops
 * nowhere else can miss what no census run touched.
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
    uint64_t *line_bits; /* the same, a bit for each line up to the last */
    GArray *line_events; /* uint64_t: of each line and core, visible events in
                            a run on average, rounded up */
    GArray *places; /* gva_t, ascending: addresses of instructions */
    uint64_t events_mean, events_max; /* of all cores in a run: visible events,
                                         drains, deliveries and timers */
    unsigned entities; /* that acted: cores, drains, messages to a core, timers
                          (entity.h) */
    CensusCore cores[CPUS_MAX];
} Census;

/* An instruction that is about to touch a shared line; or to drain a store to
 * one, which counts as a write and as locked; or to ask a story. */
#define CENSUS_STORY UINT64_MAX /* instead of a line: stories look at any */
typedef struct CensusEvent {
    unsigned cpu;
    gva_t rip;
    uint64_t line; /* the first that it touches */
    bool reads, writes;
    bool locked;   /* both at once */
} CensusEvent;

void census_init(Census *census);
void census_clear(Census *census);

/* Visible events of core `cpu` at line number `index` of census->lines, in a
 * run on average, rounded up. */
uint64_t census_events(const Census *census, unsigned index, unsigned cpu);

/* The number of `line`, which is a shared one. */
unsigned census_line(const Census *census, uint64_t line);

/* Is core `cpu`, which stands before `insn` at `rip`, about to touch a shared
 * line?  From inside a watcher. */
bool census_sees(const Census *census, Cpu *cpu, gva_t rip, const Insn *insn,
                 CensusEvent *event);

/* Its lines and places are all there: prepare for looking up, and mark the
 * places in the machine's code, so that they are told. */
void census_mark(Census *census, Machine *machine);
/* Nobody is to be told of its places any more. */
void census_unmark(const Census *census, Machine *machine);

#endif
