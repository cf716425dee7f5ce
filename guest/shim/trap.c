/* SPDX-License-Identifier: BSD-2-Clause */
/* trap.c -- an exception in this kernel is always a bug of the guest. */
#include "boot/frame.h"
#include "shim/libc.h"

static const char *const names[32] = {
    "#DE divide error", "#DB debug", "NMI", "#BP breakpoint", "#OF overflow",
    "#BR bound", "#UD invalid opcode", "#NM no fpu", "#DF double fault",
    "9", "#TS invalid tss", "#NP segment not present", "#SS stack fault",
    "#GP general protection", "#PF page fault", "15", "#MF fpu error",
    "#AC alignment", "#MC machine check", "#XM simd", "#VE", "#CP",
};

void trap(const struct frame *frame);

void
trap(const struct frame *frame)
{
    const char *name = names[frame->trapno & 31];
    uint64_t cr2;

    __asm__ __volatile__("movq %%cr2, %0" : "=r"(cr2));
    panic("trap %s, rip 0x%lx, cr2 0x%lx, error 0x%lx",
          name != NULL ? name : "reserved", frame->rip, cr2, frame->error);
}
