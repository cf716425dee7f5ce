/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lapic.c -- sending interrupts to other cpus, and what each one does.
 */
#include <machine/atomic.h>
#include <machine/cpu.h>
#include <machine/smp.h>
#include <sys/callout.h>
#include <sys/systm.h>
#include <sys/thread2.h>

#include "boot/frame.h"
#include "shim/cpu.h"
#include "shim/lapic.h"
#include "vectors.h"

_Static_assert(sizeof(struct intrframe) == sizeof(struct frame),
               "one frame, two names");

volatile cpumask_t smp_active_mask;
volatile cpumask_t stopped_cpus;
volatile cpumask_t started_cpus;
volatile cpumask_t smp_invltlb_mask;

const struct vector system_vectors[] = {
    {XINVLTLB_OFFSET, Xinvltlb},
    {XIPIQ_OFFSET, Xipiq},
    {XTIMER_OFFSET, Xtimer},
    {XCPUSTOP_OFFSET, Xcpustop},
    {XSPURIOUSINT_OFFSET, Xspuriousint},
    {0, NULL},
};

/* ---- sending ---------------------------------------------------------- */

/*
 * An LAPIC as the commit of 2011-11-11 conjectures it, c17a6852f8: an EOI
 * makes the command register busy, and a command that is written then is
 * lost.  Real ones do not, for all we know; EOI_DROPS is the injected fault.
 */
#ifdef EOI_DROPS
static volatile int icr_spoilt[MAXCPU];
#define ICR_IS_IDLE() (icr_spoilt[mycpu->gd_cpuid] = 0)
#define ICR_SPOIL()   (icr_spoilt[mycpu->gd_cpuid] = 1)
#define ICR_IS_LOST() (icr_spoilt[mycpu->gd_cpuid] != 0)
#else
#define ICR_IS_IDLE() ((void)0)
#define ICR_SPOIL()   ((void)0)
#define ICR_IS_LOST() 0
#endif

/* Before that commit interrupts stayed on here: ICR_OPEN. */
#ifdef ICR_OPEN
#define icr_close() ((void)0)
#else
#define icr_close() cpu_disable_intr()
#endif

/*
 * Interrupts are off from the test of the busy bit to the write: an EOI in
 * between could make the register busy again and the command be lost (fixed
 * 2011-11-11 by the kernel).  Waiting here never executes a callback.
 */
static void
single_apic_ipi(int cpu, u_int vector)
{
    unsigned long rflags = read_rflags();

    icr_close();
    ICR_IS_IDLE();
    while (lapic_read(LAPIC_ICR_LOW) & ICR_BUSY)
        cpu_pause();
    lapic_write(LAPIC_ICR_HIGH, (uint32_t)cpu << 24);
    if (!ICR_IS_LOST())
        lapic_write(LAPIC_ICR_LOW, ICR_FIXED | vector);
    write_rflags(rflags);
}

static void
selected_apic_ipi(cpumask_t mask, u_int vector)
{
    while (mask != 0) {
        int cpu = BSFCPUMASK(mask);

        single_apic_ipi(cpu, vector);
        mask &= ~CPUMASK(cpu);
    }
}

void
cpu_send_ipiq(int cpu)
{
    if (CPUMASK(cpu) & smp_active_mask)
        single_apic_ipi(cpu, XIPIQ_OFFSET);
}

int
stop_cpus(cpumask_t map)
{
    map &= mycpu->gd_other_cpus & smp_active_mask;
    selected_apic_ipi(map, XCPUSTOP_OFFSET);
    while ((stopped_cpus & map) != map)
        cpu_pause();
    return 1;
}

int
restart_cpus(cpumask_t map)
{
    map &= stopped_cpus;
    atomic_set_cpumask(&started_cpus, map);
    while ((stopped_cpus & map) != 0)
        cpu_pause();
    return 1;
}

static void
cpu_invltlb(void)
{
    unsigned long cr3;

    __asm__ __volatile__("movq %%cr3, %0; movq %0, %%cr3"
                         : "=r"(cr3) : : "memory");
}

/* Virtual machines lose IPIs: since 2016-09-05 it asks again, 16 times a
 * second, those that have not answered (bba35d6657): INVLTLB_AGAIN. */
static void
invltlb_wait(cpumask_t others)
{
#ifdef INVLTLB_AGAIN
    int64_t again = tsc_get_target(1000000000 / 16);
#endif

    while ((smp_invltlb_mask & others) != 0) {
#ifdef INVLTLB_AGAIN
        if (tsc_test_target(again) > 0) {
            selected_apic_ipi(smp_invltlb_mask & others, XINVLTLB_OFFSET);
            again = tsc_get_target(1000000000 / 16);
        }
#endif
        cpu_pause();
    }
}

void
smp_invltlb(void)
{
    cpumask_t others = mycpu->gd_other_cpus & smp_active_mask;

    crit_enter();
    atomic_set_cpumask(&smp_invltlb_mask, others);
    selected_apic_ipi(others, XINVLTLB_OFFSET);
    cpu_invltlb();
    invltlb_wait(others);
    crit_exit();
}

/* ---- receiving -------------------------------------------------------- */

static void
lapic_eoi(void)
{
    lapic_write(LAPIC_EOI, 0);
    ICR_SPOIL();
}

/* Handlers have run with interrupts on since October 2010 (7d4d6fdb87 and
 * two more); before, HANDLERS_CLI, they ran with them off. */
#ifdef HANDLERS_CLI
#define handler_enable_intr() ((void)0)
#else
#define handler_enable_intr() cpu_enable_intr()
#endif

void
invltlb_interrupt(struct intrframe *frame)
{
    (void)frame;
    lapic_eoi();
    ++mycpu->gd_cnt.v_invltlb;
    cpu_invltlb();
    atomic_clear_cpumask(&smp_invltlb_mask, mycpu->gd_cpumask);
}

/* Only the critical section is asked, not the nesting level. */
void
ipiq_interrupt(struct intrframe *frame)
{
    globaldata_t gd = mycpu;
    thread_t td = gd->gd_curthread;

    lapic_eoi();
    ++gd->gd_cnt.v_ipi;
    if (td->td_critcount != 0) {
        need_ipiq();
        return;
    }
    ++gd->gd_intr_nesting_level;
    ++td->td_critcount;
    cpu_ccfence();
    handler_enable_intr();
    lwkt_process_ipiq_frame(frame);
    cpu_ccfence();
    --td->td_critcount;
    cpu_ccfence();
    --gd->gd_intr_nesting_level;
    doreti(frame);
}

/*
 * Nothing here looks for passive messages, although lwkt_send_ipiq3_passive()
 * relies on it: that was so from 2004 or so to 2015-04-06.  TICK_DRAINS is
 * the remedy.
 */
void
timer_interrupt(struct intrframe *frame)
{
    globaldata_t gd = mycpu;
    thread_t td = gd->gd_curthread;

    lapic_eoi();
    ++gd->gd_cnt.v_timer;
#ifdef TICK_DRAINS
    if (gd->gd_ipimask != 0)
        need_ipiq();
#endif
    if (td->td_critcount != 0 || td->td_nest_count != 0) {
        __asm__ __volatile__("orl %1, %0" : "+m"(gd->gd_reqflags)
                             : "i"(RQF_TIMER) : "cc");
        return;
    }
    ++gd->gd_intr_nesting_level;
    ++td->td_critcount;
    cpu_ccfence();
    handler_enable_intr();
    lapic_timer_process_frame(frame);
    cpu_ccfence();
    --td->td_critcount;
    cpu_ccfence();
    --gd->gd_intr_nesting_level;
    doreti(frame);
}

void
lapic_timer_process_frame(struct intrframe *frame)
{
    (void)frame;
    if (mycpu->gd_cpuid == 0)
        ++ticks;
#if THREADS
    hardclock_softtick();
#endif
#ifdef DEVICE_TICKS
    /* As sched_ithd(): a device's interrupt thread lives on the last cpu. */
    lwkt_schedule(&globaldata_find(ncpus - 1)->gd_storythread);
#endif
}

/*
 * STOP_IN_CRIT: interrupts that come while a cpu is stopped leave a flag, and
 * the cpu goes on without a look at it: so told by the fix of 2015-05-17,
 * b19f40a4c7, RESUME_POLLS.  Where the section began is our guess.
 */
#ifdef STOP_IN_CRIT
#define stop_enter(gd) ((void)++(gd)->gd_curthread->td_critcount)
#define stop_exit(gd)  ((void)--(gd)->gd_curthread->td_critcount)
#else
#define stop_enter(gd) ((void)0)
#define stop_exit(gd)  ((void)0)
#endif

/*
 * Whatever this cpu was doing, it stops here, even in the middle of the FIFO
 * code: so that a cpu that panics or debugs can go on sending, the stopped
 * ones keep executing IPIs -- since 2005-07-20; before, DEAF_STOP, they did
 * not.  Leaves without doreti(): requests that came meanwhile wait for the
 * next event.
 */
void
cpustop_interrupt(struct intrframe *frame)
{
    globaldata_t gd = mycpu;

    (void)frame;
    lapic_eoi();
    ++gd->gd_cnt.v_stop;
    atomic_set_cpumask(&stopped_cpus, gd->gd_cpumask);
    handler_enable_intr();
    stop_enter(gd);
    while ((started_cpus & gd->gd_cpumask) == 0) {
#ifndef DEAF_STOP
        atomic_clear_int(&gd->gd_reqflags, RQF_IPIQ);
        lwkt_smp_stopped();
#endif
        cpu_pause();
    }
    atomic_clear_cpumask(&started_cpus, gd->gd_cpumask);
    atomic_clear_cpumask(&stopped_cpus, gd->gd_cpumask);
    cpu_disable_intr();
    stop_exit(gd);
#ifdef RESUME_POLLS
    doreti(frame);
#endif
}

/* ---- timer ------------------------------------------------------------ */

static void
lapic_timer_set(u_int mode, u_int count)
{
    lapic_write(LAPIC_TIMER_DIVIDE, LAPIC_DIVIDE_BY_1);
    lapic_write(LAPIC_LVT_TIMER, mode | XTIMER_OFFSET);
    lapic_write(LAPIC_TIMER_INITIAL, count);
}

void
lapic_timer_oneshot(u_int count)
{
    lapic_timer_set(0, count);
}

void
lapic_timer_periodic(u_int count)
{
    lapic_timer_set(LAPIC_LVT_PERIODIC, count);
}

void
lapic_timer_stop(void)
{
    lapic_timer_set(LAPIC_LVT_MASKED, 0);
}
