/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "script/guestbuild.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "base/digest.h"

G_DEFINE_QUARK(heddle-guestbuild-error, guestbuild_error)

#ifndef HEDDLE_DATADIR
#define HEDDLE_DATADIR "."
#endif

const char *
guestbuild_data(void)
{
    const char *wish = g_getenv("HEDDLE_DATADIR");

    return wish != NULL && *wish != '\0' ? wish : HEDDLE_DATADIR;
}

static char *
cache_folder(void)
{
    const char *wish = g_getenv("XDG_CACHE_HOME");
    const char *home = g_getenv("HOME");

    if (wish != NULL && *wish != '\0')
        return g_build_filename(wish, "heddle", NULL);
    if (home != NULL && *home != '\0' && g_access(home, W_OK) == 0)
        return g_build_filename(home, ".cache", "heddle", NULL);
    return g_strdup_printf("%s/heddle-%s", g_get_tmp_dir(),
                           g_get_user_name());
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
digest_file(const char *path, Digest *digest, GError **error)
{
    g_autofree char *bytes = NULL;
    gsize size;

    if (!g_file_get_contents(path, &bytes, &size, error))
        return false;
    digest_bytes(digest, bytes, size);
    return true;
}

/* All files below `folder`, by name. */
static bool
digest_folder(const char *folder, Digest *digest, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
    const char *name;

    if (dir == NULL)
        return false;
    while ((name = g_dir_read_name(dir)) != NULL)
        g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        const char *entry = g_ptr_array_index(names, i);
        g_autofree char *path = g_build_filename(folder, entry, NULL);
        bool ok = g_file_test(path, G_FILE_TEST_IS_DIR)
                      ? digest_folder(path, digest, error)
                      : digest_file(path, digest, error);

        if (!ok)
            return false;
        digest_bytes(digest, entry, strlen(entry));
    }
    return true;
}

static void
add_options(GPtrArray *arguments, const char *option, const GPtrArray *values)
{
    for (guint i = 0; values != NULL && i < values->len; i++) {
        g_ptr_array_add(arguments, g_strdup(option));
        g_ptr_array_add(arguments, g_strdup(g_ptr_array_index(values, i)));
    }
}

/* Everything behind "guest/build SYSTEM", but --out. */
static GPtrArray *
list_options(const GuestBuild *build)
{
    GPtrArray *options = g_ptr_array_new_with_free_func(g_free);

    add_options(options, "--define", build->defines);
    add_options(options, "--mutant", build->mutants);
    if (build->ipiq != NULL) {
        g_ptr_array_add(options, g_strdup("--ipiq"));
        if (g_str_equal(build->ipiq, GUESTBUILD_IN_TREE))
            g_ptr_array_add(options,
                            g_build_filename(guestbuild_data(), "guest",
                                             build->system, "ipiq.c", NULL));
        else
            g_ptr_array_add(options, g_canonicalize_filename(build->ipiq,
                                                             NULL));
    }
    return options;
}

static bool
name_of_build(const GuestBuild *build, const GPtrArray *options,
              uint64_t *name, GError **error)
{
    g_autofree char *guest = g_build_filename(guestbuild_data(), "guest", NULL);
    const char *cc = g_getenv("CC");
    Digest digest;

    digest_init(&digest);
    if (!digest_folder(guest, &digest, error)) {
        g_prefix_error(error, "the guest's sources (set HEDDLE_DATADIR to the "
                              "folder that holds guest/): ");
        return false;
    }
    digest_bytes(&digest, build->system, strlen(build->system));
    for (guint i = 0; i < options->len; i++) {
        const char *option = g_ptr_array_index(options, i);

        digest_bytes(&digest, option, strlen(option));
    }
    if (build->ipiq != NULL &&
        !digest_file(g_ptr_array_index(options, options->len - 1), &digest,
                     error)) {
        g_prefix_error(error, "--ipiq: ");
        return false;
    }
    if (cc != NULL)
        digest_bytes(&digest, cc, strlen(cc));
    *name = digest_value(&digest);
    return true;
}

static bool
run_build(const GuestBuild *build, const GPtrArray *options, const char *out,
          GError **error)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *said = NULL;
    int status;

    g_ptr_array_add(argv, g_strdup("/bin/sh"));
    g_ptr_array_add(argv, g_build_filename(guestbuild_data(), "guest", "build",
                                           NULL));
    g_ptr_array_add(argv, g_strdup(build->system));
    g_ptr_array_add(argv, g_strdup("--out"));
    g_ptr_array_add(argv, g_strdup(out));
    for (guint i = 0; i < options->len; i++)
        g_ptr_array_add(argv, g_strdup(g_ptr_array_index(options, i)));
    g_ptr_array_add(argv, NULL);
    if (!g_spawn_sync(NULL, (char **)argv->pdata, NULL,
                      G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &said,
                      &status, error)) {
        g_prefix_error(error, "cannot build the guest: ");
        return false;
    }
    if (status == 0)
        return true;
    g_strchomp(said);
    g_set_error(error, GUESTBUILD_ERROR, GUESTBUILD_ERROR_BUILD, "%s",
                *said != '\0' ? said : "guest/build failed without a word");
    return false;
}

char *
guestbuild_make(const GuestBuild *build, GError **error)
{
    g_autoptr(GPtrArray) options = list_options(build);
    g_autofree char *cache = cache_folder();
    g_autofree char *path = NULL, *file = NULL;
    uint64_t name;

    if (!name_of_build(build, options, &name, error))
        return NULL;
    file = g_strdup_printf("%s-%016" PRIx64 ".elf", build->system, name);
    path = g_build_filename(cache, file, NULL);
    if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
        return g_steal_pointer(&path);
    if (g_mkdir_with_parents(cache, 0700) != 0) {
        g_set_error(error, GUESTBUILD_ERROR, GUESTBUILD_ERROR_FILES,
                    "cannot make %s to keep built guests: set XDG_CACHE_HOME",
                    cache);
        return NULL;
    }
    if (!run_build(build, options, path, error))
        return NULL;
    return g_steal_pointer(&path);
}
