/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * litmus_condition -- what a litmus test asks of its outcomes.
 *
 *      exists (0:rax=0 /\ [x]=1)
 *      quantifier  proposition
 *
 * Strength of operators as herd has it: `not` (also ~), `=>`, `/\`, `\/`, the
 * first binds tightest.  An atom compares an item with
 *
 *      a number     0:rax=-1        as the item's type or as unsigned bits
 *      an address   0:rax=x         of a location, or x[1] of an element
 *      an item      0:rax=1:rbx     or [y], what location y holds
 *
 * Before a proposition is evaluated it must be bound: it then knows at which
 * positions of an outcome its items are.  Whoever changes `observed` binds
 * again.
 *
 * Layer 9; a tree with one owner.
 */
#ifndef EMU_LITMUS_LITMUS_CONDITION_H
#define EMU_LITMUS_LITMUS_CONDITION_H

#include "base/base.h"
#include "litmus/litmus.h"
#include "litmus/litmus_lex.h"

typedef enum LitmusQuantifier {
    LITMUS_EXISTS,     /* some outcome has it */
    LITMUS_NOT_EXISTS, /* none has it */
    LITMUS_FORALL,     /* all have it */
} LitmusQuantifier;

typedef enum LitmusPropositionKind {
    LITMUS_AND,     /* of `parts`; true if there are none */
    LITMUS_OR,      /* of `parts`; false if there are none */
    LITMUS_NOT,     /* of one part */
    LITMUS_IMPLIES, /* of two parts */
    LITMUS_ATOM,
} LitmusPropositionKind;

typedef enum LitmusRightKind {
    LITMUS_RIGHT_NUMBER,
    LITMUS_RIGHT_ADDRESS,
    LITMUS_RIGHT_ITEM,
} LitmusRightKind;

typedef struct LitmusAtom {
    LitmusItem left;
    LitmusRightKind kind;
    uint64_t number;   /* NUMBER: in two's complement; ADDRESS: that */
    bool is_negative;  /* NUMBER: it was written with a '-' */
    LitmusItem right;  /* ITEM and ADDRESS: which */
    unsigned left_at;  /* position in an outcome, when bound */
    unsigned right_at; /* the same, for ITEM */
} LitmusAtom;

struct LitmusProposition {
    LitmusPropositionKind kind;
    GPtrArray *parts; /* LitmusProposition; NULL in an atom */
    LitmusAtom atom;
};

struct LitmusCondition {
    LitmusQuantifier quantifier;
    LitmusProposition *proposition;
};

/* NULL is allowed. */
void litmus_condition_free(LitmusCondition *condition);
void litmus_proposition_free(LitmusProposition *proposition);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LitmusCondition, litmus_condition_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LitmusProposition, litmus_proposition_free)

/* forall (true): what a test asks that asks nothing. */
LitmusCondition *litmus_condition_true(void);

/* Read a proposition that begins at the token; the token after it is next.
 * Its items are observed from then on.  NULL with an error. */
LitmusProposition *litmus_proposition_parse(LitmusLex *lex, Litmus *litmus,
                                            GError **error);

/* Read an item that begins at the token: 0:rax, x, [x], *x, x[1].  `item` has
 * a name to be freed. */
bool litmus_item_parse(LitmusLex *lex, const Litmus *litmus, LitmusItem *item,
                       GError **error);

/* Learn where the items are in an outcome; all must be observed.  NULL is
 * allowed. */
void litmus_condition_bind(LitmusCondition *condition, const Litmus *litmus);
void litmus_proposition_bind(LitmusProposition *proposition,
                             const Litmus *litmus);

/* Whether the outcome has it.  The values must fit their items, see
 * litmus_item_value(). */
bool litmus_proposition_holds(const LitmusProposition *proposition,
                              const int64_t *values);

/* Whether the condition holds, when its proposition held in `positive` cases
 * and did not in `negative`. */
bool litmus_condition_validated(const LitmusCondition *condition,
                                uint64_t positive, uint64_t negative);

/* As herd spells it: "exists (0:rax=0 /\ [x]=1)".  Caller frees. */
char *litmus_condition_print(const LitmusCondition *condition,
                             const Litmus *litmus);

#endif
