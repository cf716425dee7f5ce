/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entry.S -- the first instructions of the boot cpu, and two helpers that
 * cannot be written in C.
 *
 * The loader left us in 64-bit mode with paging on, interrupts off and no
 * stack: rdi = number of cpus, rsi = bytes of RAM, rdx = virtual address of
 * the LAPIC page, rcx = cr3: already the four arguments of bsp_main().
 */
#include "boot/layout.h"

        .text
        .globl  _start
        .type   _start, @function
_start:
        cld
        movq    $boot_stack + BOOT_STACK_SIZE, %rsp
        xorl    %ebp, %ebp
        call    bsp_main
        ud2
        .size   _start, . - _start

/* void gdt_load(const struct descriptor_pointer *gdt) */
        .globl  gdt_load
        .type   gdt_load, @function
gdt_load:
        lgdt    (%rdi)
        movl    $SEL_DATA, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        xorl    %eax, %eax
        movl    %eax, %fs
        movl    %eax, %gs
        popq    %rax                    /* a far return is the way to load cs */
        pushq   $SEL_CODE
        pushq   %rax
        lretq
        .size   gdt_load, . - gdt_load

        .bss
        .balign 16
        .globl  boot_stack
        .type   boot_stack, @object
boot_stack:
        .skip   BOOT_STACK_SIZE
        .size   boot_stack, BOOT_STACK_SIZE
        .section .note.GNU-stack, "", @progbits
