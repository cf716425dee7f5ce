/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "machine/apicbus.h"

const Message *
apicbus_push(ApicBus *bus, unsigned target, ticks_t now,
             const LapicMessage *message)
{
    Message *slot = &bus->messages[bus->count];

    if (bus->count == BUS_MESSAGES_MAX) {
        bus->overflowed = true;
        return NULL;
    }
    bus->count++;
    *slot = (Message){
        .number = bus->total++,
        .sent_at = now,
        .target = target,
        .message = *message,
    };
    return slot;
}

unsigned
apicbus_lookup(const ApicBus *bus, uint64_t number)
{
    unsigned i = 0;

    while (i < bus->count && bus->messages[i].number != number)
        i++;
    return i;
}

Message
apicbus_pop(ApicBus *bus, unsigned index)
{
    Message message = bus->messages[index];

    INVARIANT(index < bus->count);
    bus->count--;
    memmove(&bus->messages[index], &bus->messages[index + 1],
            (bus->count - index) * sizeof(Message));
    return message;
}

void
apicbus_list(const ApicBus *bus, Actions *actions)
{
    uint64_t seen[CPUS_MAX] = {0};

    for (unsigned i = 0; i < bus->count; i++) {
        const Message *message = &bus->messages[i];
        uint64_t bit = UINT64_C(1) << (message->message.source % CPUS_MAX);

        if (seen[message->target] & bit)
            continue;
        seen[message->target] |= bit;
        action_add(actions, (Action){
            .kind = ACTION_DELIVER,
            .cpu = message->target,
            .number = message->number,
        });
    }
}

size_t
apicbus_bytes(const ApicBus *bus)
{
    return offsetof(ApicBus, messages) + bus->count * sizeof(Message);
}

void
apicbus_copy(ApicBus *to, const ApicBus *from)
{
    to->total = from->total;
    to->count = from->count;
    to->overflowed = from->overflowed;
    memcpy(to->messages, from->messages, from->count * sizeof(Message));
}

void
apicbus_digest(const ApicBus *bus, Digest *digest)
{
    digest_u64(digest, bus->total);
    digest_u64(digest, bus->count);
    for (unsigned i = 0; i < bus->count; i++) {
        const Message *message = &bus->messages[i];
        const LapicMessage *lapic = &message->message;

        digest_u64(digest, message->number);
        digest_u64(digest, message->sent_at);
        digest_u64(digest, message->target);
        digest_u64(digest,
                   (uint64_t)lapic->source << 32 | lapic->destination);
        digest_u64(digest, (uint64_t)lapic->vector << 32 |
                               (uint64_t)lapic->delivery << 16 |
                               (uint64_t)lapic->shorthand << 8 |
                               (uint64_t)lapic->logical << 2 |
                               (uint64_t)lapic->level_triggered << 1 |
                               lapic->x2apic);
    }
}

bool
apicbus_check(const ApicBus *bus)
{
    for (unsigned i = 1; i < bus->count; i++)
        if (bus->messages[i - 1].number >= bus->messages[i].number)
            return false;
    return true;
}
