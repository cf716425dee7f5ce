/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * migrate.c -- a thread that moves itself to another cpu, in the forms of
 * early 2011.
 *
 *      old cpu                            new cpu
 *      deschedules itself, sends ------>  lwkt_setcpu_remote: spins until
 *      releases what it has, switches     TDF_RUNNING is clear, and takes it
 *
 * Since 2011-03-24, cc9b6223b2, HAND_OVER, the old cpu sends the message when
 * it has switched, and nobody spins.  Until 2011-01-11, cfaeae2ac9, LATE_SPLZ,
 * the old cpu executed messages on its way to the switch.
 *
 * A thread of this guest belongs to one cpu: the new one, when it has taken
 * the thread, sends it home.
 */
#include <sys/systm.h>
#include <sys/thread2.h>

void lwkt_setcpu_self(globaldata_t rgd, int messages);
void lwkt_hand_over(void);

#ifdef HAND_OVER
static struct {
    thread_t td;
    globaldata_t rgd;
} leaving[MAXCPU];
#endif

static void
lwkt_setcpu_remote(void *arg)
{
    thread_t td = arg;

#ifndef HAND_OVER
    while (*(volatile int *)&td->td_flags & TDF_RUNNING) {
        lwkt_process_ipiq(); /* since 2008-06-16, df910c235d */
        cpu_pause();
    }
#endif
    lwkt_schedule(td);
}

/* Called by lwkt_switch() in the thread that came next, in a critical
 * section. */
void
lwkt_hand_over(void)
{
#ifdef HAND_OVER
    thread_t td = leaving[mycpu->gd_cpuid].td;

    leaving[mycpu->gd_cpuid].td = NULL;
    if (td != NULL)
        lwkt_send_ipiq(leaving[mycpu->gd_cpuid].rgd, lwkt_setcpu_remote, td);
#endif
}

static void
released(void *arg)
{
    (void)arg;
}

/* What the thread releases on its way is so many messages to the new cpu. */
void
lwkt_setcpu_self(globaldata_t rgd, int messages)
{
    thread_t td = curthread;

    crit_enter();
    lwkt_deschedule_self(td);
#ifdef HAND_OVER
    leaving[mycpu->gd_cpuid].td = td;
    leaving[mycpu->gd_cpuid].rgd = rgd;
#else
    lwkt_send_ipiq(rgd, lwkt_setcpu_remote, td);
#endif
    while (messages-- > 0)
        lwkt_send_ipiq(rgd, released, NULL);
#ifdef LATE_SPLZ
    splz();
#endif
    lwkt_switch();
    crit_exit();
}
