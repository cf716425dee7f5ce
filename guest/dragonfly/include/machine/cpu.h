/* SPDX-License-Identifier: BSD-2-Clause */
/* machine/cpu.h -- time, and what the other machine/ headers bring. */
#ifndef GUEST_MACHINE_CPU_H
#define GUEST_MACHINE_CPU_H

#include <machine/cpufunc.h>
#include <machine/frame.h>
#include <machine/types.h>

/*
 * The time stamp counter is virtual time.  A scenario may lower the frequency
 * to make seconds short; 0 means that this machine has no usable counter.
 */
extern uint64_t tsc_frequency;

/* The count `ns` from now, or -1 without a counter. */
int64_t tsc_get_target(int64_t ns);

/* 1: the target is reached, 0: not yet, -1: there is no counter. */
int tsc_test_target(int64_t target);

#endif
