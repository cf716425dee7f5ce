/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/rules.h"

static void
free_point(gpointer item)
{
    Point *point = item;

    point_clear(point);
    g_free(point);
}

GPtrArray *
rules_new_points(void)
{
    return g_ptr_array_new_with_free_func(free_point);
}

Rule *
rules_new_rule(const char *name, RuleKind kind)
{
    Rule *rule = g_new0(Rule, 1);

    rule->name = g_strdup(name);
    rule->kind = kind;
    rule->points = rules_new_points();
    return rule;
}

void
rules_free_rule(Rule *rule)
{
    if (rule == NULL)
        return;
    g_free(rule->name);
    g_clear_pointer(&rule->points, g_ptr_array_unref);
    g_free(rule);
}

void
rules_init(Rules *rules)
{
    *rules = (Rules){.thread = RULES_NOWHERE};
    rules->rules =
        g_ptr_array_new_with_free_func((GDestroyNotify)rules_free_rule);
    rules->messages.written = rules_new_points();
    rules->messages.returned = rules_new_points();
}

void
rules_clear(Rules *rules)
{
    g_clear_pointer(&rules->rules, g_ptr_array_unref);
    g_clear_pointer(&rules->messages.written, g_ptr_array_unref);
    g_clear_pointer(&rules->messages.returned, g_ptr_array_unref);
    g_clear_pointer(&rules->messages.provider, g_free);
    g_clear_pointer(&rules->messages.received, g_free);
    g_clear_pointer(&rules->memory.provider, g_free);
    g_clear_pointer(&rules->memory.freed, g_free);
    g_clear_pointer(&rules->memory.taken, g_free);
}
