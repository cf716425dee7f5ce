/* SPDX-License-Identifier: BSD-2-Clause */
/* sys/globaldata.h -- what each cpu has of its own, reached through %gs. */
#ifndef GUEST_SYS_GLOBALDATA_H
#define GUEST_SYS_GLOBALDATA_H

#include <sys/thread.h>

/* Requests to this cpu, set by its own interrupts in critical sections. */
#define RQF_IPIQ            0x0001
#define RQF_INTPEND         0x0002
#define RQF_AST_LWKT_RESCHED 0x0020
#define RQF_TIMER           0x0080
#define RQF_IDLECHECK_MASK  (RQF_IPIQ | RQF_INTPEND | RQF_TIMER)
#define RQF_IDLECHECK_WK_MASK (RQF_IDLECHECK_MASK | RQF_AST_LWKT_RESCHED)

#define TSLEEP_HASH 61 /* the kernel has 4001 */

struct tsleep_queue {
    thread_t first, last;
};

struct vmmeter {
    u_int v_ipi;
    u_int v_timer;
    u_int v_invltlb;
    u_int v_stop;
};

struct globaldata {
    struct globaldata *gd_self; /* %gs:0 */
    struct thread *gd_curthread;
    int gd_cpuid;
    u_int gd_reqflags;
    cpumask_t gd_cpumask;    /* this cpu */
    cpumask_t gd_other_cpus; /* all but this one */

    cpumask_t gd_ipimask; /* cpus whose FIFO to us has something new */
    int gd_npoll;         /* an IPI is on its way, or being served */
    int gd_intr_nesting_level;
    int gd_processing_ipiq;
    int gd_spinlocks;       /* held by this cpu */
    const char *gd_infomsg; /* what it waits for: DEBUG_PUSH_INFO */

    struct lwkt_ipiq *gd_ipiq; /* our FIFOs to every other cpu */
    struct lwkt_ipiq gd_cpusyncq;

    struct vmmeter gd_cnt;
    struct tsleep_queue gd_tsleep_hash[TSLEEP_HASH];
    struct thread gd_idlethread;
    struct thread gd_storythread;
#if THREADS
    thread_t gd_runq, gd_runqlast;
    const volatile void *gd_delayed_wakeup[2];
    struct thread gd_threads[THREADS];
#endif
};

/* One page-aligned block a cpu in the kernel; here one cache line is enough. */
struct privatespace {
    struct globaldata mdglobaldata;
} __cachealign;

extern struct privatespace CPU_prvspace[MAXCPU];
extern struct globaldata *mycpu_dummy;

/*
 * Not volatile: one load serves a stretch of code, but never across a barrier
 * or a call, since those may have written mycpu_dummy for all gcc knows.
 */
static inline __attribute__((always_inline)) globaldata_t
_get_mycpu(void)
{
    globaldata_t gd;

    __asm__("movq %%gs:0, %0" : "=r"(gd) : "m"(mycpu_dummy));
    return gd;
}

#define mycpu      _get_mycpu()
#define curthread  (mycpu->gd_curthread)

globaldata_t globaldata_find(int cpu);

/* Atomic with respect to this cpu's interrupts, hence one instruction. */
#define need_ipiq()                                                            \
    __asm__ __volatile__("orl %1, %0" : "+m"(mycpu->gd_reqflags)               \
                         : "i"(RQF_IPIQ) : "cc")

#endif
