/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/directing.h"

static uint64_t
bit(unsigned cpu)
{
    return UINT64_C(1) << cpu;
}

void
directing_begin(Directing *state, const Director *director,
                const Image *image, const RunObserver *observer)
{
    GArray *stops = state->stops;

    *state = (Directing){.director = director, .image = image,
                         .observer = observer, .stops = stops};
    if (director == NULL)
        return;
    if (state->stops == NULL)
        state->stops = g_array_new(FALSE, FALSE, sizeof(gva_t));
    g_array_set_size(state->stops, 0);
    director->begin(director->user);
}

void
directing_clear(Directing *state)
{
    g_clear_pointer(&state->stops, g_array_unref);
}

bool
directing_wants(Directing *state, unsigned cpu, gva_t rip)
{
    if (LIKELY(state->director == NULL) || !state->busy ||
        state->command.kind != DIRECTOR_RUN_TO || state->command.cpu != cpu)
        return false;
    for (guint i = 0; i < state->stops->len; i++)
        if (g_array_index(state->stops, gva_t, i) == rip)
            return state->arrived = true;
    return false;
}

static bool
find_stops(Directing *state, Machine *machine, GError **error)
{
    const Point *point = state->command.point;
    const ImageSymbol *symbol;

    g_array_set_size(state->stops, 0);
    if (point->kind == POINT_LINE) {
        if (!image_find_quote(state->image, point->function, point->quote,
                              state->stops, error))
            return false;
    } else {
        symbol = image_lookup_symbol(state->image, point->function);
        if (symbol == NULL) {
            g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_SYMBOL,
                        "no function `%s` in the guest", point->function);
            return false;
        }
        g_array_append_val(state->stops, symbol->address);
    }
    for (guint i = 0; i < state->stops->len; i++)
        code_mark(machine_code(machine),
                  g_array_index(state->stops, gva_t, i), CODE_POINT);
    return true;
}

static void
finish(Directing *state, bool done)
{
    state->busy = false;
    state->done = done;
}

static void
write_memory(const Directing *state, Machine *machine, Choice *choice,
             const Store *store)
{
    choice_record(choice, DECISION_WRITE,
                  store->physical << 3 | (store->size - 1));
    choice_record(choice, DECISION_WRITTEN, store->value);
    if (state->observer->written != NULL)
        state->observer->written(state->observer->user, store);
    INVARIANT(machine_write(machine, MACHINE_NOBODY,
                            WINDOW_KERNEL + store->physical, &store->value,
                            store->size));
}

static void
drop_message(const Directing *state, Machine *machine, Choice *choice,
             uint64_t number)
{
    unsigned count;
    const Message *messages = machine_messages(machine, &count);

    choice_record(choice, DECISION_DROP, number);
    for (unsigned i = 0; i < count; i++)
        if (messages[i].number == number && state->observer->dropped != NULL)
            state->observer->dropped(state->observer->user, &messages[i]);
    machine_drop_message(machine, number);
}

void
directing_replay(const Directing *state, Machine *machine, Choice *choice)
{
    uint64_t number;
    gpa_t physical;

    for (;;) {
        if (choice_played(choice, DECISION_DROP, &number)) {
            drop_message(state, machine, choice, number);
        } else if (choice_played(choice, DECISION_WRITE, &number)) {
            Store store = {.physical = number >> 3,
                           .size = (uint8_t)((number & 7) + 1)};

            if (choice_played(choice, DECISION_WRITTEN, &store.value) &&
                gmem_translate(machine_memory(machine),
                               WINDOW_KERNEL + store.physical, store.size,
                               &physical) &&
                !image_has_code(state->image, physical, store.size))
                write_memory(state, machine, choice, &store);
            else
                choice_diverge(choice);
        } else {
            return;
        }
    }
}

/* The next command, those that need no action carried out at once. */
static bool
fetch(Directing *state, Machine *machine, Choice *choice, GError **error)
{
    DirectorCommand *command = &state->command;

    if (!state->director->next(state->director->user, state->done, command,
                               error))
        return false;
    state->busy = true;
    state->arrived = false;
    state->left = command->count;
    state->before = machine_clock(machine);
    if (command->kind != DIRECTOR_END && command->kind != DIRECTOR_FREE &&
        command->kind != DIRECTOR_WRITE)
        INVARIANT(command->cpu < machine_cpus(machine));
    switch (command->kind) {
    case DIRECTOR_HOLD:
        state->held |= bit(command->cpu);
        finish(state, true);
        return true;
    case DIRECTOR_RELEASE:
        state->held &= ~bit(command->cpu);
        finish(state, true);
        return true;
    case DIRECTOR_IPI_HOLD:
        state->ipi_held |= bit(command->cpu);
        finish(state, true);
        return true;
    case DIRECTOR_IPI_RELEASE:
        state->ipi_held &= ~bit(command->cpu);
        finish(state, true);
        return true;
    case DIRECTOR_STORES_HOLD:
        state->stores_held |= bit(command->cpu);
        finish(state, true);
        return true;
    case DIRECTOR_STORES_RELEASE:
        state->stores_held &= ~bit(command->cpu);
        finish(state, true);
        return true;
    case DIRECTOR_LATE:
        state->late[command->cpu] = command->count;
        finish(state, true);
        return true;
    case DIRECTOR_WRITE:
        INVARIANT(command->count > 0 && command->count <= 8);
        write_memory(state, machine, choice,
                     &(Store){.physical = command->physical,
                              .value = command->value,
                              .size = (uint8_t)command->count});
        finish(state, true);
        return true;
    case DIRECTOR_RUN_TO:
        return find_stops(state, machine, error);
    case DIRECTOR_END:
        state->director = NULL;
        return true;
    case DIRECTOR_STEP:
    case DIRECTOR_RUN_HELD:
    case DIRECTOR_IPI_DELIVER:
    case DIRECTOR_IPI_DROP:
    case DIRECTOR_DRAIN:
    case DIRECTOR_DRAIN_ONE:
    case DIRECTOR_FREE:
        return true;
    }
    BUG("director command %d", (int)command->kind);
}

static bool
find_action(const Actions *actions, ActionKind kind, unsigned cpu,
            DirectorTurn *turn)
{
    for (unsigned i = 0; i < actions->count; i++) {
        Action action = action_at(actions, i);

        if (action.kind == kind && action.cpu == cpu) {
            turn->index = i;
            turn->action = action;
            return turn->acts = true;
        }
    }
    return false;
}

static void
drop_oldest(Machine *machine, unsigned cpu, Choice *choice,
            Directing *state)
{
    unsigned count;
    const Message *messages = machine_messages(machine, &count);

    for (unsigned i = 0; i < count; i++)
        if (messages[i].target == cpu) {
            drop_message(state, machine, choice, messages[i].number);
            finish(state, true);
            return;
        }
    finish(state, false);
}

/* The drain that the command asks for. */
static bool
find_drain(const Directing *state, Machine *machine, const Actions *actions,
           DirectorTurn *turn)
{
    const DirectorCommand *command = &state->command;
    uint64_t index =
        command->kind == DIRECTOR_DRAIN_ONE ? command->count - 1 : 0;

    if (index >= STOREBUF_DEPTH_MAX ||
        !(machine_drainable(machine, command->cpu) >> index & 1) ||
        !find_action(actions, ACTION_DRAIN, command->cpu, turn))
        return false;
    turn->action.number = index;
    turn->steps = command->kind == DIRECTOR_DRAIN_ONE ? 1
                  : command->count == 0               ? STOREBUF_DEPTH_MAX
                                                      : command->count;
    return true;
}

/* What the strategy would do within the holds; the tape gets the number in
 * the whole list, since a replay knows no holds. */
static bool
choose_freely(const Directing *state, const Actions *actions,
              Choice *choice, DirectorTurn *turn)
{
    g_autofree Actions *allowed = g_new0(Actions, 1);
    unsigned pick;

    action_begin_list(allowed, actions->steps & ~state->held,
                  actions->drains & ~state->stores_held);
    for (unsigned i = 0; i < actions->rest_count; i++) {
        Action action = actions->rest[i];

        if (action.kind != ACTION_DELIVER ||
            !(state->ipi_held & bit(action.cpu)))
            action_add(allowed, action);
    }
    if (allowed->count == 0)
        return false;
    pick = allowed->count == 1
               ? 0
               : choice->strategy->pick(choice->strategy, allowed);
    turn->action = action_at(allowed, pick);
    turn->index = action_lookup(actions, &turn->action);
    turn->free = true;
    turn->steps = MIN(
        turn->action.kind == ACTION_STEP
            ? choice->strategy->steps(choice->strategy, turn->action.cpu)
            : 1,
        state->left);
    return turn->acts = true;
}

/* Steps that the last turn made count against STEP and FREE. */
static void
account(Directing *state, Machine *machine)
{
    uint64_t made = machine_clock(machine) - state->before;

    state->before = machine_clock(machine);
    state->left -= MIN(state->left, made);
}

static void
continue_command(Directing *state, Machine *machine,
                 const Actions *actions, Choice *choice, DirectorTurn *turn)
{
    const DirectorCommand *command = &state->command;

    account(state, machine);
    turn->steps = state->left;
    switch (command->kind) {
    case DIRECTOR_STEP:
        if (state->left == 0)
            finish(state, true);
        else if (!find_action(actions, ACTION_STEP, command->cpu, turn))
            finish(state, false);
        return;
    case DIRECTOR_RUN_TO:
    case DIRECTOR_RUN_HELD:
        turn->steps = UINT32_MAX;
        if (state->arrived)
            finish(state, true);
        else if (!find_action(actions, ACTION_STEP, command->cpu, turn))
            finish(state, command->kind == DIRECTOR_RUN_HELD);
        return;
    case DIRECTOR_IPI_DELIVER:
        turn->steps = 1;
        finish(state, find_action(actions, ACTION_DELIVER, command->cpu,
                                  turn));
        return;
    case DIRECTOR_IPI_DROP:
        drop_oldest(machine, command->cpu, choice, state);
        return;
    case DIRECTOR_DRAIN:
    case DIRECTOR_DRAIN_ONE:
        finish(state, find_drain(state, machine, actions, turn));
        return;
    case DIRECTOR_FREE:
        if (state->left == 0)
            finish(state, true);
        else if (!choose_freely(state, actions, choice, turn))
            finish(state, false);
        return;
    case DIRECTOR_HOLD:
    case DIRECTOR_RELEASE:
    case DIRECTOR_IPI_HOLD:
    case DIRECTOR_IPI_RELEASE:
    case DIRECTOR_STORES_HOLD:
    case DIRECTOR_STORES_RELEASE:
    case DIRECTOR_LATE:
    case DIRECTOR_WRITE:
    case DIRECTOR_END:
        return;
    }
}

unsigned
directing_late(Directing *state, Choice *choice, unsigned cpu, unsigned count)
{
    unsigned back;

    if (LIKELY(state->director == NULL) || state->late[cpu] == 0)
        return choice_late(choice, count);
    back = (unsigned)MIN(state->late[cpu], count - 1);
    state->late[cpu] = 0;
    choice_record(choice, DECISION_LATE, back);
    return back;
}

bool
directing_next_turn(Directing *state, Machine *machine,
                   const Actions *actions, Choice *choice, DirectorTurn *turn,
                   GError **error)
{
    *turn = (DirectorTurn){.acts = false};
    if (!state->busy)
        return fetch(state, machine, choice, error);
    continue_command(state, machine, actions, choice, turn);
    return true;
}
