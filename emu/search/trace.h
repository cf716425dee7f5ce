/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace -- a run on disk: all that is needed to do it again.
 *
 * A text file of lines "name value", in this order; the value goes to the
 * end of the line.
 *
 *      LINE        VALUE
 *      heddle-trace  format, TRACE_VERSION
 *      scenario    path of the scenario, absolute
 *      case        its number, from 1
 *      ipiq        the source the guest was built from; absent: the default
 *      weaken      what is taken away (weakening.h); absent: nothing
 *      mutant      names, blanks between: what the guest was built with
 *                  besides the mutants of its case; absent: nothing
 *      strategy    its name
 *      memory      the memory model
 *      seed        decimal
 *      steps       of a run at most, if not as its case says; absent: so
 *      image       digest of the guest image, 16 hexadecimal digits
 *      verdict     as product.md spells it
 *      digest      of the machine at the end, 16 hexadecimal digits
 *      tape        the decisions, as tape_print() writes them
 *
 * The reader refuses what it does not know.  Whoever changes what a line says
 * raises TRACE_VERSION.
 *
 * Layer 6; reader and writer together.
 */
#ifndef EMU_SEARCH_TRACE_H
#define EMU_SEARCH_TRACE_H

#include "base/base.h"
#include "choose/tape.h"

#define TRACE_VERSION 3

typedef struct Trace {
    char *scenario;
    unsigned case_number;
    char *ipiq;   /* or NULL */
    char *weaken; /* or NULL */
    char **mutants; /* or NULL */
    char *strategy;
    char *memory;
    uint64_t seed;
    uint64_t steps_max; /* or 0 */
    uint64_t image;
    char *verdict;
    uint64_t digest;
    Tape tape;
} Trace;

void trace_init(Trace *trace);
void trace_clear(Trace *trace);

typedef enum TraceError {
    TRACE_ERROR_FILE,   /* cannot be read or written */
    TRACE_ERROR_FORMAT, /* is no trace, or one of another version */
} TraceError;

#define TRACE_ERROR trace_error_quark()
GQuark trace_error_quark(void);

/* Write it, whole or not at all. */
bool trace_write(const Trace *trace, const char *path, GError **error);

/* Read it into an initialised Trace; errors name file and line. */
bool trace_read(Trace *trace, const char *path, GError **error);

/* The same of a text; errors call it `path`. */
bool trace_parse(Trace *trace, const char *text, const char *path,
                 GError **error);

/* Does the file begin like a trace?  Or like another file of heddle's? */
bool trace_is_trace(const char *path);
bool trace_starts_with(const char *path, const char *magic);

#endif
