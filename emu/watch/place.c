/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/place.h"

/* Steps that are looked at; longer loops are known by their beginning. */
#define LOOK_STEPS_MAX 200000u

typedef struct Round {
    Machine *machine;
    const Image *image;
    Place *places;
    uint64_t ran; /* cores that had a turn in this round */
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

/* A turn in single steps. */
static void
look(Round *round, const LassoMove *move)
{
    unsigned cpu = move->action.cpu;

    for (uint64_t i = 0; i < move->steps; i++) {
        note(round, cpu);
        machine_perform(round->machine, &move->action, 1);
    }
    if (!cpu_is_runnable(machine_cpu(round->machine, cpu)))
        round->places[cpu].rests = true;
    round->ran |= UINT64_C(1) << cpu;
}

/* Everybody had a turn who could. */
static void
end_round(Round *round)
{
    for (unsigned i = 0; i < machine_cpus(round->machine); i++)
        if (!(round->ran >> i & 1))
            round->places[i].rests = true;
    round->ran = 0;
    machine_drain_all(round->machine);
}

static void
play_loop(Round *round, const GArray *loop)
{
    ticks_t began = machine_clock(round->machine);

    for (guint i = 0; i < loop->len; i++) {
        const LassoMove *move = &g_array_index(loop, LassoMove, i);

        if (machine_clock(round->machine) - began >= LOOK_STEPS_MAX)
            break;
        if (move->settles)
            end_round(round);
        else if (move->action.kind == ACTION_STEP)
            look(round, move);
        else
            machine_perform(round->machine, &move->action, 1);
    }
}

void
place_find(const PlaceSetup *setup, Place *places)
{
    Machine *machine = setup->machine;
    g_autoptr(MachineSnapshot) before = machine_save(machine);
    Round round = {.machine = machine, .image = setup->image,
                   .places = places};
    g_auto(Lasso) lasso = {0};
    Verdict verdict;

    memset(places, 0, machine_cpus(machine) * sizeof *places);
    lasso_init(&lasso);
    verdict_find_lasso(machine, setup->view, VERDICT_STEPS_FAR, &verdict,
                       &lasso);
    for (guint i = 0; i < lasso.stem->len; i++)
        lasso_play_move(machine, &g_array_index(lasso.stem, LassoMove, i));
    play_loop(&round, lasso.loop);
    machine_load(machine, before);
}
