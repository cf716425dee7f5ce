/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/place.h"

/* Rounds on the way into the loop, at most: the detector found it in no more
 * than twice as many. */
#define WAY_ROUNDS_MAX 1024u
/* Steps that are looked at; longer loops are known by their beginning. */
#define LOOK_STEPS_MAX 200000u

typedef struct Round {
    Machine *machine;
    Actions actions;
    Place *places; /* NULL: nobody looks */
    ticks_t look_until;
    bool sent;
} Round;

static void
note(Round *round, unsigned number)
{
    Cpu *cpu = machine_cpu(round->machine, number);
    Place *place = &round->places[number];
    uint64_t rsp = cpu_register(cpu, GPR_RSP);
    gva_t rip = cpu_rip(cpu);

    if (!place->moves || rsp > place->rsp ||
        (rsp == place->rsp && rip < place->rip)) {
        place->moves = true;
        place->rsp = rsp;
        place->rip = rip;
    }
}

static bool
stands_before_pause(Machine *machine, unsigned cpu)
{
    static const uint8_t pause[2] = {0xf3, 0x90};
    uint8_t bytes[2];

    return machine_read(machine, MACHINE_NOBODY,
                        cpu_rip(machine_cpu(machine, cpu)), bytes,
                        sizeof bytes) &&
           memcmp(bytes, pause, sizeof pause) == 0;
}

static void
tell_sent(void *user, unsigned cpu, const Message *message)
{
    (void)cpu, (void)message;
    ((Round *)user)->sent = true;
}

/* A turn in single steps, which ends where a whole one does: after a PAUSE, or
 * when a message was sent. */
static void
look(Round *round, const Action *turn)
{
    Machine *machine = round->machine;
    Action step = *turn;
    CpuStop stop = CPU_STOP_SLICE;
    bool paused = false;

    step.number = 1;
    round->sent = false;
    for (unsigned i = 0; i < LASSO_TURN_STEPS && stop == CPU_STOP_SLICE &&
                         !paused && !round->sent;
         i++) {
        note(round, step.cpu);
        paused = stands_before_pause(machine, step.cpu);
        stop = machine_perform(machine, &step, 1);
    }
}

static void
play_turns(Round *round)
{
    Machine *machine = round->machine;

    for (unsigned i = 0; i < machine_cpus(machine); i++) {
        Action step = {.kind = ACTION_STEP, .cpu = i};
        Cpu *cpu = machine_cpu(machine, i);

        if (!cpu_is_runnable(cpu)) {
            if (round->places != NULL)
                round->places[i].rests = true;
            continue;
        }
        if (round->places == NULL)
            machine_perform(machine, &step, LASSO_TURN_STEPS);
        else
            look(round, &step);
        if (round->places != NULL && !cpu_is_runnable(cpu))
            round->places[i].rests = true;
    }
}

/* A round as the detector makes it. */
static void
play(Round *round)
{
    Machine *machine = round->machine;

    machine_list_actions(machine, &round->actions);
    while (round->actions.count > round->actions.step_count) {
        Action arrival =
            action_at(&round->actions, round->actions.step_count);

        machine_perform(machine, &arrival, 1);
        machine_list_actions(machine, &round->actions);
    }
    play_turns(round);
    machine_drain_all(machine);
}

void
place_find(Machine *machine, const StateView *view, const Verdict *verdict,
           Place *places)
{
    g_autoptr(MachineSnapshot) before = machine_save(machine);
    g_autofree Round *round = g_new0(Round, 1);
    MachineWatch watch = {.sent = tell_sent, .user = round};
    ticks_t began;

    round->machine = machine;
    machine_watch(machine, &watch);
    memset(places, 0, machine_cpus(machine) * sizeof *places);
    machine_drain_all(machine);
    for (unsigned i = 0; i < WAY_ROUNDS_MAX; i++) {
        play(round);
        if (state_hash(machine, view) == verdict->loop_hash)
            break;
    }
    round->places = places;
    began = machine_clock(machine);
    for (unsigned i = 0; i < verdict->loop_rounds &&
                         machine_clock(machine) - began < LOOK_STEPS_MAX;
         i++)
        play(round);
    machine_watch(machine, NULL);
    machine_load(machine, before);
}
