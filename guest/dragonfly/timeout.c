/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timeout.c -- callouts, and what wakes a tsleep() that has waited long
 * enough: only with THREADS.
 *
 *      clock interrupt   hardclock_softtick: one is due? schedules the
 *      softclock         thread of this cpu, which calls c_func(c_arg)
 *
 * A callout's function runs in a thread and so may block: endtsleep() does,
 * for the token of the sleeper's process.
 *
 * While it waits, somebody else's wakeup() can end the sleep.  Since
 * 2011-11-15, 4643740aa6, TDF_TIMEOUT_RUNNING keeps the sleeper in tsleep()
 * until endtsleep() is through with it; before, ENDTSLEEP_ALONE, it went its
 * way, and endtsleep() came upon a thread that slept on something else, or
 * that was no more.  (The commit tells of the race and of the flag.  What the
 * function looked like without it is reconstructed.)
 *
 * The kernel's wheel of lists is one list here, and time is what is left.
 */
#include <machine/cpu.h>
#include <sys/callout.h>
#include <sys/systm.h>
#include <sys/thread2.h>

#if THREADS

static struct softclock_pcpu {
    struct callout *pending;
    thread_t thread;
} softclock_pcpu_ary[MAXCPU];

static struct softclock_pcpu *
softclock_mycpu(void)
{
    return &softclock_pcpu_ary[mycpu->gd_cpuid];
}

static struct callout *
callout_take_due(struct softclock_pcpu *sc)
{
    for (struct callout **link = &sc->pending; *link != NULL;
         link = &(*link)->c_next) {
        struct callout *c = *link;

        if (c->c_left <= 0) {
            *link = c->c_next;
            c->c_next = NULL;
            return c;
        }
    }
    return NULL;
}

/* All of it in a critical section, which others' do not see: each thread has
 * its own. */
static void
softclock_handler(void *arg)
{
    struct softclock_pcpu *sc = arg;

    crit_enter();
    for (;;) {
        struct callout *c = callout_take_due(sc);

        if (c != NULL) {
            c->c_func(c->c_arg);
        } else {
            lwkt_deschedule_self(curthread);
            lwkt_switch();
        }
    }
}

/* By the clock interrupt of this cpu. */
void
hardclock_softtick(void)
{
    struct softclock_pcpu *sc = softclock_mycpu();
    int due = 0;

    for (struct callout *c = sc->pending; c != NULL; c = c->c_next)
        due |= --c->c_left <= 0;
    if (due)
        lwkt_schedule(sc->thread);
}

void
callout_init(struct callout *c)
{
    c->c_next = NULL;
    c->c_func = NULL;
}

/* The first one of a cpu makes its softclock. */
void
callout_reset(struct callout *c, int to_ticks, void (*func)(void *arg),
              void *arg)
{
    struct softclock_pcpu *sc = softclock_mycpu();

    crit_enter();
    callout_stop(c);
    c->c_left = to_ticks;
    c->c_func = func;
    c->c_arg = arg;
    c->c_next = sc->pending;
    sc->pending = c;
    if (sc->thread == NULL)
        sc->thread = thread_create(softclock_handler, sc);
    crit_exit();
}

/* Does not wait for one whose function runs: on its own cpu it need not. */
int
callout_stop(struct callout *c)
{
    struct callout **link = &softclock_mycpu()->pending;
    int stopped = 0;

    crit_enter();
    while (*link != NULL && *link != c)
        link = &(*link)->c_next;
    if (*link == c) {
        *link = c->c_next;
        stopped = 1;
    }
    crit_exit();
    return stopped;
}

/* ---- tsleep() with a timeout ------------------------------------------- */

#ifdef ENDTSLEEP_ALONE
#define TDF_RUNNING_TIMEOUT 0
#else
#define TDF_RUNNING_TIMEOUT TDF_TIMEOUT_RUNNING
#endif

/* In the softclock of the cpu on which the thread sleeps. */
void
endtsleep(void *arg)
{
    thread_t td = arg;

    KKASSERT(td->td_gd == mycpu);
    td->td_flags |= TDF_TIMEOUT | TDF_RUNNING_TIMEOUT;
    lwkt_gettoken(&proc_token);
    if (td->td_flags & TDF_TSLEEP_DESCHEDULED) {
        if (td->td_flags & TDF_TSLEEPQ)
            tsleep_remove(td);
        lwkt_schedule(td);
    }
    lwkt_reltoken(&proc_token);
    td->td_flags &= ~TDF_RUNNING_TIMEOUT;
}

/* The sleep is over: by a timeout?  In a critical section. */
int
tsleep_timed_out(thread_t td, struct callout *timeout)
{
    while (td->td_flags & TDF_TIMEOUT_RUNNING) {
        lwkt_deschedule_self(td); /* endtsleep() schedules it */
        lwkt_switch();
    }
    if ((td->td_flags & TDF_TIMEOUT) == 0) {
        callout_stop(timeout);
        return 0;
    }
    td->td_flags &= ~TDF_TIMEOUT;
    return EWOULDBLOCK;
}

#endif
