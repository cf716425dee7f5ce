/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit_book -- what an audit keeps account of: the cases that take part, the
 * rows of the ledger, and what is known of each row and of each pair.
 *
 *      subjects   a case, with targets ──▶ items
 *      items      first one for each row, then one for each pair of them
 *
 * Layer 12; a part of audit.
 */
#ifndef EMU_AUDIT_AUDIT_BOOK_H
#define EMU_AUDIT_AUDIT_BOOK_H

#include "base/base.h"
#include "audit/audit_row.h"
#include "audit/audit_subject.h"

/* A row, or a pair of rows, and what is known of it. */
typedef struct AuditItem {
    AuditRow *rows[2];  /* the second may be NULL */
    bool mutated;       /* the text of the first is */
    unsigned single[2]; /* of a pair: the items of the rows */
    unsigned turn[MEMORY_MODELS]; /* cases that had theirs (audit_plan.h) */
    bool missed;
    bool sharpened;     /* stronger models were tried */
    MemoryModel model;  /* if it is: the strongest so far */
    unsigned subject;   /* ... the case, ... */
    AuditQuestion question;
    AuditAnswer answer; /* ... and the run */
} AuditItem;

typedef struct AuditBook {
    TrialOptions trial;  /* of all trials */
    GPtrArray *checks;   /* Check */
    GPtrArray *subjects; /* AuditSubject */
    GPtrArray *rows;     /* AuditRow */
    GArray *items;       /* AuditItem */
    GHashTable *numbers; /* of an item by its key, plus one */
} AuditBook;

void audit_book_init(AuditBook *book, const TrialOptions *trial);
void audit_book_clear(AuditBook *book);

/* Add the cases of this scenario that take part; their guests are built. */
bool audit_book_load(AuditBook *book, const char *path, GError **error);
/* Add all pairs of rows of one function that some case executes both of. */
void audit_book_add_pairs(AuditBook *book);

AuditSubject *audit_book_subject(const AuditBook *book, unsigned number);
AuditItem *audit_book_item(const AuditBook *book, unsigned number);

/* Is it known that this is missed under the model? */
bool audit_item_is_missed(const AuditItem *item, MemoryModel model);
/* Is there something to find out about item `number` under the model? */
bool audit_book_is_open(const AuditBook *book, unsigned number,
                        MemoryModel model);

#endif
