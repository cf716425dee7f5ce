/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "check/stage.h"

#include "choose/run.h"
#include "machine/loader.h"
#include "script/guestbuild.h"

G_DEFINE_QUARK(heddle-stage-error, stage_error)

/* Steps a guest may take to come up: 64 cores need some 50,000. */
#define SET_UP_STEPS_MAX UINT64_C(50000000)

char *
stage_image_path(const ScenarioSystem *system, const GPtrArray *mutants,
                 const StageOptions *options, GError **error)
{
    GuestBuild build = {
        .system = system->name,
        .defines = system->defines,
        .mutants = mutants,
        .ipiq = options->ipiq,
    };

    if (system->elf != NULL)
        return g_strdup(system->elf);
    return guestbuild_make(&build, error);
}

/* guest/build leaves the ipiq source as it was compiled beside the image; all
 * other names of its debug information are relative to guest/. */
Image *
stage_load_image(const ScenarioSystem *system, const char *path,
                 GError **error)
{
    Image *image = image_load(path, error);
    g_autofree char *ipiq = g_strconcat(path, ".ipiq.c", NULL);
    g_autofree char *guest = NULL;

    if (image == NULL || system->elf != NULL)
        return image;
    guest = g_build_filename(guestbuild_data(), "guest", NULL);
    image_set_source_directory(image, guest);
    image_substitute_source(image, "guest/ipiq.c", ipiq);
    image_substitute_source(image, "guest/lwkt_ipiq.c", ipiq);
    return image;
}

/* --- Objects -------------------------------------------------------------- */

static bool
place_objects(Stage *stage, const Scenario *scenario, GError **error)
{
    gpa_t top = machine_memory(stage->machine)->size;
    gpa_t at = top - STAGE_OBJECT_BYTES;

    stage->object_count = scenario->objects->len;
    stage->objects = g_new0(gva_t, stage->object_count + 1);
    stage->object_sizes = g_new0(uint64_t, stage->object_count + 1);
    for (guint i = 0; i < scenario->objects->len; i++) {
        const Object *object = g_ptr_array_index(scenario->objects, i);
        const ImageType *type = image_type_named(stage->image, object->type);
        uint64_t size;

        if (type == NULL || type->size == 0) {
            g_set_error(error, STAGE_ERROR, STAGE_ERROR_GUEST,
                        "%s:%u: the guest has no type `%s`", scenario->path,
                        object->line, object->type);
            return false;
        }
        size = (type->size + LINE_BYTES - 1) & ~(uint64_t)(LINE_BYTES - 1);
        if (size > top - at) {
            g_set_error(error, STAGE_ERROR, STAGE_ERROR_GUEST,
                        "%s:%u: the objects need more than %u bytes",
                        scenario->path, object->line, STAGE_OBJECT_BYTES);
            return false;
        }
        stage->objects[i] = WINDOW_KERNEL + at;
        stage->object_sizes[i] = type->size;
        at += size;
    }
    return true;
}

/* --- The guest ------------------------------------------------------------ */

static bool
set_up(Stage *stage, GError **error)
{
    Verdict verdict;
    const char *console;

    if (stage->bare)
        return true;
    run_set_up(stage->machine, SET_UP_STEPS_MAX, &verdict);
    if (verdict.kind == VERDICT_DONE)
        return true;
    console = machine_console(stage->machine);
    g_set_error(error, STAGE_ERROR, STAGE_ERROR_GUEST,
                "%s: the guest does not come up: %s%s%s%s%s", stage->path,
                verdict_name(verdict.kind), *verdict.text ? ": " : "",
                verdict.text, *console ? "; its console says:\n" : "",
                console);
    return false;
}

static bool
find_system(Stage *stage, const Scenario *scenario, GError **error)
{
    g_autofree char *guest = g_build_filename(guestbuild_data(), "guest", NULL);
    unsigned cpus = machine_cpus(stage->machine);

    stage->system = system_find(
        guest, stage->bare ? "bare" : scenario->system.name, error);
    return stage->system != NULL &&
           system_resolve(stage->system, stage->image, &stage->view, error) &&
           system_list_rules(&stage->view, cpus, &stage->rules, error) &&
           system_fill_state(&stage->view, machine_memory(stage->machine),
                             cpus, &stage->state, error);
}

bool
stage_wake(Stage *stage, GError **error)
{
    if (stage->machine != NULL)
        return true;
    stage->machine = machine_new(&stage->options, error);
    if (stage->machine == NULL ||
        !loader_boot(stage->machine, stage->image, STAGE_OBJECT_BYTES,
                     error) ||
        !set_up(stage, error))
        return false;
    machine_rebase(stage->machine);
    return true;
}

void
stage_rest(Stage *stage)
{
    g_clear_pointer(&stage->machine, machine_free);
}

Stage *
stage_new(const Scenario *scenario, const char *path,
          const StageOptions *options, GError **error)
{
    g_autoptr(Stage) stage = g_new0(Stage, 1);

    stage->options = (MachineOptions){
        .cpus = scenario->system.cpus,
        .ram_mib = scenario->system.ram_mib,
        .engine = options->engine,
    };
    stage->path = g_strdup(path);
    stage->bare = scenario->system.elf != NULL;
    rules_init(&stage->rules);
    state_view_init(&stage->state);
    stage->image = stage_load_image(&scenario->system, path, error);
    if (stage->image == NULL || !stage_wake(stage, error) ||
        !find_system(stage, scenario, error) ||
        !place_objects(stage, scenario, error))
        return NULL;
    return g_steal_pointer(&stage);
}

void
stage_free(Stage *stage)
{
    if (stage == NULL)
        return;
    machine_free(stage->machine);
    image_free(stage->image);
    rules_clear(&stage->rules);
    state_view_clear(&stage->state);
    system_free(stage->system);
    g_free(stage->objects);
    g_free(stage->object_sizes);
    g_free(stage->path);
    g_free(stage);
}

void
stage_mark_barriers(Stage *stage)
{
    Code *code = machine_code(stage->machine);

    for (size_t i = 0; i < image_probe_count(stage->image); i++) {
        const ImageProbe *probe = image_probe(stage->image, i);

        if (!g_str_equal(probe->provider, "heddle"))
            continue;
        if (g_str_equal(probe->name, "sfence"))
            code_mark(code, probe->address, CODE_SFENCE);
        else if (g_str_equal(probe->name, "ccfence"))
            code_mark(code, probe->address, CODE_CCFENCE);
    }
}
