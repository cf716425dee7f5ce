/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hypercall -- what the guest asks of heddle with VMCALL, and how a core ends.
 *
 * The guest's side is guest/shim/hypercall.h: RAX says what it wants.
 * Layer 5; a part of run.
 */
#ifndef EMU_CHOOSE_HYPERCALL_H
#define EMU_CHOOSE_HYPERCALL_H

#include "base/base.h"
#include "machine/machine.h"
#include "watch/verdict.h"

enum { HYPERCALL_STORY_NEXT, HYPERCALL_PANIC, HYPERCALL_CONSOLE };

/* CONSOLE: append RSI bytes at RDI to the machine's console; the core goes
 * on. */
void hypercall_console(Machine *machine, Cpu *cpu);

/* PANIC: fill the verdict with the text at RDI. */
void hypercall_panic(Machine *machine, Cpu *cpu, Verdict *verdict);

/* The core shut down: what could not be delivered says more than that. */
void hypercall_shutdown(const Cpu *cpu, Verdict *verdict);

#endif
