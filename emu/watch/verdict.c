/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/verdict.h"

/* A loop without PAUSE of n steps comes back after n turns at most; kernels
 * spin in some dozens of instructions. */
#define LASSO_ROUNDS_MAX 512

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

/* Deliver what is in flight, give every runnable core its turn, and let its
 * stores become visible.  False when something happened that a loop does not
 * contain. */
static bool
play_round(Machine *machine, Actions *actions, uint64_t *steps)
{
    uint64_t turns;

    machine_list_actions(machine, actions);
    while (actions->count > actions->step_count) {
        Action arrival = action_at(actions, actions->step_count);

        machine_perform(machine, &arrival, 1);
        machine_list_actions(machine, actions);
    }
    if (actions->steps == 0)
        return false;
    for (turns = actions->steps; turns != 0; turns &= turns - 1) {
        Action step = {.kind = ACTION_STEP,
                       .cpu = (uint32_t)__builtin_ctzll(turns)};
        ticks_t before = machine_clock(machine);
        CpuStop stop;

        if (!cpu_is_runnable(machine_cpu(machine, step.cpu)))
            continue;
        stop = machine_perform(machine, &step, LASSO_TURN_STEPS);
        *steps += machine_clock(machine) - before;
        if (stop == CPU_STOP_HYPERCALL || stop == CPU_STOP_SHUTDOWN)
            return false;
    }
    machine_drain_all(machine);
    return true;
}

/*
 * Brent's way of finding a cycle: one remembered hash, taken anew after 1, 2,
 * 4, 8... rounds, so that both the way into the loop and its length are found
 * without storing more.
 */
static bool
find_loop(Machine *machine, const StateView *view, Verdict *verdict)
{
    g_autofree Actions *actions = g_new(Actions, 1);
    uint64_t kept = 0, steps = 0, steps_kept = 0;
    unsigned kept_at = 0, keep_next = 1;

    for (unsigned round = 1; round <= LASSO_ROUNDS_MAX; round++) {
        uint64_t hash;

        if (!play_round(machine, actions, &steps))
            return false;
        hash = state_hash(machine, view);
        if (kept_at != 0 && hash == kept) {
            verdict->loop_rounds = round - kept_at;
            verdict->loop_steps = steps - steps_kept;
            verdict->loop_hash = hash;
            return true;
        }
        if (round == keep_next) {
            kept = hash;
            kept_at = round;
            steps_kept = steps;
            keep_next *= 2;
        }
    }
    return false;
}

bool
verdict_find_lasso(Machine *machine, const StateView *view, Verdict *verdict)
{
    g_autoptr(MachineSnapshot) before = NULL;
    bool found;

    if (!state_is_comparable(machine))
        return false;
    before = machine_save(machine);
    machine_drain_all(machine);
    found = find_loop(machine, view, verdict);
    machine_load(machine, before);
    return found;
}
