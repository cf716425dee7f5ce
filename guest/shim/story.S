/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * story.S -- a cpu does what its story says, call after call.
 *
 * uint64_t story_loop(void): returns when the story has ended.  heddle holds
 * the cpu at the vmcall until the scenario has something for it to do;
 * interrupts come in there as they come in anywhere.
 */
#include "shim/hypercall.h"

        .text
        .globl  story_loop
        .type   story_loop, @function
story_loop:
        subq    $8, %rsp                /* calls want rsp aligned to 16 */
        xorl    %edi, %edi
1:      movl    $HYPERCALL_STORY_NEXT, %eax
        vmcall
        testq   %rax, %rax
        jz      2f
        call    *%rax
        movq    %rax, %rdi
        jmp     1b
2:      addq    $8, %rsp
        ret
        .size   story_loop, . - story_loop
        .section .note.GNU-stack, "", @progbits
