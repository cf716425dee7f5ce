/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "litmus/litmus_run.h"

#include "choose/choice.h"
#include "machine/loader.h"

G_DEFINE_QUARK(heddle-litmus-run-error, litmus_run_error)

#define RAM_MIB 4u

/* A slice of a sampled run: columns are a few instructions long. */
#define MEAN_STEPS 2u

/* Bytes of PAUSE, which stands at a column's end. */
#define PAUSE_BYTES 2u

struct LitmusRun {
    const Litmus *litmus;
    const LitmusCode *code;
    Machine *machine;
    Actions *actions;
    Choice choice;
    LitmusStates *states; /* being filled */
    int64_t *values;      /* of one outcome */
};

/* --- Set-up --------------------------------------------------------------- */

static bool
fits(const Litmus *litmus, const LitmusCode *code, GError **error)
{
    uint64_t end = LITMUS_DATA_AT + litmus_data_bytes(litmus);

    if (LITMUS_CODE_AT + code->size <= LITMUS_DATA_AT &&
        end <= (uint64_t)RAM_MIB << 20)
        return true;
    g_set_error(error, LITMUS_RUN_ERROR, LITMUS_RUN_ERROR_MACHINE,
                "%s: its code or its locations do not fit into memory",
                litmus->path);
    return false;
}

static void
put_locations(LitmusRun *run)
{
    Gmem *memory = machine_memory(run->machine);

    for (guint i = 0; i < run->litmus->locations->len; i++) {
        const LitmusLocation *location =
            g_ptr_array_index(run->litmus->locations, i);
        gpa_t at = litmus_location_address(run->litmus, i) - WINDOW_KERNEL;

        gmem_will_write(memory, at,
                        (uint64_t)location->elements * location->size);
        for (unsigned k = 0; k < location->elements; k++)
            memcpy(memory->bytes + at + (uint64_t)k * location->size,
                   &location->values[k], location->size);
    }
}

static void
start_cores(LitmusRun *run)
{
    for (unsigned i = 0; i < run->litmus->thread_count; i++) {
        Cpu *cpu = machine_cpu(run->machine, i);

        loader_start(run->machine, i, run->code->entry[i]);
        for (unsigned k = 0; k < LITMUS_REGISTERS; k++)
            cpu_set_register(cpu, k, run->litmus->threads[i].registers[k]);
    }
}

LitmusRun *
litmus_run_new(const Litmus *litmus, const LitmusCode *code, GError **error)
{
    MachineOptions options = {.cpus = litmus->thread_count,
                              .ram_mib = RAM_MIB};
    g_autoptr(LitmusRun) run = g_new0(LitmusRun, 1);
    bool written;

    choice_init(&run->choice);
    if (!fits(litmus, code, error))
        return NULL;
    run->litmus = litmus;
    run->code = code;
    run->machine = machine_new(&options, error);
    if (run->machine == NULL)
        return NULL;
    run->actions = g_new0(Actions, 1);
    run->values = g_new0(int64_t, litmus->observed->len + 1);
    loader_make_tables(run->machine);
    written = machine_write(run->machine, MACHINE_NOBODY,
                            WINDOW_KERNEL + LITMUS_CODE_AT, code->bytes,
                            code->size);
    INVARIANT(written);
    put_locations(run);
    start_cores(run);
    machine_rebase(run->machine);
    return g_steal_pointer(&run);
}

void
litmus_run_free(LitmusRun *run)
{
    if (run == NULL)
        return;
    machine_free(run->machine);
    choice_clear(&run->choice);
    g_free(run->actions);
    g_free(run->values);
    g_free(run);
}

/* --- Outcomes ------------------------------------------------------------- */

static int64_t
value_of(LitmusRun *run, const LitmusItem *item)
{
    gpa_t at;
    uint64_t value = 0;

    if (item->thread >= 0)
        return (int64_t)cpu_register(
            machine_cpu(run->machine, (unsigned)item->thread), item->number);
    at = litmus_location_address(run->litmus, item->number) - WINDOW_KERNEL +
         (uint64_t)item->element * item->size;
    memcpy(&value, machine_memory(run->machine)->bytes + at, item->size);
    return (int64_t)value;
}

static void
add_outcome(void *user)
{
    LitmusRun *run = user;
    const GPtrArray *observed = run->litmus->observed;

    for (guint i = 0; i < observed->len; i++)
        run->values[i] = value_of(run, g_ptr_array_index(observed, i));
    litmus_states_add(run->states, run->values, 1);
}

static bool
fail_stopped(const LitmusRun *run, unsigned thread, gva_t at, GError **error)
{
    g_set_error(error, LITMUS_RUN_ERROR, LITMUS_RUN_ERROR_STOPPED,
                "%s: P%u cannot come to its end: it faults, halts or waits "
                "at byte %" PRIu64 " of its code",
                run->litmus->path, thread, at - run->code->entry[thread]);
    return false;
}

bool
litmus_run_search(LitmusRun *run, const MemoryOptions *memory,
                  uint64_t states_max, LitmusStates *states,
                  StateSpaceResult *result, GError **error)
{
    StateSpaceSetup setup = {
        .machine = run->machine,
        .ends = run->code->end,
        .states_max = states_max,
        .reached = add_outcome,
        .user = run,
    };

    run->states = states;
    machine_restore(run->machine);
    machine_set_memory(run->machine, memory);
    statespace_search(&setup, result);
    if (result->stopped >= 0)
        return fail_stopped(run, (unsigned)result->stopped,
                            result->stopped_at, error);
    if (result->ends > 0 || !result->complete)
        return true;
    g_set_error(error, LITMUS_RUN_ERROR, LITMUS_RUN_ERROR_STOPPED,
                "%s: in no behaviour do all columns come to their ends",
                run->litmus->path);
    return false;
}

/* --- Sampling ------------------------------------------------------------- */

static unsigned
on_late(void *user, unsigned cpu, unsigned count)
{
    LitmusRun *run = user;

    (void)cpu;
    return choice_late(&run->choice, count);
}

/* Plain columns go round: all cores stand behind the PAUSE at their ends, or at
 * their beginnings, and what a run left elsewhere does not matter. */
static void
begin_run(LitmusRun *run)
{
    if (!run->code->is_plain) {
        machine_restore(run->machine);
        return;
    }
    machine_drain_all(run->machine);
    put_locations(run);
    for (unsigned i = 0; i < run->litmus->thread_count; i++)
        memcpy(machine_cpu(run->machine, i)->live->registers,
               run->litmus->threads[i].registers,
               sizeof run->litmus->threads[i].registers);
}

/* It has executed the PAUSE, or sleeps before it. */
static bool
is_at_end(LitmusRun *run, unsigned number)
{
    Cpu *cpu = machine_cpu(run->machine, number);
    gva_t rip = cpu_rip(cpu), end = run->code->end[number];

    return rip == end + PAUSE_BYTES || (rip == end && !cpu_is_runnable(cpu));
}

/* One run; `going` are the cores that are not at their ends. */
static bool
run_once(LitmusRun *run, GError **error)
{
    uint64_t going = run->litmus->thread_count == 64
                         ? UINT64_MAX
                         : (UINT64_C(1) << run->litmus->thread_count) - 1;
    ticks_t before = machine_clock(run->machine);

    for (;;) {
        uint64_t steps = 1;
        Action action;
        bool whole;

        machine_list_actions(run->machine, run->actions);
        action_begin_list(run->actions, run->actions->steps & going,
                      run->actions->drains);
        if (run->actions->count == 0)
            break;
        action = action_at(run->actions,
                           choice_action(&run->choice, run->actions));
        if (action.kind == ACTION_STEP)
            steps = choice_steps(&run->choice, action.cpu, &whole);
        else
            steps = choice_drain(&run->choice, run->machine, &action);
        machine_perform(run->machine, &action, steps);
        if (action.kind == ACTION_STEP && is_at_end(run, action.cpu))
            going &= ~(UINT64_C(1) << action.cpu);
        if (machine_clock(run->machine) - before > LITMUS_STEPS_MAX)
            break;
    }
    if (going == 0)
        return true;
    return fail_stopped(
        run, (unsigned)__builtin_ctzll(going),
        cpu_rip(machine_cpu(run->machine,
                            (unsigned)__builtin_ctzll(going))),
        error);
}

bool
litmus_run_sample(LitmusRun *run, const MemoryOptions *memory, uint64_t runs,
                  uint64_t seed, LitmusStates *states, GError **error)
{
    Strategy *strategy = strategy_random_new(MEAN_STEPS);
    MachineWatch watch = {.late = on_late, .user = run};
    StrategyScope scope = {.cpus = run->litmus->thread_count};
    bool ok = true;

    run->states = states;
    machine_restore(run->machine);
    machine_set_memory(run->machine, memory);
    machine_watch(run->machine, &watch);
    for (uint64_t i = 0; i < runs && ok; i++) {
        choice_begin(&run->choice, strategy, NULL, seed + i,
                     &scope);
        begin_run(run);
        ok = run_once(run, error);
        if (ok)
            add_outcome(run);
    }
    machine_watch(run->machine, NULL);
    strategy_free(strategy);
    return ok;
}
