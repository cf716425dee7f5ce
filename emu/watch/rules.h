/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules -- the house rules of a system, found in an image: at the entry of some
 * functions one word has, or has not, a value.
 *
 * The word is a field of the cpu's globaldata, or of what a pointer in it
 * points to (the current thread).  Layer 4; a value.
 */
#ifndef EMU_WATCH_RULES_H
#define EMU_WATCH_RULES_H

#include "base/base.h"
#include "base/capacity.h"

typedef struct Rule {
    char *name;
    GPtrArray *functions; /* char * */
    bool through_pointer; /* the word is behind the pointer at `pointer` */
    uint64_t pointer;     /* offset in globaldata */
    uint64_t offset;      /* of the word */
    unsigned size;        /* bytes: 1, 2, 4 or 8 */
    uint64_t value;
    bool negated;         /* must not be `value` */
} Rule;

/* Where the cpus' globaldata lie, and the rules; of one image. */
typedef struct Rules {
    gva_t globaldata[CPUS_MAX];
    GPtrArray *rules; /* Rule */
} Rules;

void rules_init(Rules *rules);
void rules_clear(Rules *rules);
void rules_free_rule(Rule *rule); /* one of them; NULL is fine */

#endif
