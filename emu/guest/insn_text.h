/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * insn_text -- one instruction as text, for people.
 *
 * Intel's syntax, as Zydis prints it; "(bad)" for bytes that are none.
 *
 * Layer 1.
 */
#ifndef EMU_GUEST_INSN_TEXT_H
#define EMU_GUEST_INSN_TEXT_H

#include "base/base.h"

/* The 64-bit instruction at the start of `available` bytes, as it stands at
 * `address`.  The caller frees. */
char *insn_text(const uint8_t *bytes, uint64_t available, gva_t address);

#endif
