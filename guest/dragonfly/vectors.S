/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vectors.S -- the interrupts of this system, each an interrupt gate (so IF
 * is off on entry) whose stub saves the registers and calls C in lapic.c.
 *
 *      vector  stub           while in a critical section
 *      0xe0    Xinvltlb       served all the same, interrupts off
 *      0xe3    Xipiq          flagged: RQF_IPIQ
 *      0xe4    Xtimer         flagged: RQF_TIMER
 *      0xf0    Xcpustop       served all the same, interrupts on
 *      0xff    Xspuriousint   nothing to do, and no EOI
 */
#include "boot/frame.h"

        .macro  interrupt stub, vector, handler
        .globl  \stub
        .type   \stub, @function
        .balign 16
\stub:
        pushq   $0
        pushq   $\vector
        frame_call \handler
        .size   \stub, . - \stub
        .endm

        .text
        interrupt Xinvltlb, 0xe0, invltlb_interrupt
        interrupt Xipiq, 0xe3, ipiq_interrupt
        interrupt Xtimer, 0xe4, timer_interrupt
        interrupt Xcpustop, 0xf0, cpustop_interrupt

        .globl  Xspuriousint
        .type   Xspuriousint, @function
        .balign 16
Xspuriousint:
        iretq
        .size   Xspuriousint, . - Xspuriousint

/*
 * void cpu_lwkt_switch(void **save_sp, void *to_sp): what a C function may
 * not lose goes on the old stack, and comes back from the new one.
 */
        .globl  cpu_lwkt_switch
        .type   cpu_lwkt_switch, @function
cpu_lwkt_switch:
        pushq   %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        ret
        .size   cpu_lwkt_switch, . - cpu_lwkt_switch
        .section .note.GNU-stack, "", @progbits
