/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/schedule.h"

Schedule *
schedule_new(void)
{
    Schedule *schedule = g_new(Schedule, 1);

    schedule->turns = g_array_new(FALSE, FALSE, sizeof(Turn));
    schedule->lates = g_array_new(FALSE, FALSE, sizeof(LateLoad));
    schedule->values = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    return schedule;
}

Schedule *
schedule_copy(const Schedule *schedule)
{
    Schedule *copy = g_new(Schedule, 1);

    copy->turns = g_array_copy(schedule->turns);
    copy->lates = g_array_copy(schedule->lates);
    copy->values = g_array_copy(schedule->values);
    return copy;
}

void
schedule_free(Schedule *schedule)
{
    if (schedule == NULL)
        return;
    g_array_unref(schedule->turns);
    g_array_unref(schedule->lates);
    g_array_unref(schedule->values);
    g_free(schedule);
}

static void
print_held(const char *what, uint64_t cores, GString *out)
{
    for (; cores != 0; cores &= cores - 1)
        g_string_append_printf(out, "%s%d", what, __builtin_ctzll(cores));
}

static void
print_turn(const Turn *turn, GString *out)
{
    switch (turn->kind) {
    case TURN_RUN:
        if (turn->until == TURN_UNTIL_IT_STOPS)
            g_string_append_printf(out, "%u:stop", turn->cpu);
        else
            g_string_append_printf(out, "%u:%" PRIu64, turn->cpu,
                                   turn->until);
        break;
    case TURN_DRAIN:
        g_string_append_printf(out, "drain%u:%u+%u", turn->cpu, turn->number,
                               turn->count);
        break;
    case TURN_DELIVER:
        g_string_append_printf(out, "deliver%u:%u", turn->cpu, turn->number);
        break;
    case TURN_FIRE:
        g_string_append_printf(out, "fire%u", turn->cpu);
        break;
    }
    print_held("/stores", turn->stores_held, out);
    print_held("/ipis", turn->ipis_held, out);
    g_string_append_c(out, ' ');
}

char *
schedule_print(const Schedule *schedule)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < schedule->turns->len; i++)
        print_turn(&g_array_index(schedule->turns, Turn, i), out);
    for (guint i = 0; i < schedule->lates->len; i++) {
        const LateLoad *late = &g_array_index(schedule->lates, LateLoad, i);

        g_string_append_printf(out, "late%u:%" PRIu64 "-%u ", late->cpu,
                               late->at, late->back);
    }
    for (guint i = 0; i < schedule->values->len; i++)
        g_string_append_printf(out, "choose:%" PRIu64 " ",
                               g_array_index(schedule->values, uint64_t, i) +
                                   1);
    if (out->len > 0)
        g_string_truncate(out, out->len - 1);
    return g_string_free(out, FALSE);
}

unsigned
schedule_decisions(const Schedule *schedule)
{
    unsigned count = schedule->turns->len + schedule->lates->len;
    uint64_t stores = 0, ipis = 0;

    for (guint i = 0; i < schedule->turns->len; i++) {
        const Turn *turn = &g_array_index(schedule->turns, Turn, i);

        count += (unsigned)__builtin_popcountll(turn->stores_held & ~stores) +
                 (unsigned)__builtin_popcountll(turn->ipis_held & ~ipis);
        stores = turn->stores_held;
        ipis = turn->ipis_held;
    }
    for (guint i = 0; i < schedule->values->len; i++)
        count += g_array_index(schedule->values, uint64_t, i) != 0;
    return count;
}

/* --- Recording ------------------------------------------------------------ */

static uint64_t
steps_of(const ScheduleRecorder *recorder, unsigned cpu)
{
    return machine_cpu(recorder->machine, cpu)->state.retired -
           recorder->begun[cpu];
}

/* The last turn is over: its core has come so far, and what could arrive now
 * was held. */
static void
end_turn(ScheduleRecorder *recorder)
{
    GArray *turns = recorder->schedule->turns;
    const Actions *actions = &recorder->actions;
    Turn *last;

    if (turns->len == 0)
        return;
    last = &g_array_index(turns, Turn, turns->len - 1);
    if (last->kind == TURN_RUN)
        last->until = steps_of(recorder, last->cpu);
    machine_list_actions(recorder->machine, &recorder->actions);
    last->stores_held = actions->drains;
    last->ipis_held = 0;
    for (unsigned i = 0; i < actions->rest_count; i++)
        last->ipis_held |= UINT64_C(1) << actions->rest[i].cpu;
}

/* Which of the messages to its core this one is. */
static unsigned
place_of_message(Machine *machine, const Action *action)
{
    unsigned count, place = 0;
    const Message *messages = machine_messages(machine, &count);

    for (unsigned i = 0; i < count; i++) {
        if (messages[i].number == action->number)
            break;
        place += messages[i].target == action->cpu;
    }
    return place;
}

static void
note_action(void *user, const Action *action, uint64_t steps)
{
    ScheduleRecorder *recorder = user;
    GArray *turns = recorder->schedule->turns;
    const Turn *last;
    Turn turn = {.cpu = action->cpu};
    uint64_t older;

    end_turn(recorder);
    switch (action->kind) {
    case ACTION_STEP:
        turn.kind = TURN_RUN;
        /* Slices that follow on one another are one turn. */
        last = turns->len > 0
                   ? &g_array_index(turns, Turn, turns->len - 1)
                   : &turn;
        if (last != &turn && last->kind == TURN_RUN &&
            last->cpu == action->cpu)
            return;
        break;
    case ACTION_DRAIN:
        older = machine_drainable(recorder->machine, action->cpu) &
                ((UINT64_C(1) << action->number) - 1);
        turn.kind = TURN_DRAIN;
        turn.number = (unsigned)__builtin_popcountll(older);
        turn.count = (unsigned)MIN(steps, STOREBUF_DEPTH_MAX);
        break;
    case ACTION_DELIVER:
        turn.kind = TURN_DELIVER;
        turn.number = place_of_message(recorder->machine, action);
        break;
    case ACTION_FIRE:
        turn.kind = TURN_FIRE;
        break;
    }
    g_array_append_val(turns, turn);
}

static void
note_late(void *user, unsigned cpu, unsigned stores)
{
    ScheduleRecorder *recorder = user;
    LateLoad late = {
        .cpu = cpu, .at = steps_of(recorder, cpu), .back = stores};

    g_array_append_val(recorder->schedule->lates, late);
}

void
schedule_recorder_init(ScheduleRecorder *recorder, Machine *machine)
{
    *recorder =
        (ScheduleRecorder){.machine = machine, .schedule = schedule_new()};
    for (unsigned i = 0; i < machine_cpus(machine); i++)
        recorder->begun[i] = machine_cpu(machine, i)->state.retired;
}

void
schedule_recorder_observer(ScheduleRecorder *recorder, RunObserver *observer)
{
    *observer = (RunObserver){
        .action = note_action, .late = note_late, .user = recorder};
}

Schedule *
schedule_recorder_finish(ScheduleRecorder *recorder, const Tape *tape)
{
    Schedule *schedule = recorder->schedule;

    end_turn(recorder);
    for (size_t i = 0; i < tape->count; i++)
        if (tape->items[i].kind == DECISION_VALUE)
            g_array_append_val(schedule->values, tape->items[i].value);
    recorder->schedule = NULL;
    return schedule;
}
