/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_perfetto -- a finding as Chrome trace JSON, for ui.perfetto.dev.
 *
 *      one process: the machine; one track a cpu
 *      B, E    calls, messages and waits that are told, inside one another
 *      i       marks, breaches, sends, arrivals, timers, late visibility
 *      s, f    from where an interrupt message was sent to where it arrived
 *      C       counters: how full each FIFO and each store buffer is
 *      b, e    a store, from retirement to visibility, if others ran meanwhile
 *
 * One step is one microsecond, the unit of the format ("Trace Event Format",
 * Google, 2016).  The file is the same for the same run, byte for byte.
 * Layer 7.
 */
#ifndef EMU_PEOPLE_REPORT_PERFETTO_H
#define EMU_PEOPLE_REPORT_PERFETTO_H

#include "base/base.h"
#include "people/outcome.h"

/* The file's text; `finding->told` must be there.  The caller frees. */
char *report_perfetto(const Scenario *scenario, const Finding *finding);

#endif
