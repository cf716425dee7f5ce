/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memmodel -- the memory models a run can have, by name.
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
} MemoryModel;

/* "sc"... */
const char *memmodel_name(MemoryModel model);
/* False if there is no such model. */
bool memmodel_parse(const char *name, MemoryModel *model);

#endif
