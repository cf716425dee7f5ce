/* SPDX-License-Identifier: BSD-2-Clause */
/* sys/callout.h -- functions to be called after so many clock interrupts. */
#ifndef GUEST_SYS_CALLOUT_H
#define GUEST_SYS_CALLOUT_H

/* Belongs to the cpu that has reset it, from then until it has been called
 * or stopped. */
struct callout {
    struct callout *c_next;
    int c_left; /* clock interrupts until it is due */
    void (*c_func)(void *arg);
    void *c_arg;
};

void callout_init(struct callout *c);
void callout_reset(struct callout *c, int to_ticks, void (*func)(void *arg),
                   void *arg);
int callout_stop(struct callout *c); /* true if it was still to come */
void hardclock_softtick(void);

#endif
