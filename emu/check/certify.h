/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * certify -- makes the certificate of a run that is stuck, and verifies one.
 *
 *      the run's end ──▶ certify_make() ──▶ Certificate ──▶ FILE.proof
 *      FILE.proof ──▶ the run again, by its tape ──▶ certify_verify()
 *
 * Making one trusts the search's detector to find the loop, verifying trusts
 * nobody: the moves of the file are played on the machine, and proof.h looks
 * whether they are a fair loop.  That the run is the one of the tape is said by
 * its digest.
 *
 * Layer 10.
 */
#ifndef EMU_CHECK_CERTIFY_H
#define EMU_CHECK_CERTIFY_H

#include "base/base.h"
#include "check/stage.h"
#include "choose/run.h"
#include "search/certificate.h"

/* The end of a run, on its stage; borrowed. */
typedef struct CertifyEnd {
    const Stage *stage;
    const Run *run;
    const Verdict *verdict;
} CertifyEnd;

/*
 * Fill `certificate`, but for its trace: of a livelock or a deadlock, and of a
 * run that is done though messages wait.  False if the run is nothing of these,
 * or goes on in ways that are not proved.  The machine stays at the run's end,
 * without watchers.
 */
bool certify_make(const CertifyEnd *end, Certificate *certificate);

/* What verifying found. */
typedef struct Verification {
    bool holds;
    char *what;   /* "a loop of 358 steps", or why it is none */
    uint64_t loop_steps;
    ticks_t loop_ticks;
    uint64_t ran; /* cores that ran in the loop */
} Verification;

void certify_clear(Verification *verification);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Verification, certify_clear)

/* Does the certificate hold of the run at whose end the machine stands?  The
 * machine is left anywhere. */
void certify_verify(const CertifyEnd *end, const Certificate *certificate,
                    Verification *verification);

#endif
