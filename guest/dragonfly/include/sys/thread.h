/* SPDX-License-Identifier: BSD-2-Clause */
/* sys/thread.h -- threads, IPI FIFOs, cpu synchronisation. */
#ifndef GUEST_SYS_THREAD_H
#define GUEST_SYS_THREAD_H

#include <machine/frame.h>
#include <sys/param.h>

typedef struct globaldata *globaldata_t;
typedef struct thread *thread_t;
typedef struct lwkt_ipiq *lwkt_ipiq_t;
typedef struct lwkt_cpusync *lwkt_cpusync_t;

/* The kernel calls all three through the widest: fine by the ABI. */
typedef void (*ipifunc1_t)(void *arg);
typedef void (*ipifunc2_t)(void *arg, int arg2);
typedef void (*ipifunc3_t)(void *arg, int arg2, struct intrframe *frame);
typedef void (*cpusync_func_t)(void *arg);

/*
 * A FIFO of messages from one cpu to one other, owned by the sender.  The
 * indices run free and are masked at use, so that they may wrap.  Nothing is
 * volatile: order comes from the fences and from calls the compiler cannot
 * see through.
 */
struct lwkt_ipiq {
    int ip_rindex; /* written by the target: taken */
    int ip_xindex; /* written by the target: executed */
    int ip_windex; /* written by the sender */
    struct {
        ipifunc3_t func;
        void *arg1;
        int arg2;
        char filler[32 - sizeof(ipifunc3_t) - sizeof(void *) - sizeof(int)];
    } ip_info[MAXCPUFIFO];
};

struct lwkt_cpusync {
    cpumask_t cs_mask; /* cpus to hold still */
    cpumask_t cs_mack; /* cpus that said they do */
    cpusync_func_t cs_func;
    void *cs_data;
};

#define TDF_RUNNING            0x0001 /* on its cpu */
#define TDF_RUNQ               0x0002 /* wants to be */
#define TDF_TSLEEPQ            0x0004 /* on a sleep queue */
#define TDF_TSLEEP_DESCHEDULED 0x0008 /* and really asleep */
#define TDF_DELAYED_WAKEUP     0x0010 /* its wakeups are kept for later */
#define TDF_TIMEOUT            0x0020 /* its callout was called */
#define TDF_TIMEOUT_RUNNING    0x0040 /* and works on it: stay in tsleep() */

/*
 * Threads a cpu has besides its story and idle ones; an axis of the build.
 * What is only of use to them is there only with them: where things lie has
 * its part in what a seed does.
 */
#ifndef THREADS
#define THREADS 0
#endif

/*
 * A lock that its owner has only while it runs: lost when it blocks, and had
 * again when it goes on.  Needs THREADS; see sched.c.
 */
struct lwkt_token {
    thread_t t_owner;
    int t_count;
};

struct thread {
    int td_critcount;  /* depth of critical sections */
    int td_cscount;    /* cpusyncs this thread masters now */
    int td_nest_count; /* splz() within splz() */
    int td_flags;
    globaldata_t td_gd;
    void *td_sp; /* saved stack pointer */
    char *td_kstack;
    unsigned td_kstack_size;
    int td_wdomain;
    int td_preemptable; /* may come into the middle of another thread */
    const volatile void *td_wchan; /* what it sleeps on */
    const char *td_wmesg;
    thread_t td_sleepnext, td_sleepprev;
#ifdef PREEMPTION
    thread_t td_preempted; /* whom it came upon, and goes back to */
#endif
#if THREADS
    void (*td_release)(thread_t td); /* before it sleeps: see sleep.c */
    thread_t td_runnext;
    void (*td_func)(void *arg);
    void *td_arg;
    struct lwkt_token *td_toks[4]; /* all that it holds or waits for */
    int td_ntoks;
#endif
};

int lwkt_send_ipiq3(globaldata_t target, ipifunc3_t func, void *arg1, int arg2);
int lwkt_send_ipiq3_passive(globaldata_t target, ipifunc3_t func, void *arg1,
                            int arg2);
int lwkt_send_ipiq3_nowait(globaldata_t target, ipifunc3_t func, void *arg1,
                           int arg2);
int lwkt_send_ipiq3_bycpu(int dcpu, ipifunc3_t func, void *arg1, int arg2);
int lwkt_send_ipiq3_mask(cpumask_t mask, ipifunc3_t func, void *arg1, int arg2);
void lwkt_wait_ipiq(globaldata_t target, int seq);
int lwkt_seq_ipiq(globaldata_t target);
void lwkt_process_ipiq(void);
void lwkt_process_ipiq_frame(struct intrframe *frame);
void lwkt_synchronize_ipiqs(const char *wmesg);
void lwkt_cpusync_simple(cpumask_t mask, cpusync_func_t func, void *arg);
void lwkt_cpusync_interlock(lwkt_cpusync_t cs);
void lwkt_cpusync_deinterlock(lwkt_cpusync_t cs);

/* glue.c */
void lwkt_switch(void);
void lwkt_schedule(thread_t td);
void lwkt_schedule_self(thread_t td);
void lwkt_deschedule(thread_t td);
void lwkt_deschedule_self(thread_t td);
void lwkt_maybe_splz(thread_t td);
void lwkt_smp_stopped(void);

/* sleep.c: in a critical section, on the thread's cpu, if it is queued. */
void tsleep_remove(thread_t td);

/* timeout.c: only with THREADS. */
struct callout;
void endtsleep(void *arg);
int tsleep_timed_out(thread_t td, struct callout *timeout);

/* sched.c: only with THREADS. */
extern struct lwkt_token proc_token, mp_token;
void lwkt_gettoken(struct lwkt_token *tok);
int lwkt_trytoken(struct lwkt_token *tok);
void lwkt_reltoken(struct lwkt_token *tok);
thread_t thread_create(void (*func)(void *arg), void *arg);
void lwkt_yield(void);
void lwkt_exit(void);
void thread_reap(thread_t td);
void lwkt_enqueue(thread_t td);
void lwkt_dequeue(thread_t td);
void lwkt_releasetokens(thread_t td);
thread_t lwkt_choose(globaldata_t gd);

#endif
