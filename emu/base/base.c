/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static BaseBugContext *bug_context;
static void *bug_context_user;

void
base_set_bug_context(BaseBugContext *context, void *user)
{
    bug_context = context;
    bug_context_user = user;
}

void
base_bug(const char *file, int line, const char *format, ...)
{
    BaseBugContext *context = bug_context;
    va_list args;

    fprintf(stderr, "heddle: BUG at %s:%d: ", file, line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);

    /* A bug inside the context must not recurse. */
    bug_context = NULL;
    if (context != NULL)
        context(bug_context_user);
    fputs("heddle: this is a defect of heddle, not of the guest\n", stderr);
    abort();
}
