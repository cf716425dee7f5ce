/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * litmus_files -- which litmus tests are meant: files, folders and lists.
 *
 *      sb.litmus       itself
 *      tests/          every *.litmus below it, in order of the names
 *      tests/@all      a list, as herd has them: a name a line, relative to
 *                      the list's folder; # begins a comment
 *
 * Layer 9.
 */
#ifndef EMU_LITMUS_LITMUS_FILES_H
#define EMU_LITMUS_LITMUS_FILES_H

#include "base/base.h"

#define LITMUS_FILES_ERROR litmus_files_error_quark()
GQuark litmus_files_error_quark(void);
typedef enum LitmusFilesError {
    LITMUS_FILES_ERROR_NONE_HERE, /* no such file, or a folder without any */
    LITMUS_FILES_ERROR_NESTING,   /* lists in lists without end */
} LitmusFilesError;

/* Append to `files` (char *) what `name` means.  False with an error; what was
 * found before stays. */
bool litmus_files_add(GPtrArray *files, const char *name, GError **error);

#endif
