/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * footprint -- what a core can still access before it is done.
 *
 *      P0:  movq $1, x      reads {y}  writes {x}     from here on
 *           movq y, %rax    reads {y}  writes {}
 *      end:                 reads {}   writes {}
 *
 * Found once, from the code: for straight code and forward branches whose
 * addresses are constants or come from registers that the code never writes.
 * About any other code nothing is known: it can access everything.
 *
 * A set of lines is one word, a bit for each of them by its number modulo 64:
 * lines that share a bit are taken for one.  Layer 6; has one owner.
 */
#ifndef EMU_SEARCH_FOOTPRINT_H
#define EMU_SEARCH_FOOTPRINT_H

#include "base/base.h"
#include "machine/machine.h"

typedef struct Footprint {
    uint64_t reads, writes; /* sets of lines */
} Footprint;

#define FOOTPRINT_ALL ((Footprint){UINT64_MAX, UINT64_MAX})

typedef struct FootprintMap FootprintMap;

/* Of the cores as they stand now, up to where each is done. */
FootprintMap *footprint_map_new(Machine *machine, const gva_t *ends);
void footprint_map_free(FootprintMap *footprints);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FootprintMap, footprint_map_free)

/* What core `cpu` can access from `rip` on, the instruction there included. */
Footprint footprint_from(const FootprintMap *footprints, unsigned cpu,
                         gva_t rip);

/* What one instruction accesses, with these registers; FOOTPRINT_ALL if that
 * is not all RAM. */
Footprint footprint_of(const Machine *machine, const Cpu *cpu,
                       const Insn *insn);

/* The set of the lines of [physical, physical + size). */
static inline uint64_t
footprint_lines(gpa_t physical, uint64_t size)
{
    return UINT64_C(1) << (physical >> LINE_BITS) % 64 |
           UINT64_C(1) << ((physical + size - 1) >> LINE_BITS) % 64;
}

#endif
