/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lkcount.c -- the lock manager with all of its state in one word, as from
 * 2013 on; here without recursion, upgrades and more than one who wants the
 * lock alone.
 *
 *      SHARED | n           n readers; none is left if n is 0
 *      SHARED | n | EXREQ   and one waits to be alone: no new readers
 *      1                    held alone
 *      1 | WAIT             and readers sleep until it is released
 *
 * A reader adds 1 first and looks then; if EXREQ came in between he has to
 * undo that.  Whoever takes the last 1 away where EXREQ is set hands the lock
 * over, and wakes the one and those who sleep because of EXREQ.  Until 2018
 * undo_shreq() did so in two steps (8319957b9f, e840a8c25b):
 *
 *      undoes: SHARED|0|EXREQ     a reader: EXREQ, sleeps    looks: 0, takes it
 *      EXREQ is gone: nobody to wake
 *
 * and who gave up waiting to be alone took EXREQ away and told nobody
 * (4f29f4c6fe): UNDO_IN_TWO, CANCEL_IS_SILENT.
 */
#include <machine/atomic.h>
#include <machine/cpu.h>
#include <sys/lock.h>
#include <sys/systm.h>
#include <sys/thread2.h>

#ifndef UNDO_IN_TWO
#define UNDO_IN_TWO 0
#endif
#ifndef CANCEL_IS_SILENT
#define CANCEL_IS_SILENT 0
#endif

/*
 * Takes one count away.  Who takes the last one hands over to who waits to be
 * alone, or wakes the readers that wait, all in one operation.  Also for a
 * reader who has added his 1 to a lock that is held alone, or was.
 */
void
lkcount_release(struct lkcount *lkp)
{
    for (;;) {
        u_int count = lkp->lk_count, next = count - 1;
        int wakes = 0;

        if ((next & LKC_MASK) == 0 && (count & (LKC_EXREQ | LKC_WAIT))) {
            wakes = 1;
            next = count & LKC_EXREQ ? 1 : 0;
        }
        if (atomic_cmpset_int(&lkp->lk_count, count, next)) {
            if (wakes)
                wakeup(lkp);
            return;
        }
    }
}

static void
undo_shreq(struct lkcount *lkp)
{
    u_int count;

    if (!UNDO_IN_TWO) {
        lkcount_release(lkp);
        return;
    }
    atomic_add_int(&lkp->lk_count, -1);
    for (;;) {
        count = lkp->lk_count;
        if ((count & (LKC_EXREQ | LKC_MASK)) != LKC_EXREQ)
            return;
        if (atomic_cmpset_int(&lkp->lk_count, count, 1))
            break;
    }
    wakeup(lkp);
}

/* Sleeps, unless the bit is gone by now. */
static void
sleep_while(struct lkcount *lkp, u_int bit)
{
    tsleep_interlock(lkp, 0);
    if (lkp->lk_count & bit)
        tsleep(lkp, PINTERLOCKED, "lkcount", 0);
}

void
lkcount_shared(struct lkcount *lkp)
{
    for (;;) {
        u_int count = lkp->lk_count;

        if (count & LKC_EXREQ) {
            sleep_while(lkp, LKC_EXREQ);
        } else if (count & LKC_SHARED) {
            count = __sync_fetch_and_add(&lkp->lk_count, 1);
            if ((count & (LKC_EXREQ | LKC_SHARED)) == LKC_SHARED)
                return;
            if (count & LKC_SHARED)
                undo_shreq(lkp);
            else
                lkcount_release(lkp);
        } else if ((count & LKC_MASK) == 0) {
            if (atomic_cmpset_int(&lkp->lk_count, count, LKC_SHARED | 1))
                return;
        } else if (atomic_cmpset_int(&lkp->lk_count, count,
                                     count | LKC_WAIT)) {
            sleep_while(lkp, LKC_WAIT);
        }
    }
}

/* Says that it waits: true if it does, false if it has the lock. */
static int
request_exclusive(struct lkcount *lkp)
{
    for (;;) {
        u_int count = lkp->lk_count;

        if ((count & LKC_MASK) == 0) {
            if (atomic_cmpset_int(&lkp->lk_count, count, 1))
                return 0;
        } else if (atomic_cmpset_int(&lkp->lk_count, count,
                                     count | LKC_EXREQ)) {
            return 1;
        }
    }
}

void
lkcount_exclusive(struct lkcount *lkp)
{
    if (!request_exclusive(lkp))
        return;
    for (;;) {
        u_int count = lkp->lk_count;

        if ((count & LKC_EXREQ) == 0)
            return; /* handed over */
        if ((count & LKC_MASK) == 0) {
            if (atomic_cmpset_int(&lkp->lk_count, count, 1))
                return;
        } else {
            sleep_while(lkp, LKC_EXREQ);
        }
    }
}

/* For no time at all, as if its timeout had come; true if it has the lock. */
int
lkcount_exclusive_briefly(struct lkcount *lkp)
{
    if (!request_exclusive(lkp))
        return 1;
    for (;;) {
        u_int count = lkp->lk_count;

        if ((count & LKC_EXREQ) == 0)
            return 1;
        if (atomic_cmpset_int(&lkp->lk_count, count, count & ~LKC_EXREQ))
            break;
    }
    if (!CANCEL_IS_SILENT)
        wakeup(lkp);
    return 0;
}
