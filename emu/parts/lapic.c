/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "parts/lapic.h"

#include "parts/lapic_bus.h"
#include "parts/lapic_timer.h"
#include "parts/lapic_vectors.h"

/* Register numbers: page offset / 10h, MSR - 800h. */
enum {
    REG_ID = 0x02,
    REG_VERSION = 0x03,
    REG_TPR = 0x08,
    REG_PPR = 0x0a,
    REG_EOI = 0x0b,
    REG_LDR = 0x0d,
    REG_DFR = 0x0e,
    REG_SVR = 0x0f,
    REG_ISR = 0x10,
    REG_TMR = 0x18,
    REG_IRR = 0x20,
    REG_ESR = 0x28,
    REG_LVT_CMCI = 0x2f,
    REG_ICR_LOW = 0x30,
    REG_ICR_HIGH = 0x31,
    REG_LVT_TIMER = 0x32,
    REG_LVT_ERROR = 0x37,
    REG_INITIAL_COUNT = 0x38,
    REG_CURRENT_COUNT = 0x39,
    REG_DIVIDE = 0x3e,
    REG_SELF_IPI = 0x3f,
    REG_COUNT = 0x40,
};

/* Version 15h, seven LVT entries, EOI-broadcast suppression. */
#define VERSION (0x15u | (LAPIC_LVT_COUNT - 1) << 16 | 1u << 24)

#define DFR_READ_AS_ONE 0x0fffffffu
#define ICR_BUSY (1u << 12)
#define ICR_SELF (1u << 18)

#define LVT_STATUS (1u << 12)
#define LVT_REMOTE_IRR (1u << 14)

/* --- What may be done with a register ------------------------------------- */

enum { NO = 0, R = 1, W = 2, RW = R | W };

/* A bit set in an x2APIC write that is neither writable nor ignored is #GP;
 * xAPIC writes drop it. */
typedef struct RegisterRule {
    uint8_t xapic;
    uint8_t x2apic;
    uint32_t writable;
    uint32_t ignored;
} RegisterRule;

static const RegisterRule register_rules[REG_COUNT] = {
    [REG_ID] = {RW, R, 0xff000000, 0},
    [REG_VERSION] = {R, R, 0, 0},
    [REG_TPR] = {RW, RW, 0xff, 0},
    [REG_PPR] = {R, R, 0, 0},
    [REG_EOI] = {W, W, 0, 0},
    [REG_LDR] = {RW, R, 0xff000000, 0},
    [REG_DFR] = {RW, NO, 0xf0000000, 0},
    [REG_SVR] = {RW, RW, 0x13ff, 0},
    [REG_ISR... REG_IRR + 7] = {R, R, 0, 0},
    [REG_ESR] = {RW, RW, 0, 0},
    [REG_LVT_CMCI] = {RW, RW, 0x107ff, LVT_STATUS},
    [REG_ICR_LOW] = {RW, RW, 0xccfff, ICR_BUSY},
    [REG_ICR_HIGH] = {RW, NO, 0xff000000, 0},
    [REG_LVT_TIMER] = {RW, RW, 0x700ff, LVT_STATUS},
    [REG_LVT_TIMER + 1 ... REG_LVT_TIMER + 2] = {RW, RW, 0x107ff, LVT_STATUS},
    [REG_LVT_TIMER + 3 ... REG_LVT_TIMER + 4] = {RW, RW, 0x1a7ff,
                                                 LVT_STATUS | LVT_REMOTE_IRR},
    [REG_LVT_ERROR] = {RW, RW, 0x100ff, LVT_STATUS},
    [REG_INITIAL_COUNT] = {RW, RW, 0xffffffff, 0},
    [REG_CURRENT_COUNT] = {R, R, 0, 0},
    [REG_DIVIDE] = {RW, RW, 0xb, 0},
    [REG_SELF_IPI] = {NO, W, 0xff, 0},
};

/* --- Accepting ------------------------------------------------------------ */

/*
 * Latch an error; one that the latch does not hold yet fires the error
 * entry.  Should that entry have an illegal vector, this is a second error,
 * and it cannot be told in the same way.
 */
static void
raise_error(Lapic *lapic, uint32_t error)
{
    uint32_t lvt = lapic->lvt[LAPIC_LVT_ERROR];
    bool is_new = (lapic->esr_latch & error) == 0;

    lapic->esr_latch |= error;
    if (!is_new || (lvt & LAPIC_LVT_MASKED) != 0)
        return;
    if ((lvt & 0xff) < LAPIC_VECTOR_MIN)
        lapic->esr_latch |= LAPIC_ESR_RECEIVE_ILLEGAL;
    else
        lapic_vectors_accept(lapic, lvt & 0xff, false);
}

static LapicSignal
receive_fixed(Lapic *lapic, int vector, bool level_triggered)
{
    if (vector < LAPIC_VECTOR_MIN) {
        raise_error(lapic, LAPIC_ESR_RECEIVE_ILLEGAL);
        return LAPIC_SIGNAL_REFUSED;
    }
    return lapic_vectors_accept(lapic, vector, level_triggered);
}

LapicSignal
lapic_receive(Lapic *lapic, const LapicMessage *message)
{
    /* It may have been turned off while the message was on its way. */
    if (!lapic_is_enabled(lapic))
        return LAPIC_SIGNAL_REFUSED;
    switch (message->delivery) {
    case LAPIC_DELIVERY_FIXED:
    case LAPIC_DELIVERY_LOWEST:
        if (!lapic_is_software_enabled(lapic))
            return LAPIC_SIGNAL_REFUSED;
        return receive_fixed(lapic, message->vector, message->level_triggered);
    case LAPIC_DELIVERY_SMI:
        return LAPIC_SIGNAL_SMI;
    case LAPIC_DELIVERY_NMI:
        return LAPIC_SIGNAL_NMI;
    case LAPIC_DELIVERY_INIT:
        return LAPIC_SIGNAL_INIT;
    case LAPIC_DELIVERY_STARTUP:
        return LAPIC_SIGNAL_STARTUP;
    case LAPIC_DELIVERY_EXTINT:
        return LAPIC_SIGNAL_EXTINT;
    }
    return LAPIC_SIGNAL_REFUSED;
}

LapicSignal
lapic_raise(Lapic *lapic, LapicLvt source)
{
    uint32_t lvt = lapic->lvt[source];
    bool is_lint = source == LAPIC_LVT_LINT0 || source == LAPIC_LVT_LINT1;

    if (!lapic_is_enabled(lapic))
        return source == LAPIC_LVT_LINT0   ? LAPIC_SIGNAL_EXTINT
               : source == LAPIC_LVT_LINT1 ? LAPIC_SIGNAL_NMI
                                           : LAPIC_SIGNAL_REFUSED;
    if ((lvt & LAPIC_LVT_MASKED) != 0)
        return LAPIC_SIGNAL_REFUSED;
    switch (lvt >> 8 & 7) {
    case LAPIC_DELIVERY_FIXED:
        return receive_fixed(lapic, lvt & 0xff, false);
    case LAPIC_DELIVERY_SMI:
        return LAPIC_SIGNAL_SMI;
    case LAPIC_DELIVERY_NMI:
        return LAPIC_SIGNAL_NMI;
    case LAPIC_DELIVERY_INIT:
        return is_lint ? LAPIC_SIGNAL_INIT : LAPIC_SIGNAL_REFUSED;
    case LAPIC_DELIVERY_EXTINT:
        return is_lint ? LAPIC_SIGNAL_EXTINT : LAPIC_SIGNAL_REFUSED;
    }
    return LAPIC_SIGNAL_REFUSED;
}

static void
end_interrupt(Lapic *lapic, LapicEffects *effects)
{
    int vector = lapic_vectors_end(lapic);

    if (vector < 0)
        return;
    effects->eoi = true;
    effects->eoi_vector = (uint8_t)vector;
    effects->eoi_broadcast = lapic_vectors_level_triggered(lapic, vector) &&
                             (lapic->svr & LAPIC_SVR_SUPPRESS_EOI) == 0;
}

/* --- Sending -------------------------------------------------------------- */

static void
send(Lapic *lapic, uint32_t command, uint32_t destination,
     LapicEffects *effects)
{
    switch (lapic_bus_compose(lapic, command, destination, &effects->message)) {
    case LAPIC_COMMAND_SENDS:
        effects->sends = true;
        break;
    case LAPIC_COMMAND_NOTHING:
        break;
    case LAPIC_COMMAND_UNDEFINED:
        effects->command_refused = true;
        break;
    case LAPIC_COMMAND_ILLEGAL_VECTOR:
        effects->command_refused = true;
        raise_error(lapic, LAPIC_ESR_SEND_ILLEGAL);
        break;
    }
}

void
lapic_set_sending(Lapic *lapic, bool is_sending)
{
    lapic->is_sending = is_sending;
}

/* --- Registers ------------------------------------------------------------ */

static LapicLvt
lvt_of_register(uint32_t reg)
{
    return reg == REG_LVT_CMCI
               ? LAPIC_LVT_CMCI
               : (LapicLvt)(reg - REG_LVT_TIMER + LAPIC_LVT_TIMER);
}

static void
set_lvt(Lapic *lapic, LapicLvt entry, uint32_t value)
{
    if (!lapic_is_software_enabled(lapic))
        value |= LAPIC_LVT_MASKED;
    if (entry == LAPIC_LVT_TIMER)
        lapic_timer_set_lvt(lapic, value);
    else
        lapic->lvt[entry] = value;
}

static void
set_svr(Lapic *lapic, uint32_t value)
{
    lapic->svr = value;
    for (int i = 0; i < LAPIC_LVT_COUNT; i++)
        set_lvt(lapic, (LapicLvt)i, lapic->lvt[i]);
}

static uint32_t
read_register(const Lapic *lapic, uint32_t reg, ticks_t now)
{
    bool x2apic = lapic_is_x2apic(lapic);

    switch (reg) {
    case REG_ID:
        return x2apic ? lapic->initial_id : (uint32_t)lapic->xapic_id << 24;
    case REG_VERSION:
        return VERSION;
    case REG_TPR:
        return lapic->tpr;
    case REG_PPR:
        return lapic_processor_priority(lapic);
    case REG_LDR:
        return x2apic ? lapic_bus_logical_id(lapic) : lapic->ldr;
    case REG_DFR:
        return lapic->dfr;
    case REG_SVR:
        return lapic->svr;
    case REG_ISR ... REG_ISR + 7:
        return lapic_vectors_register(lapic->isr, reg - REG_ISR);
    case REG_TMR ... REG_TMR + 7:
        return lapic_vectors_register(lapic->tmr, reg - REG_TMR);
    case REG_IRR ... REG_IRR + 7:
        return lapic_vectors_register(lapic->irr, reg - REG_IRR);
    case REG_ESR:
        return lapic->esr;
    case REG_ICR_LOW:
        return lapic->icr_low | (!x2apic && lapic->is_sending ? ICR_BUSY : 0);
    case REG_ICR_HIGH:
        return lapic->icr_high;
    case REG_LVT_CMCI:
    case REG_LVT_TIMER ... REG_LVT_ERROR:
        return lapic->lvt[lvt_of_register(reg)];
    case REG_INITIAL_COUNT:
        return lapic->initial_count;
    case REG_CURRENT_COUNT:
        return lapic_timer_current_count(lapic, now);
    case REG_DIVIDE:
        return lapic->divide;
    }
    BUG("lapic register %#x has a rule but cannot be read", reg);
}

/* `value` has only bits that the rule of `reg` lets through. */
static void
write_register(Lapic *lapic, uint32_t reg, uint32_t value, ticks_t now,
               LapicEffects *effects)
{
    uint32_t shift = lapic_is_x2apic(lapic) ? 0 : 24;

    switch (reg) {
    case REG_ID:
        lapic->xapic_id = (uint8_t)(value >> 24);
        break;
    case REG_TPR:
        lapic->tpr = (uint8_t)value;
        break;
    case REG_EOI:
        end_interrupt(lapic, effects);
        break;
    case REG_LDR:
        lapic->ldr = value;
        break;
    case REG_DFR:
        lapic->dfr = value | DFR_READ_AS_ONE;
        break;
    case REG_SVR:
        set_svr(lapic, value);
        break;
    case REG_ESR:
        lapic->esr = lapic->esr_latch;
        lapic->esr_latch = 0;
        break;
    case REG_ICR_LOW:
        lapic->icr_low = value;
        send(lapic, value, lapic->icr_high >> shift, effects);
        break;
    case REG_ICR_HIGH:
        lapic->icr_high = value;
        break;
    case REG_LVT_CMCI:
    case REG_LVT_TIMER ... REG_LVT_ERROR:
        set_lvt(lapic, lvt_of_register(reg), value);
        break;
    case REG_INITIAL_COUNT:
        lapic_timer_start(lapic, value, now);
        break;
    case REG_DIVIDE:
        lapic_timer_set_divide(lapic, value, now);
        break;
    case REG_SELF_IPI:
        send(lapic, value | ICR_SELF, 0, effects);
        break;
    default:
        BUG("lapic register %#x has a rule but cannot be written", reg);
    }
}

/*
 * An expiry that is due has happened before a write that changes what the
 * timer does, even if the machine has not come to it.  Other writes leave
 * the machine its freedom to be late.
 */
static bool
register_steers_timer(uint32_t reg)
{
    return reg == REG_SVR || reg == REG_LVT_TIMER || reg == REG_INITIAL_COUNT ||
           reg == REG_DIVIDE;
}

static void
write_and_watch_timer(Lapic *lapic, uint32_t reg, uint32_t value, ticks_t now,
                      LapicEffects *effects)
{
    ticks_t deadline = lapic_timer_deadline(lapic);

    if (register_steers_timer(reg))
        lapic_timer_expire(lapic, now);
    write_register(lapic, reg, value, now, effects);
    effects->timer_changed = deadline != lapic_timer_deadline(lapic);
}

uint32_t
lapic_mmio_read(Lapic *lapic, uint32_t offset, ticks_t now)
{
    uint32_t reg = offset >> 4;

    INVARIANT(offset < 0x1000);
    if (!lapic_is_enabled(lapic) || lapic_is_x2apic(lapic))
        return UINT32_MAX;
    if ((offset & 0xf) != 0)
        return 0;
    if (reg >= REG_COUNT || register_rules[reg].xapic == NO) {
        raise_error(lapic, LAPIC_ESR_ILLEGAL_REGISTER);
        return 0;
    }
    if ((register_rules[reg].xapic & R) == 0)
        return 0;
    return read_register(lapic, reg, now);
}

void
lapic_mmio_write(Lapic *lapic, uint32_t offset, uint32_t value, ticks_t now,
                 LapicEffects *effects)
{
    uint32_t reg = offset >> 4;

    INVARIANT(offset < 0x1000);
    *effects = (LapicEffects){0};
    if (!lapic_is_enabled(lapic) || lapic_is_x2apic(lapic))
        return;
    if ((offset & 0xf) != 0)
        return;
    if (reg >= REG_COUNT || register_rules[reg].xapic == NO) {
        raise_error(lapic, LAPIC_ESR_ILLEGAL_REGISTER);
        return;
    }
    if ((register_rules[reg].xapic & W) == 0)
        return;
    write_and_watch_timer(lapic, reg, value & register_rules[reg].writable, now,
                          effects);
}

/* May the MSR be accessed in the way of `access`?  Sets its register. */
static bool
lookup_msr(const Lapic *lapic, uint32_t msr, int access, uint32_t *reg)
{
    if (msr < LAPIC_MSR_FIRST || msr > LAPIC_MSR_LAST ||
        !lapic_is_x2apic(lapic))
        return false;
    *reg = msr - LAPIC_MSR_FIRST;
    return *reg < REG_COUNT && (register_rules[*reg].x2apic & access) != 0;
}

bool
lapic_msr_read(Lapic *lapic, uint32_t msr, ticks_t now, uint64_t *value)
{
    uint32_t reg;

    if (msr == LAPIC_MSR_TSC_DEADLINE) {
        *value = lapic_timer_read_tsc(lapic, now);
        return true;
    }
    if (!lookup_msr(lapic, msr, R, &reg))
        return false;
    *value = read_register(lapic, reg, now);
    if (reg == REG_ICR_LOW)
        *value |= (uint64_t)lapic->icr_high << 32;
    return true;
}

bool
lapic_msr_write(Lapic *lapic, uint32_t msr, uint64_t value, ticks_t now,
                LapicEffects *effects)
{
    uint32_t reg;
    const RegisterRule *rule;

    *effects = (LapicEffects){0};
    if (msr == LAPIC_MSR_TSC_DEADLINE) {
        ticks_t deadline = lapic_timer_deadline(lapic);

        lapic_timer_expire(lapic, now);
        lapic_timer_write_tsc(lapic, value);
        effects->timer_changed = deadline != lapic_timer_deadline(lapic);
        return true;
    }
    if (!lookup_msr(lapic, msr, W, &reg))
        return false;
    rule = &register_rules[reg];
    if (((uint32_t)value & ~(rule->writable | rule->ignored)) != 0)
        return false;
    if (reg == REG_ICR_LOW)
        lapic->icr_high = (uint32_t)(value >> 32);
    else if (value >> 32 != 0)
        return false;
    write_and_watch_timer(lapic, reg, (uint32_t)value & rule->writable, now,
                          effects);
    return true;
}

bool
lapic_cr8_write(Lapic *lapic, uint64_t value)
{
    if (value > 0xf)
        return false;
    lapic->tpr = (uint8_t)(value << 4);
    return true;
}

uint64_t
lapic_cr8_read(const Lapic *lapic)
{
    return lapic->tpr >> 4;
}

/* --- IA32_APIC_BASE ------------------------------------------------------- */

#define BASE_ADDRESS                                                           \
    (((UINT64_C(1) << LAPIC_PHYSICAL_BITS) - 1) & ~UINT64_C(0xfff))
#define BASE_MODE (LAPIC_BASE_EN | LAPIC_BASE_EXTD)

static bool
mode_change_is_legal(uint64_t from, uint64_t to)
{
    switch (to) {
    case 0:
        return true;
    case LAPIC_BASE_EN:
        return from != BASE_MODE;
    case BASE_MODE:
        return from != 0;
    }
    return false;
}

bool
lapic_base_read(const Lapic *lapic, uint64_t *value)
{
    *value = lapic->base;
    return true;
}

bool
lapic_base_write(Lapic *lapic, uint64_t value)
{
    uint64_t from = lapic->base & BASE_MODE;
    uint64_t to = value & BASE_MODE;
    uint8_t tpr = lapic->tpr;

    if ((value & ~(BASE_ADDRESS | BASE_MODE | LAPIC_BASE_BSP)) != 0)
        return false;
    if (!mode_change_is_legal(from, to))
        return false;
    lapic->base = value;
    if (from != LAPIC_BASE_EN || to != LAPIC_BASE_EN)
        lapic->xapic_id = (uint8_t)lapic->initial_id;
    if (((from ^ to) & LAPIC_BASE_EN) != 0)
        lapic_init_reset(lapic);
    /* CR8 belongs to the core as well, and lives on without an APIC. */
    if (to == 0)
        lapic->tpr = tpr;
    return true;
}

/* --- Life ----------------------------------------------------------------- */

void
lapic_init_reset(Lapic *lapic)
{
    Lapic kept = *lapic;

    memset(lapic, 0, sizeof *lapic);
    lapic->base = kept.base;
    lapic->initial_id = kept.initial_id;
    lapic->xapic_id = kept.xapic_id;
    lapic->svr = 0xff;
    lapic->dfr = UINT32_MAX;
    lapic->count_deadline = TICKS_NEVER;
    lapic->irr_highest = -1;
    lapic->isr_highest = -1;
    for (int i = 0; i < LAPIC_LVT_COUNT; i++)
        lapic->lvt[i] = LAPIC_LVT_MASKED;
}

void
lapic_init(Lapic *lapic, uint32_t id, bool is_bsp)
{
    memset(lapic, 0, sizeof *lapic);
    lapic->base = LAPIC_BASE_RESET | LAPIC_BASE_EN |
                  (is_bsp ? LAPIC_BASE_BSP : 0);
    lapic->initial_id = id;
    lapic->xapic_id = (uint8_t)id;
    lapic_init_reset(lapic);
}

void
lapic_digest(const Lapic *lapic, Digest *digest)
{
    digest_u64(digest, lapic->base);
    for (int i = 0; i < 4; i++) {
        digest_u64(digest, lapic->irr[i]);
        digest_u64(digest, lapic->isr[i]);
        digest_u64(digest, lapic->tmr[i]);
    }
    digest_u64(digest, lapic->count_deadline);
    digest_u64(digest, lapic->tsc_deadline);
    digest_u64(digest, (uint64_t)lapic->initial_id << 32 | lapic->svr);
    digest_u64(digest, (uint64_t)lapic->ldr << 32 | lapic->dfr);
    digest_u64(digest, (uint64_t)lapic->icr_low << 32 | lapic->icr_high);
    digest_u64(digest, (uint64_t)lapic->esr << 32 | lapic->esr_latch);
    digest_u64(digest, (uint64_t)lapic->initial_count << 32 | lapic->divide);
    for (int i = 0; i < LAPIC_LVT_COUNT; i++)
        digest_u64(digest, lapic->lvt[i]);
    digest_u64(digest, (uint64_t)lapic->xapic_id << 16 |
                           (uint64_t)lapic->tpr << 8 | lapic->is_sending);
}

void
lapic_digest_relative(const Lapic *lapic, ticks_t now, Digest *digest)
{
    Lapic copy = *lapic;

    if (copy.count_deadline != TICKS_NEVER)
        copy.count_deadline -= now;
    copy.tsc_deadline = copy.tsc_deadline ? copy.tsc_deadline - now + 1 : 0;
    lapic_digest(&copy, digest);
}

bool
lapic_check(const Lapic *lapic)
{
    if (lapic_is_x2apic(lapic) && !lapic_is_enabled(lapic))
        return false;
    if (!lapic_is_software_enabled(lapic))
        for (int i = 0; i < LAPIC_LVT_COUNT; i++)
            if ((lapic->lvt[i] & LAPIC_LVT_MASKED) == 0)
                return false;
    return lapic_vectors_check(lapic) && lapic_timer_check(lapic);
}
