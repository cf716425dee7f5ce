/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/drift_parts.h"

#define SHARED UINT_MAX

/* --- Values --------------------------------------------------------------- */

DriftValue
drift_value(uint64_t stride, unsigned bits)
{
    stride &= drift_mask(bits);
    if (stride == 0)
        return drift_exact;
    return (DriftValue){.kind = DRIFT_DRIFTS, .bits = bits, .stride = stride};
}

bool
drift_same(DriftValue a, DriftValue b)
{
    return a.kind == b.kind && (a.kind != DRIFT_DRIFTS ||
                                (a.bits == b.bits && a.stride == b.stride));
}

/* Its lowest `bits`, and zeros above. */
DriftValue
drift_narrow(DriftValue value, unsigned bits)
{
    if (value.kind == DRIFT_DRIFTS)
        return drift_value(value.stride, MIN(bits, value.bits));
    return value.kind == DRIFT_FLAGS && bits < 64 ? drift_loose : value;
}

bool
drift_refuse(Drift *drift, const char *what)
{
    const DriftStep *step = drift->at;

    g_free(drift->why);
    drift->why = g_strdup_printf(
        "cpu%u at 0x%" PRIx64 ": %s", step->cpu,
        step->site != NULL ? step->site->rip : UINT64_C(0), what);
    return false;
}

/* --- Memory --------------------------------------------------------------- */

unsigned
drift_find_cell(const GArray *cells, gpa_t at, unsigned size, unsigned from)
{
    for (; from < cells->len; from++) {
        const DriftCell *cell = &g_array_index(cells, DriftCell, from);

        if (cell->physical < at + size && at < cell->physical + cell->size)
            break;
    }
    return from;
}

static bool
is_exactly(const DriftCell *cell, gpa_t at, unsigned size)
{
    return cell->physical == at && cell->size == size;
}

DriftValue
drift_load(const Drift *drift, gpa_t at, unsigned size)
{
    const GArray *cells = drift->now.cells;
    unsigned i = at == DRIFT_NOWHERE ? cells->len
                                     : drift_find_cell(cells, at, size, 0);
    const DriftCell *cell;

    if (i == cells->len)
        return drift_exact;
    cell = &g_array_index(cells, DriftCell, i);
    return is_exactly(cell, at, size) ? cell->value : drift_loose;
}

/* The cell for exactly these bytes, made if need be. */
DriftCell *
drift_want_cell(GArray *cells, gpa_t at, unsigned size)
{
    DriftCell fresh = {.physical = at, .size = size, .value = drift_exact};

    for (unsigned i = 0; (i = drift_find_cell(cells, at, size, i)) < cells->len;
         i++)
        if (is_exactly(&g_array_index(cells, DriftCell, i), at, size))
            return &g_array_index(cells, DriftCell, i);
    g_array_append_val(cells, fresh);
    return &g_array_index(cells, DriftCell, cells->len - 1);
}

/* Whatever overlaps with these bytes, and is not just them, is LOOSE. */
bool
drift_loosen_others(GArray *cells, gpa_t at, unsigned size)
{
    bool any = false;

    for (unsigned i = 0; (i = drift_find_cell(cells, at, size, i)) < cells->len;
         i++) {
        DriftCell *cell = &g_array_index(cells, DriftCell, i);

        if (is_exactly(cell, at, size))
            continue;
        any = any || cell->value.kind != DRIFT_LOOSE;
        cell->value = drift_loose;
    }
    return any;
}

/* A word that several cores touch has one value for the whole loop. */
static void
store_shared(Drift *drift, gpa_t at, unsigned size, DriftValue value)
{
    GArray *both[] = {drift->now.cells, drift->start.cells};
    bool overlaps = drift_find_cell(drift->now.cells, at, size, 0) <
                    drift->now.cells->len;

    if (!overlaps && value.kind == DRIFT_EXACT)
        return;
    for (unsigned i = 0; i < 2; i++) {
        bool loosened = drift_loosen_others(both[i], at, size);
        DriftCell *cell = drift_want_cell(both[i], at, size);

        if (!loosened && drift_same(cell->value, value))
            continue;
        if (i == 1)
            drift->weakened = drift->weakened ||
                              cell->value.kind != DRIFT_LOOSE;
        cell->value = drift_loose;
    }
}

static void
store_private(Drift *drift, gpa_t at, unsigned size, DriftValue value)
{
    GArray *cells = drift->now.cells;

    for (unsigned i = 0;
         (i = drift_find_cell(cells, at, size, i)) < cells->len;) {
        DriftCell *cell = &g_array_index(cells, DriftCell, i);

        if (cell->physical >= at && cell->physical + cell->size <= at + size) {
            g_array_remove_index_fast(cells, i);
            continue;
        }
        cell->value = drift_loose;
        i++;
    }
    if (value.kind != DRIFT_EXACT)
        drift_want_cell(cells, at, size)->value = value;
}

/* Which cpu alone touches these bytes; SHARED. */
static unsigned
owner_of(const Drift *drift, gpa_t at, unsigned size)
{
    unsigned owner = 0;

    for (gpa_t granule = at >> 3; granule <= (at + size - 1) >> 3; granule++) {
        unsigned one = GPOINTER_TO_UINT(
            g_hash_table_lookup(drift->owners, GSIZE_TO_POINTER(granule + 1)));

        if (one == SHARED || (owner != 0 && one != owner))
            return SHARED;
        owner = one;
    }
    return owner;
}

bool
drift_store(Drift *drift, gpa_t at, unsigned size, DriftValue value)
{
    if (at == DRIFT_NOWHERE)
        return value.kind == DRIFT_EXACT ||
               drift_refuse(drift,
                            "gives to a device what is not the same each "
                            "time");
    if (owner_of(drift, at, size) == SHARED)
        store_shared(drift, at, size, value);
    else
        store_private(drift, at, size, value);
    return true;
}

void
drift_note_owner(Drift *drift, unsigned cpu, gpa_t at, unsigned size)
{
    if (at == DRIFT_NOWHERE)
        return;
    for (gpa_t granule = at >> 3; granule <= (at + size - 1) >> 3; granule++) {
        gpointer key = GSIZE_TO_POINTER(granule + 1);
        unsigned owner = GPOINTER_TO_UINT(
            g_hash_table_lookup(drift->owners, key));

        if (owner != cpu + 1)
            g_hash_table_insert(
                drift->owners, key,
                GUINT_TO_POINTER(owner == 0 ? cpu + 1 : SHARED));
    }
}
