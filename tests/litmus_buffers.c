/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "litmus_buffers.h"

#define THREADS AXIOMS_THREADS_MAX
#define VERSIONS_MAX (AXIOMS_THREADS_MAX * AXIOMS_LENGTH_MAX + 1u)

/* Instead of a location: the mark that an SFENCE leaves in a buffer. */
#define STORE_FENCE (-1)

/*
 * Bytes only, so that two equal states are equal memory.  What is unused is 0.
 * Versions of a location count up from the initial one; the models without
 * late loads keep a single one.
 */
typedef struct State {
    uint8_t next[THREADS];
    uint8_t is_halfway[THREADS]; /* an unlocked increment has read */
    int8_t halfway[THREADS];     /* what it will write */
    int8_t registers[THREADS][AXIOMS_REGISTERS];
    uint8_t buffered[THREADS];
    int8_t locations[THREADS][AXIOMS_LENGTH_MAX];
    int8_t values[THREADS][AXIOMS_LENGTH_MAX];
    uint8_t version_count[AXIOMS_LOCATIONS];
    int8_t versions[AXIOMS_LOCATIONS][VERSIONS_MAX];
    uint8_t oldest[THREADS][AXIOMS_LOCATIONS]; /* that a load may take */
} State;

typedef struct Walk {
    const AxiomsProgram *program;
    AxiomsModel model;
    GHashTable *seen;  /* states, owned */
    GHashTable *known; /* texts, borrowed from outcomes */
    GPtrArray *outcomes;
    bool is_too_big;
} Walk;

static guint
state_hash(gconstpointer key)
{
    const uint8_t *bytes = key;
    guint hash = 2166136261u;

    for (size_t i = 0; i < sizeof(State); i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

static gboolean
state_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(State)) == 0;
}

static void visit(Walk *walk, const State *state);

static int8_t
state_latest(const State *state, unsigned location)
{
    return state->versions[location][state->version_count[location] - 1];
}

static void
state_write(const Walk *walk, State *state, unsigned thread, unsigned location,
            int value)
{
    if (walk->model == AXIOMS_WEAK) {
        uint8_t version = state->version_count[location]++;

        INVARIANT(version < VERSIONS_MAX);
        state->versions[location][version] = (int8_t)value;
        state->oldest[thread][location] = version;
    } else {
        state->versions[location][0] = (int8_t)value;
    }
}

/* From here on the thread's loads are no older than now. */
static void
state_load_barrier(State *state, unsigned thread)
{
    for (unsigned i = 0; i < AXIOMS_LOCATIONS; i++)
        state->oldest[thread][i] = (uint8_t)(state->version_count[i] - 1);
}

static void
state_push(State *state, unsigned thread, int location, int value)
{
    uint8_t at = state->buffered[thread]++;

    INVARIANT(at < AXIOMS_LENGTH_MAX);
    state->locations[thread][at] = (int8_t)location;
    state->values[thread][at] = (int8_t)value;
}

static void
state_remove(State *state, unsigned thread, unsigned at)
{
    unsigned last = --state->buffered[thread];

    for (; at < last; at++) {
        state->locations[thread][at] = state->locations[thread][at + 1];
        state->values[thread][at] = state->values[thread][at + 1];
    }
    state->locations[thread][last] = 0;
    state->values[thread][last] = 0;
}

static void
state_store(const Walk *walk, State *state, unsigned thread, unsigned location,
            int value)
{
    if (walk->model == AXIOMS_SC)
        state_write(walk, state, thread, location, value);
    else
        state_push(state, thread, (int)location, value);
}

/* What a load may return; from its own buffer it is one value. */
static unsigned
state_loads(const State *state, unsigned thread, unsigned location,
            int8_t values[VERSIONS_MAX], uint8_t versions[VERSIONS_MAX])
{
    unsigned count = 0;

    for (unsigned i = state->buffered[thread]; i-- > 0;) {
        if (state->locations[thread][i] != (int)location)
            continue;
        values[0] = state->values[thread][i];
        versions[0] = state->oldest[thread][location];
        return 1;
    }
    for (unsigned i = state->oldest[thread][location];
         i < state->version_count[location]; i++) {
        values[count] = state->versions[location][i];
        versions[count++] = (uint8_t)i;
    }
    return count;
}

/* A load, or the first half of an unlocked increment. */
static void
walk_load(Walk *walk, const State *state, unsigned thread,
          const AxiomsInstruction *at)
{
    int8_t values[VERSIONS_MAX];
    uint8_t versions[VERSIONS_MAX];
    unsigned count = state_loads(state, thread, at->location, values, versions);

    for (unsigned i = 0; i < count; i++) {
        State next = *state;

        next.oldest[thread][at->location] = versions[i];
        if (at->operation == AXIOMS_INC) {
            next.is_halfway[thread] = 1;
            next.halfway[thread] = (int8_t)(values[i] + 1);
        } else {
            next.registers[thread][at->reg] = values[i];
            next.next[thread]++;
        }
        visit(walk, &next);
    }
}

static void
state_locked(const Walk *walk, State *state, unsigned thread,
             const AxiomsInstruction *at)
{
    int8_t *registers = state->registers[thread];
    int8_t old = state_latest(state, at->location);

    state_load_barrier(state, thread);
    switch (at->operation) {
    case AXIOMS_XCHG:
        state_write(walk, state, thread, at->location, registers[at->reg]);
        registers[at->reg] = old;
        break;
    case AXIOMS_LOCK_INC:
        state_write(walk, state, thread, at->location, old + 1);
        break;
    default: /* compare-exchange */
        if (old == registers[0])
            state_write(walk, state, thread, at->location, registers[at->reg]);
        registers[0] = old;
        break;
    }
    state_load_barrier(state, thread);
}

/* The thread's next instruction, if it can be carried out. */
static void
walk_instruction(Walk *walk, const State *state, unsigned thread)
{
    const AxiomsInstruction *at =
        &walk->program->code[thread][state->next[thread]];
    State next = *state;
    bool is_drained = state->buffered[thread] == 0;

    next.next[thread]++;
    switch (at->operation) {
    case AXIOMS_STORE_CONSTANT:
        state_store(walk, &next, thread, at->location, (int)at->constant);
        break;
    case AXIOMS_STORE_REGISTER:
        state_store(walk, &next, thread, at->location,
                    state->registers[thread][at->reg]);
        break;
    case AXIOMS_SET:
        next.registers[thread][at->reg] = (int8_t)at->constant;
        break;
    case AXIOMS_INC:
        if (state->is_halfway[thread]) {
            next.is_halfway[thread] = 0;
            next.halfway[thread] = 0;
            state_store(walk, &next, thread, at->location,
                        state->halfway[thread]);
            break;
        }
        walk_load(walk, state, thread, at);
        return;
    case AXIOMS_LOAD:
        walk_load(walk, state, thread, at);
        return;
    case AXIOMS_SFENCE:
        if (!is_drained)
            state_push(&next, thread, STORE_FENCE, 0);
        break;
    case AXIOMS_LFENCE:
        state_load_barrier(&next, thread);
        break;
    case AXIOMS_MFENCE:
        if (!is_drained)
            return;
        state_load_barrier(&next, thread);
        break;
    case AXIOMS_XCHG:
    case AXIOMS_LOCK_INC:
    case AXIOMS_CAS:
        if (!is_drained)
            return;
        state_locked(walk, &next, thread, at);
        break;
    }
    visit(walk, &next);
}

/* Let each entry leave the thread's buffer that the model lets leave it. */
static void
walk_drains(Walk *walk, const State *state, unsigned thread)
{
    bool in_order = walk->model == AXIOMS_TSO;
    uint64_t passed = 0; /* locations of the entries before */

    for (unsigned i = 0; i < state->buffered[thread]; i++) {
        int location = state->locations[thread][i];
        State next = *state;

        if (i > 0 && (in_order || location == STORE_FENCE))
            return;
        if (location == STORE_FENCE) {
            state_remove(&next, thread, i);
            visit(walk, &next);
            return;
        }
        if (passed >> location & 1)
            continue;
        passed |= UINT64_C(1) << location;
        state_remove(&next, thread, i);
        state_write(walk, &next, thread, (unsigned)location,
                    state->values[thread][i]);
        visit(walk, &next);
    }
}

static void
note_outcome(Walk *walk, const State *state)
{
    int64_t registers[AXIOMS_THREADS_MAX][AXIOMS_REGISTERS];
    int64_t memory[AXIOMS_LOCATIONS];
    g_autofree char *text = NULL;

    for (unsigned i = 0; i < THREADS; i++) {
        for (unsigned r = 0; r < AXIOMS_REGISTERS; r++)
            registers[i][r] = state->registers[i][r];
    }
    for (unsigned i = 0; i < AXIOMS_LOCATIONS; i++)
        memory[i] = state_latest(state, i);
    text = axioms_print_outcome(walk->program, registers, memory);
    if (g_hash_table_contains(walk->known, text))
        return;
    g_hash_table_add(walk->known, text);
    g_ptr_array_add(walk->outcomes, g_steal_pointer(&text));
}

static void
visit(Walk *walk, const State *state)
{
    bool is_end = true;

    if (walk->is_too_big || g_hash_table_contains(walk->seen, state))
        return;
    if (g_hash_table_size(walk->seen) == BUFFERS_STATES_MAX) {
        walk->is_too_big = true;
        return;
    }
    g_hash_table_add(walk->seen, g_memdup2(state, sizeof *state));
    for (unsigned i = 0; i < walk->program->threads; i++) {
        if (state->buffered[i] > 0) {
            is_end = false;
            walk_drains(walk, state, i);
        }
        if (state->next[i] < walk->program->length[i]) {
            is_end = false;
            walk_instruction(walk, state, i);
        }
    }
    if (is_end)
        note_outcome(walk, state);
}

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *
buffers_outcomes(const AxiomsProgram *program, AxiomsModel model)
{
    g_autoptr(GHashTable)
        seen = g_hash_table_new_full(state_hash, state_equal, g_free, NULL);
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) outcomes = g_ptr_array_new_with_free_func(g_free);
    Walk walk = {.program = program,
                 .model = model,
                 .seen = seen,
                 .known = known,
                 .outcomes = outcomes};
    State start;

    INVARIANT(model != AXIOMS_RMO);
    memset(&start, 0, sizeof start);
    memset(start.version_count, 1, sizeof start.version_count);
    visit(&walk, &start);
    if (walk.is_too_big)
        return NULL;
    g_ptr_array_sort(outcomes, compare_texts);
    return g_steal_pointer(&outcomes);
}
