/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seenstates -- in which states runs have been, and with what was left of
 * their bounds.
 *
 * States are told apart by a hash of 64 bits.  What was left is a small
 * number; a set of such numbers is a SeenSet.  Layer 5; has one owner.
 */
#ifndef EMU_CHOOSE_SEENSTATES_H
#define EMU_CHOOSE_SEENSTATES_H

#include "base/base.h"

typedef unsigned __int128 SeenSet;
#define SEEN_SET_MAX 128u

/* States that are remembered; all beyond are new for ever. */
#define SEENSTATES_MAX (UINT64_C(3) << 20)

typedef struct SeenStates SeenStates;

SeenStates *seenstates_new(void);
void seenstates_free(SeenStates *states);

/* Was somebody in the state `key`, not 0, with a number of `as_good` left?  If
 * not, somebody is now, with `number`. */
bool seenstates_visit(SeenStates *states, uint64_t key, unsigned number,
                      SeenSet as_good);

/* How many are remembered. */
uint64_t seenstates_count(const SeenStates *states);

#endif
