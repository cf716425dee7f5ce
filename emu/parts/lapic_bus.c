/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "parts/lapic_bus.h"

#define DFR_FLAT 0xfu
#define DFR_CLUSTER 0x0u

#define ICR_LOGICAL (1u << 11)
#define ICR_ASSERT (1u << 14)
#define ICR_LEVEL (1u << 15)

uint32_t
lapic_bus_logical_id(const Lapic *lapic)
{
    return lapic->initial_id >> 4 << 16 | 1u << (lapic->initial_id & 15);
}

static bool
matches_physical(const Lapic *lapic, uint32_t destination)
{
    return destination ==
           (lapic_is_x2apic(lapic) ? lapic->initial_id : lapic->xapic_id);
}

static bool
matches_logical(const Lapic *lapic, uint32_t destination)
{
    uint32_t mine = lapic->ldr >> 24;

    if (lapic_is_x2apic(lapic)) {
        mine = lapic_bus_logical_id(lapic);
        return destination >> 16 == mine >> 16 &&
               (destination & mine & 0xffff) != 0;
    }
    if (destination > 0xff)
        return false;
    switch (lapic->dfr >> 28) {
    case DFR_FLAT:
        return (destination & mine) != 0;
    case DFR_CLUSTER:
        return destination >> 4 == mine >> 4 && (destination & mine & 0xf) != 0;
    }
    return false;
}

bool
lapic_accepts(const Lapic *lapic, const LapicMessage *message)
{
    bool is_sender = message->source == lapic->initial_id;

    if (!lapic_is_enabled(lapic))
        return false;
    switch (message->shorthand) {
    case LAPIC_SHORTHAND_SELF:
        return is_sender;
    case LAPIC_SHORTHAND_ALL:
        return true;
    case LAPIC_SHORTHAND_OTHERS:
        return !is_sender;
    case LAPIC_SHORTHAND_NONE:
        break;
    }
    if (message->destination == (message->x2apic ? UINT32_MAX : 0xff))
        return true;
    return message->logical ? matches_logical(lapic, message->destination)
                            : matches_physical(lapic, message->destination);
}

static LapicShorthand
command_shorthand(uint32_t command)
{
    return (LapicShorthand)(command >> 18 & 3);
}

/* Has the command a meaning?  SDM 3A, "Valid Combinations for the ICR". */
static bool
command_is_defined(uint32_t command)
{
    LapicShorthand shorthand = command_shorthand(command);

    switch (command >> 8 & 7) {
    case LAPIC_DELIVERY_FIXED:
        return true;
    case LAPIC_DELIVERY_LOWEST:
    case LAPIC_DELIVERY_SMI:
    case LAPIC_DELIVERY_NMI:
    case LAPIC_DELIVERY_INIT:
    case LAPIC_DELIVERY_STARTUP:
        return shorthand == LAPIC_SHORTHAND_NONE ||
               shorthand == LAPIC_SHORTHAND_OTHERS;
    }
    return false;
}

LapicCommand
lapic_bus_compose(const Lapic *lapic, uint32_t command, uint32_t destination,
                  LapicMessage *message)
{
    uint32_t delivery = command >> 8 & 7;

    if (!command_is_defined(command))
        return LAPIC_COMMAND_UNDEFINED;
    if (delivery <= LAPIC_DELIVERY_LOWEST &&
        (command & 0xff) < LAPIC_VECTOR_MIN)
        return LAPIC_COMMAND_ILLEGAL_VECTOR;
    /* The de-assert that ends an INIT did something on the Pentium only. */
    if (delivery == LAPIC_DELIVERY_INIT &&
        (command & (ICR_ASSERT | ICR_LEVEL)) == ICR_LEVEL)
        return LAPIC_COMMAND_NOTHING;
    *message = (LapicMessage){
        .source = lapic->initial_id,
        .destination = destination,
        .vector = (uint8_t)command,
        .delivery = (LapicDelivery)delivery,
        .shorthand = command_shorthand(command),
        .logical = (command & ICR_LOGICAL) != 0,
        .x2apic = lapic_is_x2apic(lapic),
    };
    return LAPIC_COMMAND_SENDS;
}
