/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inside -- which cores are inside of a region, and how often.
 *
 *      begins ──▶ depth 1 ──▶ begins ──▶ 2 ──▶ ends ──▶ 1 ──▶ ends ──▶ 0
 *
 * A region is from one point of the code to another, for each core on its
 * own; or the inside of one function.  A point is the moment before its first
 * instruction, and a core that is interrupted at that moment comes there
 * again: what it had begun or ended is then undone (inside_undo).
 *
 * Within one function the stack pointer tells one entry from another, since
 * code of one line can lie in several blocks.
 *
 * Layer 4.
 */
#ifndef EMU_WATCH_INSIDE_H
#define EMU_WATCH_INSIDE_H

#include "base/base.h"
#include "base/capacity.h"
#include "base/digest.h"

#define INSIDE_FRAMES_MAX 64

typedef struct Inside {
    bool one_function; /* begins and ends in one: frames tell entries apart */
    unsigned depth[CPUS_MAX];
    int moved[CPUS_MAX]; /* by the last point of the core that could */
    uint64_t frames[CPUS_MAX][INSIDE_FRAMES_MAX]; /* their stack pointers */
} Inside;

/* A new run: nobody is. */
void inside_begin(Inside *inside);

/* Core `cpu`, with this stack pointer, is where the region begins or ends. */
void inside_move(Inside *inside, unsigned cpu, uint64_t rsp, bool begins);

/* The point that was last given to inside_move() for this core has not come to
 * be.  A point that both begins and ends one region would need two steps; no
 * such region makes sense. */
void inside_undo(Inside *inside, unsigned cpu);

/* Add what its future depends on. */
void inside_digest(const Inside *inside, unsigned cpus, Digest *digest);

#endif
