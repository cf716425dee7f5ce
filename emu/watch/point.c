/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/point.h"

Point
point_copy(const Point *point)
{
    return (Point){
        .kind = point->kind,
        .function = g_strdup(point->function),
        .quote = g_strdup(point->quote),
        .line = point->line,
    };
}

void
point_clear(Point *point)
{
    g_free(point->function);
    g_free(point->quote);
    *point = (Point){0};
}
