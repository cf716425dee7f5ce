/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lapic_rig -- a local APIC on the bench: short words for the lapic tests.
 *
 * Register names are page offsets; the MSR words take them as well.  Every
 * write is followed by lapic_check().  Numbers in [brackets] in the tests
 * are those of the checklist of local APIC facts that they follow.
 *
 * Beside the layers: included by test_lapic*.c only.
 */
#ifndef TESTS_LAPIC_RIG_H
#define TESTS_LAPIC_RIG_H

#include "base/base.h"

#include <criterion/criterion.h>

#include "parts/lapic.h"

enum {
    ID = 0x20,
    VERSION = 0x30,
    TPR = 0x80,
    PPR = 0xa0,
    EOI = 0xb0,
    LDR = 0xd0,
    DFR = 0xe0,
    SVR = 0xf0,
    ISR = 0x100,
    TMR = 0x180,
    IRR = 0x200,
    ESR = 0x280,
    LVT_CMCI = 0x2f0,
    ICR_LOW = 0x300,
    ICR_HIGH = 0x310,
    LVT_TIMER = 0x320,
    LVT_THERMAL = 0x330,
    LVT_PERFORMANCE = 0x340,
    LVT_LINT0 = 0x350,
    LVT_LINT1 = 0x360,
    LVT_ERROR = 0x370,
    INITIAL_COUNT = 0x380,
    CURRENT_COUNT = 0x390,
    DIVIDE = 0x3e0,
    SELF_IPI = 0x3f0,
};

#define MASKED LAPIC_LVT_MASKED
#define PERIODIC (1u << 17)
#define DEADLINE (2u << 17)
#define BY_1 0xbu

#define MODE(delivery) ((uint32_t)(delivery) << 8)
#define LOGICAL (1u << 11)
#define SHORT(shorthand) ((uint32_t)(shorthand) << 18)

static inline uint32_t
read_at(Lapic *lapic, uint32_t offset, ticks_t now)
{
    return lapic_mmio_read(lapic, offset, now);
}

static inline uint32_t
get(Lapic *lapic, uint32_t offset)
{
    return read_at(lapic, offset, 0);
}

static inline LapicEffects
write_at(Lapic *lapic, uint32_t offset, uint32_t value, ticks_t now)
{
    LapicEffects effects;

    lapic_mmio_write(lapic, offset, value, now, &effects);
    cr_assert(lapic_check(lapic));
    return effects;
}

static inline LapicEffects
put(Lapic *lapic, uint32_t offset, uint32_t value)
{
    return write_at(lapic, offset, value, 0);
}

/* MSR access by page offset; true if there was no #GP. */
static inline bool
wrmsr(Lapic *lapic, uint32_t offset, uint64_t value)
{
    LapicEffects effects;
    bool done = lapic_msr_write(lapic, 0x800 + offset / 16, value, 0, &effects);

    cr_assert(lapic_check(lapic));
    return done;
}

static inline bool
can_rdmsr(Lapic *lapic, uint32_t offset)
{
    uint64_t value;

    return lapic_msr_read(lapic, 0x800 + offset / 16, 0, &value);
}

static inline uint64_t
rdmsr(Lapic *lapic, uint32_t offset)
{
    uint64_t value = 0;

    cr_assert(lapic_msr_read(lapic, 0x800 + offset / 16, 0, &value));
    return value;
}

static inline uint64_t
base_of(const Lapic *lapic)
{
    uint64_t value = 0;

    cr_assert(lapic_base_read(lapic, &value));
    return value;
}

static const uint64_t lapic_modes[] = {
    0, LAPIC_BASE_EN, LAPIC_BASE_EN | LAPIC_BASE_EXTD, LAPIC_BASE_EXTD};

static inline Lapic
enabled(uint32_t id)
{
    Lapic lapic;

    lapic_init(&lapic, id, id == 0);
    put(&lapic, SVR, 0x1ff);
    return lapic;
}

static inline Lapic
x2apic(uint32_t id)
{
    Lapic lapic = enabled(id);

    cr_assert(lapic_base_write(&lapic, LAPIC_BASE_RESET | lapic_modes[2]));
    return lapic;
}

static inline LapicSignal
arrive(Lapic *lapic, LapicDelivery delivery, uint8_t vector)
{
    LapicMessage message = {.delivery = delivery, .vector = vector};
    LapicSignal signal = lapic_receive(lapic, &message);

    cr_assert(lapic_check(lapic));
    return signal;
}

static inline LapicSignal
fixed(Lapic *lapic, uint8_t vector)
{
    return arrive(lapic, LAPIC_DELIVERY_FIXED, vector);
}

/* Is the bit of `vector` set in the bank of registers at `bank`? */
static inline bool
in_bank(Lapic *lapic, uint32_t bank, uint32_t vector)
{
    return get(lapic, bank + vector / 32 * 16) >> vector % 32 & 1;
}

/* The page by name: two visible errors, latched and shown. */
static inline uint32_t
esr(Lapic *lapic)
{
    if (lapic_is_x2apic(lapic)) {
        cr_assert(wrmsr(lapic, ESR, 0));
        return (uint32_t)rdmsr(lapic, ESR);
    }
    put(lapic, ESR, 0);
    return get(lapic, ESR);
}

static inline bool
is_empty(const Lapic *lapic)
{
    return lapic->irr_highest < 0 && lapic->isr_highest < 0;
}

#endif
