/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lock.c -- a regular lock: exclusive, not recursive, and whoever waits for
 * it sleeps instead of spinning.
 *
 * Its own words are under a spin lock, and the rule for spin locks is kept:
 * no wakeup() before it is dropped.  A release flags what there is to do,
 * unlocks, and then wakes.
 *
 *      holder                          waiter
 *      spin_lock                       tsleep_interlock(lkp)
 *      lockholder = NULL, wake = 1     spin_unlock
 *      spin_unlock                     tsleep(PINTERLOCKED): returns at once
 *      wakeup(lkp) ------------------> if the wakeup came in between
 *
 * Before November 2005 they were under a token, one of a pool that a lock
 * shares with others (LOCK_TOKEN, with THREADS).  Who waits for a token
 * blocks, and loses the other tokens he has: even with LK_NOWAIT (seed 002).
 */
#include <sys/lock.h>
#include <sys/systm.h>
#include <sys/thread2.h>

#ifdef LOCK_TOKEN
struct lwkt_token lock_token;
#define interlock(lkp) lwkt_gettoken(&lock_token)
#define interunlock(lkp) lwkt_reltoken(&lock_token)
#else
#define interlock(lkp) spin_lock(&(lkp)->lk_spinlock)
#define interunlock(lkp) spin_unlock(&(lkp)->lk_spinlock)
#endif

void
lockinit(struct lock *lkp)
{
    spin_init(&lkp->lk_spinlock);
    lkp->lk_waiters = 0;
    lkp->lk_lockholder = NULL;
}

static void
lock_exclusive(struct lock *lkp)
{
    interlock(lkp);
    while (lkp->lk_lockholder != NULL) {
        if (lkp->lk_lockholder == curthread)
            panic("lockmgr: locking against myself");
        ++lkp->lk_waiters;
        tsleep_interlock(lkp, 0);
        interunlock(lkp);
        tsleep(lkp, PINTERLOCKED, "lockmgr", 0);
        interlock(lkp);
        --lkp->lk_waiters;
    }
    lkp->lk_lockholder = curthread;
    interunlock(lkp);
}

static void
lock_release(struct lock *lkp)
{
    int waiters;

    interlock(lkp);
    if (lkp->lk_lockholder != curthread)
        panic("lockmgr: not the holder");
    lkp->lk_lockholder = NULL;
    waiters = lkp->lk_waiters;
    interunlock(lkp);
    if (waiters != 0)
        wakeup(lkp);
}

static int
lock_nowait(struct lock *lkp)
{
    int error = EBUSY;

    interlock(lkp);
    if (lkp->lk_lockholder == NULL) {
        lkp->lk_lockholder = curthread;
        error = 0;
    }
    interunlock(lkp);
    return error;
}

int
lockmgr(struct lock *lkp, int flags)
{
    if (flags == LK_EXCLUSIVE)
        lock_exclusive(lkp);
    else if (flags == LK_RELEASE)
        lock_release(lkp);
    else if (flags == (LK_EXCLUSIVE | LK_NOWAIT))
        return lock_nowait(lkp);
    else
        panic("lockmgr: flags %x", (unsigned)flags);
    return 0;
}
