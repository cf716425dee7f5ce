/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memmodel -- the memory models a run can have, and their parameters.
 *
 * In text, as the command line, scenarios and traces have it:
 *
 *      tso    pso,depth=4    weak,barriers=source
 *
 * doc/MEMORY-MODEL.md says what each allows.  Layer 2.
 */
#ifndef EMU_PARTS_MEMMODEL_H
#define EMU_PARTS_MEMMODEL_H

#include "base/base.h"

typedef enum MemoryModel {
    MEMORY_SC,
    MEMORY_TSO,
    MEMORY_PSO,
    MEMORY_WEAK,
    MEMORY_MODELS,
} MemoryModel;

/* What becomes of the compiler barriers that the guest told of
 * (guest/shim/barrier.h).  Only PSO and WEAK can tell the difference. */
typedef enum MemoryBarriers {
    MEMORY_BARRIERS_COMPILED, /* nothing: the machine code as it is */
    MEMORY_BARRIERS_SOURCE,   /* they order, as the source asks for */
} MemoryBarriers;

/* Entries of a store buffer unless somebody says otherwise. */
#define MEMORY_DEPTH_DEFAULT 32u

typedef struct MemoryOptions {
    MemoryModel model;
    MemoryBarriers barriers;
    unsigned depth; /* entries of a store buffer, 1..STOREBUF_DEPTH_MAX */
} MemoryOptions;

#define MEMORY_OPTIONS_SC                                                      \
    ((MemoryOptions){.model = MEMORY_SC, .depth = MEMORY_DEPTH_DEFAULT})

/* "sc", "tso", "pso", "weak". */
const char *memmodel_name(MemoryModel model);

/* As text, what is default left out; caller frees. */
char *memmodel_print(const MemoryOptions *options);

#define MEMMODEL_ERROR memmodel_error_quark()
GQuark memmodel_error_quark(void);
typedef enum MemModelError { MEMMODEL_ERROR_TEXT } MemModelError;

/* Read what memmodel_print() writes.  False with an error that says what is
 * wanted. */
bool memmodel_parse(const char *text, MemoryOptions *options, GError **error);

#endif
