/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/watching.h"

void
watching_begin(Watching *watching, Machine *machine)
{
    uint64_t lines = machine_memory(machine)->size >> LINE_BITS;

    INVARIANT(watching->machine == NULL);
    watching->machine = machine;
    watching->before = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    for (uint64_t line = 0; line < lines; line++)
        if (!machine_watch_line(machine, line << LINE_BITS))
            g_array_append_val(watching->before, line);
    machine_watch_flow(machine, true);
}

void
watching_end(Watching *watching)
{
    if (watching->machine == NULL)
        return;
    machine_watch_no_memory(watching->machine);
    for (guint i = 0; i < watching->before->len; i++)
        machine_watch_line(watching->machine,
                           g_array_index(watching->before, uint64_t, i)
                               << LINE_BITS);
    machine_watch_flow(watching->machine, false);
    g_clear_pointer(&watching->before, g_array_unref);
    watching->machine = NULL;
}
