/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_text -- a finding as a person reads it: one column a cpu, downwards
 * in time, indented by the depth of calls.
 *
 *      FOUND    what came of it, and who stands where
 *      case     file:line and title; claim; the command that replays it
 *
 *        step   cpu0                        cpu1
 *       -----   --------------------------  --------------------------
 *          12   spin_lock(a)
 *          40                               lwkt_send_ipiq3(gd(0), ...)
 *
 *      cpu0     where it stands, and for whom it waits
 *      digest   9c1f 03aa 77d2 e401   (2 switches)
 *
 * Two cpus have 80 columns, or up to 100 when their texts need it; three and
 * four share 100.  Of more cpus only those that do something are shown, and
 * if these are more than four, all in one column with their names in front.
 *
 * The text depends on nothing but what is passed; no addresses are in it.
 * Layer 8.
 */
#ifndef EMU_REPORT_REPORT_TEXT_H
#define EMU_REPORT_REPORT_TEXT_H

#include "base/base.h"
#include "report/outcome.h"
#include "report/storyrecord.h"

/* Rows of the story at most. */
#define REPORT_TEXT_ROWS_MAX 60u

/* The whole report; `finding->story` is not looked at.  The caller frees. */
char *report_text(const Scenario *scenario, const Finding *finding,
                  const StoryRecord *record, bool color);

/* Every event that was kept, a line each, with addresses; the caller frees. */
char *report_text_raw(const StoryRecord *record);

/* Finding.where: "cpu0 in lwkt_send_ipiq3, ipiq.c:233, waits for room ...; cpu1
 * ...", the cpus that rest left out unless all do.  The caller frees. */
char *report_text_where(const StoryRecord *record);

#endif
