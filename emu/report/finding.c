/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/finding.h"

void
finding_free(Finding *finding)
{
    if (finding == NULL)
        return;
    g_free(finding->where);
    g_free(finding->replay);
    g_free(finding->trace);
    g_free(finding->certificate);
    g_free(finding->story);
    storyrecord_free(finding->told);
    g_free(finding);
}
