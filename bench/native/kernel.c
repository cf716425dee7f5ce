/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel.c -- what ipiq.c needs around it when threads of the host are cpus,
 * and the storms of scenarios/dragonfly as C.  After glue.c and lapic.c.
 */
#include <machine/atomic.h>
#include <machine/cpu.h>
#include <machine/smp.h>
#include <sys/sysctl.h>
#include <sys/systm.h>
#include <sys/thread2.h>

#include "native.h"

#define CPUS_MAX 8

struct privatespace CPU_prvspace[MAXCPU];
struct globaldata *mycpu_dummy;
volatile cpumask_t smp_active_mask, stopped_cpus;
int ncpus;

extern int received[MAXCPU];
void receive(void *arg1, int arg2, struct intrframe *frame);
void pass_on(void *arg1, int cpu, struct intrframe *frame);
void relay(void *left, int step, struct intrframe *frame);
void relay_passive(void *left, int step, struct intrframe *frame);

/* ---- around ipiq.c ---------------------------------------------------- */

globaldata_t
globaldata_find(int cpu)
{
    return &CPU_prvspace[cpu].mdglobaldata;
}

void
panic(const char *format, ...)
{
    (void)format;
    threads_panic();
}

int
kprintf(const char *format, ...)
{
    (void)format;
    return 0;
}

void
cpu_send_ipiq(int cpu)
{
    threads_interrupt((unsigned)cpu);
}

/* No storm here comes to these. */
int64_t tsc_get_target(int64_t ns) { (void)ns; return -1; }
int tsc_test_target(int64_t target) { (void)target; return -1; }
void wakeup(const volatile void *ident) { (void)ident; }

void
tsleep_interlock(const volatile void *ident, int flags)
{
    (void)ident, (void)flags;
}

int
tsleep(const volatile void *ident, int flags, const char *wmesg, int timo)
{
    (void)ident, (void)flags, (void)wmesg, (void)timo;
    return 0;
}

int
sysctl_handle_quad(SYSCTL_HANDLER_ARGS)
{
    (void)oidp, (void)arg1, (void)arg2, (void)req;
    return 0;
}

int
sysctl_handle_int(SYSCTL_HANDLER_ARGS)
{
    (void)oidp, (void)arg1, (void)arg2, (void)req;
    return 0;
}

void
splz(void)
{
    globaldata_t gd = mycpu;
    thread_t td = gd->gd_curthread;

    ++td->td_nest_count;
    while (gd->gd_reqflags & RQF_IPIQ) {
        atomic_clear_int(&gd->gd_reqflags, RQF_IPIQ);
        ++td->td_critcount;
        cpu_ccfence();
        lwkt_process_ipiq();
        cpu_ccfence();
        --td->td_critcount;
    }
    --td->td_nest_count;
}

void
lwkt_maybe_splz(thread_t td)
{
    if (td->td_critcount == 0 && td->td_gd->gd_intr_nesting_level == 0
        && td->td_nest_count < 2)
        splz();
}

/* Xipiq, and doreti behind it: a signal handler. */
void
kernel_interrupt(void)
{
    globaldata_t gd = mycpu;
    thread_t td = gd->gd_curthread;

    if (td->td_critcount != 0) {
        need_ipiq();
        return;
    }
    do {
        atomic_clear_int(&gd->gd_reqflags, RQF_IPIQ);
        ++gd->gd_intr_nesting_level;
        ++td->td_critcount;
        cpu_ccfence();
        lwkt_process_ipiq_frame(NULL);
        cpu_ccfence();
        --td->td_critcount;
        --gd->gd_intr_nesting_level;
        cpu_ccfence();
    } while (gd->gd_reqflags & RQF_IPIQ);
}

void
kernel_idle(void)
{
    crit_enter();
    lwkt_process_ipiq();
    crit_exit();
}

void
kernel_start(unsigned cpus)
{
    static struct lwkt_ipiq fifos[CPUS_MAX][CPUS_MAX];
    static struct thread threads[CPUS_MAX];

    ncpus = (int)cpus;
    for (unsigned i = 0; i < cpus; ++i) {
        globaldata_t gd = globaldata_find((int)i);

        gd->gd_self = gd;
        gd->gd_cpuid = (int)i;
        gd->gd_cpumask = CPUMASK(i);
        gd->gd_other_cpus = (CPUMASK(cpus) - 1) & ~CPUMASK(i);
        gd->gd_ipiq = fifos[i];
        gd->gd_curthread = &threads[i];
        threads[i].td_gd = gd;
        smp_active_mask |= CPUMASK(i);
    }
}

void *
kernel_percpu(unsigned cpu)
{
    return globaldata_find((int)cpu);
}

unsigned
kernel_received(void)
{
    unsigned sum = 0;

    for (int i = 0; i < ncpus; ++i)
        sum += (unsigned)*(volatile int *)&received[i];
    return sum;
}

/* ---- storms ----------------------------------------------------------- */

/* 1 to n, as in a story. */
static int
choose(unsigned *chance, unsigned n)
{
    *chance = *chance * 1103515245u + 12345u;
    return (int)((*chance >> 16) % n) + 1;
}

/* storm_of_sends.lua, with MAXCPUFIFO = 8; `passes` by sender. */
static unsigned
storm_of_sends(int self, unsigned *chance)
{
    int depth = 0, passes[3] = {0};
    unsigned sent = 0;

    for (int i = 0; i < 24; ++i) {
        int target = (self + choose(chance, 2)) % 3, what = choose(chance, 4);
        globaldata_t to = globaldata_find(target);

        if (what == 1 && passes[target] < 4) {
            ++passes[target];
            sent += 2;
            lwkt_send_ipiq3(to, pass_on, NULL, 3 - self - target);
        } else if (what <= 2) {
            ++sent;
            lwkt_send_ipiq3_passive(to, receive, NULL, 0);
        } else if (what == 3) {
            crit_enter();
            ++depth;
        } else if (depth > 0) {
            crit_exit();
            --depth;
        }
    }
    while (depth-- > 0)
        crit_exit();
    for (int n = 1; n <= 2; ++n, ++sent)
        lwkt_send_ipiq3(globaldata_find((self + n) % 3), receive, NULL, 0);
    return sent;
}

static unsigned
storm_of_relays(int self, unsigned *chance)
{
    unsigned sent = 0;
    int relays[4] = {0};

    for (int i = 0; i < 12; ++i) {
        int target = (self + choose(chance, 3)) % 4;
        intptr_t left = relays[target] < 3 ? choose(chance, 2) - 1 : 0;

        relays[target] += (int)left;
        sent += 1 + (unsigned)left;
        lwkt_send_ipiq3_passive(globaldata_find(target), relay_passive,
                                (void *)left, choose(chance, 3));
    }
    return sent;
}

static unsigned
storm_of_echoes(int self, unsigned *chance)
{
    unsigned sent = 0;

    crit_enter();
    for (int i = 0; i < 16; ++i) {
        intptr_t left = choose(chance, 8) - 1;

        sent += 1 + (unsigned)left;
        lwkt_send_ipiq3(globaldata_find((self + choose(chance, 2)) % 3),
                        relay, (void *)left, choose(chance, 2));
    }
    crit_exit();
    return sent;
}

unsigned
kernel_story(const char *storm, unsigned cpu, unsigned *chance)
{
    switch (storm[0]) {
    case 's': return storm_of_sends((int)cpu, chance);
    case 'r': return storm_of_relays((int)cpu, chance);
    default: return storm_of_echoes((int)cpu, chance);
    }
}
