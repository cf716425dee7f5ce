/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/run.h"

#include "choose/hypercall.h"

#define SET_UP_TURN_STEPS 100

/* A hypercall of the guest before its stories: true when it stands ready. */
static bool
set_up_hypercall(Machine *machine, unsigned number, Verdict *verdict)
{
    Cpu *cpu = machine_cpu(machine, number);

    switch (cpu_register(cpu, GPR_RAX)) {
    case HYPERCALL_STORY_NEXT:
        return true;
    case HYPERCALL_CONSOLE:
        hypercall_console(machine, cpu);
        return true;
    case HYPERCALL_PANIC:
        hypercall_panic(machine, cpu, verdict);
        return false;
    default:
        *verdict = (Verdict){.kind = VERDICT_FAULT, .cpu = (int)number,
                             .text = "unknown hypercall"};
        return false;
    }
}

static void
judge_set_up(Machine *machine, Verdict *verdict)
{
    for (unsigned i = 0; i < machine_cpus(machine); i++)
        if (machine_cpu(machine, i)->state.activity != CPU_HELD) {
            *verdict = (Verdict){.kind = VERDICT_DEADLOCK, .cpu = (int)i};
            g_snprintf(verdict->text, sizeof verdict->text,
                       "cpu%u never became ready for a story", i);
            return;
        }
    *verdict = (Verdict){.kind = VERDICT_DONE, .cpu = -1};
}

void
run_set_up(Machine *machine, uint64_t steps_max, Verdict *verdict)
{
    g_autofree Actions *actions = g_new(Actions, 1);
    Strategy *strategy = strategy_round_robin_new();
    ticks_t started = machine_clock(machine);
    bool going = true;

    *verdict = (Verdict){.kind = VERDICT_BUDGET, .cpu = -1};
    strategy->begin(strategy, 0,
                    &(StrategyScope){.cpus = machine_cpus(machine)});
    while (going && machine_clock(machine) - started < steps_max) {
        Action action;
        CpuStop stop;

        machine_list_actions(machine, actions);
        if (actions->count == 0) {
            judge_set_up(machine, verdict);
            break;
        }
        action = action_at(actions, strategy->pick(strategy, actions));
        stop = machine_perform(machine, &action, SET_UP_TURN_STEPS);
        if (stop == CPU_STOP_HYPERCALL)
            going = set_up_hypercall(machine, action.cpu, verdict);
        else if (stop == CPU_STOP_SHUTDOWN) {
            hypercall_shutdown(machine_cpu(machine, action.cpu), verdict);
            going = false;
        }
    }
    strategy_free(strategy);
}
