/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * history.c -- what stories of old bugs need besides tasks.c: bodies of
 * threads, and callers of the neighbours of the IPI code.
 */
#include <machine/cpu.h>
#include <sys/lock.h>
#include <sys/systm.h>
#include <sys/thread2.h>

void nop(void *arg1, int arg2, struct intrframe *frame);

/* ---- idents that share a bucket ---------------------------------------- */

/* Its number alone is of interest: nothing is there. */
static const volatile void *
neighbour_of(const volatile int *ident)
{
    return ident + TSLEEP_HASH;
}

void
neighbour_sleeps(void *ident)
{
    tsleep(neighbour_of(ident), 0, "neighbour", 0);
}

void
wakeup_neighbour(const int *ident)
{
    wakeup(neighbour_of(ident));
}

/* ---- threads ------------------------------------------------------------ */

void
sleep_on(void *ident)
{
    tsleep(ident, 0, "ident", 0);
}

/* Looked, found that it need not sleep, and has come to its end. */
void
interlock_and_exit(void *ident)
{
    tsleep_interlock(ident, 0);
}

/* ---- callers ------------------------------------------------------------ */

/* A callback: what it changes belongs to the cpu, as does who waits. */
void
raise_flag_here(int *flag, int arg2, struct intrframe *frame)
{
    (void)arg2;
    (void)frame;
    *(volatile int *)flag = 1;
    wakeup_mycpu(flag);
}

/*
 * Waits for raise_flag_here().  In a critical section that callback cannot
 * come between the test and the sleep.
 */
void
sleep_in_crit(const int *flag)
{
    crit_enter();
    if (*(const volatile int *)flag == 0)
        tsleep(flag, 0, "flag", 0);
    crit_exit();
}

#if THREADS
/* A td_release: as the user scheduler does, tells another cpu about it. */
void
release_tells_next(thread_t td)
{
    lwkt_send_ipiq3(globaldata_find((td->td_gd->gd_cpuid + 1) % ncpus), nop,
                    NULL, 0);
}

/* ---- buffers, November 2005 --------------------------------------------- */

struct buf {
    struct lock b_lock;
    int b_is_free; /* under the big lock, mp_token */
    int b_users;
};

void
getnewbuf_warning(struct buf *bp)
{
    kprintf("getnewbuf: warning, locked buf %p, race corrected\n", (void *)bp);
}

/*
 * With the big lock held: takes the buffer if it is free, and assumes that it
 * still is when it has locked it without blocking.  vfs_bio.c rev 1.52 asks
 * again (`corrects`).  True if the caller has the buffer now.
 */
int
getnewbuf(struct buf *bp, int corrects)
{
    int taken = 0;

    if (!bp->b_is_free || lockmgr(&bp->b_lock, LK_EXCLUSIVE | LK_NOWAIT) != 0)
        return 0;
    if (corrects && !*(volatile int *)&bp->b_is_free) {
        getnewbuf_warning(bp);
    } else {
        bp->b_is_free = 0;
        ++bp->b_users;
        taken = 1;
    }
    lockmgr(&bp->b_lock, LK_RELEASE);
    return taken;
}
#endif
