/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pointtable -- from an address in the guest's code to a number.
 *
 * Asked at every marked instruction of every run, so it is an open table with
 * at least half of its slots free, and nothing more.  Layer 4; a value.
 */
#ifndef EMU_WATCH_POINTTABLE_H
#define EMU_WATCH_POINTTABLE_H

#include "base/base.h"

typedef struct PointSlot {
    gva_t address; /* 0: free */
    int number;
} PointSlot;

/* Zeroed, it is empty. */
typedef struct PointTable {
    PointSlot *slots;
    unsigned size; /* a power of two, or 0 */
    unsigned used;
} PointTable;

void pointtable_clear(PointTable *table);

/* The address, not 0, has this number from now on. */
void pointtable_set(PointTable *table, gva_t address, int number);

/* Its number, or -1. */
static inline int
pointtable_get(const PointTable *table, gva_t address)
{
    uint64_t hash = address * UINT64_C(0x9e3779b97f4a7c15) >> 32;

    if (UNLIKELY(table->size == 0))
        return -1;
    for (;; hash++) {
        const PointSlot *slot = &table->slots[hash & (table->size - 1)];

        if (LIKELY(slot->address == address))
            return slot->number;
        if (slot->address == 0)
            return -1;
    }
}

#endif
