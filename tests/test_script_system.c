/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * system: a rules.lua, and what it says of one image.
 */
#include "base/base.h"

#include "script_rig.h"

TestSuite(script_system, .init = rig_open, .fini = rig_close, .timeout = 60);

static System *
load_rules(const char *text, GError **error)
{
    g_autofree char *path = rig_path("other/rules.lua");

    rig_write("other/rules.lua", text);
    return system_load(path, error);
}

Test(script_system, the_rules_of_dragonfly_are_read)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(System) system =
        system_load(HEDDLE_DATADIR "/guest/dragonfly/rules.lua", &error);

    cr_assert_not_null(system, "%s", error->message);
    cr_assert_str_eq(system->name, "dragonfly");
    cr_assert_str_eq(system->globaldata.array, "CPU_prvspace");
    cr_assert_str_eq(system->thread.story, "gd_storythread");
    cr_assert_eq(system->fifos.queues->len, 2);
    cr_assert_eq(system_axis(system, "MAXCPUFIFO")->reduced, 8);
    cr_assert_null(system_axis(system, "MAXFIFO"));
    cr_assert_not_null(
        system_rule(system, "no IPI operation with a spin lock held"));
    cr_assert_gt(system->calls->len, 10);
    cr_assert(system_check_mutant(system, "no_drain", NULL));
    cr_assert_not(system_check_mutant(system, "../rules.lua", NULL));
}

Test(script_system, the_bare_system_needs_no_file)
{
    g_autoptr(System) system = system_find(rig_folder, "bare", NULL);

    cr_assert_not_null(system);
    cr_assert_null(system->globaldata.array);
    cr_assert_not(system_check_mutant(system, "x", NULL));
}

Test(script_system, damaged_rules_are_errors)
{
    static const char *const texts[] = {
        "return 3", "return { axes = 3 }", "return { rules = { 3 } }",
        "return { rules = { { name = 'x', field = 'y', of = 'z' } } }",
        "return { rules = { { name = 'x', field = 'y', of = 'thread' } } }",
        "return { rules = { { name = 'x', watch = 'y' } } }",
        "return { rules = { { name = 'x', on = { { 'f' } } } } }",
        "return { rules = { { name = 'x', watch = 'balance', words = 1 } } }",
        "return { messages = {} }", "return { memory = { provider = 'x' } }",
        "return { globaldata = {} }", "return { fifos = { type = 1 } }",
        "return { notable = { calls = { 1 } } }", "return {",
        "return { cpus_max = 65 }", "os.exit(1)", "while true do end"};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(System) system = load_rules(texts[i], &error);

        cr_assert_null(system, "%s", texts[i]);
        cr_assert_not_null(strstr(error->message, "other/rules.lua"));
    }
}

Test(script_system, an_image_gives_offsets_rules_and_queues)
{
    MachineOptions options = {.cpus = 2, .ram_mib = 8};
    g_autoptr(System) system = system_find(rig_folder, "toy", NULL);
    const Image *image = rig_give_image(NULL, NULL, NULL);
    g_autoptr(GError) error = NULL;
    const ImageType *type;
    SystemView view;
    ImageMember ipiq, sync;
    const StateFifo *fifo;
    const Rule *rule;
    StateView state;
    Rules rules;

    cr_assert(system_resolve(system, image, &view, &error), "%s",
              error == NULL ? "" : error->message);
    cr_assert_eq(system_globaldata(&view, 0), rig_symbol("spaces") + 8);
    cr_assert_eq(view.cpuid, 8);
    type = view.globaldata;
    cr_assert(image_types_member(type, "ipiq", &ipiq));
    cr_assert(image_types_member(type, "sync", &sync));

    rules_init(&rules);
    cr_assert(system_list_rules(&view, 2, &rules, &error));
    cr_assert_eq(rules.rules->len, 2);
    rule = g_ptr_array_index(rules.rules, 0);
    cr_assert_eq(rule->points->len, 1, "`gone` is not in this image");
    cr_assert_eq(rule->words[0].size, 8);
    cr_assert_not(rule->negated);
    rule = g_ptr_array_index(rules.rules, 1);
    cr_assert_eq(rule->words[0].source, RULE_OF_THREAD);
    cr_assert_eq(rules.thread, 0);
    cr_assert_eq(rule->words[0].size, 4);
    cr_assert(rule->negated);
    cr_assert_eq(rules.globaldata[1], system_globaldata(&view, 1));
    rules_clear(&rules);

    rig_machine = machine_new(&options, NULL);
    rig_poke(system_globaldata(&view, 0) + ipiq.offset, 0x700000, 8);
    state_view_init(&state);
    cr_assert(system_fill_state(&view, machine_memory(rig_machine), 2, &state,
                                &error));
    cr_assert_eq(state.fifos->len, 4, "cpu1 has no queues to others yet");
    cr_assert_eq(state.ranges->len, 4);
    cr_assert_null(state_waiting_fifo(rig_machine, &state));
    rig_poke(system_globaldata(&view, 1) + sync.offset + 8, 1, 4);
    fifo = state_waiting_fifo(rig_machine, &state);
    cr_assert_not_null(fifo);
    cr_assert_eq(fifo->depth, 8);
    cr_assert_eq(fifo->slot_size, 16);
    cr_assert_eq(fifo->source, 1);
    cr_assert_eq(fifo->target, 1);
    state_view_clear(&state);
}
