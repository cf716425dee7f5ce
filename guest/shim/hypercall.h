/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hypercall.h -- the guest speaks to heddle.
 *
 * `vmcall` with the number in rax.  A processor without a hypervisor would
 * raise #UD here, so nothing else can be mistaken for it.
 *
 *      number              in                      out
 *      0 STORY_NEXT        rdi result of the last  rax function, 0 = the end
 *                                                  rdi rsi rdx rcx r8 r9 args
 *      1 PANIC             rdi text                never returns
 *      2 CONSOLE           rdi bytes, rsi length   -
 *
 * STORY_NEXT is written in assembly, in story.S, where the call is.
 */
#ifndef GUEST_SHIM_HYPERCALL_H
#define GUEST_SHIM_HYPERCALL_H

#define HYPERCALL_STORY_NEXT 0
#define HYPERCALL_PANIC      1
#define HYPERCALL_CONSOLE    2

#ifndef __ASSEMBLER__

#include "shim/types.h"

static inline __attribute__((always_inline)) void
hypercall(uint64_t number, uint64_t first, uint64_t second)
{
    uint64_t rax = number;

    __asm__ __volatile__("vmcall"
                         : "+a"(rax), "+D"(first), "+S"(second)
                         :
                         : "rdx", "rcx", "r8", "r9", "memory");
}

#endif
#endif
