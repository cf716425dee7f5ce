/* SPDX-License-Identifier: BSD-2-Clause */
/* vectors.h -- the interrupt side: vectors.S, lapic.c, and doreti(). */
#ifndef GUEST_DRAGONFLY_VECTORS_H
#define GUEST_DRAGONFLY_VECTORS_H

#include <machine/frame.h>

void Xinvltlb(void);
void Xipiq(void);
void Xtimer(void);
void Xcpustop(void);
void Xspuriousint(void);

/* Called by the stubs, interrupts off. */
void invltlb_interrupt(struct intrframe *frame);
void ipiq_interrupt(struct intrframe *frame);
void timer_interrupt(struct intrframe *frame);
void cpustop_interrupt(struct intrframe *frame);

/* One clock tick; `frame` is NULL when it was deferred to splz(). */
void lapic_timer_process_frame(struct intrframe *frame);

void doreti(struct intrframe *frame);

#endif
