/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * certificate -- that a run is stuck, on disk, for whoever does not believe the
 * search that found it.
 *
 * A text file beside the run's trace, of the same name but for ".proof".
 *
 *      heddle-certificate 1
 *      sha256 HEX             of everything below this line: a file in which
 *                             one bit has changed is refused
 *      claim WORD             livelock   it goes round this loop for ever
 *                             deadlock   nothing can happen any more
 *                             lost       all stories have ended and messages
 *                                        wait, which no move will touch
 *      state HEX              digest of the state at both visits of the loop
 *      rounds N               in which every core had its turn, in the loop
 *      left-out TEXT          a word that is not the same at both visits, and
 *      ...                    by how much it grows: "memory 0x20f4c0 4 +1",
 *                             "cpu1 r12 +4"; "loose" for one that is written
 *                             anew before it is read
 *      stem                   moves from the end of the trace's run to the
 *        MOVE                 first visit: lasso.h has their form
 *        ...
 *      loop                   and from there to the second
 *        MOVE
 *        ...
 *      trace                  from here to the end: the trace, as trace.h has
 *      ...                    it, whose tape is the way to the stem
 *
 * Without a loop there are neither state, rounds, left-out nor moves.  The
 * reader refuses what it does not know.  What the file says is a claim and not
 * a proof; the proof is made by whoever verifies it.
 *
 * Layer 6; reader and writer together.
 */
#ifndef EMU_SEARCH_CERTIFICATE_H
#define EMU_SEARCH_CERTIFICATE_H

#include "base/base.h"
#include "search/trace.h"
#include "watch/lasso.h"

#define CERTIFICATE_VERSION 1

typedef enum CertificateClaim {
    CERTIFICATE_LIVELOCK,
    CERTIFICATE_DEADLOCK,
    CERTIFICATE_LOST,
} CertificateClaim;

typedef struct Certificate {
    CertificateClaim claim;
    uint64_t state;
    unsigned rounds;
    GPtrArray *left_out; /* char * */
    Lasso lasso;         /* empty: nothing can happen */
    char *trace_text;
    Trace trace;         /* the same, parsed by the reader */
} Certificate;

void certificate_init(Certificate *certificate);
void certificate_clear(Certificate *certificate);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Certificate, certificate_clear)

typedef enum CertificateError {
    CERTIFICATE_ERROR_FILE,   /* cannot be read or written */
    CERTIFICATE_ERROR_FORMAT, /* is no certificate, or is damaged */
} CertificateError;

#define CERTIFICATE_ERROR certificate_error_quark()
GQuark certificate_error_quark(void);

const char *certificate_claim_name(CertificateClaim claim);

/* "x.trace" -> "x.proof"; the caller frees it. */
char *certificate_path(const char *trace_path);

/* Write it, whole or not at all. */
bool certificate_write(const Certificate *certificate, const char *path,
                       GError **error);

/* Read it into an initialised Certificate. */
bool certificate_read(Certificate *certificate, const char *path,
                      GError **error);

/* Does the file begin like a certificate? */
bool certificate_is_certificate(const char *path);

#endif
