/* SPDX-License-Identifier: BSD-2-Clause */
/* machine/smp.h -- the other cpus, and the vectors they are reached by. */
#ifndef GUEST_MACHINE_SMP_H
#define GUEST_MACHINE_SMP_H

#include <machine/types.h>

#define XINVLTLB_OFFSET     0xe0
#define XIPIQ_OFFSET        0xe3
#define XTIMER_OFFSET       0xe4
#define XCPUSTOP_OFFSET     0xf0
#define XSPURIOUSINT_OFFSET 0xff

extern volatile cpumask_t smp_active_mask;  /* cpus that may be sent IPIs */
extern volatile cpumask_t stopped_cpus;     /* cpus that sit in Xcpustop */
extern volatile cpumask_t started_cpus;     /* those that may leave it */
extern volatile cpumask_t smp_invltlb_mask; /* who still has to flush */

/*
 * Raises Xipiq on a cpu by its APIC id.  Silently nothing for a cpu that is
 * not active yet: it looks for messages by itself when it comes up.
 */
void cpu_send_ipiq(int cpu);

/*
 * Stops the cpus of `map` and returns when all stand in Xcpustop; executes no
 * IPIs meanwhile.  restart_cpus() lets them go and waits until they have.
 */
int stop_cpus(cpumask_t map);
int restart_cpus(cpumask_t map);

/* All other cpus flush their TLB; returns when they have. */
void smp_invltlb(void);

/* The LAPIC timer of this cpu; it is off until a story wants it. */
void lapic_timer_oneshot(u_int count);
void lapic_timer_periodic(u_int count);
void lapic_timer_stop(void);

#endif
