/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tape -- the decisions of one run, in order.
 *
 * A decision is one of n: `value` was taken where `bound` were possible.  The
 * tape stores decisions, not steps: a core that goes on for a thousand steps
 * is one entry.  With the tape a run can be done again without the strategy
 * that made it.
 *
 * As bytes, each decision is its kind and value as LEB128 numbers; the bounds
 * follow from the machine and are checked when the tape is played.
 *
 * Layer 5; embedded in Choice.
 */
#ifndef EMU_CHOOSE_TAPE_H
#define EMU_CHOOSE_TAPE_H

#include "base/base.h"

typedef enum DecisionKind {
    DECISION_ACTION, /* which of the listed actions */
    DECISION_STEPS,  /* for how many steps at most, less one */
    DECISION_VALUE,  /* choose(n) of a story, less one */
    DECISION_DROP,   /* a message is lost: an injected fault */
    DECISION_STORE,  /* which of the stores that may become visible */
    DECISION_DRAINS, /* how many of them at most, less one */
    DECISION_WHOLE_STEPS, /* as STEPS; and the last of them is done whole,
                             even if it is a read-modify-write */
    DECISION_LATE,   /* how far a load goes back, 0 the newest value */
    DECISION_WRITE,  /* a schedule() writes to memory: physical address * 8 +
                        size - 1; before what it writes */
    DECISION_WRITTEN,
    DECISION_KINDS,
} DecisionKind;

typedef struct Decision {
    DecisionKind kind;
    uint64_t value;
} Decision;

typedef struct Tape {
    Decision *items;
    size_t count, capacity;
} Tape;

void tape_init(Tape *tape);
void tape_clear(Tape *tape);
/* Forget the decisions, keep the memory. */
void tape_rewind(Tape *tape);
void tape_push(Tape *tape, DecisionKind kind, uint64_t value);

/* The same for `count` of them, which must not be the tape's own. */
void tape_append(Tape *tape, const Decision *items, size_t count);

/* The tape as text without spaces, for a trace file; caller frees. */
char *tape_print(const Tape *tape);

#define TAPE_ERROR tape_error_quark()
GQuark tape_error_quark(void);
typedef enum TapeError { TAPE_ERROR_SYNTAX } TapeError;

/* Read what tape_print() wrote, into an empty tape.  False with an error if
 * it is no tape. */
bool tape_parse(Tape *tape, const char *text, GError **error);

#endif
