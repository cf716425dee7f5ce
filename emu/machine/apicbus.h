/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apicbus -- interrupt messages on their way from one APIC to another.
 *
 *      ICR of one core ──▶ [ oldest | ... | newest ] ──▶ APIC of another
 *
 * A message sent to several cores is one message in flight for each.  Those
 * of one sender to one target stay in order; everything else may overtake.
 * When one arrives is not decided here.
 *
 * Invariants: the messages are in order of sending, and their numbers grow.
 *
 * Layer 3; embedded in Machine, a value: snapshots copy it.
 */
#ifndef EMU_MACHINE_APICBUS_H
#define EMU_MACHINE_APICBUS_H

#include "base/base.h"
#include "base/capacity.h"
#include "base/digest.h"
#include "machine/action.h"
#include "parts/lapic.h"

/* A message on its way to one target. */
typedef struct Message {
    uint64_t number; /* counts messages from power-on */
    ticks_t sent_at;
    uint32_t target; /* index of the core */
    LapicMessage message;
} Message;

typedef struct ApicBus {
    uint64_t total;  /* numbers given so far */
    unsigned count;
    bool overflowed; /* a message was lost for want of room */
    Message messages[BUS_MESSAGES_MAX];
} ApicBus;

/* Put a message for `target` on the bus; NULL, and noted, if it is full: a
 * guest that sends without end must not end the emulator. */
const Message *apicbus_push(ApicBus *bus, unsigned target, ticks_t now,
                            const LapicMessage *message);

/* The index of the message of this number, or bus->count. */
unsigned apicbus_lookup(const ApicBus *bus, uint64_t number);

/* Take the message at `index` off the bus. */
Message apicbus_pop(ApicBus *bus, unsigned index);

/* Add what may be delivered now to the list: the first message of each pair
 * of sender and target. */
void apicbus_list(const ApicBus *bus, Actions *actions);

/* Copy what is in use; a copy that is only kept needs no more than
 * apicbus_bytes() of memory. */
size_t apicbus_bytes(const ApicBus *bus);
void apicbus_copy(ApicBus *to, const ApicBus *from);

void apicbus_digest(const ApicBus *bus, Digest *digest);
bool apicbus_check(const ApicBus *bus);

#endif
