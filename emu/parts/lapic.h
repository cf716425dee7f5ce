/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lapic -- one local APIC: what a core's interrupt controller remembers.
 *
 * A pure state machine.  It knows no core, no bus, no clock and no chance:
 * time comes in as `now`, and what a write causes outside goes out as a
 * LapicEffects.  The machine carries the messages and decides when they
 * arrive; the core asks what is pending.
 *
 *   guest ── MMIO, MSR, CR8 ──▶ Lapic ── effects.message ──▶ bus ──┐
 *                                ▲  │                              │
 *     lapic_timer_expire() ──────┤  └─ lapic_pending() ──▶ core    │
 *     lapic_raise(LINT0) ────────┤     lapic_acknowledge()         │
 *                                └──── lapic_receive() ◀── other APICs
 *
 *   one vector:   accepted ──▶ IRR ── acknowledge ──▶ ISR ── EOI ──▶ gone
 *                               └ merges if there     └ one more may wait
 *
 * The register page.  MMIO offset = 10h * (MSR - 800h).  r, w: read, write;
 * "-": reserved, which is ESR bit 7 on the page and #GP as an MSR.
 *
 *   page  MSR   xAPIC  x2APIC  what                     after reset
 *   ----  ----  -----  ------  -----------------------  --------------------
 *   020   802   rw     r       ID: 31:24, or all 32     as numbered at birth
 *   030   803   r      r       version                  01060015h
 *   080   808   rw     rw      TPR: task priority       0
 *   0A0   80A   r      r       PPR: max(TPR, ISR)       0
 *   0B0   80B   w      w       EOI                      -
 *   0D0   80D   rw     r       LDR: logical ID          0, or from the ID
 *   0E0   80E   rw     -       DFR: flat or cluster     FFFFFFFFh: flat
 *   0F0   80F   rw     rw      SVR: enable 8, vector    FFh: disabled
 *   100+  810+  r      r       ISR, 8 x 32 bits         0
 *   180+  818+  r      r       TMR, 8 x 32 bits         0
 *   200+  820+  r      r       IRR, 8 x 32 bits         0
 *   280   828   rw     rw      ESR: error latch         0
 *   2F0   82F   rw     rw      LVT CMCI                 10000h: masked
 *   300   830   rw     rw      ICR low; writing sends   0
 *   310   -     rw     -       ICR high (63:32 of 830)  0
 *   320   832   rw     rw      LVT timer                10000h
 *   330   833   rw     rw      LVT thermal              10000h
 *   340   834   rw     rw      LVT performance          10000h
 *   350   835   rw     rw      LVT LINT0                10000h
 *   360   836   rw     rw      LVT LINT1                10000h
 *   370   837   rw     rw      LVT error                10000h
 *   380   838   rw     rw      initial count            0: stopped
 *   390   839   r      r       current count            0
 *   3E0   83E   rw     rw      divide configuration     0: by 2
 *   3F0   83F   -      w       self IPI                 -
 *
 *   ICR   63:32 destination (xAPIC 63:56) │ 19:18 shorthand │ 15 level
 *         triggered │ 14 assert │ 12 busy (xAPIC) │ 11 logical │ 10:8
 *         delivery mode │ 7:0 vector
 *   LVT   18:17 timer mode │ 16 mask │ 15 level │ 13 low active │ 10:8
 *         delivery mode │ 7:0 vector
 *
 * Where the manuals leave a choice, this one takes:
 *
 *   - The xAPIC ID can be written.  Leaving xAPIC mode forgets it.
 *   - PPR: when the classes of TPR and ISR are equal, TPR is shown.
 *   - Turning the APIC off empties it at once; TPR stays, being CR8, until
 *     the APIC is turned on again.
 *   - ICR bit 12 is ignored by WRMSR, as Intel's processors do.
 *   - Commands without a defined meaning are not sent and set
 *     effects.command_refused: reserved delivery modes, and the self and
 *     all-with-self shorthands in any but fixed mode.
 *   - SMI takes any vector.  A level-deasserted INIT is never sent.
 *   - Modes of sender and receiver may differ.  Whether a destination is a
 *     broadcast is judged by the sender's mode, all else by the receiver's.
 *   - DFR models other than flat and cluster match broadcasts only.
 *   - Lowest-priority messages are supported, so ESR bit 4 is never set.
 *   - An LVT vector below 16 is ESR bit 6 when it fires, not when written.
 *   - EOI-broadcast suppression (SVR bit 12) is supported and reported.
 *   - Page accesses that are not on a 16-byte step read 0 and write nothing.
 *   - A new divide value keeps the current count; the part of a divided tick
 *     that has gone by starts anew.  Timer mode 3 is one-shot.
 *   - To or from TSC-deadline mode clears the initial count.
 *   - LINT inputs are pulses: lapic_raise() is the edge, in either mode.
 *   - A late expiry is never lost: a write that touches the timer lets it
 *     happen first.  Periods gone by meanwhile are one interrupt.
 *
 * The spurious vector is never delivered: lapic_pending() decides and
 * lapic_acknowledge() takes without anything in between, so a TPR write
 * cannot come between the request and its acknowledge.
 *
 * Invariants (lapic_check): bits 0-15 of IRR, ISR and TMR are clear; the two
 * cached vectors are the highest bits of IRR and ISR; EXTD implies EN;
 * software-disabled implies that every LVT entry is masked; a running count
 * implies a non-zero initial count; TSC-deadline mode has no count, and no
 * other mode has a TSC deadline.
 *
 * Not decided here: what INIT and start-up do to the core, whether NMI is
 * blocked, which of several takes a lowest-priority message, when a message
 * arrives.  Rules after Intel SDM 3A, chapter "APIC".  Layer 2; a value
 * without pointers, embedded in Machine, copied by snapshots.
 */
#ifndef EMU_PARTS_LAPIC_H
#define EMU_PARTS_LAPIC_H

#include "base/base.h"

#include "base/digest.h"

/* What CPUID leaf 80000008h must report: bits of IA32_APIC_BASE at and above
 * this width are reserved. */
#define LAPIC_PHYSICAL_BITS 40

#define LAPIC_BASE_RESET UINT64_C(0xfee00000)
#define LAPIC_BASE_BSP (UINT64_C(1) << 8)
#define LAPIC_BASE_EXTD (UINT64_C(1) << 10)
#define LAPIC_BASE_EN (UINT64_C(1) << 11)

#define LAPIC_MSR_BASE 0x1bu
#define LAPIC_MSR_TSC_DEADLINE 0x6e0u
#define LAPIC_MSR_FIRST 0x800u
#define LAPIC_MSR_LAST 0x8ffu

#define LAPIC_SVR_ENABLE (1u << 8)
#define LAPIC_SVR_SUPPRESS_EOI (1u << 12)

#define LAPIC_ESR_SEND_ILLEGAL (1u << 5)
#define LAPIC_ESR_RECEIVE_ILLEGAL (1u << 6)
#define LAPIC_ESR_ILLEGAL_REGISTER (1u << 7)

#define LAPIC_LVT_MASKED (1u << 16)

/* Vectors below can be neither sent nor received. */
#define LAPIC_VECTOR_MIN 16

/* Senders that are no local APIC: an I/O APIC, an MSI. */
#define LAPIC_SOURCE_NONE UINT32_MAX

/* As in ICR bits 10:8 and in the LVT. */
typedef enum LapicDelivery {
    LAPIC_DELIVERY_FIXED = 0,
    LAPIC_DELIVERY_LOWEST = 1,
    LAPIC_DELIVERY_SMI = 2,
    LAPIC_DELIVERY_NMI = 4,
    LAPIC_DELIVERY_INIT = 5,
    LAPIC_DELIVERY_STARTUP = 6,
    LAPIC_DELIVERY_EXTINT = 7,
} LapicDelivery;

/* As in ICR bits 19:18. */
typedef enum LapicShorthand {
    LAPIC_SHORTHAND_NONE = 0,
    LAPIC_SHORTHAND_SELF = 1,
    LAPIC_SHORTHAND_ALL = 2,
    LAPIC_SHORTHAND_OTHERS = 3,
} LapicShorthand;

/* The local vector table, in the order of the version register's count. */
typedef enum LapicLvt {
    LAPIC_LVT_CMCI,
    LAPIC_LVT_TIMER,
    LAPIC_LVT_THERMAL,
    LAPIC_LVT_PERFORMANCE,
    LAPIC_LVT_LINT0,
    LAPIC_LVT_LINT1,
    LAPIC_LVT_ERROR,
    LAPIC_LVT_COUNT,
} LapicLvt;

/* One message on the APIC bus, complete: any target can judge it alone. */
typedef struct LapicMessage {
    uint32_t source;          /* initial ID of the sender: unique for ever */
    uint32_t destination;     /* 8 bits from xAPIC senders, else 32 */
    uint8_t vector;           /* of start-up: the page to start in */
    LapicDelivery delivery;   /* what it does to the target */
    LapicShorthand shorthand; /* unless NONE, destination does not count */
    bool logical;             /* destination is a logical one */
    bool level_triggered;     /* never in an IPI; an I/O APIC may set it */
    bool x2apic;              /* the sender was in x2APIC mode */
} LapicMessage;

/* What became of a message or a local interrupt. */
typedef enum LapicSignal {
    LAPIC_SIGNAL_NONE,    /* now stands in IRR: ask lapic_pending() */
    LAPIC_SIGNAL_MERGED,  /* stood in IRR already: this one is lost */
    LAPIC_SIGNAL_REFUSED, /* not accepted: disabled, masked, illegal vector */
    LAPIC_SIGNAL_SMI,     /* the rest are for the core, and leave no trace */
    LAPIC_SIGNAL_NMI,
    LAPIC_SIGNAL_INIT,    /* call lapic_init_reset() when the core obeys */
    LAPIC_SIGNAL_STARTUP, /* message->vector; dropped unless waited for */
    LAPIC_SIGNAL_EXTINT,  /* the vector comes from the 8259 */
} LapicSignal;

/* What a register write caused outside this APIC. */
typedef struct LapicEffects {
    bool sends;           /* message is to be carried */
    bool command_refused; /* ICR: undefined or illegal, nothing was sent */
    bool timer_changed;   /* lapic_timer_deadline() has a new answer */
    bool eoi;             /* eoi_vector left service */
    bool eoi_broadcast;   /* and the I/O APICs are to hear of it */
    uint8_t eoi_vector;
    LapicMessage message;
} LapicEffects;

typedef struct Lapic {
    uint64_t base;          /* IA32_APIC_BASE */
    uint64_t irr[4];        /* accepted, not yet taken: bit v of 256 */
    uint64_t isr[4];        /* taken, not yet ended */
    uint64_t tmr[4];        /* accepted as level triggered */
    ticks_t count_deadline; /* when the count is 0; TICKS_NEVER: stopped */
    uint64_t tsc_deadline;  /* IA32_TSC_DEADLINE; 0: disarmed */
    uint32_t initial_id;    /* x2APIC ID; the name of this APIC in messages */
    uint32_t svr;
    uint32_t ldr;       /* as written in xAPIC mode; x2APIC derives it */
    uint32_t dfr;       /* bits 31:28; the others read 1 */
    uint32_t icr_low;   /* without the busy bit */
    uint32_t icr_high;  /* destination: bits 31:24, or all in x2APIC mode */
    uint32_t esr;       /* what a read shows */
    uint32_t esr_latch; /* errors since the last write of ESR */
    uint32_t initial_count;
    uint32_t divide; /* bits 3, 1, 0 */
    uint32_t lvt[LAPIC_LVT_COUNT];
    int16_t irr_highest; /* highest vector in irr, or -1 */
    int16_t isr_highest; /* highest vector in isr, or -1 */
    uint8_t xapic_id;    /* ID in xAPIC mode, where it can be written */
    uint8_t tpr;
    bool is_sending; /* ICR bit 12, on behalf of the machine */
} Lapic;

/* --- Life ----------------------------------------------------------------- */

/*
 * Power-up state: xAPIC mode at FEE00000h, software-disabled, empty.  `id`
 * is the initial APIC ID, different for each processor of a machine.
 */
void lapic_init(Lapic *lapic, uint32_t id, bool is_bsp);

/*
 * What INIT does to the registers: as after power-up, but IDs and
 * IA32_APIC_BASE are kept, so that mode and address stay.  The timer stops.
 */
void lapic_init_reset(Lapic *lapic);

/* Add the whole state.  The timer enters with its absolute deadline. */
void lapic_digest(const Lapic *lapic, Digest *digest);

/* The same, but with what is left of the timer's time at `now`: two APICs that
 * agree in this behave alike from then on, whatever the clock says. */
void lapic_digest_relative(const Lapic *lapic, ticks_t now, Digest *digest);

/* Do the invariants of the head comment hold?  Walks all bits. */
bool lapic_check(const Lapic *lapic);

/* --- Mode and identity ---------------------------------------------------- */

/* RDMSR of IA32_APIC_BASE (1Bh).  Always true: every processor has it. */
bool lapic_base_read(const Lapic *lapic, uint64_t *value);

/*
 * WRMSR of IA32_APIC_BASE.  False is #GP: a reserved bit is set or the move
 * between modes is not legal (SDM 3A, "x2APIC State Transitions"); nothing
 * has changed then.
 *
 *      off ◀──▶ xAPIC ──▶ x2APIC ──▶ off
 *
 * The BSP flag is stored as written.  After true the page may have moved and
 * the timer may have stopped: ask again.
 */
bool lapic_base_write(Lapic *lapic, uint64_t value);

static inline gpa_t
lapic_base_address(const Lapic *lapic)
{
    return lapic->base & ~UINT64_C(0xfff);
}

/* EN; CPUID.1:EDX[9] shows it. */
static inline bool
lapic_is_enabled(const Lapic *lapic)
{
    return (lapic->base & LAPIC_BASE_EN) != 0;
}

static inline bool
lapic_is_x2apic(const Lapic *lapic)
{
    return (lapic->base & LAPIC_BASE_EXTD) != 0;
}

/* EN, and SVR bit 8: fixed interrupts are accepted. */
static inline bool
lapic_is_software_enabled(const Lapic *lapic)
{
    return lapic_is_enabled(lapic) && (lapic->svr & LAPIC_SVR_ENABLE) != 0;
}

/* Is it the processor that starts at the reset vector? */
static inline bool
lapic_is_bsp(const Lapic *lapic)
{
    return (lapic->base & LAPIC_BASE_BSP) != 0;
}

/* --- Registers ------------------------------------------------------------ */

/*
 * 32-bit access to the register page at `offset` < 1000h.  Off and in x2APIC
 * mode the page is no APIC: reads are all ones, writes do nothing.  A
 * reserved offset is an error of the guest (ESR bit 7), which may put the
 * error vector into IRR: so even a read can change what is pending.
 * `effects` is overwritten.
 */
uint32_t lapic_mmio_read(Lapic *lapic, uint32_t offset, ticks_t now);
void lapic_mmio_write(Lapic *lapic, uint32_t offset, uint32_t value,
                      ticks_t now, LapicEffects *effects);

/*
 * RDMSR and WRMSR of 800h-8FFh (x2APIC mode) and 6E0h (any mode).  False is
 * #GP: not in x2APIC mode, reserved or one-way register, reserved bits; then
 * nothing has changed.  `effects` is overwritten either way.
 */
bool lapic_msr_read(Lapic *lapic, uint32_t msr, ticks_t now, uint64_t *value);
bool lapic_msr_write(Lapic *lapic, uint32_t msr, uint64_t value, ticks_t now,
                     LapicEffects *effects);

/*
 * MOV to and from CR8: TPR bits 7:4.  A write clears bits 3:0; false is #GP,
 * for a value above Fh.  Works in every mode, off included.
 */
bool lapic_cr8_write(Lapic *lapic, uint64_t value);
uint64_t lapic_cr8_read(const Lapic *lapic);

/*
 * Show the delivery status bit of the ICR (xAPIC mode) as busy while the
 * machine still holds the message that was sent last.  Idle unless told.
 */
void lapic_set_sending(Lapic *lapic, bool is_sending);

/* --- Messages ------------------------------------------------------------- */

/*
 * Is this APIC addressed by `message`?  Matching only: a software-disabled
 * APIC is addressed and refuses later; one that is off is never addressed.
 *
 * A lowest-priority message goes to exactly one of those addressed.  To
 * choose it, take the software-enabled ones and among them the least
 * lapic_processor_priority(); ties are the machine's.
 */
bool lapic_accepts(const Lapic *lapic, const LapicMessage *message);

/*
 * A message arrives.  The machine has asked lapic_accepts() at a moment of
 * its own choice; nothing about the destination is asked again.
 */
LapicSignal lapic_receive(Lapic *lapic, const LapicMessage *message);

/*
 * A local source fires: a LINT pin, the thermal sensor, a counter.  With the
 * APIC off LINT0 is the INTR pin and LINT1 the NMI pin (SDM 3A, "Local
 * Vector Table").
 */
LapicSignal lapic_raise(Lapic *lapic, LapicLvt source);

/* --- To the core ---------------------------------------------------------- */

/* PPR: what an interrupt's class must exceed (SDM 3A, 11.8.3.1). */
static inline uint8_t
lapic_processor_priority(const Lapic *lapic)
{
    int in_service = MAX(lapic->isr_highest, 0) & 0xf0;

    return (lapic->tpr & 0xf0) >= in_service ? lapic->tpr : (uint8_t)in_service;
}

/*
 * The vector that the core would take now if its IF allows, or -1.  Of all
 * in IRR only the highest can be it.
 */
static inline int
lapic_pending(const Lapic *lapic)
{
    int vector = lapic->irr_highest;

    if (LIKELY(vector < 0) ||
        vector >> 4 <= lapic_processor_priority(lapic) >> 4)
        return -1;
    return vector;
}

/*
 * The core takes lapic_pending(), which must be >= 0: it moves from IRR to
 * ISR.  Returns the vector.
 */
int lapic_acknowledge(Lapic *lapic);

/* --- Timer ---------------------------------------------------------------- */

/*
 * The tick at which the timer has something to do, or TICKS_NEVER.  May lie
 * in the past: it is due at once.  A masked timer counts, but has nothing to
 * do: what it misses is worked out when somebody looks.
 *
 * The bus clock runs at one count a tick, before the divider; the TSC equals
 * the ticks, so a TSC deadline is its MSR.
 */
ticks_t lapic_timer_deadline(const Lapic *lapic);

/*
 * The machine fires the timer, at or after the deadline; before it nothing
 * happens.  The next period counts from the deadline, not from `now`;
 * afterwards lapic_timer_deadline() > now.
 */
void lapic_timer_expire(Lapic *lapic, ticks_t now);

#endif
