/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guestbuild -- a guest image on demand, kept by content.
 *
 * guest/build compiles a system with its build parameters and mutants.  The
 * result is kept in the cache under a digest of everything that went in: the
 * files of guest/, the parameters, the imported source, the compiler's name.
 * Asked again for the same, nothing is built.
 *
 * The cache is $XDG_CACHE_HOME/heddle, or ~/.cache/heddle, or a folder of
 * the user's in the system's temporary folder.
 *
 * Layer 7.
 */
#ifndef EMU_SCRIPT_GUESTBUILD_H
#define EMU_SCRIPT_GUESTBUILD_H

#include "base/base.h"

/* Use the in-tree source although another one was imported. */
#define GUESTBUILD_IN_TREE "in-tree"

typedef struct GuestBuild {
    const char *system;       /* folder of guest/ */
    const GPtrArray *defines; /* "MAXCPUFIFO=8" */
    const GPtrArray *mutants; /* names */
    const char *ipiq;         /* a source file, GUESTBUILD_IN_TREE, or NULL */
} GuestBuild;

typedef enum GuestBuildError {
    GUESTBUILD_ERROR_FILES, /* the guest's sources are not where they were */
    GUESTBUILD_ERROR_BUILD, /* they do not compile */
} GuestBuildError;

#define GUESTBUILD_ERROR guestbuild_error_quark()
GQuark guestbuild_error_quark(void);

/* The folder that holds guest/ and scenarios/: HEDDLE_DATADIR of the
 * environment, or where heddle was built or installed.  Static. */
const char *guestbuild_data(void);

/* The path of the image, built if need be; caller frees.  NULL with an error
 * that holds what the compiler said. */
char *guestbuild_make(const GuestBuild *build, GError **error);

#endif
