/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipiq.c -- messages between cpus, and holding cpus still: our own
 * implementation of the interface of DragonFly's sys/kern/lwkt_ipiq.c as it
 * was in mid-2013.  A fresh clone has a kernel to run, and the kernel's file
 * has something to be compared with: both must pass the same scenarios.
 *
 * Each cpu owns one FIFO to every other cpu.  A message is a function and its
 * arguments, executed on the target.  Per target there are two more words:
 *
 *      gd_ipimask  bit s: cpu s has put something into its FIFO to me
 *      gd_npoll    1: somebody has knocked (or I am at the door already), so
 *                  nobody else needs to send the hardware interrupt
 *
 *      sender                                  target
 *      fill the slot, advance windex           claim: take and clear gd_ipimask
 *      set my bit in its gd_ipimask            empty the claimed FIFOs
 *      take gd_npoll: if it was free, knock    release gd_npoll, look again
 *
 * A FIFO must never be full, so a sender that finds it more than half full
 * waits until a quarter is left.  While it waits it executes its own incoming
 * messages: the target may be waiting for room in the FIFO to us.
 *
 * Lines that scenarios quote and mutants/ look for stand where the kernel has
 * them, in functions of the same names.
 */
#include <machine/atomic.h>
#include <machine/cpu.h>
#include <machine/smp.h>
#include <sys/ktr.h>
#include <sys/param.h>
#include <sys/sysctl.h>
#include <sys/systm.h>
#include <sys/thread2.h>

#define NESTING_MAX 20
#define FIFO_USED(ip) ((ip)->ip_windex - (ip)->ip_rindex)

struct ipiq_stats {
    __int64_t ipiq_count;    /* messages sent to other cpus */
    __int64_t ipiq_fifofull; /* times a sender had to wait for room */
    __int64_t ipiq_avoided;  /* hardware interrupts saved by gd_npoll */
    __int64_t ipiq_passive;  /* messages sent without a knock */
    __int64_t ipiq_cscount;  /* cpusyncs mastered */
} __cachealign;

static struct ipiq_stats ipiq_stats_percpu[MAXCPU];
#define ipiq_stat(gd) ipiq_stats_percpu[(gd)->gd_cpuid]

/* arg2 is the offset of the counter; setting one sets it on every cpu. */
static int
sysctl_ipiq_stat(SYSCTL_HANDLER_ARGS)
{
    __int64_t sum = 0;
    int error;

    (void)arg1;
    for (int cpu = 0; cpu < ncpus; ++cpu)
        sum += *(__int64_t *)((char *)&ipiq_stats_percpu[cpu] + arg2);
    error = sysctl_handle_quad(oidp, &sum, 0, req);
    if (error != 0 || req->newptr == NULL)
        return error;
    for (int cpu = 0; cpu < ncpus; ++cpu)
        *(__int64_t *)((char *)&ipiq_stats_percpu[cpu] + arg2) = sum;
    return 0;
}

#define STAT_SYSCTL(name, description)                                         \
    SYSCTL_PROC(_lwkt, OID_AUTO, name, CTLTYPE_QUAD | CTLFLAG_RW, NULL,        \
                __builtin_offsetof(struct ipiq_stats, name),                   \
                sysctl_ipiq_stat, "Q", description)
STAT_SYSCTL(ipiq_count, "messages sent");
STAT_SYSCTL(ipiq_fifofull, "waits for room");
STAT_SYSCTL(ipiq_avoided, "interrupts saved");
STAT_SYSCTL(ipiq_passive, "passive messages");
STAT_SYSCTL(ipiq_cscount, "cpusyncs");

static int ipiq_debug; /* print one message in 2^24 */
SYSCTL_INT(_lwkt, OID_AUTO, ipiq_debug, CTLFLAG_RW, &ipiq_debug, 0, "");

#ifdef PANIC_DEBUG
/* Cpu panic_ipiq_cpu panics right after its panic_ipiq_count-th message. */
static int panic_ipiq_cpu = -1;
static int panic_ipiq_count = 100;
#define PANIC_SYSCTL(name) \
    SYSCTL_INT(_lwkt, OID_AUTO, name, CTLFLAG_RW, &name, 0, "")
PANIC_SYSCTL(panic_ipiq_cpu);
PANIC_SYSCTL(panic_ipiq_count);
#endif

#define logipiq(name, func, arg1, arg2, from, to)                              \
    KTR_LOG(ipiq_##name, func, arg1, arg2, (from)->gd_cpuid, (to)->gd_cpuid)
#define logipiq2(name, mask) KTR_LOG(ipiq_##name, (long)(mask))

static int lwkt_process_ipiq_core(globaldata_t sgd, lwkt_ipiq_t ip,
                                  struct intrframe *frame);

/* ---- sending ---------------------------------------------------------- */

/* Until the send is over no crit_exit() polls, not even one in a callback. */
static void
ipiq_enter(globaldata_t gd)
{
    crit_enter();
    ++gd->gd_intr_nesting_level;
    ++ipiq_stat(gd).ipiq_count;
}

/* A callback that sends, into a full FIFO, runs callbacks that send ... */
static void
ipiq_check_nesting(void)
{
#ifdef INVARIANTS
    if (mycpu->gd_intr_nesting_level > NESTING_MAX)
        panic("lwkt_send_ipiq: TOO HEAVILY NESTED!");
#endif
    KKASSERT(curthread->td_critcount != 0);
}

static void
ipiq_fill(lwkt_ipiq_t ip, ipifunc3_t func, void *arg1, int arg2)
{
    int slot = ip->ip_windex & MAXCPUFIFO_MASK;

    ip->ip_info[slot].func = func;
    ip->ip_info[slot].arg1 = arg1;
    ip->ip_info[slot].arg2 = arg2;
}

/*
 * Queues func(arg1, arg2, frame) for `target` and sees to it that it is told.
 * Returns what lwkt_wait_ipiq() wants.  For this very cpu it is just called.
 */
int
lwkt_send_ipiq3(globaldata_t target, ipifunc3_t func, void *arg1, int arg2)
{
    globaldata_t gd = mycpu;
    lwkt_ipiq_t ip = &gd->gd_ipiq[target->gd_cpuid];

    logipiq(send_norm, func, arg1, arg2, gd, target);
    if (target == gd) {
        func(arg1, arg2, NULL);
        logipiq(send_end, func, arg1, arg2, gd, target);
        return 0;
    }
    ipiq_enter(gd);
    ipiq_check_nesting();

    /*
     * Interrupts go on while we wait: a cpu that spins with them off could
     * not even be asked to flush its TLB.  Passive messages may have filled
     * the FIFO, and nobody has told the target of those: knock in the loop.
     */
    if (FIFO_USED(ip) > MAXCPUFIFO / 2) {
        unsigned long rflags = read_rflags();

        cpu_enable_intr();
        ++ipiq_stat(gd).ipiq_fifofull;
        DEBUG_PUSH_INFO("send_ipiq3");
        while (FIFO_USED(ip) > MAXCPUFIFO / 4) {
            if (atomic_poll_acquire_int(&target->gd_npoll)) {
                logipiq(cpu_send, func, arg1, arg2, gd, target);
                cpu_send_ipiq(target->gd_cpuid);
            }
            KKASSERT(FIFO_USED(ip) != MAXCPUFIFO - 1);
            lwkt_process_ipiq();
            cpu_pause();
        }
        DEBUG_POP_INFO();
        write_rflags(rflags);
    }

    ipiq_fill(ip, func, arg1, arg2);
    cpu_sfence();
    ++ip->ip_windex;
    atomic_set_cpumask(&target->gd_ipimask, gd->gd_cpumask);
    if (atomic_poll_acquire_int(&target->gd_npoll)) {
        logipiq(cpu_send, func, arg1, arg2, gd, target);
        cpu_send_ipiq(target->gd_cpuid);
    } else {
        ++ipiq_stat(gd).ipiq_avoided;
    }
    --gd->gd_intr_nesting_level;
    crit_exit();
    logipiq(send_end, func, arg1, arg2, gd, target);
    return ip->ip_windex;
}

/* Queues but tells nobody, unless there is no room: for work that can wait. */
int
lwkt_send_ipiq3_passive(globaldata_t target, ipifunc3_t func, void *arg1,
                        int arg2)
{
    globaldata_t gd = mycpu;
    lwkt_ipiq_t ip = &gd->gd_ipiq[target->gd_cpuid];

    KKASSERT(target != gd);
    ipiq_enter(gd);
    logipiq(send_pasv, func, arg1, arg2, gd, target);
    ipiq_check_nesting();
    ++ipiq_stat(gd).ipiq_passive;
    if (FIFO_USED(ip) > MAXCPUFIFO / 2) {
        unsigned long rflags = read_rflags();

        cpu_enable_intr();
        ++ipiq_stat(gd).ipiq_fifofull;
        DEBUG_PUSH_INFO("send_ipiq3_passive");
        while (FIFO_USED(ip) > MAXCPUFIFO / 4) {
            if (atomic_poll_acquire_int(&target->gd_npoll)) {
                logipiq(cpu_send, func, arg1, arg2, gd, target);
                cpu_send_ipiq(target->gd_cpuid);
            }
            KKASSERT(FIFO_USED(ip) != MAXCPUFIFO - 1);
            lwkt_process_ipiq();
            cpu_pause();
        }
        DEBUG_POP_INFO();
        write_rflags(rflags);
    }

    ipiq_fill(ip, func, arg1, arg2);
    cpu_sfence();
    ++ip->ip_windex;
    atomic_set_cpumask(&target->gd_ipimask, gd->gd_cpumask);
    --gd->gd_intr_nesting_level;
    crit_exit();
    logipiq(send_end, func, arg1, arg2, gd, target);
    return ip->ip_windex;
}

/* Never waits: ENOENT when two thirds are used.  In a critical section. */
int
lwkt_send_ipiq3_nowait(globaldata_t target, ipifunc3_t func, void *arg1,
                       int arg2)
{
    globaldata_t gd = mycpu;
    lwkt_ipiq_t ip = &gd->gd_ipiq[target->gd_cpuid];

    logipiq(send_nbio, func, arg1, arg2, gd, target);
    KKASSERT(curthread->td_critcount != 0);
    if (target == gd) {
        func(arg1, arg2, NULL);
        logipiq(send_end, func, arg1, arg2, gd, target);
        return 0;
    }
    ipiq_enter(gd);
    if (FIFO_USED(ip) >= MAXCPUFIFO * 2 / 3) {
        logipiq(send_fail, func, arg1, arg2, gd, target);
        --gd->gd_intr_nesting_level;
        crit_exit();
        return ENOENT;
    }

    ipiq_fill(ip, func, arg1, arg2);
    cpu_sfence();
    ++ip->ip_windex;
    atomic_set_cpumask(&target->gd_ipimask, gd->gd_cpumask);
    if (atomic_poll_acquire_int(&target->gd_npoll)) {
        logipiq(cpu_send, func, arg1, arg2, gd, target);
        cpu_send_ipiq(target->gd_cpuid);
    } else {
        ++ipiq_stat(gd).ipiq_avoided;
    }
    --gd->gd_intr_nesting_level;
    crit_exit();
    logipiq(send_end, func, arg1, arg2, gd, target);
    return 0;
}

int
lwkt_send_ipiq3_bycpu(int dcpu, ipifunc3_t func, void *arg1, int arg2)
{
    return lwkt_send_ipiq3(globaldata_find(dcpu), func, arg1, arg2);
}

/* Leaves stopped cpus out; returns how many messages it sent. */
int
lwkt_send_ipiq3_mask(cpumask_t mask, ipifunc3_t func, void *arg1, int arg2)
{
    int count = 0;

    for (mask &= ~stopped_cpus; mask != 0; ++count) {
        int cpu = BSFCPUMASK(mask);

        lwkt_send_ipiq3(globaldata_find(cpu), func, arg1, arg2);
        mask &= ~CPUMASK(cpu);
    }
    return count;
}

/*
 * Waits until message `seq` from this cpu has been executed.  In a critical
 * section, not in a callback: an outer lwkt_process_ipiq() may have claimed
 * the FIFO we are waiting for.
 */
void
lwkt_wait_ipiq(globaldata_t target, int seq)
{
    lwkt_ipiq_t ip = &mycpu->gd_ipiq[target->gd_cpuid];
    int64_t deadline;
    unsigned long rflags;
    int seconds = 10;
    u_int rounds = 0;

    if (target == mycpu || ip->ip_xindex - seq >= 0)
        return;
    rflags = read_rflags();
    deadline = tsc_get_target(1000000000);

    cpu_enable_intr();
    DEBUG_PUSH_INFO("wait_ipiq");
    while (ip->ip_xindex - seq < 0) {
        crit_enter();
        lwkt_process_ipiq();
        crit_exit();

        /* Slow is not dead, but ten seconds of the cpu's own time are. */
        if (rounds++ % 256 == 0 && tsc_test_target(deadline) > 0) {
            kprintf("LWKT_WAIT_IPIQ WARNING! cpu %d waits for cpu %d (%d)\n",
                    mycpu->gd_cpuid, target->gd_cpuid, ip->ip_xindex - seq);
            if (--seconds == 0)
                panic("LWKT_WAIT_IPIQ");
            deadline = tsc_get_target(1000000000);
        }
        cpu_lfence();
    }
    DEBUG_POP_INFO();
    write_rflags(rflags);
}

/* The number of the last message this cpu has sent there. */
int
lwkt_seq_ipiq(globaldata_t target)
{
    return mycpu->gd_ipiq[target->gd_cpuid].ip_windex;
}

/* ---- receiving -------------------------------------------------------- */

/* Empties the FIFOs of the cpus in `mask`, lowest cpu first. */
static void
ipiq_serve(globaldata_t gd, cpumask_t mask, struct intrframe *frame)
{
    for (; mask != 0; mask &= mask - 1) {
        globaldata_t sgd = globaldata_find(BSFCPUMASK(mask));

        if (sgd == gd || sgd->gd_ipiq == NULL)
            continue;
        while (lwkt_process_ipiq_core(sgd, &sgd->gd_ipiq[gd->gd_cpuid], frame))
            continue;
    }
}

/*
 * Executes everything that has been sent to this cpu: from splz(), from a
 * sender that waits, from wherever a cpu must not keep others waiting.  In a
 * critical section.  May be entered again by a callback that sends.
 *
 * A cpusync that holds this cpu is polled here until its master lets go --
 * unless the current thread masters one itself, whose own loop must go on.
 */
void
lwkt_process_ipiq(void)
{
    globaldata_t gd = mycpu;
    cpumask_t mask;

    ++gd->gd_processing_ipiq;
    for (;;) {
        cpu_lfence();
        mask = gd->gd_ipimask;
        atomic_clear_cpumask(&gd->gd_ipimask, mask);
        ipiq_serve(gd, mask, NULL);

        if (lwkt_process_ipiq_core(gd, &gd->gd_cpusyncq, NULL)
            && gd->gd_curthread->td_cscount == 0)
            continue;

        /* Open the door; who came while it was shut has not knocked. */
        if (gd->gd_ipimask != 0)
            continue;
        atomic_poll_release_int(&gd->gd_npoll);
        cpu_mfence();
        if (gd->gd_ipimask == 0)
            break;
    }
    --gd->gd_processing_ipiq;
}

/* The same with an interrupt frame to hand on to the callbacks. */
void
lwkt_process_ipiq_frame(struct intrframe *frame)
{
    globaldata_t gd = mycpu;
    lwkt_ipiq_t csq = &gd->gd_cpusyncq;
    cpumask_t mask;

    for (;;) {
        cpu_lfence();
        mask = gd->gd_ipimask;
        atomic_clear_cpumask(&gd->gd_ipimask, mask);
        ipiq_serve(gd, mask, frame);

        if (csq->ip_rindex != csq->ip_windex
            && lwkt_process_ipiq_core(gd, csq, frame)
            && gd->gd_curthread->td_cscount == 0)
            continue;

        if (gd->gd_ipimask != 0)
            continue;
        atomic_poll_release_int(&gd->gd_npoll);
        cpu_mfence();
        if (gd->gd_ipimask == 0)
            break;
    }
}

/*
 * One pass over one FIFO: what was in it when we looked.  Returns whether
 * there is more by now.
 *
 * A callback may send, wait for room and come back here for the same FIFO, so
 * rindex can be past our idea of windex when it returns: the comparison is a
 * signed difference.  xindex follows only when the callback is done.
 */
static int
lwkt_process_ipiq_core(globaldata_t sgd, lwkt_ipiq_t ip,
                       struct intrframe *frame)
{
    globaldata_t mygd = mycpu;
    ipifunc3_t copy_func;
    void *copy_arg1;
    int copy_arg2;
    int ri, wi;

    KKASSERT(curthread->td_critcount != 0);
    wi = ip->ip_windex;
    cpu_lfence();
    ++mygd->gd_intr_nesting_level;
    while (wi - (ri = ip->ip_rindex) > 0) {
        /* The slot is read after its index and before it is given back. */
        ri &= MAXCPUFIFO_MASK;
        cpu_lfence();
        copy_func = ip->ip_info[ri].func;
        copy_arg1 = ip->ip_info[ri].arg1;
        copy_arg2 = ip->ip_info[ri].arg2;
        cpu_mfence();
        ++ip->ip_rindex;
        KKASSERT(((ip->ip_rindex - 1) & MAXCPUFIFO_MASK) == ri);
        logipiq(receive, copy_func, copy_arg1, copy_arg2, sgd, mygd);
#ifdef INVARIANTS
        if (ipiq_debug && (ip->ip_rindex & 0xffffff) == 0)
            kprintf("cpu %d executes %p(%p, %d), interrupted at %p\n",
                    mygd->gd_cpuid, (void *)copy_func, copy_arg1, copy_arg2,
                    frame != NULL ? (void *)frame->if_rip : NULL);
#endif
        copy_func(copy_arg1, copy_arg2, frame);
        cpu_sfence();
        ip->ip_xindex = ip->ip_rindex;
#ifdef PANIC_DEBUG
        if (mygd->gd_cpuid == panic_ipiq_cpu && panic_ipiq_count != 0
            && --panic_ipiq_count == 0)
            panic("PANIC_DEBUG");
#endif
    }
    --mygd->gd_intr_nesting_level;
    cpu_lfence();
    return ip->ip_rindex != ip->ip_windex;
}

/* ---- waiting for everybody -------------------------------------------- */

static void
lwkt_sync_ipiq(void *arg)
{
    volatile cpumask_t *cpumask = arg;

    atomic_clear_cpumask(cpumask, mycpu->gd_cpumask);
    if (*cpumask == 0)
        wakeup(cpumask);
}

/* Sleeps until every other cpu has executed what was sent to it before. */
void
lwkt_synchronize_ipiqs(const char *wmesg)
{
    volatile cpumask_t missing = mycpu->gd_other_cpus & smp_active_mask;

    lwkt_send_ipiq_mask(missing, lwkt_sync_ipiq,
                        __DEVOLATILE(void *, &missing));
    while (missing != 0) {
        tsleep_interlock(&missing, 0);
        if (missing != 0)
            tsleep(&missing, PINTERLOCKED, wmesg, 0);
    }
}

/* ---- cpusync ---------------------------------------------------------- */

/*
 * Holds cpus still, then lets each run a function and go.
 *
 *      master                              every cpu of cs_mask
 *      interlock: mack = 0, send remote1   remote1: mack |= me
 *                 wait for mack == mask    remote2: my bit is set: queue
 *                                                   myself again, and so on
 *      deinterlock: mack = 0               remote2: my bit is clear: cs_func,
 *                   wait for mack == mask           mack |= me, gone
 *
 * A master executes messages while it waits, also those of another master:
 * two of them can hold one another and both go on.
 */
void
lwkt_cpusync_simple(cpumask_t mask, cpusync_func_t func, void *arg)
{
    struct lwkt_cpusync cs;

    lwkt_cpusync_init(&cs, mask, func, arg);
    lwkt_cpusync_interlock(&cs);
    lwkt_cpusync_deinterlock(&cs);
}

/* `cs` may be gone once our bit is set again. */
static void
lwkt_cpusync_remote2(lwkt_cpusync_t cs)
{
    globaldata_t gd = mycpu;
    lwkt_ipiq_t ip = &gd->gd_cpusyncq;

    if ((cs->cs_mack & gd->gd_cpumask) == 0) {
        if (cs->cs_func != NULL)
            cs->cs_func(cs->cs_data);
        atomic_set_cpumask(&cs->cs_mack, gd->gd_cpumask);
        return;
    }
    ipiq_fill(ip, (ipifunc3_t)(ipifunc1_t)lwkt_cpusync_remote2, cs, 0);
    cpu_sfence();
    KKASSERT(FIFO_USED(ip) < MAXCPUFIFO);
    ++ip->ip_windex;
    if (ipiq_debug && (ip->ip_windex & 0xffffff) == 0)
        kprintf("cpu %d is held: mask %016lx mack %016lx func %p\n",
                gd->gd_cpuid, cs->cs_mask, cs->cs_mack, (void *)cs->cs_func);
}

static void
lwkt_cpusync_remote1(lwkt_cpusync_t cs)
{
    atomic_set_cpumask(&cs->cs_mack, mycpu->gd_cpumask);
    lwkt_cpusync_remote2(cs);
}

/* Returns in a critical section, with the cpus of cs_mask held. */
void
lwkt_cpusync_interlock(lwkt_cpusync_t cs)
{
    globaldata_t gd = mycpu;
    cpumask_t mask = cs->cs_mask & gd->gd_other_cpus & smp_active_mask;

    cs->cs_mack = 0;
    crit_enter_id("cpusync");
    if (mask != 0) {
        DEBUG_PUSH_INFO("cpusync_interlock");
        ++ipiq_stat(gd).ipiq_cscount;
        ++gd->gd_curthread->td_cscount;
        lwkt_send_ipiq_mask(mask, (ipifunc1_t)lwkt_cpusync_remote1, cs);
        logipiq2(sync_start, mask);
        while (cs->cs_mack != mask) {
            lwkt_process_ipiq();
            cpu_pause();
        }
        DEBUG_POP_INFO();
    }
}

/* Each held cpu, and this one if it is in cs_mask, runs cs_func. */
void
lwkt_cpusync_deinterlock(lwkt_cpusync_t cs)
{
    globaldata_t gd = mycpu;
    cpumask_t mask = cs->cs_mack;

    cpu_ccfence();
    cs->cs_mack = 0;
    cpu_ccfence();
    if (cs->cs_func != NULL && (cs->cs_mask & gd->gd_cpumask) != 0)
        cs->cs_func(cs->cs_data);
    if (mask != 0) {
        DEBUG_PUSH_INFO("cpusync_deinterlock");
        while (cs->cs_mack != mask) {
            lwkt_process_ipiq();
            cpu_pause();
        }
        DEBUG_POP_INFO();
        /* While we were a master we polled others' cpusyncs only once each. */
        --gd->gd_curthread->td_cscount;
        lwkt_process_ipiq();
        logipiq2(sync_end, mask);
    }
    crit_exit_id("cpusync");
}
