/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit_subject -- a case that takes part in an audit: what holds in it, what
 * it executes, and whether it misses what is taken away.
 *
 * Layer 12; a part of audit.
 */
#ifndef EMU_AUDIT_AUDIT_SUBJECT_H
#define EMU_AUDIT_AUDIT_SUBJECT_H

#include "base/base.h"
#include "check/check.h"
#include "check/weakening.h"

/* Claims of a case that are looked at, the implied ones included. */
#define AUDIT_CLAIMS_MAX 64u

/* What is taken away at once: the places of the case's image that are one row
 * of the ledger, or those of two rows. */
typedef struct AuditTarget {
    char *weaken;       /* as weakening.h writes it */
    bool is_pair;       /* of two rows, ... */
    unsigned single[2]; /* ... whose own targets are these, in order */
    unsigned item;      /* of the audit */
    uint64_t executed;  /* times, in the runs of the baselines */
    uint64_t planned[MEMORY_MODELS]; /* runs to be made without it */
    uint64_t tried[MEMORY_MODELS];   /* runs that were made so */
} AuditTarget;

typedef struct AuditAddress {
    gva_t address;
    unsigned target;
} AuditAddress;

/* What is known of the case as it is, under one model. */
typedef struct AuditBaseline {
    uint64_t holds; /* claims, one bit each, that no run has broken */
    uint64_t longest;     /* steps of the longest run that came to an end */
    uint64_t runs, steps; /* of all */
} AuditBaseline;

typedef struct AuditSubject {
    Check *check;
    const ScenarioCase *item;
    const TrialOptions *options; /* of all trials, but for what this sets */
    GArray *targets;    /* AuditTarget: first the single rows */
    GArray *addresses;  /* AuditAddress, ascending */
    AuditBaseline baseline[MEMORY_MODELS];
} AuditSubject;

/* What is to be tried. */
typedef struct AuditQuestion {
    MemoryModel model;
    unsigned target;
    uint64_t runs;      /* with seeds that it was not tried with */
} AuditQuestion;

typedef struct AuditAnswer {
    uint64_t runs;    /* that were made with it weakened */
    uint64_t seed;    /* of the first that broke a claim */
    uint64_t struck;  /* claims that break anyhow, it turned out */
    uint64_t together; /* runs with it and others weakened; nothing broke */
    uint32_t claim;   /* that is broken; if it is missed */
    bool missed;
} AuditAnswer;

/* Without targets; all is borrowed. */
AuditSubject *audit_subject_new(Check *check, const ScenarioCase *item,
                                const TrialOptions *options);
void audit_subject_free(AuditSubject *subject);

AuditTarget *audit_subject_target(const AuditSubject *subject,
                                  unsigned number);

/* This place of its image, with an address not below the last, belongs to
 * item number `item`. */
void audit_subject_add(AuditSubject *subject, const Weakening *found,
                       unsigned item);
/* Two targets become a third, which is item number `item`. */
void audit_subject_pair(AuditSubject *subject, unsigned one, unsigned other,
                        unsigned item);

/* How the audit runs under `model`. */
MemoryOptions audit_memory(MemoryModel model);

/* Fill in the baselines of all models, and count in the targets how often they
 * are executed. */
bool audit_subject_look(AuditSubject *subject, GError **error);

/* These claims break anyhow, under this model and all weaker ones. */
void audit_subject_strike(AuditSubject *subject, MemoryModel model,
                          uint64_t claims);

/* The baseline must have been filled. */
bool audit_subject_try(AuditSubject *subject, const AuditQuestion *question,
                       AuditAnswer *answer, GError **error);

/* Without all these targets (a list of unsigned) at once. */
bool audit_subject_try_all(AuditSubject *subject, MemoryModel model,
                           const GArray *targets, uint64_t runs,
                           AuditAnswer *answer, GError **error);

/* Make the run of this answer again and tell it.  NULL with an error if that
 * fails. */
Finding *audit_subject_tell(AuditSubject *subject,
                            const AuditQuestion *question,
                            const AuditAnswer *answer, char **claim,
                            GError **error);

#endif
