/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stage -- what the runs of a case are played on: an image, a machine at its
 * base, and the system found in both.
 *
 *      Scenario + mutants ──▶ guestbuild ──▶ Image ──▶ Machine, set up
 *                                                       │ base taken
 *                             objects, rules, state view ┘
 *
 * Making a stage costs a build and some milliseconds a core; the cases of a
 * scenario that need the same image share one.
 *
 * The scenario's objects lie in the last STAGE_OBJECT_BYTES of RAM, which the
 * guest is not told of, one or more whole cache lines each.
 *
 * Layer 10.
 */
#ifndef EMU_CHECK_STAGE_H
#define EMU_CHECK_STAGE_H

#include "base/base.h"
#include "guest/image.h"
#include "machine/machine.h"
#include "script/scenario.h"
#include "script/system.h"
#include "watch/rules.h"
#include "watch/state.h"

#define STAGE_OBJECT_BYTES (64u * 1024u)

typedef struct StageOptions {
    const char *ipiq;  /* as guestbuild.h has it */
    CpuEngine engine;
} StageOptions;

typedef struct Stage {
    char *path;        /* of the image */
    Image *image;
    MachineOptions options;
    Machine *machine;  /* NULL while it rests */
    System *system;
    SystemView view;
    Rules rules;
    StateView state;
    unsigned object_count;
    gva_t *objects;    /* address of each object of the scenario */
    uint64_t *object_sizes;
    bool bare;         /* no kernel: the base is the power-up state */
} Stage;

typedef enum StageError {
    STAGE_ERROR_GUEST /* the guest does not come up, or lacks something */
} StageError;

#define STAGE_ERROR stage_error_quark()
GQuark stage_error_quark(void);

/* Mark the compiler barriers that the guest told of (guest/shim/barrier.h),
 * for memory models that want to respect them. */
void stage_mark_barriers(Stage *stage);

/* The image that a system with these mutants needs; caller frees. */
char *stage_image_path(const ScenarioSystem *system, const GPtrArray *mutants,
                       const StageOptions *options, GError **error);

/* Load the image at `path` and tell it where its sources are. */
Image *stage_load_image(const ScenarioSystem *system, const char *path,
                        GError **error);

/* Load the image at `path`, boot it, and take the base. */
Stage *stage_new(const Scenario *scenario, const char *path,
                 const StageOptions *options, GError **error);
/* Let go of the machine, most of what a stage takes; and make it anew as it
 * was, if there is none. */
void stage_rest(Stage *stage);
bool stage_wake(Stage *stage, GError **error);
void stage_free(Stage *stage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Stage, stage_free)

#endif
