/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "script/system.h"

#include "guest/image_spelling.h"
#include "script/script_system.h"

G_DEFINE_QUARK(heddle-system, system_error)

static void
free_axis(gpointer item)
{
    SystemAxis *axis = item;

    g_free(axis->name);
    g_free(axis);
}

static void
free_queue(gpointer item)
{
    SystemQueue *queue = item;

    g_free(queue->field);
    g_free(queue);
}

static void
free_rule(gpointer item)
{
    SystemRule *rule = item;

    g_free(rule->name);
    g_ptr_array_unref(rule->points);
    for (unsigned i = 0; i < RULE_WORDS_MAX; i++)
        g_free(rule->words[i].field);
    g_free(rule);
}

System *
system_new(const char *name, const char *folder)
{
    System *system = g_new0(System, 1);

    system->name = g_strdup(name);
    system->folder = g_strdup(folder);
    system->cpus_max = CPUS_MAX;
    system->axes = g_ptr_array_new_with_free_func(free_axis);
    system->fifos.arguments = g_ptr_array_new_with_free_func(g_free);
    system->fifos.queues = g_ptr_array_new_with_free_func(free_queue);
    system->counter_symbols = g_ptr_array_new_with_free_func(g_free);
    system->counter_fields = g_ptr_array_new_with_free_func(g_free);
    system->rules = g_ptr_array_new_with_free_func(free_rule);
    system->messages.written = rules_new_points();
    system->messages.returned = rules_new_points();
    system->masks.functions = g_ptr_array_new_with_free_func(g_free);
    system->sends = g_ptr_array_new_with_free_func(g_free);
    system->locks = g_ptr_array_new_with_free_func(g_free);
    system->unlocks = g_ptr_array_new_with_free_func(g_free);
    system->calls = g_ptr_array_new_with_free_func(g_free);
    return system;
}

static void
free_globaldata(SystemGlobaldata *globaldata)
{
    g_free(globaldata->array);
    g_free(globaldata->member);
    g_free(globaldata->type);
    g_free(globaldata->cpuid);
    g_free(globaldata->thread);
    g_free(globaldata->infomsg);
}

static void
free_thread(SystemThread *thread)
{
    g_free(thread->type);
    g_free(thread->stack);
    g_free(thread->stack_size);
    g_free(thread->story);
    g_free(thread->idle);
}

static void
free_fifos(SystemFifos *fifos)
{
    g_free(fifos->type);
    g_free(fifos->written);
    g_free(fifos->read);
    g_free(fifos->executed);
    g_free(fifos->slots);
    g_free(fifos->func);
    g_ptr_array_unref(fifos->arguments);
    g_ptr_array_unref(fifos->queues);
}

static void
free_messages(SystemMessages *messages)
{
    g_ptr_array_unref(messages->written);
    g_ptr_array_unref(messages->returned);
    g_free(messages->provider);
    g_free(messages->received);
}

static void
free_memory(SystemMemory *memory)
{
    g_free(memory->provider);
    g_free(memory->freed);
    g_free(memory->taken);
}

void
system_free(System *system)
{
    if (system == NULL)
        return;
    g_free(system->name);
    g_free(system->folder);
    g_ptr_array_unref(system->axes);
    free_globaldata(&system->globaldata);
    free_thread(&system->thread);
    free_fifos(&system->fifos);
    g_ptr_array_unref(system->counter_symbols);
    g_ptr_array_unref(system->counter_fields);
    g_ptr_array_unref(system->rules);
    free_messages(&system->messages);
    free_memory(&system->memory);
    g_ptr_array_unref(system->masks.functions);
    g_free(system->masks.type);
    g_free(system->masks.wanted);
    g_free(system->masks.arrived);
    g_free(system->fifos.unclaimed);
    g_ptr_array_unref(system->sends);
    g_ptr_array_unref(system->locks);
    g_ptr_array_unref(system->unlocks);
    g_ptr_array_unref(system->calls);
    g_free(system->wait_provider);
    g_free(system->wait_push);
    g_free(system->wait_pop);
    g_free(system->trace_provider);
    g_free(system);
}

System *
system_load(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(folder);
    g_autoptr(System) system = system_new(name, folder);

    if (!script_system_read(system, path, error))
        return NULL;
    return g_steal_pointer(&system);
}

static int
compare_names(gconstpointer a, gconstpointer b, gpointer unused)
{
    (void)unused;
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names in a folder, sorted; empty when it cannot be read. */
static GPtrArray *
list_folder(const char *folder)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    if (dir == NULL)
        return names;
    while ((name = g_dir_read_name(dir)) != NULL)
        if (name[0] != '.')
            g_ptr_array_add(names, g_strdup(name));
    g_dir_close(dir);
    if (names->len > 1)
        g_qsort_with_data(names->pdata, (int)names->len, sizeof(gpointer),
                          compare_names, NULL);
    return names;
}

/* "; did you mean `x`?", or a list of all there is. */
static char *
advice(const GPtrArray *names, const char *misspelt)
{
    unsigned best = image_spelling_limit(misspelt) + 1;
    const char *nearest = NULL;
    GString *text;

    for (unsigned i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        unsigned distance = image_spelling_distance(misspelt, name, best);

        if (distance < best) {
            best = distance;
            nearest = name;
        }
    }
    if (nearest != NULL)
        return g_strdup_printf("; did you mean \"%s\"?", nearest);
    text = g_string_new(names->len == 0 ? "; there are none" : "; there are");
    for (unsigned i = 0; i < names->len; i++)
        g_string_append_printf(text, "%s \"%s\"", i == 0 ? "" : ",",
                               (const char *)g_ptr_array_index(names, i));
    return g_string_free(text, FALSE);
}

static bool
is_plain_name(const char *name)
{
    for (const char *at = name; *at != '\0'; at++)
        if (!g_ascii_isalnum(*at) && *at != '_' && *at != '-')
            return false;
    return *name != '\0';
}

System *
system_find(const char *guest, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(guest, name, "rules.lua", NULL);
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GPtrArray) systems = NULL;
    g_autofree char *hint = NULL;

    if (is_plain_name(name) && g_file_test(path, G_FILE_TEST_EXISTS))
        return system_load(path, error);
    if (strcmp(name, "bare") == 0)
        return system_new(name, NULL);

    all = list_folder(guest);
    systems = g_ptr_array_new();
    for (unsigned i = 0; i < all->len; i++) {
        char *each = g_ptr_array_index(all, i);
        g_autofree char *rules = g_build_filename(guest, each, "rules.lua",
                                                  NULL);

        if (g_file_test(rules, G_FILE_TEST_EXISTS))
            g_ptr_array_add(systems, each);
    }
    g_ptr_array_add(systems, (char *)"bare");
    hint = advice(systems, name);
    g_set_error(error, SYSTEM_ERROR, SYSTEM_ERROR_FILE, "no system \"%s\"%s",
                name, hint);
    return NULL;
}

const SystemAxis *
system_axis(const System *system, const char *name)
{
    for (unsigned i = 0; i < system->axes->len; i++) {
        const SystemAxis *axis = g_ptr_array_index(system->axes, i);

        if (strcmp(axis->name, name) == 0)
            return axis;
    }
    return NULL;
}

const SystemRule *
system_rule(const System *system, const char *name)
{
    for (unsigned i = 0; i < system->rules->len; i++) {
        const SystemRule *rule = g_ptr_array_index(system->rules, i);

        if (strcmp(rule->name, name) == 0)
            return rule;
    }
    return NULL;
}

bool
system_check_mutant(const System *system, const char *mutant, GError **error)
{
    g_autofree char *folder =
        g_build_filename(system->folder == NULL ? "" : system->folder,
                         "mutants", NULL);
    g_autoptr(GPtrArray) names = NULL;
    g_autofree char *hint = NULL;

    if (system->folder != NULL && is_plain_name(mutant)) {
        g_autofree char *path = g_build_filename(folder, mutant, NULL);

        if (g_file_test(path, G_FILE_TEST_EXISTS))
            return true;
    }
    names = system->folder == NULL ? g_ptr_array_new() : list_folder(folder);
    hint = advice(names, mutant);
    g_set_error(error, SYSTEM_ERROR, SYSTEM_ERROR_FILE,
                "system \"%s\" has no mutant \"%s\"%s", system->name, mutant,
                hint);
    return false;
}

bool
system_is_remedy(const System *system, const char *mutant)
{
    g_autofree char *path = NULL, *text = NULL;

    if (system->folder == NULL || !is_plain_name(mutant))
        return false;
    path = g_build_filename(system->folder, "mutants", mutant, NULL);
    return g_file_get_contents(path, &text, NULL, NULL) &&
           (g_str_has_prefix(text, "description: a remedy for ") ||
            g_str_has_prefix(text, "description: the remedy for "));
}
