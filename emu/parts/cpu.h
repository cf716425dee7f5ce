/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu -- one core: an engine that executes, and everything around it that
 * makes it a processor.
 *
 *                       ┌────────────── Cpu ──────────────┐
 *   cpu_run(slice) ───▶ │ engine on a fiber ─▶ the hook:  │
 *                       │   count, tell, stop exactly     │ ──▶ CpuHost
 *   lapic_receive() ──▶ │ Lapic ─▶ interrupt ─▶ guest IDT │
 *                       └─────────────────────────────────┘
 *
 * A step is one instruction, one iteration of a REP, or one interrupt taken.
 * Each step advances the machine's clock by one tick, and cpu_run() executes
 * exactly the number of steps it was given unless there is a reason to stop
 * before.  It always stops between two instructions.
 *
 * Unicorn executes plain instructions; what Unicorn 2.0.1 does not do, or
 * does by looking at the host, is done here: cpuid, rdtsc, the MSRs of the
 * APIC, CR8, hlt, int, syscall, and the delivery of every interrupt and
 * exception through the guest's own IDT.
 *
 * There are three ways to drive the engine, and they give the same digests:
 * CPU_ENGINE_FIBER leaves a core standing inside the hook and turns to
 * another, CPU_ENGINE_STEPWISE leaves Unicorn before every instruction that
 * ends a slice.  The second is slow and is the reference.  CPU_ENGINE_COMMON
 * is stepwise with one engine for all cores, whose states take turns in it:
 * with many cores this is the fastest, since their code is translated once
 * and stays in the host's caches, and a core costs kilobytes.
 *
 * Invariants: between two calls of cpu_run() the core stands before the
 * instruction at cpu_rip(), and its store buffer is hidden; `interrupt_waits`
 * is what lapic_pending() says.
 *
 * Not decided here: which core runs, when a message arrives, what time it is.
 * Layer 2; embedded in Machine.
 */
#ifndef EMU_PARTS_CPU_H
#define EMU_PARTS_CPU_H

#include "base/base.h"
#include "base/digest.h"
#include "guest/gmem.h"
#include "guest/insn.h"
#include "parts/code.h"
#include "parts/engine.h"
#include "parts/fiber.h"
#include "parts/lapic.h"
#include "parts/memmodel.h"
#include "parts/past.h"
#include "parts/storebuf.h"

typedef struct Cpu Cpu;

typedef enum CpuEngine {
    CPU_ENGINE_FIBER,
    CPU_ENGINE_STEPWISE,
    CPU_ENGINE_COMMON,
} CpuEngine;

/* With more cores than this, machine_new() takes COMMON for FIBER. */
#define CPU_FIBERS_MAX 8u

/* Why cpu_run() came back. */
typedef enum CpuStop {
    CPU_STOP_SLICE,     /* the slice is used up, or ended early: a PAUSE, an
                           IPI was sent, somebody asked with cpu_break() */
    CPU_STOP_HALT,      /* executed HLT */
    CPU_STOP_HYPERCALL, /* stands before VMCALL */
    CPU_STOP_SHUTDOWN,  /* triple fault */
} CpuStop;

typedef enum CpuActivity {
    CPU_ACTIVE,    /* executes when it is given steps */
    CPU_HALTED,    /* HLT: only an interrupt makes it go on */
    CPU_HELD,      /* stands at a hypercall; interrupts are taken there */
    CPU_WAIT_SIPI, /* after INIT */
    CPU_SHUTDOWN,  /* triple fault: for ever */
} CpuActivity;

/* What a core tells the machine while it runs.  None may change the core,
 * except through cpu_break() and cpu_code_changed(). */
typedef struct CpuHost {
    /* It sends a message. */
    void (*send)(void *user, Cpu *cpu, const LapicMessage *message);
    /* It is about to execute an instruction at a marked address, or one of
     * those of `tells_meetings`. */
    void (*point)(void *user, Cpu *cpu, gva_t rip);
    /* It is about to access memory that is watched. */
    void (*access)(void *user, Cpu *cpu, gpa_t physical,
                   const InsnAccess *access);
    /* A store to watched memory, made by the instruction at `rip`, becomes
     * visible to other cores: after this call, with that instruction or from
     * the buffer. */
    void (*visible)(void *user, Cpu *cpu, gpa_t physical, uint64_t size,
                    gva_t rip);
    /* It takes an interrupt or exception before the instruction at `rip`.  If
     * that was a point and was told (`point_told`), it will be told again. */
    void (*interrupted)(void *user, Cpu *cpu, unsigned vector, gva_t rip);
    /* It is about to execute a call or a return, or has just taken an
     * interrupt or exception (insn is NULL, vector says which).  Only if
     * cpu->trace_calls. */
    void (*flow)(void *user, Cpu *cpu, const Insn *insn, unsigned vector);
    /* Memory that holds decoded code is about to be written. */
    void (*code_written)(void *user, gpa_t physical, uint64_t size);
    /* A load can give one of `count` values, at least 2: which?  0 is the
     * newest.  NULL: always that. */
    unsigned (*late)(void *user, Cpu *cpu, unsigned count);
    void *user;
} CpuHost;

/* The one engine of CPU_ENGINE_COMMON, and the core whose state is in it. */
typedef struct CpuCommon {
    Engine *engine;
    Cpu *owner;
} CpuCommon;

/* What is shared by the cores of one machine. */
typedef struct CpuShared {
    Gmem *gmem;
    Code *code;
    ticks_t *clock;        /* virtual time; every step adds one */
    uint64_t watches;      /* lines with GMEM_WATCHED */
    MemoryOptions memory;
    Past *past;            /* of the model WEAK; NULL under the others */
    bool tells_meetings;   /* host.point is told before VMCALL, and before
                              what drains stores, when there are some */
    CpuEngine engine;
    CpuCommon *common;     /* of CPU_ENGINE_COMMON; its owner frees it */
    CpuHost host;
} CpuShared;

/* The architectural state beside the engine's, a value: snapshots copy it. */
typedef struct CpuState {
    CpuActivity activity;
    bool nmi_waits;       /* one NMI is kept */
    bool nmi_blocked;     /* until IRET */
    bool interrupt_waits; /* lapic_pending() >= 0 */
    uint64_t retired;     /* steps of this core */
    uint64_t shadow_at;   /* no interrupt while retired == shadow_at */
    uint64_t dr[8];       /* debug registers: kept, without effect */
    uint64_t depends[GPR_COUNT]; /* of each register, the newest order among
                                    the loads that its value came from (see
                                    past.h); WEAK only */
    uint32_t tsc_aux;
    uint8_t start_vector; /* of the last SIPI */
    Lapic lapic;
} CpuState;

/* Private to cpu*.c: why the engine was left. */
typedef enum CpuExit {
    CPU_EXIT_NONE,
    CPU_EXIT_SLICE,
    CPU_EXIT_RECHECK,
    CPU_EXIT_SPECIAL,
    CPU_EXIT_ALONE,
    CPU_EXIT_EXCEPTION,
    CPU_EXIT_UNMAPPED,
} CpuExit;

struct Cpu {
    /* What the hook touches, first. */
    int64_t slice;         /* steps left before the next stop */
    uint64_t stop_mask;    /* Insn flags that need more than execution */
    uint64_t memory_mask;  /* Insn flags whose accesses must be noted */
    uint32_t plain;        /* CODE_PLAIN, or 0: look at every instruction */
    uint32_t depth;        /* of the store buffer; 0: stores are not buffered */
    uint32_t depending;    /* registers with state.depends, one bit each */
    uint32_t page_hidden;  /* mode bits for which page_slots is right */
    uint64_t page_number;  /* of the address whose slots these are */
    const uint32_t *page_slots;
    const Insn *insns;     /* shared->code->insns */
    ticks_t *clock;        /* shared->clock */
    EngineState *live;     /* the registers, in place */
    bool attention;        /* `slice` is 0 only to get the hook's attention */
    bool point_told;       /* the mark at this address was told already */
    bool leave;            /* the fiber is to unwind to its main loop */
    bool native;           /* execute the next special natively */
    bool apic_touched;     /* registers of the APIC were used; the machine
                              looks at it and resets it */
    bool code_changed;     /* forget translations before going on */
    bool slice_ends;       /* the slice ends before the next instruction */
    bool paused;           /* it executed a PAUSE in this slice, as the last
                              instruction */
    bool whole;            /* its last instruction is not split */
    const CpuShared *shared;
    int64_t slice_kept;    /* while `attention` */

    Cpu *self;             /* what the engine's hooks are given */
    uint8_t *image;        /* COMMON: its state while another owns the engine */
    uint64_t flags_kept;   /* RFLAGS, while it is there */

    gpa_t late_at;         /* RAM holds an older value here ... */
    uint64_t late_newest;  /* ... instead of this ... */
    unsigned late_size;    /* ... for one instruction; 0: nowhere */

    uint64_t time_reads;   /* how often it asked the clock; no state: it is not
                              saved and not put back */
    unsigned number;       /* its index in the machine, and its APIC ID */
    bool trace_calls;      /* tell calls and returns */
    CpuState state;
    Engine *engine;
    Fiber *fiber;          /* NULL: stepwise */
    bool inside;           /* the fiber stands inside the hook */
    CpuStop stop;          /* what the fiber has to say */

    bool alone;            /* the next instruction is a block of its own, and
                              was told of already */
    uint64_t hooked_at;    /* address of the last slow hook */
    gpa_t changed_at;      /* while code_changed */
    uint64_t changed_size;
    uint8_t shutdown_vector; /* what could not be delivered ... */
    gva_t shutdown_rip;      /* ... and where */
    CpuExit exit;
    uint64_t exit_address; /* linear address of the hook that left */
    uint32_t exit_vector;
    gva_t unmapped_address;
    uint64_t unmapped_rip;
    bool unmapped_write, unmapped_fetch;
    StoreBuf stores;
};

/*
 * Make core `number` in its power-up state, waiting for SIPI.  `shared` must
 * outlive it.  False with an error if the engine cannot be made.
 */
bool cpu_init(Cpu *cpu, unsigned number, const CpuShared *shared,
              GError **error);
void cpu_clear(Cpu *cpu);

/* Execute at most `steps` steps, at least 1; the core must be runnable. */
CpuStop cpu_run(Cpu *cpu, uint64_t steps);

/* Can it make a step now?  Active, or an interrupt would be taken. */
bool cpu_is_runnable(Cpu *cpu);

/* The instruction at `rip`, as this core would execute it.  Valid until code
 * is decoded again. */
const Insn *cpu_insn_at(Cpu *cpu, gva_t rip);

/* Tell calls, returns and interrupts to host.flow, or no longer. */
void cpu_trace_calls(Cpu *cpu, bool enable);

/* From inside a CpuHost function: end the slice.  From point and access, the
 * core stops before the instruction that is being told. */
void cpu_break(Cpu *cpu);

/* Instructions in memory change: forget their translations before the next
 * instruction.  May be called at any moment. */
void cpu_code_changed(Cpu *cpu, gpa_t physical, uint64_t size);

/* A message or local interrupt arrives.  Returns what became of it. */
LapicSignal cpu_receive(Cpu *cpu, const LapicMessage *message);

/* The timer of its APIC fires. */
void cpu_timer_expire(Cpu *cpu, ticks_t now);

/* --- Registers; only between two calls of cpu_run() ----------------------- */

/* Let go of the engine, so that the state below is exact.  Cheap when the
 * core was left cleanly; every function of this group calls it. */
void cpu_settle(Cpu *cpu);

/* Put the core's state into the engine, if another's is in a common one. */
void cpu_own(Cpu *cpu);
/* RFLAGS, wherever the state is. */
uint64_t cpu_flags(Cpu *cpu);

gva_t cpu_rip(const Cpu *cpu);
uint64_t cpu_register(Cpu *cpu, unsigned number);
void cpu_set_register(Cpu *cpu, unsigned number, uint64_t value);
bool cpu_interrupts_enabled(Cpu *cpu);

/* Step over the VMCALL it stands before, with a result in RAX. */
void cpu_finish_hypercall(Cpu *cpu, uint64_t result);

/*
 * Put the core where a 64-bit boot loader would: long mode, paging on through
 * `cr3`, flat segments from the GDT at `gdt`, interrupts off, at `entry`.
 */
void cpu_boot(Cpu *cpu, gva_t entry, gpa_t cr3, gva_t gdt);

/* The memory model has changed: look at it anew.  The store buffer must be
 * empty. */
void cpu_update_memory(Cpu *cpu);

/* The stores that may become visible next, one bit each, and making some of
 * them visible: entry `index` and then, up to `count` in all, the oldest that
 * may. */
uint64_t cpu_drainable(const Cpu *cpu);
void cpu_drain_stores(Cpu *cpu, unsigned index, uint64_t count);

/* Save and load; an image is cpu_image_bytes() long. */
size_t cpu_image_bytes(void);
void cpu_save(Cpu *cpu, void *image);
void cpu_load(Cpu *cpu, const void *image);

/* Add all that a program or a device could see; and the same without what
 * only counts: the steps, and the time as far as it has gone by. */
void cpu_digest(Cpu *cpu, Digest *digest);
void cpu_digest_state(Cpu *cpu, Digest *digest);

/* Abort if an invariant of the head comment does not hold. */
void cpu_check(Cpu *cpu);

#endif
