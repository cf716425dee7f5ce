/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of the local APIC: modes, registers, errors. */
#include "base/base.h"

#include <criterion/criterion.h>
#include <signal.h>

#include "lapic_rig.h"
#include "parts/lapic.h"

/* --- A. Enabling, modes, identity ----------------------------------------- */

/* [1] */
Test(lapic, wakes_in_xapic_mode_at_the_reset_address)
{
    Lapic bsp, ap;

    lapic_init(&bsp, 0, true);
    lapic_init(&ap, 1, false);
    cr_assert_eq(base_of(&bsp), 0xfee00900);
    cr_assert_eq(base_of(&ap), 0xfee00800);
    cr_assert(lapic_check(&bsp));
    cr_assert(lapic_is_bsp(&bsp) && !lapic_is_bsp(&ap));
}

/* [2] */
Test(lapic, only_the_legal_moves_between_modes_are_taken)
{
    static const bool legal[4][4] = {
        {true, true, false, false},
        {true, true, true, false},
        {true, false, true, false},
    };

    for (int from = 0; from < 3; from++) {
        for (int to = 0; to < 4; to++) {
            Lapic lapic = enabled(1);
            Lapic before;

            if (from == 2)
                lapic = x2apic(1);
            cr_assert(lapic_base_write(&lapic, 0xfee00000 | lapic_modes[from]));
            before = lapic;
            cr_assert_eq(lapic_base_write(&lapic, 0xfee00000 | lapic_modes[to]),
                         legal[from][to], "%d -> %d", from, to);
            if (!legal[from][to])
                cr_assert_eq(memcmp(&lapic, &before, sizeof lapic), 0);
            cr_assert(lapic_check(&lapic));
        }
    }
}

/* [3] */
Test(lapic, a_reserved_bit_in_the_base_is_gp_and_changes_nothing)
{
    for (uint32_t bit = 0; bit < 64; bit++) {
        Lapic lapic = enabled(1);
        bool reserved = bit < 8 || bit == 9 || bit >= LAPIC_PHYSICAL_BITS;
        uint64_t value = 0xfee00000 | LAPIC_BASE_EN | UINT64_C(1) << bit;

        cr_assert_eq(lapic_base_write(&lapic, value), !reserved, "%u", bit);
        cr_assert_eq(base_of(&lapic), reserved ? 0xfee00800 : value);
    }
}

/* [4, 7] */
Test(lapic, the_base_moves_the_page)
{
    Lapic lapic = enabled(1);

    cr_assert(lapic_is_enabled(&lapic));
    cr_assert_eq(lapic_base_address(&lapic), 0xfee00000);
    cr_assert(lapic_base_write(&lapic, 0));
    cr_assert(!lapic_is_enabled(&lapic));
    cr_assert(lapic_base_write(&lapic, 0xfed40000 | LAPIC_BASE_EN));
    cr_assert_eq(lapic_base_address(&lapic), 0xfed40000);
}

/* [5] */
Test(lapic, the_page_is_a_hole_when_off_and_in_x2apic_mode)
{
    Lapic hole[2] = {enabled(1), x2apic(1)};

    cr_assert(lapic_base_write(&hole[0], 0xfee00000));
    for (int i = 0; i < 2; i++) {
        Lapic before = hole[i];

        for (uint32_t offset = 0; offset < 0x1000; offset += 4) {
            cr_assert_eq(get(&hole[i], offset), UINT32_MAX);
            put(&hole[i], offset, UINT32_MAX);
        }
        cr_assert_eq(memcmp(&hole[i], &before, sizeof before), 0);
    }
}

/* [6] */
Test(lapic, cr8_works_while_the_apic_is_off)
{
    Lapic lapic = enabled(1);

    put(&lapic, TPR, 0x53);
    cr_assert(lapic_base_write(&lapic, 0xfee00000));
    cr_assert_eq(lapic_cr8_read(&lapic), 5);
    cr_assert(lapic_cr8_write(&lapic, 9));
    cr_assert_eq(lapic_cr8_read(&lapic), 9);
}

/* [8] */
Test(lapic, off_and_on_leaves_registers_as_after_reset)
{
    Lapic lapic = enabled(1), fresh;

    put(&lapic, TPR, 0x20);
    put(&lapic, LDR, 0x01000000);
    put(&lapic, LVT_ERROR, 0xfe);
    put(&lapic, INITIAL_COUNT, 5);
    fixed(&lapic, 0x40);
    cr_assert(lapic_base_write(&lapic, 0xfee00000));
    cr_assert_eq(lapic_pending(&lapic), -1);
    cr_assert_eq(lapic_timer_deadline(&lapic), TICKS_NEVER);
    cr_assert(lapic_base_write(&lapic, 0xfee00000 | LAPIC_BASE_EN));
    lapic_init(&fresh, 1, false);
    cr_assert_eq(memcmp(&lapic, &fresh, sizeof fresh), 0);
}

/* [9, 10, 11] */
Test(lapic, the_xapic_id_can_be_written_and_is_forgotten)
{
    Lapic lapic = enabled(3);

    cr_assert_eq(get(&lapic, ID), 3u << 24);
    put(&lapic, ID, 0x07ffffff);
    cr_assert_eq(get(&lapic, ID), 7u << 24);
    cr_assert(lapic_base_write(&lapic, 0xfee00000 | lapic_modes[2]));
    cr_assert_eq(rdmsr(&lapic, ID), 3);
    cr_assert(!wrmsr(&lapic, ID, 7));
    cr_assert(lapic_base_write(&lapic, 0xfee00000));
    cr_assert(lapic_base_write(&lapic, 0xfee00000 | lapic_modes[1]));
    cr_assert_eq(get(&lapic, ID), 3u << 24);
}

/* [9, 10] */
Test(lapic, the_x2apic_id_has_32_bits)
{
    Lapic lapic = x2apic(0x12345);

    cr_assert_eq(rdmsr(&lapic, ID), 0x12345);
    lapic_init(&lapic, 0x12345, false);
    cr_assert_eq(get(&lapic, ID), 0x45u << 24);
}

/* [12] */
Test(lapic, the_version_is_integrated_and_read_only)
{
    Lapic lapic = enabled(0);

    put(&lapic, VERSION, 0);
    cr_assert_eq(get(&lapic, VERSION), 0x01060015);
}

/* [13, 14, 15] */
Test(lapic, each_msr_has_the_access_of_the_register_map)
{
    static const char access[] =
        /* 0123456789abcdef   r w: one way, b: both, -: none */
        "--rr----b-rw-r-b"  /* 800 */
        "rrrrrrrrrrrrrrrr"  /* 810 */
        "rrrrrrrrb------b"  /* 820 */
        "b-bbbbbbbr----bw"; /* 830 */
    Lapic off = enabled(1);

    for (uint32_t i = 0; i < 0x100; i++) {
        Lapic lapic = x2apic(1);
        char way = i < 0x40 ? access[i] : '-';

        cr_assert_eq(can_rdmsr(&lapic, i * 16), way == 'r' || way == 'b',
                     "RDMSR %x", 0x800 + i);
        cr_assert_eq(wrmsr(&lapic, i * 16, 0), way == 'w' || way == 'b',
                     "WRMSR %x", 0x800 + i);
        cr_assert(!can_rdmsr(&off, i * 16));
        cr_assert(!wrmsr(&off, i * 16, 0));
        cr_assert_eq(lapic.esr_latch & LAPIC_ESR_ILLEGAL_REGISTER, 0);
    }
}

/* [15, 54, 66] */
Test(lapic, a_reserved_bit_in_an_x2apic_register_is_gp)
{
    static const struct {
        uint32_t offset;
        uint64_t allowed;
    } table[] = {
        {TPR, 0xff},
        {EOI, 0},
        {SVR, 0x13ff},
        {ESR, 0},
        {LVT_CMCI, 0x117ff},
        {ICR_LOW, 0xffffffff000cdfff},
        {LVT_TIMER, 0x710ff},
        {LVT_THERMAL, 0x117ff},
        {LVT_PERFORMANCE, 0x117ff},
        {LVT_LINT0, 0x1f7ff},
        {LVT_LINT1, 0x1f7ff},
        {LVT_ERROR, 0x110ff},
        {INITIAL_COUNT, 0xffffffff},
        {DIVIDE, 0xb},
        {SELF_IPI, 0xff},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        for (int bit = 0; bit < 64; bit++) {
            Lapic lapic = x2apic(1), before = lapic;
            bool allowed = (table[i].allowed >> bit & 1) != 0;

            cr_assert_eq(wrmsr(&lapic, table[i].offset, UINT64_C(1) << bit),
                         allowed, "%x bit %d", table[i].offset, bit);
            if (!allowed)
                cr_assert_eq(memcmp(&lapic, &before, sizeof before), 0);
        }
    }
}

/* [16] */
Test(lapic, off_step_accesses_read_zero_and_write_nothing)
{
    Lapic lapic = enabled(1), before = lapic;

    put(&lapic, TPR + 4, 0xff);
    cr_assert_eq(get(&lapic, VERSION + 4), 0);
    cr_assert_eq(memcmp(&lapic, &before, sizeof before), 0);
}

Test(lapic, an_offset_beyond_the_page_is_our_bug, .signal = SIGABRT)
{
    Lapic lapic = enabled(1);

    get(&lapic, 0x1000);
}

/* [17, 39, 69] */
Test(lapic, registers_after_reset)
{
    static const struct {
        uint32_t offset, value;
    } table[] = {
        {TPR, 0},
        {PPR, 0},
        {LDR, 0},
        {DFR, UINT32_MAX},
        {SVR, 0xff},
        {ESR, 0},
        {LVT_CMCI, MASKED},
        {ICR_LOW, 0},
        {ICR_HIGH, 0},
        {LVT_TIMER, MASKED},
        {LVT_THERMAL, MASKED},
        {LVT_PERFORMANCE, MASKED},
        {LVT_LINT0, MASKED},
        {LVT_LINT1, MASKED},
        {LVT_ERROR, MASKED},
        {INITIAL_COUNT, 0},
        {CURRENT_COUNT, 0},
        {DIVIDE, 0},
    };
    Lapic lapic;

    lapic_init(&lapic, 0, true);
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        cr_assert_eq(get(&lapic, table[i].offset), table[i].value, "%x",
                     table[i].offset);
    for (uint32_t offset = ISR; offset < ESR; offset += 16)
        cr_assert_eq(get(&lapic, offset), 0);
}

Test(lapic, tpr_and_pending_survive_the_move_to_x2apic_mode)
{
    Lapic lapic = enabled(1);

    put(&lapic, TPR, 0x30);
    fixed(&lapic, 0x41);
    cr_assert(lapic_base_write(&lapic, 0xfee00000 | lapic_modes[2]));
    cr_assert_eq(rdmsr(&lapic, TPR), 0x30);
    cr_assert_eq(lapic_pending(&lapic), 0x41);
}

/* --- B. Software-disabled ------------------------------------------------- */

/* [18] */
Test(lapic, software_disable_masks_every_lvt_entry_for_good)
{
    Lapic lapic = enabled(1);

    put(&lapic, LVT_TIMER, 0x31);
    put(&lapic, LVT_CMCI, 0x32);
    put(&lapic, SVR, 0xff);
    cr_assert_eq(get(&lapic, LVT_TIMER), MASKED | 0x31);
    cr_assert_eq(get(&lapic, LVT_CMCI), MASKED | 0x32);
    put(&lapic, LVT_TIMER, 0x33);
    cr_assert_eq(get(&lapic, LVT_TIMER), MASKED | 0x33);
    put(&lapic, SVR, 0x1ff);
    cr_assert_eq(get(&lapic, LVT_TIMER), MASKED | 0x33);
}

/* [19, 21] */
Test(lapic, software_disabled_takes_all_but_fixed_and_still_sends)
{
    Lapic lapic;

    lapic_init(&lapic, 1, false);
    cr_assert_eq(fixed(&lapic, 0x40), LAPIC_SIGNAL_REFUSED);
    cr_assert_eq(arrive(&lapic, LAPIC_DELIVERY_LOWEST, 0x40),
                 LAPIC_SIGNAL_REFUSED);
    cr_assert_eq(arrive(&lapic, LAPIC_DELIVERY_NMI, 0), LAPIC_SIGNAL_NMI);
    cr_assert_eq(arrive(&lapic, LAPIC_DELIVERY_SMI, 0), LAPIC_SIGNAL_SMI);
    cr_assert_eq(arrive(&lapic, LAPIC_DELIVERY_INIT, 0), LAPIC_SIGNAL_INIT);
    cr_assert_eq(arrive(&lapic, LAPIC_DELIVERY_STARTUP, 8),
                 LAPIC_SIGNAL_STARTUP);
    cr_assert(is_empty(&lapic));
    cr_assert(put(&lapic, ICR_LOW, 0x40).sends);
}

/* [20] */
Test(lapic, software_disable_keeps_what_was_accepted)
{
    Lapic lapic = enabled(1);

    fixed(&lapic, 0x40);
    lapic_acknowledge(&lapic);
    fixed(&lapic, 0x80);
    put(&lapic, SVR, 0xff);
    cr_assert(in_bank(&lapic, ISR, 0x40));
    cr_assert_eq(lapic_pending(&lapic), 0x80);
}

/* --- F. Errors ------------------------------------------------------------ */

/* [63] */
Test(lapic, esr_is_a_latch)
{
    Lapic lapic = enabled(1);

    fixed(&lapic, 3);
    cr_assert_eq(get(&lapic, ESR), 0);
    put(&lapic, ESR, 0x5a);
    cr_assert_eq(get(&lapic, ESR), LAPIC_ESR_RECEIVE_ILLEGAL);
    put(&lapic, ICR_LOW, 0);
    cr_assert_eq(get(&lapic, ESR), LAPIC_ESR_RECEIVE_ILLEGAL);
    put(&lapic, ESR, 0);
    cr_assert_eq(get(&lapic, ESR), LAPIC_ESR_SEND_ILLEGAL);
    put(&lapic, ESR, 0);
    cr_assert_eq(get(&lapic, ESR), 0);
}

/* [65] */
Test(lapic, reserved_offsets_are_errors_for_reads_and_writes)
{
    static const uint32_t reserved[] = {0x000, 0x010, 0x040, 0x090,
                                        0x0c0, 0x290, 0x2e0, 0x3a0,
                                        0x3f0, 0x400, 0xff0};
    Lapic lapic = enabled(1);

    for (size_t i = 0; i < G_N_ELEMENTS(reserved); i++) {
        cr_assert_eq(get(&lapic, reserved[i]), 0);
        cr_assert_eq(esr(&lapic), LAPIC_ESR_ILLEGAL_REGISTER);
        put(&lapic, reserved[i], 1);
        cr_assert_eq(esr(&lapic), LAPIC_ESR_ILLEGAL_REGISTER);
    }
}

/* [67] */
Test(lapic, the_error_entry_fires_once_for_each_new_error)
{
    Lapic lapic = enabled(1);

    put(&lapic, LVT_ERROR, 0xfe);
    get(&lapic, 0x40);
    cr_assert_eq(lapic_acknowledge(&lapic), 0xfe);
    put(&lapic, EOI, 0);
    get(&lapic, 0x40);
    cr_assert_eq(lapic_pending(&lapic), -1);
    fixed(&lapic, 3);
    cr_assert_eq(lapic_acknowledge(&lapic), 0xfe);
    put(&lapic, EOI, 0);
    put(&lapic, ESR, 0);
    get(&lapic, 0x40);
    cr_assert_eq(lapic_pending(&lapic), 0xfe);
}

/* [67] */
Test(lapic, a_masked_error_entry_is_silent)
{
    Lapic lapic = enabled(1);

    put(&lapic, LVT_ERROR, MASKED | 0xfe);
    get(&lapic, 0x40);
    cr_assert(is_empty(&lapic));
    cr_assert_eq(esr(&lapic), LAPIC_ESR_ILLEGAL_REGISTER);
}

/* [68] */
Test(lapic, an_entry_with_an_illegal_vector_is_an_error_when_it_fires)
{
    Lapic lapic = enabled(1);

    put(&lapic, LVT_LINT0, 0x0f);
    cr_assert_eq(esr(&lapic), 0);
    cr_assert_eq(lapic_raise(&lapic, LAPIC_LVT_LINT0), LAPIC_SIGNAL_REFUSED);
    cr_assert_eq(esr(&lapic), LAPIC_ESR_RECEIVE_ILLEGAL);
    put(&lapic, LVT_ERROR, 0x05);
    get(&lapic, 0x40);
    cr_assert_eq(esr(&lapic),
                 LAPIC_ESR_RECEIVE_ILLEGAL | LAPIC_ESR_ILLEGAL_REGISTER);
    cr_assert(is_empty(&lapic));
}

/* --- H. INIT -------------------------------------------------------------- */

/* [86] */
Test(lapic, init_resets_all_but_ids_and_base)
{
    Lapic lapic = enabled(3), expected;

    lapic_init(&expected, 3, false);
    put(&expected, ID, 9u << 24);
    lapic = expected;
    put(&lapic, SVR, 0x1ff);
    put(&lapic, TPR, 0x20);
    put(&lapic, LDR, 0xff000000);
    put(&lapic, LVT_TIMER, PERIODIC | 0x40);
    put(&lapic, INITIAL_COUNT, 7);
    put(&lapic, ICR_LOW, 3);
    fixed(&lapic, 0x40);
    lapic_init_reset(&lapic);
    cr_assert_eq(memcmp(&lapic, &expected, sizeof expected), 0);
}

/* [86, 88] */
Test(lapic, init_keeps_x2apic_mode_and_refuses_fixed_afterwards)
{
    Lapic lapic = x2apic(3);

    lapic_init_reset(&lapic);
    cr_assert(lapic_is_x2apic(&lapic));
    cr_assert_eq(rdmsr(&lapic, SVR), 0xff);
    cr_assert_eq(rdmsr(&lapic, ID), 3);
    cr_assert_eq(fixed(&lapic, 0x40), LAPIC_SIGNAL_REFUSED);
}
