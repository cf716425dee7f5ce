/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drift -- what only counts while a loop goes round, and whether anything
 * depends on it.
 *
 * A loop has been played once.  The machine is as it was, but for some words:
 * statistics, indices that run free, a loop counter in a register.  Will the
 * next time round be the same, and the one after a million?  It will, if
 *
 *      each such word grows by the same amount each time, and
 *      no instruction of the loop takes a branch, forms an address, or writes
 *      to anything else, by what of it changes.
 *
 * That is shown by following values through the instructions of the loop as
 * they were executed.  The value of a place the k-th time round is known as
 *
 *      EXACT    v            the same each time
 *      DRIFTS   v + k*stride modulo 2^bits
 *      FLAGS    an image of RFLAGS in which arithmetic flags may differ
 *      LOOSE    anything: it may be overwritten, but not used
 *
 * Differences of indices that drift alike are EXACT, and so is an index modulo
 * the size of its ring if a whole number of turns goes by; the carry and
 * overflow of such a comparison are not.  What is not understood is LOOSE, and
 * a use of LOOSE is a refusal: the answer errs on the safe side.
 *
 * Memory that one core alone touches is followed in its program order.  A word
 * that several touch has one value for the whole loop, so that store buffers
 * and the order of the cores do not matter.  What is assumed of places at the
 * start of a round must hold again at its end: assumptions that do not are
 * weakened to LOOSE until nothing changes (a fixpoint from below).
 *
 * The clock drifts too: what RDTSC gives is LOOSE.  A timer of an APIC is
 * known relative to the clock, so its count is EXACT.
 *
 * Layer 4.
 */
#ifndef EMU_WATCH_DRIFT_H
#define EMU_WATCH_DRIFT_H

#include "base/base.h"
#include "machine/machine.h"

/* A word of memory that is not the same after the loop. */
typedef struct DriftWord {
    gpa_t physical;
    unsigned size;   /* bytes: 1, 2, 4 or 8 */
    uint64_t stride; /* what it grows by, modulo its size */
    bool loose;      /* written anew each time, before it is read */
} DriftWord;

/* A general register that is not. */
typedef struct DriftRegister {
    unsigned cpu, number;
    uint64_t stride;
    bool loose;
} DriftRegister;

typedef struct Drift Drift;

Drift *drift_new(Machine *machine);
void drift_free(Drift *drift);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Drift, drift_free)

/* Core `cpu` is about to make a step of the loop. */
void drift_before_step(Drift *drift, unsigned cpu);
/* That step took an interrupt or exception `vector`, and its frame is now on
 * the stack of the core, which stands between two steps. */
void drift_interrupted(Drift *drift, unsigned cpu, unsigned vector);

/* A byte of memory that the loop changed. */
typedef struct DriftByte {
    gpa_t physical;
    uint8_t before, after;
} DriftByte;

/* Steps are over, and these bytes have changed (DriftByte, by address): the
 * words that they are of, as the loop accesses them.  Appends DriftWord, by
 * address. */
void drift_list_words(Drift *drift, const GArray *bytes, GArray *words);

/*
 * Does nothing of the loop depend on what drifts?  `words` and `registers` are
 * what does, and get their `loose`.  NULL if so; otherwise the reason, which
 * the caller frees.
 */
char *drift_refute(Drift *drift, GArray *words, GArray *registers);

#endif
