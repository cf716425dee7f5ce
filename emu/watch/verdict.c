/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/verdict.h"

#include "watch/counter.h"
#include "watch/proof.h"

/* A loop without PAUSE of n steps comes back after n turns at most; kernels
 * spin in some dozens of instructions. */
#define ROUNDS_MAX 512u

const char *
verdict_name(VerdictKind kind)
{
    static const char *const names[] = {
        [VERDICT_DONE] = "done",         [VERDICT_PANIC] = "panic",
        [VERDICT_FAULT] = "fault",       [VERDICT_DEADLOCK] = "deadlock",
        [VERDICT_LIVELOCK] = "livelock", [VERDICT_BUDGET] = "budget",
    };

    return names[kind];
}

void
verdict_set_budget(Verdict *verdict, uint64_t steps, uint64_t still)
{
    verdict->kind = VERDICT_BUDGET;
    verdict->cpu = -1;
    g_snprintf(verdict->text, sizeof verdict->text,
               "no end within %" PRIu64 " steps, no progress within the last "
               "%" PRIu64 ", and no loop is proved",
               steps, still);
}

/* A state that may come back, and when it was. */
typedef struct Kept {
    StateHash hash;
    uint64_t time_reads;
    unsigned round; /* 0: none is kept */
    guint moves;    /* made up to it */
    ticks_t clock;
    GArray *indices; /* uint32_t, of each FIFO */
} Kept;

/* Where the machine stood when it was asked about. */
typedef struct Start {
    gva_t rip[CPUS_MAX];
    uint64_t rsp[CPUS_MAX];
    uint64_t came; /* cores that come to where they stood, one bit each */
    GArray *lengths; /* uint32_t, of each FIFO */
    Machine *machine;
} Start;

typedef struct Search {
    Machine *machine;
    const StateView *view;
    Actions *actions;
    GArray *moves; /* LassoMove */
    Kept kept;
    unsigned round;
    bool counts; /* nothing but counters differs, and nobody read the time, nor
                  * them */
} Search;

static uint64_t
time_reads(Machine *machine)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < machine_cpus(machine); i++)
        sum += machine_cpu(machine, i)->time_reads;
    return sum;
}

static bool
play_rounds(Search *search, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (!lasso_play_round(search->machine, search->actions,
                              search->moves))
            return false;
    search->round += count;
    return true;
}

static void
keep(Search *search, const StateHash *hash)
{
    Kept *kept = &search->kept;

    kept->hash = *hash;
    kept->time_reads = time_reads(search->machine);
    kept->round = search->round;
    kept->moves = search->moves->len;
    kept->clock = machine_clock(search->machine);
    g_array_set_size(kept->indices, 0);
    for (guint i = 0; i < search->view->fifos->len; i++) {
        uint32_t index = state_fifo_index(
            search->machine,
            &g_array_index(search->view->fifos, StateFifo, i));

        g_array_append_val(kept->indices, index);
    }
}

static unsigned
gcd(unsigned a, unsigned b)
{
    return b == 0 ? a : gcd(b, a % b);
}

/* How often the loop is gone round until every ring stands where it stood. */
static unsigned
turns_of_rings(const Search *search)
{
    unsigned turns = 1;

    for (guint i = 0; i < search->view->fifos->len; i++) {
        const StateFifo *fifo =
            &g_array_index(search->view->fifos, StateFifo, i);
        uint32_t moved = state_fifo_index(search->machine, fifo) -
                         g_array_index(search->kept.indices, uint32_t, i);
        unsigned own = fifo->depth / gcd(fifo->depth, moved % fifo->depth);

        turns = turns / gcd(turns, own) * own;
    }
    return turns;
}

/*
 * Brent's way of finding a cycle: one remembered hash, taken anew after 1, 2,
 * 4, 8... rounds, so that both the way into the loop and its length are found
 * without storing more.
 */
static bool
find_loop(Search *search, uint64_t steps_max)
{
    bool timer = lasso_has_timer(search->machine);
    ticks_t begun = machine_clock(search->machine);
    unsigned keep_next = 1;

    while (search->round < ROUNDS_MAX ||
           (timer && machine_clock(search->machine) - begun < steps_max)) {
        StateHash hash;

        if (!play_rounds(search, 1))
            return false;
        state_hash(search->machine, search->view, &hash);
        if (search->kept.round != 0 && hash.shape == search->kept.hash.shape) {
            search->counts =
                hash.but_counters == search->kept.hash.but_counters &&
                time_reads(search->machine) == search->kept.time_reads;
            return true;
        }
        if (search->round == keep_next) {
            keep(search, &hash);
            keep_next *= 2;
        }
    }
    return false;
}

static void
copy_moves(const Search *search, guint from, guint to, GArray *moves)
{
    for (guint i = from; i < to; i++)
        g_array_append_val(moves, g_array_index(search->moves, LassoMove, i));
}

/* The loop is between the kept state and this one.  Rings that turn leave other
 * things in their dead slots the first time. */
static bool
unroll(Search *search, Verdict *verdict, Lasso *lasso)
{
    unsigned rounds = search->round - search->kept.round;
    unsigned turns = turns_of_rings(search);
    guint from = search->kept.moves;

    verdict->loop_rounds = rounds * turns;
    verdict->loop_steps = 0;
    if (turns > 1) {
        if (!play_rounds(search, rounds * turns))
            return false;
        from = search->moves->len;
        if (!play_rounds(search, rounds * turns))
            return false;
    }
    copy_moves(search, 0, from, lasso->stem);
    copy_moves(search, from, search->moves->len, lasso->loop);
    for (guint i = 0; i < lasso->loop->len; i++)
        verdict->loop_steps +=
            g_array_index(lasso->loop, LassoMove, i).steps;
    return true;
}

/* What is on a stack and points near the code, return addresses above all, but
 * no further up. */
#define STAND_STACK_WORDS 64u

static uint64_t
digest_stand(Machine *machine)
{
    Digest digest;

    digest_init(&digest);
    for (unsigned i = 0; i < machine_cpus(machine); i++) {
        Cpu *cpu = machine_cpu(machine, i);
        uint64_t words[STAND_STACK_WORDS] = {0};
        gva_t rip = cpu_rip(cpu), rsp = cpu_register(cpu, GPR_RSP);

        digest_u64(&digest, cpu->state.activity);
        digest_u64(&digest, rip);
        digest_u64(&digest, rsp);
        machine_read(machine, MACHINE_NOBODY, rsp, words, sizeof words);
        for (unsigned k = 0; k < STAND_STACK_WORDS; k++)
            if (words[k] >> 31 == rip >> 31)
                digest_u64(&digest, words[k]);
    }
    return digest_value(&digest);
}

static void
note_start(const Search *search, Start *start)
{
    start->machine = search->machine;
    for (unsigned i = 0; i < machine_cpus(search->machine); i++) {
        start->rip[i] = cpu_rip(machine_cpu(search->machine, i));
        start->rsp[i] = cpu_register(machine_cpu(search->machine, i), GPR_RSP);
    }
    for (guint i = 0; i < search->view->fifos->len; i++) {
        uint32_t length = state_fifo_length(
            search->machine,
            &g_array_index(search->view->fifos, StateFifo, i));

        g_array_append_val(start->lengths, length);
    }
}

static bool
lengths_are(const Search *search, const GArray *lengths)
{
    for (guint i = 0; i < lengths->len; i++)
        if (state_fifo_length(
                search->machine,
                &g_array_index(search->view->fifos, StateFifo, i)) !=
            g_array_index(lengths, uint32_t, i))
            return false;
    return true;
}

/* Once more round the loop. */
typedef struct Again {
    Start *start;
    CounterWatch counters;
} Again;

static void
note_coming(void *user, unsigned cpu, gva_t rip)
{
    Start *start = ((Again *)user)->start;

    if (rip == start->rip[cpu] &&
        machine_cpu(start->machine, cpu)->live->registers[GPR_RSP] ==
            start->rsp[cpu])
        start->came |= UINT64_C(1) << cpu;
}

static void
note_access(void *user, unsigned cpu, gpa_t physical, const InsnAccess *access)
{
    counter_look(&((Again *)user)->counters, cpu, physical, access);
}

/* Go round, and note who comes where he stood; true if the counters of the
 * view were only counted. */
static bool
go_round_again(Search *search, Start *start, unsigned rounds)
{
    Code *code = machine_code(search->machine);
    unsigned marked = 0;
    Again again = {.start = start};
    MachineWatch watch = {.point = note_coming, .access = note_access,
                          .user = &again};
    gva_t mine[CPUS_MAX];
    bool played = true;

    for (unsigned i = 0; i < machine_cpus(search->machine); i++) {
        Cpu *cpu = machine_cpu(search->machine, i);

        if (cpu_rip(cpu) == start->rip[i] &&
            cpu_register(cpu, GPR_RSP) == start->rsp[i])
            start->came |= UINT64_C(1) << i;
        if (code_marks(code, start->rip[i]) & CODE_POINT)
            continue;
        mine[marked++] = start->rip[i];
        code_mark(code, start->rip[i], CODE_POINT);
    }
    counter_watch(&again.counters, search->machine, search->view);
    machine_watch(search->machine, &watch);
    for (unsigned i = 0; i < rounds && played; i++)
        played = lasso_play_round(search->machine, search->actions, NULL);
    machine_watch(search->machine, NULL);
    counter_unwatch(&again.counters);
    while (marked > 0)
        code_unmark(code, mine[--marked], CODE_POINT);
    return played && !again.counters.sees;
}

/*
 * A loop that lies ahead is not one that the machine is in: until it gets
 * there something can still happen, and its next decisions may lead elsewhere.
 * It is in the loop if no FIFO has changed on the way, and every core comes
 * again to the instruction at which it stood, on the same frame.
 */
static bool
is_inside(const Search *search, const Start *start)
{
    return lengths_are(search, start->lengths) &&
           (unsigned)__builtin_popcountll(start->came) ==
               machine_cpus(search->machine);
}

static bool
find_lasso(Search *search, uint64_t steps_max, Verdict *verdict, Lasso *lasso)
{
    g_autoptr(GArray) lengths = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    Start start = {.lengths = lengths};
    static const LassoMove settle = {.settles = true};

    unsigned period;

    note_start(search, &start);
    machine_drain_all(search->machine);
    g_array_append_val(search->moves, settle);
    if (!find_loop(search, steps_max))
        return false;
    period = search->round - search->kept.round;
    verdict->loop_stand = digest_stand(search->machine);
    if (!unroll(search, verdict, lasso))
        return false;
    if (!go_round_again(search, &start, period))
        search->counts = false;
    verdict->loop_here = is_inside(search, &start);
    return true;
}

bool
verdict_find_lasso(Machine *machine, const StateView *view,
                   uint64_t steps_max, Verdict *verdict, Lasso *lasso)
{
    g_autoptr(MachineSnapshot) before = machine_save(machine);
    g_autofree Actions *actions = g_new(Actions, 1);
    g_autoptr(GArray) moves = g_array_new(FALSE, FALSE, sizeof(LassoMove));
    g_autoptr(GArray) indices = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_auto(Lasso) own = {0};
    g_auto(Proof) proof = {0};
    Search search = {.machine = machine, .view = view, .actions = actions,
                     .moves = moves, .kept.indices = indices};
    bool found;

    lasso_init(&own);
    proof_init(&proof);
    machine_watch(machine, NULL);
    found = find_lasso(&search, steps_max, verdict, &own);
    if (found && !search.counts) {
        machine_load(machine, before);
        found = proof_check(machine, &own, &proof);
    }
    machine_load(machine, before);
    if (found && lasso != NULL) {
        copy_moves(&(Search){.moves = own.stem}, 0, own.stem->len,
                   lasso->stem);
        copy_moves(&(Search){.moves = own.loop}, 0, own.loop->len,
                   lasso->loop);
    }
    return found;
}
