/* SPDX-License-Identifier: BSD-2-Clause */
/* sys/spinlock.h -- spin locks. */
#ifndef GUEST_SYS_SPINLOCK_H
#define GUEST_SYS_SPINLOCK_H

struct spinlock {
    volatile int counta; /* holders, and SPINLOCK_EXCLWAIT for each waiter */
    volatile int countb;
};

#define SPINLOCK_EXCLWAIT 0x00100000
#define SPINLOCK_WAITERS  0x7ff00000  /* how many of them */
#define SPINLOCK_SHARED   0x80000000u /* the low bits count readers */

/*
 * Who holds one is in a critical section and must not block, send an IPI or
 * call wakeup().  spin_unlock() does not look at gd_reqflags: what was
 * deferred meanwhile waits for the next crit_exit() or interrupt.
 */
void spin_init(struct spinlock *spin);
void spin_lock(struct spinlock *spin);
int spin_trylock(struct spinlock *spin);
void spin_unlock(struct spinlock *spin);

/* Only with SPIN_SHARED: see spinlock.c. */
void spin_lock_shared(struct spinlock *spin);
void spin_unlock_shared(struct spinlock *spin);

#endif
