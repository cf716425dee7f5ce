/* SPDX-License-Identifier: BSD-2-Clause */
/* machine/frame.h -- the frame of boot/frame.h under the kernel's names. */
#ifndef GUEST_MACHINE_FRAME_H
#define GUEST_MACHINE_FRAME_H

#include "shim/types.h"

struct intrframe {
    uint64_t if_rdi, if_rsi, if_rdx, if_rcx, if_r8, if_r9, if_rax, if_rbx;
    uint64_t if_rbp, if_r10, if_r11, if_r12, if_r13, if_r14, if_r15;
    uint64_t if_trapno;
    uint64_t if_err;
    uint64_t if_rip, if_cs, if_rflags, if_rsp, if_ss;
};

#endif
