/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched.c -- more threads a cpu, and tokens: only with THREADS.
 *
 * Runnable threads wait in the order in which they were scheduled; the one
 * that runs stays at its place.  lwkt_switch() takes the first that can have
 * all of its tokens.  If there are runnable threads but none can, the idle
 * thread runs, does not halt, and tries again, executing messages meanwhile.
 *
 * A token is held only while its owner runs: whoever blocks loses all of his,
 * among them the big lock (mp_token), until he goes on.  So to wait for one
 * is to give up the others: "blocks" is what a token does that a spin lock
 * does not (seed 002).
 */
#include <machine/atomic.h>
#include <machine/cpu.h>
#include <sys/systm.h>
#include <sys/thread2.h>

#include "shim/lifetime.h"

#if THREADS

struct lwkt_token proc_token, mp_token;

/* ---- the run queue: in a critical section, on the thread's cpu --------- */

void
lwkt_enqueue(thread_t td)
{
    globaldata_t gd = td->td_gd;

    td->td_runnext = NULL;
    if (gd->gd_runq == NULL)
        gd->gd_runq = td;
    else
        gd->gd_runqlast->td_runnext = td;
    gd->gd_runqlast = td;
}

void
lwkt_dequeue(thread_t td)
{
    globaldata_t gd = td->td_gd;
    thread_t *link = &gd->gd_runq, last = NULL;

    while (*link != NULL && *link != td) {
        last = *link;
        link = &last->td_runnext;
    }
    if (*link == NULL)
        return;
    *link = td->td_runnext;
    if (gd->gd_runqlast == td)
        gd->gd_runqlast = last;
}

/* ---- threads ----------------------------------------------------------- */

/* On this cpu; it runs when the current thread blocks or yields. */
thread_t
thread_create(void (*func)(void *arg), void *arg)
{
    globaldata_t gd = mycpu;

    for (int n = 0; n < THREADS; ++n) {
        thread_t td = &gd->gd_threads[n];

        if (td->td_func == NULL) {
            td->td_func = func;
            td->td_arg = arg;
            lwkt_schedule(td);
            return td;
        }
    }
    panic("thread_create: no more than %d", THREADS);
}

void
lwkt_yield(void)
{
    thread_t td = curthread;

    crit_enter();
    lwkt_dequeue(td);
    lwkt_enqueue(td);
    lwkt_switch();
    crit_exit();
}

/*
 * A thread may have queued itself and not slept.  It must not be found on a
 * sleep queue when it is no more; EXIT_ON_QUEUE forgets that (DF-H14).
 */
void
lwkt_exit(void)
{
    thread_t td = curthread;

    crit_enter();
#ifndef EXIT_ON_QUEUE
    if (td->td_flags & TDF_TSLEEPQ)
        tsleep_remove(td);
#endif
    lwkt_deschedule_self(td);
    lwkt_switch();
    panic("lwkt_exit: a dead thread runs");
}

/* By another thread of its cpu, when it has ended: its memory is free now. */
void
thread_reap(thread_t td)
{
    KKASSERT((td->td_flags & (TDF_RUNNING | TDF_RUNQ)) == 0);
    MEMORY_FREED(td, sizeof *td);
}

/* ---- tokens ------------------------------------------------------------ */

static int
token_take(struct lwkt_token *tok, thread_t td)
{
    if (tok->t_owner != td && !atomic_cmpset_ptr(&tok->t_owner, NULL, td))
        return 0;
    ++tok->t_count;
    return 1;
}

static void
token_drop(struct lwkt_token *tok)
{
    if (--tok->t_count == 0) {
        cpu_sfence();
        *(thread_t volatile *)&tok->t_owner = NULL;
    }
}

void
lwkt_releasetokens(thread_t td)
{
    for (int i = td->td_ntoks; i-- > 0;)
        if (td->td_toks[i]->t_owner == td)
            token_drop(td->td_toks[i]);
}

/* All or none. */
static int
token_take_all(thread_t td)
{
    for (int i = 0; i < td->td_ntoks; ++i) {
        if (!token_take(td->td_toks[i], td)) {
            while (i-- > 0)
                token_drop(td->td_toks[i]);
            return 0;
        }
    }
    return 1;
}

thread_t
lwkt_choose(globaldata_t gd)
{
    for (thread_t td = gd->gd_runq; td != NULL; td = td->td_runnext)
        if (token_take_all(td))
            return td;
    if (gd->gd_runq != NULL)
        atomic_set_int(&gd->gd_reqflags, RQF_AST_LWKT_RESCHED);
    return &gd->gd_idlethread;
}

int
lwkt_trytoken(struct lwkt_token *tok)
{
    thread_t td = curthread;

    if (!token_take(tok, td))
        return 0;
    td->td_toks[td->td_ntoks] = tok;
    cpu_ccfence();
    ++td->td_ntoks;
    return 1;
}

void
lwkt_gettoken(struct lwkt_token *tok)
{
    thread_t td = curthread;

    KKASSERT(td->td_ntoks < 4);
    if (lwkt_trytoken(tok))
        return;
    td->td_toks[td->td_ntoks] = tok;
    cpu_ccfence();
    ++td->td_ntoks;
    lwkt_switch(); /* and when it goes on it has them all */
}

void
lwkt_reltoken(struct lwkt_token *tok)
{
    thread_t td = curthread;

    KKASSERT(td->td_ntoks > 0 && td->td_toks[td->td_ntoks - 1] == tok);
    --td->td_ntoks;
    cpu_ccfence();
    token_drop(tok);
}

#endif
