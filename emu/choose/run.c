/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/run.h"

#include "choose/hypercall.h"
#include "choose/run_parts.h"

/* Steps a core without a story's progress before the loop detector looks;
 * doubled each time that it finds nothing. */
#define PATIENCE_STEPS 500u

/* How far a look ahead goes where timers tick, in units of the patience. */
#define LOOK_AHEAD 16u
/* Ticks of each timer that are waited for when all else is at rest. */
#define REST_FIRES 2u

static uint64_t
bit(unsigned cpu)
{
    return UINT64_C(1) << cpu;
}

static void
end_run(Run *run, VerdictKind kind, int cpu, const char *text)
{
    run->ended = true;
    run->verdict.kind = kind;
    run->verdict.cpu = cpu;
    g_strlcpy(run->verdict.text, text, sizeof run->verdict.text);
}

/* --- Stories -------------------------------------------------------------- */

static void
start_call(Run *run, unsigned number, const StoryCall *call)
{
    static const unsigned order[STORY_ARGUMENTS_MAX] = {
        GPR_RDI, GPR_RSI, GPR_RDX, GPR_RCX, GPR_R8, GPR_R9};
    Cpu *cpu = machine_cpu(run->setup.machine, number);

    for (unsigned i = 0; i < STORY_ARGUMENTS_MAX; i++)
        cpu_set_register(cpu, order[i],
                         i < call->argument_count ? call->arguments[i] : 0);
    machine_finish_hypercall(run->setup.machine, number, call->function);
    run->stories.called[number] = call->function;
}

static bool
ask_story(Run *run, unsigned cpu, uint64_t result, GError **error)
{
    const Stories *stories = run->setup.stories;
    StoryStep step = STORY_END;
    StoryCall call = {0};

    if (run->stories.waiting & bit(cpu))
        machine_fence(run->setup.machine, cpu);
    run->asked = cpu;
    digest_u64(&run->told[cpu], result);
    if (!stories->next(stories->user, cpu, result, &step, &call, error))
        return false;
    run->stories.waiting &= ~bit(cpu);
    digest_u64(&run->told[cpu], step);
    if (step == STORY_WAIT) {
        run->stories.waiting |= bit(cpu);
        return true;
    }
    run->progress = machine_clock(run->setup.machine);
    if (step == STORY_CALL)
        start_call(run, cpu, &call);
    else {
        run->stories.finished |= bit(cpu);
        machine_finish_hypercall(run->setup.machine, cpu, 0);
    }
    if (run->observer.returned != NULL)
        run->observer.returned(run->observer.user, cpu, result,
                               step == STORY_END);
    return true;
}

/* Somebody marked: every story that waits may go on, in order of the cores,
 * until a round brings no new mark.  A core that is in an interrupt handler
 * is asked when it comes back to where it waits. */
static bool
ask_waiting(Run *run, GError **error)
{
    const Stories *stories = run->setup.stories;

    while (stories->marks(stories->user) != run->marks_seen) {
        uint64_t cores = run->stories.waiting;

        run->marks_seen = stories->marks(stories->user);
        for (; cores != 0; cores &= cores - 1) {
            unsigned cpu = (unsigned)__builtin_ctzll(cores);

            if (machine_cpu(run->setup.machine, cpu)->state.activity ==
                    CPU_HELD &&
                !ask_story(run, cpu, 0, error))
                return false;
        }
    }
    return true;
}

void
run_marked(Run *run, unsigned cpu, const char *name)
{
    Digest digest;

    digest_init(&digest);
    digest_bytes(&digest, name, strlen(name));
    run->marked += digest_value(&digest);
    machine_fence(run->setup.machine, cpu);
    if (run->setup.probe != NULL)
        probe_mark(run->setup.probe, cpu, name);
}

void
run_passed_mark(Run *run, unsigned cpu)
{
    machine_fence(run->setup.machine, cpu);
}

uint64_t
run_choose(Run *run, uint64_t bound)
{
    uint64_t value = choice_value(&run->choice, bound);

    digest_u64(&run->told[run->asked], value);
    return value;
}

/* --- Hypercalls ----------------------------------------------------------- */

static bool
hypercall(Run *run, unsigned number, GError **error)
{
    Machine *machine = run->setup.machine;
    Cpu *cpu = machine_cpu(machine, number);

    switch (cpu_register(cpu, GPR_RAX)) {
    case HYPERCALL_STORY_NEXT:
        return ask_story(run, number, cpu_register(cpu, GPR_RDI), error);
    case HYPERCALL_PANIC:
        run->ended = true;
        hypercall_panic(machine, cpu, &run->verdict);
        return true;
    case HYPERCALL_CONSOLE:
        hypercall_console(machine, cpu);
        return true;
    default:
        end_run(run, VERDICT_FAULT, (int)number, "unknown hypercall");
        return true;
    }
}

/* --- Endings -------------------------------------------------------------- */

static bool
all_finished(const Run *run)
{
    return (unsigned)__builtin_popcountll(run->stories.finished) ==
           machine_cpus(run->setup.machine);
}

/* Everything is quiet but timers. */
static bool
only_timers_tick(const Run *run)
{
    if (run->actions.steps != 0 || run->actions.drains != 0 ||
        !all_finished(run))
        return false;
    for (unsigned i = 0; i < run->actions.count; i++)
        if (action_at(&run->actions, i).kind != ACTION_FIRE)
            return false;
    return true;
}

/* Nothing can happen, or only that timers tick for ever. */
static bool
is_at_rest(const Run *run)
{
    return run->actions.count == 0 ||
           (run->rest_fires >= REST_FIRES * machine_cpus(run->setup.machine) &&
            only_timers_tick(run));
}

static void
describe_standstill(Run *run, unsigned number, char *text, size_t size)
{
    const Stories *stories = run->setup.stories;
    const char *awaited = stories->awaited(stories->user, number);

    if ((run->stories.waiting & bit(number)) && awaited != NULL)
        g_snprintf(text, size, "cpu%u awaits \"%s\", which nobody marks",
                   number, awaited);
    else
        g_snprintf(text, size, "cpu%u sleeps, and nothing will wake it",
                   number);
}

/* Nothing can happen any more. */
static void
come_to_rest(Run *run)
{
    Machine *machine = run->setup.machine;
    char text[VERDICT_TEXT_MAX];

    for (unsigned i = 0; i < machine_cpus(machine); i++) {
        Cpu *cpu = machine_cpu(machine, i);

        if (run->setup.bare && cpu->state.activity == CPU_WAIT_SIPI)
            run->stories.finished |= bit(i);
        if (cpu->state.activity == CPU_HALTED &&
            !(run->stories.finished & bit(i)) &&
            !cpu_interrupts_enabled(cpu)) {
            g_snprintf(text, sizeof text, "cpu%u halted with interrupts off",
                       i);
            end_run(run, VERDICT_FAULT, (int)i, text);
            return;
        }
    }
    for (unsigned i = 0; i < machine_cpus(machine); i++)
        if (!(run->stories.finished & bit(i))) {
            describe_standstill(run, i, text, sizeof text);
            end_run(run, VERDICT_DEADLOCK, (int)i, text);
            return;
        }
    end_run(run, VERDICT_DONE, -1, "");
}

/* --- The loop ------------------------------------------------------------- */

static void
look_for_loop(Run *run)
{
    Machine *machine = run->setup.machine;
    ticks_t since = MAX(run->progress, run->looked);
    bool found;

    if (run->ended || run->setup.view == NULL ||
        machine_clock(machine) - since < run->patience)
        return;
    /* When all have ended, a clock that ticks on is no trouble. */
    if (all_finished(run) && lasso_has_timer(machine))
        return;
    /* What happens in the look ahead does not happen in the run. */
    found = verdict_find_lasso(machine, run->setup.view,
                               run->patience * LOOK_AHEAD, &run->verdict, NULL);
    run_watch(run);
    run->looked = machine_clock(machine);
    /* A loop that only lies ahead says nothing yet: other decisions may lead
     * elsewhere.  Soon the machine is in it, or not. */
    if (found && run->verdict.loop_here)
        end_run(run, VERDICT_LIVELOCK, -1, "");
    else if (!found)
        run->patience *= 2;
}

static bool
perform(Run *run, const Action *action, uint64_t steps, GError **error)
{
    Machine *machine = run->setup.machine;
    uint64_t left =
        run->setup.steps_max - (machine_clock(machine) - run->started);
    ticks_t before = machine_clock(machine);
    CpuStop stop;

    if (run->observer.action != NULL)
        run->observer.action(run->observer.user, action, steps);
    if (action->kind == ACTION_FIRE && only_timers_tick(run))
        run->rest_fires++;
    if (action->kind == ACTION_STEP)
        steps = MIN(steps, MAX(left, 1));
    stop = choice_perform(&run->choice, machine, action, steps);
    /* A slice of no steps is not on the tape: nobody may see it. */
    if (action->kind == ACTION_STEP && run->setup.probe != NULL &&
        machine_clock(machine) != before)
        probe_slice(run->setup.probe, action->cpu);
    if (UNLIKELY(stop == CPU_STOP_HYPERCALL))
        return hypercall(run, action->cpu, error) && ask_waiting(run, error);
    if (UNLIKELY(stop == CPU_STOP_SHUTDOWN)) {
        run->ended = true;
        hypercall_shutdown(machine_cpu(machine, action->cpu), &run->verdict);
    }
    return true;
}

/* Before a STEP that a point may end. */
typedef struct Begun {
    size_t decisions; /* on the tape, before those of this turn */
    size_t steps;     /* where that of its steps is */
    ticks_t clock;
    unsigned buffered; /* stores of the core */
} Begun;

static unsigned
buffered_stores(Run *run, unsigned cpu)
{
    unsigned count = 0;

    if (run->actions.drains >> cpu & 1)
        machine_stores(run->setup.machine, cpu, &count);
    return count;
}

/*
 * A STEP ended at a point, of which a replay does not know: it gets the number
 * of steps that were made.  Of none at all it hears nothing, but for what a
 * core does by going on: the store of an instruction that was split becomes
 * visible.
 */
static void
correct_steps(Run *run, unsigned cpu, const Begun *begun)
{
    Machine *machine = run->setup.machine;
    uint64_t made = machine_clock(machine) - begun->clock;
    Action drain = {.kind = ACTION_DRAIN, .cpu = cpu};
    unsigned left = begun->buffered;

    choice_correct_steps(&run->choice, begun->decisions, begun->steps, made);
    if (made > 0 || begun->buffered == 0)
        return;
    machine_stores(machine, cpu, &left);
    if (left == begun->buffered)
        return;
    if (run->actions.count > 1)
        choice_record(&run->choice, DECISION_ACTION,
                      action_lookup(&run->actions, &drain));
    if (begun->buffered > 1)
        choice_record(&run->choice, DECISION_DRAINS,
                      begun->buffered - left - 1);
}

static bool
take_turn(Run *run, GError **error)
{
    Begun begun = {.decisions = run->choice.tape.count,
                   .clock = machine_clock(run->setup.machine)};
    unsigned index = choice_action(&run->choice, &run->actions);
    Action action = action_at(&run->actions, index);
    uint64_t steps = 1;
    bool whole;

    if (UNLIKELY(choice_cuts(&run->choice))) {
        run->cut = run->ended = true;
        return true;
    }
    begun.steps = run->choice.tape.count;
    if (action.kind == ACTION_STEP) {
        begun.buffered = buffered_stores(run, action.cpu);
        steps = choice_steps(&run->choice, action.cpu, &whole);
        action.number = whole;
    }
    if (action.kind == ACTION_DRAIN)
        steps = choice_drain(&run->choice, run->setup.machine, &action);
    if (!perform(run, &action, steps, error))
        return false;
    if (run->choice.stood)
        correct_steps(run, action.cpu, &begun);
    return true;
}

/* A director's command, as far as the machine is concerned. */
static bool
take_directed_turn(Run *run, GError **error)
{
    Machine *machine = run->setup.machine;
    Begun begun = {.decisions = run->choice.tape.count,
                   .clock = machine_clock(machine)};
    DirectorTurn turn;

    if (!directing_next_turn(&run->director, machine, &run->actions,
                            &run->choice, &turn, error))
        return false;
    if (!turn.acts)
        return true;
    if (run->actions.count > 1)
        choice_record(&run->choice, DECISION_ACTION, turn.index);
    if (turn.action.kind == ACTION_DRAIN && turn.free)
        turn.steps = choice_drain(&run->choice, machine, &turn.action);
    else if (turn.action.kind == ACTION_DRAIN)
        choice_record_drain(&run->choice, machine, &turn.action,
                            turn.steps);
    begun.steps = run->choice.tape.count;
    begun.buffered = buffered_stores(run, turn.action.cpu);
    if (turn.action.kind == ACTION_STEP)
        choice_record(&run->choice, DECISION_STEPS, turn.steps - 1);
    if (!perform(run, &turn.action, turn.steps, error))
        return false;
    if (turn.action.kind == ACTION_STEP && directing_arrived(&run->director))
        correct_steps(run, turn.action.cpu, &begun);
    return true;
}

static bool
go_on(Run *run, GError **error)
{
    Machine *machine = run->setup.machine;

    directing_replay(&run->director, machine, &run->choice);
    machine_list_actions(machine, &run->actions);
    if (is_at_rest(run)) {
        if (!directing_is_active(&run->director)) {
            come_to_rest(run);
            return true;
        }
        action_begin_list(&run->actions, 0, 0);
    }
    if (machine_clock(machine) - run->started >= run->setup.steps_max) {
        ticks_t now = machine_clock(machine);

        run->ended = true;
        verdict_set_budget(&run->verdict, now - run->started,
                           now - run->progress);
        return true;
    }
    if (machine_bus_overflowed(machine)) {
        end_run(run, VERDICT_FAULT, -1,
                "more interrupt messages in flight than the bus can hold");
        return true;
    }
    if (UNLIKELY(directing_is_active(&run->director)))
        return take_directed_turn(run, error);
    if (!take_turn(run, error))
        return false;
    look_for_loop(run);
    return true;
}

/* The cores stood at STORY_NEXT when the base was taken. */
static bool
begin(Run *run, GError **error)
{
    Machine *machine = run->setup.machine;
    const Stories *stories = run->setup.stories;

    stories->begin(stories->user);
    run->marks_seen = stories->marks(stories->user);
    if (run->setup.bare) /* a core that nobody starts has nothing to do */
        return true;
    for (unsigned i = 0; i < machine_cpus(machine); i++)
        if (!ask_story(run, i, 0, error))
            return false;
    return ask_waiting(run, error);
}

bool
run_execute(Run *run, Strategy *strategy, const Tape *played, uint64_t seed,
            RunResult *result, GError **error)
{
    Machine *machine = run->setup.machine;

    run_watch(run);
    machine_restore(machine);
    run->ended = false;
    run->verdict = (Verdict){.kind = VERDICT_DONE, .cpu = -1};
    run->stories = (RunStories){0};
    run->started = run->progress = run->looked = machine_clock(machine);
    run->patience = (uint64_t)PATIENCE_STEPS * machine_cpus(machine);
    run->rest_fires = 0;
    run->cut = false;
    run->marked = 0;
    for (unsigned i = 0; i < machine_cpus(machine); i++)
        digest_init(&run->told[i]);
    choice_begin(&run->choice, strategy, played, seed,
                 &(StrategyScope){.cpus = machine_cpus(machine),
                                  .steps_max = run->setup.steps_max,
                                  .census = run->census,
                                  .aims = run->aims,
                                  .aim_count = run->aim_count,
                                  .coverage = run->coverage,
                                  .played = played != NULL,
                                  .machine = machine,
                                  .digest = run_digest,
                                  .user = run});
    directing_begin(&run->director, played == NULL ? run->setup.director : NULL,
                    run->setup.image, &run->observer);
    if (run->setup.probe != NULL)
        probe_begin(run->setup.probe);
    if (run->coverage != NULL)
        coverage_begin(run->coverage);
    if (!begin(run, error))
        return false;
    while (!run->ended)
        if (!go_on(run, error))
            return false;
    if (run->setup.probe != NULL && !run->cut)
        probe_end(run->setup.probe, &run->verdict);
    *result = (RunResult){
        .cut = run->cut,
        .verdict = run->verdict,
        .steps = machine_clock(machine) - run->started,
        .decisions = run->choice.tape.count,
        .diverged = run->choice.diverged ||
                    (run->choice.played != NULL &&
                     run->choice.at < run->choice.played->count),
    };
    if (strategy->ended != NULL)
        strategy->ended(strategy, result, &run->choice.tape);
    return true;
}

/* --- Life ----------------------------------------------------------------- */

Run *
run_new(const RunSetup *setup)
{
    Run *run = g_new0(Run, 1);

    run->setup = *setup;
    choice_init(&run->choice);
    return run;
}

void
run_free(Run *run)
{
    if (run == NULL)
        return;
    machine_watch(run->setup.machine, NULL);
    choice_clear(&run->choice);
    directing_clear(&run->director);
    g_free(run);
}

RunObserver
run_observe(Run *run, const RunObserver *observer)
{
    RunObserver before = run->observer;

    run->observer = observer != NULL ? *observer : (RunObserver){0};
    return before;
}

void
run_set_coverage(Run *run, Coverage *coverage)
{
    run->coverage = coverage;
}

void
run_set_census(Run *run, const Census *census)
{
    run->census = census;
}

const Tape *
run_tape(const Run *run)
{
    return &run->choice.tape;
}

void
run_set_aims(Run *run, const gva_t *aims, unsigned count)
{
    run->aims = aims;
    run->aim_count = count;
    for (unsigned i = 0; i < count; i++)
        code_mark(machine_code(run->setup.machine), aims[i], CODE_MEETING);
}

void
run_set_steps_max(Run *run, uint64_t steps_max)
{
    run->setup.steps_max = steps_max;
}

const RunStories *
run_stories(const Run *run)
{
    return &run->stories;
}
