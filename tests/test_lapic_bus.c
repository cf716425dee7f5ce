/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of the local APIC: sending and destinations. */
#include "base/base.h"

#include <criterion/criterion.h>

#include "lapic_rig.h"
#include "parts/lapic.h"

/* --- C. ICR and sending --------------------------------------------------- */

/* [22, 23] */
Test(lapic_bus, xapic_sends_by_the_low_word_only)
{
    Lapic lapic = enabled(3);
    LapicEffects effects = put(&lapic, ICR_HIGH, 0x05123456);

    cr_assert(!effects.sends);
    effects = put(&lapic, ICR_LOW, 0x4000 | LOGICAL | 0x77);
    cr_assert(effects.sends && !effects.command_refused);
    cr_assert_eq(effects.message.source, 3);
    cr_assert_eq(effects.message.destination, 5);
    cr_assert_eq(effects.message.vector, 0x77);
    cr_assert_eq(effects.message.delivery, LAPIC_DELIVERY_FIXED);
    cr_assert_eq(effects.message.shorthand, LAPIC_SHORTHAND_NONE);
    cr_assert(effects.message.logical && !effects.message.x2apic);
    cr_assert(!effects.timer_changed && !effects.eoi);
}

/* [24] */
Test(lapic_bus, x2apic_sends_by_one_wrmsr)
{
    Lapic lapic = x2apic(3);
    LapicEffects effects;

    cr_assert(
        lapic_msr_write(&lapic, 0x830, UINT64_C(0x1234500044077), 0, &effects));
    cr_assert(effects.sends && effects.message.x2apic);
    cr_assert_eq(effects.message.destination, 0x12345);
    cr_assert_eq(effects.message.shorthand, LAPIC_SHORTHAND_SELF);
    lapic_set_sending(&lapic, true);
    cr_assert_eq(rdmsr(&lapic, ICR_LOW), UINT64_C(0x1234500044077));
}

/* [22, 25] */
Test(lapic_bus, the_icr_reads_as_written_but_for_the_busy_bit)
{
    Lapic lapic = enabled(3);

    put(&lapic, ICR_HIGH, 0xaa000000);
    put(&lapic, ICR_LOW, 0xc4000 | 0x1000 | 0x77);
    cr_assert_eq(get(&lapic, ICR_HIGH), 0xaa000000);
    cr_assert_eq(get(&lapic, ICR_LOW), 0xc4077);
    lapic_set_sending(&lapic, true);
    cr_assert_eq(get(&lapic, ICR_LOW), 0xc5077);
    lapic_set_sending(&lapic, false);
    cr_assert_eq(get(&lapic, ICR_LOW), 0xc4077);
}

/* [26] */
Test(lapic_bus, shorthands_ignore_the_destination)
{
    Lapic sender = enabled(1), other = enabled(2);
    static const bool expected[4][2] = {
        {false, false}, {true, false}, {true, true}, {false, true}};

    put(&sender, ICR_HIGH, 0x55000000);
    for (uint32_t shorthand = 0; shorthand < 4; shorthand++) {
        LapicEffects effects = put(&sender, ICR_LOW, SHORT(shorthand) | 0x40);

        cr_assert(effects.sends);
        cr_assert_eq(lapic_accepts(&sender, &effects.message),
                     expected[shorthand][0]);
        cr_assert_eq(lapic_accepts(&other, &effects.message),
                     expected[shorthand][1]);
    }
}

/* [27] and reserved delivery modes */
Test(lapic_bus, commands_without_meaning_are_refused)
{
    static const char *const sends[8] = {
        /* by delivery mode: shorthand none, self, all, others */
        "yyyy", "ynny", "ynny", "nnnn", "ynny", "ynny", "ynny", "nnnn"};

    for (uint32_t mode = 0; mode < 8; mode++) {
        for (uint32_t shorthand = 0; shorthand < 4; shorthand++) {
            Lapic lapic = enabled(1);
            LapicEffects effects = put(&lapic, ICR_LOW,
                                       MODE(mode) | SHORT(shorthand) | 0x4040);
            bool expected = sends[mode][shorthand] == 'y';

            cr_assert_eq(effects.sends, expected, "%u %u", mode, shorthand);
            cr_assert_eq(effects.command_refused, !expected);
            cr_assert_eq(esr(&lapic), 0);
        }
    }
}

/* [28] */
Test(lapic_bus, physical_broadcast_includes_the_sender)
{
    Lapic xapic = enabled(1), wide = x2apic(1);
    LapicMessage message = {.source = 1, .destination = 0xff};

    cr_assert(lapic_accepts(&xapic, &message));
    cr_assert(lapic_accepts(&wide, &message));
    message.x2apic = true;
    cr_assert(!lapic_accepts(&wide, &message));
    message.destination = UINT32_MAX;
    cr_assert(lapic_accepts(&wide, &message));
}

/* [29, 30] */
Test(lapic_bus, every_apic_with_the_physical_id_takes_the_message)
{
    Lapic a = enabled(1), b = enabled(2), c = enabled(3);
    LapicMessage message = {.source = 1, .destination = 2};

    put(&a, ID, 2u << 24);
    cr_assert(lapic_accepts(&a, &message));
    cr_assert(lapic_accepts(&b, &message));
    cr_assert(!lapic_accepts(&c, &message));
    message.destination = 1;
    cr_assert(!lapic_accepts(&a, &message));
    message.shorthand = LAPIC_SHORTHAND_SELF;
    cr_assert(lapic_accepts(&a, &message));
    cr_assert(!lapic_accepts(&b, &message));
}

Test(lapic_bus, an_apic_that_is_off_is_not_on_the_bus)
{
    Lapic lapic = enabled(1);
    LapicMessage message = {.shorthand = LAPIC_SHORTHAND_ALL,
                            .delivery = LAPIC_DELIVERY_NMI};

    cr_assert(lapic_base_write(&lapic, 0xfee00000));
    cr_assert(!lapic_accepts(&lapic, &message));
    cr_assert_eq(lapic_receive(&lapic, &message), LAPIC_SIGNAL_REFUSED);
}

/* [31] */
Test(lapic_bus, an_illegal_vector_is_not_sent_but_an_error)
{
    for (uint32_t mode = 0; mode < 2; mode++) {
        for (uint32_t vector = 0; vector < 18; vector++) {
            Lapic lapic = enabled(1);
            LapicEffects effects = put(&lapic, ICR_LOW, MODE(mode) | vector);

            cr_assert_eq(effects.sends, vector >= 16);
            cr_assert_eq(effects.command_refused, vector < 16);
            cr_assert_eq(esr(&lapic), vector < 16 ? LAPIC_ESR_SEND_ILLEGAL : 0);
        }
    }
}

/* [31, 46] */
Test(lapic_bus, an_illegal_vector_is_not_received_but_an_error)
{
    Lapic lapic = enabled(1);

    for (uint8_t vector = 0; vector < 16; vector++) {
        cr_assert_eq(fixed(&lapic, vector), LAPIC_SIGNAL_REFUSED);
        cr_assert_eq(esr(&lapic), LAPIC_ESR_RECEIVE_ILLEGAL);
    }
    cr_assert(is_empty(&lapic));
}

/* [32, 57] */
Test(lapic_bus, an_ipi_is_edge_triggered_whatever_bit_15_says)
{
    Lapic lapic = enabled(1);
    LapicEffects effects = put(&lapic, ICR_LOW,
                               0xc000 | SHORT(LAPIC_SHORTHAND_SELF) | 0x40);

    lapic_receive(&lapic, &effects.message);
    cr_assert_eq(lapic_acknowledge(&lapic), 0x40);
    cr_assert(!in_bank(&lapic, TMR, 0x40));
}

/* [32, 33] */
Test(lapic_bus, only_a_deasserted_level_init_does_nothing)
{
    for (uint32_t bits = 0; bits < 4; bits++) {
        Lapic lapic = enabled(1);
        LapicEffects effects = put(&lapic, ICR_LOW,
                                   MODE(LAPIC_DELIVERY_INIT) | bits << 14);

        cr_assert_eq(effects.sends, bits != 2);
        cr_assert(!effects.command_refused);
    }
}

/* [34] */
Test(lapic_bus, nmi_and_smi_need_no_vector)
{
    Lapic lapic = enabled(1);

    cr_assert(put(&lapic, ICR_LOW, MODE(LAPIC_DELIVERY_NMI)).sends);
    cr_assert(put(&lapic, ICR_LOW, MODE(LAPIC_DELIVERY_SMI)).sends);
    cr_assert_eq(esr(&lapic), 0);
}

/* [35] */
Test(lapic_bus, self_ipi_is_a_fixed_edge_message_to_oneself)
{
    Lapic lapic = x2apic(9);
    LapicEffects effects;

    cr_assert(lapic_msr_write(&lapic, 0x83f, 0x51, 0, &effects));
    cr_assert(effects.sends && !effects.message.level_triggered);
    cr_assert_eq(effects.message.shorthand, LAPIC_SHORTHAND_SELF);
    cr_assert(lapic_accepts(&lapic, &effects.message));
    cr_assert_eq(lapic_receive(&lapic, &effects.message), LAPIC_SIGNAL_NONE);
    cr_assert_eq(lapic_pending(&lapic), 0x51);
    cr_assert_eq(rdmsr(&lapic, ICR_LOW), 0);
    cr_assert(lapic_msr_write(&lapic, 0x83f, 0x0f, 0, &effects));
    cr_assert(!effects.sends && effects.command_refused);
    cr_assert_eq(esr(&lapic), LAPIC_ESR_SEND_ILLEGAL);
}

/* [36] */
Test(lapic_bus, a_lowest_priority_message_is_received_as_fixed)
{
    Lapic lapic = enabled(1);

    cr_assert_eq(arrive(&lapic, LAPIC_DELIVERY_LOWEST, 0x40),
                 LAPIC_SIGNAL_NONE);
    cr_assert_eq(lapic_acknowledge(&lapic), 0x40);
    cr_assert_eq(lapic_processor_priority(&lapic), 0x40);
}

/* [37] */
Test(lapic_bus, a_second_pending_ipi_of_one_vector_merges)
{
    Lapic lapic = enabled(1);

    cr_assert_eq(fixed(&lapic, 0x40), LAPIC_SIGNAL_NONE);
    cr_assert_eq(fixed(&lapic, 0x40), LAPIC_SIGNAL_MERGED);
    lapic_acknowledge(&lapic);
    put(&lapic, EOI, 0);
    cr_assert(is_empty(&lapic));
}

/* --- D. Logical destinations ---------------------------------------------- */

/* [39] */
Test(lapic_bus, ldr_and_dfr_keep_their_defined_bits)
{
    Lapic lapic = enabled(1);

    put(&lapic, LDR, UINT32_MAX);
    put(&lapic, DFR, 0);
    cr_assert_eq(get(&lapic, LDR), 0xff000000);
    cr_assert_eq(get(&lapic, DFR), 0x0fffffff);
}

/* [40, 41, 42] */
Test(lapic_bus, flat_and_cluster_model_match_as_defined)
{
    Lapic lapic = enabled(1);

    for (uint32_t model = 0; model < 16; model++) {
        put(&lapic, DFR, model << 28);
        for (uint32_t mine = 0; mine < 256; mine++) {
            put(&lapic, LDR, mine << 24);
            for (uint32_t to = 0; to < 256; to++) {
                LapicMessage message = {.destination = to, .logical = true};
                bool flat = (to & mine) != 0;
                bool cluster = to / 16 == mine / 16 &&
                               (to % 16 & mine % 16) != 0;

                cr_assert_eq(lapic_accepts(&lapic, &message),
                             to == 0xff || (model == 15 && flat) ||
                                 (model == 0 && cluster));
            }
        }
    }
}

/* [43] */
Test(lapic_bus, a_logical_message_may_match_several)
{
    Lapic a = enabled(1), b = enabled(2);
    LapicMessage message = {.destination = 0x03, .logical = true};

    put(&a, LDR, 0x01000000);
    put(&b, LDR, 0x02000000);
    cr_assert(lapic_accepts(&a, &message) && lapic_accepts(&b, &message));
}

/* [44, 45] */
Test(lapic_bus, x2apic_clusters_are_derived_from_the_id)
{
    Lapic lapic = x2apic(0x123);
    static const struct {
        uint32_t destination;
        bool accepts;
    } table[] = {
        {0x00120008, true},  {0x0012ffff, true},  {0x00120007, false},
        {0x00130008, false}, {0x00000008, false}, {UINT32_MAX, true},
    };

    cr_assert_eq(rdmsr(&lapic, LDR), 0x00120008);
    cr_assert(!wrmsr(&lapic, LDR, 0));
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        LapicMessage message = {.destination = table[i].destination,
                                .logical = true,
                                .x2apic = true};

        cr_assert_eq(lapic_accepts(&lapic, &message), table[i].accepts);
    }
}

Test(lapic_bus, modes_of_sender_and_receiver_may_differ)
{
    Lapic narrow = enabled(5), wide = x2apic(5);
    LapicMessage message = {.destination = 0x105, .x2apic = true};

    put(&narrow, LDR, 0x01000000);
    cr_assert(!lapic_accepts(&narrow, &message));
    message.logical = true;
    cr_assert(!lapic_accepts(&narrow, &message));
    message.destination = 0x01;
    cr_assert(lapic_accepts(&narrow, &message));
    message = (LapicMessage){.destination = 5};
    cr_assert(lapic_accepts(&wide, &message));
    message = (LapicMessage){.destination = 0x20, .logical = true};
    cr_assert(lapic_accepts(&wide, &message));
}
