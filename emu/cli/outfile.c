/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "cli/outfile.h"

#include <errno.h>
#include <stdio.h>

bool
outfile_write(const char *path, const char *text, GError **error)
{
    FILE *file = fopen(path, "w");
    bool written = file != NULL && fputs(text, file) >= 0;
    int why;

    written = (file != NULL && fflush(file) == 0) && written;
    why = errno;
    if (file != NULL)
        fclose(file);
    if (written)
        return true;
    g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(why),
                "cannot write %s: %s", *path != '\0' ? path : "\"\"",
                g_strerror(why));
    return false;
}
