/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * glue.c -- per-cpu data, two threads a cpu, and real functions of what the
 * kernel has as macros, so that a story can call them.
 *
 * A cpu has a story thread, which does what its story says, and an idle
 * thread for when that one sleeps or has come to its end; with THREADS a few
 * more (sched.c).  Threads never migrate and nothing preempts: an interrupt
 * always returns to the thread it interrupted.
 */
#include <machine/atomic.h>
#include <machine/cpu.h>
#include <machine/smp.h>
#include <sys/param.h>
#include <sys/sysctl.h>
#include <sys/systm.h>
#include <sys/thread2.h>

#include "shim/cpu.h"
#include "vectors.h"

#define KSTACK_SIZE 16384

struct privatespace CPU_prvspace[MAXCPU];
struct globaldata *mycpu_dummy;
int ncpus;
int ticks;
uint64_t tsc_frequency = 1000000000; /* one tick of virtual time is 1 ns */

uint64_t story_loop(void);
void ap_finish(void);
void lwkt_hand_over(void); /* migrate.c */
void cpu_lwkt_switch(void **save_sp, void *to_sp);

globaldata_t
globaldata_find(int cpu)
{
    KKASSERT(cpu >= 0 && cpu < ncpus);
    return &CPU_prvspace[cpu].mdglobaldata;
}

int64_t
tsc_get_target(int64_t ns)
{
    if (tsc_frequency == 0)
        return -1;
    return (int64_t)(rdtsc() + tsc_frequency * (uint64_t)ns / 1000000000);
}

int
tsc_test_target(int64_t target)
{
    if (tsc_frequency == 0)
        return -1;
    return (int64_t)(rdtsc() - (uint64_t)target) >= 0;
}

/* ---- threads ---------------------------------------------------------- */

/*
 * Until 2016-07-22, 7fb451cb3c, a count of contended tokens that had become
 * negative kept lwkt_switch() from ever finding a thread to run: CONTENDED.
 */
int td_contended;
#ifdef CONTENDED
#define SWITCH_CONTENDED()                                                     \
    do {                                                                       \
        while (*(volatile int *)&td_contended != 0)                            \
            cpu_pause();                                                       \
    } while (0)
#else
#define SWITCH_CONTENDED() ((void)0)
#endif

/*
 * Interrupts that come between the choice and the switch find either thread
 * in a critical section, so they only leave a flag.
 */
void
lwkt_switch(void)
{
    globaldata_t gd = mycpu;
    thread_t td = gd->gd_curthread;
    thread_t ntd;

    if (gd->gd_intr_nesting_level != 0)
        panic("lwkt_switch: from an interrupt, an IPI or hard code");
    KKASSERT(gd->gd_processing_ipiq == 0);
    KKASSERT(gd->gd_spinlocks == 0);
    if (td->td_cscount != 0)
        kprintf("lwkt_switch: cpu %d switches while it masters a cpusync\n",
                gd->gd_cpuid);

    crit_enter();
    SWITCH_CONTENDED();
    atomic_clear_int(&gd->gd_reqflags, RQF_AST_LWKT_RESCHED);
#if THREADS
    lwkt_releasetokens(td);
    ntd = lwkt_choose(gd);
#else
    ntd = gd->gd_storythread.td_flags & TDF_RUNQ ? &gd->gd_storythread
                                                 : &gd->gd_idlethread;
#endif
#ifdef PREEMPTION
    if (td->td_preempted != NULL)
        ntd = td->td_preempted;
#endif
    if (ntd != td) {
        td->td_flags &= ~TDF_RUNNING;
        ntd->td_flags |= TDF_RUNNING;
        gd->gd_curthread = ntd;
        cpu_lwkt_switch(&td->td_sp, ntd->td_sp);
#ifdef HAND_OVER
        lwkt_hand_over();
#endif
    }
    crit_exit();
}

/*
 * PREEMPTION: a thread that may preempt runs at once, on top of the current
 * one, unless that is in a critical section other than the caller's, masters
 * a cpusync or holds a spin lock.  When it blocks or ends, the other goes on.
 * Inside a callback the level of nesting counts for the interrupted thread
 * alone; so nobody notices that what it has claimed has to wait.
 */
#ifdef PREEMPTION
static void
lwkt_preempt(thread_t ntd, int critcount)
{
    globaldata_t gd = mycpu;
    thread_t td = gd->gd_curthread;
    int level = gd->gd_intr_nesting_level;

    if (td == ntd || td->td_critcount > critcount || td->td_cscount != 0
        || gd->gd_spinlocks != 0 || td->td_preempted != NULL)
        return;
    ntd->td_preempted = td;
    ntd->td_flags |= TDF_RUNNING;
    gd->gd_intr_nesting_level = 0;
    gd->gd_curthread = ntd;
    cpu_lwkt_switch(&td->td_sp, ntd->td_sp);
    gd->gd_intr_nesting_level = level;
    ntd->td_preempted = NULL;
}
#else
#define lwkt_preempt(ntd, critcount) ((void)0)
#endif

/*
 * With a frame the interrupted thread could be preempted by td, so td is
 * scheduled outside of the critical section that this callback began in.
 * Even if nothing preempts, interrupts come in the gap as they do in the
 * kernel: the only standard callback of which that is true.
 */
static void
lwkt_schedule_remote(void *arg, int arg2, struct intrframe *frame)
{
    thread_t td = arg;

    (void)arg2;
    if (frame != NULL && td->td_preemptable) {
        crit_exit_noyield();
        lwkt_schedule(td);
        crit_enter();
    } else {
        lwkt_schedule(td);
    }
}

/* Only the owning cpu touches a thread; the others ask it to. */
void
lwkt_schedule(thread_t td)
{
    globaldata_t gd = mycpu;

    if (td->td_gd != gd) {
        lwkt_send_ipiq3(td->td_gd, lwkt_schedule_remote, td, 0);
        return;
    }
#ifdef SCHEDULE_REFUSES_TSLEEPQ
    if (td->td_flags & TDF_TSLEEPQ)
        return;
#endif
#ifdef SCHEDULE_TAKES_TOKEN
    int has_token = lwkt_trytoken(&proc_token);
#endif
    crit_enter();
    if ((td->td_flags & TDF_RUNQ) == 0) {
        td->td_flags |= TDF_RUNQ;
#if THREADS
        lwkt_enqueue(td);
#endif
        if (td != gd->gd_curthread)
            atomic_set_int(&gd->gd_reqflags, RQF_AST_LWKT_RESCHED);
        if (td->td_preemptable)
            lwkt_preempt(td, 1);
    }
    crit_exit();
#ifdef SCHEDULE_TAKES_TOKEN
    if (has_token)
        lwkt_reltoken(&proc_token);
#endif
}

void
lwkt_schedule_self(thread_t td)
{
    lwkt_schedule(td);
}

static void
lwkt_deschedule_remote(void *arg, int arg2, struct intrframe *frame)
{
    (void)arg2;
    (void)frame;
    lwkt_deschedule(arg);
}

/* Takes effect at the thread's next lwkt_switch(). */
void
lwkt_deschedule(thread_t td)
{
    if (td->td_gd != mycpu) {
        lwkt_send_ipiq3(td->td_gd, lwkt_deschedule_remote, td, 0);
        return;
    }
    crit_enter();
#if THREADS
    lwkt_dequeue(td);
#endif
    td->td_flags &= ~TDF_RUNQ;
    crit_exit();
}

void
lwkt_deschedule_self(thread_t td)
{
    lwkt_deschedule(td);
}

static void
story_thread(void)
{
    crit_exit(); /* entered in system_init(), as if by lwkt_switch() */
    story_loop();
    for (;;) {
        lwkt_deschedule_self(curthread);
        lwkt_switch();
    }
}

static void __attribute__((noreturn))
cpu_idle(void)
{
    for (;;) {
        lwkt_switch();
        cpu_disable_intr();
        splz();
        if ((mycpu->gd_reqflags & RQF_IDLECHECK_WK_MASK) == 0)
            cpu_halt();
        else
            cpu_enable_intr();
    }
}

/* ---- deferred work ---------------------------------------------------- */

static void
clear_request(u_int bit)
{
    atomic_clear_int(&mycpu->gd_reqflags, bit);
#ifndef HANDLERS_CLI /* before October 2010: lapic.c */
    cpu_enable_intr();
#endif
    cpu_ccfence();
#ifdef NPOLL_BY_KNOCK
    if (bit == RQF_IPIQ)
        atomic_poll_release_int(&mycpu->gd_npoll);
#endif
}

void
splz(void)
{
    globaldata_t gd = mycpu;
    thread_t td = gd->gd_curthread;
    unsigned long rflags = read_rflags();

    ++td->td_nest_count;
    for (;;) {
        cpu_disable_intr();
        if (gd->gd_reqflags & RQF_IPIQ) {
            clear_request(RQF_IPIQ);
            ++td->td_critcount;
            cpu_ccfence();
            lwkt_process_ipiq();
            cpu_ccfence();
            --td->td_critcount;
        } else if (gd->gd_reqflags & RQF_TIMER) {
            clear_request(RQF_TIMER);
            ++td->td_critcount;
            cpu_ccfence();
            lapic_timer_process_frame(NULL);
            cpu_ccfence();
            --td->td_critcount;
        } else {
            break;
        }
    }
    --td->td_nest_count;
    write_rflags(rflags);
}

void
lwkt_maybe_splz(thread_t td)
{
    if (td->td_critcount == 0 && td->td_gd->gd_intr_nesting_level == 0
        && td->td_nest_count < 2)
        splz();
}

/*
 * The last thing an interrupt does: like splz(), with the frame, and counted
 * as interrupt context.  Returns with interrupts off; iretq restores them.
 */
void
doreti(struct intrframe *frame)
{
    globaldata_t gd = mycpu;
    thread_t td = gd->gd_curthread;

    ++td->td_nest_count;
    for (;;) {
        cpu_disable_intr();
        if (td->td_critcount != 0)
            break;
        if (gd->gd_reqflags & RQF_IPIQ) {
            clear_request(RQF_IPIQ);
            ++td->td_critcount;
            ++gd->gd_intr_nesting_level;
            cpu_ccfence();
            lwkt_process_ipiq_frame(frame);
        } else if (gd->gd_reqflags & RQF_TIMER) {
            clear_request(RQF_TIMER);
            ++td->td_critcount;
            ++gd->gd_intr_nesting_level;
            cpu_ccfence();
            lapic_timer_process_frame(frame);
        } else {
            break;
        }
        cpu_ccfence();
        --gd->gd_intr_nesting_level;
        --td->td_critcount;
        cpu_ccfence();
    }
    --td->td_nest_count;
}

/* Called over and over while this cpu sits in Xcpustop. */
void
lwkt_smp_stopped(void)
{
    crit_enter();
    lwkt_process_ipiq();
    crit_exit();
}

/* ---- coming up -------------------------------------------------------- */

static void
thread_init(thread_t td, globaldata_t gd, char *stack, unsigned size)
{
    td->td_gd = gd;
    td->td_kstack = stack;
    td->td_kstack_size = size;
    td->td_critcount = 1;
}

/* Above its return address lies one word, below it six registers. */
static inline __attribute__((always_inline)) void
thread_begins_at(thread_t td, void (*start)(void))
{
    void **top = (void **)(td->td_kstack + td->td_kstack_size);

    top[-2] = (void *)start;
    td->td_sp = top - 8;
}

#if THREADS
static void
thread_main(void)
{
    crit_exit(); /* entered in thread_init(), as if by lwkt_switch() */
    curthread->td_func(curthread->td_arg);
    lwkt_exit();
}
#endif

void
system_init(unsigned cpus)
{
    cpumask_t all = cpus == 64 ? ~(cpumask_t)0 : CPUMASK(cpus) - 1;

    ncpus = (int)cpus;
    for (unsigned i = 0; i < cpus; ++i) {
        globaldata_t gd = &CPU_prvspace[i].mdglobaldata;
        thread_t idle = &gd->gd_idlethread, story = &gd->gd_storythread;

        gd->gd_self = gd;
        gd->gd_cpuid = (int)i;
        gd->gd_cpumask = CPUMASK(i);
        gd->gd_other_cpus = all & ~gd->gd_cpumask;
        gd->gd_ipiq = boot_alloc(sizeof(struct lwkt_ipiq) * cpus);
        gd->gd_curthread = idle;

        thread_init(idle, gd, i == 0 ? boot_stack : boot_alloc(KSTACK_SIZE),
                    i == 0 ? BOOT_STACK_SIZE : KSTACK_SIZE);
        idle->td_flags = TDF_RUNNING | TDF_RUNQ;

        thread_init(story, gd, boot_alloc(KSTACK_SIZE), KSTACK_SIZE);
        story->td_flags = TDF_RUNQ;
        thread_begins_at(story, story_thread);
#if THREADS
        lwkt_enqueue(story);
        for (int n = 0; n < THREADS; ++n) {
            thread_t td = &gd->gd_threads[n];

            thread_init(td, gd, boot_alloc(KSTACK_SIZE), KSTACK_SIZE);
            thread_begins_at(td, thread_main);
        }
#endif
    }
}

void *
system_percpu(unsigned cpu)
{
    return &CPU_prvspace[cpu];
}

void *
system_stack(unsigned cpu)
{
    thread_t idle = &CPU_prvspace[cpu].mdglobaldata.gd_idlethread;

    return idle->td_kstack + idle->td_kstack_size;
}

int
system_cpu_is_started(unsigned cpu)
{
    return (smp_active_mask & CPUMASK(cpu)) != 0;
}

/*
 * Messages sent to a cpu that was not active yet have set gd_npoll, but their
 * IPI was dropped: unless the newcomer looks once by itself, it will never be
 * interrupted again.  The vkernel's did not, until 2016-09-21 (4dd1b99459):
 * NO_AP_POLL.  Cpus come up one at a time, hence the plain `|=`.
 */
void
ap_finish(void)
{
    smp_active_mask |= mycpu->gd_cpumask;
#ifndef NO_AP_POLL
    lwkt_process_ipiq();
#endif
}

void
system_cpu_main(unsigned cpu)
{
    (void)cpu;
    ap_finish();
    cpu_enable_intr();
    crit_exit();
    cpu_idle();
}

/* ---- sysctl ----------------------------------------------------------- */

int
sysctl_handle_quad(SYSCTL_HANDLER_ARGS)
{
    (void)oidp;
    (void)arg2;
    if (req->oldptr != NULL)
        *req->oldptr = *(int64_t *)arg1;
    if (req->newptr != NULL)
        *(int64_t *)arg1 = *req->newptr;
    return 0;
}

int
sysctl_handle_int(SYSCTL_HANDLER_ARGS)
{
    (void)oidp;
    (void)arg2;
    if (req->oldptr != NULL)
        *req->oldptr = *(int *)arg1;
    if (req->newptr != NULL)
        *(int *)arg1 = (int)*req->newptr;
    return 0;
}

int64_t
sysctl_quad(struct sysctl_oid *oid)
{
    int64_t value = 0;
    struct sysctl_req req = {&value, NULL};

    oid->oid_handler(oid, oid->oid_arg1, oid->oid_arg2, &req);
    return value;
}

int
sysctl_set_quad(struct sysctl_oid *oid, int64_t value)
{
    struct sysctl_req req = {NULL, &value};

    return oid->oid_handler(oid, oid->oid_arg1, oid->oid_arg2, &req);
}

/* ---- twins: the parentheses keep the macro of that name away ----------- */

void (crit_enter)(void) { crit_enter(); }
void (crit_exit)(void) { crit_exit(); }
void (crit_exit_noyield)(void) { crit_exit_noyield(); }
void (crit_enter_hard)(void) { crit_enter_hard(); }
void (crit_exit_hard)(void) { crit_exit_hard(); }
void (splz_check)(void) { splz_check(); }
void (need_ipiq)(void) { need_ipiq(); }
void (cpu_enable_intr)(void) { cpu_enable_intr(); }
void (cpu_disable_intr)(void) { cpu_disable_intr(); }
void (cpu_pause)(void) { cpu_pause(); }
void (cpu_mfence)(void) { cpu_mfence(); }

int
(lwkt_send_ipiq)(globaldata_t target, ipifunc1_t func, void *arg)
{
    return lwkt_send_ipiq(target, func, arg);
}

int
(lwkt_send_ipiq2)(globaldata_t target, ipifunc2_t func, void *arg, int arg2)
{
    return lwkt_send_ipiq2(target, func, arg, arg2);
}

int
(lwkt_send_ipiq_mask)(cpumask_t mask, ipifunc1_t func, void *arg)
{
    return lwkt_send_ipiq_mask(mask, func, arg);
}

int
(lwkt_send_ipiq2_mask)(cpumask_t mask, ipifunc2_t func, void *arg, int arg2)
{
    return lwkt_send_ipiq2_mask(mask, func, arg, arg2);
}

int
(lwkt_send_ipiq_passive)(globaldata_t target, ipifunc1_t func, void *arg)
{
    return lwkt_send_ipiq_passive(target, func, arg);
}

int
(lwkt_send_ipiq_nowait)(globaldata_t target, ipifunc1_t func, void *arg)
{
    return lwkt_send_ipiq_nowait(target, func, arg);
}

int
(lwkt_send_ipiq_bycpu)(int dcpu, ipifunc1_t func, void *arg)
{
    return lwkt_send_ipiq_bycpu(dcpu, func, arg);
}

void
(lwkt_cpusync_init)(lwkt_cpusync_t cs, cpumask_t mask, cpusync_func_t func,
                    void *data)
{
    lwkt_cpusync_init(cs, mask, func, data);
}
