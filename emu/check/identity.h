/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * identity -- when two findings are the same one: what happened, and where.
 *
 * Two schedules that end in one deadlock are one finding.  What a run found has
 * a name that forgets how it came about: no seed, no step, no address, no
 * number of a cpu.
 *
 *      KIND     WHAT                             WHERE
 *      verdict  deadlock, livelock               what each cpu that is stuck is
 *                                                stuck in, sorted: a function
 *                                                and line of source, `awaits
 *                                                "a mark"`, or `sleeps in` what
 *                                                its story called
 *               panic: its text, fault: its text its function
 *      breach   breach: the rule's name          the function
 *      claim    broken: or shown: its text       nothing
 *
 * Numbers in a text become #, addresses of code the function's name.  The
 * place of a core in a livelock is that of its loop and not where it happened
 * to stand: of the calls that it is in, the outermost that the loop comes
 * through, and there the first line.
 *
 * A run can have found several things.  The first is the primary one: the
 * verdict before broken rules, in the order in which they were broken, before
 * claims, in the order of the file.  A run that ends well, breaks no rule,
 * breaks no `never` or `certain`, and shows no `possible`, found nothing.
 *
 * Layer 10.
 */
#ifndef EMU_CHECK_IDENTITY_H
#define EMU_CHECK_IDENTITY_H

#include "base/base.h"
#include "check/trial.h"

typedef enum IdentityKind {
    IDENTITY_VERDICT,
    IDENTITY_BREACH,
    IDENTITY_CLAIM,
} IdentityKind;

typedef struct Identity {
    IdentityKind kind;
    char *what;  /* "deadlock", "panic: ...", "breach: ...", "broken: ..." */
    char *where; /* "spin_lock spinlock.c:34, awaits \"x\"", or "" */
    char *key;   /* "case 2: WHAT at WHERE": equal for the same finding */
} Identity;

void identity_free(Identity *identity);

/*
 * What the run that was just made found: a list of Identity, without doubles,
 * the primary first, empty if it found nothing; the caller unrefs it.  The
 * machine must stand as the run left it and is left like that.
 */
GPtrArray *identity_list(Trial *trial, const RunRecord *record);

/* The one with this key, or NULL. */
const Identity *identity_lookup(const GPtrArray *list, const char *key);

#endif
