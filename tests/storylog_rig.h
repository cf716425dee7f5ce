/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storylog_rig -- two cpus flood each other's FIFO on a real machine: house.md
 * sample 1 without Lua.
 */
#ifndef TESTS_STORYLOG_RIG_H
#define TESTS_STORYLOG_RIG_H

#include "base/base.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>

#include "choose/run.h"
#include "machine/loader.h"
#include "report/storylog.h"

#define FLOOD 9u

typedef struct Flood {
    Image *image;
    Machine *machine;
    StoryLog *log;
    gva_t globaldata[2];
    gva_t crit_enter, crit_exit, send, nop;
    unsigned calls[2]; /* made by each story */
    GPtrArray *notable, *sends;
    bool speaks;       /* stories pass their calls' text on */
    bool unobserved;   /* nobody watches the run */
} Flood;

static inline void
flood_begin(void *user)
{
    memset(((Flood *)user)->calls, 0, sizeof((Flood *)user)->calls);
}

static inline bool
flood_next(void *user, unsigned cpu, uint64_t result, StoryStep *step,
           StoryCall *call, GError **error)
{
    Flood *flood = user;
    unsigned number = flood->calls[cpu]++;

    (void)result, (void)error;
    *step = number < FLOOD + 2 ? STORY_CALL : STORY_END;
    if (number == 0)
        call->function = flood->crit_enter;
    else if (number > FLOOD)
        call->function = flood->crit_exit;
    else {
        *call = (StoryCall){
            .function = flood->send,
            .arguments = {flood->globaldata[1 - cpu], flood->nop, 0, 0},
            .argument_count = 4,
        };
        if (flood->speaks)
            storylog_call(flood->log, cpu, "as the story says it");
    }
    return true;
}

static inline uint64_t
flood_marks(void *user)
{
    (void)user;
    return 0;
}

static inline const char *
flood_awaited(void *user, unsigned cpu)
{
    (void)user, (void)cpu;
    return NULL;
}

static inline gva_t
address_of(const Flood *flood, const char *name)
{
    const ImageSymbol *symbol = image_lookup_symbol(flood->image, name);

    cr_assert_not_null(symbol, "the guest has no %s", name);
    return symbol->address;
}

/* Build the guest with a mutant, or NULL; false when it cannot be built. */
static inline bool
flood_build(const char *mutant, char **path)
{
    g_autofree char *folder = g_dir_make_tmp("heddle-storylog-XXXXXX", NULL);
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    int status = -1;

    *path = g_build_filename(folder, "guest.elf", NULL);
    g_ptr_array_add(words, (void *)HEDDLE_DATADIR "/guest/build");
    g_ptr_array_add(words, (void *)"dragonfly");
    g_ptr_array_add(words, (void *)"--out");
    g_ptr_array_add(words, *path);
    g_ptr_array_add(words, (void *)"--define");
    g_ptr_array_add(words, (void *)"MAXCPUFIFO=8");
    if (mutant != NULL) {
        g_ptr_array_add(words, (void *)"--mutant");
        g_ptr_array_add(words, (void *)mutant);
    }
    g_ptr_array_add(words, NULL);
    if (g_spawn_sync(NULL, (char **)words->pdata, NULL,
                     G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL, NULL,
                     &status, NULL) &&
        status == 0)
        return true;
    g_rmdir(folder);
    return false;
}

static inline void
flood_remove(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *source = g_strconcat(path, ".ipiq.c", NULL);

    g_remove(path);
    g_remove(source);
    g_rmdir(folder);
}

static inline void
flood_boot(Flood *flood, const char *path)
{
    MachineOptions options = {.cpus = 2, .ram_mib = 8};
    const ImageType *space;
    GError *error = NULL;
    Verdict verdict;

    flood->image = image_load(path, &error);
    cr_assert_not_null(flood->image);
    flood->machine = machine_new(&options, &error);
    cr_assert_not_null(flood->machine);
    cr_assert(loader_boot(flood->machine, flood->image, 0, &error));
    run_set_up(flood->machine, 1000000, &verdict);
    cr_assert_eq((int)verdict.kind, (int)VERDICT_DONE, "%s", verdict.text);
    machine_rebase(flood->machine);
    space = image_type_named(flood->image, "struct privatespace");
    cr_assert_not_null(space);
    for (unsigned i = 0; i < 2; i++)
        flood->globaldata[i] =
            address_of(flood, "CPU_prvspace") + i * space->size;
    flood->crit_enter = address_of(flood, "crit_enter");
    flood->crit_exit = address_of(flood, "crit_exit");
    flood->send = address_of(flood, "lwkt_send_ipiq3");
    flood->nop = address_of(flood, "nop");
}

static inline GPtrArray *
flood_names(const char *const *names)
{
    GPtrArray *array = g_ptr_array_new();

    for (; *names != NULL; names++)
        g_ptr_array_add(array, (void *)*names);
    return array;
}

/* Execute the run with this seed, and finish its log. */
static inline void
flood_run(Flood *flood, uint64_t seed, uint64_t steps, RunResult *result)
{
    static const char *const notable[] = {
        "lwkt_send_ipiq3", "lwkt_process_ipiq", "lwkt_process_ipiq_frame",
        "splz", NULL};
    static const char *const sends[] = {"lwkt_send_ipiq3", NULL};
    Stories stories = {
        .begin = flood_begin,
        .next = flood_next,
        .marks = flood_marks,
        .awaited = flood_awaited,
        .user = flood,
    };
    RunSetup setup = {
        .machine = flood->machine,
        .stories = &stories,
        .image = flood->image,
        .steps_max = steps,
    };
    StoryLogSetup log_setup = {
        .image = flood->image,
        .machine = flood->machine,
        .wait_provider = "wait",
        .wait_push = "push",
        .wait_pop = "pop",
        .trace_provider = "ktr",
        .globaldata = flood->globaldata,
        .globaldata_size = 256,
    };
    Strategy *strategy = strategy_random_new(0);
    g_autoptr(Run) run = run_new(&setup);
    RunObserver observer;

    flood->notable = flood_names(notable);
    flood->sends = flood_names(sends);
    log_setup.notable = flood->notable;
    log_setup.sends = flood->sends;
    flood->log = storylog_new(&log_setup);
    storylog_observer(flood->log, &observer);
    if (!flood->unobserved) {
        run_observe(run, &observer);
        storylog_attach(flood->log);
    }
    cr_assert(run_execute(run, strategy, NULL, seed, result, NULL));
    storylog_finish(flood->log);
    strategy_free(strategy);
}

static inline void
flood_clear(Flood *flood)
{
    storylog_free(flood->log);
    machine_free(flood->machine);
    image_free(flood->image);
    g_clear_pointer(&flood->notable, g_ptr_array_unref);
    g_clear_pointer(&flood->sends, g_ptr_array_unref);
}

#endif
