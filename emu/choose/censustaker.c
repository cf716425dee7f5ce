/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/censustaker.h"

#include "base/prng.h"
#include "choose/entity.h"
#include "parts/cpu_hook.h"

/* How near to its stack pointer a core's own stack is thought to be, bytes:
 * a handler and what it interrupts stand on the same one. */
#define STACK_BYTES 4096u

/* Who was seen at a line: cores as such, and in interrupt handlers. */
typedef struct Seen {
    uint64_t threads, handlers;
    bool written;
    bool presumed; /* to be shared, by the caller */
} Seen;

typedef struct Taker {
    Run *run;
    Machine *machine;
    Census *census;
    GHashTable *lines;   /* line + 1 -> Seen */
    GPtrArray *touches;  /* Touch, each once, in the order of the runs */
    GHashTable *known;   /* the same, for looking up */
    GArray *watched;     /* uint64_t: lines that somebody else watches */
    unsigned nested[CPUS_MAX];    /* interrupts that a core is inside of */
    uint64_t events[CPUS_MAX];    /* of the present run */
    uint64_t others;              /* drains, deliveries and timers of it */
    bool acted[ENTITIES_MAX];     /* in some run */
} Taker;

typedef struct Touch {
    gva_t rip;
    uint64_t line;
} Touch;

/* --- The first half: who is where ----------------------------------------- */

static guint
hash_touch(gconstpointer key)
{
    const Touch *touch = key;

    return (guint)prng_mix(touch->rip, touch->line);
}

static gboolean
same_touch(gconstpointer a, gconstpointer b)
{
    const Touch *one = a, *other = b;

    return one->rip == other->rip && one->line == other->line;
}

static Seen *
seen_at(Taker *taker, uint64_t line)
{
    gpointer key = GSIZE_TO_POINTER(line + 1);
    Seen *seen = g_hash_table_lookup(taker->lines, key);

    if (seen != NULL)
        return seen;
    seen = g_new0(Seen, 1);
    g_hash_table_insert(taker->lines, key, seen);
    return seen;
}

static bool
is_on_own_stack(Taker *taker, unsigned number, gpa_t physical)
{
    const Cpu *cpu = machine_cpu(taker->machine, number);
    gpa_t top;

    return gmem_translate(machine_memory(taker->machine),
                          cpu->live->registers[GPR_RSP], 1, &top) &&
           physical + STACK_BYTES - top < 2 * (uint64_t)STACK_BYTES;
}

static void
note_touch(Taker *taker, gva_t rip, uint64_t line)
{
    Touch touch = {.rip = rip, .line = line};

    if (g_hash_table_contains(taker->known, &touch))
        return;
    g_ptr_array_add(taker->touches, g_memdup2(&touch, sizeof touch));
    g_hash_table_add(taker->known, g_ptr_array_index(taker->touches,
                                                     taker->touches->len - 1));
}

static void
on_access(void *user, unsigned cpu, gpa_t physical, const InsnAccess *access)
{
    Taker *taker = user;
    gva_t rip = machine_cpu(taker->machine, cpu)->hooked_at;
    gpa_t last = (physical + access->size - 1) >> LINE_BITS;
    bool handles = taker->nested[cpu] > 0 &&
                   !is_on_own_stack(taker, cpu, physical);

    for (gpa_t line = physical >> LINE_BITS; line <= last; line++) {
        Seen *seen = seen_at(taker, line);

        *(handles ? &seen->handlers : &seen->threads) |= UINT64_C(1) << cpu;
        seen->written |= (access->mode & INSN_ACCESS_WRITE) != 0;
        note_touch(taker, rip, line);
    }
}

static void
on_flow(void *user, unsigned cpu, const Insn *insn, unsigned vector)
{
    Taker *taker = user;

    (void)vector;
    if (insn == NULL)
        taker->nested[cpu]++;
    else if (insn->flags & INSN_IRET && taker->nested[cpu] > 0)
        taker->nested[cpu]--;
}

static bool
is_shared(const Seen *seen)
{
    uint64_t all = seen->threads | seen->handlers;

    return seen->presumed ||
           (seen->written && ((all & (all - 1)) != 0 ||
                              (seen->threads & seen->handlers) != 0));
}

static int
ascending(gconstpointer a, gconstpointer b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

    return (one > other) - (one < other);
}

/* In order and each once: nothing may depend on the order of a table. */
static void
tidy(GArray *numbers)
{
    guint kept = 0;

    g_array_sort(numbers, ascending);
    for (guint i = 0; i < numbers->len; i++) {
        uint64_t number = g_array_index(numbers, uint64_t, i);

        if (kept == 0 ||
            g_array_index(numbers, uint64_t, kept - 1) != number)
            g_array_index(numbers, uint64_t, kept++) = number;
    }
    g_array_set_size(numbers, kept);
}

static void
draw_conclusions(Taker *taker)
{
    for (guint i = 0; i < taker->touches->len; i++) {
        const Touch *touch = g_ptr_array_index(taker->touches, i);

        if (!is_shared(seen_at(taker, touch->line)))
            continue;
        g_array_append_val(taker->census->lines, touch->line);
        g_array_append_val(taker->census->places, touch->rip);
    }
    tidy(taker->census->lines);
    tidy(taker->census->places);
}

/* --- The second half: how much -------------------------------------------- */

static void
on_point(void *user, unsigned cpu, gva_t rip)
{
    Taker *taker = user;
    Census *census = taker->census;
    Cpu *core = machine_cpu(taker->machine, cpu);
    CensusEvent event;

    if (!census_sees(census, core, rip, cpu_insn_at(core, rip), &event))
        return;
    taker->events[cpu]++;
    if (event.line != CENSUS_STORY)
        g_array_index(census->line_events, uint64_t,
                      census_line(census, event.line) * census->cpus +
                          cpu)++;
}

static void
on_action(void *user, const Action *action, uint64_t steps)
{
    Taker *taker = user;

    bool *acted = &taker->acted[entity_of(action->kind, action->cpu)];

    (void)steps;
    taker->others += action->kind != ACTION_STEP;
    taker->census->entities += !*acted;
    *acted = true;
}

static void
add_up(Taker *taker, const uint64_t *retired)
{
    Census *census = taker->census;
    uint64_t all = taker->others;

    for (unsigned i = 0; i < census->cpus; i++) {
        CensusCore *core = &census->cores[i];
        uint64_t steps =
            machine_cpu(taker->machine, i)->state.retired - retired[i];

        core->steps_mean += steps;
        core->steps_max = MAX(core->steps_max, steps);
        core->events_mean += taker->events[i];
        core->events_max = MAX(core->events_max, taker->events[i]);
        all += taker->events[i];
    }
    census->events_mean += all;
    census->events_max = MAX(census->events_max, all);
}

/* Sums become means. */
static void
divide(Census *census, unsigned runs)
{
    for (unsigned i = 0; i < census->cpus; i++) {
        census->cores[i].steps_mean /= runs;
        census->cores[i].events_mean /= runs;
    }
    census->events_mean /= runs;
    for (guint i = 0; i < census->line_events->len; i++) {
        uint64_t *events = &g_array_index(census->line_events, uint64_t, i);

        *events = (*events + runs - 1) / runs;
    }
}

/* --- Runs ----------------------------------------------------------------- */

static void
watch_all(Taker *taker)
{
    gpa_t size = machine_memory(taker->machine)->size;

    for (uint64_t line = 0; line < size >> LINE_BITS; line++)
        if (!machine_watch_line(taker->machine, line << LINE_BITS))
            g_array_append_val(taker->watched, line);
    machine_watch_flow(taker->machine, true);
}

static void
unwatch(Taker *taker)
{
    machine_watch_no_memory(taker->machine);
    for (guint i = 0; i < taker->watched->len; i++)
        machine_watch_line(
            taker->machine,
            g_array_index(taker->watched, uint64_t, i) << LINE_BITS);
    machine_watch_flow(taker->machine, false);
}

/* One half.  *runs: how many were made. */
static bool
make_runs(Taker *taker, bool counts, unsigned *runs, GError **error)
{
    g_autoptr(Strategy) strategy = strategy_random_new(0);
    uint64_t retired[CPUS_MAX], steps = 0;
    bool ok = true;

    machine_restore(taker->machine);
    for (unsigned i = 0; i < taker->census->cpus; i++)
        retired[i] = machine_cpu(taker->machine, i)->state.retired;
    for (*runs = 0; ok && *runs < CENSUS_RUNS && steps < CENSUS_STEPS_MAX;
         ++*runs) {
        RunResult result;

        memset(taker->nested, 0, sizeof taker->nested);
        memset(taker->events, 0, sizeof taker->events);
        taker->others = 0;
        ok = run_execute(taker->run, strategy, NULL, *runs + 1, &result,
                         error);
        if (ok)
            steps += result.steps;
        if (ok && counts)
            add_up(taker, retired);
    }
    return ok;
}

bool
censustaker_take(Run *run, Machine *machine, Census *census, GError **error)
{
    Taker taker = {
        .run = run,
        .machine = machine,
        .census = census,
        .lines = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL,
                                       g_free),
        .touches = g_ptr_array_new_with_free_func(g_free),
        .known = g_hash_table_new(hash_touch, same_touch),
        .watched = g_array_new(FALSE, FALSE, sizeof(uint64_t)),
    };
    RunObserver watcher = {.access = on_access, .flow = on_flow,
                           .user = &taker};
    RunObserver counter = {.point = on_point, .action = on_action,
                           .user = &taker};
    RunObserver before;
    unsigned runs;
    bool ok;

    census->cpus = machine_cpus(machine);
    run_set_census(run, NULL);
    before = run_observe(run, &watcher);
    for (guint i = 0; i < census->lines->len; i++)
        seen_at(&taker, g_array_index(census->lines, uint64_t, i))->presumed =
            true;
    watch_all(&taker);
    ok = make_runs(&taker, false, &runs, error);
    unwatch(&taker);
    if (ok) {
        draw_conclusions(&taker);
        census_mark(census, machine);
        g_array_set_size(census->line_events,
                         census->lines->len * census->cpus);
        run_observe(run, &counter);
        ok = make_runs(&taker, true, &runs, error);
    }
    if (ok)
        divide(census, runs);
    run_observe(run, &before);
    g_hash_table_unref(taker.lines);
    g_hash_table_unref(taker.known);
    g_ptr_array_unref(taker.touches);
    g_array_unref(taker.watched);
    return ok;
}
