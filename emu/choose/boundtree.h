/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boundtree -- the schedules within bounds as a tree, walked one run after the
 * other.
 *
 *      run 1   o──o──o──o──o      at each branch the default, number 0
 *      run 2   o──o──o──o─┐       the last branch that has more to offer
 *                         └─o     takes its next alternative; behind it
 *      run 3   o──o──o─┐          defaults again
 *                      └─o──o
 *
 * A run cannot be left in the middle and taken up again (stories are
 * coroutines), so each begins at the base and takes the alternatives of the
 * path once more.  All that has to be kept to go on is the path itself: what
 * lies left of it is done, what lies right of it is not.
 *
 * Deviations cost.  A bound is the number of each kind that a schedule may
 * have, and `total` how many of all kinds; the walk is repeated with total 0,
 * 1, 2... (iterative bounding: Musuvathi, Qadeer, "Iterative Context Bounding
 * for Systematic Testing of Multithreaded Programs", PLDI 2007), so that the
 * simplest schedule that shows something comes first.
 *
 * States that were seen.  A branch may have a key, a hash of all that its
 * future depends on.  When an earlier run was there with at least as much left
 * of each bound, all that can follow is known or on the path already, and the
 * run can be cut.  If it is this very run that was there, it goes round: it
 * goes on to its verdict, and has no alternatives that it did not have before.
 *
 * Invariant: every node of the path has taken < count.
 *
 * Layer 5; owned by a strategy.
 */
#ifndef EMU_CHOOSE_BOUNDTREE_H
#define EMU_CHOOSE_BOUNDTREE_H

#include "base/base.h"

/* What a deviation is counted as. */
typedef enum BoundKind {
    BOUND_PREEMPTIONS,
    BOUND_STORES,
    BOUND_INTERRUPTS,
    BOUND_KINDS,
    BOUND_FREE = BOUND_KINDS, /* not counted at all */
} BoundKind;

/* How many of each kind. */
typedef struct Bounds {
    unsigned most[BOUND_KINDS];
} Bounds;

/* Combinations of what can be left: one bit each in a SeenSet. */
#define BOUNDS_COMBINATIONS_MAX 128u

/* Alternatives of one branch at most: with more, a branch is cut down and the
 * search is not complete. */
#define BOUNDTREE_ALTERNATIVES_MAX 4096u

typedef struct BoundTree BoundTree;

/* `bounds` must have at most BOUNDS_COMBINATIONS_MAX combinations. */
BoundTree *boundtree_new(const Bounds *bounds);
void boundtree_free(BoundTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BoundTree, boundtree_free)

/* Look at no states, so that no run is cut. */
void boundtree_ignore_states(BoundTree *tree);

/*
 * Walk only one of `shards` parts of the tree: first deviations are dealt out
 * in turn.  All parts together are the tree; the run without deviations is in
 * each of them.  Restarts.
 */
void boundtree_take_shard(BoundTree *tree, unsigned shard, unsigned shards);

/* Begin anew, with total 0. */
void boundtree_restart(BoundTree *tree);

/* A run begins. */
void boundtree_begin_run(BoundTree *tree);

/* How many of `kind` the present run may still have at this moment.  To be
 * asked only where there is something to use them for. */
unsigned boundtree_left(BoundTree *tree, BoundKind kind);

/* Is the run still on the path, where no state needs to be looked at? */
bool boundtree_is_on_path(const BoundTree *tree);

typedef enum BoundVisit {
    BOUND_NEW,   /* to be explored */
    BOUND_ROUND, /* this run was here before */
    BOUND_SEEN,  /* an earlier run was: this one can be cut */
} BoundVisit;

/* The run is in the state `key`, and not on the path. */
BoundVisit boundtree_visit(BoundTree *tree, uint64_t key);

/*
 * The run is at a branch.  `costs` has, of each of its `count` alternatives,
 * what it is counted as; the first is the default.  `key` is that of the state,
 * or 0.  Returns which alternative is taken.  The caller offers none that the
 * bounds do not allow.
 */
unsigned boundtree_branch(BoundTree *tree, const BoundKind *costs,
                          unsigned count, uint64_t key);

/* The run is over, or was cut: on to the next.  False when there is none. */
bool boundtree_end_run(BoundTree *tree, bool cut);

typedef struct BoundProgress {
    unsigned total, totals;  /* the present pass allows `total` deviations; the
                                last will allow `totals` */
    uint64_t runs;           /* schedules, of all passes since the restart */
    uint64_t cuts;           /* runs that were cut */
    uint64_t expected;       /* estimate of runs and cuts of this pass ... */
    uint64_t done;           /* ... of which these were made */
    uint64_t later;          /* a guess at those of all later passes */
    uint64_t states;         /* remembered */
    bool complete;           /* every schedule within the bounds was looked
                                at, unless the path was foreign */
    bool foreign;            /* a path did not fit the machine: it was loaded,
                                and belongs to another search */
} BoundProgress;

void boundtree_progress(const BoundTree *tree, BoundProgress *progress);

/* The path and the counts as one line of text; caller frees.  States are not in
 * it: a search that was loaded cuts less. */
char *boundtree_print(const BoundTree *tree);

#define BOUNDTREE_ERROR boundtree_error_quark()
GQuark boundtree_error_quark(void);
typedef enum BoundTreeError { BOUNDTREE_ERROR_SYNTAX } BoundTreeError;

/* Go on where boundtree_print() was.  False with an error, and a restart, if
 * the text is none or has other bounds. */
bool boundtree_parse(BoundTree *tree, const char *text, GError **error);

#endif
