/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wallclock -- the host's clocks, for people: progress lines, benchmarks.
 *
 * Nothing that a run depends on may look at them; see banned.h.  Layer 0.
 */
#ifndef EMU_BASE_WALLCLOCK_H
#define EMU_BASE_WALLCLOCK_H

#include "base/base.h"

/* Nanoseconds of real time since some moment. */
uint64_t wallclock_now(void);

/* Nanoseconds of processor time that this process has used. */
uint64_t wallclock_cpu(void);

#endif
