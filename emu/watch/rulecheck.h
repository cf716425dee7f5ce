/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rulecheck -- holds a run against the house rules of its system.
 *
 *      points ────▶ ┌─────────── RuleCheck ───────────┐
 *      slices ────▶ │ words   ledger     callbacks    │ ──▶ BreachLog
 *      accesses ──▶ │ stacks  lifetime                │
 *                   └─────────────────────────────────┘
 *
 * The rules are always on, so they look where there is something to see and
 * nowhere else: at the places that rules.lua names, twice in the life of a
 * message, and at one register at the end of a slice.  A breach changes
 * nothing in the run, it is only told.
 *
 * Nothing here depends on chance or on the host; what cannot be read breaks
 * nothing.  Layer 4; a part of probe.
 */
#ifndef EMU_WATCH_RULECHECK_H
#define EMU_WATCH_RULECHECK_H

#include "base/base.h"
#include "guest/image.h"
#include "machine/machine.h"
#include "watch/breach.h"
#include "watch/rules.h"
#include "watch/state.h"

typedef struct RuleCheck RuleCheck;

/*
 * Find the places of `rules` in the image.  The arguments must outlive it;
 * `view` may be NULL: then messages are not followed.
 */
RuleCheck *rulecheck_new(const Image *image, Machine *machine,
                         const Rules *rules, const StateView *view);
void rulecheck_free(RuleCheck *check);

/* A place that it wants to be told of: number `index` of them.  False beyond
 * the last. */
bool rulecheck_place(const RuleCheck *check, unsigned index, gva_t *address);

/* A new run; the machine is at its base. */
void rulecheck_begin(RuleCheck *check);

/* These are true when the log has something fresh.  Core `cpu` stands at place
 * number `index`. */
bool rulecheck_point(RuleCheck *check, unsigned index, unsigned cpu);
/* Its slice has ended. */
bool rulecheck_slice(RuleCheck *check, unsigned cpu);
/* It is about to access watched memory. */
bool rulecheck_access(RuleCheck *check, unsigned cpu, gpa_t physical,
                      uint64_t size);

/* Add what later breaches depend on, beside the machine. */
void rulecheck_digest(RuleCheck *check, Digest *digest);

/* What was broken; whoever looks may clear `fresh`. */
BreachLog *rulecheck_log(RuleCheck *check);

#endif
