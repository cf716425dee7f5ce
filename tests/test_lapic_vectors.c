/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of the local APIC: acceptance, priority, EOI. */
#include "base/base.h"

#include <criterion/criterion.h>
#include <signal.h>

#include "lapic_rig.h"
#include "parts/lapic.h"

/* --- E. Acceptance, priority, EOI ----------------------------------------- */

/* [46, 62] */
Test(lapic_vectors, each_legal_vector_has_its_bits)
{
    for (uint32_t vector = 16; vector < 256; vector++) {
        Lapic lapic = enabled(1);

        cr_assert_eq(fixed(&lapic, (uint8_t)vector), LAPIC_SIGNAL_NONE);
        cr_assert(in_bank(&lapic, IRR, vector));
        cr_assert_eq(lapic_pending(&lapic), (int)vector);
        cr_assert_eq(lapic_acknowledge(&lapic), (int)vector);
        cr_assert(!in_bank(&lapic, IRR, vector));
        cr_assert(in_bank(&lapic, ISR, vector));
        put(&lapic, EOI, 0);
        cr_assert(is_empty(&lapic));
    }
}

/* [46] */
Test(lapic_vectors, the_vector_registers_are_read_only)
{
    Lapic lapic = enabled(1), before = lapic;

    for (uint32_t offset = ISR; offset < ESR; offset += 16)
        put(&lapic, offset, UINT32_MAX);
    put(&lapic, PPR, 0xff);
    put(&lapic, CURRENT_COUNT, 0xff);
    cr_assert_eq(memcmp(&lapic, &before, sizeof before), 0);
}

/* [47] */
Test(lapic_vectors, the_higher_vector_goes_first)
{
    static const uint8_t arrives[] = {0x45, 0x31, 0xf0, 0x4f, 0x10};
    static const int leaves[] = {0xf0, 0x4f, 0x45, 0x31, 0x10};
    Lapic lapic = enabled(1);

    for (int i = 0; i < 5; i++)
        fixed(&lapic, arrives[i]);
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(lapic_acknowledge(&lapic), leaves[i]);
        put(&lapic, EOI, 0);
    }
    cr_assert_eq(lapic_pending(&lapic), -1);
}

/* [48] */
Test(lapic_vectors, ppr_is_the_greater_of_tpr_and_isr)
{
    static const struct {
        uint8_t tpr, in_service, ppr;
    } table[] = {
        {0x00, 0x00, 0x00}, {0x25, 0x00, 0x25}, {0x25, 0x37, 0x30},
        {0x35, 0x31, 0x35}, {0x35, 0x2f, 0x35}, {0xff, 0xf1, 0xff},
        {0x05, 0x1f, 0x10},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        Lapic lapic = enabled(1);

        if (table[i].in_service != 0) {
            fixed(&lapic, table[i].in_service);
            lapic_acknowledge(&lapic);
        }
        put(&lapic, TPR, table[i].tpr);
        cr_assert_eq(get(&lapic, PPR), table[i].ppr);
        cr_assert_eq(lapic_processor_priority(&lapic), table[i].ppr);
    }
}

/* [49, 51, 53] */
Test(lapic_vectors, tpr_of_class_n_holds_back_classes_up_to_n)
{
    for (uint32_t tpr = 0; tpr < 256; tpr++) {
        for (uint32_t vector = 16; vector < 256; vector += 7) {
            Lapic lapic = enabled(1);

            put(&lapic, TPR, tpr);
            fixed(&lapic, (uint8_t)vector);
            cr_assert_eq(lapic_pending(&lapic),
                         vector / 16 > tpr / 16 ? (int)vector : -1);
            put(&lapic, TPR, 0);
            cr_assert_eq(lapic_pending(&lapic), (int)vector);
        }
    }
}

/* [50] */
Test(lapic_vectors, a_message_waits_in_irr_until_the_core_takes_it)
{
    Lapic lapic = enabled(1);

    fixed(&lapic, 0x40);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(lapic_pending(&lapic), 0x40);
    cr_assert(in_bank(&lapic, IRR, 0x40) && !in_bank(&lapic, ISR, 0x40));
}

Test(lapic_vectors, acknowledging_nothing_is_our_bug, .signal = SIGABRT)
{
    Lapic lapic = enabled(1);

    lapic_acknowledge(&lapic);
}

/* [51, 60] */
Test(lapic_vectors, messages_for_the_core_ignore_tpr_and_leave_no_trace)
{
    Lapic lapic = enabled(1), before;

    put(&lapic, TPR, 0xff);
    before = lapic;
    cr_assert_eq(arrive(&lapic, LAPIC_DELIVERY_NMI, 0x40), LAPIC_SIGNAL_NMI);
    cr_assert_eq(arrive(&lapic, LAPIC_DELIVERY_SMI, 0), LAPIC_SIGNAL_SMI);
    cr_assert_eq(arrive(&lapic, LAPIC_DELIVERY_INIT, 0), LAPIC_SIGNAL_INIT);
    cr_assert_eq(arrive(&lapic, LAPIC_DELIVERY_STARTUP, 1),
                 LAPIC_SIGNAL_STARTUP);
    cr_assert_eq(arrive(&lapic, LAPIC_DELIVERY_EXTINT, 0), LAPIC_SIGNAL_EXTINT);
    cr_assert_eq(arrive(&lapic, (LapicDelivery)3, 0), LAPIC_SIGNAL_REFUSED);
    cr_assert_eq(memcmp(&lapic, &before, sizeof before), 0);
}

/* [52] */
Test(lapic_vectors, cr8_is_the_class_of_tpr)
{
    Lapic lapic = enabled(1);

    put(&lapic, TPR, 0xab);
    cr_assert_eq(lapic_cr8_read(&lapic), 0xa);
    cr_assert(lapic_cr8_write(&lapic, 0xf));
    cr_assert_eq(get(&lapic, TPR), 0xf0);
    cr_assert(!lapic_cr8_write(&lapic, 0x10));
    cr_assert(!lapic_cr8_write(&lapic, UINT64_C(1) << 63));
    cr_assert_eq(get(&lapic, TPR), 0xf0);
}

/* [54] */
Test(lapic_vectors, eoi_ends_the_highest_in_service)
{
    Lapic lapic = enabled(1);
    LapicEffects effects;

    fixed(&lapic, 0x40);
    lapic_acknowledge(&lapic);
    fixed(&lapic, 0x80);
    lapic_acknowledge(&lapic);
    fixed(&lapic, 0x50);
    cr_assert_eq(lapic_pending(&lapic), -1);
    effects = put(&lapic, EOI, 0xdeadbeef);
    cr_assert(effects.eoi && !effects.eoi_broadcast);
    cr_assert_eq(effects.eoi_vector, 0x80);
    cr_assert(in_bank(&lapic, ISR, 0x40) && !in_bank(&lapic, ISR, 0x80));
    cr_assert_eq(lapic_pending(&lapic), 0x50);
}

/* [55] */
Test(lapic_vectors, eoi_with_nothing_in_service_does_nothing)
{
    Lapic lapic = enabled(1);

    fixed(&lapic, 0x40);
    cr_assert(!put(&lapic, EOI, 0).eoi);
    cr_assert_eq(lapic_pending(&lapic), 0x40);
}

/* [56, 57] */
Test(lapic_vectors, the_end_of_a_level_interrupt_is_broadcast_unless_suppressed)
{
    for (int level = 0; level < 2; level++) {
        for (int suppressed = 0; suppressed < 2; suppressed++) {
            Lapic lapic = enabled(1);
            LapicMessage message = {.source = LAPIC_SOURCE_NONE,
                                    .vector = 0x40,
                                    .level_triggered = level};

            put(&lapic, SVR, suppressed ? 0x11ff : 0x1ff);
            cr_assert_eq(lapic_receive(&lapic, &message), LAPIC_SIGNAL_NONE);
            cr_assert_eq(in_bank(&lapic, TMR, 0x40), level);
            lapic_acknowledge(&lapic);
            cr_assert_eq(put(&lapic, EOI, 0).eoi_broadcast,
                         level && !suppressed);
        }
    }
}

/* [57] */
Test(lapic_vectors, tmr_follows_the_last_acceptance)
{
    Lapic lapic = enabled(1);
    LapicMessage level = {.vector = 0x40, .level_triggered = true};

    lapic_receive(&lapic, &level);
    cr_assert(in_bank(&lapic, TMR, 0x40));
    lapic_acknowledge(&lapic);
    put(&lapic, EOI, 0);
    fixed(&lapic, 0x40);
    cr_assert(!in_bank(&lapic, TMR, 0x40));
}

/* [49, 58] */
Test(lapic_vectors, a_handler_is_interrupted_by_a_higher_class_only)
{
    Lapic lapic = enabled(1);

    fixed(&lapic, 0x44);
    lapic_acknowledge(&lapic);
    fixed(&lapic, 0x30);
    cr_assert_eq(lapic_pending(&lapic), -1);
    fixed(&lapic, 0x4f);
    cr_assert_eq(lapic_pending(&lapic), -1);
    fixed(&lapic, 0x50);
    cr_assert_eq(lapic_acknowledge(&lapic), 0x50);
    cr_assert(in_bank(&lapic, ISR, 0x44) && in_bank(&lapic, ISR, 0x50));
}

/* [37, 59] */
Test(lapic_vectors, the_vector_in_service_can_wait_once_more)
{
    Lapic lapic = enabled(1);

    fixed(&lapic, 0x40);
    lapic_acknowledge(&lapic);
    cr_assert_eq(fixed(&lapic, 0x40), LAPIC_SIGNAL_NONE);
    cr_assert_eq(fixed(&lapic, 0x40), LAPIC_SIGNAL_MERGED);
    cr_assert_eq(lapic_pending(&lapic), -1);
    put(&lapic, EOI, 0);
    cr_assert_eq(lapic_acknowledge(&lapic), 0x40);
    put(&lapic, EOI, 0);
    cr_assert(is_empty(&lapic));
}
