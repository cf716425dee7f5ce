/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lapic_timer -- the timer of a local APIC, as its registers see it.
 *
 * Nothing counts down.  A running count is kept as the tick at which it
 * reaches zero, and every question is answered from that tick and `now`:
 *
 *      initial ┤╲        ╲        ╲           count = ceil((deadline - now)
 *              │ ╲        ╲        ╲                        / divisor)
 *            0 ┼──▼────────▼────────▼──▶ now
 *                 deadline, then by whole periods
 *
 * lapic.h has the public half (lapic_timer_deadline, lapic_timer_expire).
 * Callers here are the register writes of lapic.c, which call
 * lapic_timer_expire() first, so that an expiry that the machine delayed
 * still happens under the registers it belongs to.
 *
 * After Intel SDM 3A, "APIC Timer".  Layer 2; state lives in Lapic.
 */
#ifndef EMU_PARTS_LAPIC_TIMER_H
#define EMU_PARTS_LAPIC_TIMER_H

#include "base/base.h"

#include "parts/lapic.h"

/* Current count: 0 when stopped, expired, or in TSC-deadline mode. */
uint32_t lapic_timer_current_count(const Lapic *lapic, ticks_t now);

/* Write of the initial count: start, or stop for 0. */
void lapic_timer_start(Lapic *lapic, uint32_t initial_count, ticks_t now);

/* Write of the divide register: the current count goes on from here. */
void lapic_timer_set_divide(Lapic *lapic, uint32_t divide, ticks_t now);

/* Write of the LVT entry, mask and mode; to or from TSC-deadline disarms. */
void lapic_timer_set_lvt(Lapic *lapic, uint32_t lvt);

/* IA32_TSC_DEADLINE; in other modes it reads 0 and writes do nothing. */
uint64_t lapic_timer_read_tsc(const Lapic *lapic, ticks_t now);
void lapic_timer_write_tsc(Lapic *lapic, uint64_t deadline);

/* The timer's part of lapic_check(). */
bool lapic_timer_check(const Lapic *lapic);

#endif
