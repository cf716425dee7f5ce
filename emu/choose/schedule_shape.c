/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/schedule.h"

/* Cores are named in the order in which the schedule speaks of them. */
typedef struct Names {
    unsigned of[CPUS_MAX];
    bool named[CPUS_MAX];
    unsigned count;
} Names;

static unsigned
name_of(Names *names, unsigned cpu)
{
    if (!names->named[cpu]) {
        names->named[cpu] = true;
        names->of[cpu] = names->count++;
    }
    return names->of[cpu];
}

static void
append_held(GString *out, Names *names, const char *what, uint64_t cores)
{
    uint64_t held = 0;

    if (cores == 0)
        return;
    for (; cores != 0; cores &= cores - 1)
        held |= UINT64_C(1)
                << name_of(names, (unsigned)__builtin_ctzll(cores));
    g_string_append_printf(out, "%s%" PRIx64, what, held);
}

char *
schedule_shape(const Schedule *schedule)
{
    static const char *const kinds[] = {
        [TURN_RUN] = "run",
        [TURN_DRAIN] = "drain",
        [TURN_DELIVER] = "deliver",
        [TURN_FIRE] = "fire",
    };
    GString *out = g_string_new(NULL);
    Names names = {0};

    for (guint i = 0; i < schedule->turns->len; i++) {
        const Turn *turn = &g_array_index(schedule->turns, Turn, i);

        g_string_append_printf(out, "%s%s%u%s", i > 0 ? " " : "",
                               kinds[turn->kind], name_of(&names, turn->cpu),
                               turn->kind == TURN_RUN &&
                                       turn->until != TURN_UNTIL_IT_STOPS
                                   ? "#"
                                   : "");
        append_held(out, &names, "-stores", turn->stores_held);
        append_held(out, &names, "-ipis", turn->ipis_held);
    }
    for (guint i = 0; i < schedule->lates->len; i++) {
        const LateLoad *late = &g_array_index(schedule->lates, LateLoad, i);

        g_string_append_printf(out, " late%u", name_of(&names, late->cpu));
    }
    for (guint i = 0; i < schedule->values->len; i++)
        g_string_append_printf(
            out, " v%" PRIu64, g_array_index(schedule->values, uint64_t, i));
    if (out->len == 0)
        g_string_append(out, "calm");
    return g_string_free(out, FALSE);
}
