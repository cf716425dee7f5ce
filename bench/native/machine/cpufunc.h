/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine/cpufunc.h -- the guest's header of that name, for a thread of the
 * host that plays a cpu.  Interrupts are signals and are never off.
 */
#ifndef NATIVE_MACHINE_CPUFUNC_H
#define NATIVE_MACHINE_CPUFUNC_H

#include "shim/types.h"

#define cpu_mfence() __asm__ __volatile__("mfence" : : : "memory")
#define cpu_lfence() __asm__ __volatile__("lfence" : : : "memory")
#define cpu_ccfence() __asm__ __volatile__("" : : : "memory")
#define cpu_sfence() cpu_ccfence()
#define cpu_pause() __asm__ __volatile__("pause" : : : "memory")
#define cpu_enable_intr() cpu_ccfence()
#define read_rflags() 0ul
#define write_rflags(rflags) ((void)(rflags))

#endif
