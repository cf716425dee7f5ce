/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script: what a file says becomes data, and whatever is wrong with it is an
 * error with file, line and advice.
 */
#include "base/base.h"

#include "script_rig.h"

TestSuite(script, .init = rig_open, .fini = rig_close, .timeout = 60);

static const Scenario *
scenario(void)
{
    return script_scenario(rig_script);
}

static const ScenarioCase *
case_of(unsigned number)
{
    return g_ptr_array_index(scenario()->cases, number - 1);
}

static const Claim *
claim_of(unsigned number, unsigned index)
{
    return g_ptr_array_index(case_of(number)->claims, index);
}

static void
expect_claim(unsigned number, unsigned index, const char *text)
{
    g_autofree char *printed = claim_print(claim_of(number, index));

    cr_assert_str_eq(printed, text);
}

Test(script, the_frame_of_a_scenario_is_plain_data)
{
    const ScenarioSystem *system;

    rig_must_load("scenario 'a title'\norigin 'a mail'\n"
                  "system 'toy' { cpus = 3, DEPTH = 8, CHECKS = false,\n"
                  "               ram = 16 }\n"
                  "case 'one'\npossible (stuck)\n");
    system = &scenario()->system;
    cr_assert_str_eq(scenario()->title, "a title");
    cr_assert_str_eq(scenario()->origin, "a mail");
    cr_assert_str_eq(system->name, "toy");
    cr_assert_null(system->elf);
    cr_assert_eq(system->cpus, 3);
    cr_assert_eq(system->ram_mib, 16);
    cr_assert_eq(system->defines->len, 2);
    cr_assert_str_eq(g_ptr_array_index(system->defines, 0), "CHECKS=0");
    cr_assert_str_eq(g_ptr_array_index(system->defines, 1), "DEPTH=8");
    cr_assert_eq(system->line, 3);
    cr_assert_eq(case_of(1)->line, 5);
    cr_assert_eq(case_of(1)->number, 1);
    cr_assert_eq(claim_of(1, 0)->line, 6);
    cr_assert_eq(rig_images_asked, 0, "nobody named a guest name");
}

Test(script, cases_inherit_what_is_said_above_the_first_and_override_it)
{
    rig_must_load(RIG_HEAD
                  "mutant 'broken' memory 'tso'\n"
                  "explore { strategy = 'random', runs = 7 }\n"
                  "case 'a' possible (stuck)\n"
                  "case 'b' memory 'sc' mutant {} possible (stuck)\n"
                  "explore { steps = 99 }\n"
                  "case 'c' mutant { 'broken', 'broken' } possible (stuck)");
    cr_assert_eq(case_of(1)->mutants->len, 1);
    cr_assert_eq(case_of(1)->memory.model, MEMORY_TSO);
    cr_assert_eq(case_of(2)->mutants->len, 0);
    cr_assert_eq(case_of(2)->memory.model, MEMORY_SC);
    cr_assert_eq(case_of(2)->budget.runs, 7);
    cr_assert_eq(case_of(2)->budget.steps_max, 99);
    cr_assert_str_eq(case_of(2)->budget.strategy, "random");
    cr_assert_eq(case_of(3)->mutants->len, 1, "named twice, it is one");
    cr_assert_eq(case_of(3)->budget.steps_max, 0);
}

Test(script, a_list_of_predicates_is_a_claim_each)
{
    rig_must_load(RIG_HEAD "case 'a'\nreach (enter(nop))\n"
                           "never { stuck, panic | fault }\n"
                           "case 'b' possible { deadlock, livelock, budget,\n"
                           "lost_message, marked 'x' }");
    cr_assert_eq(case_of(1)->claims->len, 3);
    expect_claim(1, 1, "never (stuck)");
    expect_claim(1, 2, "never (panic | fault)");
    cr_assert_eq(claim_of(1, 2)->line, 5);
    cr_assert_eq(claim_of(2, 3)->predicate->kind, PREDICATE_LOST_MESSAGE);
    expect_claim(2, 4, "possible (marked \"x\")");
}

Test(script, predicates_are_about_points_objects_and_cpus)
{
    const Predicate *predicate;

    rig_must_load(RIG_HEAD
                  "local o = object 'int'\n"
                  "local r = breach 'no send'\n"
                  "case 'a'\n"
                  "possible (touch(o) :after (leave(0, send)))\n"
                  "possible (r(1) & at(1, send, 'total += 2;'))\n"
                  "possible (stuck { cpu = 0, inside = send })\n"
                  "possible (touch(1, o) | stuck(1))\n");
    expect_claim(1, 0, "possible (touch(o) :after (leave(0, send)))");
    predicate = claim_of(1, 0)->predicate;
    cr_assert_eq(predicate->kind, PREDICATE_AFTER);
    cr_assert_eq(predicate->right->point.kind, POINT_LEAVE);
    cr_assert_eq(predicate->right->point.line, 6);
    cr_assert_eq(predicate->right->cpu, 0);
    expect_claim(1, 1, "possible (breach \"no send\"(1) & "
                       "at(1, send, \"total += 2;\"))");
    predicate = claim_of(1, 2)->predicate;
    cr_assert_eq(predicate->cpu, 0);
    cr_assert_str_eq(predicate->name, "send");
    expect_claim(1, 2, "possible (stuck { cpu = 0, inside = send })");
    expect_claim(1, 3, "possible (touch(1, o) | stuck { cpu = 1 })");
}

Test(script, regions_lie_between_quoted_lines_or_calls)
{
    const Region *region;

    rig_must_load(RIG_HEAD
                  "local a = region(send, 'gd->wide++;', 'f(arg);')\n"
                  "local b = region { after = send, before = nop }\n"
                  "local c = region(nop)\n"
                  "local d = region { after = at(send, 'f(arg);'),\n"
                  "                   before = leave(send) }\n"
                  "case 'x' possible (a(0) & b(1) | c)\n");
    cr_assert_eq(scenario()->regions->len, 4);
    region = g_ptr_array_index(scenario()->regions, 0);
    cr_assert_str_eq(region->name, "a");
    cr_assert_eq(region->begin.kind, POINT_LINE);
    cr_assert_str_eq(region->begin.quote, "gd->wide++;");
    cr_assert_str_eq(region->end.quote, "f(arg);");
    region = g_ptr_array_index(scenario()->regions, 1);
    cr_assert_eq(region->begin.kind, POINT_LEAVE);
    cr_assert_eq(region->end.kind, POINT_ENTER);
    cr_assert_str_eq(region->end.function, "nop");
    region = g_ptr_array_index(scenario()->regions, 2);
    cr_assert_eq(region->begin.kind, POINT_ENTER);
    cr_assert_eq(region->end.kind, POINT_LEAVE);
    region = g_ptr_array_index(scenario()->regions, 3);
    cr_assert_eq(region->begin.kind, POINT_LINE);
    cr_assert_eq(region->end.kind, POINT_LEAVE);
    expect_claim(1, 0, "possible (a(0) & b(1) | c)");
}

Test(script, objects_have_the_names_of_their_variables)
{
    static const char *const names[] = {"a", "b", "cs[0]", "cs[1]", "t.x",
                                        "object"};

    rig_must_load(RIG_HEAD
                  "local a, b = object 'int', object 'struct thread'\n"
                  "local cs = { [0] = object 'int', object 'int' }\n"
                  "local t = { x = object 'int' }\n"
                  "do object 'long' end\n"
                  "case 'x' possible (touch(cs[0]))\n");
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        const Object *object = g_ptr_array_index(scenario()->objects, i);

        cr_assert_str_eq(object->name, names[i]);
    }
    expect_claim(1, 0, "possible (touch(cs[0]))");
    cr_assert_eq(rig_images_asked, 1);
}

Test(script, a_short_condition_is_shown_as_it_is_written)
{
    rig_must_load(RIG_HEAD
                  "case 'x'\n"
                  "possible (function() return total == 1 end)\n"
                  "possible (stuck & function()\n return true end)\n");
    expect_claim(1, 0, "possible (total == 1)");
    expect_claim(1, 1, "possible (stuck & the condition of line 5)");
}

Test(script, litmus_code_and_registers_belong_to_the_bare_system)
{
    const Predicate *predicate;

    rig_must_load("scenario 'SB' system 'bare' { cpus = 2 }\n"
                  "code [[ P0 | P1 ]]\n"
                  "local z = rax(0) :is(0) & r15(1) :is(-1)\n"
                  "case 'a' memory 'sc' never (z)\n"
                  "case 'b' memory 'tso' possible (z)\n");
    predicate = claim_of(1, 0)->predicate;
    cr_assert_eq(predicate->right->kind, PREDICATE_REGISTER);
    cr_assert_eq(predicate->right->index, 15);
    cr_assert_eq(predicate->right->value, UINT64_MAX);
    expect_claim(1, 0, "never (rax(0) :is(0) & r15(1) :is(-1))");
    cr_assert_str_eq(scenario()->code, " P0 | P1 ");
    cr_assert_eq(scenario()->code_line, 2);
    rig_must_fail(RIG_HEAD "code [[ x ]]", 3, "bare");
    rig_must_fail(RIG_HEAD "rax(0)", 3, "no function or variable `rax`");
}

Test(script, an_elf_lies_beside_its_scenario)
{
    g_autofree char *elf = NULL;

    rig_must_load("scenario 'x' system 'bare' { cpus = 1, elf = 'toy.elf' }\n"
                  "function cpu0() nop() end\n"
                  "case 'a' possible (enter(nop))");
    elf = rig_path("toy.elf");
    cr_assert_str_eq(scenario()->system.elf, elf);
    rig_must_fail("scenario 'x' system 'toy' { cpus = 1, elf = 'x' }", 1,
                  "`elf` is for the system \"bare\"");
}

/* --- What is wrong -------------------------------------------------------- */

Test(script, what_cannot_be_read_or_parsed_is_an_error)
{
    g_autoptr(GError) error = NULL;
    ScriptHost host = {0};

    cr_assert_null(script_load("/nowhere/x.lua", &host, &error));
    cr_assert_str_eq(error->message,
                     "/nowhere/x.lua: cannot be read: no such file");
    rig_must_fail("scenario 'x'\ncase 'oops", 2, "unfinished string");
    rig_must_fail("\033Lua", 0, "binary chunk");
    rig_must_fail("x = = 1", 1, "unexpected symbol");
}

Test(script, a_misspelt_name_gets_a_suggestion)
{
    rig_must_fail(RIG_HEAD "local x = region(sendd)", 3,
                  "no function or variable `sendd` in the guest; did you mean "
                  "`send`?");
    rig_must_fail(RIG_HEAD "case 'x' possible (stuk)", 3, "mean `stuck`?");
    rig_must_fail("scenrio 'x'", 1,
                  "`scenrio` is no word of the scenario language; did you "
                  "mean `scenario`?");
    rig_must_fail(RIG_HEAD "local x = strng.rep('x', 3)", 3, "`string`?");
    rig_must_fail("scenario 'x' system 'toi' { cpus = 2 }", 1,
                  "no system \"toi\"; did you mean \"toy\"?");
    rig_must_fail("scenario 'x' system '../x' { cpus = 2 }", 1, "no system");
    rig_must_fail(RIG_HEAD "mutant 'brokn'", 3, "mean \"broken\"?");
    rig_must_fail(RIG_HEAD "breach 'no'", 3, "\n  \"no send\"");
    rig_must_fail(RIG_HEAD "memory 'x86'", 3, "sc, tso, pso, weak");
    rig_must_fail(RIG_HEAD "explore { strategy = 'x' }", 3, "random");
    rig_must_fail(RIG_HEAD "explore { run = 1 }", 3, "knows strategy");
    rig_must_fail(RIG_HEAD "object 'struct no'", 3, "no C type `struct no`");
    rig_must_fail(RIG_HEAD "region(send, 'wide++', 'f(x);')", 3, "f(x);");
}

Test(script, a_system_has_options_that_it_knows)
{
    rig_must_fail("scenario 'x' system 'toy' { cpu = 2 }", 1, "no `cpu`");
    rig_must_fail("scenario 'x' system 'toy' { cpus = 2, DEEP = 2 }", 1,
                  "no build parameter `DEEP`; there are CHECKS, DEPTH");
    rig_must_fail("scenario 'x' system 'toy' { cpus = 5 }", 1, "1 to 4");
    rig_must_fail("scenario 'x' system 'toy' { cpus = 0 }", 1, "1 to 4");
    rig_must_fail("scenario 'x' system 'toy' { }", 1, "how many cpus");
    rig_must_fail("scenario 'x' system 'toy'\ncase 'y' possible(stuck)", 1,
                  "how many cpus");
    rig_must_fail("scenario 'x' system 'toy' { cpus = 1, DEPTH = 'a' }", 1,
                  "`DEPTH` must be a number");
    rig_must_fail("scenario 'x' local y = send", 1, "`send` is no word");
    rig_must_fail("scenario 'x' scenario 'y'", 1, "said twice");
}

Test(script, only_stories_and_the_schedule_may_be_global)
{
    rig_must_fail(RIG_HEAD "x = 1", 3, "write local x");
    rig_must_fail(RIG_HEAD "never = 1", 3, "is a word");
    rig_must_fail(RIG_HEAD "cpu0 = 1", 3, "must be a function");
    rig_must_fail(RIG_HEAD "local _ = send debug_level = 1", 3,
                  "there is no run yet");
    rig_must_fail(RIG_HEAD "function cpu2() end case 'x' possible (stuck)", 3,
                  "cpu2() has no cpu");
    rig_must_fail(RIG_HEAD "case 'x' possible (stuck)\nfunction cpu3() end", 4,
                  "cpu3() has no cpu");
    rig_must_fail(RIG_HEAD "function cpu00() end", 3, "global");
}

Test(script, words_belong_where_they_mean_something)
{
    rig_must_fail(RIG_HEAD "mark 'x'", 3, "`mark` belongs into the story");
    rig_must_fail(RIG_HEAD "hold(0)", 3, "`hold` belongs into schedule()");
    rig_must_fail(RIG_HEAD "send(1)", 3, "only the story of a cpu");
    rig_must_fail(RIG_HEAD "never (stuck)", 3, "belongs to a case");
    rig_must_fail(RIG_HEAD "local x = debug_level", 3, "before a run");
    rig_must_fail(RIG_HEAD "local x = gd(0).cpuid", 3, "before a run");
    rig_must_fail(RIG_HEAD "gd(2)", 3, "there is no cpu 2");
    rig_must_fail(RIG_HEAD "case 'x' possible (3)", 3, "not about a number");
    rig_must_fail(RIG_HEAD "case 'x' possible (send)", 3, "guest value");
    rig_must_fail(RIG_HEAD "case 'x' possible {}", 3, "empty");
    rig_must_fail(RIG_HEAD "case 'x' possible (touch(gd(0)))", 3, "object");
    rig_must_fail(RIG_HEAD "case 'x' possible (leave(5, send))", 3, "cpu 5");
}

Test(script, a_scenario_has_a_name_a_system_cases_and_controls)
{
    rig_must_fail("", 0, "has no name");
    rig_must_fail("scenario 'x'", 0, "has no system");
    rig_must_fail(RIG_HEAD, 0, "has no case");
    rig_must_fail(RIG_HEAD "case 'x'", 3, "claims nothing");
    rig_must_fail(RIG_HEAD "case 'x' never (stuck)", 3, "without a control");
    rig_must_fail(RIG_HEAD "case 'x' never (stuck) reach (enter(nop))", 3,
                  "without a control");
    rig_must_fail(RIG_HEAD "case 'x' never (stuck)\ncase 'y' never (panic)", 3,
                  "without a control");
    rig_must_fail(RIG_HEAD "case 'x' certain (stuck)", 3, "without a control");
    rig_must_load(RIG_HEAD "case 'x' never (stuck)\n"
                           "case 'y' certain (stuck)");
    rig_must_load(RIG_HEAD "case 'x' never (stuck)\n"
                           "case 'y' possible (stuck)");
}

Test(script, endless_loops_and_endless_memory_come_to_an_end)
{
    rig_must_fail(RIG_HEAD "while true do end", 3, "an endless loop?");
    rig_must_fail(RIG_HEAD "local t = {} for i = 1, 1e9 do t[i] = {} end", 3,
                  "too much memory");
    rig_must_fail(RIG_HEAD "local s = 'x' while true do s = s .. s end", 3,
                  "too much memory");
    rig_must_fail(RIG_HEAD "local function f() return 1 + f() end f()", 3,
                  "called from");
    rig_must_fail(RIG_HEAD "local s = (''):rep(1 << 62)", 3, "too many");
}

Test(script, what_could_leak_the_host_is_not_there)
{
    static const char *const absent[] = {
        "os",   "io",   "package",        "require",      "load", "dofile",
        "loadfile",     "debug",          "collectgarbage", "pcall",
        "setmetatable", "getmetatable",   "coroutine",    "rawset", "_G",
        "string.dump",  "string.gsub",    "table.move"};

    for (size_t i = 0; i < G_N_ELEMENTS(absent); i++) {
        g_autofree char *text =
            g_strdup_printf(RIG_HEAD "local x = %s()", absent[i]);

        rig_must_fail(text, 3, "");
    }
    rig_must_fail(RIG_HEAD "math.random(3)", 3, "choose(n)");
    rig_must_fail(RIG_HEAD "print 'x'", 3, "mark");
    rig_must_fail(RIG_HEAD "string.format('%5p', {})", 3, "%p");
    rig_must_fail(RIG_HEAD "string.x = 1", 3, "cannot be changed");
    rig_must_fail(RIG_HEAD "error(tostring({}) .. tostring(tostring) ..\n"
                           "string.format('|%s|%d', {}, 3))", 3,
                  "tablefunction|table|3");
}

Test(script, tables_are_walked_in_order)
{
    rig_must_fail(RIG_HEAD
                  "local s = ''\n"
                  "for k, v in pairs { z = 1, a = 2, [10] = 3, [2] = 4,\n"
                  "    [true] = 5, [false] = 6, ab = 7, [1.5] = 8 } do\n"
                  "  s = s .. tostring(k) .. '=' .. v .. ' '\n"
                  "end\n"
                  "error(s .. next({ y = 1, x = 2 }))", 8,
                  "1.5=8 2=4 10=3 a=2 ab=7 z=1 false=6 true=5 x");
    rig_must_fail(RIG_HEAD "pairs { [{}] = 1 }", 3, "has no order");
}

Test(script, trouble_in_a_function_shows_the_way_there)
{
    rig_must_fail(RIG_HEAD "local function f() error('boom') end\n"
                           "local function g() f() end\n"
                           "g()", 3,
                  "boom\n  called from");
}

/* --- The samples ---------------------------------------------------------- */

static const Image *
give_dragonfly(void *user, const ScenarioSystem *system, GError **error)
{
    g_autofree char *path = rig_path("dragonfly.elf");
    g_autofree char *line = g_strdup_printf(
        HEDDLE_DATADIR "/guest/build dragonfly --out '%s' --define "
        "MAXCPUFIFO=8 && mkdir -p '%s/guest' && cp '%s.ipiq.c' "
        "'%s/guest/ipiq.c'", path, rig_folder, path, rig_folder);

    (void)user;
    (void)system;
    if (rig_image == NULL) {
        rig_shell(line);
        rig_image = image_load(path, error);
    }
    return rig_image;
}

Test(script, every_scenario_of_the_catalogue_loads)
{
    static const char *const files[] = {
        "canary", "dragonfly/fifo_full_mutual",
        "dragonfly/wakeup_holding_spinlock", "dragonfly/cpusync_two_masters",
        "dragonfly/passive_never_flushed", "dragonfly/claimed_mask_deadlock"};
    ScriptHost host = {.image = give_dragonfly};

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_strdup_printf(
            HEDDLE_DATADIR "/scenarios/%s.lua", files[i]);
        g_autoptr(GError) error = NULL;

        script_free(rig_script);
        rig_script = script_load(path, &host, &error);
        cr_assert_not_null(rig_script, "%s", error->message);
        cr_assert_not_null(scenario()->origin);
        cr_assert_geq(scenario()->cases->len, 2);
    }
}

Test(script, the_lost_knock_of_the_house_loads)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = rig_path("knock.lua");
    ScriptHost host = {.image = give_dragonfly};

    rig_write("knock.lua",
              "scenario \"a receiver re-opens its door\"\n"
              "system \"dragonfly\" { cpus = 2 }\n"
              "function cpu0() for _ = 1, 2 do\n"
              "  lwkt_send_ipiq3(gd(1), nop, 0, 0) end end\n"
              "case \"as written\"\n"
              "never (lost_message)\n"
              "case \"without the mfence\"\n"
              "mutant \"no_mfence\"      never (lost_message)\n"
              "case \"and with a plain store for the release\"\n"
              "mutant \"plain_release\"  possible (lost_message)\n"
              "case \"but only on a machine with store buffers\"\n"
              "mutant \"plain_release\"  memory \"sc\"  "
              "never (lost_message)\n");
    rig_script = script_load(path, &host, &error);
    cr_assert_not_null(rig_script, "%s", error->message);
    cr_assert_eq(case_of(4)->memory.model, MEMORY_SC);
    cr_assert_str_eq(g_ptr_array_index(case_of(4)->mutants, 0),
                     "plain_release");
}
