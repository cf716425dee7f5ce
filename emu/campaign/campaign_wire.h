/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * campaign_wire -- what a campaign and its workers say to each other, over
 * a socket.
 *
 *      campaign ── RUN, SHRINK, KNOWN ─────▶ worker
 *               ◀──── RAN, SHRUNK, FAILED ──
 *
 * A message is its length, its kind, and a GVariant of the type that belongs
 * to the kind.  Both ends are one program on one machine.  Layer 11.
 */
#ifndef EMU_CAMPAIGN_CAMPAIGN_WIRE_H
#define EMU_CAMPAIGN_CAMPAIGN_WIRE_H

#include "base/base.h"

typedef enum CampaignWireKind {
    CAMPAIGN_WIRE_RUN,    /* make these runs */
    CAMPAIGN_WIRE_STATE,  /* what the strategy kept of earlier runs */
    CAMPAIGN_WIRE_KNOWN,  /* of this identity no more witnesses are wanted */
    CAMPAIGN_WIRE_SHRINK, /* shrink this witness */
    CAMPAIGN_WIRE_RAN,
    CAMPAIGN_WIRE_SHRUNK,
    CAMPAIGN_WIRE_UNSHRUNK, /* it could not be made again */
    CAMPAIGN_WIRE_FAILED, /* the world is wrong */
    CAMPAIGN_WIRE_KINDS,
} CampaignWireKind;

/* case; run, stride, count */
#define CAMPAIGN_WIRE_RUN_TYPE "(uttt)"
/* case; text */
#define CAMPAIGN_WIRE_STATE_TYPE "(us)"
/* case; key */
#define CAMPAIGN_WIRE_KNOWN_TYPE "(us)"
/* case; run, seed, key, tape */
#define CAMPAIGN_WIRE_SHRINK_TYPE "(uttss)"
/* case; runs that were made, nanoseconds, coverage; verdict, runs, steps; key,
 * verdict, place, expected, count, first run; run, seed, key, tape; there are
 * no more runs; what the strategy keeps, what it promises */
#define CAMPAIGN_WIRE_RAN_TYPE "(uttta(stt)a(sssbtt)a(ttss)bmsms)"
/* case; run, seed, key; shape, tape; digest, where, replay, trace; shrunk
 * trace, lua, story */
#define CAMPAIGN_WIRE_SHRUNK_TYPE "(uttssstssmsmsmss)"
/* case; run, key; message */
#define CAMPAIGN_WIRE_UNSHRUNK_TYPE "(utss)"
/* message */
#define CAMPAIGN_WIRE_FAILED_TYPE "(s)"

/* Append a message to `out`.  Sinks `value`. */
void campaign_wire_pack(GByteArray *out, CampaignWireKind kind,
                        GVariant *value);
/* Write a message, all of it; false if nobody reads.  Sinks `value`. */
bool campaign_wire_send(int fd, CampaignWireKind kind, GVariant *value);

/* Messages as they come in. */
typedef struct CampaignWire {
    int fd;
    GByteArray *bytes;
} CampaignWire;

void campaign_wire_init(CampaignWire *wire, int fd);
void campaign_wire_clear(CampaignWire *wire);

/* Read what there is, waiting if there is nothing.  False at the end. */
bool campaign_wire_fill(CampaignWire *wire);

/* The next message that is here whole; the caller unrefs it.  NULL: none. */
GVariant *campaign_wire_next(CampaignWire *wire, CampaignWireKind *kind);

#endif
