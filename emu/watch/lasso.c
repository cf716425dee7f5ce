/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/lasso.h"

void
lasso_init(Lasso *lasso)
{
    lasso->stem = g_array_new(FALSE, FALSE, sizeof(LassoMove));
    lasso->loop = g_array_new(FALSE, FALSE, sizeof(LassoMove));
}

void
lasso_clear(Lasso *lasso)
{
    g_clear_pointer(&lasso->stem, g_array_unref);
    g_clear_pointer(&lasso->loop, g_array_unref);
}

/* --- A round -------------------------------------------------------------- */

static void
note(GArray *moves, const LassoMove *move)
{
    if (moves != NULL)
        g_array_append_vals(moves, move, 1);
}

static void
arrive(Machine *machine, Actions *actions, GArray *moves)
{
    /* Arrivals send nothing and make no timer due, so one list has them all,
     * but for those that follow another on their way. */
    machine_list_actions(machine, actions);
    while (actions->rest_count > 0 && actions->rest[0].kind == ACTION_DELIVER) {
        LassoMove move = {.action = actions->rest[0]};

        machine_perform(machine, &move.action, 1);
        note(moves, &move);
        machine_list_actions(machine, actions);
    }
    for (unsigned i = 0; i < actions->rest_count; i++) {
        LassoMove move = {.action = actions->rest[i]};

        machine_perform(machine, &move.action, 1);
        note(moves, &move);
    }
}

/* False if a core does something that a loop does not contain. */
static bool
take_turns(Machine *machine, uint64_t cores, GArray *moves)
{
    for (; cores != 0; cores &= cores - 1) {
        unsigned cpu = (unsigned)__builtin_ctzll(cores);
        LassoMove move = {
            .action = {.kind = ACTION_STEP, .cpu = cpu, .number = 1}};
        ticks_t before = machine_clock(machine);
        CpuStop stop;

        if (!cpu_is_runnable(machine_cpu(machine, cpu)))
            continue;
        stop = machine_perform(machine, &move.action, LASSO_TURN_STEPS);
        if (stop == CPU_STOP_HYPERCALL || stop == CPU_STOP_SHUTDOWN)
            return false;
        move.steps = machine_clock(machine) - before;
        if (move.steps > 0)
            note(moves, &move);
    }
    return true;
}

bool
lasso_play_round(Machine *machine, Actions *actions, GArray *moves)
{
    static const LassoMove settle = {.settles = true};
    unsigned arrivals;

    arrive(machine, actions, moves);
    arrivals = actions->rest_count;
    machine_list_actions(machine, actions);
    if (actions->steps == 0 && arrivals == 0)
        return false;
    if (!take_turns(machine, actions->steps, moves))
        return false;
    machine_drain_all(machine);
    note(moves, &settle);
    return true;
}

void
lasso_play_move(Machine *machine, const LassoMove *move)
{
    if (move->settles)
        machine_drain_all(machine);
    else
        machine_perform(machine, &move->action, MAX(move->steps, 1));
}

bool
lasso_has_timer(Machine *machine)
{
    for (unsigned i = 0; i < machine_cpus(machine); i++)
        if (lapic_timer_deadline(&machine_cpu(machine, i)->state.lapic) !=
            TICKS_NEVER)
            return true;
    return false;
}

/* --- As text -------------------------------------------------------------- */

void
lasso_print_move(const LassoMove *move, GString *out)
{
    g_autofree char *action = NULL;

    if (move->settles) {
        g_string_append(out, "settle");
        return;
    }
    action = action_print(&move->action);
    g_string_append(out, action);
    if (move->action.kind == ACTION_STEP)
        g_string_append_printf(out, " %" PRIu64, move->steps);
}

/* A number after `word`; then the rest of the line. */
static bool
take(const char **line, const char *word, uint64_t *number)
{
    char *end;

    if (!g_str_has_prefix(*line, word) ||
        !g_ascii_isdigit((*line)[strlen(word)]))
        return false;
    *number = g_ascii_strtoull(*line + strlen(word), &end, 10);
    *line = end;
    return true;
}

bool
lasso_parse_move(const char *line, LassoMove *move)
{
    uint64_t cpu = 0;

    *move = (LassoMove){.settles = g_str_equal(line, "settle")};
    if (move->settles)
        return true;
    if (take(&line, "step cpu", &cpu)) {
        move->action.kind = ACTION_STEP;
        move->action.number = 1;
        if (!take(&line, " ", &move->steps) || move->steps == 0)
            return false;
    } else if (take(&line, "deliver #", &move->action.number)) {
        move->action.kind = ACTION_DELIVER;
        if (!take(&line, " to cpu", &cpu))
            return false;
    } else if (take(&line, "fire cpu", &cpu))
        move->action.kind = ACTION_FIRE;
    else
        return false;
    move->action.cpu = (uint32_t)cpu;
    return *line == '\0' && cpu < CPUS_MAX;
}
