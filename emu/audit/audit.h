/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit -- the barrier ledger: which fence, LOCK or compiler barrier of a
 * guest is needed, and from which memory model on.
 *
 *      each case, under each model     which claims hold as it is?
 *      each place, in each case that   taken away alone: does one of them
 *        executes it, little by little   break now?
 *      each that was missed            under a stronger model as well?
 *      each two that were not, of one  both taken away: does one break now?
 *        function
 *      all that were not, in each case taken away at once; if one breaks, by
 *                                      halves: which was it?
 *
 * A place is needed under a model if a claim that held in all runs of a case
 * under that model and the stronger ones breaks once the place is weakened
 * (weakening.h): in three runs, while the case with the place left whole stays
 * clean in four times as many that are aimed at it alike.  Under `pso` and
 * `weak` compiler barriers order as the source asks, so that each can be taken
 * away alone.
 *
 * Two places are needed together if that is so of the pair, and of neither
 * alone: one of them is enough.
 *
 * A place that no claim misses is *never seen needed*: that is as strong as the
 * claims and the number of runs, which are told.  The method is that of VSync
 * (ASPLOS 2021), on machine code.
 *
 * Cases take part that claim something (`never` or `certain`), with no mutants
 * of their own but remedies, without schedule() and without columns of code.
 * Places of several images are one row if they come from the same source line
 * with the same kind of instruction; in an image that has it more than once,
 * all of them go.  What comes out depends on the sources, the scenarios and the
 * number of runs, and not on the number of jobs.
 *
 * Layer 12.
 */
#ifndef EMU_AUDIT_AUDIT_H
#define EMU_AUDIT_AUDIT_H

#include "base/base.h"
#include "audit/audit_row.h"
#include "check/trial.h"

/* Runs of each place and model, in all its cases together, unless somebody
 * says otherwise: of cases with short runs more, with long ones fewer. */
#define AUDIT_RUNS_DEFAULT 1000u

typedef struct AuditOptions {
    TrialOptions trial; /* memory and weaken are set by the audit; runs as
                           above */
    unsigned jobs;      /* processes */
    /* Told of each piece of work before it is done, by one of the processes;
     * may be NULL. */
    void (*progress)(void *user, const char *what, unsigned number,
                     unsigned count);
    void *user;
} AuditOptions;

/*
 * Audit the guests of these scenarios (a NULL-terminated list of paths): rows
 * of AuditRow by file and line, those only that some case executes.  NULL with
 * an error if one of them cannot be loaded or built.  The caller unrefs.
 */
GPtrArray *audit_scenarios(char **paths, const AuditOptions *options,
                           GError **error);

#endif
