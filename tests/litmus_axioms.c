/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "litmus_axioms.h"

/* A read-modify-write is two events. */
#define EVENTS_MAX (2u * AXIOMS_THREADS_MAX * AXIOMS_LENGTH_MAX)
_Static_assert(EVENTS_MAX <= 64, "a set of events is one word");

/* Each doubles the candidates. */
#define COMPARISONS_MAX 12u

#define BIT(i) (UINT64_C(1) << (i))
#define NO_EVENT (-1)

/* A value: a constant, added to what a read got if there is one. */
typedef struct Source {
    int read; /* event, or NO_EVENT */
    int64_t addend;
} Source;

/* Numbered by thread, then in program order. */
typedef struct Event {
    unsigned thread;
    unsigned line; /* index of its instruction */
    unsigned location;
    bool is_write;
    bool is_locked;
    int write;     /* of a LOCKed read: the write that goes with it */
    Source source; /* of a write: what it writes */
} Event;

/* Reachability in the two graphs that must not have a cycle. */
typedef struct Orders {
    uint64_t uniproc[EVENTS_MAX];
    uint64_t global[EVENTS_MAX];
} Orders;

/* A compare-exchange: succeeds if its read gets what it compares with. */
typedef struct Comparison {
    int read;
    Source comparand;
    bool succeeds;
} Comparison;

typedef struct Search {
    const AxiomsProgram *program;
    AxiomsModel model;

    Event events[EVENTS_MAX];
    unsigned count;
    Source registers[AXIOMS_THREADS_MAX][AXIOMS_REGISTERS]; /* at the end */
    Comparison comparisons[EVENTS_MAX];
    unsigned comparison_count;
    unsigned successes; /* bit i: comparison i is taken to succeed */

    int writes[AXIOMS_LOCATIONS][EVENTS_MAX];
    int reads[AXIOMS_LOCATIONS][EVENTS_MAX];
    unsigned write_count[AXIOMS_LOCATIONS];
    unsigned read_count[AXIOMS_LOCATIONS];

    int co[AXIOMS_LOCATIONS][EVENTS_MAX]; /* writes in coherence order */
    unsigned position[EVENTS_MAX];        /* of a write in co, from 1 */
    int rf[EVENTS_MAX];                   /* NO_EVENT: the initial 0 */

    unsigned candidates;
    bool is_too_big;
    GHashTable *known;
    GPtrArray *outcomes; /* owns the texts */
} Search;

/* Add a pair and all that follows from it; false if that closes a cycle. */
static bool
relate(uint64_t *reach, unsigned count, int from, int to)
{
    uint64_t added = reach[to] | BIT(to);

    if (from == to || reach[to] & BIT(from))
        return false;
    if (reach[from] & BIT(to))
        return true;
    for (unsigned i = 0; i < count; i++) {
        if (i == (unsigned)from || reach[i] & BIT(from))
            reach[i] |= added;
    }
    return true;
}

static bool
operation_is_locked(AxiomsOperation operation)
{
    return operation == AXIOMS_XCHG || operation == AXIOMS_LOCK_INC ||
           operation == AXIOMS_CAS;
}

static int
add_event(Search *search, const Event *event)
{
    int number = (int)search->count;

    INVARIANT(search->count < EVENTS_MAX);
    search->events[search->count++] = *event;
    return number;
}

/* The read and, if there is one, the write of an instruction that is both. */
static void
add_update(Search *search, unsigned thread, unsigned line)
{
    const AxiomsInstruction *at = &search->program->code[thread][line];
    Source *registers = search->registers[thread];
    Event event = {.thread = thread,
                   .line = line,
                   .location = at->location,
                   .is_locked = operation_is_locked(at->operation),
                   .write = NO_EVENT,
                   .source = {NO_EVENT, 0}};
    int read = add_event(search, &event);
    bool writes = true;

    event.is_write = true;
    event.source = (Source){read, 1};
    if (at->operation == AXIOMS_XCHG) {
        event.source = registers[at->reg];
        registers[at->reg] = (Source){read, 0};
    }
    if (at->operation == AXIOMS_CAS) {
        unsigned number = search->comparison_count++;

        writes = search->successes >> number & 1;
        search->comparisons[number] = (Comparison){read, registers[0], writes};
        event.source = registers[at->reg];
        registers[0] = (Source){read, 0};
    }
    if (writes) {
        int write = add_event(search, &event);

        if (event.is_locked)
            search->events[read].write = write;
    }
}

static void
add_instruction(Search *search, unsigned thread, unsigned line)
{
    const AxiomsInstruction *at = &search->program->code[thread][line];
    Source *registers = search->registers[thread];
    Event event = {.thread = thread,
                   .line = line,
                   .location = at->location,
                   .write = NO_EVENT,
                   .source = {NO_EVENT, 0}};

    switch (at->operation) {
    case AXIOMS_STORE_CONSTANT:
        event.is_write = true;
        event.source.addend = at->constant;
        add_event(search, &event);
        break;
    case AXIOMS_STORE_REGISTER:
        event.is_write = true;
        event.source = registers[at->reg];
        add_event(search, &event);
        break;
    case AXIOMS_LOAD:
        registers[at->reg] = (Source){add_event(search, &event), 0};
        break;
    case AXIOMS_SET:
        registers[at->reg] = (Source){NO_EVENT, at->constant};
        break;
    case AXIOMS_XCHG:
    case AXIOMS_INC:
    case AXIOMS_LOCK_INC:
    case AXIOMS_CAS:
        add_update(search, thread, line);
        break;
    case AXIOMS_MFENCE:
    case AXIOMS_SFENCE:
    case AXIOMS_LFENCE:
        break;
    }
}

static void
add_events(Search *search)
{
    const AxiomsProgram *program = search->program;

    search->count = 0;
    search->comparison_count = 0;
    for (unsigned i = 0; i < program->threads; i++) {
        for (unsigned r = 0; r < AXIOMS_REGISTERS; r++)
            search->registers[i][r] = (Source){NO_EVENT, 0};
        for (unsigned j = 0; j < program->length[i]; j++)
            add_instruction(search, i, j);
    }
    for (unsigned i = 0; i < AXIOMS_LOCATIONS; i++)
        search->write_count[i] = search->read_count[i] = 0;
    for (unsigned i = 0; i < search->count; i++) {
        unsigned at = search->events[i].location;

        if (search->events[i].is_write)
            search->writes[at][search->write_count[at]++] = (int)i;
        else
            search->reads[at][search->read_count[at]++] = (int)i;
    }
}

/* Whether such an instruction stands between two events of a thread. */
static bool
stands_between(const Search *search, const Event *a, const Event *b,
               AxiomsOperation operation)
{
    for (unsigned i = a->line + 1; i < b->line; i++) {
        if (search->program->code[a->thread][i].operation == operation)
            return true;
    }
    return false;
}

/* Whether the model keeps event i before event j, later in its thread. */
static bool
keeps_order(const Search *search, unsigned i, unsigned j)
{
    const Event *a = &search->events[i];
    const Event *b = &search->events[j];
    AxiomsModel model = search->model;

    if (model == AXIOMS_SC || stands_between(search, a, b, AXIOMS_MFENCE))
        return true;
    /* So a LOCKed instruction also orders what is around it: by way of it. */
    if (a->is_locked || b->is_locked)
        return true;
    if (a->is_write && !b->is_write)
        return false;
    if (model == AXIOMS_TSO || a->location == b->location)
        return true;
    if (a->is_write)
        return stands_between(search, a, b, AXIOMS_SFENCE);
    if (model == AXIOMS_PSO)
        return true;
    if (stands_between(search, a, b, AXIOMS_LFENCE))
        return true;
    if (!b->is_write)
        return false;
    return model == AXIOMS_WEAK || b->source.read == (int)i;
}

static void
add_program_order(const Search *search, Orders *orders)
{
    memset(orders, 0, sizeof *orders);
    for (unsigned i = 0; i < search->count; i++) {
        const Event *a = &search->events[i];

        for (unsigned j = i + 1; j < search->count; j++) {
            const Event *b = &search->events[j];
            bool acyclic = true;

            if (a->thread != b->thread)
                break;
            if (a->location == b->location)
                acyclic = relate(orders->uniproc, search->count, (int)i,
                                 (int)j);
            if (keeps_order(search, i, j))
                acyclic &= relate(orders->global, search->count, (int)i,
                                  (int)j);
            INVARIANT(acyclic);
        }
    }
}

static bool
relate_both(const Search *search, Orders *orders, int from, int to)
{
    return relate(orders->uniproc, search->count, from, to) &&
           relate(orders->global, search->count, from, to);
}

/* False if the value hangs on itself: nothing ever made it. */
static bool
evaluate(const Search *search, Source source, uint64_t pending, int64_t *value)
{
    uint64_t sum = (uint64_t)source.addend;

    while (source.read != NO_EVENT) {
        int write = search->rf[source.read];

        if (pending & BIT(source.read))
            return false;
        pending |= BIT(source.read);
        source = (Source){NO_EVENT, 0};
        if (write != NO_EVENT)
            source = search->events[write].source;
        sum += (uint64_t)source.addend;
    }
    *value = (int64_t)sum;
    return true;
}

static bool
comparisons_come_out(const Search *search)
{
    for (unsigned i = 0; i < search->comparison_count; i++) {
        const Comparison *at = &search->comparisons[i];
        int64_t found, wanted;

        if (!evaluate(search, (Source){at->read, 0}, 0, &found) ||
            !evaluate(search, at->comparand, 0, &wanted) ||
            (found == wanted) != at->succeeds)
            return false;
    }
    return true;
}

/*
 * RMO: a store waits for the loads that its value comes from, also where the
 * value went through an own store on its way; a load cannot forward what is
 * not known yet.
 */
static bool
dependencies_hold(const Search *search, const Orders *orders)
{
    Orders extended = *orders;

    for (unsigned i = 0; i < search->count; i++) {
        const Event *event = &search->events[i];
        int read = event->source.read;

        if (!event->is_write)
            continue;
        while (read != NO_EVENT) {
            int write = search->rf[read];

            if (!relate(extended.global, search->count, read, (int)i))
                return false;
            if (write == NO_EVENT ||
                search->events[write].thread != event->thread)
                break;
            read = search->events[write].source.read;
        }
    }
    return true;
}

static void
note_outcome(Search *search, const Orders *orders)
{
    const AxiomsProgram *program = search->program;
    int64_t registers[AXIOMS_THREADS_MAX][AXIOMS_REGISTERS] = {{0}};
    int64_t memory[AXIOMS_LOCATIONS] = {0};
    g_autofree char *text = NULL;

    if (search->model == AXIOMS_RMO && !dependencies_hold(search, orders))
        return;
    if (!comparisons_come_out(search))
        return;
    for (unsigned i = 0; i < program->threads; i++) {
        for (unsigned r = 0; r < AXIOMS_REGISTERS; r++) {
            if (!evaluate(search, search->registers[i][r], 0, &registers[i][r]))
                return;
        }
    }
    for (unsigned i = 0; i < AXIOMS_LOCATIONS; i++) {
        unsigned last = search->write_count[i];

        if (last == 0)
            continue;
        if (!evaluate(search, search->events[search->co[i][last - 1]].source, 0,
                      &memory[i]))
            return;
    }
    text = axioms_print_outcome(program, registers, memory);
    if (g_hash_table_contains(search->known, text))
        return;
    g_hash_table_add(search->known, text);
    g_ptr_array_add(search->outcomes, g_steal_pointer(&text));
}

static bool
may_go_on(Search *search)
{
    if (++search->candidates > AXIOMS_CANDIDATES_MAX)
        search->is_too_big = true;
    return !search->is_too_big;
}

static void place_writes(Search *search, unsigned location, unsigned placed,
                         const Orders *orders);

/* Choose what the reads of a location from `index` on read. */
static void
place_reads(Search *search, unsigned location, unsigned index,
            const Orders *orders)
{
    unsigned writes = search->write_count[location];
    int read;
    const Event *event;

    if (index == search->read_count[location]) {
        place_writes(search, location + 1, 0, orders);
        return;
    }
    read = search->reads[location][index];
    event = &search->events[read];
    for (unsigned at = 0; at <= writes && may_go_on(search); at++) {
        int from = at ? search->co[location][at - 1] : NO_EVENT;
        Orders next = *orders;

        if (event->write != NO_EVENT &&
            search->position[event->write] != at + 1)
            continue;
        if (from != NO_EVENT) {
            bool external = search->events[from].thread != event->thread;

            if (!relate(next.uniproc, search->count, from, read))
                continue;
            if (external && !relate(next.global, search->count, from, read))
                continue;
        }
        if (at < writes &&
            !relate_both(search, &next, read, search->co[location][at]))
            continue;
        search->rf[read] = from;
        place_reads(search, location, index + 1, &next);
    }
}

/* Choose the coherence order of a location, of which so many are placed. */
static void
place_writes(Search *search, unsigned location, unsigned placed,
             const Orders *orders)
{
    unsigned count;

    if (location == AXIOMS_LOCATIONS) {
        note_outcome(search, orders);
        return;
    }
    count = search->write_count[location];
    if (placed == count) {
        place_reads(search, location, 0, orders);
        return;
    }
    for (unsigned i = 0; i < count && may_go_on(search); i++) {
        int write = search->writes[location][i];
        Orders next = *orders;
        bool acyclic = true;

        if (search->position[write] != 0)
            continue;
        for (unsigned j = 0; acyclic && j < count; j++) {
            int later = search->writes[location][j];

            if (later != write && search->position[later] == 0)
                acyclic = relate_both(search, &next, write, later);
        }
        if (!acyclic)
            continue;
        search->co[location][placed] = write;
        search->position[write] = placed + 1;
        place_writes(search, location, placed + 1, &next);
        search->position[write] = 0;
    }
}

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *
axioms_outcomes(const AxiomsProgram *program, AxiomsModel model)
{
    g_autofree Search *search = g_new0(Search, 1);
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) outcomes = g_ptr_array_new_with_free_func(g_free);
    unsigned comparisons = 0;

    search->program = program;
    search->model = model;
    search->known = known;
    search->outcomes = outcomes;
    for (unsigned i = 0; i < program->threads; i++) {
        for (unsigned j = 0; j < program->length[i]; j++)
            comparisons += program->code[i][j].operation == AXIOMS_CAS;
    }
    if (comparisons > COMPARISONS_MAX)
        return NULL;
    for (; search->successes < 1u << comparisons; search->successes++) {
        Orders orders;

        add_events(search);
        add_program_order(search, &orders);
        place_writes(search, 0, 0, &orders);
        if (search->is_too_big)
            return NULL;
    }
    g_ptr_array_sort(outcomes, compare_texts);
    return g_steal_pointer(&outcomes);
}
