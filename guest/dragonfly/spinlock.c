/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spinlock.c -- exclusive spin locks as in mid-2013.
 *
 * The low bits of counta count holders and hopefuls.  Who finds the lock
 * taken trades its 1 for a SPINLOCK_EXCLWAIT, so that the low bits count the
 * holder alone, and trades back when they are zero.
 *
 * Left out: shared mode, and the watchdog that complains each second and
 * panics after a minute.  A waiting cpu must come back to exactly the state
 * it was in, or nobody could prove that it waits for ever.
 */
#include <machine/atomic.h>
#include <machine/cpu.h>
#include <sys/spinlock.h>
#include <sys/systm.h>
#include <sys/thread2.h>

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

    atomic_add_int(&spin->counta, SPINLOCK_EXCLWAIT - 1);
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
    atomic_add_int(&spin->counta, 1);
    if (spin->counta != 1)
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

void
spin_unlock(struct spinlock *spin)
{
    globaldata_t gd = mycpu;

    KKASSERT(gd->gd_spinlocks > 0);
    cpu_sfence();
    atomic_add_int(&spin->counta, -1);
    cpu_sfence();
    --gd->gd_spinlocks;
    cpu_ccfence();
    --gd->gd_curthread->td_critcount;
}
