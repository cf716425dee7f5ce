/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit -- the barrier ledger: which fence, LOCK or compiler barrier of a
 * guest is needed, and from which memory model on.
 *
 *      for each model, the strongest first
 *        for each case as written   what it claims, and what holds anyhow
 *          for each place           taken away alone: does a claim break now?
 *
 * A place is needed under a model if some claim that held in all runs of the
 * case under that model is broken once the place is weakened (weakening.h).
 * Under `pso` and `weak` compiler barriers order as the source asks, so that
 * each can be taken away alone.  A place that no claim misses is *never seen
 * needed*: that is as strong as the claims and the number of runs, which are
 * told.  The method is that of VSync (ASPLOS 2021), on machine code.
 *
 * Only cases without a mutant, without schedule() and without columns of code
 * take part: the others are damaged, or look at one schedule.  Places of
 * several images are one row if they come from the same source line with the
 * same kind of instruction.
 *
 * Layer 7.
 */
#ifndef EMU_PEOPLE_AUDIT_H
#define EMU_PEOPLE_AUDIT_H

#include "base/base.h"
#include "people/trial.h"
#include "people/weakening.h"

/* Runs of each case, place and model unless somebody says otherwise. */
#define AUDIT_RUNS_DEFAULT 500u

#define AUDIT_NEVER (-1)

/* A row of the ledger. */
typedef struct AuditRow {
    char *key;        /* what makes it one row */
    Weakening place;  /* of the first image that had it */
    char *source;     /* its file as the image names it, or NULL */
    char *text;       /* the text of that file, once: in one of its rows */
    int needed;       /* the strongest MemoryModel, or AUDIT_NEVER */
    uint64_t runs;    /* that were made with it weakened */
    unsigned cases;   /* that execute it */
    /* If it is needed: */
    char *claim;      /* that breaks */
    char *scenario;
    unsigned case_number;
    uint64_t seed;
    char *replay;     /* the command line that shows it */
    char *trace;      /* the file that keeps the run, or NULL */
} AuditRow;

typedef struct AuditOptions {
    TrialOptions trial; /* memory and weaken are set by the audit */
    uint64_t runs;      /* 0: the default */
    /* Told before each case and model; may be NULL. */
    void (*progress)(void *user, const Scenario *scenario,
                     const ScenarioCase *item, MemoryModel model);
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
