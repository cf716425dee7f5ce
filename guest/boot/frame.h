/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frame.h -- what lies on the stack when an interrupt or trap calls C.
 *
 * The processor aligns the stack to 16 and pushes five words; with the two
 * the stub pushes and the fifteen registers the stack is aligned again, as
 * the ABI wants it at a call.
 *
 *      ss rsp rflags cs rip | error trapno | r15 ... rdi   <- rsp
 */
#ifndef GUEST_BOOT_FRAME_H
#define GUEST_BOOT_FRAME_H

#ifdef __ASSEMBLER__

.macro frame_call handler
        pushq   %r15
        pushq   %r14
        pushq   %r13
        pushq   %r12
        pushq   %r11
        pushq   %r10
        pushq   %rbp
        pushq   %rbx
        pushq   %rax
        pushq   %r9
        pushq   %r8
        pushq   %rcx
        pushq   %rdx
        pushq   %rsi
        pushq   %rdi
        cld
        movq    %rsp, %rdi
        call    \handler
        popq    %rdi
        popq    %rsi
        popq    %rdx
        popq    %rcx
        popq    %r8
        popq    %r9
        popq    %rax
        popq    %rbx
        popq    %rbp
        popq    %r10
        popq    %r11
        popq    %r12
        popq    %r13
        popq    %r14
        popq    %r15
        addq    $16, %rsp
        iretq
.endm

#else

#include "shim/types.h"

struct frame {
    uint64_t rdi, rsi, rdx, rcx, r8, r9, rax, rbx, rbp;
    uint64_t r10, r11, r12, r13, r14, r15;
    uint64_t trapno;
    uint64_t error;
    uint64_t rip, cs, rflags, rsp, ss;
};

#endif
#endif
