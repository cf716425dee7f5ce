/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "parts/lapic_vectors.h"

static bool
has(const uint64_t words[4], int vector)
{
    return (words[vector >> 6] >> (vector & 63) & 1) != 0;
}

static void
set(uint64_t words[4], int vector)
{
    words[vector >> 6] |= UINT64_C(1) << (vector & 63);
}

static void
unset(uint64_t words[4], int vector)
{
    words[vector >> 6] &= ~(UINT64_C(1) << (vector & 63));
}

static int16_t
highest(const uint64_t words[4])
{
    for (int i = 3; i >= 0; i--)
        if (words[i] != 0)
            return (int16_t)(i * 64 + 63 - __builtin_clzll(words[i]));
    return -1;
}

LapicSignal
lapic_vectors_accept(Lapic *lapic, int vector, bool level_triggered)
{
    if (level_triggered)
        set(lapic->tmr, vector);
    else
        unset(lapic->tmr, vector);
    if (has(lapic->irr, vector))
        return LAPIC_SIGNAL_MERGED;
    set(lapic->irr, vector);
    lapic->irr_highest = (int16_t)MAX(lapic->irr_highest, vector);
    return LAPIC_SIGNAL_NONE;
}

int
lapic_acknowledge(Lapic *lapic)
{
    int vector = lapic_pending(lapic);

    INVARIANT(vector >= LAPIC_VECTOR_MIN);
    unset(lapic->irr, vector);
    lapic->irr_highest = highest(lapic->irr);
    set(lapic->isr, vector);
    /* Its class exceeds that of all in service. */
    lapic->isr_highest = (int16_t)vector;
    return vector;
}

int
lapic_vectors_end(Lapic *lapic)
{
    int vector = lapic->isr_highest;

    if (vector < 0)
        return -1;
    unset(lapic->isr, vector);
    lapic->isr_highest = highest(lapic->isr);
    return vector;
}

bool
lapic_vectors_level_triggered(const Lapic *lapic, int vector)
{
    return has(lapic->tmr, vector);
}

uint32_t
lapic_vectors_register(const uint64_t words[4], uint32_t index)
{
    return (uint32_t)(words[index / 2] >> (index % 2 * 32));
}

bool
lapic_vectors_check(const Lapic *lapic)
{
    uint64_t low = lapic->irr[0] | lapic->isr[0] | lapic->tmr[0];

    return (low & ((1u << LAPIC_VECTOR_MIN) - 1)) == 0 &&
           lapic->irr_highest == highest(lapic->irr) &&
           lapic->isr_highest == highest(lapic->isr);
}
