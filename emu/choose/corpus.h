/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * corpus -- the tapes that were worth keeping, and how rare what they hit is.
 *
 *      a run ── tape, points ──▶ corpus_note() ── new point? ──▶ entries
 *                                     │
 *                                     ▼
 *                              runs that hit each point ──▶ corpus_pick()
 *
 * A tape is kept when its run hit a point (coverage.h) that no run before had
 * hit; the entry remembers those points.  What is picked to be changed next is
 * drawn by weight: the fewer runs have hit the rarest of an entry's points, and
 * the less often it was picked already, the heavier it is.  That is the energy
 * of AFLFast turned into a chance, in integers (Böhme, Pham, Roychoudhury,
 * "Coverage-based greybox fuzzing as Markov chain", CCS 2016); its unit is the
 * point and not the path, as RFF has it (Wolff et al., ASPLOS 2024).
 *
 * Kinds of points count alike, however many points they have: there are a
 * thousand instructions at which an interrupt can come for each thing that two
 * cores can tell each other.
 *
 * As bytes, a corpus is all of its state: saved and loaded, it goes on as it
 * would have.  Two of them can be joined, those of two workers for instance:
 * entries that hit something new are taken over, and of the numbers of runs
 * the larger is kept, so that joining again what was joined changes nothing.
 *
 * Invariants: entries never leave; each point that some run has hit is among
 * the points of exactly one entry.
 *
 * Layer 5; owned by the strategy.
 */
#ifndef EMU_CHOOSE_CORPUS_H
#define EMU_CHOOSE_CORPUS_H

#include "base/base.h"
#include "base/prng.h"
#include "choose/tape.h"
#include "watch/coverage.h"

typedef struct Corpus Corpus;

Corpus *corpus_new(void);
void corpus_free(Corpus *corpus);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Corpus, corpus_free)

/* A run by `tape` hit these points, each named once.  Returns whether the
 * tape is kept, as a copy. */
bool corpus_note(Corpus *corpus, const Tape *tape, const uint16_t *points,
                 unsigned count);

/* How many tapes it has. */
unsigned corpus_size(const Corpus *corpus);

/* How many different points were hit by its runs. */
unsigned corpus_points(const Corpus *corpus);

/* How many runs were noted. */
uint64_t corpus_runs(const Corpus *corpus);

/* Draw a tape by weight into `tape`, in place of what that held; the corpus
 * must not be empty.  `counts`: it was picked to be changed. */
void corpus_pick(Corpus *corpus, Prng *prng, bool counts, Tape *tape);

/* All of its state, the same bytes for the same state. */
GBytes *corpus_save(const Corpus *corpus);

#define CORPUS_ERROR corpus_error_quark()
GQuark corpus_error_quark(void);
typedef enum CorpusError { CORPUS_ERROR_FORMAT } CorpusError;

/* What corpus_save() gave; NULL with an error if it is not that. */
Corpus *corpus_load(GBytes *bytes, GError **error);

/* Take over what `other` knows. */
void corpus_join(Corpus *corpus, const Corpus *other);

#endif
