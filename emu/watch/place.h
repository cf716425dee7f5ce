/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place -- where each core goes round in a livelock.
 *
 * A loop is found while its cores stand anywhere in it, and the next schedule
 * finds the same loop from elsewhere.  So the machine is taken round once, the
 * way that verdict_find_lasso() took it, and of each core the place is
 * remembered that all ways into the loop have in common: the first line of the
 * outermost function that it comes through, the one whose stack pointer is
 * highest.
 *
 *      lwkt_send_ipiq3     ┌─▶ while (full) {      ◀── this is the place
 *        lwkt_process_ipiq │     ...
 *          nop             │       .               ◀── it stood here
 *                          └──  }
 *
 * Layer 4.
 */
#ifndef EMU_WATCH_PLACE_H
#define EMU_WATCH_PLACE_H

#include "base/base.h"
#include "guest/image.h"
#include "machine/machine.h"
#include "watch/state.h"
#include "watch/verdict.h"

typedef struct Place {
    bool moves;   /* makes steps in the loop ... */
    bool rests;   /* ... and stands still at some moments of it, or makes none:
                     it halts, or is held */
    gva_t rip;    /* if it moves; the lowest of the line */
    unsigned line; /* of that function, or 0 */
    uint64_t rsp; /* there */
} Place;

typedef struct PlaceSetup {
    Machine *machine; /* that was found to be in a loop */
    const Image *image;
    const StateView *view;
} PlaceSetup;

/*
 * Fill `places`, of as many as there are cores.  Leaves the machine as it was;
 * nobody is told of what happens in between, and watchers are gone afterwards.
 */
void place_find(const PlaceSetup *setup, Place *places);

#endif
