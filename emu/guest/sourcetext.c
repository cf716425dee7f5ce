/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "guest/sourcetext.h"

#include <glib/gstdio.h>

typedef struct SourceFile {
    char *bytes;      /* every line end replaced by a zero */
    GPtrArray *lines; /* char *, into bytes; NULL when the file is missing */
} SourceFile;

struct SourceText {
    char *directory;
    GHashTable *files; /* name -> SourceFile */
    GHashTable *paths; /* name -> path, of files that lie elsewhere */
};

static void
source_file_free(void *pointer)
{
    SourceFile *file = pointer;

    if (file->lines != NULL)
        g_ptr_array_free(file->lines, TRUE);
    g_free(file->bytes);
    g_free(file);
}

SourceText *
sourcetext_new(const char *directory)
{
    SourceText *text = g_new0(SourceText, 1);

    text->directory = g_strdup(directory);
    text->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                        source_file_free);
    text->paths =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return text;
}

void
sourcetext_set_directory(SourceText *text, const char *directory)
{
    g_free(text->directory);
    text->directory = g_strdup(directory);
    g_hash_table_remove_all(text->files);
}

void
sourcetext_substitute(SourceText *text, const char *name, const char *path)
{
    g_hash_table_insert(text->paths, g_strdup(name), g_strdup(path));
    g_hash_table_remove(text->files, name);
}

void
sourcetext_free(SourceText *text)
{
    if (text == NULL)
        return;
    g_hash_table_destroy(text->files);
    g_hash_table_destroy(text->paths);
    g_free(text->directory);
    g_free(text);
}

/* A device or a pipe under the name of a source file must not block us. */
static bool
read_regular_file(const char *path, char **bytes, size_t *size)
{
    GStatBuf status;

    return g_stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
           status.st_size <= (off_t)SOURCETEXT_BYTES_MAX &&
           g_file_get_contents(path, bytes, size, NULL);
}

static void
split_lines(SourceFile *file, size_t size)
{
    char *line = file->bytes;
    char *end = file->bytes + size;

    file->lines = g_ptr_array_new();
    while (line < end) {
        char *stop = memchr(line, '\n', (size_t)(end - line));

        g_ptr_array_add(file->lines, line);
        if (stop == NULL)
            break;
        *stop = '\0';
        if (stop > line && stop[-1] == '\r')
            stop[-1] = '\0';
        line = stop + 1;
    }
}

static const SourceFile *
lookup_file(SourceText *text, const char *name)
{
    SourceFile *file = g_hash_table_lookup(text->files, name);
    const char *path;
    size_t size = 0;
    bool found = false;

    if (file != NULL)
        return file;
    file = g_new0(SourceFile, 1);
    path = g_hash_table_lookup(text->paths, name);
    if (path != NULL)
        found = read_regular_file(path, &file->bytes, &size);
    else if (!g_path_is_absolute(name)) {
        g_autofree char *below = g_build_filename(text->directory, name, NULL);

        found = read_regular_file(below, &file->bytes, &size);
    }
    if (found || read_regular_file(name, &file->bytes, &size))
        split_lines(file, size);
    g_hash_table_insert(text->files, g_strdup(name), file);
    return file;
}

const char *
sourcetext_line(SourceText *text, const char *file, unsigned line)
{
    const SourceFile *source = lookup_file(text, file);

    if (source->lines == NULL || line == 0 || line > source->lines->len)
        return NULL;
    return g_ptr_array_index(source->lines, line - 1);
}

/* Where a scan of C text stands between two lines. */
typedef struct Scan {
    unsigned depth;
    bool in_comment;
    bool continued; /* of a preprocessor line */
} Scan;

/* Skip a string or character constant; constants do not span lines. */
static const char *
skip_quoted(const char *p)
{
    char quote = *p++;

    while (*p != '\0' && *p != quote)
        p += p[0] == '\\' && p[1] != '\0' ? 2 : 1;
    return *p == '\0' ? p : p + 1;
}

static bool
ends_with_backslash(const char *line)
{
    size_t size = strlen(line);

    return size > 0 && line[size - 1] == '\\';
}

/* True when the block closed on this line. */
static bool
scan_line(Scan *scan, const char *line)
{
    const char *p = line;
    bool directive = scan->continued;

    while (g_ascii_isspace(*p))
        p++;
    directive = directive || (!scan->in_comment && *p == '#');
    scan->continued = directive && ends_with_backslash(line);
    if (directive)
        return false;
    while (*p != '\0') {
        if (scan->in_comment) {
            if (p[0] == '*' && p[1] == '/') {
                scan->in_comment = false;
                p++;
            }
        } else if (p[0] == '/' && p[1] == '*') {
            scan->in_comment = true;
            p++;
        } else if (p[0] == '/' && p[1] == '/') {
            return false;
        } else if (*p == '"' || *p == '\'') {
            p = skip_quoted(p);
            continue;
        } else if (*p == '{') {
            scan->depth++;
        } else if (*p == '}' && scan->depth > 0 && --scan->depth == 0) {
            return true;
        }
        p++;
    }
    return false;
}

unsigned
sourcetext_block_end(SourceText *text, const char *file, unsigned line)
{
    Scan scan = {0};
    const char *bytes;

    for (; (bytes = sourcetext_line(text, file, line)) != NULL; line++)
        if (scan_line(&scan, bytes))
            return line;
    return 0;
}
