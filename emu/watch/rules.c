/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/rules.h"

void
rules_free_rule(Rule *rule)
{
    if (rule == NULL)
        return;
    g_free(rule->name);
    g_clear_pointer(&rule->functions, g_ptr_array_unref);
    g_free(rule);
}

void
rules_init(Rules *rules)
{
    *rules = (Rules){0};
    rules->rules =
        g_ptr_array_new_with_free_func((GDestroyNotify)rules_free_rule);
}

void
rules_clear(Rules *rules)
{
    g_clear_pointer(&rules->rules, g_ptr_array_unref);
}
