/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_rig -- a toy system in a temporary folder, for tests of scripts.
 *
 *      FOLDER/toy/rules.lua  mutants/broken     the system "toy"
 *      FOLDER/toy.c  toy.elf                    its kernel, never executed
 *      FOLDER/test.lua                          the scenario under test
 *
 * The machine only lends its memory: tests play the part of the run.
 */
#ifndef TESTS_SCRIPT_RIG_H
#define TESTS_SCRIPT_RIG_H

#include "base/base.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>

#include "script/script.h"

static const char rig_kernel[] =
    "struct queue { int rindex, xindex, windex;\n"
    "    struct { void *func; void *arg; } slots[8]; };\n"
    "struct thread { int critcount; char *stack; };\n"
    "struct other { int x; };\n"
    "struct globaldata {\n"
    "    struct thread *curthread; int cpuid; unsigned low:3, high:5;\n"
    "    int signed_bits:4; _Bool ready; unsigned char small;\n"
    "    signed char tiny; long wide; const char *infomsg;\n"
    "    void (*hook)(int); struct globaldata *peer; int numbers[4];\n"
    "    struct queue *ipiq; struct queue sync; unsigned counts[2];\n"
    "    enum { RED, GREEN = 5 } colour; float ratio; };\n"
    "struct space { long pad; struct globaldata gd; }\n"
    "    __attribute__((aligned(64))) spaces[4];\n"
    "int debug_level = 3; long total; unsigned char byte_wide;\n"
    "int *pointer; int ticks;\n"
    "struct stats { long count, full; } stats_percpu[4];\n"
    "#define F __attribute__((noinline)) \n"
    "F int add(int a, unsigned b) { return a + (int)b; }\n"
    "F void nop(void) { total++; }\n"
    "F void panic(const char *text) { (void)text; }\n"
    "F struct globaldata *find(int cpu) { return &spaces[cpu].gd; }\n"
    "F _Bool is_ready(struct globaldata *gd) { return gd->ready; }\n"
    "F signed char low(long x) { return (signed char)x; }\n"
    "F unsigned high(void) { return ~0u; }\n"
    "F int seven(int a, int b, int c, int d, int e, int f, int g)\n"
    "    { return a + b + c + d + e + f + g; }\n"
    "F int log_text(const char *f, ...) { return f[0]; }\n"
    "F void send(struct globaldata *gd, void (*f)(void *), void *arg)\n"
    "{\n"
    "    gd->wide++;\n"
    "    total += 2;\n"
    "    f(arg);\n"
    "}\n"
    "F struct other give(void) { return (struct other){1}; }\n"
    "void _start(void) { struct other o = give(); total = o.x; nop();\n"
    "    panic(0); add(1, 2); find(0); is_ready(0); low(1); high();\n"
    "    seven(1,2,3,4,5,6,7); log_text(\"\"); send(0, 0, 0); }\n";

static const char rig_rules[] =
    "return { axes = { DEPTH = { default = 8 }, CHECKS = { default = 1 } },\n"
    "  cpus_max = 4,\n"
    "  globaldata = { array = 'spaces', member = 'gd',\n"
    "    type = 'struct globaldata', cpuid = 'cpuid', thread = 'curthread',\n"
    "    infomsg = 'infomsg' },\n"
    "  thread = { type = 'struct thread', stack = 'stack' },\n"
    "  fifos = { type = 'struct queue', written = 'windex',\n"
    "    read = 'rindex', executed = 'xindex', slots = 'slots',\n"
    "    func = 'func', arguments = { 'arg' },\n"
    "    { field = 'ipiq', per = 'target' },\n"
    "    { field = 'sync', per = 'self' } },\n"
    "  counters = { symbols = { 'stats_percpu', 'ticks', 'gone' },\n"
    "    fields = { globaldata = { 'counts' } } },\n"
    "  rules = {\n"
    "    { name = 'no send', on = { 'send', 'gone' }, of = 'globaldata',\n"
    "      field = 'wide', must = 0 },\n"
    "    { name = 'in a section', on = { 'send' }, of = 'thread',\n"
    "      field = 'critcount', must_not = 0 } },\n"
    "  notable = { sends = { 'send' }, calls = { 'send', 'nop' } },\n"
    "  wait = { provider = 'wait', push = 'push', pop = 'pop' },\n"
    "  trace = { provider = 'ktr' },\n"
    "}\n";

#define RIG_OBJECTS UINT64_C(0xffffffff80600000)
#define RIG_HEAD "scenario 'test'\nsystem 'toy' { cpus = 2 }\n"

static char *rig_folder;
static Image *rig_image;
static Machine *rig_machine;
static Script *rig_script;
static ScriptRun rig_run;
static Stories rig_stories;
static gva_t rig_objects[16];
static unsigned rig_images_asked;
static GString *rig_told; /* marks and calls */

static inline char *
rig_path(const char *name)
{
    return g_build_filename(rig_folder, name, NULL);
}

static inline void
rig_write(const char *name, const char *text)
{
    g_autofree char *path = rig_path(name);
    g_autofree char *folder = g_path_get_dirname(path);

    cr_assert_eq(g_mkdir_with_parents(folder, 0700), 0);
    cr_assert(g_file_set_contents(path, text, -1, NULL));
}

static inline void
rig_shell(const char *line)
{
    const char *argv[] = {"/bin/sh", "-c", line, NULL};
    g_autofree char *errors = NULL;
    int status = -1;

    cr_assert(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL,
                           NULL, NULL, &errors, &status, NULL));
    cr_assert_eq(status, 0, "%s: %s", line, errors);
}

static inline void
rig_open(void)
{
    rig_folder = g_dir_make_tmp("heddle-script-XXXXXX", NULL);
    cr_assert_not_null(rig_folder);
    rig_write("toy/rules.lua", rig_rules);
    rig_write("toy/mutants/broken", "");
    rig_told = g_string_new(NULL);
}

static inline void
rig_close(void)
{
    g_autofree char *line = g_strdup_printf("rm -r '%s'", rig_folder);

    script_free(rig_script);
    machine_free(rig_machine);
    image_free(rig_image);
    g_string_free(rig_told, TRUE);
    rig_shell(line);
    g_free(rig_folder);
}

static inline const Image *
rig_give_image(void *user, const ScenarioSystem *system, GError **error)
{
    g_autofree char *path = rig_path("toy.elf");
    g_autofree char *line = g_strdup_printf(
        "cd '%s' && gcc -g -O1 -ffreestanding -nostdlib -static -no-pie "
        "-fno-asynchronous-unwind-tables -Wl,--build-id=none "
        "-Wl,-z,max-page-size=4096 -Wl,-Ttext-segment=0x200000 -o toy.elf "
        "toy.c", rig_folder);

    (void)user;
    (void)system;
    rig_images_asked++;
    if (rig_image == NULL) {
        rig_write("toy.c", rig_kernel);
        rig_shell(line);
        rig_image = image_load(path, error);
    }
    return rig_image;
}

/* Load the text, or say what is wrong with it. */
static inline bool
rig_load(const char *text, GError **error)
{
    g_autofree char *path = rig_path("test.lua");
    ScriptHost host = {.image = rig_give_image, .guest = rig_folder};

    rig_write("test.lua", text);
    script_free(rig_script);
    rig_script = script_load(path, &host, error);
    return rig_script != NULL;
}

static inline void
rig_must_load(const char *text)
{
    g_autoptr(GError) error = NULL;

    cr_assert(rig_load(text, &error), "%s", error->message);
}

/* The error begins with ":LINE: " after the path, or ": " for line 0, and
 * holds `part`. */
static inline void
rig_check_error(const GError *error, unsigned line, const char *part)
{
    g_autofree char *path = rig_path("test.lua");
    g_autofree char *head = line == 0
                                ? g_strdup_printf("%s: ", path)
                                : g_strdup_printf("%s:%u: ", path, line);

    cr_assert_not_null(error);
    cr_assert(g_str_has_prefix(error->message, head), "%s", error->message);
    cr_assert_not_null(strstr(error->message, part), "%s", error->message);
}

static inline void
rig_must_fail(const char *text, unsigned line, const char *part)
{
    g_autoptr(GError) error = NULL;

    cr_assert_not(rig_load(text, &error), "%s", text);
    rig_check_error(error, line, part);
}

static inline void
rig_marked(void *user, unsigned cpu, const char *name)
{
    (void)user;
    g_string_append_printf(rig_told, "[%u %s]", cpu, name);
}

static inline void
rig_called(void *user, unsigned cpu, const char *text)
{
    (void)user;
    g_string_append_printf(rig_told, "(%u %s)", cpu, text);
}

static inline uint64_t
rig_choose(void *user, uint64_t n)
{
    (void)user;
    return n - 1;
}

/* Bind case `number` to a machine with memory, and begin a run. */
static inline void
rig_bind(unsigned number)
{
    MachineOptions options = {.cpus = 2, .ram_mib = 8};
    const Scenario *scenario = script_scenario(rig_script);

    if (rig_machine == NULL)
        rig_machine = machine_new(&options, NULL);
    cr_assert_not_null(rig_machine);
    for (unsigned i = 0; i < G_N_ELEMENTS(rig_objects); i++)
        rig_objects[i] = RIG_OBJECTS + 256 * i;
    rig_run = (ScriptRun){
        .item = g_ptr_array_index(scenario->cases, number - 1),
        .image = rig_give_image(NULL, NULL, NULL),
        .machine = rig_machine,
        .objects = rig_objects,
        .choose = rig_choose,
        .marked = rig_marked,
        .called = rig_called,
    };
    script_bind(rig_script, &rig_run);
    rig_stories = script_stories(rig_script);
    rig_stories.begin(rig_stories.user);
    g_string_truncate(rig_told, 0);
}

/* Load a scenario of these stories, bind it and begin. */
static inline void
rig_tell(const char *stories)
{
    g_autofree char *text = g_strconcat(RIG_HEAD, stories,
                                        "\ncase 'c' possible (stuck)", NULL);

    rig_must_load(text);
    rig_bind(1);
}

static inline StoryStep
rig_next(unsigned cpu, uint64_t result, StoryCall *call)
{
    g_autoptr(GError) error = NULL;
    StoryStep step;

    cr_assert(rig_stories.next(rig_stories.user, cpu, result, &step, call,
                               &error), "%s",
              error == NULL ? "" : error->message);
    return step;
}

/* The story makes this call now; the call that ended returned `result`. */
static inline StoryCall
rig_expect_call(unsigned cpu, uint64_t result, const char *function)
{
    StoryCall call = {0};

    cr_assert_eq(rig_next(cpu, result, &call), STORY_CALL);
    cr_assert_eq(call.function,
                 image_lookup_symbol(rig_image, function)->address,
                 "another function than %s", function);
    return call;
}

/* The story ends now; it may have asserted things of its own. */
static inline void
rig_expect_end(unsigned cpu, uint64_t result)
{
    StoryCall call;

    cr_assert_eq(rig_next(cpu, result, &call), STORY_END);
}

static inline void
rig_expect_trouble(unsigned cpu, unsigned line, const char *part)
{
    g_autoptr(GError) error = NULL;
    StoryStep step;
    StoryCall call;

    cr_assert_not(rig_stories.next(rig_stories.user, cpu, 0, &step, &call,
                                   &error));
    rig_check_error(error, line, part);
}

static inline gva_t
rig_symbol(const char *name)
{
    return image_lookup_symbol(rig_image, name)->address;
}

static inline void
rig_poke(gva_t address, uint64_t value, uint64_t size)
{
    cr_assert(gmem_write(machine_memory(rig_machine), address, &value, size));
}

static inline uint64_t
rig_peek(gva_t address, uint64_t size)
{
    uint64_t value = 0;

    cr_assert(gmem_read(machine_memory(rig_machine), address, &value, size));
    return value;
}

#endif
