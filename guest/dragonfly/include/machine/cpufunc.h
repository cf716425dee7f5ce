/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine/cpufunc.h -- fences and flags as x86_64 had them in 2013.
 *
 * All are macros, so that the instruction belongs to the source line that
 * names it and a scenario can quote that line.  cpu_sfence() and
 * cpu_ccfence() are compiler barriers only: this machine keeps stores in
 * order, and loads.  They leave a note for heddle (shim/barrier.h).  From
 * July 2009 to January 2011 cpu_sfence() was the instruction: REAL_SFENCE.
 */
#ifndef GUEST_MACHINE_CPUFUNC_H
#define GUEST_MACHINE_CPUFUNC_H

#include "shim/barrier.h"
#include "shim/types.h"

#define cpu_mfence() __asm__ __volatile__("mfence" : : : "memory")
#define cpu_lfence() __asm__ __volatile__("lfence" : : : "memory")
#ifdef REAL_SFENCE
#define cpu_sfence() __asm__ __volatile__("sfence" : : : "memory")
#else
#define cpu_sfence() BARRIER_STORES()
#endif
#define cpu_ccfence() BARRIER_ALL()
#define cpu_pause() __asm__ __volatile__("pause" : : : "memory")

#define cpu_enable_intr() __asm__ __volatile__("sti")
#define cpu_disable_intr() __asm__ __volatile__("cli" : : : "memory")
/* As one pair: sti takes effect after hlt, so no interrupt slips between. */
#define cpu_halt() __asm__ __volatile__("sti; hlt" : : : "memory")

static inline __attribute__((always_inline)) unsigned long
read_rflags(void)
{
    unsigned long rflags;

    __asm__ __volatile__("pushfq; popq %0" : "=r"(rflags));
    return rflags;
}

#define write_rflags(rflags)                                                   \
    __asm__ __volatile__("pushq %0; popfq" : : "r"((unsigned long)(rflags))    \
                         : "memory", "cc")

static inline __attribute__((always_inline)) uint64_t
rdtsc(void)
{
    uint32_t low, high;

    __asm__ __volatile__("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

#endif
