/* SPDX-License-Identifier: BSD-2-Clause */
#define EMU_WALLCLOCK_IMPLEMENTATION
#include "base/base.h"

#include "base/wallclock.h"

#include <time.h>

static uint64_t
read_clock(clockid_t clock)
{
    struct timespec now;

    if (clock_gettime(clock, &now) != 0)
        BUG("clock %d cannot be read", (int)clock);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) +
           (uint64_t)now.tv_nsec;
}

uint64_t
wallclock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t
wallclock_cpu(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}
