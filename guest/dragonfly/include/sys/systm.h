/* SPDX-License-Identifier: BSD-2-Clause */
/* sys/systm.h -- panic, assertions, sleeping. */
#ifndef GUEST_SYS_SYSTM_H
#define GUEST_SYS_SYSTM_H

#include <machine/types.h>

#include "shim/libc.h"

#ifdef INVARIANTS
#define KKASSERT(condition)                                                    \
    do {                                                                       \
        if (__builtin_expect(!(condition), 0))                                 \
            panic("assertion \"%s\" failed in %s at %s:%u",                    \
                  #condition, __func__, __FILE__, (unsigned)__LINE__);         \
    } while (0)
#else
#define KKASSERT(condition) ((void)0)
#endif

extern int ncpus;
extern int ticks; /* clock interrupts of cpu 0 */

/*
 * Executes every pending request of gd_reqflags.  The caller knows that it
 * may: critical sections are not looked at.  Interrupts stay as they are.
 */
void splz(void);

/*
 * tsleep_interlock() queues the current thread, so that a wakeup() from now
 * on is not missed; tsleep() with PINTERLOCKED sleeps unless one has come.
 * `timo` clock interrupts later it returns EWOULDBLOCK; 0 is never, and
 * without THREADS it must be 0, as there are no callouts.
 */
void tsleep_interlock(const volatile void *ident, int flags);
int tsleep(const volatile void *ident, int flags, const char *wmesg, int timo);
void wakeup(const volatile void *ident);
void wakeup_one(const volatile void *ident);
void wakeup_mycpu(const volatile void *ident);
void wakeup_start_delayed(void);
void wakeup_end_delayed(void);

#endif
