/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chores -- many pieces of work that know nothing of each other, done by one
 * process or by several.
 *
 * Each piece answers with bytes, and the answers come in the order of the
 * pieces, so that nobody can tell how many processes there were.  Workers are
 * copies of the caller as it stands: they see all that it has, and what they
 * change is lost but for the answer.
 *
 * Layer 11.
 */
#ifndef EMU_CAMPAIGN_CHORES_H
#define EMU_CAMPAIGN_CHORES_H

#include "base/base.h"

#define CHORES_JOBS_MAX 256u

typedef struct Chores {
    unsigned count;
    unsigned jobs; /* processes; up to 1: this one does it all */
    /* Do piece `number`, and append the answer. */
    bool (*work)(void *user, unsigned number, GByteArray *answer,
                 GError **error);
    void *user;
} Chores;

typedef enum ChoresError {
    CHORES_ERROR_PROCESS, /* no more processes, or one was killed */
    CHORES_ERROR_WORK,    /* as a piece said it */
} ChoresError;

#define CHORES_ERROR chores_error_quark()
GQuark chores_error_quark(void);

/* The answers, an array of GByteArray that the caller unrefs; NULL with an
 * error if a piece failed. */
GPtrArray *chores_do(const Chores *chores, GError **error);

#endif
