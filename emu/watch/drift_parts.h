/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drift_parts -- what a Drift consists of, for the files that are it.
 *
 *      drift.c          the steps as they are made; what is assumed of places,
 *                       until it holds
 *      drift_memory.c   values, and the places in memory that have them
 *      drift_follow.c   through one instruction
 *
 * Layer 4; a part of drift.
 */
#ifndef EMU_WATCH_DRIFT_PARTS_H
#define EMU_WATCH_DRIFT_PARTS_H

#include "base/base.h"
#include "guest/insn_flow.h"
#include "watch/drift.h"

#define DRIFT_NOWHERE UINT64_MAX

#define DRIFT_FRAME_BYTES 40u /* RIP, CS, RFLAGS, RSP, SS */
#define DRIFT_FLAGS_IN_FRAME 16u

typedef enum DriftKind {
    DRIFT_EXACT,
    DRIFT_DRIFTS,
    DRIFT_FLAGS,
    DRIFT_LOOSE,
} DriftKind;

typedef struct DriftValue {
    DriftKind kind;
    unsigned bits; /* of DRIFTS: the value is below 2^bits */
    uint64_t stride;
} DriftValue;

/* A place of memory that is not EXACT. */
typedef struct DriftCell {
    gpa_t physical;
    unsigned size;
    DriftValue value;
} DriftCell;

/* An instruction of the loop, and where it lies. */
typedef struct DriftSite {
    InsnFlow flow;
    gva_t rip;
    gpa_t physical;
    uint8_t bytes[INSN_LENGTH_MAX];
} DriftSite;

typedef struct DriftStep {
    const DriftSite *site; /* NULL: an interrupt was taken */
    uint8_t cpu;
    bool reads_time;
    bool faulted;   /* it raised an exception, and did nothing else */
    uint16_t frame; /* bytes, of an interrupt */
    gpa_t access[INSN_ACCESS_MAX]; /* or NOWHERE; of an interrupt: its frame */
    uint64_t to, from;             /* what the operands of an AND were */
} DriftStep;

/* What is known of all places. */
typedef struct DriftWorld {
    DriftValue registers[CPUS_MAX][GPR_COUNT];
    uint32_t flags[CPUS_MAX]; /* arithmetic ones that are not exact */
    GArray *cells;            /* Cell */
} DriftWorld;

struct Drift {
    Machine *machine;
    GPtrArray *sites;   /* Site */
    GHashTable *latest; /* physical address -> its newest Site */
    GArray *steps;      /* Step */
    GHashTable *owners; /* granule -> the cpu that touches it, plus 1 */
    DriftWorld now, start;
    bool weakened; /* `start` is not what it was when the pass began */
    const DriftStep *at;
    char *why;
};

static const DriftValue drift_exact = {.kind = DRIFT_EXACT};
static const DriftValue drift_loose = {.kind = DRIFT_LOOSE};

/* The lowest `bits`, 1 to 64. */
static inline uint64_t
drift_mask(unsigned bits)
{
    return bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

/* A value that grows by `stride`, modulo 2^bits. */
DriftValue drift_value(uint64_t stride, unsigned bits);
bool drift_same(DriftValue a, DriftValue b);
/* Its lowest `bits`, and zeros above. */
DriftValue drift_narrow(DriftValue value, unsigned bits);

/* Number of the first cell, from `from`, that overlaps with these bytes; or
 * cells->len. */
unsigned drift_find_cell(const GArray *cells, gpa_t at, unsigned size,
                         unsigned from);
/* The cell for exactly these bytes, made if need be; valid until the next. */
DriftCell *drift_want_cell(GArray *cells, gpa_t at, unsigned size);
/* Whatever overlaps with these bytes, and is not just them, becomes LOOSE; was
 * there any that was not? */
bool drift_loosen_others(GArray *cells, gpa_t at, unsigned size);

DriftValue drift_load(const Drift *drift, gpa_t at, unsigned size);
/* False, and `why` is set, if it goes to a device and must not. */
bool drift_store(Drift *drift, gpa_t at, unsigned size, DriftValue value);

/* Core `cpu` touches these bytes. */
void drift_note_owner(Drift *drift, unsigned cpu, gpa_t at, unsigned size);

/* Set `why`, of the step drift->at; false. */
bool drift_refuse(Drift *drift, const char *what);

/* Through one step.  False, and `why` is set, if something depends on what
 * drifts. */
bool drift_follow(Drift *drift, const DriftStep *step);

#endif
