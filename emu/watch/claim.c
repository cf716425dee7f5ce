/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/claim.h"

const char *
claim_quantifier_name(Quantifier quantifier)
{
    switch (quantifier) {
    case CLAIM_POSSIBLE:
        return "possible";
    case CLAIM_NEVER:
        return "never";
    case CLAIM_CERTAIN:
        return "certain";
    case CLAIM_REACH:
        return "reach";
    }
    BUG("no quantifier %d", (int)quantifier);
}

Claim *
claim_new(Quantifier quantifier, Predicate *predicate, unsigned line)
{
    Claim *claim = g_new0(Claim, 1);

    claim->quantifier = quantifier;
    claim->predicate = predicate;
    claim->line = line;
    return claim;
}

void
claim_free(Claim *claim)
{
    if (claim == NULL)
        return;
    predicate_free(claim->predicate);
    g_free(claim);
}

char *
claim_print(const Claim *claim)
{
    return g_strdup_printf("%s (%s)", claim_quantifier_name(claim->quantifier),
                           claim->predicate->text);
}
