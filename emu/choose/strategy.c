/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/strategy.h"

static const char *const names[] = {"random", "round-robin", NULL};

const char *const *
strategy_names(void)
{
    return names;
}

Strategy *
strategy_named(const char *name)
{
    if (g_str_equal(name, "random"))
        return strategy_random_new(0);
    if (g_str_equal(name, "round-robin"))
        return strategy_round_robin_new();
    return NULL;
}
