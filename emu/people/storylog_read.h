/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storylog_read -- where a call goes, read from a core that stands before it.
 *
 * Only looks at live registers and memory, so it may be used inside the
 * machine's watchers.  Layer 7; a part of storylog.
 */
#ifndef EMU_PEOPLE_STORYLOG_READ_H
#define EMU_PEOPLE_STORYLOG_READ_H

#include "base/base.h"
#include "parts/cpu.h"

/* Where a call goes; 0 when that is not to be known. */
gva_t storylog_read_target(Cpu *cpu, const Insn *insn);

#endif
