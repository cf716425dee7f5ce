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
 */
#include <machine/atomic.h>
#include <machine/cpu.h>
#include <machine/smp.h>
#include <sys/systm.h>
#include <sys/thread2.h>

volatile cpumask_t slpque_cpumasks[TSLEEP_HASH];

void _wakeup(void *ident, int domain);

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
static void
tsleep_remove(thread_t td)
{
    globaldata_t gd = mycpu;
    unsigned bucket = bucket_of(td->td_wchan);
    struct tsleep_queue *queue = &gd->gd_tsleep_hash[bucket];

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

void
tsleep_interlock(const volatile void *ident, int flags)
{
    globaldata_t gd = mycpu;
    thread_t td = gd->gd_curthread;
    struct tsleep_queue *queue;

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

    if (timo != 0)
        panic("tsleep: this guest has no callouts");
    crit_enter();
    if ((flags & PINTERLOCKED) == 0)
        tsleep_interlock(ident, flags);
    if (TSLEEP_RETEST(td)) {
        td->td_wmesg = wmesg;
        lwkt_deschedule_self(td);
        td->td_flags |= TDF_TSLEEP_DESCHEDULED;
        lwkt_switch();
        td->td_flags &= ~TDF_TSLEEP_DESCHEDULED;
        td->td_wmesg = NULL;
        if (td->td_flags & TDF_TSLEEPQ) /* scheduled by somebody else */
            tsleep_remove(td);
    }
    crit_exit();
    return 0;
}

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
    if ((domain & PWAKEUP_MYCPU) == 0) {
#ifdef WAKEUP_FENCE
        WAKEUP_FENCE();
#endif
        mask = slpque_cpumasks[bucket] & gd->gd_other_cpus;
        if (mask != 0)
            lwkt_send_ipiq2_mask(mask, _wakeup, ident,
                                 domain | PWAKEUP_MYCPU);
    }
done:
    crit_exit();
}

void
wakeup(const volatile void *ident)
{
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
