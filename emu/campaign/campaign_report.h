/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * campaign_report -- what `heddle explore` and `heddle merge` print.
 *
 *      while it goes on   1204 runs  8310/s  coverage 77  2 findings  ...
 *      a finding          its name, and the story of its shrunk run
 *      at the end         what was searched, and the commands for each finding
 *
 * Texts are the caller's to free.  Layer 11.
 */
#ifndef EMU_CAMPAIGN_CAMPAIGN_REPORT_H
#define EMU_CAMPAIGN_CAMPAIGN_REPORT_H

#include "base/base.h"
#include "campaign/campaign.h"

/* Lines of JSON, as product.md has them. */
char *campaign_report_json_finding(const CampaignKey *key,
                                   const CampaignIdentity *identity,
                                   const CampaignWitness *witness);
char *campaign_report_json_progress(const char *scenario,
                                    const CampaignProgress *progress);

/* A finding as it is found; `story`: with it. */
char *campaign_report_finding(const CampaignIdentity *identity,
                              const CampaignWitness *witness, bool story,
                              bool color);

/* One line of at most `width` columns, without a newline. */
char *campaign_report_progress(const CampaignProgress *progress,
                               unsigned width);

/* What a store has of one campaign: searched what, found what.  `json`: as a
 * line of kind "campaign" instead, after one for each finding if `findings`.
 * NULL with an error if it cannot be read. */
typedef struct CampaignReportWish {
    bool json;
    bool findings; /* as lines of JSON; the text always has them */
    bool color;
} CampaignReportWish;

char *campaign_report_summary(CampaignStore *store, uint64_t campaign,
                              const CampaignReportWish *wish,
                              unsigned *findings, GError **error);

#endif
