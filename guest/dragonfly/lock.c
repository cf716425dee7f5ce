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
 */
#include <sys/lock.h>
#include <sys/systm.h>
#include <sys/thread2.h>

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
    spin_lock(&lkp->lk_spinlock);
    while (lkp->lk_lockholder != NULL) {
        if (lkp->lk_lockholder == curthread)
            panic("lockmgr: locking against myself");
        ++lkp->lk_waiters;
        tsleep_interlock(lkp, 0);
        spin_unlock(&lkp->lk_spinlock);
        tsleep(lkp, PINTERLOCKED, "lockmgr", 0);
        spin_lock(&lkp->lk_spinlock);
        --lkp->lk_waiters;
    }
    lkp->lk_lockholder = curthread;
    spin_unlock(&lkp->lk_spinlock);
}

static void
lock_release(struct lock *lkp)
{
    int waiters;

    spin_lock(&lkp->lk_spinlock);
    if (lkp->lk_lockholder != curthread)
        panic("lockmgr: not the holder");
    lkp->lk_lockholder = NULL;
    waiters = lkp->lk_waiters;
    spin_unlock(&lkp->lk_spinlock);
    if (waiters != 0)
        wakeup(lkp);
}

int
lockmgr(struct lock *lkp, int flags)
{
    if (flags == LK_EXCLUSIVE)
        lock_exclusive(lkp);
    else if (flags == LK_RELEASE)
        lock_release(lkp);
    else
        panic("lockmgr: flags %x", (unsigned)flags);
    return 0;
}
