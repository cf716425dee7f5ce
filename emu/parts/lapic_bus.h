/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lapic_bus -- from a command in the ICR to a message, and whom it means.
 *
 *   ICR ── compose ──▶ LapicMessage ── lapic_accepts() at each target
 *
 * lapic.h has lapic_accepts() and the choices made where the manuals leave
 * one.  After Intel SDM 3A, "Issuing Interprocessor Interrupts".  Layer 2;
 * changes nothing: what a bad command does to the ESR is for lapic.c.
 */
#ifndef EMU_PARTS_LAPIC_BUS_H
#define EMU_PARTS_LAPIC_BUS_H

#include "base/base.h"

#include "parts/lapic.h"

/* What comes of a command. */
typedef enum LapicCommand {
    LAPIC_COMMAND_SENDS,
    LAPIC_COMMAND_NOTHING,        /* defined, and does nothing */
    LAPIC_COMMAND_UNDEFINED,      /* the manuals give it no meaning */
    LAPIC_COMMAND_ILLEGAL_VECTOR, /* below LAPIC_VECTOR_MIN */
} LapicCommand;

/*
 * What `command` (ICR bits 31:0) to `destination` comes to when `lapic`
 * sends it; `message` is written only for LAPIC_COMMAND_SENDS.
 */
LapicCommand lapic_bus_compose(const Lapic *lapic, uint32_t command,
                               uint32_t destination, LapicMessage *message);

/* The LDR of x2APIC mode: cluster in 31:16, one bit of 15:0. */
uint32_t lapic_bus_logical_id(const Lapic *lapic);

#endif
