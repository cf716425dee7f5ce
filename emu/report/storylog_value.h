/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storylog_value -- values of the guest, as its programmer would write them.
 *
 *      pointer     a, a+8, gd(1), nop, "text", 0; of the unknown: *spinlock
 *      integer     -1, 12; unsigned and large: 0x1f0
 *
 * Layer 8; a part of storylog.
 */
#ifndef EMU_REPORT_STORYLOG_VALUE_H
#define EMU_REPORT_STORYLOG_VALUE_H

#include "base/base.h"
#include "report/storylog.h"

/* Append the value; `type` NULL: not known. */
void storylog_value_print(const StoryLogSetup *setup, const ImageType *type,
                          uint64_t value, GString *out);

typedef struct StoryLogCall {
    gva_t function;
    uint64_t arguments[STORY_ARGUMENTS_MAX];
    unsigned count; /* arguments to print at most */
    bool trim;      /* leave out zeros at the end */
} StoryLogCall;

/* "f(a, 2)"; the caller frees it. */
char *storylog_value_call(const StoryLogSetup *setup, const StoryLogCall *call);

/* "Xipiq", "NMI", "vector 0x42"; "gd(1).gd_npoll = 0, stored at f.c:12".  The
 * caller frees them. */
char *storylog_value_vector(const StoryLogSetup *setup, unsigned cpu,
                            unsigned vector);
char *storylog_value_message(const StoryLogSetup *setup,
                             const Message *message);
char *storylog_value_store(const StoryLogSetup *setup, const Store *store);

/* The cpu whose globaldata is at `address`, or -1. */
int storylog_value_cpu(const StoryLogSetup *setup, gva_t address);

#endif
