/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * barrier.h -- compiler barriers that tell heddle of themselves.
 *
 * On x86-64 some fences of a kernel are nothing but compiler barriers, since
 * the processor keeps that order anyway.  Under the memory models that do not
 * (`pso`, `weak`) a user may ask for either: the machine code as it is, or
 * the order that the source asks for (`--memory pso,barriers=source`).  So
 * the barrier leaves a note, in the layout of probe.h, at the place where the
 * compiler has put it.  The note is in a section of its own that is not
 * loaded: the code gets not a single byte for it.
 *
 * Heddle takes the place for "right before the instruction at this address".
 * Where that instruction is also reached in another way, a jump to the head
 * of a loop for example, the barrier is taken there too.
 */
#ifndef GUEST_SHIM_BARRIER_H
#define GUEST_SHIM_BARRIER_H

#include "shim/probe.h"

#define BARRIER(name)                                                          \
    __asm__ __volatile__(PROBE_NOTE_AT("", heddle, name, "") : : : "memory")

/* Stores before it become visible before stores after it. */
#define BARRIER_STORES() BARRIER(sfence)
/* So do stores, and loads before it give no newer values than loads after. */
#define BARRIER_ALL() BARRIER(ccfence)

#endif
