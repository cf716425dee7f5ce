/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/choice.h"

void
choice_init(Choice *choice)
{
    *choice = (Choice){0};
    tape_init(&choice->tape);
}

void
choice_clear(Choice *choice)
{
    tape_clear(&choice->tape);
}

void
choice_begin(Choice *choice, Strategy *strategy, const Tape *played,
             uint64_t seed, const StrategyScope *scope)
{
    choice->strategy = strategy;
    choice->played = played;
    choice->census = scope->census;
    choice->aims = scope->aims;
    choice->aim_count = scope->aim_count;
    choice->at = 0;
    choice->diverged = choice->stood = false;
    tape_rewind(&choice->tape);
    strategy->begin(strategy, seed, scope);
}

bool
choice_played(Choice *choice, DecisionKind kind, uint64_t *value)
{
    if (choice->played == NULL || choice->at == choice->played->count ||
        choice->played->items[choice->at].kind != kind)
        return false;
    *value = choice->played->items[choice->at++].value;
    return true;
}

void
choice_diverge(Choice *choice)
{
    choice->diverged = true;
    choice->played = NULL;
}

static bool
from_tape(Choice *choice, DecisionKind kind, uint64_t bound, uint64_t *value)
{
    if (choice->played == NULL || choice->at == choice->played->count)
        return false;
    if (!choice_played(choice, kind, value) || *value >= bound) {
        choice_diverge(choice);
        return false;
    }
    return true;
}

unsigned
choice_action(Choice *choice, const Actions *actions)
{
    uint64_t value;

    INVARIANT(actions->count > 0);
    if (actions->count == 1)
        return 0;
    if (!from_tape(choice, DECISION_ACTION, actions->count, &value))
        value = choice->strategy->pick(choice->strategy, actions);
    INVARIANT(value < actions->count);
    tape_push(&choice->tape, DECISION_ACTION, value);
    return (unsigned)value;
}

uint64_t
choice_steps(Choice *choice, unsigned cpu, bool *whole)
{
    uint64_t value;

    *whole = choice_played(choice, DECISION_WHOLE_STEPS, &value);
    if (*whole) {
        tape_push(&choice->tape, DECISION_WHOLE_STEPS, value);
        return value + 1;
    }
    if (!from_tape(choice, DECISION_STEPS, UINT64_MAX, &value))
        value = choice->strategy->steps(choice->strategy, cpu) - 1;
    tape_push(&choice->tape, DECISION_STEPS, value);
    return value + 1;
}

/* Which of the stores that may go, the oldest first. */
static unsigned
choose_store(Choice *choice, unsigned drainable)
{
    uint64_t value;

    INVARIANT(drainable >= 1);
    if (drainable == 1)
        return 0;
    if (!from_tape(choice, DECISION_STORE, drainable, &value))
        value = choice->strategy->store(choice->strategy, drainable);
    INVARIANT(value < drainable);
    tape_push(&choice->tape, DECISION_STORE, value);
    return (unsigned)value;
}

/* How many of all go at most. */
static unsigned
choose_count(Choice *choice, unsigned buffered)
{
    uint64_t value;

    INVARIANT(buffered >= 1);
    if (buffered == 1)
        return 1;
    if (!from_tape(choice, DECISION_DRAINS, UINT64_MAX, &value))
        value = choice->strategy->drains(choice->strategy, buffered) - 1;
    tape_push(&choice->tape, DECISION_DRAINS, value);
    return (unsigned)MIN(value, STOREBUF_DEPTH_MAX) + 1;
}

unsigned
choice_drain(Choice *choice, Machine *machine, Action *action)
{
    uint64_t drainable = machine_drainable(machine, action->cpu);
    unsigned pick =
        choose_store(choice, (unsigned)__builtin_popcountll(drainable));
    unsigned buffered;

    for (; pick > 0; pick--)
        drainable &= drainable - 1;
    action->number = (uint64_t)__builtin_ctzll(drainable);
    machine_stores(machine, action->cpu, &buffered);
    return choose_count(choice, buffered);
}

unsigned
choice_late(Choice *choice, unsigned count)
{
    uint64_t value;

    INVARIANT(count >= 2);
    if (!from_tape(choice, DECISION_LATE, count, &value))
        value = choice->strategy->late(choice->strategy, count);
    INVARIANT(value < count);
    tape_push(&choice->tape, DECISION_LATE, value);
    return (unsigned)value;
}

uint64_t
choice_value(Choice *choice, uint64_t bound)
{
    uint64_t value;

    INVARIANT(bound >= 1);
    if (bound == 1)
        return 0;
    if (!from_tape(choice, DECISION_VALUE, bound, &value))
        value = choice->strategy->value(choice->strategy, bound);
    INVARIANT(value < bound);
    tape_push(&choice->tape, DECISION_VALUE, value);
    return value;
}

static bool
is_aim(const Choice *choice, gva_t rip)
{
    for (unsigned i = 0; i < choice->aim_count; i++)
        if (choice->aims[i] == rip)
            return true;
    return false;
}

bool
choice_stops(Choice *choice, Cpu *cpu, gva_t rip, const Insn *insn)
{
    Strategy *strategy = choice->strategy;
    CensusEvent event;

    if (strategy->nears != NULL && choice_is_free(choice) &&
        is_aim(choice, rip))
        return choice->stood = strategy->nears(strategy, cpu->number, rip);
    if (!strategy->attentive || choice->census == NULL ||
        !choice_is_free(choice) ||
        !census_sees(choice->census, cpu, rip, insn, &event))
        return false;
    return choice->stood = strategy->before(strategy, &event);
}

bool
choice_touches(Choice *choice, unsigned cpu, gpa_t physical,
               const InsnAccess *access)
{
    Strategy *strategy = choice->strategy;

    if (strategy->touched == NULL || !choice_is_free(choice) ||
        !strategy->touched(strategy, cpu, physical, access))
        return false;
    return choice->stood = true;
}

bool
choice_stands(Choice *choice, unsigned cpu)
{
    Strategy *strategy = choice->strategy;

    if (strategy->stands == NULL || !choice_is_free(choice) ||
        !strategy->stands(strategy, cpu))
        return false;
    return choice->stood = true;
}

CpuStop
choice_perform(Choice *choice, Machine *machine, const Action *action,
               uint64_t steps)
{
    Strategy *strategy = choice->strategy;
    ticks_t before = machine_clock(machine);
    StrategyDeed deed = {.action = action};
    unsigned stores;

    choice->stood = false;
    if (strategy->performed == NULL)
        return machine_perform(machine, action, steps);
    if (action->kind == ACTION_DRAIN)
        deed.line = machine_stores(machine, action->cpu,
                                   &stores)[action->number].physical >>
                    LINE_BITS;
    deed.stop = machine_perform(machine, action, steps);
    if (action->kind == ACTION_STEP) {
        deed.steps = machine_clock(machine) - before;
        deed.paused = machine_cpu(machine, action->cpu)->paused;
        deed.stood = choice->stood;
    }
    strategy->performed(strategy, &deed);
    return deed.stop;
}

void
choice_correct_steps(Choice *choice, size_t begun, size_t at, uint64_t made)
{
    Decision *steps = &choice->tape.items[at];

    if (made == 0) {
        INVARIANT(begun <= choice->tape.count);
        choice->tape.count = begun;
        return;
    }
    /* All that were wanted: it would have stopped here in any case, and in the
     * middle of its last instruction if that can be split. */
    if (made == steps->value + 1)
        return;
    steps->kind = DECISION_WHOLE_STEPS;
    steps->value = made - 1;
}

void
choice_record(Choice *choice, DecisionKind kind, uint64_t value)
{
    tape_push(&choice->tape, kind, value);
}

void
choice_record_drain(Choice *choice, Machine *machine, const Action *action,
                    uint64_t stores)
{
    uint64_t drainable = machine_drainable(machine, action->cpu);
    uint64_t older = (UINT64_C(1) << action->number) - 1;
    unsigned buffered;

    machine_stores(machine, action->cpu, &buffered);
    if ((drainable & (drainable - 1)) != 0)
        choice_record(choice, DECISION_STORE,
                      (uint64_t)__builtin_popcountll(drainable & older));
    if (buffered > 1)
        choice_record(choice, DECISION_DRAINS, MIN(stores, buffered) - 1);
}
