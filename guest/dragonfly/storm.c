/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storm.c -- what a storm sends: callbacks that can be counted, callbacks
 * that send on, and loops that keep or break a rule of the house.
 *
 * Whatever a storm does, in the end `received` must add up to what was sent.
 * A cpu counts for itself: its messages are executed one after the other.
 */
#include <machine/atomic.h>
#include <machine/cpu.h>
#include <sys/systm.h>
#include <sys/thread2.h>

int received[MAXCPU];
int copied[MAXCPU];

/* ---- callbacks -------------------------------------------------------- */

void
receive(void *arg1, int arg2, struct intrframe *frame)
{
    (void)arg1;
    (void)arg2;
    (void)frame;
    ++received[mycpu->gd_cpuid];
}

/* Counts, and sends one more message, to cpu. */
void
pass_on(void *arg1, int cpu, struct intrframe *frame)
{
    receive(arg1, cpu, frame);
    lwkt_send_ipiq3(globaldata_find(cpu), receive, arg1, 0);
}

/*
 * Counts, and goes on to the next cpu of a ring until `left` is used up; each
 * form sends in its own way.  The last one never waits: what finds no room
 * is dropped, and counted as if it had been received.
 */
static globaldata_t
next_cpu(int step)
{
    return globaldata_find((mycpu->gd_cpuid + step) % ncpus);
}

void
relay(void *left, int step, struct intrframe *frame)
{
    receive(left, step, frame);
    if (left != NULL)
        lwkt_send_ipiq3(next_cpu(step), relay, (char *)left - 1, step);
}

void
relay_passive(void *left, int step, struct intrframe *frame)
{
    receive(left, step, frame);
    if (left != NULL)
        lwkt_send_ipiq3_passive(next_cpu(step), relay_passive,
                                (char *)left - 1, step);
}

void
relay_nowait(void *left, int step, struct intrframe *frame)
{
    receive(left, step, frame);
    if (left != NULL
        && lwkt_send_ipiq3_nowait(next_cpu(step), relay_nowait,
                                  (char *)left - 1, step) != 0)
        received[mycpu->gd_cpuid] += (int)(intptr_t)left;
}

/* As most callbacks do, it relies on a critical section around it. */
void
needs_crit(void *arg1, int arg2, struct intrframe *frame)
{
    KKASSERT(curthread->td_critcount != 0);
    receive(arg1, arg2, frame);
}

/* A callback that takes its time. */
void
receive_slowly(void *arg1, int loops, struct intrframe *frame)
{
    while (loops-- > 0)
        cpu_pause();
    receive(arg1, 0, frame);
}

/* Tells how many messages this cpu has executed by now. */
void
note_received(int *where, int arg2, struct intrframe *frame)
{
    (void)arg2;
    (void)frame;
    *where = received[mycpu->gd_cpuid];
}

/* Looks into what the interrupted code may be changing. */
void
copy_int(const int *from, int arg2, struct intrframe *frame)
{
    (void)arg2;
    (void)frame;
    copied[mycpu->gd_cpuid] = *(const volatile int *)from;
}

/* ---- stories ---------------------------------------------------------- */

/* A lock of one word.  Whoever spins on it without polling keeps others
 * waiting for an acknowledgement; whoever polls does not. */
void
word_lock(int *word)
{
    while (!atomic_cmpset_int(word, 0u, 1))
        cpu_pause();
}

void
word_lock_polling(int *word)
{
    crit_enter();
    while (!atomic_cmpset_int(word, 0u, 1)) {
        lwkt_process_ipiq();
        cpu_pause();
    }
    crit_exit();
}

void
word_unlock(int *word)
{
    cpu_sfence();
    *(volatile int *)word = 0;
}
