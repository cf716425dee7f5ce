/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sleep.c -- tsleep() and wakeup(): a hash table of sleepers on each cpu, and
 * one table for all that says which cpus have any in a bucket.
 *
 *      slpque_cpumasks[bucket]   0110        wakeup() sends an IPI to the
 *                                 ||         cpus whose bit is set, and each
 *      cpu2 gd_tsleep_hash[bucket]-+|        wakes its own
 *      cpu1 gd_tsleep_hash[bucket]--+
 *
 * Idents that share a bucket share the bit.  A sleeper sets it with a LOCKed
 * operation before it looks at its condition; wakeup() reads it with a plain
 * load, so whoever calls wakeup() after a plain store has a hole here:
 *
 *      tsleep_interlock: bit |= me         condition = 1   (store buffer)
 *      condition is 0                      bits are 0: nobody to tell
 *      sleeps                              [store drains]
 *
 * That is the form of 2013, and what this file is.  The kernel put a fence in
 * front of the load on 2017-08-23, an lfence, which does not help, and on the
 * next day an mfence: WAKEUP_FENCE, mutants wakeup_lfence and wakeup_mfence.
 *
 * Earlier forms, TSLEEP_FORM, a year and a month, and what the interlock was:
 *
 *      200511  tsleep_interlock() only sets the bit; tsleep() queues.  The
 *              caller is in a critical section, so that the IPI is served
 *              when the thread is queued.
 *      200907  the same, and tsleep() returns at once when the bit is gone:
 *              a wakeup() that empties a bucket, or finds it so, clears it.
 *              First fix, d9345d3a15; undone within a day by the second,
 *      201307  the thread is queued by tsleep_interlock() (ae8e83e6e9).
 *
 * Other mistakes have a name each: see the mutants tsleep_*, schedule_* and
 * wakeup_*.
 */
#include <machine/atomic.h>
#include <machine/cpu.h>
#include <machine/smp.h>
#include <sys/callout.h>
#include <sys/systm.h>
#include <sys/thread2.h>

#ifndef TSLEEP_FORM
#define TSLEEP_FORM 201307
#endif

volatile cpumask_t slpque_cpumasks[TSLEEP_HASH];

void _wakeup(void *ident, int domain);

/*
 * What a thread gives up before it sleeps (td_release) can send IPIs; before
 * August 2009 that was done before the thread was queued (4ecd8190c7).
 */
#ifndef TSLEEP_RELEASE
#define TSLEEP_RELEASE 0
#endif

/*
 * A process's token is taken in tsleep().  Whoever waits for a token lets
 * other threads run, so that must be before the thread is off the run queue
 * (94f98873ae, 2011): a wakeup() that comes meanwhile sees a thread that is
 * queued but does not sleep yet, and schedules nobody.
 */
#ifndef TSLEEP_TOKEN
#define TSLEEP_TOKEN 0
#endif

/*
 * Until November 2011 a thread could take itself off a queue outside of a
 * critical section (957625b2e8).  With that, somebody has to notice.
 */
#ifndef REMOVE_OPEN
#define REMOVE_OPEN 0
#endif

#ifndef DELAYED_WAKEUP
#define DELAYED_WAKEUP 0
#endif

/* Has no wakeup come since tsleep_interlock()?  Mutant no_retest forgets. */
#ifdef NO_RETEST
#define TSLEEP_RETEST(td) 1
#else
#define TSLEEP_RETEST(td) (((td)->td_flags & TDF_TSLEEPQ) != 0)
#endif

static unsigned
bucket_of(const volatile void *ident)
{
    return (unsigned)(((uintptr_t)ident >> 2) % TSLEEP_HASH);
}

/* In a critical section, on the thread's cpu. */
void
tsleep_remove(thread_t td)
{
    globaldata_t gd = mycpu;
    unsigned bucket = bucket_of(td->td_wchan);
    struct tsleep_queue *queue = &gd->gd_tsleep_hash[bucket];

    if (REMOVE_OPEN)
        KKASSERT(td->td_flags & TDF_TSLEEPQ);
    if (td->td_sleepprev != NULL)
        td->td_sleepprev->td_sleepnext = td->td_sleepnext;
    else
        queue->first = td->td_sleepnext;
    if (td->td_sleepnext != NULL)
        td->td_sleepnext->td_sleepprev = td->td_sleepprev;
    else
        queue->last = td->td_sleepprev;
    td->td_flags &= ~TDF_TSLEEPQ;
    td->td_wchan = NULL;
    td->td_wdomain = 0;
    if (queue->first == NULL)
        atomic_clear_cpumask(&slpque_cpumasks[bucket], gd->gd_cpumask);
}

#if TSLEEP_FORM >= 201307
#define tsleep_enqueue tsleep_interlock
#else
void
tsleep_interlock(const volatile void *ident, int flags)
{
    (void)flags;
    atomic_set_cpumask(&slpque_cpumasks[bucket_of(ident)], mycpu->gd_cpumask);
}

static inline __attribute__((always_inline)) int
tsleep_bit_is_set(const volatile void *ident)
{
    return (slpque_cpumasks[bucket_of(ident)] & mycpu->gd_cpumask) != 0;
}
#endif

void
tsleep_enqueue(const volatile void *ident, int flags)
{
    globaldata_t gd = mycpu;
    thread_t td = gd->gd_curthread;
    struct tsleep_queue *queue;

    if (REMOVE_OPEN && (td->td_flags & TDF_TSLEEPQ))
        tsleep_remove(td);
    crit_enter();
    if (td->td_flags & TDF_TSLEEPQ)
        tsleep_remove(td);
    queue = &gd->gd_tsleep_hash[bucket_of(ident)];
    td->td_flags |= TDF_TSLEEPQ;
    td->td_wchan = ident;
    td->td_wdomain = flags & PDOMAIN_MASK;
    td->td_sleepnext = NULL;
    td->td_sleepprev = queue->last;
    if (queue->last != NULL)
        queue->last->td_sleepnext = td;
    else
        queue->first = td;
    queue->last = td;
    atomic_set_cpumask(&slpque_cpumasks[bucket_of(ident)], gd->gd_cpumask);
    crit_exit();
}

/* May be called in a critical section: the next thread has its own count. */
int
tsleep(const volatile void *ident, int flags, const char *wmesg, int timo)
{
    thread_t td = curthread;
    int error = 0;
#if THREADS
    struct callout timeout;
#else
    if (timo != 0)
        panic("tsleep: this guest has no callouts");
#endif

    crit_enter();
#if TSLEEP_RELEASE && TSLEEP_RELEASE < 200908
    td->td_release(td);
#endif
#if TSLEEP_FORM >= 201307
    if ((flags & PINTERLOCKED) == 0)
        tsleep_interlock(ident, flags);
#else
    if (TSLEEP_FORM < 200907 || (flags & PINTERLOCKED) == 0
        || tsleep_bit_is_set(ident))
        tsleep_enqueue(ident, flags);
#endif
#if TSLEEP_RELEASE >= 200908
    td->td_release(td);
#endif
    if (TSLEEP_TOKEN >= 201111)
        lwkt_gettoken(&proc_token);
    if (TSLEEP_RETEST(td)) {
        td->td_wmesg = wmesg;
        lwkt_deschedule_self(td);
        if (TSLEEP_TOKEN && TSLEEP_TOKEN < 201111)
            lwkt_gettoken(&proc_token);
        td->td_flags |= TDF_TSLEEP_DESCHEDULED;
#if THREADS
        callout_init(&timeout);
        if (timo != 0)
            callout_reset(&timeout, timo, endtsleep, td);
#endif
        lwkt_switch();
#if THREADS
        if (timo != 0)
            error = tsleep_timed_out(td, &timeout);
#endif
        td->td_flags &= ~TDF_TSLEEP_DESCHEDULED;
        td->td_wmesg = NULL;
        if (td->td_flags & TDF_TSLEEPQ) /* scheduled by somebody else */
            tsleep_remove(td);
    }
    if (TSLEEP_TOKEN && proc_token.t_owner == td)
        lwkt_reltoken(&proc_token);
    crit_exit();
    return error;
}

#ifdef CHAINED_WAKEUP
/*
 * Until 2008-04-30, 1f4f6e0b23, a wakeup went from cpu to cpu: each told the
 * next that has sleepers, from inside the callback, until it was round.  The
 * cpu where it began, plus 1, is in the upper half of `domain`.
 */
static void
wakeup_next(void *ident, int domain)
{
    int cpu = mycpu->gd_cpuid;
    int start = domain >> 16 != 0 ? (domain >> 16) - 1 : cpu;

    while ((cpu = (cpu + 1) % ncpus) != start)
        if (slpque_cpumasks[bucket_of(ident)] & CPUMASK(cpu)) {
            lwkt_send_ipiq2(globaldata_find(cpu), _wakeup, ident,
                            (domain & 0xffff) | (start + 1) << 16);
            return;
        }
}
#endif

void
_wakeup(void *ident, int domain)
{
    globaldata_t gd = mycpu;
    unsigned bucket = bucket_of(ident);
    thread_t td, next;
    cpumask_t mask;

    crit_enter();
    for (td = gd->gd_tsleep_hash[bucket].first; td != NULL; td = next) {
        next = td->td_sleepnext;
        if (td->td_wchan != ident
            || td->td_wdomain != (domain & PDOMAIN_MASK))
            continue;
        tsleep_remove(td);
        if (td->td_flags & TDF_TSLEEP_DESCHEDULED) {
            lwkt_schedule(td);
            if (domain & PWAKEUP_ONE)
                goto done;
        }
    }
#if TSLEEP_FORM < 201307
    if (gd->gd_tsleep_hash[bucket].first == NULL && tsleep_bit_is_set(ident))
        atomic_clear_cpumask(&slpque_cpumasks[bucket], gd->gd_cpumask);
#endif
    if ((domain & PWAKEUP_MYCPU) == 0) {
#ifdef WAKEUP_FENCE
        WAKEUP_FENCE();
#endif
#ifdef CHAINED_WAKEUP
        (void)mask;
        wakeup_next(ident, domain);
#else
        mask = slpque_cpumasks[bucket] & gd->gd_other_cpus;
        if (mask != 0)
            lwkt_send_ipiq2_mask(mask, _wakeup, ident,
                                 domain | PWAKEUP_MYCPU);
#endif
    }
done:
    crit_exit();
}

#if THREADS
/*
 * Between wakeup_start_delayed() and wakeup_end_delayed() a thread's wakeups
 * are kept, two at most; a third makes room for itself: the oldest goes out.
 */
static inline __attribute__((always_inline)) int
wakeup_is_delayed(const volatile void **ident)
{
    globaldata_t gd = mycpu;
    const volatile void *oldest;

    if ((gd->gd_curthread->td_flags & TDF_DELAYED_WAKEUP) == 0)
        return 0;
    oldest = gd->gd_delayed_wakeup[0];
    gd->gd_delayed_wakeup[0] = gd->gd_delayed_wakeup[1];
    gd->gd_delayed_wakeup[1] = *ident;
    *ident = oldest;
    return oldest == NULL;
}

void
wakeup_start_delayed(void)
{
    curthread->td_flags |= TDF_DELAYED_WAKEUP;
}

/* The first form looks at one only, the latest, and the other one stays. */
void
wakeup_end_delayed(void)
{
    globaldata_t gd = mycpu;

    gd->gd_curthread->td_flags &= ~TDF_DELAYED_WAKEUP;
    for (int i = 1; i >= (DELAYED_WAKEUP < 201307); --i) {
        const volatile void *ident = gd->gd_delayed_wakeup[i];

        gd->gd_delayed_wakeup[i] = NULL;
        if (ident != NULL)
            wakeup(ident);
    }
}
#endif

void
wakeup(const volatile void *ident)
{
#if DELAYED_WAKEUP
    if (wakeup_is_delayed(&ident))
        return;
#endif
    _wakeup(__DEVOLATILE(void *, ident), 0);
}

void
wakeup_one(const volatile void *ident)
{
    _wakeup(__DEVOLATILE(void *, ident), PWAKEUP_ONE);
}

void
wakeup_mycpu(const volatile void *ident)
{
    _wakeup(__DEVOLATILE(void *, ident), PWAKEUP_MYCPU);
}
