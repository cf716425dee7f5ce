/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "search/statespace.h"

#include "parts/cpu_hook.h"
#include "search/footprint.h"

/* Loads of one instruction that can be late. */
#define LATE_MAX 4u

/* One thing that can happen next. */
typedef struct Move {
    Action action;
    unsigned late_count;         /* decisions about late loads that are made */
    unsigned late[LATE_MAX];
} Move;

/* The state of one core; frames of the stack share those that are alike. */
typedef struct CoreImage {
    unsigned references;
    uint64_t hash;
    _Alignas(16) uint8_t bytes[];
} CoreImage;

/* A state in which there is more than one way to go on. */
typedef struct Frame {
    CoreImage *cores[CPUS_MAX];
    uint8_t *lines;      /* of memory, in the order of the dirty list */
    uint32_t line_count;
    Past *past;
    GArray *moves;       /* Move, not made yet */
} Frame;

typedef struct Search {
    const StateSpaceSetup *setup;
    Machine *machine;
    StateSpaceResult *result;
    unsigned cpus;
    GPtrArray *stack;     /* Frame */
    GHashTable *seen;     /* digests */
    FootprintMap *footprints;
    Actions *actions;
    CoreImage *loaded[CPUS_MAX]; /* what a core is, or NULL: it has moved */
    const Move *move;     /* being made */
    unsigned late_asked;  /* so far in it */
    unsigned late_counts[LATE_MAX];
} Search;

/* --- States --------------------------------------------------------------- */

static void
release_core(CoreImage *image)
{
    if (image != NULL && --image->references == 0)
        g_free(image);
}

static void
free_frame(gpointer data)
{
    Frame *frame = data;

    for (unsigned i = 0; i < CPUS_MAX; i++)
        release_core(frame->cores[i]);
    g_free(frame->lines);
    g_free(frame->past);
    g_array_free(frame->moves, TRUE);
    g_free(frame);
}

static void
forget_loaded(Search *search, unsigned cpu)
{
    release_core(search->loaded[cpu]);
    search->loaded[cpu] = NULL;
}

static uint64_t
hash_core(Search *search, unsigned number)
{
    Digest digest;

    if (search->loaded[number] != NULL)
        return search->loaded[number]->hash;
    digest_init(&digest);
    cpu_digest_state(machine_cpu(search->machine, number), &digest);
    return digest_value(&digest);
}

/* Lines are added up: the order in which they became dirty does not matter. */
static uint64_t
hash_memory(const Gmem *memory)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < memory->dirty_count; i++) {
        gpa_t at = (gpa_t)memory->dirty[i] << LINE_BITS;
        Digest digest;

        if (memcmp(memory->bytes + at, memory->base + at, LINE_BYTES) == 0)
            continue;
        digest_init(&digest);
        digest_u64(&digest, at);
        digest_bytes(&digest, memory->bytes + at, LINE_BYTES);
        sum += digest_value(&digest);
    }
    return sum;
}

static uint64_t
hash_state(Search *search, uint64_t hashes[CPUS_MAX])
{
    Digest digest;

    digest_init(&digest);
    for (unsigned i = 0; i < search->cpus; i++) {
        hashes[i] = hash_core(search, i);
        digest_u64(&digest, hashes[i]);
    }
    digest_u64(&digest, hash_memory(machine_memory(search->machine)));
    past_digest(machine_past(search->machine), &digest);
    return digest_value(&digest);
}

static Frame *
save_state(Search *search, const uint64_t hashes[CPUS_MAX])
{
    const Gmem *memory = machine_memory(search->machine);
    const Past *past = machine_past(search->machine);
    Frame *frame = g_new0(Frame, 1);

    for (unsigned i = 0; i < search->cpus; i++) {
        if (search->loaded[i] == NULL) {
            CoreImage *image =
                g_malloc0(sizeof(CoreImage) + cpu_image_bytes());

            image->references = 1;
            image->hash = hashes[i];
            cpu_save(machine_cpu(search->machine, i), image->bytes);
            search->loaded[i] = image;
        }
        frame->cores[i] = search->loaded[i];
        frame->cores[i]->references++;
    }
    frame->line_count = memory->dirty_count;
    frame->lines = g_malloc((size_t)frame->line_count << LINE_BITS);
    for (uint32_t i = 0; i < frame->line_count; i++)
        memcpy(frame->lines + ((size_t)i << LINE_BITS),
               memory->bytes + ((size_t)memory->dirty[i] << LINE_BITS),
               LINE_BYTES);
    frame->past = g_malloc(past_bytes(past));
    past_copy(frame->past, past);
    frame->moves = g_array_new(FALSE, FALSE, sizeof(Move));
    return frame;
}

/* The dirty list only grows during a search: what a frame does not know was
 * still as in the base. */
static void
load_memory(Machine *machine, const Frame *frame)
{
    Gmem *memory = machine_memory(machine);

    for (uint32_t i = 0; i < memory->dirty_count; i++) {
        gpa_t at = (gpa_t)memory->dirty[i] << LINE_BITS;
        const uint8_t *line = i < frame->line_count
                                  ? frame->lines + ((size_t)i << LINE_BITS)
                                  : memory->base + at;

        if (LIKELY(!(memory->line_flags[memory->dirty[i]] & GMEM_CODE)))
            memcpy(memory->bytes + at, line, LINE_BYTES);
        else if (memcmp(memory->bytes + at, line, LINE_BYTES) != 0)
            machine_write(machine, MACHINE_NOBODY, WINDOW_KERNEL + at, line,
                          LINE_BYTES);
    }
}

static void
load_state(Search *search, const Frame *frame)
{
    Gmem *memory = machine_memory(search->machine);
    Past *past = machine_past(search->machine);

    for (unsigned i = 0; i < search->cpus; i++) {
        if (search->loaded[i] == frame->cores[i])
            continue;
        cpu_load(machine_cpu(search->machine, i), frame->cores[i]->bytes);
        forget_loaded(search, i);
        search->loaded[i] = frame->cores[i];
        search->loaded[i]->references++;
    }
    load_memory(search->machine, frame);
    past_forget(past, memory);
    past_copy(past, frame->past);
    past_mark_lines(past, memory);
    machine_refresh(search->machine);
}

/* --- Moves ---------------------------------------------------------------- */

static unsigned
on_late(void *user, unsigned cpu, unsigned count)
{
    Search *search = user;
    const Move *move = search->move;
    unsigned number = search->late_asked++;

    (void)cpu;
    if (number >= LATE_MAX) {
        search->result->complete = false;
        return 0;
    }
    search->late_counts[number] = count;
    return move != NULL && number < move->late_count ? move->late[number] : 0;
}

static bool
is_done(const Search *search, unsigned cpu)
{
    return cpu_rip(machine_cpu(search->machine, cpu)) ==
           search->setup->ends[cpu];
}

/* Make a move; the decisions about late loads that it met are in late_asked
 * and late_counts. */
static void
make(Search *search, const Move *move)
{
    search->move = move;
    search->late_asked = 0;
    machine_perform(search->machine, &move->action, 1);
    search->move = NULL;
    forget_loaded(search, move->action.cpu);
    search->result->transitions++;
}

/* The decisions after those that the move had made were taken as 0: the other
 * values are moves of their own. */
static void
add_late_moves(Search *search, GArray *moves, const Move *move)
{
    unsigned asked = MIN(search->late_asked, LATE_MAX);

    for (unsigned i = move->late_count; i < asked; i++)
        for (unsigned value = 1; value < search->late_counts[i]; value++) {
            Move other = *move;

            while (other.late_count < i)
                other.late[other.late_count++] = 0;
            other.late[other.late_count++] = value;
            g_array_append_val(moves, other);
        }
}

/* What core `cpu` can still access, with what it has buffered. */
static Footprint
future_of(const Search *search, unsigned cpu)
{
    Footprint future = footprint_from(
        search->footprints, cpu, cpu_rip(machine_cpu(search->machine, cpu)));
    unsigned count;
    const Store *stores = machine_stores(search->machine, cpu, &count);

    for (unsigned i = 0; i < count; i++)
        future.writes |= footprint_lines(stores[i].physical, stores[i].size);
    return future;
}

/* Can another core still do something that these accesses of `cpu` do not
 * commute with? */
static bool
is_contended(const Search *search, unsigned cpu, Footprint accesses)
{
    for (unsigned i = 0; i < search->cpus; i++) {
        Footprint future;

        if (i == cpu)
            continue;
        future = future_of(search, i);
        if (future.writes & (accesses.reads | accesses.writes) ||
            future.reads & accesses.writes)
            return true;
    }
    return false;
}

/* It only adds to the core's own buffer, which has room. */
static bool
is_buffered(const Search *search, const Cpu *cpu, const Insn *insn,
            Footprint accesses)
{
    return machine_memory_options(search->machine)->model != MEMORY_SC &&
           accesses.reads == 0 && insn->access_count == 1 &&
           insn->access[0].size <= STORE_BYTES_MAX &&
           !(insn->flags & INSN_LOCKED) &&
           cpu->stores.count + 2 <= cpu->depth;
}

/* What the step accesses, with the stores that it makes visible, and under
 * `weak` with all later loads if it is a barrier for them. */
static Footprint
accesses_of(const Search *search, unsigned number, const Insn *insn)
{
    const uint64_t drains = INSN_LOCKED | INSN_FENCE_M;
    Footprint accesses = footprint_of(
        search->machine, machine_cpu(search->machine, number), insn);
    Footprint future = future_of(search, number);
    unsigned count;
    const Store *stores = machine_stores(search->machine, number, &count);

    for (unsigned i = 0; i < count && insn->flags & drains; i++)
        accesses.writes |= footprint_lines(stores[i].physical, stores[i].size);
    if (machine_memory_options(search->machine)->model == MEMORY_WEAK &&
        insn->flags & (drains | INSN_FENCE_L))
        accesses.reads |= future.reads;
    return accesses;
}

/* Could the step's loads be late? */
static bool
may_be_late(const Search *search, Footprint accesses)
{
    const Past *past = machine_past(search->machine);

    for (unsigned i = 0; i < past->count; i++)
        if (accesses.reads &
            footprint_lines(past->stores[i].physical, past->stores[i].size))
            return true;
    return false;
}

/* Would no other core notice whether this step comes now or later? */
static bool
is_private(const Search *search, unsigned number, const Cpu *cpu,
           const Insn *insn)
{
    const uint64_t seen = INSN_UNPREDICTED | INSN_SERIALISING | INSN_RDTSC |
                          INSN_IN_OUT | INSN_MSR | INSN_HALT | INSN_INT_N |
                          INSN_VMCALL | INSN_CALL | INSN_RET | CODE_UNDEFINED;
    MemoryModel model = machine_memory_options(search->machine)->model;
    Footprint accesses;

    if (insn->flags & seen || (model == MEMORY_SC && cpu->stores.count > 0) ||
        (insn->flags & INSN_BRANCH && insn->immediate <= cpu_rip(cpu)))
        return false;
    accesses = accesses_of(search, number, insn);
    return is_buffered(search, cpu, insn, accesses) ||
           (!is_contended(search, number, accesses) &&
            !may_be_late(search, accesses));
}

/* A step that is private; false if there is none. */
static bool
find_private_step(Search *search, Move *move)
{
    for (unsigned i = 0; i < search->cpus; i++) {
        Cpu *cpu = machine_cpu(search->machine, i);
        const Insn *insn;

        if (is_done(search, i) || !cpu_is_runnable(cpu))
            continue;
        insn = code_at(machine_code(search->machine), cpu_mode(cpu),
                       cpu_rip(cpu));
        if (insn->flags & INSN_RDTSC)
            search->result->complete = false;
        if (is_private(search, i, cpu, insn)) {
            *move = (Move){.action = {.kind = ACTION_STEP, .cpu = i}};
            return true;
        }
    }
    return false;
}

/* A store that may drain and that nobody else will ever look at. */
static bool
find_private_drain(Search *search, Move *move)
{
    for (unsigned i = 0; i < search->cpus; i++) {
        uint64_t drainable = machine_drainable(search->machine, i);
        unsigned count;
        const Store *stores = machine_stores(search->machine, i, &count);

        for (; drainable != 0; drainable &= drainable - 1) {
            unsigned index = (unsigned)__builtin_ctzll(drainable);
            Footprint accesses = {
                .writes = footprint_lines(stores[index].physical,
                                          stores[index].size)};

            if (is_contended(search, i, accesses))
                continue;
            *move = (Move){.action = {
                .kind = ACTION_DRAIN, .cpu = i, .number = index}};
            return true;
        }
    }
    return false;
}

/* Do what is private as long as there is something. */
static void
go_on_privately(Search *search)
{
    Move move;

    while (find_private_step(search, &move) ||
           find_private_drain(search, &move))
        make(search, &move);
}

static void
add_drains(Search *search, GArray *moves, unsigned cpu)
{
    uint64_t drainable = machine_drainable(search->machine, cpu);

    for (; drainable != 0; drainable &= drainable - 1) {
        Move move = {
            .action = {.kind = ACTION_DRAIN,
                       .cpu = cpu,
                       .number = (uint64_t)__builtin_ctzll(drainable)}};

        g_array_append_val(moves, move);
    }
}

/* Under SC a step begins by finishing the half that is left over: that is a
 * drain, and then a step. */
static void
list_moves(Search *search, GArray *moves)
{
    bool sc = machine_memory_options(search->machine)->model == MEMORY_SC;

    machine_list_actions(search->machine, search->actions);
    if (search->actions->rest_count > 0)
        search->result->complete = false;
    for (unsigned i = 0; i < search->cpus; i++) {
        bool buffered = search->actions->drains >> i & 1;
        Move step = {.action = {.kind = ACTION_STEP, .cpu = i}};

        if (search->actions->steps >> i & 1 && !is_done(search, i) &&
            !(sc && buffered))
            g_array_append_val(moves, step);
        if (buffered)
            add_drains(search, moves, i);
    }
}

/* --- The search ----------------------------------------------------------- */

/* Nothing can happen any more. */
static void
reach_end(Search *search)
{
    for (unsigned i = 0; i < search->cpus; i++)
        if (!is_done(search, i)) {
            search->result->stopped = (int)i;
            search->result->stopped_at =
                cpu_rip(machine_cpu(search->machine, i));
            return;
        }
    search->result->ends++;
    search->setup->reached(search->setup->user);
}

/* Old values that nobody will read again do not make states different. */
static void
forget_unread(Search *search)
{
    for (unsigned i = 0; i < search->cpus; i++)
        past_expect(machine_past(search->machine),
                    machine_memory(search->machine), i,
                    future_of(search, i).reads);
}

/* The machine has come somewhere: if it was not here before, put a frame on
 * the stack with all that can happen next. */
static void
arrive(Search *search)
{
    uint64_t hashes[CPUS_MAX];
    gpointer hash;
    Frame *frame;

    go_on_privately(search);
    forget_unread(search);
    hash = GSIZE_TO_POINTER(hash_state(search, hashes));
    if (!g_hash_table_add(search->seen, hash))
        return;
    search->result->states++;
    if (search->stack->len == STATESPACE_DEPTH_MAX) {
        search->result->complete = false;
        return;
    }
    frame = save_state(search, hashes);
    list_moves(search, frame->moves);
    if (frame->moves->len == 0) {
        reach_end(search);
        free_frame(frame);
    } else
        g_ptr_array_add(search->stack, frame);
}

static void
search_all(Search *search)
{
    arrive(search);
    while (search->stack->len > 0) {
        Frame *frame =
            g_ptr_array_index(search->stack, search->stack->len - 1);
        Move move;

        if (frame->moves->len == 0) {
            g_ptr_array_set_size(search->stack, (int)search->stack->len - 1);
            continue;
        }
        if (search->result->states >= search->setup->states_max) {
            search->result->complete = false;
            return;
        }
        move = g_array_index(frame->moves, Move, frame->moves->len - 1);
        g_array_set_size(frame->moves, frame->moves->len - 1);
        load_state(search, frame);
        make(search, &move);
        add_late_moves(search, frame->moves, &move);
        arrive(search);
    }
}

void
statespace_search(const StateSpaceSetup *setup, StateSpaceResult *result)
{
    MachineWatch watch = {.late = on_late};
    Search search = {
        .setup = setup,
        .machine = setup->machine,
        .result = result,
        .cpus = machine_cpus(setup->machine),
        .stack = g_ptr_array_new_with_free_func(free_frame),
        .seen = g_hash_table_new(g_direct_hash, g_direct_equal),
        .actions = g_new0(Actions, 1),
    };

    *result = (StateSpaceResult){.complete = true, .stopped = -1};
    watch.user = &search;
    machine_watch(setup->machine, &watch);
    machine_restore(setup->machine);
    search.footprints = footprint_map_new(setup->machine, setup->ends);
    search_all(&search);
    footprint_map_free(search.footprints);
    machine_watch(setup->machine, NULL);
    for (unsigned i = 0; i < search.cpus; i++)
        forget_loaded(&search, i);
    g_ptr_array_free(search.stack, TRUE);
    g_hash_table_destroy(search.seen);
    g_free(search.actions);
}
