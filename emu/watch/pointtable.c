/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/pointtable.h"

#define SIZE_MIN 64u

void
pointtable_clear(PointTable *table)
{
    g_free(table->slots);
    *table = (PointTable){0};
}

static void
put(PointTable *table, gva_t address, int number)
{
    uint64_t hash = address * UINT64_C(0x9e3779b97f4a7c15) >> 32;
    PointSlot *slot = &table->slots[hash & (table->size - 1)];

    while (slot->address != 0 && slot->address != address)
        slot = &table->slots[++hash & (table->size - 1)];
    table->used += slot->address == 0;
    *slot = (PointSlot){address, number};
}

void
pointtable_set(PointTable *table, gva_t address, int number)
{
    PointTable old = *table;

    INVARIANT(address != 0);
    if (2 * (old.used + 1) > old.size) {
        table->size = MAX(2 * old.size, SIZE_MIN);
        table->slots = g_new0(PointSlot, table->size);
        table->used = 0;
        for (unsigned i = 0; i < old.size; i++)
            if (old.slots[i].address != 0)
                put(table, old.slots[i].address, old.slots[i].number);
        g_free(old.slots);
    }
    put(table, address, number);
}
