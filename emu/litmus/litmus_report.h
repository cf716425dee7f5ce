/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * litmus_report -- the outcomes of a litmus test as the tools of its world
 * print them.
 *
 *      exhaustive, as herd7           sampled, as litmus7
 *
 *      Test SB Allowed                Test SB Allowed
 *      States 4                       Histogram (3 states)
 *      0:rax=0; 1:rax=0;              23    *>0:rax=0; 1:rax=0;
 *      ...                            ...
 *      Ok                             Ok
 *      Witnesses                      (an empty line)
 *      Positive: 1 Negative: 3        Witnesses
 *      Condition exists (...)         Positive: 23, Negative: 77
 *      Observation SB Sometimes 1 3   Condition exists (...) is validated
 *                                     Observation SB Sometimes 23 77
 *
 * then two lines of ours, and an empty one:
 *
 *      Model tso, complete: 57 states of the machine
 *      Expected Sometimes: as seen           (or: not seen yet, NOT as seen)
 *
 * As herd has it, Positive counts the outcomes for the condition: under
 * ~exists those that do not have the proposition; Observation always counts
 * those that have it first.  A star marks an outcome that has it.  An address
 * is printed as the name of its location.  There are no times.
 *
 * Layer 9.
 */
#ifndef EMU_LITMUS_LITMUS_REPORT_H
#define EMU_LITMUS_LITMUS_REPORT_H

#include "base/base.h"
#include "litmus/litmus.h"
#include "litmus/litmus_states.h"

typedef struct LitmusResult {
    const Litmus *litmus;
    const LitmusStates *states;
    const char *model;  /* "tso" */
    bool is_sampled;    /* by runs, not by exhaustive search */
    bool is_complete;   /* every outcome was seen: never when sampled */
    uint64_t explored;  /* states of the machine, when exhaustive */
    uint64_t runs;      /* that were made */
} LitmusResult;

/* The whole text, as is_sampled says.  Caller frees. */
char *litmus_report_text(const LitmusResult *result);

/* A line of JSON without its newline:
 *
 *      kind test file model complete states runs observation condition
 *      validated; counts, parallel to states, when sampled; expected and
 *      agrees, if the file says what is expected
 *
 * A state is an object: {"0:rax":0,"1:rax":1,"x":1}; an address is a string,
 * the name of its location.  Caller frees. */
char *litmus_report_json(const LitmusResult *result);

/* Whether what was seen agrees with what the file expects: the same word, or,
 * when not everything was seen, nothing that contradicts it.  True if nothing
 * is expected. */
bool litmus_report_agrees(const LitmusResult *result);

#endif
