/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spinlock.c -- spin locks as in mid-2013, and how their shared mode changed.
 *
 * The low bits of counta count holders and hopefuls.  Who finds the lock
 * taken trades its 1 for a SPINLOCK_EXCLWAIT, so that the low bits count the
 * holder alone, and trades back when they are zero.
 *
 * With SPIN_SHARED (mutants spin_shared_...: a year and a month) a lock may
 * also be held by many who only read.  SPINLOCK_SHARED says that the low bits
 * count those; who wants the lock alone takes the bit away, and nobody may
 * set it while somebody waits.  How they do so was wrong three times:
 *
 *              shared                      exclusive, contested
 *      201307  +1; was it 0? set SHARED    clear SHARED, +EXCLWAIT -1
 *      201310  0 becomes SHARED|1 at once  the same
 *      201612  the same                    not counted: clear, +EXCLWAIT
 *      201702  the same                    not counted: +EXCLWAIT, and clear
 *                                          if nobody waited before
 *      202011  the same                    not counted: +EXCLWAIT, clear
 *
 * The first is that of revision 1f2824e8, corrected by 79a7c522d4; the third
 * and the fourth are what e22f2acdde to aab1a0485c corrected, as far as their
 * texts say it.  These name two faults: the third form has the one (an
 * exclusive waiter acquires shared), the fourth only the other ("EXCLWAIT
 * assumed to exclude SHARED"); which code assumed it is our guess.
 *
 * With UNLOCK_POLLS a release looks at gd_reqflags as crit_exit() does
 * (e8b1691fcb, 2019); with UNLOCK_CRIT_FIRST the compiler has moved the end
 * of the critical section before the release of the lock (a4d9568036, 2017).
 *
 * Left out: the watchdog that complains each second and panics after a
 * minute.  A waiting cpu must come back to exactly the state it was in, or
 * nobody could prove that it waits for ever.
 */
#include <machine/atomic.h>
#include <machine/cpu.h>
#include <sys/spinlock.h>
#include <sys/systm.h>
#include <sys/thread2.h>

#ifndef SPIN_SHARED
#define SPIN_SHARED 0
#endif

/* What is put into counta before it is known whether the lock is free. */
#define COUNTS_FIRST (SPIN_SHARED < 201612)

/* Who wants the lock alone says so, and takes it away from new readers. */
#if SPIN_SHARED == 0
#define EXCLWAIT_BEGINS(spin)                                                  \
    atomic_add_int(&(spin)->counta, SPINLOCK_EXCLWAIT - 1)
#elif SPIN_SHARED < 201612
#define EXCLWAIT_BEGINS(spin)                                                  \
    do {                                                                       \
        atomic_clear_int(&(spin)->counta, SPINLOCK_SHARED);                    \
        atomic_add_int(&(spin)->counta, SPINLOCK_EXCLWAIT - 1);                \
    } while (0)
#elif SPIN_SHARED < 201702
#define EXCLWAIT_BEGINS(spin)                                                  \
    do {                                                                       \
        atomic_clear_int(&(spin)->counta, SPINLOCK_SHARED);                    \
        atomic_add_int(&(spin)->counta, SPINLOCK_EXCLWAIT);                    \
    } while (0)
#elif SPIN_SHARED < 202011
#define EXCLWAIT_BEGINS(spin)                                                  \
    do {                                                                       \
        if ((atomic_fetchadd_int(&(spin)->counta, SPINLOCK_EXCLWAIT)           \
             & SPINLOCK_WAITERS) == 0)                                         \
            atomic_clear_int(&(spin)->counta, SPINLOCK_SHARED);                \
    } while (0)
#else
#define EXCLWAIT_BEGINS(spin)                                                  \
    do {                                                                       \
        atomic_add_int(&(spin)->counta, SPINLOCK_EXCLWAIT);                    \
        atomic_clear_int(&(spin)->counta, SPINLOCK_SHARED);                    \
    } while (0)
#endif

void
spin_init(struct spinlock *spin)
{
    spin->counta = 0;
    spin->countb = 0;
}

/* Never executes IPIs: a critical section with a lock held is short. */
static void
_spin_lock_contested(struct spinlock *spin)
{
    int value;

    EXCLWAIT_BEGINS(spin);
    for (;;) {
        value = spin->counta;
        if ((value & (SPINLOCK_EXCLWAIT - 1)) == 0
            && atomic_cmpset_int(&spin->counta, (u_int)value,
                                 value - SPINLOCK_EXCLWAIT + 1))
            return;
        cpu_pause();
    }
}

void
spin_lock(struct spinlock *spin)
{
    globaldata_t gd = mycpu;

    ++gd->gd_curthread->td_critcount;
    cpu_ccfence();
    ++gd->gd_spinlocks;
#if COUNTS_FIRST
    atomic_add_int(&spin->counta, 1);
    if (spin->counta != 1)
#else
    if (!atomic_cmpset_int(&spin->counta, 0u, 1))
#endif
        _spin_lock_contested(spin);
}

int
spin_trylock(struct spinlock *spin)
{
    globaldata_t gd = mycpu;

    ++gd->gd_curthread->td_critcount;
    cpu_ccfence();
    ++gd->gd_spinlocks;
    if (atomic_cmpset_int(&spin->counta, 0u, 1))
        return 1;
    --gd->gd_spinlocks;
    cpu_ccfence();
    --gd->gd_curthread->td_critcount;
    return 0;
}

/* After the release: the lock is free, and then so is the cpu. */
static inline __attribute__((always_inline)) void
leave_crit(globaldata_t gd)
{
    --gd->gd_spinlocks;
    cpu_ccfence();
    --gd->gd_curthread->td_critcount;
#ifdef UNLOCK_POLLS
    cpu_ccfence();
    if (gd->gd_reqflags & RQF_IDLECHECK_MASK)
        lwkt_maybe_splz(gd->gd_curthread);
#endif
}

void
spin_unlock(struct spinlock *spin)
{
    globaldata_t gd = mycpu;

    KKASSERT(gd->gd_spinlocks > 0);
#ifdef UNLOCK_CRIT_FIRST
    leave_crit(gd);
    atomic_add_int(&spin->counta, -1);
#else
    cpu_sfence();
    atomic_add_int(&spin->counta, -1);
    cpu_sfence();
    leave_crit(gd);
#endif
}

/* The caller has no count: joins other readers, or opens an unused lock. */
static void
_spin_lock_shared_contested(struct spinlock *spin)
{
    for (;;) {
        u_int value = (u_int)spin->counta;

        if (value == 0) {
            if (atomic_cmpset_int(&spin->counta, 0u, SPINLOCK_SHARED | 1))
                return;
        } else if (value & SPINLOCK_SHARED) {
            if (atomic_cmpset_int(&spin->counta, value, value + 1))
                return;
        }
        cpu_pause();
    }
}

void
spin_lock_shared(struct spinlock *spin)
{
    globaldata_t gd = mycpu;

    if (SPIN_SHARED == 0)
        panic("spin_lock_shared: needs a mutant spin_shared_...");
    ++gd->gd_curthread->td_critcount;
    cpu_ccfence();
    ++gd->gd_spinlocks;
#if SPIN_SHARED < 201310
    atomic_add_int(&spin->counta, 1);
    if (spin->counta == 1) {
        atomic_set_int(&spin->counta, SPINLOCK_SHARED);
    } else if (((u_int)spin->counta & SPINLOCK_SHARED) == 0) {
        atomic_add_int(&spin->counta, -1);
        _spin_lock_shared_contested(spin);
    }
#else
    if (!atomic_cmpset_int(&spin->counta, 0u, SPINLOCK_SHARED | 1))
        _spin_lock_shared_contested(spin);
#endif
}

/* The last reader also takes the bit away, unless a writer has done so. */
void
spin_unlock_shared(struct spinlock *spin)
{
    globaldata_t gd = mycpu;

    KKASSERT(gd->gd_spinlocks > 0);
    atomic_add_int(&spin->counta, -1);
    if ((u_int)spin->counta == SPINLOCK_SHARED)
        (void)atomic_cmpset_int(&spin->counta, SPINLOCK_SHARED, 0);
    leave_crit(gd);
}
