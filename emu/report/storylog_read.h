/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storylog_read -- where a call goes, and where it came from, read from a core.
 *
 * Only looks at live registers and memory, so it may be used inside the
 * machine's watchers.  Layer 8; a part of storylog.
 */
#ifndef EMU_REPORT_STORYLOG_READ_H
#define EMU_REPORT_STORYLOG_READ_H

#include "base/base.h"
#include "parts/cpu.h"
#include "report/callstack.h"
#include "report/storylog.h"

/* Where a call goes; 0 when that is not to be known. */
gva_t storylog_read_target(Cpu *cpu, const Insn *insn);

/* "f(a, 2)", of a core that is about to call f; "name a 2", of one that stands
 * at the probe.  The caller frees them. */
char *storylog_read_call(const StoryLogSetup *setup, unsigned cpu,
                         gva_t target);
char *storylog_read_probe(const StoryLogSetup *setup, unsigned cpu,
                          const ImageProbe *probe);

/* Add the functions of these names that the image has, by address; those that
 * are there get the bits of `is` as well.  `names` may be NULL. */
void storylog_read_functions(const StoryLogSetup *setup,
                             const GPtrArray *names, unsigned is,
                             GHashTable *functions);

/* Where the function that is told called what led to where the core is: the
 * code that writes to the APIC is always the same. */
gva_t storylog_read_site(const StoryLogSetup *setup, unsigned cpu,
                         const CallStack *stack);

#endif
