/* SPDX-License-Identifier: BSD-2-Clause */
/* layout.h -- numbers that assembly and C must agree on. */
#ifndef GUEST_BOOT_LAYOUT_H
#define GUEST_BOOT_LAYOUT_H

#define AP_START_PA     0xa000 /* a page below 1 MiB, as a startup IPI wants */
#define BOOT_STACK_SIZE 16384
#define TRAP_STUB_SIZE  16

#define SEL_CODE 0x08
#define SEL_DATA 0x10
#define SEL_TSS  0x18

#endif
