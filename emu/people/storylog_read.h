/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storylog_read -- what an instruction or a probe speaks of, read from a core
 * that stands before it.
 *
 * Only looks at live registers and memory, so it may be used inside the
 * machine's watchers.  Layer 7; a part of storylog.
 */
#ifndef EMU_PEOPLE_STORYLOG_READ_H
#define EMU_PEOPLE_STORYLOG_READ_H

#include "base/base.h"
#include "guest/image_probes.h"
#include "parts/cpu.h"

/* Where a call goes; 0 when that is not to be known. */
gva_t storylog_read_target(Cpu *cpu, const Insn *insn);

/* The value of a probe's argument, widened by its sign; 0 when it is not
 * understood. */
uint64_t storylog_read_operand(Cpu *cpu, const ImageOperand *operand);

#endif
