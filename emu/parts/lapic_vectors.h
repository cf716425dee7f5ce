/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lapic_vectors -- the three sets of 256 vectors: IRR, ISR and TMR.
 *
 *      accept ──▶ IRR ── lapic_acknowledge() ──▶ ISR ── end ──▶ gone
 *
 * The only code that changes the sets, and so the only code that keeps
 * irr_highest and isr_highest true; both make lapic_pending() a comparison.
 *
 * After Intel SDM 3A, "Interrupt Acceptance for Fixed Interrupts".  Layer 2;
 * state lives in Lapic, lapic.h has lapic_pending() and lapic_acknowledge().
 */
#ifndef EMU_PARTS_LAPIC_VECTORS_H
#define EMU_PARTS_LAPIC_VECTORS_H

#include "base/base.h"

#include "parts/lapic.h"

/*
 * Put `vector` (LAPIC_VECTOR_MIN to 255) into IRR, and its trigger mode into
 * TMR.  LAPIC_SIGNAL_NONE, or LAPIC_SIGNAL_MERGED when it stood there.
 */
LapicSignal lapic_vectors_accept(Lapic *lapic, int vector,
                                 bool level_triggered);

/* End the highest vector in service; returns it, or -1 if there is none. */
int lapic_vectors_end(Lapic *lapic);

/* Was `vector` accepted as level triggered the last time? */
bool lapic_vectors_level_triggered(const Lapic *lapic, int vector);

/* The `index`th of the eight 32-bit registers that show one of the sets. */
uint32_t lapic_vectors_register(const uint64_t words[4], uint32_t index);

/* The sets' part of lapic_check(). */
bool lapic_vectors_check(const Lapic *lapic);

#endif
