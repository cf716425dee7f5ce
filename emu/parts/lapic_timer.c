/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "parts/lapic_timer.h"

#define LVT_TIMER_MODE (3u << 17)
#define TIMER_PERIODIC (1u << 17)
#define TIMER_TSC_DEADLINE (2u << 17)

static uint32_t
timer_mode(const Lapic *lapic)
{
    return lapic->lvt[LAPIC_LVT_TIMER] & LVT_TIMER_MODE;
}

static bool
timer_is_masked(const Lapic *lapic)
{
    return (lapic->lvt[LAPIC_LVT_TIMER] & LAPIC_LVT_MASKED) != 0;
}

static uint64_t
timer_divisor(const Lapic *lapic)
{
    uint32_t code = (lapic->divide >> 1 & 4) | (lapic->divide & 3);

    return code == 7 ? 1 : UINT64_C(2) << code;
}

static ticks_t
timer_period(const Lapic *lapic)
{
    return lapic->initial_count * timer_divisor(lapic);
}

/* Beyond the end of time is never. */
static ticks_t
ticks_after(ticks_t now, uint64_t delay)
{
    return delay < TICKS_NEVER - now ? now + delay : TICKS_NEVER;
}

uint32_t
lapic_timer_current_count(const Lapic *lapic, ticks_t now)
{
    uint64_t divisor = timer_divisor(lapic);
    uint64_t left;

    if (lapic->count_deadline == TICKS_NEVER)
        return 0;
    if (now < lapic->count_deadline) {
        left = lapic->count_deadline - now;
    } else if (timer_mode(lapic) == TIMER_PERIODIC) {
        ticks_t period = timer_period(lapic);

        left = period - (now - lapic->count_deadline) % period;
    } else {
        return 0;
    }
    return (uint32_t)((left + divisor - 1) / divisor);
}

ticks_t
lapic_timer_deadline(const Lapic *lapic)
{
    if (timer_is_masked(lapic))
        return TICKS_NEVER;
    if (timer_mode(lapic) != TIMER_TSC_DEADLINE)
        return lapic->count_deadline;
    return lapic->tsc_deadline != 0 ? lapic->tsc_deadline : TICKS_NEVER;
}

void
lapic_timer_expire(Lapic *lapic, ticks_t now)
{
    if (timer_mode(lapic) == TIMER_TSC_DEADLINE) {
        if (lapic->tsc_deadline == 0 || now < lapic->tsc_deadline)
            return;
        lapic->tsc_deadline = 0;
    } else {
        if (lapic->count_deadline == TICKS_NEVER || now < lapic->count_deadline)
            return;
        if (timer_mode(lapic) == TIMER_PERIODIC) {
            ticks_t period = timer_period(lapic);
            ticks_t late = (now - lapic->count_deadline) % period;

            lapic->count_deadline = ticks_after(now, period - late);
        } else {
            lapic->count_deadline = TICKS_NEVER;
        }
    }
    lapic_raise(lapic, LAPIC_LVT_TIMER);
}

void
lapic_timer_start(Lapic *lapic, uint32_t initial_count, ticks_t now)
{
    if (timer_mode(lapic) == TIMER_TSC_DEADLINE)
        return;
    lapic->initial_count = initial_count;
    lapic->count_deadline = initial_count == 0
                                ? TICKS_NEVER
                                : ticks_after(now, timer_period(lapic));
}

void
lapic_timer_set_divide(Lapic *lapic, uint32_t divide, ticks_t now)
{
    uint64_t count = lapic_timer_current_count(lapic, now);

    lapic->divide = divide;
    if (count != 0)
        lapic->count_deadline = ticks_after(now, count * timer_divisor(lapic));
}

void
lapic_timer_set_lvt(Lapic *lapic, uint32_t lvt)
{
    uint32_t changed = lapic->lvt[LAPIC_LVT_TIMER] ^ lvt;
    bool was_deadline = timer_mode(lapic) == TIMER_TSC_DEADLINE;

    lapic->lvt[LAPIC_LVT_TIMER] = lvt;
    if ((changed & LVT_TIMER_MODE) != 0 &&
        was_deadline != (timer_mode(lapic) == TIMER_TSC_DEADLINE)) {
        lapic->initial_count = 0;
        lapic->count_deadline = TICKS_NEVER;
        lapic->tsc_deadline = 0;
    }
}

uint64_t
lapic_timer_read_tsc(const Lapic *lapic, ticks_t now)
{
    /* A masked expiry has happened, though nobody was called for it. */
    if (timer_is_masked(lapic) && lapic->tsc_deadline <= now)
        return 0;
    return lapic->tsc_deadline;
}

void
lapic_timer_write_tsc(Lapic *lapic, uint64_t deadline)
{
    if (timer_mode(lapic) == TIMER_TSC_DEADLINE)
        lapic->tsc_deadline = deadline;
}

bool
lapic_timer_check(const Lapic *lapic)
{
    bool counts = lapic->count_deadline != TICKS_NEVER;

    if (timer_mode(lapic) == TIMER_TSC_DEADLINE)
        return !counts && lapic->initial_count == 0;
    return lapic->tsc_deadline == 0 &&
           IMPLIES(counts, lapic->initial_count != 0);
}
