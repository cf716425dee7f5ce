/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * operand -- the value that a note in the code speaks of, read from a core
 * that stands there.
 *
 * Only looks at live registers and memory, so it may be used inside the
 * machine's watchers.  Layer 4; stateless.
 */
#ifndef EMU_WATCH_OPERAND_H
#define EMU_WATCH_OPERAND_H

#include "base/base.h"
#include "guest/image_probes.h"
#include "parts/cpu.h"

/* Where an access of the instruction that the core stands before goes to. */
gva_t operand_address(const Cpu *cpu, const InsnAccess *access);

/* The value of a probe's argument, widened by its sign; 0 when it is not
 * understood. */
uint64_t operand_read(Cpu *cpu, const ImageOperand *operand);

#endif
