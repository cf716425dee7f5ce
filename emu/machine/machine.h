/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine -- N cores, their memory, the messages between them, and the time.
 *
 *      ┌──────────────── Machine ─────────────────┐
 *      │  Cpu 0   Cpu 1   ...   Cpu N-1    clock  │
 *      │    │ Lapic │ Lapic        │ Lapic        │
 *      │    └──▶ messages in flight ◀──┘          │
 *      │              Gmem                        │
 *      └──────────────────────────────────────────┘
 *
 * The machine never chooses.  It lists the actions that may happen next, in a
 * fixed order, and performs the one it is told:
 *
 *      STEP     cpu      the core executes up to n steps
 *      DRAIN    cpu      up to n of its buffered stores become visible
 *      DELIVER  message  an interrupt message reaches its target's APIC
 *      FIRE     cpu      the APIC timer of that core, which is due, ticks
 *
 * Time is virtual: the clock counts ticks, one for each step of any core, and
 * when nothing but a timer is left it jumps to the timer.  One tick is one
 * cycle of the TSC.
 *
 * Invariants: the list of actions is a function of the state; message numbers
 * only grow; the base snapshot exists after machine_rebase().
 *
 * Layer 3.
 */
#ifndef EMU_MACHINE_MACHINE_H
#define EMU_MACHINE_MACHINE_H

#include <limits.h>

#include "base/base.h"
#include "base/capacity.h"
#include "base/digest.h"
#include "machine/action.h"
#include "machine/apicbus.h"
#include "parts/code.h"
#include "parts/cpu.h"

typedef struct MachineOptions {
    unsigned cpus;     /* 1..CPUS_MAX */
    unsigned ram_mib;  /* 1..RAM_MIB_MAX */
    CpuEngine engine;
} MachineOptions;

/* What observers of a machine can be told; each may be NULL. */
typedef struct MachineWatch {
    void (*point)(void *user, unsigned cpu, gva_t rip);
    void (*access)(void *user, unsigned cpu, gpa_t physical,
                   const InsnAccess *access);
    /* A store to watched memory, made at `rip`, becomes visible to others. */
    void (*visible)(void *user, unsigned cpu, gpa_t physical, uint64_t size,
                    gva_t rip);
    /* An interrupt or exception is taken before the instruction at `rip`. */
    void (*interrupted)(void *user, unsigned cpu, unsigned vector, gva_t rip);
    void (*flow)(void *user, unsigned cpu, const Insn *insn, unsigned vector);
    void (*sent)(void *user, unsigned cpu, const Message *message);
    /* A load can give one of `count` values, 0 the newest: which? */
    unsigned (*late)(void *user, unsigned cpu, unsigned count);
    void *user;
} MachineWatch;

typedef struct Machine Machine;
typedef struct MachineSnapshot MachineSnapshot;

/*
 * Make a machine in its power-up state, memory empty.  NULL with an error if
 * the cores' engines cannot be made.  Costs some milliseconds a core, once.
 */
Machine *machine_new(const MachineOptions *options, GError **error);
void machine_free(Machine *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Machine, machine_free)

/* The watchers; `watch` is copied, NULL removes them. */
void machine_watch(Machine *machine, const MachineWatch *watch);
/* Have accesses to the lines of [physical, physical + size) told. */
void machine_watch_memory(Machine *machine, gpa_t physical, uint64_t size);
/* The same for one line; false if it was watched already.  And no longer. */
bool machine_watch_line(Machine *machine, gpa_t physical);
void machine_unwatch_line(Machine *machine, gpa_t physical);
void machine_watch_no_memory(Machine *machine);
/* Have points told also before VMCALL, and before instructions that drain a
 * core's buffer, while something is in it. */
void machine_watch_meetings(Machine *machine, bool enable);
/* Have all calls, returns and interrupts told. */
void machine_watch_flow(Machine *machine, bool enable);

/*
 * The memory model and its parameters; SC until then.  To be set while
 * nothing is buffered, as at the base.
 */
void machine_set_memory(Machine *machine, const MemoryOptions *options);
const MemoryOptions *machine_memory_options(const Machine *machine);

/* --- Acting --------------------------------------------------------------- */

/* What may happen next, in its fixed order: steps by core, drains by core,
 * messages by number, timers by core.  Empty: nothing can ever happen again,
 * unless somebody outside acts on a core that is held. */
void machine_list_actions(Machine *machine, Actions *actions);

/* The stores of core `cpu` that may become visible next, one bit each. */
uint64_t machine_drainable(const Machine *machine, unsigned cpu);

/* The buffered stores of core `cpu`, oldest first; valid until it acts. */
const Store *machine_stores(const Machine *machine, unsigned cpu,
                            unsigned *count);

/*
 * Perform one of the listed actions.  `steps` is how many steps a STEP may
 * make at most, at least 1, or how many stores a DRAIN makes visible at most:
 * that of action->number, then the oldest that may.  It does not matter to the
 * others.  Returns why a STEP ended, CPU_STOP_SLICE for the others.
 */
CpuStop machine_perform(Machine *machine, const Action *action,
                        uint64_t steps);

/* Drop or double a message in flight: an injected fault.  False if there is
 * none of this number. */
bool machine_drop_message(Machine *machine, uint64_t number);
bool machine_double_message(Machine *machine, uint64_t number);

/* Cores were changed from outside, through machine_cpu(): look again what
 * they can do. */
void machine_refresh(Machine *machine);

/* Let a core that is held at a hypercall go on, with `result` in RAX; other
 * registers may be set before, through machine_cpu(). */
void machine_finish_hypercall(Machine *machine, unsigned cpu,
                              uint64_t result);

/* End the slice of the core that is running; from inside a watcher. */
void machine_break(Machine *machine, unsigned cpu);

/* --- Looking -------------------------------------------------------------- */

unsigned machine_cpus(const Machine *machine);
Cpu *machine_cpu(Machine *machine, unsigned cpu);
Gmem *machine_memory(Machine *machine);
Code *machine_code(Machine *machine);
Past *machine_past(Machine *machine);
ticks_t machine_clock(const Machine *machine);

/*
 * Read or write guest virtual memory as core `cpu` would: its own buffered
 * stores are seen, and what is written goes into its buffer.  With
 * MACHINE_NOBODY: memory as all agree on it, and a write that is visible at
 * once.  False, and nothing done, where it is not RAM.  A watcher, which is
 * called while a core runs, may read but not write.
 */
#define MACHINE_NOBODY UINT_MAX
bool machine_read(Machine *machine, unsigned cpu, gva_t address, void *bytes,
                  uint64_t size);
bool machine_write(Machine *machine, unsigned cpu, gva_t address,
                   const void *bytes, uint64_t size);

/* Core `cpu` has a full fence: its stores become visible, and no later load is
 * older than this moment. */
void machine_fence(Machine *machine, unsigned cpu);

/* Everything that is buffered becomes visible, and no load is late: what a
 * fair machine comes to. */
void machine_drain_all(Machine *machine);

/* Messages in flight, in order of sending. */
const Message *machine_messages(const Machine *machine, unsigned *count);

/* Were there more than BUS_MESSAGES_MAX messages in flight?  Those beyond were
 * lost; a finding about the guest. */
bool machine_bus_overflowed(const Machine *machine);

/* Text that the guest wrote to its console in this run. */
void machine_console_write(Machine *machine, const char *text, size_t size);
const char *machine_console(const Machine *machine);

/* The digest of everything: cores, memory, APICs, messages, clock, console. */
uint64_t machine_digest(Machine *machine);

/* Abort if an invariant is broken.  Walks everything. */
void machine_check(Machine *machine);

/* --- Going back ----------------------------------------------------------- */

/* Make the present state the base that machine_restore() goes back to. */
void machine_rebase(Machine *machine);
/* Go back to the base: costs what was dirtied since. */
void machine_restore(Machine *machine);

/* A snapshot in the middle of a run, relative to the base.  Loading it needs
 * the same base. */
MachineSnapshot *machine_save(Machine *machine);
void machine_load(Machine *machine, const MachineSnapshot *snapshot);
void machine_snapshot_free(MachineSnapshot *snapshot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MachineSnapshot, machine_snapshot_free)

#endif
