/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * point -- a place in the guest's code, as a scenario names it: a function's
 * entry or return, or a quoted source line.
 *
 * Symbolic, until point_find() finds it in an image.  Layer 4; a value that
 * owns its strings.
 */
#ifndef EMU_WATCH_POINT_H
#define EMU_WATCH_POINT_H

#include "base/base.h"
#include "guest/gmem.h"
#include "guest/image.h"

typedef enum PointKind {
    POINT_ENTER, /* the first instruction of the function */
    POINT_LEAVE, /* its return, back in the caller */
    POINT_LINE,  /* a quoted source line of the function */
} PointKind;

typedef struct Point {
    PointKind kind;
    char *function;
    char *quote;   /* of POINT_LINE; NULL otherwise */
    unsigned line; /* of the scenario that names it, for messages */
} Point;

/* A cpu is inside from `begin` to `end`; nested entries count. */
typedef struct Region {
    char *name; /* as the scenario calls it, or "region" */
    Point begin, end;
} Region;

/* Copy or free what a Point holds. */
Point point_copy(const Point *point);
void point_clear(Point *point);

/*
 * Append where the point is in the image, whose code lies in `memory`, to
 * `addresses` (of gva_t).  False with an error, in the words of image.h, that
 * begins with the point's line.
 */
bool point_find(const Point *point, const Image *image, const Gmem *memory,
                GArray *addresses, GError **error);

#endif
