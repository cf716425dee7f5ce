/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sys/thread2.h -- the inline half of threads: critical sections and the
 * short forms of sending.  glue.c has a real function of each, for stories.
 *
 * A critical section keeps *asynchronous* IPI processing away: interrupts
 * still come, but only leave a bit in gd_reqflags, and whoever leaves the
 * outermost section serves it.  What is executed *synchronously*, inside a
 * send that waits for room, it does not keep away.
 */
#ifndef GUEST_SYS_THREAD2_H
#define GUEST_SYS_THREAD2_H

#include <machine/cpufunc.h>
#include <sys/globaldata.h>
#include <sys/systm.h>
#include <sys/thread.h>

#include "shim/probe.h"

#define crit_enter()                                                           \
    do {                                                                       \
        ++curthread->td_critcount;                                             \
        cpu_ccfence();                                                         \
    } while (0)

/* Leaves without a look at gd_reqflags; the caller polls later. */
#define crit_exit_noyield()                                                    \
    do {                                                                       \
        --curthread->td_critcount;                                             \
        crit_check();                                                          \
        cpu_ccfence();                                                         \
    } while (0)

#define crit_exit()                                                            \
    do {                                                                       \
        crit_exit_noyield();                                                   \
        if (mycpu->gd_reqflags & RQF_IDLECHECK_MASK)                           \
            lwkt_maybe_splz(curthread);                                        \
    } while (0)

#ifdef INVARIANTS
#define crit_check()                                                           \
    do {                                                                       \
        if (__builtin_expect(curthread->td_critcount < 0, 0))                  \
            panic("crit_exit without crit_enter, in %s", __func__);            \
    } while (0)
#else
#define crit_check() ((void)0)
#endif

#define crit_enter_id(id) crit_enter()
#define crit_exit_id(id) crit_exit()

/* As in an interrupt: not even a nested crit_exit() polls. */
#define crit_enter_hard()                                                      \
    do {                                                                       \
        crit_enter();                                                          \
        ++mycpu->gd_intr_nesting_level;                                        \
    } while (0)
#define crit_exit_hard()                                                       \
    do {                                                                       \
        --mycpu->gd_intr_nesting_level;                                        \
        crit_exit();                                                           \
    } while (0)

/* A poll that is allowed in a critical section. */
#define splz_check()                                                           \
    do {                                                                       \
        if ((mycpu->gd_reqflags & RQF_IDLECHECK_MASK)                          \
            && mycpu->gd_intr_nesting_level == 0)                              \
            splz();                                                            \
    } while (0)

#define lwkt_send_ipiq(target, func, arg)                                      \
    lwkt_send_ipiq3(target, (ipifunc3_t)(func), arg, 0)
#define lwkt_send_ipiq2(target, func, arg, arg2)                               \
    lwkt_send_ipiq3(target, (ipifunc3_t)(func), arg, arg2)
#define lwkt_send_ipiq_mask(mask, func, arg)                                   \
    lwkt_send_ipiq3_mask(mask, (ipifunc3_t)(func), arg, 0)
#define lwkt_send_ipiq2_mask(mask, func, arg, arg2)                            \
    lwkt_send_ipiq3_mask(mask, (ipifunc3_t)(func), arg, arg2)
#define lwkt_send_ipiq_passive(target, func, arg)                              \
    lwkt_send_ipiq3_passive(target, (ipifunc3_t)(func), arg, 0)
#define lwkt_send_ipiq_nowait(target, func, arg)                               \
    lwkt_send_ipiq3_nowait(target, (ipifunc3_t)(func), arg, 0)
#define lwkt_send_ipiq_bycpu(dcpu, func, arg)                                  \
    lwkt_send_ipiq3_bycpu(dcpu, (ipifunc3_t)(func), arg, 0)

/* cs_mack is set by the interlock. */
#define lwkt_cpusync_init(cs, mask, func, data)                                \
    do {                                                                       \
        (cs)->cs_mask = (mask);                                                \
        (cs)->cs_func = (func);                                                \
        (cs)->cs_data = (data);                                                \
    } while (0)

/*
 * Brackets a wait.  The kernel's debug option keeps the message in
 * gd_infomsg for a person to read after a hang; here it is also a probe.
 * The pair opens and closes a block, so it stands in one.
 */
#define DEBUG_PUSH_INFO(msg)                                                   \
    {                                                                          \
        const char *infomsg_ = (msg);                                          \
        const char *infomsg_saved_ = mycpu->gd_infomsg;                        \
        mycpu->gd_infomsg = infomsg_;                                          \
        PROBE1(wait, push, infomsg_)
#define DEBUG_POP_INFO()                                                       \
        PROBE0(wait, pop);                                                     \
        mycpu->gd_infomsg = infomsg_saved_;                                    \
    }

#endif
