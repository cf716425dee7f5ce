/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "litmus/litmus_files.h"

G_DEFINE_QUARK(heddle-litmus-files-error, litmus_files_error)

#define NESTING_MAX 8u

static bool add(GPtrArray *files, const char *name, unsigned depth,
                GError **error);

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
add_folder(GPtrArray *files, const char *name, unsigned depth, GError **error)
{
    g_autoptr(GDir) folder = g_dir_open(name, 0, error);
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(g_free);
    const char *entry;

    if (folder == NULL)
        return false;
    while ((entry = g_dir_read_name(folder)) != NULL) {
        g_autofree char *path = g_build_filename(name, entry, NULL);

        if (g_str_has_suffix(entry, ".litmus") ||
            (g_file_test(path, G_FILE_TEST_IS_DIR) &&
             !g_file_test(path, G_FILE_TEST_IS_SYMLINK)))
            g_ptr_array_add(entries, g_steal_pointer(&path));
    }
    g_ptr_array_sort(entries, compare_names);
    for (guint i = 0; i < entries->len; i++)
        if (!add(files, g_ptr_array_index(entries, i), depth + 1, error))
            return false;
    return true;
}

static bool
add_list(GPtrArray *files, const char *name, unsigned depth, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(name);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!g_file_get_contents(name, &text, NULL, error))
        return false;
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        g_autofree char *path = NULL;
        char *comment = strchr(*line, '#');

        if (comment != NULL)
            *comment = '\0';
        g_strstrip(*line);
        if (**line == '\0')
            continue;
        path = g_path_is_absolute(*line)
                   ? g_strdup(*line)
                   : g_build_filename(folder, *line, NULL);
        if (!add(files, path, depth + 1, error)) {
            g_prefix_error(error, "%s:%td: ", name, line - lines + 1);
            return false;
        }
    }
    return true;
}

static bool
add(GPtrArray *files, const char *name, unsigned depth, GError **error)
{
    g_autofree char *base = g_path_get_basename(name);
    guint before = files->len;

    if (depth > NESTING_MAX) {
        g_set_error(error, LITMUS_FILES_ERROR, LITMUS_FILES_ERROR_NESTING,
                    "%s: lists or folders are nested too deeply", name);
        return false;
    }
    if (g_file_test(name, G_FILE_TEST_IS_DIR)) {
        if (!add_folder(files, name, depth, error))
            return false;
        if (depth > 0 || files->len > before)
            return true;
        g_set_error(error, LITMUS_FILES_ERROR, LITMUS_FILES_ERROR_NONE_HERE,
                    "%s: there is no *.litmus in this folder", name);
        return false;
    }
    if (*base == '@' && g_file_test(name, G_FILE_TEST_EXISTS))
        return add_list(files, name, depth, error);
    if (*name == '@' && g_file_test(name + 1, G_FILE_TEST_EXISTS))
        return add_list(files, name + 1, depth, error);
    if (!g_file_test(name, G_FILE_TEST_EXISTS)) {
        g_set_error(error, LITMUS_FILES_ERROR, LITMUS_FILES_ERROR_NONE_HERE,
                    "%s: there is no such file", name);
        return false;
    }
    g_ptr_array_add(files, g_strdup(name));
    return true;
}

bool
litmus_files_add(GPtrArray *files, const char *name, GError **error)
{
    return add(files, name, 0, error);
}
