/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "campaign/campaign_memory.h"

bool
campaign_memory_is_needed(const Strategy *strategy)
{
    return strategy->search != NULL || strategy->memory != NULL;
}

char *
campaign_memory_print(const Strategy *strategy)
{
    g_autoptr(GBytes) bytes = NULL;
    gsize size;
    const void *data;

    if (strategy->search != NULL)
        return strategy->search->print(strategy);
    if (strategy->memory == NULL)
        return NULL;
    bytes = strategy->memory->save(strategy);
    data = g_bytes_get_data(bytes, &size);
    return g_base64_encode(data, size);
}

static GBytes *
decode(const char *text)
{
    gsize size;
    guchar *data = g_base64_decode(text, &size);

    return g_bytes_new_take(data, size);
}

bool
campaign_memory_restore(Strategy *strategy, const char *text, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;

    if (strategy->search != NULL)
        return strategy->search->parse(strategy, text, error);
    if (strategy->memory == NULL)
        return true;
    bytes = decode(text);
    return strategy->memory->load(strategy, bytes, error);
}

bool
campaign_memory_join(Strategy *strategy, const char *text, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;

    if (strategy->memory == NULL)
        return true;
    bytes = decode(text);
    return strategy->memory->join(strategy, bytes, error);
}

uint64_t
campaign_memory_reached(const Strategy *strategy)
{
    return strategy->memory != NULL ? strategy->memory->reached(strategy) : 0;
}
