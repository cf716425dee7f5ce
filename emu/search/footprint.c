/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "search/footprint.h"

#include "parts/cpu_hook.h"

/* Instructions of a column that are looked at. */
#define COLUMN_MAX 4096u

struct FootprintMap {
    unsigned cpus;
    GHashTable *known[CPUS_MAX]; /* rip -> Footprint; NULL: nothing is */
};

/* Accesses of at most two lines each are told by their ends. */
static bool
add_access(const Gmem *gmem, gva_t address, const InsnAccess *access,
           Footprint *footprint)
{
    uint64_t lines;
    gpa_t physical;

    if (access->size > LINE_BYTES ||
        !gmem_translate(gmem, address, access->size, &physical))
        return false;
    lines = footprint_lines(physical, access->size);
    if (access->mode & INSN_ACCESS_READ)
        footprint->reads |= lines;
    if (access->mode & INSN_ACCESS_WRITE)
        footprint->writes |= lines;
    return true;
}

Footprint
footprint_of(const Machine *machine, const Cpu *cpu, const Insn *insn)
{
    const Gmem *gmem = machine_code((Machine *)machine)->gmem;
    Footprint footprint = {0, 0};

    if (insn->flags & (INSN_UNPREDICTED | CODE_UNDEFINED))
        return FOOTPRINT_ALL;
    for (unsigned i = 0; i < insn->access_count; i++)
        if (!add_access(gmem, cpu_address_of(cpu, &insn->access[i]),
                        &insn->access[i], &footprint))
            return FOOTPRINT_ALL;
    return footprint;
}

/* Can the code do something else than go on to what stands below? */
static bool
is_wild(const Insn *insn, gva_t rip)
{
    const uint64_t wild = INSN_UNPREDICTED | INSN_CALL | INSN_RET | INSN_IRET |
                          INSN_INT_N | INSN_SYSCALL | INSN_VMCALL |
                          INSN_STRING_REP | INSN_MSR | CODE_UNDEFINED;

    return insn->flags & wild || insn->length == 0 ||
           (insn->flags & INSN_BRANCH && insn->immediate <= rip);
}

/* Are the addresses the same whenever the core comes here? */
static bool
is_fixed(const Insn *insn, unsigned written)
{
    for (unsigned i = 0; i < insn->access_count; i++) {
        const InsnAccess *access = &insn->access[i];

        if (access->mode > (INSN_ACCESS_READ | INSN_ACCESS_WRITE) ||
            access->index == INSN_REG_AL ||
            (access->base < INSN_REG_NONE && written >> access->base & 1) ||
            (access->index < INSN_REG_NONE && written >> access->index & 1))
            return false;
    }
    return true;
}

/* The instructions of a column, and the registers that they write; NULL if
 * nothing can be said of it. */
static GArray *
list_column(Machine *machine, Cpu *cpu, gva_t end, unsigned *written)
{
    GArray *column = g_array_new(FALSE, FALSE, sizeof(gva_t));

    *written = 0;
    for (gva_t rip = cpu_rip(cpu); rip != end;) {
        const Insn *insn =
            code_at(machine_code(machine), cpu_mode(cpu), rip);

        if (is_wild(insn, rip) || rip > end || column->len == COLUMN_MAX) {
            g_array_unref(column);
            return NULL;
        }
        g_array_append_val(column, rip);
        *written |= insn->gpr_writes;
        rip += insn->length;
    }
    return column;
}

static GHashTable *
look_at_column(Machine *machine, Cpu *cpu, gva_t end)
{
    unsigned written;
    g_autoptr(GArray) column = list_column(machine, cpu, end, &written);
    g_autoptr(GHashTable) known =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    Footprint sum = {0, 0};

    if (column == NULL)
        return NULL;
    for (guint i = column->len; i-- > 0;) {
        gva_t rip = g_array_index(column, gva_t, i);
        const Insn *insn =
            code_at(machine_code(machine), cpu_mode(cpu), rip);
        Footprint one = footprint_of(machine, cpu, insn);

        if (!is_fixed(insn, written))
            one = FOOTPRINT_ALL;
        sum.reads |= one.reads;
        sum.writes |= one.writes;
        g_hash_table_insert(known, g_memdup2(&rip, sizeof rip),
                            g_memdup2(&sum, sizeof sum));
    }
    sum = (Footprint){0, 0};
    g_hash_table_insert(known, g_memdup2(&end, sizeof end),
                        g_memdup2(&sum, sizeof sum));
    return g_steal_pointer(&known);
}

FootprintMap *
footprint_map_new(Machine *machine, const gva_t *ends)
{
    FootprintMap *self = g_new0(FootprintMap, 1);

    self->cpus = machine_cpus(machine);
    for (unsigned i = 0; i < self->cpus; i++)
        self->known[i] =
            look_at_column(machine, machine_cpu(machine, i), ends[i]);
    return self;
}

void
footprint_map_free(FootprintMap *self)
{
    if (self == NULL)
        return;
    for (unsigned i = 0; i < self->cpus; i++)
        g_clear_pointer(&self->known[i], g_hash_table_unref);
    g_free(self);
}

Footprint
footprint_from(const FootprintMap *self, unsigned cpu, gva_t rip)
{
    const Footprint *found =
        self->known[cpu] != NULL
            ? g_hash_table_lookup(self->known[cpu], &rip)
            : NULL;

    return found != NULL ? *found : FOOTPRINT_ALL;
}
