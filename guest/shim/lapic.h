/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lapic.h -- registers of the local APIC (Intel SDM 3A, chapter 11, xAPIC).
 *
 * `lapic` is the page in the direct map; the boot cpu learns it at entry.
 */
#ifndef GUEST_SHIM_LAPIC_H
#define GUEST_SHIM_LAPIC_H

#include "shim/types.h"

#define LAPIC_ID           0x020
#define LAPIC_TPR          0x080
#define LAPIC_EOI          0x0b0
#define LAPIC_SVR          0x0f0
#define LAPIC_ICR_LOW      0x300
#define LAPIC_ICR_HIGH     0x310
#define LAPIC_LVT_TIMER    0x320
#define LAPIC_TIMER_INITIAL 0x380
#define LAPIC_TIMER_DIVIDE 0x3e0

#define LAPIC_SVR_ENABLE   0x00000100
#define LAPIC_LVT_MASKED   0x00010000
#define LAPIC_LVT_PERIODIC 0x00020000
#define LAPIC_DIVIDE_BY_1  0x0000000b

#define ICR_FIXED          0x00000000
#define ICR_INIT           0x00000500
#define ICR_STARTUP        0x00000600
#define ICR_BUSY           0x00001000 /* delivery status */
#define ICR_ASSERT         0x00004000

extern volatile uint8_t *lapic;

static inline __attribute__((always_inline)) uint32_t
lapic_read(unsigned reg)
{
    return *(volatile uint32_t *)(lapic + reg);
}

static inline __attribute__((always_inline)) void
lapic_write(unsigned reg, uint32_t value)
{
    *(volatile uint32_t *)(lapic + reg) = value;
}

#endif
