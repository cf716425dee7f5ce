/* SPDX-License-Identifier: BSD-2-Clause */
/* sys/param.h -- build parameters and the flags of tsleep(). */
#ifndef GUEST_SYS_PARAM_H
#define GUEST_SYS_PARAM_H

#include <machine/types.h>

/*
 * Slots of one IPI FIFO; an axis of the build.  At 4 the sender's own
 * assertion fires in a legal state (D/2 + 1 is D - 1): 8 is the floor.
 */
#ifndef MAXCPUFIFO
#define MAXCPUFIFO 32
#endif
#if MAXCPUFIFO < 4 || (MAXCPUFIFO & (MAXCPUFIFO - 1)) != 0
#error MAXCPUFIFO has to be a power of two, at least 8 to be of use
#endif
#define MAXCPUFIFO_MASK (MAXCPUFIFO - 1)

#define PDOMAIN_MASK  0x00ff /* wakeup channels with one ident, apart */
#define PCATCH        0x0100
#define PINTERLOCKED  0x0400 /* tsleep_interlock() has been called */
#define PWAKEUP_MYCPU 0x4000 /* only this cpu's sleepers */
#define PWAKEUP_ONE   0x8000

#define __cachealign __attribute__((aligned(64)))
#define __DEVOLATILE(type, value) ((type)(uintptr_t)(value))

#define ENOENT 2
#define EBUSY  16
#define EINVAL 22
#define EWOULDBLOCK 35

#endif
