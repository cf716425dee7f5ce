/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ap_start.S -- where the other cpus wake up.
 *
 * A cpu that receives a startup IPI with vector V begins in real mode at
 * V000:0000, so this code is copied to physical AP_START_PA and must not
 * care where it was linked: every address in it is written as an offset
 * from ap_start.  It climbs from 16 to 32 to 64 bits and jumps to the kernel.
 * The three words at its end are filled in by ap_boot() for one cpu at a time.
 */
#include "boot/layout.h"

#define HERE(label) (AP_START_PA + label - ap_start)

#define SEL_CODE32 0x18
#define CR0_PE    0x00000001
#define CR0_PG_WP 0x80010000
#define CR4_PAE   0x00000020
#define MSR_EFER  0xc0000080
#define EFER_LME  0x00000100

        .section .rodata
        .balign 8
        .globl  ap_start, ap_start_end
        .globl  ap_start_cr3, ap_start_stack, ap_start_cpu
        .code16
ap_start:
        cli
        cld
        movw    %cs, %ax
        movw    %ax, %ds
        lgdtl   gdt_pointer - ap_start
        movl    %cr0, %eax
        orl     $CR0_PE, %eax
        movl    %eax, %cr0
        ljmpl   $SEL_CODE32, $HERE(protected)

        .code32
protected:
        movw    $SEL_DATA, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    %cr4, %eax
        orl     $CR4_PAE, %eax
        movl    %eax, %cr4
        movl    HERE(ap_start_cr3), %eax
        movl    %eax, %cr3
        movl    $MSR_EFER, %ecx
        rdmsr
        orl     $EFER_LME, %eax
        wrmsr
        movl    %cr0, %eax
        orl     $CR0_PG_WP, %eax
        movl    %eax, %cr0              /* long mode, still 32-bit code */
        ljmpl   $SEL_CODE, $HERE(long_mode)

        .code64
long_mode:
        movq    HERE(ap_start_stack), %rsp
        movq    HERE(ap_start_cpu), %rdi
        xorl    %ebp, %ebp
        movq    $ap_main, %rax          /* leave the identity window */
        call    *%rax
        ud2

        .balign 8
gdt:    .quad   0
        .quad   0x00209a0000000000      /* SEL_CODE: 64-bit code */
        .quad   0x00cf92000000ffff      /* SEL_DATA: flat data */
        .quad   0x00cf9a000000ffff      /* SEL_CODE32: flat 32-bit code */
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   HERE(gdt)

        .balign 8
ap_start_cr3:   .quad 0
ap_start_stack: .quad 0
ap_start_cpu:   .quad 0
ap_start_end:
        .section .note.GNU-stack, "", @progbits
