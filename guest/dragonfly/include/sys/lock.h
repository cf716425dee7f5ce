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

void lockinit(struct lock *lkp);
int lockmgr(struct lock *lkp, int flags);

#endif
