/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu_image -- a core's state outside of an engine: in a snapshot, or while
 * another core has the common engine.
 *
 *      CPU_ENGINE_COMMON     owner ──▶ Engine      the others ──▶ image
 *
 * `cpu->live` points to wherever the registers are.  RFLAGS are lazy in an
 * engine and cannot be read from an image: they are kept beside it.
 *
 * Layer 2; a part of cpu.
 */
#ifndef EMU_PARTS_CPU_IMAGE_H
#define EMU_PARTS_CPU_IMAGE_H

#include "base/base.h"
#include "parts/cpu.h"

/* Is another core's state in the engine? */
static inline bool
cpu_is_elsewhere(const Cpu *cpu)
{
    return cpu->image != NULL && cpu->shared->common->owner != cpu;
}

/* Make its new engine the common one, or take part in it. */
void cpu_share_engine(Cpu *cpu);

#endif
