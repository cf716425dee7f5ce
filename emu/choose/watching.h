/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watching -- all that a machine can tell is told, for a while.
 *
 * Every line of memory is watched, and calls, returns and interrupts are told.
 * Who watched some lines before still does afterwards.
 *
 * Layer 5; a value with one owner.
 */
#ifndef EMU_CHOOSE_WATCHING_H
#define EMU_CHOOSE_WATCHING_H

#include "base/base.h"
#include "machine/machine.h"

typedef struct Watching {
    Machine *machine; /* borrowed; NULL: it is over */
    GArray *before;   /* uint64_t: lines that were watched already */
} Watching;

/* `watching` must be all zero, or over. */
void watching_begin(Watching *watching, Machine *machine);
/* Does nothing if it is over. */
void watching_end(Watching *watching);

#endif
