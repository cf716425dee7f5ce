/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit_row -- a row of the barrier ledger: a line of the guest's source that
 * asks for order, and what is known of it.
 *
 * Layer 12; a part of audit.
 */
#ifndef EMU_AUDIT_AUDIT_ROW_H
#define EMU_AUDIT_AUDIT_ROW_H

#include "base/base.h"
#include "check/weakening.h"
#include "guest/image.h"

#define AUDIT_NEVER (-1)

/* A run that shows that something is needed. */
typedef struct AuditWitness {
    int needed;        /* under this MemoryModel and all weaker ones, or
                          AUDIT_NEVER: then there is no more */
    char *claim;       /* that breaks */
    char *scenario;
    unsigned case_number;
    uint64_t seed;
    char *replay;      /* the command line that shows it */
    char *trace;       /* the file that keeps the run, or NULL */
} AuditWitness;

typedef struct AuditRow AuditRow;
struct AuditRow {
    char *key;        /* what makes it one row, and where it is listed */
    Weakening place;  /* in the first image that had it */
    char *file;       /* the last part of place.source, or NULL */
    char *text;       /* all of that file, if nobody has it yet; or NULL */
    uint64_t runs;    /* that were made with it taken away, alone */
    uint64_t together; /* with others, and no claim broke */
    unsigned cases;   /* that execute it */
    AuditWitness alone;
    /* Where it is enough that one of two is there: the other, and what shows
     * that both must not be taken away. */
    const AuditRow *other;
    AuditWitness both;
};

void audit_witness_clear(AuditWitness *witness);

/* "lock or" of "lock or dword ptr [rax], ecx", as place->code has it; of a
 * compiler barrier "barrier".  The caller frees it. */
char *audit_row_mnemonic(const Weakening *place);

/* The row's key: file, line, function, kind of instruction.  The caller frees
 * it.  `place` must have been located. */
char *audit_row_key(const Weakening *place);

/* Takes both, and leaves nothing behind in *place. */
AuditRow *audit_row_new(char *key, Weakening *place);
void audit_row_free(AuditRow *row);

/* Fill in the text of its source. */
void audit_row_read(AuditRow *row, const Image *image);

/* An array of AuditRow that owns them. */
GPtrArray *audit_rows_new(void);
/* By file and line. */
void audit_rows_sort(GPtrArray *rows);

#endif
