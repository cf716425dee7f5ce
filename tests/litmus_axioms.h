/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * litmus_axioms -- what a memory model allows, judged without any machine.
 *
 * A program is a handful of instructions on a few threads.  A candidate is a
 * choice, for each read, of the write it reads from (rf) and, for each
 * location, of an order of its writes (co); fr leads from a read to the writes
 * that come after the one it read.  A candidate is allowed if
 *
 *      uniproc     po-loc + rf + co + fr has no cycle
 *      atomicity   the write of a LOCKed instruction follows in co at once
 *                  the write that its read reads from
 *      one order   ppo + fences + rfe + co + fr has no cycle
 *
 * (Alglave, Maranget, Tautschnig, "Herding Cats", TOPLAS 2014, for a memory
 * that is multi-copy atomic).  What the models keep of the program order:
 *
 *      SC      everything
 *      TSO     all but a write before a read
 *      PSO     of TSO, two writes only of one location
 *      WEAK    of PSO, two reads only of one location
 *      RMO     of WEAK, a read before a write only of one location, or if the
 *              value written is computed from the one read, through registers
 *              or through memory that the thread itself wrote
 *
 * and all of them what fences keep: MFENCE and LOCKed instructions order
 * everything, SFENCE a write with a write, LFENCE a read with what follows.
 * An unlocked increment is a read and a write that depends on it, no more.  A
 * LOCKed compare-exchange that fails is a read that is a full fence.
 *
 * Shares nothing with emu/ above the base: it is there to find it wrong.
 */
#ifndef TESTS_LITMUS_AXIOMS_H
#define TESTS_LITMUS_AXIOMS_H

#include "base/base.h"
#include "base/prng.h"

#define AXIOMS_THREADS_MAX 4u
#define AXIOMS_LENGTH_MAX 6u
#define AXIOMS_LOCATIONS 4u
#define AXIOMS_REGISTERS 5u

typedef enum AxiomsModel {
    AXIOMS_SC,
    AXIOMS_TSO,
    AXIOMS_PSO,
    AXIOMS_WEAK,
    AXIOMS_RMO,
} AxiomsModel;

/*
 * The instructions, with what they look like in a litmus file and in the short
 * form that axioms_parse() reads.
 */
typedef enum AxiomsOperation {
    AXIOMS_STORE_CONSTANT, /* movq $1,(x)               W x 1 */
    AXIOMS_STORE_REGISTER, /* movq %rax,(x)             W x rax */
    AXIOMS_LOAD,           /* movq (x),%rax             R x rax */
    AXIOMS_SET,            /* movq $1,%rax              S rax 1 */
    AXIOMS_MFENCE,         /* mfence                    M */
    AXIOMS_SFENCE,         /* sfence                    SF */
    AXIOMS_LFENCE,         /* lfence                    LF */
    AXIOMS_XCHG,           /* xchgq %rax,(x)            X x rax */
    AXIOMS_INC,            /* incq (x)                  I x */
    AXIOMS_LOCK_INC,       /* lock incq (x)             LI x */
    AXIOMS_CAS,            /* lock cmpxchgq %rbx,(x)    C x rbx */
} AxiomsOperation;

typedef struct AxiomsInstruction {
    AxiomsOperation operation;
    unsigned location; /* 0.. for w x y z, where there is one */
    unsigned reg;      /* 0.. for rax rcx rdx rbx rsi, where there is one */
    int64_t constant;  /* 32 bits of it, as movq takes them */
} AxiomsInstruction;

typedef struct AxiomsProgram {
    unsigned threads;
    unsigned length[AXIOMS_THREADS_MAX];
    AxiomsInstruction code[AXIOMS_THREADS_MAX][AXIOMS_LENGTH_MAX];
} AxiomsProgram;

/* The names of the locations and, in the hardware's order, the registers. */
const char *axioms_location_name(unsigned location);
const char *axioms_register_name(unsigned reg);

/* Read the short form, "W x 1; R y rax || W y 1; R x rax".  BUG on any other
 * text: it is written in a test. */
void axioms_parse(AxiomsProgram *program, const char *text);

/*
 * Invent a program of that many threads with 1 to `length` instructions each.
 * Few locations, values that tell the stores apart, and a bias towards
 * threads that touch what others touch.
 */
void axioms_generate(AxiomsProgram *program, Prng *prng, unsigned threads,
                     unsigned length);

/*
 * Invent a program from a critical cycle, as diy does: each thread has two
 * accesses of different locations with program order, a fence, a dependency
 * or a read of the own store between them; communication (Rfe, Fre, Coe)
 * leads from the second access of one thread to the first of the next.
 * At least 2 threads.
 */
void axioms_generate_cycle(AxiomsProgram *program, Prng *prng,
                           unsigned threads);

/* Whether the thread reads memory into the register. */
bool axioms_observes_register(const AxiomsProgram *program, unsigned thread,
                              unsigned reg);
/* Whether any instruction names the location. */
bool axioms_uses_location(const AxiomsProgram *program, unsigned location);

/* One instruction as it stands in a litmus file; free with g_free(). */
char *axioms_spell(const AxiomsInstruction *instruction);

/*
 * The program as a litmus file for herd's X86_64: its `locations` line names
 * every register that a thread reads memory into and every location used, and
 * its condition is one that may hold or not.  Free with g_free().
 */
char *axioms_print(const AxiomsProgram *program, const char *name);

/*
 * The text of an outcome, "0:rax=0; 1:rax=1; x=1;": what axioms_print()
 * observes, by thread, hardware's order of registers, then name of location.
 * Free with g_free().
 */
char *axioms_print_outcome(
    const AxiomsProgram *program,
    int64_t registers[AXIOMS_THREADS_MAX][AXIOMS_REGISTERS],
    const int64_t memory[AXIOMS_LOCATIONS]);

/*
 * Every outcome that the model allows, each once, sorted by strcmp().  NULL if
 * there are too many candidates to look at (AXIOMS_CANDIDATES_MAX).  Free with
 * g_ptr_array_unref(), which frees the texts.
 */
#define AXIOMS_CANDIDATES_MAX 4000000u
GPtrArray *axioms_outcomes(const AxiomsProgram *program, AxiomsModel model);

#endif
