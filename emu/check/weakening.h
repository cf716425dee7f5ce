/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weakening -- one fence, LOCK or compiler barrier of a guest, taken away in
 * the machine, without another build.
 *
 *      fence    mfence, lfence, sfence: executes, and orders nothing
 *      lock     a LOCKed instruction, or xchg with memory: a plain
 *               read-modify-write, which others can come between, and which
 *               orders nothing
 *      barrier  a compiler barrier that the guest told of
 *               (guest/shim/barrier.h): as if it were not there; `pso` and
 *               `weak` with barriers=source can tell
 *
 * As text it is the place, "lwkt_process_ipiq+0x5a", a barrier with a word in
 * front: "barrier:lwkt_send_ipiq3+0x33"; several have commas between them.
 * Offsets are those of one image.
 *
 * Layer 10; a value that owns its strings.
 */
#ifndef EMU_CHECK_WEAKENING_H
#define EMU_CHECK_WEAKENING_H

#include "base/base.h"
#include "check/stage.h"

typedef enum WeakeningKind {
    WEAKENING_FENCE,
    WEAKENING_LOCK,
    WEAKENING_BARRIER,
} WeakeningKind;

typedef struct Weakening {
    WeakeningKind kind;
    gva_t address;
    char *name; /* as text, see above */
    char *code; /* "lock bts dword ptr [rdi+0x40], 0"; of a barrier its name */

    /* Of weakening_locate(), and until then NULL and 0: */
    char *function; /* of the source, into which others are inlined */
    char *source;   /* the innermost source file that is no header, or NULL */
    unsigned line;  /* the line there, or 0 */
} Weakening;

typedef enum WeakeningError { WEAKENING_ERROR_PLACE } WeakeningError;
#define WEAKENING_ERROR weakening_error_quark()
GQuark weakening_error_quark(void);

void weakening_clear(Weakening *weakening);

/* "fence", "lock", "barrier". */
const char *weakening_kind_name(WeakeningKind kind);

/* All of the image that lie in functions, by address and kind; an array of
 * Weakening that the caller unrefs. */
GArray *weakening_list(const Image *image);

/* Fill in where the source has it. */
void weakening_locate(Weakening *weakening, const Image *image);

/* Those that `text` names, an array as above; NULL with an error if there is
 * none at one of the places. */
GArray *weakening_parse(const Image *image, const char *text, GError **error);

/* Take it away, until the marks of the machine's code are made anew. */
void weakening_apply(const Weakening *weakening, Machine *machine);

#endif
