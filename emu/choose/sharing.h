/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sharing -- which words of memory can tell one order of events from another.
 *
 *      untouched ──▶ of one context ──▶ of several, only read ──▶ shared
 *                          └───────────────────────────────────────▲
 *
 * A context is a core outside of interrupt handlers, or inside of them: both
 * use the core's memory, at moments that a schedule can move.  A word is shared
 * when several contexts touch it and one of them writes.  An access to any
 * other word commutes with everything that other contexts do, so nothing is
 * lost if no switch is ever tried beside it (Godefroid, "Partial-Order Methods
 * for the Verification of Concurrent Systems", 1996) -- as long as the word
 * stays what it is: a search that meets a newly shared one has to begin anew.
 *
 * Invariant: a word never goes back.  Layer 5; owned by a strategy.
 */
#ifndef EMU_CHOOSE_SHARING_H
#define EMU_CHOOSE_SHARING_H

#include "base/base.h"

typedef struct Sharing Sharing;

Sharing *sharing_new(void);
void sharing_free(Sharing *sharing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sharing, sharing_free)

/* A context of core `cpu` touches [physical, physical + size).  Returns whether
 * some word of it is shared. */
typedef struct SharingTouch {
    unsigned cpu;
    bool handler; /* inside of an interrupt handler */
    bool writes;
} SharingTouch;
bool sharing_touch(Sharing *sharing, const SharingTouch *touch,
                   gpa_t physical, uint64_t size);

/* Is some word of it shared, as far as is known? */
bool sharing_is_shared(const Sharing *sharing, gpa_t physical, uint64_t size);

/* How many words are shared. */
uint64_t sharing_count(const Sharing *sharing);

/* All that is known as one line of text; caller frees. */
char *sharing_print(const Sharing *sharing);

#define SHARING_ERROR sharing_error_quark()
GQuark sharing_error_quark(void);
typedef enum SharingError { SHARING_ERROR_SYNTAX } SharingError;

/* Know what sharing_print() knew, instead of anything else.  False with an
 * error if it is no such text. */
bool sharing_parse(Sharing *sharing, const char *text, GError **error);

#endif
