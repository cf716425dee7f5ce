/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe -- the points of a case, found in its image, and what its claims say
 * of a run as it happens.
 *
 *      Machine ── point, access ──▶ ┌ Probe ┐
 *      stories ── mark ───────────▶ │ nodes │ ──▶ which claims occurred
 *      run ────── ending ─────────▶ └───────┘     which rules were broken
 *
 * Every predicate of every claim is a node; a node's children come before it.
 * At each moment the leaves that the moment concerns are set, and the rest is
 * computed upwards.  What costs at run time is only the points that the case
 * names: the hook tells them and no others.
 *
 * Invariant: a claim that occurred stays so until the next probe_begin().
 *
 * Layer 4; owned by whoever runs.
 */
#ifndef EMU_WATCH_PROBE_H
#define EMU_WATCH_PROBE_H

#include "base/base.h"
#include "guest/image.h"
#include "machine/machine.h"
#include "watch/breach.h"
#include "watch/claim.h"
#include "watch/rules.h"
#include "watch/state.h"
#include "watch/verdict.h"

typedef struct Probe Probe;

typedef struct ProbeSetup {
    const Image *image;
    Machine *machine;
    const GPtrArray *regions;  /* Region */
    const GPtrArray *claims;   /* Claim */
    const gva_t *objects;      /* address of each object ... */
    const uint64_t *object_sizes;
    unsigned object_count;
    const Rules *rules;        /* NULL: none */
    const StateView *view;     /* NULL: no FIFOs */
    /* Evaluates PREDICATE_MEMORY number `index`; NULL if there are none. */
    bool (*memory)(void *user, unsigned index);
    void *user;
} ProbeSetup;

/*
 * Find all points in the image and mark them in the machine's code.  What
 * `setup` points to must outlive the probe.  NULL with an error that names
 * the scenario's line if a point cannot be found, in the words of image.h.
 */
Probe *probe_new(const ProbeSetup *setup, GError **error);
void probe_free(Probe *probe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Probe, probe_free)

/* A new run. */
void probe_begin(Probe *probe);

/* What happens in it. */
void probe_point(Probe *probe, unsigned cpu, gva_t rip);
/* The core was at the point that was told last, and is interrupted there: it
 * will come again, and has not begun or ended a region yet. */
void probe_not_yet(Probe *probe, unsigned cpu, gva_t rip);
void probe_access(Probe *probe, unsigned cpu, gpa_t physical, uint64_t size);
void probe_mark(Probe *probe, unsigned cpu, const char *name);
/* The slice of a core has ended. */
void probe_slice(Probe *probe, unsigned cpu);
/* It ended. */
void probe_end(Probe *probe, const Verdict *verdict);

/* Did the predicate of claim number `index` hold at some moment? */
bool probe_occurred(const Probe *probe, unsigned index);
/* The first such moment; NULL if there was none, or only the end of the run.
 * Until the next probe_begin(). */
const Moment *probe_moment(const Probe *probe, unsigned index);
/* Broken rules of this run, the first BREACHES_KEPT of them. */
const Breach *probe_breaches(const Probe *probe, unsigned *count);

/* Does a claim depend on when cores come to this address, and not only a
 * rule? */
bool probe_has_claimed(const Probe *probe, gva_t rip);

/* Add what the claims' future depends on, beside what is in the machine. */
void probe_digest(const Probe *probe, Digest *digest);

/* Is this address one of the case's points?  Then probe_point() wants it. */
bool probe_has_point(const Probe *probe, gva_t rip);

#endif
