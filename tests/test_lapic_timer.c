/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of the local APIC: local vector table and timer. */
#include "base/base.h"

#include <criterion/criterion.h>

#include "lapic_rig.h"
#include "parts/lapic.h"

/* --- G. LVT and timer ----------------------------------------------------- */

/* [69] */
Test(lapic_timer, lvt_entries_keep_their_defined_bits)
{
    static const struct {
        uint32_t offset, bits;
    } table[] = {
        {LVT_CMCI, 0x107ff},    {LVT_TIMER, 0x700ff},
        {LVT_THERMAL, 0x107ff}, {LVT_PERFORMANCE, 0x107ff},
        {LVT_LINT0, 0x1a7ff},   {LVT_LINT1, 0x1a7ff},
        {LVT_ERROR, 0x100ff},
    };
    Lapic lapic = enabled(1);

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        put(&lapic, table[i].offset, UINT32_MAX);
        cr_assert_eq(get(&lapic, table[i].offset), table[i].bits);
    }
}

/* [83] */
Test(lapic_timer, lint_pins_signal_what_their_entry_says)
{
    static const struct {
        uint32_t lvt;
        LapicSignal signal;
    } table[] = {
        {0x40, LAPIC_SIGNAL_NONE},
        {MODE(LAPIC_DELIVERY_SMI), LAPIC_SIGNAL_SMI},
        {MODE(LAPIC_DELIVERY_NMI), LAPIC_SIGNAL_NMI},
        {MODE(LAPIC_DELIVERY_INIT), LAPIC_SIGNAL_INIT},
        {MODE(LAPIC_DELIVERY_EXTINT), LAPIC_SIGNAL_EXTINT},
        {MODE(LAPIC_DELIVERY_LOWEST) | 0x40, LAPIC_SIGNAL_REFUSED},
        {MASKED | MODE(LAPIC_DELIVERY_NMI), LAPIC_SIGNAL_REFUSED},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        Lapic lapic = enabled(1);

        put(&lapic, LVT_LINT0, table[i].lvt);
        put(&lapic, LVT_LINT1, table[i].lvt);
        cr_assert_eq(lapic_raise(&lapic, LAPIC_LVT_LINT1), table[i].signal);
        cr_assert_eq(lapic_pending(&lapic), i == 0 ? 0x40 : -1);
        cr_assert_eq(lapic_raise(&lapic, LAPIC_LVT_LINT0),
                     i == 0 ? LAPIC_SIGNAL_MERGED : table[i].signal);
    }
}

Test(lapic_timer, other_sources_cannot_be_init_or_extint)
{
    Lapic lapic = enabled(1);

    put(&lapic, LVT_THERMAL, MODE(LAPIC_DELIVERY_INIT));
    put(&lapic, LVT_CMCI, MODE(LAPIC_DELIVERY_EXTINT));
    put(&lapic, LVT_PERFORMANCE, MODE(LAPIC_DELIVERY_NMI));
    cr_assert_eq(lapic_raise(&lapic, LAPIC_LVT_THERMAL), LAPIC_SIGNAL_REFUSED);
    cr_assert_eq(lapic_raise(&lapic, LAPIC_LVT_CMCI), LAPIC_SIGNAL_REFUSED);
    cr_assert_eq(lapic_raise(&lapic, LAPIC_LVT_PERFORMANCE), LAPIC_SIGNAL_NMI);
}

Test(lapic_timer, lint_pins_are_intr_and_nmi_when_the_apic_is_off)
{
    Lapic lapic = enabled(1);

    cr_assert(lapic_base_write(&lapic, 0xfee00000));
    cr_assert_eq(lapic_raise(&lapic, LAPIC_LVT_LINT0), LAPIC_SIGNAL_EXTINT);
    cr_assert_eq(lapic_raise(&lapic, LAPIC_LVT_LINT1), LAPIC_SIGNAL_NMI);
    cr_assert_eq(lapic_raise(&lapic, LAPIC_LVT_THERMAL), LAPIC_SIGNAL_REFUSED);
}

/* A running timer of vector 40h, divided by 1, started at tick 1000. */
static Lapic
timer(uint32_t mode, uint32_t initial_count)
{
    Lapic lapic = enabled(1);

    write_at(&lapic, LVT_TIMER, mode | 0x40, 1000);
    write_at(&lapic, DIVIDE, BY_1, 1000);
    write_at(&lapic, INITIAL_COUNT, initial_count, 1000);
    return lapic;
}

static bool
fires_at(Lapic *lapic, ticks_t now)
{
    bool fires;

    lapic_timer_expire(lapic, now);
    cr_assert(lapic_check(lapic));
    cr_assert_gt(lapic_timer_deadline(lapic), now);
    fires = lapic_pending(lapic) == 0x40;
    if (fires) {
        lapic_acknowledge(lapic);
        write_at(lapic, EOI, 0, now);
    }
    return fires;
}

/* [71, 73] */
Test(lapic_timer, a_one_shot_timer_fires_once)
{
    Lapic lapic = timer(0, 100);

    cr_assert_eq(lapic_timer_deadline(&lapic), 1100);
    cr_assert(!fires_at(&lapic, 1099));
    cr_assert_eq(read_at(&lapic, CURRENT_COUNT, 1099), 1);
    cr_assert(fires_at(&lapic, 1100));
    cr_assert_eq(lapic_timer_deadline(&lapic), TICKS_NEVER);
    cr_assert_eq(read_at(&lapic, CURRENT_COUNT, 1100), 0);
    cr_assert_eq(read_at(&lapic, INITIAL_COUNT, 1100), 100);
    cr_assert(!fires_at(&lapic, 9999));
}

/* [71] */
Test(lapic_timer, a_zero_initial_count_stops_the_timer)
{
    Lapic lapic = timer(PERIODIC, 100);
    LapicEffects effects = write_at(&lapic, INITIAL_COUNT, 0, 1050);

    cr_assert(effects.timer_changed);
    cr_assert_eq(lapic_timer_deadline(&lapic), TICKS_NEVER);
    cr_assert_eq(read_at(&lapic, CURRENT_COUNT, 1050), 0);
}

/* [72, 82] */
Test(lapic_timer, the_divider_stretches_the_count)
{
    static const struct {
        uint32_t divide, by;
    } table[] = {{0x0, 2},  {0x1, 4},  {0x2, 8},   {0x3, 16},
                 {0x8, 32}, {0x9, 64}, {0xa, 128}, {0xb, 1}};

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        Lapic lapic = enabled(1);
        ticks_t by = table[i].by;

        put(&lapic, LVT_TIMER, 0x40);
        put(&lapic, DIVIDE, table[i].divide | 0x4);
        cr_assert_eq(get(&lapic, DIVIDE), table[i].divide);
        write_at(&lapic, INITIAL_COUNT, 10, 500);
        cr_assert_eq(lapic_timer_deadline(&lapic), 500 + 10 * by);
        for (ticks_t t = 0; t < 10 * by; t++)
            cr_assert_eq(read_at(&lapic, CURRENT_COUNT, 500 + t), 10 - t / by);
    }
}

Test(lapic_timer, a_new_divider_keeps_the_current_count)
{
    Lapic lapic = timer(0, 100);

    write_at(&lapic, DIVIDE, 0, 1040);
    cr_assert_eq(read_at(&lapic, CURRENT_COUNT, 1040), 60);
    cr_assert_eq(lapic_timer_deadline(&lapic), 1040 + 60 * 2);
}

Test(lapic_timer, the_longest_period_fits)
{
    Lapic lapic = enabled(1);

    put(&lapic, LVT_TIMER, 0x40);
    put(&lapic, DIVIDE, 0xa);
    put(&lapic, INITIAL_COUNT, UINT32_MAX);
    cr_assert_eq(lapic_timer_deadline(&lapic), UINT64_C(0xffffffff) * 128);
    cr_assert_eq(get(&lapic, CURRENT_COUNT), UINT32_MAX);
    write_at(&lapic, INITIAL_COUNT, UINT32_MAX, TICKS_NEVER - 5);
    cr_assert_eq(lapic_timer_deadline(&lapic), TICKS_NEVER);
}

/* [74] */
Test(lapic_timer, a_periodic_timer_keeps_its_phase_when_fired_late)
{
    Lapic lapic = timer(PERIODIC, 100);

    cr_assert(fires_at(&lapic, 1100));
    cr_assert_eq(lapic_timer_deadline(&lapic), 1200);
    cr_assert(fires_at(&lapic, 1270));
    cr_assert_eq(lapic_timer_deadline(&lapic), 1300);
    cr_assert(fires_at(&lapic, 1600));
    cr_assert_eq(lapic_timer_deadline(&lapic), 1700);
    cr_assert(!fires_at(&lapic, 1699));
}

/* [74, 82] */
Test(lapic_timer, a_late_periodic_count_has_wrapped_already)
{
    Lapic lapic = timer(PERIODIC, 100);

    cr_assert_eq(read_at(&lapic, CURRENT_COUNT, 1099), 1);
    cr_assert_eq(read_at(&lapic, CURRENT_COUNT, 1100), 100);
    cr_assert_eq(read_at(&lapic, CURRENT_COUNT, 1230), 70);
    cr_assert_eq(lapic_pending(&lapic), -1);
}

/* [75] */
Test(lapic_timer, switching_one_shot_and_periodic_keeps_the_count)
{
    Lapic lapic = timer(0, 100);

    cr_assert(
        !write_at(&lapic, LVT_TIMER, PERIODIC | 0x40, 1060).timer_changed);
    cr_assert_eq(read_at(&lapic, CURRENT_COUNT, 1060), 40);
    cr_assert(fires_at(&lapic, 1100));
    cr_assert_eq(read_at(&lapic, CURRENT_COUNT, 1110), 90);
    write_at(&lapic, LVT_TIMER, 0x40, 1150);
    cr_assert_eq(read_at(&lapic, CURRENT_COUNT, 1150), 50);
    cr_assert(fires_at(&lapic, 1200));
    cr_assert_eq(lapic_timer_deadline(&lapic), TICKS_NEVER);
}

/* [76] */
Test(lapic_timer, an_expired_count_stays_zero_in_periodic_mode)
{
    for (int masked = 0; masked < 2; masked++) {
        Lapic lapic = timer(masked ? MASKED : 0, 100);

        if (!masked)
            cr_assert(fires_at(&lapic, 1100));
        write_at(&lapic, LVT_TIMER, PERIODIC | 0x40, 1150);
        cr_assert_eq(read_at(&lapic, CURRENT_COUNT, 1150), 0);
        cr_assert_eq(lapic_timer_deadline(&lapic), TICKS_NEVER);
        write_at(&lapic, INITIAL_COUNT, 100, 1160);
        cr_assert_eq(lapic_timer_deadline(&lapic), 1260);
    }
}

/* [77] */
Test(lapic_timer, a_masked_timer_counts_but_loses_its_expiries)
{
    Lapic once = timer(MASKED, 100);
    Lapic often = timer(MASKED | PERIODIC, 100);

    cr_assert_eq(lapic_timer_deadline(&once), TICKS_NEVER);
    cr_assert_eq(lapic_timer_deadline(&often), TICKS_NEVER);
    cr_assert_eq(read_at(&once, CURRENT_COUNT, 1040), 60);
    cr_assert_eq(read_at(&once, CURRENT_COUNT, 1140), 0);
    cr_assert_eq(read_at(&often, CURRENT_COUNT, 1540), 60);
    write_at(&once, LVT_TIMER, 0x40, 1550);
    cr_assert(write_at(&often, LVT_TIMER, PERIODIC | 0x40, 1550).timer_changed);
    cr_assert(is_empty(&once) && is_empty(&often));
    cr_assert_eq(lapic_timer_deadline(&once), TICKS_NEVER);
    cr_assert_eq(lapic_timer_deadline(&often), 1600);
}

/* [78] */
Test(lapic_timer, an_expiry_merges_with_its_waiting_vector)
{
    Lapic lapic = timer(PERIODIC, 100);

    lapic_timer_expire(&lapic, 1100);
    lapic_timer_expire(&lapic, 1200);
    cr_assert_eq(lapic_acknowledge(&lapic), 0x40);
    write_at(&lapic, EOI, 0, 1210);
    cr_assert(is_empty(&lapic));
}

Test(lapic_timer, a_write_to_the_timer_lets_a_late_expiry_happen_first)
{
    static const struct {
        uint32_t offset, value;
    } table[] = {{LVT_TIMER, MASKED | 0x40},
                 {INITIAL_COUNT, 0},
                 {INITIAL_COUNT, 50},
                 {DIVIDE, 0},
                 {SVR, 0xff}};

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        Lapic lapic = timer(0, 100);

        write_at(&lapic, TPR, 0, 1105);
        cr_assert_eq(lapic_pending(&lapic), -1);
        cr_assert(write_at(&lapic, table[i].offset, table[i].value, 1110)
                      .timer_changed);
        cr_assert_eq(lapic_pending(&lapic), 0x40);
    }
}

/* TSC deadline: the MSR at a time of its own. */
static LapicEffects
arm(Lapic *lapic, uint64_t deadline, ticks_t now)
{
    LapicEffects effects;

    cr_assert(lapic_msr_write(lapic, LAPIC_MSR_TSC_DEADLINE, deadline, now,
                              &effects));
    cr_assert(lapic_check(lapic));
    return effects;
}

static uint64_t
armed(Lapic *lapic, ticks_t now)
{
    uint64_t value = 1;

    cr_assert(lapic_msr_read(lapic, LAPIC_MSR_TSC_DEADLINE, now, &value));
    return value;
}

/* [79] */
Test(lapic_timer, a_tsc_deadline_fires_and_reads_zero)
{
    Lapic lapic = timer(DEADLINE, 0);

    cr_assert(arm(&lapic, 2000, 1000).timer_changed);
    cr_assert_eq(lapic_timer_deadline(&lapic), 2000);
    cr_assert(!fires_at(&lapic, 1999));
    cr_assert_eq(armed(&lapic, 2010), 2000, "late, but still armed");
    cr_assert(fires_at(&lapic, 2010));
    cr_assert_eq(armed(&lapic, 2010), 0);
    arm(&lapic, 3000, 2100);
    arm(&lapic, 0, 2200);
    cr_assert_eq(lapic_timer_deadline(&lapic), TICKS_NEVER);
    arm(&lapic, 1, 2300);
    cr_assert_eq(lapic_timer_deadline(&lapic), 1);
    cr_assert(fires_at(&lapic, 2300));
    arm(&lapic, UINT64_MAX, 2400);
    cr_assert_eq(armed(&lapic, 2400), UINT64_MAX);
    cr_assert_eq(lapic_timer_deadline(&lapic), TICKS_NEVER);
}

/* [77, 79] */
Test(lapic_timer, a_masked_tsc_deadline_is_gone_once_past)
{
    Lapic lapic = timer(DEADLINE | MASKED, 0);

    arm(&lapic, 2000, 1000);
    cr_assert_eq(lapic_timer_deadline(&lapic), TICKS_NEVER);
    cr_assert_eq(armed(&lapic, 1999), 2000);
    cr_assert_eq(armed(&lapic, 2000), 0);
    write_at(&lapic, LVT_TIMER, DEADLINE | 0x40, 2100);
    cr_assert(is_empty(&lapic));
    cr_assert_eq(lapic_timer_deadline(&lapic), TICKS_NEVER);
}

/* [80] */
Test(lapic_timer, counts_and_tsc_deadlines_exclude_each_other)
{
    Lapic lapic = timer(DEADLINE, 100), count = timer(0, 100);

    cr_assert_eq(read_at(&lapic, INITIAL_COUNT, 1010), 0);
    cr_assert_eq(read_at(&lapic, CURRENT_COUNT, 1010), 0);
    cr_assert_eq(lapic_timer_deadline(&lapic), TICKS_NEVER);
    arm(&count, 5000, 1010);
    cr_assert_eq(armed(&count, 1010), 0);
    cr_assert_eq(lapic_timer_deadline(&count), 1100);
}

/* [81] */
Test(lapic_timer, to_and_from_tsc_deadline_mode_disarms)
{
    Lapic lapic = timer(PERIODIC, 100);

    cr_assert(write_at(&lapic, LVT_TIMER, DEADLINE | 0x40, 1050).timer_changed);
    cr_assert_eq(lapic_timer_deadline(&lapic), TICKS_NEVER);
    arm(&lapic, 2000, 1060);
    cr_assert(write_at(&lapic, LVT_TIMER, PERIODIC | 0x40, 1070).timer_changed);
    cr_assert_eq(lapic_timer_deadline(&lapic), TICKS_NEVER);
    cr_assert_eq(armed(&lapic, 1070), 0);
    cr_assert_eq(read_at(&lapic, CURRENT_COUNT, 1070), 0);
}

Test(lapic_timer, the_tsc_deadline_msr_exists_in_every_mode)
{
    Lapic lapic = x2apic(1);

    cr_assert(wrmsr(&lapic, LVT_TIMER, DEADLINE | 0x40));
    arm(&lapic, 2000, 1000);
    cr_assert_eq(armed(&lapic, 1000), 2000);
    cr_assert(lapic_base_write(&lapic, 0xfee00000));
    arm(&lapic, 2000, 1000);
    cr_assert_eq(armed(&lapic, 1000), 0);
    cr_assert_eq(lapic_timer_deadline(&lapic), TICKS_NEVER);
}
