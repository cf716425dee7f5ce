/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svg_flows -- what goes from one place of the drawing to another:
 * messages, stores, and how full the FIFOs are meanwhile.
 *
 * Layer 8; a part of report_svg.
 */
#ifndef EMU_REPORT_SVG_FLOWS_H
#define EMU_REPORT_SVG_FLOWS_H

#include "base/base.h"
#include "report/svg_layout.h"

/* An arrow for each message whose two ends are rows. */
void svg_flows_arrows(const SvgLayout *layout, GString *out);

/* A bar for the stores of each stretch, and a line from a cpu that missed
 * one. */
void svg_flows_stores(const SvgLayout *layout, GString *out);

/* How full FIFOs and buffers are. */
void svg_flows_lanes(const SvgLayout *layout, GString *out);

#endif
