/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threads -- a storm on threads of the host: what one would do without heddle.
 *
 *      native sends|relays|echoes SECONDS
 *
 * Each cpu is a thread, whose %gs points to its globaldata; an IPI is SIGUSR1,
 * as in DragonFly's vkernel.  The threads run as the host likes.  A run is
 * over when all stories have ended and all that was sent was received.  One
 * process makes runs until it fails: it panics, or no run ends within a
 * second; then the next one goes on.
 */
#define _GNU_SOURCE
#include "native.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARCH_SET_GS 0x1001
#define CPUS_MAX 8u
#define STATUS_PANIC 3

static const char *storm;
static unsigned cpus;
static pthread_t threads[CPUS_MAX];
static atomic_ulong *runs; /* shared with the parent */
static atomic_uint sent;
static pthread_barrier_t all; /* who waits still takes signals */

void
threads_interrupt(unsigned cpu)
{
    pthread_kill(threads[cpu], SIGUSR1);
}

void
threads_panic(void)
{
    _exit(STATUS_PANIC);
}

static void
handle(int signal)
{
    (void)signal;
    kernel_interrupt();
}

static void *
be_cpu(void *argument)
{
    unsigned cpu = (unsigned)(unsigned long)argument;
    unsigned chance = (unsigned)time(NULL) * 31 + cpu * 7 + (unsigned)getpid();

    syscall(SYS_arch_prctl, ARCH_SET_GS, kernel_percpu(cpu));
    threads[cpu] = pthread_self();
    for (;;) {
        pthread_barrier_wait(&all);
        atomic_fetch_add(&sent, kernel_story(storm, cpu, &chance));
        pthread_barrier_wait(&all);
        while (kernel_received() != atomic_load(&sent)) {
            if (storm[0] == 'r') /* nobody knocks for passive messages */
                kernel_idle();
            sched_yield();
        }
        if (cpu == 0)
            atomic_fetch_add(runs, 1);
    }
    return NULL;
}

static void
be_machine(void)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_NODEFER};

    sigaction(SIGUSR1, &action, NULL);
    kernel_start(cpus);
    pthread_barrier_init(&all, NULL, cpus);
    for (unsigned i = 0; i < cpus; i++)
        pthread_create(&threads[i], NULL, be_cpu, (void *)(unsigned long)i);
    for (;;)
        pause();
}

static double
now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* Until it fails or time is up; returns 'p' panic, 'h' hang, 0 time is up. */
static int
watch_machine(double end)
{
    pid_t child = fork();
    unsigned long seen = atomic_load(runs);
    double since = now();
    int status;

    if (child == 0)
        be_machine();
    for (;;) {
        struct timespec tenth = {.tv_nsec = 20000000};
        int verdict = 0;

        nanosleep(&tenth, NULL);
        if (waitpid(child, &status, WNOHANG) == child)
            return 'p';
        if (atomic_load(runs) != seen) {
            seen = atomic_load(runs);
            since = now();
        }
        if (now() - since > 1)
            verdict = 'h';
        if (verdict == 0 && now() < end)
            continue;
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        return verdict;
    }
}

int
main(int argc, char **argv)
{
    unsigned panics = 0, hangs = 0;
    double begun = now(), seconds;

    if (argc != 3)
        return 2;
    storm = argv[1];
    seconds = atof(argv[2]);
    cpus = storm[0] == 's' ? 3 : storm[0] == 'r' ? 4 : 3;
    runs = mmap(NULL, sizeof *runs, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    while (now() < begun + seconds) {
        int verdict = watch_machine(begun + seconds);

        panics += verdict == 'p';
        hangs += verdict == 'h';
    }
    printf("| storm_of_%s, threads | %.0f | %lu | %u hangs, %u panics |\n",
           storm, (double)*runs / (now() - begun), *runs, hangs, panics);
    return 0;
}
