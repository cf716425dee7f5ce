/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tasks.c -- small functions for stories: callbacks to send, and loops that
 * a story cannot write itself because its calls are single.
 *
 * A callback gets (arg1, arg2, frame); frame is NULL when it was executed
 * synchronously.  Where a task needs a cpu it is arg2, a plain cpu number.
 */
#include <machine/atomic.h>
#include <machine/cpu.h>
#include <sys/spinlock.h>
#include <sys/systm.h>
#include <sys/thread2.h>

#include "shim/lifetime.h"

/* ---- callbacks -------------------------------------------------------- */

void
nop(void *arg1, int arg2, struct intrframe *frame)
{
    (void)arg1;
    (void)arg2;
    (void)frame;
}

/* Not LOCKed: a FIFO's messages are executed one after the other. */
void
count_up(int *counter, int arg2, struct intrframe *frame)
{
    (void)arg2;
    (void)frame;
    ++*counter;
}

/* Keeps the arguments in order: value must be one more than the last. */
void
count_in_order(int *last, int value, struct intrframe *frame)
{
    (void)frame;
    if (value != *last + 1)
        panic("message %d was executed after message %d", value, *last);
    *last = value;
}

void
set(int *where, int value)
{
    *(volatile int *)where = value;
}

int
get(const int *where)
{
    return *(const volatile int *)where;
}

void
take_and_drop(struct spinlock *spin, int arg2, struct intrframe *frame)
{
    (void)arg2;
    (void)frame;
    spin_lock(spin);
    spin_unlock(spin);
}

void
send_nop(void *arg1, int cpu, struct intrframe *frame)
{
    (void)frame;
    lwkt_send_ipiq3(globaldata_find(cpu), nop, arg1, 0);
}

void
send_nop_passive(void *arg1, int cpu, struct intrframe *frame)
{
    (void)frame;
    lwkt_send_ipiq3_passive(globaldata_find(cpu), nop, arg1, 0);
}

/* Waits until cpu has executed all that this one has sent to it. */
void
wait_for(void *arg1, int cpu, struct intrframe *frame)
{
    globaldata_t peer = globaldata_find(cpu);

    (void)arg1;
    (void)frame;
    crit_enter();
    lwkt_wait_ipiq(peer, lwkt_seq_ipiq(peer));
    crit_exit();
}

/* Goes back and forth between two cpus until `left` is used up. */
void
echo(void *left, int cpu, struct intrframe *frame)
{
    (void)frame;
    if (left != NULL)
        lwkt_send_ipiq3(globaldata_find(cpu), echo, (char *)left - 1,
                        mycpu->gd_cpuid);
}

void
echo_passive(void *left, int cpu, struct intrframe *frame)
{
    (void)frame;
    if (left != NULL)
        lwkt_send_ipiq3_passive(globaldata_find(cpu), echo_passive,
                                (char *)left - 1, mycpu->gd_cpuid);
}

/* ---- stories ---------------------------------------------------------- */

/* Spins until the word is not 0, as kernel code must not: no IPIs served. */
void
spin_until(const int *flag)
{
    while (*(const volatile int *)flag == 0)
        cpu_pause();
}

/* The same as it should be done; in a critical section. */
void
spin_until_polling(const int *flag)
{
    while (*(const volatile int *)flag == 0) {
        lwkt_process_ipiq();
        cpu_pause();
    }
}

/* The same until `wanted` cpus have counted themselves. */
void
spin_until_all(const int *here, int wanted)
{
    while (*(const volatile int *)here != wanted)
        cpu_pause();
}

void
spin_until_all_polling(const int *here, int wanted)
{
    while (*(const volatile int *)here != wanted) {
        lwkt_process_ipiq();
        cpu_pause();
    }
}

/* The canonical sleeper: queue first, then look, then sleep. */
void
sleep_until(const int *flag)
{
    while (*(const volatile int *)flag == 0) {
        tsleep_interlock(flag, 0);
        if (*(const volatile int *)flag == 0)
            tsleep(flag, PINTERLOCKED, "flag", 0);
    }
}

/* And its waker: a plain store, then wakeup(). */
void
raise_flag(int *flag)
{
    *(volatile int *)flag = 1;
    wakeup(flag);
}

void
flood(int cpu, int count)
{
    while (count-- > 0)
        lwkt_send_ipiq3(globaldata_find(cpu), nop, NULL, 0);
}

void
flood_passive(int cpu, int count)
{
    while (count-- > 0)
        lwkt_send_ipiq3_passive(globaldata_find(cpu), nop, NULL, 0);
}

/* One word changed the way C does it, and the way a shared one must be. */
void
increment(int *counter)
{
    ++*(volatile int *)counter;
}

void
atomic_increment(int *counter)
{
    atomic_add_int(counter, 1);
}

/* What an allocator would say of memory. */
void
memory_freed(void *memory, unsigned size)
{
    MEMORY_FREED(memory, size);
}

void
memory_taken(void *memory, unsigned size)
{
    MEMORY_TAKEN(memory, size);
}
