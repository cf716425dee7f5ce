/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_rig -- guests for the tests of image, compiled on the spot.
 */
#ifndef TESTS_IMAGE_RIG_H
#define TESTS_IMAGE_RIG_H

#include "base/base.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>

#include "guest/image.h"

static char *directory;

static inline void
make_directory(void)
{
    directory = g_dir_make_tmp("heddle-image-XXXXXX", NULL);
    cr_assert_not_null(directory);
}

static inline void
remove_directory(void)
{
    GDir *dir = g_dir_open(directory, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(directory, name, NULL);

        g_remove(path);
    }
    if (dir != NULL)
        g_dir_close(dir);
    g_rmdir(directory);
    g_free(directory);
}

/* A suite whose tests each have a directory of their own. */
#define IMAGE_RIG_SUITE(name)                                                  \
    TestSuite(name, .init = make_directory, .fini = remove_directory,          \
              .timeout = 60)

static inline char *
in_directory(const char *name)
{
    return g_build_filename(directory, name, NULL);
}

static inline void
write_source(const char *name, const char *text)
{
    g_autofree char *path = in_directory(name);

    cr_assert(g_file_set_contents(path, text, -1, NULL));
}

/* gcc in the directory, with these words. */
static inline void
compile(const char *arguments)
{
    g_autofree char *line = g_strconcat("gcc ", arguments, NULL);
    g_autofree char *errors = NULL;
    g_auto(GStrv) words = NULL;
    int status = -1;

    cr_assert(g_shell_parse_argv(line, NULL, &words, NULL));
    cr_assert(g_spawn_sync(directory, words, NULL, G_SPAWN_SEARCH_PATH, NULL,
                           NULL, NULL, &errors, &status, NULL));
    cr_assert_eq(status, 0, "%s: %s", line, errors);
}

#define FREESTANDING                                                           \
    " -g -ffreestanding -nostdlib -static -no-pie -fno-asynchronous-unwind-"   \
    "tables -Wl,--build-id=none -Wl,-z,max-page-size=4096 "                    \
    "-Wl,-Ttext-segment=0x200000 -o guest "

static inline Image *
load(const char *name)
{
    g_autofree char *path = in_directory(name);
    g_autoptr(GError) error = NULL;
    Image *image = image_load(path, &error);

    cr_assert_not_null(image, "%s", error == NULL ? "" : error->message);
    return image;
}

static inline Image *
build(const char *source, const char *options)
{
    g_autofree char *arguments = g_strconcat(options, FREESTANDING, "guest.c",
                                             NULL);

    write_source("guest.c", source);
    compile(arguments);
    return load("guest");
}

/* The guest of most tests; the numbers are of its lines. */
static const char plain[] =
    "int counter = 5;\n"                                   /* 1 */
    "static long hidden_total;\n"                          /* 2 */
    "static __attribute__((noinline)) int\n"               /* 3 */
    "add_one(int value)\n"                                 /* 4 */
    "{\n"                                                  /* 5 */
    "    hidden_total += value;\n"                         /* 6 */
    "    return value + 1;\n"                              /* 7 */
    "}\n"                                                  /* 8 */
    "static inline __attribute__((always_inline)) void\n"  /* 9 */
    "fence(void)\n"                                        /* 10 */
    "{\n"                                                  /* 11 */
    "    __asm__ volatile(\"mfence\");\n"                  /* 12 */
    "}\n"                                                  /* 13 */
    "static inline __attribute__((always_inline)) void\n"  /* 14 */
    "publish(int value)\n"                                 /* 15 */
    "{\n"                                                  /* 16 */
    "    *(volatile int *)&counter = value;\n"             /* 17 */
    "    fence();\n"                                       /* 18 */
    "}\n"                                                  /* 19 */
    "void __attribute__((noinline))\n"                     /* 20 */
    "work(int n)\n"                                        /* 21 */
    "{\n"                                                  /* 22 */
    "    int unused_copy;  /* braces in a comment: } */\n" /* 23 */
    "    const char *text = \"}\";\n"                      /* 24 */
    "    counter = add_one(n);\n"                          /* 25 */
    "    unused_copy = n;\n"                               /* 26 */
    "    publish(n + 3);\n"                                /* 27 */
    "    if (n > 3)\n"                                     /* 28 */
    "        counter++;\n"                                 /* 29 */
    "    else\n"                                           /* 30 */
    "        counter++;\n"                                 /* 31 */
    "    hidden_total = *text;\n"                          /* 32 */
    "}\n"                                                  /* 33 */
    "void _start(void);\n"                                 /* 34 */
    "void\n"                                               /* 35 */
    "_start(void)\n"                                       /* 36 */
    "{\n"                                                  /* 37 */
    "    work(3);\n"                                       /* 38 */
    "    for (;;)\n"                                       /* 39 */
    "        __asm__ volatile(\"hlt\");\n"                 /* 40 */
    "}\n";

static const char types_source[] =
    "typedef unsigned long cpumask_t;\n"
    "typedef void (*ipifunc3_t)(void *arg1, int arg2, ...);\n"
    "#include \"pair.h\"\n"
    "struct lwkt_ipiq {\n"
    "    int ip_rindex;\n"
    "    volatile int ip_windex;\n"
    "    struct { const char *name; ipifunc3_t func; } ip_info[32];\n"
    "    union { long as_long; unsigned char as_bytes[8]; };\n"
    "    unsigned flag : 3, rest : 13;\n"
    "    unsigned long wide : 40;\n"
    "    struct lwkt_ipiq *next;\n"
    "    _Bool busy;\n"
    "    cpumask_t mask;\n"
    "    enum color { RED = -1, GREEN = 7 } color;\n"
    "    int matrix[2][3];\n"
    "    pair_t pair;\n"
    "    char tail[];\n"
    "};\n"
    "struct lwkt_ipiq *ipiq;\n"
    "static int ipiq_debug;\n"
    "extern struct later elsewhere;\n"
    "int lwkt_send_ipiq3(struct lwkt_ipiq *target, ipifunc3_t func,\n"
    "                    void *arg1, const unsigned short arg2);\n"
    "int lwkt_send_ipiq3(struct lwkt_ipiq *target, ipifunc3_t func,\n"
    "                    void *arg1, const unsigned short arg2)\n"
    "{ ipiq = target; func(arg1, arg2); return ipiq_debug++; }\n"
    "void _start(void) { lwkt_send_ipiq3(ipiq, 0, 0, 0);\n"
    "    elsewhere.d = 1; for (;;); }\n";

static const char pair_source[] =
    "struct later;\n"
    "typedef struct { int a; struct later *link; } pair_t;\n"
    "struct later { double d; pair_t *back; };\n";

static const char second_source[] =
    "#include \"pair.h\"\n"
    "pair_t second_pair;\n"
    "struct later elsewhere;\n"
    "struct lwkt_ipiq; struct lwkt_ipiq *declared_only;\n";

static inline Image *
build_types(const char *options)
{
    g_autofree char *arguments = g_strconcat(options, FREESTANDING,
                                             "guest.c second.c", NULL);

    write_source("guest.c", types_source);
    write_source("second.c", second_source);
    write_source("pair.h", pair_source);
    compile(arguments);
    return load("guest");
}

#endif
