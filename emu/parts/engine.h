/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine -- one instance of Unicorn: it executes instructions and knows
 * nothing of machines.
 *
 * An Engine is created once per core and kept for the whole process, so that
 * its translations stay warm.  It maps the machine's RAM at every window of
 * gmem.h and the APIC page through callbacks, and it installs exactly one
 * instruction hook, on everything, before the first instruction runs: the
 * only hook of Unicorn 2.0.1 that shows exact RIP and flags.
 *
 * The register file is read and written in place.  EngineState names the
 * first part of Unicorn's own state, whose layout engine_new() verifies; with
 * another build of the library heddle refuses to start.
 *
 * Only engine.c includes Unicorn.  Layer 2; owned by Cpu.
 */
#ifndef EMU_PARTS_ENGINE_H
#define EMU_PARTS_ENGINE_H

#include "base/base.h"
#include "base/digest.h"
#include "guest/gmem.h"

typedef struct Engine Engine;
struct uc_struct;

/* A segment register with its descriptor cache. */
typedef struct EngineSegment {
    uint32_t selector;
    uint32_t reserved0;
    uint64_t base;
    uint32_t limit;
    uint32_t flags; /* the descriptor's second word, bits as in memory */
} EngineSegment;

/* Segment numbers, in hardware order. */
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_COUNT };

/* General registers, in hardware order. */
enum {
    GPR_RAX, GPR_RCX, GPR_RDX, GPR_RBX, GPR_RSP, GPR_RBP, GPR_RSI, GPR_RDI,
    GPR_R8, GPR_R9, GPR_R10, GPR_R11, GPR_R12, GPR_R13, GPR_R14, GPR_R15,
    GPR_COUNT
};

/*
 * The live state of the core.  `flags_*` hold RFLAGS in a lazy form: use
 * engine_flags() and engine_set_flags(), outside of engine_run() only.
 */
typedef struct EngineState {
    uint64_t registers[GPR_COUNT];
    uint64_t rip;
    uint64_t flags_rest;
    uint64_t flags_lazy[3];
    uint32_t flags_operation;
    int32_t flags_direction;
    uint32_t hidden; /* Unicorn's mode bits, ENGINE_HIDDEN_* */
    uint32_t hidden2;
    EngineSegment segments[SEG_COUNT];
    EngineSegment ldt, tr, gdt, idt;
    uint64_t cr[5];
} EngineState;

#define ENGINE_HIDDEN_CPL 3u           /* bits 1:0 */
#define ENGINE_HIDDEN_SHADOW (1u << 3) /* STI or MOV SS shadow */
#define ENGINE_HIDDEN_CS32 (1u << 4)
#define ENGINE_HIDDEN_SS32 (1u << 5)
#define ENGINE_HIDDEN_ADDSEG (1u << 6) /* segment bases count */
#define ENGINE_HIDDEN_PE (1u << 7)
#define ENGINE_HIDDEN_FPU (7u << 9) /* CR0's MP, EM, TS */
#define ENGINE_HIDDEN_LMA (1u << 14)
#define ENGINE_HIDDEN_CS64 (1u << 15)

/* RFLAGS, as the SDM names them (volume 1, 3.4.3). */
#define RFLAGS_FIXED (1u << 1)
#define RFLAGS_TF (1u << 8)
#define RFLAGS_IF (1u << 9)
#define RFLAGS_OF (1u << 11)
#define RFLAGS_IOPL (3u << 12)
#define RFLAGS_NT (1u << 14)
#define RFLAGS_RF (1u << 16)
#define RFLAGS_VM (1u << 17)
#define RFLAGS_AC (1u << 18)

/* IA32_EFER (SDM 3A, 2.2.1). */
#define EFER_SCE (1u << 0)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)
#define EFER_NXE (1u << 11)

/* What an Engine tells its owner.  All are called inside engine_run(). */
typedef struct EngineHooks {
    /* Before every instruction, and before every iteration of a REP.  The
     * first argument is Unicorn's and of no use. */
    void (*instruction)(struct uc_struct *unused, uint64_t address,
                        uint32_t size, void *user);
    /* A fault or trap of the instruction, with its vector. */
    void (*exception)(void *user, uint32_t vector);
    /* The instruction is no instruction. */
    void (*undefined)(void *user);
    /* An access to an address that no window shows. */
    void (*unmapped)(void *user, gva_t address, bool write, bool fetch);
    /* The APIC page, 32 bits at a time. */
    uint32_t (*apic_read)(void *user, uint32_t offset);
    void (*apic_write)(void *user, uint32_t offset, uint32_t value);
    void *user;
} EngineHooks;

/*
 * Create an engine over `gmem`, which must outlive it, with the APIC page at
 * physical `apic_base`.  NULL with an error if the installed Unicorn is not
 * one that heddle was measured with, or cannot be opened.
 */
Engine *engine_new(const EngineHooks *hooks, Gmem *gmem, gpa_t apic_base,
                   GError **error);
void engine_free(Engine *engine);

#define ENGINE_ERROR engine_error_quark()
GQuark engine_error_quark(void);
typedef enum EngineError {
    ENGINE_ERROR_LIBRARY /* not the Unicorn that heddle knows */
} EngineError;

/* The live register file; valid for the engine's life. */
EngineState *engine_state(Engine *engine);

/* Execute from state->rip until engine_stop() or an exception that a hook
 * stopped for.  On return the state is exact. */
void engine_run(Engine *engine);

/* From inside a hook: leave engine_run().  From the instruction hook, before
 * the instruction. */
void engine_stop(Engine *engine);

/* RFLAGS; outside of engine_run(), or inside the instruction hook (exact
 * there, since the hook covers every instruction). */
uint64_t engine_flags(Engine *engine);
/* Set RFLAGS; outside of engine_run() only. */
void engine_set_flags(Engine *engine, uint64_t flags);

/* From inside the instruction hook, and the last before the instruction, which
 * stores RFLAGS: Unicorn must work them out. */
void engine_expect_pushf(void);

/* The error code of the exception that was just reported. */
uint32_t engine_error_code(Engine *engine);
/* Forget that an exception was in flight: heddle delivers it itself. */
void engine_clear_exception(Engine *engine);

uint64_t engine_efer(Engine *engine);
void engine_set_efer(Engine *engine, uint64_t efer);

/* STAR, LSTAR, CSTAR, FMASK and the like: the MSRs that Unicorn implements. */
uint64_t engine_msr(Engine *engine, uint32_t number);

/* Recompute the hidden mode bits after segments were written in place:
 * privilege, code width and stack width. */
void engine_sync_mode(Engine *engine);

/* Bytes of a saved state; the same for all engines of a process. */
size_t engine_image_bytes(void);
void engine_save(Engine *engine, void *image);
void engine_load(Engine *engine, const void *image);

/* Go to the state after INIT: real mode, waiting at CS:IP = F000:FFF0 (Intel
 * SDM 3A, table 10-1).  x87 and SSE registers are kept, as INIT keeps them. */
void engine_init_reset(Engine *engine);

/* Go to long mode with these control registers and EFER.LME and .LMA set. */
void engine_boot_paging(Engine *engine, gpa_t cr3, uint64_t cr0, uint64_t cr4);

/* Add everything a program could see of the registers. */
void engine_digest(Engine *engine, Digest *digest);

/* Instructions or page tables in [physical, physical + size) were written:
 * forget their translations, under every window, and those of addresses. */
void engine_code_changed(Engine *engine, gpa_t physical, uint64_t size);

/* Have the instruction at linear `address`, the next one, translated as a
 * block of its own. */
void engine_next_alone(Engine *engine, gva_t address);

/* Discard cached address translations. */
void engine_flush_tlb(Engine *engine);

/* Whether the store accelerator of engine_accel.c is in use. */
bool engine_accelerated(void);
/* Switch it off before the first engine is made (HEDDLE_ACCEL=0, tests). */
void engine_accelerate(bool enable);

#endif
