/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flight.c -- two users of messages whose argument may die before the message
 * is executed, as two commits tell of them.
 *
 *      sender                          owner
 *      sends f(object) ---------.      is done with the object: frees it
 *                                '---> f touches what is free
 *
 * Both were fixed in the same way: who sends counts the message in the object,
 * and who executes it takes it off again.  NO_HOLD is the form before.
 */
#include <machine/atomic.h>
#include <sys/systm.h>
#include <sys/thread2.h>

#include "shim/lifetime.h"

#ifdef NO_HOLD
#define HOLD_PER_MESSAGE 0
#else
#define HOLD_PER_MESSAGE 1
#endif

/* ---- a signal for a process on another cpu (2008-06-09, c5d0ecf83c) ----- */

struct lwp {
    int lwp_hold; /* 1 for its own life, and one for each message */
    int lwp_notified;
};

void lwp_create(struct lwp *lp);
void lwp_exit(struct lwp *lp);
void signotify(struct lwp *lp, int cpu);

static void
lwp_rele(struct lwp *lp, int holds)
{
    if (__sync_sub_and_fetch(&lp->lwp_hold, holds) == 0)
        MEMORY_FREED(lp, sizeof(*lp));
}

void
lwp_create(struct lwp *lp)
{
    MEMORY_TAKEN(lp, sizeof(*lp));
    lp->lwp_hold = 1;
    lp->lwp_notified = 0;
}

void
lwp_exit(struct lwp *lp)
{
    lwp_rele(lp, 1);
}

static void
signotify_remote(void *arg)
{
    struct lwp *lp = arg;

    ++lp->lwp_notified;
    if (HOLD_PER_MESSAGE)
        lwp_rele(lp, 1);
}

void
signotify(struct lwp *lp, int cpu)
{
    if (HOLD_PER_MESSAGE)
        atomic_add_int(&lp->lwp_hold, 1);
    lwkt_send_ipiq(globaldata_find(cpu), signotify_remote, lp);
}

/* ---- memory freed on another cpu (2010-09-29, df9daea899) --------------- */

/*
 * Who frees a chunk of another cpu's zone links it to the zone and tells the
 * owner by a passive message: there is no hurry.  The owner may see the chunk
 * sooner, when it looks for memory itself, and gives up zones that are empty.
 */
struct zone {
    int z_used;    /* chunks handed out; the owner's */
    int z_rcount;  /* chunks that other cpus have freed */
    int z_flying;  /* messages of theirs that are not executed yet */
};

void zone_create(struct zone *z, int used);
void zone_reap(struct zone *z);
void kfree_to(struct zone *z, int owner);

void
zone_create(struct zone *z, int used)
{
    MEMORY_TAKEN(z, sizeof(*z));
    z->z_used = used;
    z->z_rcount = z->z_flying = 0;
}

/* On the owner's cpu, in a critical section. */
void
zone_reap(struct zone *z)
{
    z->z_used -= __sync_lock_test_and_set(&z->z_rcount, 0);
    if (z->z_used == 0 && z->z_flying == 0)
        MEMORY_FREED(z, sizeof(*z));
}

static void
kfree_remote(void *arg)
{
    struct zone *z = arg;

    if (HOLD_PER_MESSAGE)
        atomic_add_int(&z->z_flying, -1);
    zone_reap(z);
}

void
kfree_to(struct zone *z, int owner)
{
    if (HOLD_PER_MESSAGE)
        atomic_add_int(&z->z_flying, 1);
    atomic_add_int(&z->z_rcount, 1);
    lwkt_send_ipiq_passive(globaldata_find(owner), kfree_remote, z);
}
