/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sourcetext -- the lines of source files, read once.
 *
 * A file that cannot be read is remembered as missing, so that a report asks
 * for it once.  Layer 1; owned by an Image.
 */
#ifndef EMU_GUEST_SOURCETEXT_H
#define EMU_GUEST_SOURCETEXT_H

#include "base/base.h"

typedef struct SourceText SourceText;

/* Larger files are treated as missing. */
#define SOURCETEXT_BYTES_MAX (16u * 1024u * 1024u)

/* `directory` is where relative names start, before the current directory is
 * tried; it is copied. */
SourceText *sourcetext_new(const char *directory);
void sourcetext_free(SourceText *text);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SourceText, sourcetext_free)

/* Where relative names start from now on; what was read or missed so far is
 * forgotten. */
void sourcetext_set_directory(SourceText *text, const char *directory);

/* The file called `name` is at `path`. */
void sourcetext_substitute(SourceText *text, const char *name,
                           const char *path);

/* The text of a line (from 1) without its end, or NULL when the file is not
 * readable or has no such line.  Valid as long as `text`. */
const char *sourcetext_line(SourceText *text, const char *file, unsigned line);

/*
 * The line with the brace that closes the first block opened at or after
 * `line`, skipping comments, strings and preprocessor lines; 0 when there is
 * none.  It is how the end of a function is found: debug information tells
 * only where one begins.
 */
unsigned sourcetext_block_end(SourceText *text, const char *file,
                              unsigned line);

#endif
