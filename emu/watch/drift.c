/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/drift.h"

#include "watch/drift_parts.h"

/* Times that the loop is gone through until the assumptions hold. */
#define PASSES_MAX 64u

#define MSR_TIME 0x10u

/* --- Recording ------------------------------------------------------------ */

static const DriftSite *
site_at(Drift *drift, gva_t rip)
{
    const Gmem *memory = machine_memory(drift->machine);
    uint8_t bytes[INSN_LENGTH_MAX] = {0};
    gpa_t physical;
    DriftSite *site;

    if (!gmem_translate(memory, rip, 1, &physical))
        return NULL;
    memcpy(bytes, memory->bytes + physical,
           MIN(sizeof bytes, memory->size - physical));
    site = g_hash_table_lookup(drift->latest, GSIZE_TO_POINTER(physical + 1));
    if (site != NULL && site->rip == rip &&
        memcmp(site->bytes, bytes, site->flow.insn.length) == 0)
        return site;
    site = g_new0(DriftSite, 1);
    g_ptr_array_add(drift->sites, site);
    site->rip = rip;
    site->physical = physical;
    memcpy(site->bytes, bytes, sizeof bytes);
    if (!insn_flow_decode(&site->flow, bytes, sizeof bytes, rip))
        return NULL;
    g_hash_table_insert(drift->latest, GSIZE_TO_POINTER(physical + 1), site);
    return site;
}

static uint64_t
operand_value(Drift *drift, const Cpu *cpu, const DriftStep *step,
              const InsnFlowOperand *operand)
{
    uint64_t value = 0;

    switch (operand->where) {
    case INSN_FLOW_REGISTER:
        value = cpu->live->registers[operand->number];
        break;
    case INSN_FLOW_IMMEDIATE:
        value = operand->value;
        break;
    case INSN_FLOW_MEMORY:
        if (step->access[operand->number] == DRIFT_NOWHERE)
            return UINT64_MAX;
        machine_read(drift->machine, cpu->number,
                     step->access[operand->number] + WINDOW_DIRECT, &value,
                     operand->size);
        break;
    case INSN_FLOW_NOWHERE:
        break;
    }
    return value & drift_mask(8u * operand->size);
}

static void
find_accesses(Drift *drift, const Cpu *cpu, DriftStep *step)
{
    const Insn *insn = &step->site->flow.insn;
    uint64_t bases[SEG_COUNT];

    for (unsigned i = 0; i < SEG_COUNT; i++)
        bases[i] = cpu->live->segments[i].base;
    for (unsigned i = 0; i < insn->access_count; i++) {
        const InsnAccess *access = &insn->access[i];
        gva_t at = insn_effective_address(access, cpu->live->registers, bases);

        if (!gmem_translate(machine_memory(drift->machine), at, access->size,
                            &step->access[i]))
            step->access[i] = DRIFT_NOWHERE;
        drift_note_owner(drift, cpu->number, step->access[i], access->size);
    }
}

void
drift_before_step(Drift *drift, unsigned number)
{
    Cpu *cpu = machine_cpu(drift->machine, number);
    DriftStep step = {.cpu = (uint8_t)number,
                      .access = {DRIFT_NOWHERE, DRIFT_NOWHERE}};

    cpu_own(cpu);
    step.site = cpu->live->hidden & ENGINE_HIDDEN_CS64
                    ? site_at(drift, cpu_rip(cpu))
                    : NULL;
    if (step.site != NULL) {
        const InsnFlow *flow = &step.site->flow;
        uint32_t msr = (uint32_t)cpu->live->registers[GPR_RCX];

        if (!(flow->insn.flags & INSN_STRING_REP) ||
            cpu->live->registers[GPR_RCX] != 0)
            find_accesses(drift, cpu, &step);
        step.reads_time = flow->reads_time ||
                          (flow->insn.flags & INSN_MSR &&
                           (msr == MSR_TIME || msr == LAPIC_MSR_TSC_DEADLINE));
        if (flow->kind == INSN_FLOW_AND) {
            step.to = operand_value(drift, cpu, &step, &flow->to);
            step.from = operand_value(drift, cpu, &step, &flow->from);
        }
    }
    g_array_append_val(drift->steps, step);
}

static bool
has_error_code(unsigned vector)
{
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

void
drift_interrupted(Drift *drift, unsigned number, unsigned vector)
{
    Cpu *cpu = machine_cpu(drift->machine, number);
    DriftStep step = {.cpu = (uint8_t)number,
                      .access = {DRIFT_NOWHERE, DRIFT_NOWHERE}};
    uint16_t bytes = DRIFT_FRAME_BYTES + (has_error_code(vector) ? 8 : 0);
    bool external = vector >= 32 || vector == 2;

    INVARIANT(drift->steps->len > 0);
    if (external)
        g_array_set_size(drift->steps, drift->steps->len - 1);
    else
        g_array_index(drift->steps, DriftStep, drift->steps->len - 1).faulted =
            true;
    cpu_own(cpu);
    step.frame = bytes;
    if (!gmem_translate(machine_memory(drift->machine),
                        cpu->live->registers[GPR_RSP], bytes, &step.access[0]))
        step.access[0] = DRIFT_NOWHERE;
    drift_note_owner(drift, number, step.access[0], bytes);
    g_array_append_val(drift->steps, step);
}

/* --- The fixpoint --------------------------------------------------------- */

static void
copy_world(DriftWorld *to, const DriftWorld *from)
{
    memcpy(to->registers, from->registers, sizeof to->registers);
    memcpy(to->flags, from->flags, sizeof to->flags);
    g_array_set_size(to->cells, 0);
    if (from->cells->len > 0)
        g_array_append_vals(to->cells, from->cells->data, from->cells->len);
}

/* What was assumed of a place must hold at the end, or is assumed no more. */
static void
weaken(Drift *drift, DriftValue *assumed, DriftValue found)
{
    if (assumed->kind == DRIFT_LOOSE || drift_same(*assumed, found))
        return;
    *assumed = drift_loose;
    drift->weakened = true;
}

static void
compare_worlds(Drift *drift)
{
    DriftWorld *start = &drift->start, *end = &drift->now;

    for (unsigned cpu = 0; cpu < machine_cpus(drift->machine); cpu++) {
        for (unsigned i = 0; i < GPR_COUNT; i++)
            weaken(drift, &start->registers[cpu][i], end->registers[cpu][i]);
        if (end->flags[cpu] & ~start->flags[cpu]) {
            start->flags[cpu] |= end->flags[cpu];
            drift->weakened = true;
        }
    }
    for (unsigned i = 0; i < start->cells->len; i++) {
        DriftCell *cell = &g_array_index(start->cells, DriftCell, i);

        weaken(drift, &cell->value,
               drift_load(drift, cell->physical, cell->size));
    }
    for (unsigned i = 0; i < end->cells->len; i++) {
        const DriftCell *cell = &g_array_index(end->cells, DriftCell, i);

        if (drift_find_cell(start->cells, cell->physical, cell->size, 0) <
            start->cells->len)
            drift_loosen_others(start->cells, cell->physical, cell->size);
        weaken(
            drift,
            &drift_want_cell(start->cells, cell->physical, cell->size)->value,
            cell->value);
    }
}

static bool
settle(Drift *drift)
{
    for (unsigned pass = 0; pass < PASSES_MAX; pass++) {
        drift->weakened = false;
        copy_world(&drift->now, &drift->start);
        for (guint i = 0; i < drift->steps->len; i++)
            if (!drift_follow(drift,
                              &g_array_index(drift->steps, DriftStep, i)))
                return false;
        compare_worlds(drift);
        if (!drift->weakened)
            return true;
    }
    drift->why = g_strdup("what changes in the loop cannot be told");
    return false;
}

/* Descriptors and task states are read by the processor itself. */
static bool
is_table(Drift *drift, const DriftWord *word)
{
    const Gmem *memory = machine_memory(drift->machine);

    for (unsigned cpu = 0; cpu < machine_cpus(drift->machine); cpu++) {
        const EngineState *live = machine_cpu(drift->machine, cpu)->live;
        const EngineSegment *tables[] = {&live->gdt, &live->idt, &live->ldt,
                                         &live->tr};

        for (unsigned i = 0; i < G_N_ELEMENTS(tables); i++) {
            gpa_t at;

            if (gmem_translate(memory, tables[i]->base, 1, &at) &&
                word->physical <= at + tables[i]->limit &&
                at < word->physical + word->size)
                return true;
        }
    }
    return false;
}

static void
begin_worlds(Drift *drift, const GArray *words, const GArray *registers)
{
    DriftWorld *start = &drift->start;

    memset(start->registers, 0, sizeof start->registers);
    memset(start->flags, 0, sizeof start->flags);
    g_array_set_size(start->cells, 0);
    for (guint i = 0; i < words->len; i++) {
        const DriftWord *word = &g_array_index(words, DriftWord, i);

        drift_want_cell(start->cells, word->physical, word->size)->value =
            word->loose ? drift_loose
                        : drift_value(word->stride, 8 * word->size);
    }
    for (guint i = 0; i < registers->len; i++) {
        const DriftRegister *r = &g_array_index(registers, DriftRegister, i);

        start->registers[r->cpu][r->number] = drift_value(r->stride, 64);
    }
}

char *
drift_refute(Drift *drift, GArray *words, GArray *registers)
{
    for (guint i = 0; i < words->len; i++)
        if (is_table(drift, &g_array_index(words, DriftWord, i)))
            return g_strdup("a table of descriptors changes in the loop");
    begin_worlds(drift, words, registers);
    if (!settle(drift))
        return g_steal_pointer(&drift->why);
    for (guint i = 0; i < words->len; i++) {
        DriftWord *word = &g_array_index(words, DriftWord, i);

        word->loose = drift_want_cell(drift->start.cells, word->physical,
                                      word->size)
                          ->value.kind == DRIFT_LOOSE;
    }
    for (guint i = 0; i < registers->len; i++) {
        DriftRegister *r = &g_array_index(registers, DriftRegister, i);

        r->loose = drift->start.registers[r->cpu][r->number].kind ==
                   DRIFT_LOOSE;
    }
    return NULL;
}

/* --- Words ---------------------------------------------------------------- */

static const DriftByte *
find_byte(const GArray *bytes, gpa_t at, unsigned size)
{
    guint low = 0, high = bytes->len;

    while (low < high) {
        guint middle = (low + high) / 2;

        if (g_array_index(bytes, DriftByte, middle).physical < at)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == bytes->len ||
        g_array_index(bytes, DriftByte, low).physical >= at + size)
        return NULL;
    return &g_array_index(bytes, DriftByte, low);
}

static DriftWord
word_at(const Drift *drift, const GArray *bytes, gpa_t at, unsigned size)
{
    const Gmem *memory = machine_memory(drift->machine);
    uint64_t before = 0, after = 0;

    for (unsigned i = 0; i < size; i++) {
        const DriftByte *byte = find_byte(bytes, at + i, 1);

        after |= (uint64_t)memory->bytes[at + i] << 8 * i;
        before |=
            (uint64_t)(byte != NULL ? byte->before : memory->bytes[at + i])
            << 8 * i;
    }
    return (DriftWord){.physical = at,
                       .size = size,
                       .stride = (after - before) & drift_mask(8 * size)};
}

static bool
is_listed(const GArray *words, gpa_t at, unsigned size)
{
    for (guint i = 0; i < words->len; i++) {
        const DriftWord *word = &g_array_index(words, DriftWord, i);

        if (word->physical < at + size && at < word->physical + word->size)
            return true;
    }
    return false;
}

static int
compare_words(gconstpointer a, gconstpointer b)
{
    const DriftWord *x = a, *y = b;

    return x->physical < y->physical ? -1 : x->physical > y->physical;
}

void
drift_list_words(Drift *drift, const GArray *bytes, GArray *words)
{
    for (guint i = 0; bytes->len > 0 && i < drift->steps->len; i++) {
        const DriftStep *step = &g_array_index(drift->steps, DriftStep, i);
        const Insn *insn = step->site != NULL ? &step->site->flow.insn : NULL;

        for (unsigned k = 0; insn != NULL && k < insn->access_count; k++) {
            unsigned size = insn->access[k].size;
            gpa_t at = step->access[k];
            DriftWord word;

            if (at == DRIFT_NOWHERE || size > 8 || (size & (size - 1)) != 0 ||
                find_byte(bytes, at, size) == NULL ||
                is_listed(words, at, size))
                continue;
            word = word_at(drift, bytes, at, size);
            g_array_append_val(words, word);
        }
    }
    for (guint i = 0; i < bytes->len; i++) {
        const DriftByte *byte = &g_array_index(bytes, DriftByte, i);
        DriftWord word = word_at(drift, bytes, byte->physical, 1);

        if (!is_listed(words, byte->physical, 1))
            g_array_append_val(words, word);
    }
    g_array_sort(words, compare_words);
}

/* --- Life ----------------------------------------------------------------- */

Drift *
drift_new(Machine *machine)
{
    Drift *drift = g_new0(Drift, 1);

    drift->machine = machine;
    drift->sites = g_ptr_array_new_with_free_func(g_free);
    drift->latest = g_hash_table_new(NULL, NULL);
    drift->owners = g_hash_table_new(NULL, NULL);
    drift->steps = g_array_new(FALSE, FALSE, sizeof(DriftStep));
    drift->now.cells = g_array_new(FALSE, FALSE, sizeof(DriftCell));
    drift->start.cells = g_array_new(FALSE, FALSE, sizeof(DriftCell));
    return drift;
}

void
drift_free(Drift *drift)
{
    if (drift == NULL)
        return;
    g_ptr_array_unref(drift->sites);
    g_hash_table_unref(drift->latest);
    g_hash_table_unref(drift->owners);
    g_array_unref(drift->steps);
    g_array_unref(drift->now.cells);
    g_array_unref(drift->start.cells);
    g_free(drift->why);
    g_free(drift);
}
