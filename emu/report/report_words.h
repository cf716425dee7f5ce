/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_words -- small pieces of text that all reports are made of.
 *
 * Widths are counted in characters, which are columns for everything that a
 * kernel's source is written in.  Layer 8; a part of report.
 */
#ifndef EMU_REPORT_REPORT_WORDS_H
#define EMU_REPORT_REPORT_WORDS_H

#include "base/base.h"
#include "report/outcome.h"

typedef enum ReportColor {
    REPORT_PLAIN,
    REPORT_BOLD,
    REPORT_RED,
    REPORT_GREEN,
    REPORT_DIM,
} ReportColor;

/* Append `text`, in color if it is not REPORT_PLAIN. */
void report_words_paint(GString *out, ReportColor color, const char *text);

/* Append `text` cut to `width` columns, the last three dots if it was cut. */
void report_words_cut(GString *out, const char *text, unsigned width);

/* Append `text` in lines of at most `width` columns, broken at blanks; the
 * lines after the first begin with `indent` blanks.  The first is taken to
 * begin there as well.  Ends with a newline. */
void report_words_wrap(GString *out, const char *text, unsigned indent,
                       unsigned width);

/* Append `text` as a page or an XML document has it, inside of an element or an
 * attribute.  XML 1.0 has no place for most control characters, not even
 * escaped: they become question marks. */
void report_words_escape(GString *out, const char *text);

/* A path as a word of a command line; the caller frees it. */
char *report_words_shell(const char *path);

/* Columns of a text. */
unsigned report_words_width(const char *text);

/* Append until the last line of `out` has `column` columns. */
void report_words_pad(GString *out, unsigned column);

/* How a claim's truth is known: "sampled, 2000 runs"; the caller frees. */
char *report_words_how(const ClaimOutcome *outcome);

/* The finding that is about this claim, or NULL. */
const Finding *report_words_finding(const CaseOutcome *outcome,
                                    const Claim *claim);

#endif
