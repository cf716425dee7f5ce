/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * litmus_assemble -- the columns of a litmus test as machine code, made by
 * GNU as.
 *
 *      bytes   0              entry 0: column P0
 *              ...            end 0:   pause; jmp entry 0
 *              n * 4096       entry 1: column P1
 *              ...
 *
 * The bytes belong at physical LITMUS_CODE_AT and run at WINDOW_KERNEL +
 * LITMUS_CODE_AT: each column begins a page.  A column is over when its thread
 * stands at its end; the two instructions there let it go round and round.
 *
 * Locations are absolute numbers in the code, which fit a sign-extended
 * 32-bit displacement.  Nothing is left for a linker to do.
 *
 * The code is what the file asks for, privileged instructions and wild jumps
 * included: it is a guest's.
 *
 * Layer 9.
 */
#ifndef EMU_LITMUS_LITMUS_ASSEMBLE_H
#define EMU_LITMUS_LITMUS_ASSEMBLE_H

#include "base/base.h"
#include "litmus/litmus.h"

typedef struct LitmusCode {
    uint8_t *bytes;
    size_t size;
    gva_t entry[LITMUS_THREADS_MAX]; /* in WINDOW_KERNEL */
    gva_t end[LITMUS_THREADS_MAX];
    /* General registers that a thread's instructions may write, implicit ones
     * included, bit n for register n: for litmus_observe_all(). */
    uint16_t registers_written[LITMUS_THREADS_MAX];
    /* Nothing that the columns do depends on more than general registers and
     * memory as they find them: no flags, no vector registers, no APIC. */
    bool is_plain;
} LitmusCode;

/* Runs `as`.  NULL with an error that begins with "path:line: " where the
 * fault is the file's. */
LitmusCode *litmus_assemble(const Litmus *litmus, GError **error);

void litmus_code_free(LitmusCode *code);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LitmusCode, litmus_code_free)

#endif
