/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/inside.h"

#include <string.h>

void
inside_begin(Inside *inside)
{
    memset(inside->depth, 0, sizeof inside->depth);
    memset(inside->moved, 0, sizeof inside->moved);
}

void
inside_move(Inside *inside, unsigned cpu, uint64_t rsp, bool begins)
{
    unsigned depth = inside->depth[cpu];
    uint64_t *frames = inside->frames[cpu];
    bool same = inside->one_function && depth > 0 &&
                depth <= INSIDE_FRAMES_MAX && frames[depth - 1] == rsp;

    inside->moved[cpu] = 0;
    if (begins) {
        if (same)
            return;
        if (depth < INSIDE_FRAMES_MAX)
            frames[depth] = rsp;
        inside->depth[cpu] = depth + 1;
    } else if (depth > 0 && (same || !inside->one_function ||
                             depth > INSIDE_FRAMES_MAX))
        inside->depth[cpu] = depth - 1;
    inside->moved[cpu] = (int)inside->depth[cpu] - (int)depth;
}

void
inside_undo(Inside *inside, unsigned cpu)
{
    inside->depth[cpu] -= (unsigned)inside->moved[cpu];
    inside->moved[cpu] = 0;
}

void
inside_digest(const Inside *inside, unsigned cpus, Digest *digest)
{
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        unsigned depth = inside->depth[cpu];

        digest_u64(digest, depth);
        for (unsigned k = 0; k < MIN(depth, INSIDE_FRAMES_MAX); k++)
            digest_u64(digest, inside->frames[cpu][k]);
    }
}
