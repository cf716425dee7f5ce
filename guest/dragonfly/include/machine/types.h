/* SPDX-License-Identifier: BSD-2-Clause */
/* machine/types.h -- the cpu mask of the era: one plain word. */
#ifndef GUEST_MACHINE_TYPES_H
#define GUEST_MACHINE_TYPES_H

#include "shim/types.h"

typedef unsigned int u_int;
typedef int64_t __int64_t;
typedef uint64_t cpumask_t;

/* The kernel had 63 on x86_64 because a pmap lock used bit 63; none here. */
#define SMP_MAXCPU 64
#define MAXCPU     SMP_MAXCPU

#define CPUMASK(cpu)     ((cpumask_t)1 << (cpu))
#define BSFCPUMASK(mask) __builtin_ctzl(mask)

#endif
