/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_rows -- the events of a run, reduced to the rows that a person reads.
 *
 *      events ──▶ what matters ──▶ repetition folded ──▶ at most so many rows
 *
 * Folding: of one cpu, the same event again and again is one row with a
 * count, and a group of rows that repeats is shown once with a remark below.
 * Nothing is folded across a mark, an await or a breach of any cpu, since
 * these say in which order things were made to happen.
 *
 * Too many rows: in the middle the least important kinds go first, until it
 * fits.  The beginning and the end stay, and the calls that the end is inside
 * of go last.  Layer 8; a part of report.
 */
#ifndef EMU_REPORT_REPORT_ROWS_H
#define EMU_REPORT_REPORT_ROWS_H

#include "base/base.h"
#include "report/storyrecord.h"

typedef struct ReportRow {
    const StoryEvent *event; /* NULL: a remark that concerns all cpus */
    uint64_t order;          /* rows are sorted by it */
    unsigned times;          /* how often in a row, at least 1 */
    char *remark;            /* instead of the event's text, or NULL */
} ReportRow;

/* The rows of `record`, `rows_max` of them at most (40 at least).  They borrow
 * from the record. */
GPtrArray *report_rows_new(const StoryRecord *record, unsigned rows_max);

/* Is it a call, or something else that has an end and what happens inside? */
bool report_rows_is_call(const StoryEvent *event);

/* Has `begin`, such an event, ended when this later event of its cpu comes?
 * What happens while a cpu waits is no deeper than the wait. */
bool report_rows_ends(const StoryEvent *begin, const StoryEvent *event);

/* Which cpus have rows of their own: one bit each. */
uint64_t report_rows_cpus(const GPtrArray *rows);

#endif
