/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idt.S -- one entry stub for each of the 32 processor exceptions.
 *
 * Some exceptions push an error code; the stubs of the others push a zero,
 * so that trap() in shim/trap.c always finds the same frame.  The stubs are
 * TRAP_STUB_SIZE bytes apart.
 */
#include "boot/frame.h"
#include "boot/layout.h"

#define PUSHES_ERROR 0x60227d00         /* 8, 10-14, 17, 21, 29, 30 */

        .text
        .globl  trap_stubs
        .type   trap_stubs, @function
        .balign TRAP_STUB_SIZE
trap_stubs:
        .set    number, 0
        .rept   32
        .balign TRAP_STUB_SIZE
        .if     ((PUSHES_ERROR >> number) & 1) == 0
        pushq   $0
        .endif
        pushq   $number
        jmp     trap_common
        .set    number, number + 1
        .endr
        .size   trap_stubs, . - trap_stubs

        .type   trap_common, @function
trap_common:
        frame_call trap
        .size   trap_common, . - trap_common
        .section .note.GNU-stack, "", @progbits
