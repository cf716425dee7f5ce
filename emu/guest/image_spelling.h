/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_spelling -- how far two words are apart.
 *
 * Serves the "did you mean" of everything that looks names or quoted lines up
 * in a guest image.  Layer 1; pure functions.
 */
#ifndef EMU_GUEST_IMAGE_SPELLING_H
#define EMU_GUEST_IMAGE_SPELLING_H

#include "base/base.h"

/* Longer words are never near anything. */
#define IMAGE_SPELLING_BYTES_MAX 256

/*
 * The number of single-byte insertions, deletions, substitutions and swaps of
 * neighbours that turn `a` into `b`, where no byte is edited twice (Damerau
 * 1964; the restricted form).  Exact up to `limit`; a larger distance, or a
 * word above IMAGE_SPELLING_BYTES_MAX, gives limit + 1.
 */
unsigned image_spelling_distance(const char *a, const char *b, unsigned limit);

/* The distance up to which a word is worth suggesting for `word`. */
unsigned image_spelling_limit(const char *word);

#endif
