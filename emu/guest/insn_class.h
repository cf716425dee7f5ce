/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * insn_class -- what an instruction does, as far as its name says it.
 *
 * For insn.c only, which adds what its operands say.  Layer 1.
 */
#ifndef EMU_GUEST_INSN_CLASS_H
#define EMU_GUEST_INSN_CLASS_H

#include "base/base.h"

#include <Zydis/Zydis.h>

/* INSN_* flags of insn.h that follow from the mnemonic and its category. */
uint64_t insn_class(const ZydisDecodedInstruction *zydis);

#endif
