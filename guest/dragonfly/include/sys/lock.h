/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sys/lock.h -- regular locks: whoever waits for one sleeps.  See lock.c.
 */
#ifndef GUEST_SYS_LOCK_H
#define GUEST_SYS_LOCK_H

#include <sys/spinlock.h>

struct thread;

struct lock {
    struct spinlock lk_spinlock; /* held for a few instructions only */
    int lk_waiters;              /* threads that sleep on the lock */
    struct thread *lk_lockholder;
};

#define LK_EXCLUSIVE 0x00000002
#define LK_RELEASE   0x00000006
#define LK_NOWAIT    0x00000010 /* fails rather than sleep */

void lockinit(struct lock *lkp);
int lockmgr(struct lock *lkp, int flags);

/* All in one word: see lkcount.c. */
struct lkcount {
    volatile unsigned lk_count;
};

#define LKC_MASK   0x00ffffffu /* holders */
#define LKC_WAIT   0x01000000u /* readers sleep while it is held alone */
#define LKC_SHARED 0x02000000u /* the holders are readers */
#define LKC_EXREQ  0x04000000u /* one waits to be alone */

void lkcount_shared(struct lkcount *lkp);
void lkcount_exclusive(struct lkcount *lkp);
int lkcount_exclusive_briefly(struct lkcount *lkp);
void lkcount_release(struct lkcount *lkp);

#endif
