/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * base -- the ground every file stands on.
 *
 * The first include of every .c file.  It brings GLib (our libc, not our
 * framework), the fixed-width types, and the two ways to say that heddle
 * itself is wrong: BUG() and INVARIANT().  Both stay on in every build.
 *
 * Trouble has three kinds, and they never mix:
 *
 *      our bug      BUG(), INVARIANT()     message with values, abort (134)
 *      the world    GError **error         told once, by main.c, exit 2
 *      the guest    a Finding              told by the report, exit 1
 *
 * Layer 0; depends on nothing of ours.
 */
#ifndef EMU_BASE_BASE_H
#define EMU_BASE_BASE_H

#include <glib.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "banned.h"

/* The version of heddle, which a packager may set. */
#ifndef HEDDLE_VERSION
#define HEDDLE_VERSION "0.1"
#endif

typedef uint64_t gpa_t; /* guest physical address */
typedef uint64_t gva_t; /* guest virtual address */

/* Virtual time, in ticks since power-on; see machine.h for its meaning. */
typedef uint64_t ticks_t;
#define TICKS_NEVER UINT64_MAX

/*
 * Report a bug in heddle and abort.  The message must hold the values that
 * make the bug understandable without a debugger.
 */
#define BUG(...) base_bug(__FILE__, __LINE__, __VA_ARGS__)

/* One condition each, in its positive form. */
#define INVARIANT(condition)                                                   \
    do {                                                                       \
        if (G_UNLIKELY(!(condition)))                                          \
            base_bug(__FILE__, __LINE__, "invariant broken: %s", #condition);  \
    } while (0)

#define IMPLIES(a, b) (!(a) || (b))

#define LIKELY(x) G_LIKELY(x)
#define UNLIKELY(x) G_UNLIKELY(x)

/*
 * Whoever can say more about the moment of a bug (the run's seed, the clock,
 * the command that replays it) registers a function that prints it to stderr.
 * One at a time; NULL removes it.
 */
typedef void BaseBugContext(void *user);
void base_set_bug_context(BaseBugContext *context, void *user);

void base_bug(const char *file, int line, const char *format, ...)
    G_GNUC_PRINTF(3, 4) __attribute__((noreturn, cold));

#endif
