/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * native.h -- between threads.c, which has the host's headers, and kernel.c,
 * which has the guest's.  Neither can have both.
 */
#ifndef NATIVE_H
#define NATIVE_H

/* kernel.c */
void kernel_start(unsigned cpus);
void *kernel_percpu(unsigned cpu);           /* what %gs points to */
void kernel_interrupt(void);                 /* Xipiq, on this cpu */
void kernel_idle(void);                      /* a look at its own messages */
/* The story of a cpu; returns how many messages it stands for. */
unsigned kernel_story(const char *storm, unsigned cpu, unsigned *chance);
unsigned kernel_received(void);              /* by all, since the start */

/* threads.c */
void threads_interrupt(unsigned cpu);        /* send a signal to its thread */
void threads_panic(void) __attribute__((noreturn));

#endif
