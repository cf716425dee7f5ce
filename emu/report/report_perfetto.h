/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_perfetto -- a finding as Chrome trace JSON, for ui.perfetto.dev.
 *
 *      M       one process: the machine; one thread a cpu, from 1; their order
 *      B, E    calls, messages and waits that are told, inside one another;
 *              where an interrupt message is sent and where it arrives
 *      s, f    from the one to the other
 *      i       marks, breaches, timers, stores that were missed
 *      C       counters: how full each FIFO and each store buffer is
 *      b, e    a store, from retirement to visibility, if others ran meanwhile
 *
 * One step is one microsecond, the unit of the format ("Trace Event Format",
 * Google, 2016).  On each thread and counter, time does not go back.  The file
 * is the same for the same run, byte for byte.  Layer 8.
 */
#ifndef EMU_REPORT_REPORT_PERFETTO_H
#define EMU_REPORT_REPORT_PERFETTO_H

#include "base/base.h"
#include "report/outcome.h"

/* The file's text; `finding->told` must be there.  The caller frees. */
char *report_perfetto(const Scenario *scenario, const Finding *finding);

#endif
