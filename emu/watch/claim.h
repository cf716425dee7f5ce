/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * claim -- what a scenario says about its runs, as plain data.
 *
 *      claim      = quantifier predicate
 *      quantifier = possible | never | certain | reach
 *
 * Layer 4.
 */
#ifndef EMU_WATCH_CLAIM_H
#define EMU_WATCH_CLAIM_H

#include "base/base.h"
#include "watch/predicate.h"

typedef enum Quantifier {
    CLAIM_POSSIBLE, /* some schedule shows it */
    CLAIM_NEVER,    /* none does */
    CLAIM_CERTAIN,  /* all do */
    CLAIM_REACH,    /* some does, or the case proves nothing */
} Quantifier;

typedef struct Claim {
    Quantifier quantifier;
    Predicate *predicate;
    unsigned line;
    bool implied; /* not written: "never panic" where nobody speaks of it */
} Claim;

const char *claim_quantifier_name(Quantifier quantifier);

/* Takes the predicate. */
Claim *claim_new(Quantifier quantifier, Predicate *predicate, unsigned line);
void claim_free(Claim *claim);

/* "never (stuck)"; caller frees. */
char *claim_print(const Claim *claim);

#endif
