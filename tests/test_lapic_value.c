/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of the local APIC: the struct as a value. */
#include "base/base.h"

#include <criterion/criterion.h>

#include "base/digest.h"
#include "base/prng.h"
#include "lapic_rig.h"
#include "parts/lapic.h"

/* --- The value ------------------------------------------------------------ */

static uint64_t
digest_of(const Lapic *lapic)
{
    Digest digest;

    digest_init(&digest);
    lapic_digest(lapic, &digest);
    return digest_value(&digest);
}

Test(lapic_value, the_digest_sees_every_register)
{
    static const uint32_t offsets[] = {
        ID,        TPR,       LDR,       DFR,           SVR,
        ICR_HIGH,  LVT_CMCI,  LVT_TIMER, LVT_THERMAL,   LVT_PERFORMANCE,
        LVT_LINT0, LVT_LINT1, LVT_ERROR, INITIAL_COUNT, DIVIDE,
        ICR_LOW,   0x40};
    uint64_t seen[G_N_ELEMENTS(offsets) + 3];
    size_t count = 0;
    Lapic lapic = enabled(1), copy;

    seen[count++] = digest_of(&lapic);
    for (size_t i = 0; i < G_N_ELEMENTS(offsets); i++) {
        put(&lapic, offsets[i], 0x22000142);
        seen[count++] = digest_of(&lapic);
    }
    fixed(&lapic, 0x80);
    seen[count++] = digest_of(&lapic);
    lapic_acknowledge(&lapic);
    seen[count++] = digest_of(&lapic);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            cr_assert_neq(seen[i], seen[j], "%zu %zu", i, j);
    memcpy(&copy, &lapic, sizeof copy);
    cr_assert_eq(digest_of(&copy), digest_of(&lapic));
}

Test(lapic_value, check_notices_a_stale_cache)
{
    Lapic lapic = enabled(1);

    fixed(&lapic, 0x40);
    lapic.irr_highest = 0x50;
    cr_assert(!lapic_check(&lapic));
    lapic.irr_highest = 0x40;
    cr_assert(lapic_check(&lapic));
    lapic.isr[0] = 1;
    cr_assert(!lapic_check(&lapic));
}

/* One random access of a guest, or one event of the machine. */
static void
disturb(Lapic *lapic, Prng *prng, ticks_t *now)
{
    LapicEffects effects;
    uint64_t value = prng_next(prng) >> prng_below(prng, 64);
    uint32_t offset = (uint32_t)prng_below(prng, 0x41) * 16;

    *now += prng_below(prng, 300);
    switch (prng_below(prng, 8)) {
    case 0:
        lapic_base_write(lapic, 0xfee00000 | prng_below(prng, 4) << 10);
        break;
    case 1:
        lapic_mmio_read(lapic, offset, *now);
        lapic_msr_read(lapic, 0x800 + offset / 16, *now, &value);
        break;
    case 2:
    case 3:
        lapic_mmio_write(lapic, offset, (uint32_t)value, *now, &effects);
        lapic_msr_write(lapic, 0x800 + offset / 16, value, *now, &effects);
        if (effects.sends && lapic_accepts(lapic, &effects.message))
            lapic_receive(lapic, &effects.message);
        break;
    case 4:
        lapic_msr_write(lapic, LAPIC_MSR_TSC_DEADLINE, *now + value % 1000,
                        *now, &effects);
        lapic_raise(lapic, (LapicLvt)prng_below(prng, LAPIC_LVT_COUNT));
        break;
    case 5:
        lapic_mmio_write(lapic, SVR, 0x1ff, *now, &effects);
        arrive(lapic, LAPIC_DELIVERY_FIXED, (uint8_t)value);
        break;
    case 6:
        lapic_timer_expire(lapic, *now);
        cr_assert_gt(lapic_timer_deadline(lapic), *now);
        break;
    case 7:
        if (lapic_pending(lapic) >= 0)
            lapic_acknowledge(lapic);
        break;
    }
}

Test(lapic_value, no_sequence_of_accesses_breaks_the_invariants)
{
    Prng prng;
    ticks_t now = 0;
    Lapic lapic;

    prng_init(&prng, 1);
    lapic_init(&lapic, 5, false);
    for (int i = 0; i < 200000; i++) {
        disturb(&lapic, &prng, &now);
        cr_assert(lapic_check(&lapic), "step %d", i);
        cr_assert(IMPLIES(lapic_pending(&lapic) >= 0,
                          lapic_pending(&lapic) >> 4 >
                              lapic_processor_priority(&lapic) >> 4));
    }
}
