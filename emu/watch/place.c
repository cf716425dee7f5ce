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
    const Image *image;
    Actions actions;
    Place *places; /* NULL: nobody looks */
    bool sent;
} Round;

/* The line in the function that has the frame. */
static unsigned
line_at(const Image *image, gva_t rip)
{
    ImageLine line;

    return image_line_at(image, rip, &line) && line.frame_count > 0
               ? line.frames[line.frame_count - 1].line
               : 0;
}

static void
note(Round *round, unsigned number)
{
    Cpu *cpu = machine_cpu(round->machine, number);
    Place *place = &round->places[number];
    uint64_t rsp = cpu_register(cpu, GPR_RSP);
    gva_t rip = cpu_rip(cpu);
    unsigned line;

    if (place->moves && rsp < place->rsp)
        return;
    line = line_at(round->image, rip);
    if (place->moves && rsp == place->rsp &&
        (line > place->line || (line == place->line && rip >= place->rip)))
        return;
    *place = (Place){.moves = true,
                     .rests = place->rests,
                     .rip = rip,
                     .line = line,
                     .rsp = rsp};
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
        stop = machine_perform(machine, &step, 1);
        paused = machine_cpu(machine, step.cpu)->paused;
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
place_find(const PlaceSetup *setup, Place *places)
{
    Machine *machine = setup->machine;
    g_autoptr(MachineSnapshot) before = machine_save(machine);
    g_autofree Round *round = g_new0(Round, 1);
    MachineWatch watch = {.sent = tell_sent, .user = round};
    ticks_t began;

    round->machine = machine;
    round->image = setup->image;
    machine_watch(machine, &watch);
    memset(places, 0, machine_cpus(machine) * sizeof *places);
    machine_drain_all(machine);
    for (unsigned i = 0; i < WAY_ROUNDS_MAX; i++) {
        play(round);
        if (state_hash(machine, setup->view) == setup->verdict->loop_hash)
            break;
    }
    round->places = places;
    began = machine_clock(machine);
    for (unsigned i = 0; i < setup->verdict->loop_rounds &&
                         machine_clock(machine) - began < LOOK_STEPS_MAX;
         i++)
        play(round);
    machine_watch(machine, NULL);
    machine_load(machine, before);
}
