/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger -- keeps account of every message in every FIFO: what was written,
 * and what of it is still to be executed.
 *
 *      sender                  ledger of one FIFO            target
 *      ledger_send() ─────▶ │ 12 │ 13 │ 14 │ 15 │ ─────▶ ledger_receive()
 *                             ▲ executed       ▲ written
 *
 * The contents of a slot are copied while the sender stands before the store
 * to its index; its own view of memory has them then, whatever the memory
 * model lets others see.  The target stands where it has read a slot, has
 * given it back and is about to execute what it read.  That must be the oldest
 * message of the ledger, by contents and by index.
 *
 * A message that was written where nobody marks the store is taken over from
 * memory when it is seen.  Nothing is done at the start of a run: a FIFO's
 * account begins, from the machine's base, when it is first used.
 *
 * Layer 4; a part of rulecheck.
 */
#ifndef EMU_WATCH_LEDGER_H
#define EMU_WATCH_LEDGER_H

#include "base/base.h"
#include "machine/machine.h"
#include "watch/rules.h"
#include "watch/state.h"

typedef struct Ledger Ledger;

/* The arguments must outlive it. */
Ledger *ledger_new(Machine *machine, const RuleMessages *messages,
                   const StateView *view);
void ledger_free(Ledger *ledger);

/* A new run. */
void ledger_begin(Ledger *ledger);

/*
 * A core is about to store to the word at `index`.  If that is the write index
 * of a FIFO, the message in its slot is accounted for.  Fills `fields`, and is
 * true, if so; *room says whether there was room for it.
 */
bool ledger_send(Ledger *ledger, gpa_t index, uint64_t *fields, bool *room);

/* What a core is about to execute. */
typedef struct LedgerReceipt {
    uint64_t source, target; /* cpus */
    uint64_t fields[RULE_FIELDS_MAX];
} LedgerReceipt;

/* Is this the message whose turn it is? */
bool ledger_receive(Ledger *ledger, const LedgerReceipt *receipt);

/* Add what later answers depend on, beside memory. */
void ledger_digest(Ledger *ledger, Digest *digest);

#endif
