/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/seenstates.h"

typedef struct Seen {
    uint64_t key; /* 0: none */
    SeenSet with;
} Seen;

struct SeenStates {
    Seen *table;
    uint64_t count, size; /* the latter a power of two */
};

#define SIZE_MIN UINT64_C(4096)

SeenStates *
seenstates_new(void)
{
    SeenStates *states = g_new0(SeenStates, 1);

    states->size = SIZE_MIN;
    states->table = g_new0(Seen, states->size);
    return states;
}

void
seenstates_free(SeenStates *states)
{
    if (states == NULL)
        return;
    g_free(states->table);
    g_free(states);
}

static Seen *
find(Seen *table, uint64_t size, uint64_t key)
{
    uint64_t at = key & (size - 1);

    while (table[at].key != 0 && table[at].key != key)
        at = (at + 1) & (size - 1);
    return &table[at];
}

static void
grow(SeenStates *states)
{
    uint64_t size = states->size * 2;
    Seen *table = g_new0(Seen, size);

    for (uint64_t i = 0; i < states->size; i++)
        if (states->table[i].key != 0)
            *find(table, size, states->table[i].key) = states->table[i];
    g_free(states->table);
    states->table = table;
    states->size = size;
}

bool
seenstates_visit(SeenStates *states, uint64_t key, unsigned number,
                 SeenSet as_good)
{
    Seen *seen = find(states->table, states->size, key);

    INVARIANT(key != 0 && number < SEEN_SET_MAX);
    if (seen->key != 0 && (seen->with & as_good) != 0)
        return true;
    if (seen->key == 0) {
        if (states->count == SEENSTATES_MAX)
            return false;
        seen->key = key;
        states->count++;
    }
    seen->with |= (SeenSet)1 << number;
    if (states->count * 4 > states->size * 3)
        grow(states);
    return false;
}

uint64_t
seenstates_count(const SeenStates *states)
{
    return states->count;
}
