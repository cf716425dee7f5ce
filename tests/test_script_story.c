/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_story, script_memory, script_state: stories as a run sees them.
 */
#include "base/base.h"

#include "script_rig.h"

TestSuite(script_story, .init = rig_open, .fini = rig_close, .timeout = 60);

Test(script_story, a_call_yields_with_its_arguments_and_goes_on_with_a_result)
{
    StoryCall call;

    rig_tell("local o = object 'int'\n"
             "function cpu0()\n"
             "  local x = add(-1, 7)\n"
             "  send(gd(1), nop, o)\n"
             "  add(x + 1, true)\n"
             "end");
    call = rig_expect_call(0, 0, "add");
    cr_assert_eq(call.argument_count, 2);
    cr_assert_eq(call.arguments[0], UINT64_MAX);
    cr_assert_eq(call.arguments[1], 7);
    call = rig_expect_call(0, 41, "send");
    cr_assert_eq(call.argument_count, 3);
    cr_assert_eq(call.arguments[0], rig_symbol("spaces") + 8 + 256 * 0 +
                     image_variable_type(rig_image, "spaces")->target->size);
    cr_assert_eq(call.arguments[1], rig_symbol("nop"));
    cr_assert_eq(call.arguments[2], RIG_OBJECTS);
    call = rig_expect_call(0, 0, "add");
    cr_assert_eq(call.arguments[0], 42);
    cr_assert_eq(call.arguments[1], 1);
    rig_expect_end(0, 0);
    rig_expect_end(0, 0);
    cr_assert_str_eq(rig_told->str, "(0 add(-1, 7))(0 send(gd(1), nop, o))"
                                    "(0 add(42, true))");
}

Test(script_story, a_result_has_the_c_type_of_the_function)
{
    rig_tell("function cpu0()\n"
             "  assert(add(0, 0) == -2)\n"
             "  assert(high() == 0xfffffffe)\n"
             "  assert(low(0) == -2)\n"
             "  assert(is_ready(gd(0)) == false)\n"
             "  assert(find(0) == gd(0) and find(0) ~= gd(1))\n"
             "  assert(find(9) == nil)\n"
             "  assert(select('#', nop()) == 0)\n"
             "end");
    rig_expect_call(0, 0, "add");
    rig_expect_call(0, 0xdeadfffffffe, "high");
    rig_expect_call(0, 0xdeadfffffffe, "low");
    rig_expect_call(0, 0xfffe, "is_ready");
    rig_expect_call(0, 0xff00, "find");
    rig_expect_call(0, rig_symbol("spaces") + 8, "find");
    rig_expect_call(0, rig_symbol("spaces") + 8, "find");
    rig_expect_call(0, 0, "nop");
    rig_expect_end(0, 77);
}

static void
expect_bad_call(const char *call, const char *part)
{
    g_autofree char *text =
        g_strdup_printf("local o = object 'struct other'\n"
                        "function cpu0() %s end", call);

    rig_tell(text);
    rig_expect_trouble(0, 4, part);
}

Test(script_story, a_wrong_call_shows_the_prototype)
{
    expect_bad_call("add(1)", "`add` wants 2 arguments, not 1\n"
                              "  int add(int a, unsigned int b)");
    expect_bad_call("add(1, nil)", "argument 2 of `add`: `unsigned int` wants "
                                   "an integer, not nil");
    expect_bad_call("add(1 << 40, 0)", "1099511627776 does not fit into `int`");
    expect_bad_call("add(0, -1)", "-1 does not fit into `unsigned int`");
    expect_bad_call("add(gd(0), 0)", "not a pointer");
    expect_bad_call("add(nop, 0)", "not a function");
    expect_bad_call("add(1.5, 0)", "wants an integer");
    expect_bad_call("add('1', 0)", "not string");
    expect_bad_call("send(o, nop, 0)", "one to `struct other`");
    expect_bad_call("panic('text')", "not in guest memory");
    expect_bad_call("seven(1, 2, 3, 4, 5, 6, 7)", "at most 6");
    expect_bad_call("log_text()", "wants 1 argument, not 0");
    expect_bad_call("give()", "cannot take what this returns");
    expect_bad_call("adt(1, 2)", "did you mean `add`?");
    expect_bad_call("table.sort({2, 1}, function() nop() end)", "in here");
}

Test(script_story, in_a_story_the_kernels_panic_comes_first)
{
    rig_tell("function cpu0() panic(nil) end");
    rig_expect_call(0, 0, "panic");
    rig_expect_end(0, 0);
    rig_tell("function cpu0() case 'x' end");
    rig_expect_trouble(0, 3, "`case` belongs outside of functions");
}

Test(script_story, words_kept_in_variables_do_not_escape_their_place)
{
    rig_tell("local c, m = case, nil\n"
             "function cpu0() c 'x' end\n"
             "function cpu1() m = mark  m 'y' end");
    rig_expect_trouble(0, 4, "does not belong here");
    rig_expect_end(1, 0);
    cr_assert_str_eq(rig_told->str, "[1 y]");
}

Test(script_story, a_mark_lets_those_who_await_it_go_on)
{
    StoryCall call;
    uint64_t marks;

    rig_tell("function cpu0() await 'x' nop() await 'x' await 'y' end\n"
             "function cpu1() nop() mark 'x' nop() mark 'y' end");
    marks = rig_stories.marks(rig_stories.user);
    cr_assert_null(rig_stories.awaited(rig_stories.user, 0));
    cr_assert_eq(rig_next(0, 0, &call), STORY_WAIT);
    cr_assert_eq(rig_next(0, 0, &call), STORY_WAIT);
    cr_assert_str_eq(rig_stories.awaited(rig_stories.user, 0), "x");
    rig_expect_call(1, 0, "nop");
    cr_assert_eq(rig_stories.marks(rig_stories.user), marks);
    rig_expect_call(1, 0, "nop");
    cr_assert_eq(rig_stories.marks(rig_stories.user), marks + 1);
    rig_expect_call(0, 0, "nop");
    cr_assert_null(rig_stories.awaited(rig_stories.user, 0));
    cr_assert_eq(rig_next(0, 0, &call), STORY_WAIT);
    cr_assert_str_eq(rig_stories.awaited(rig_stories.user, 0), "y");
    rig_expect_end(1, 0);
    rig_expect_end(0, 0);

    /* A mark is of one run. */
    rig_stories.begin(rig_stories.user);
    cr_assert_eq(rig_next(0, 0, &call), STORY_WAIT);
}

Test(script_story, choices_are_the_runs)
{
    rig_tell("function cpu0()\n"
             "  assert(choose(1) == 1 and choose(6) == 6)\n"
             "end\n"
             "function cpu1() choose(0) end");
    rig_expect_end(0, 0);
    rig_expect_trouble(1, 6, "choose(n)");
}

Test(script_story, a_cpu_without_a_story_has_ended)
{
    rig_tell("function cpu1() end");
    rig_expect_end(0, 0);
    rig_expect_end(1, 0);
}

Test(script_story, cases_have_the_stories_defined_until_then)
{
    rig_must_load(RIG_HEAD "function cpu0() mark 'shared' end\n"
                           "function cpu1() mark 'one' end\n"
                           "case 'a' possible (stuck)\n"
                           "function cpu0() mark 'own' end\n"
                           "case 'b' possible (stuck)");
    rig_bind(1);
    rig_expect_end(0, 0);
    rig_expect_end(1, 0);
    cr_assert_str_eq(rig_told->str, "[0 own][1 one]");
    rig_bind(2);
    rig_expect_end(0, 0);
    rig_expect_end(1, 0);
    cr_assert_str_eq(rig_told->str, "[0 shared][1 one]");
}

Test(script_story, an_endless_story_is_an_error)
{
    rig_tell("function cpu0() while true do end end\n"
             "function cpu1() nop() error 'late' end");
    rig_expect_trouble(0, 3, "an endless loop?");
    rig_expect_call(1, 0, "nop");
    rig_expect_trouble(1, 4, "late");
    rig_expect_end(1, 0);
    rig_stories.begin(rig_stories.user);
    rig_expect_call(1, 0, "nop");
}

/* --- Memory --------------------------------------------------------------- */

Test(script_story, variables_are_read_and_written_by_their_type)
{
    rig_tell("function cpu0()\n"
             "  assert(debug_level == 3)\n"
             "  debug_level = -5\n"
             "  byte_wide = 255\n"
             "  total = total + 1\n"
             "  stats_percpu[2].full = 7\n"
             "  assert(stats_percpu[2].full + stats_percpu[3].count == 7)\n"
             "  pointer = stats_percpu\n"
             "  assert(pointer == stats_percpu)\n"
             "  pointer = nil\n"
             "  assert(pointer == nil)\n"
             "end");
    rig_poke(rig_symbol("debug_level"), 3, 4);
    rig_poke(rig_symbol("total"), 41, 8);
    rig_expect_end(0, 0);
    cr_assert_eq(rig_peek(rig_symbol("debug_level"), 4), 0xfffffffb);
    cr_assert_eq(rig_peek(rig_symbol("byte_wide"), 1), 255);
    cr_assert_eq(rig_peek(rig_symbol("total"), 8), 42);
    cr_assert_eq(rig_peek(rig_symbol("stats_percpu") + 40, 8), 7);
}

Test(script_story, structures_pointers_and_bit_fields_are_followed)
{
    gva_t gd = 0;

    rig_tell("function cpu0()\n"
             "  local me = gd(0)\n"
             "  assert(me.cpuid == -7 and me.low == 5 and me.high == 17)\n"
             "  assert(me.signed_bits == -3 and me.tiny == -1)\n"
             "  assert(me.ready == true and me.curthread == nil)\n"
             "  assert(me.hook == nop and me.colour == 5)\n"
             "  me.high = 30  me.signed_bits = -8\n"
             "  assert(me.low == 5 and me.high == 30)\n"
             "  assert(me.signed_bits == -8)\n"
             "  me.peer = gd(1)  me.peer.numbers[3] = 9\n"
             "  assert(gd(1).numbers[3] == 9)\n"
             "  me.hook = send  assert(me.hook == send)\n"
             "  me.ipiq = gd(1).sync  me.ipiq[0].windex = 4\n"
             "  assert(gd(1).sync.windex == 4)\n"
             "  me.ipiq.slots[2].func = nop\n"
             "  assert(gd(1).sync.slots[2].func == nop)\n"
             "  me.ready = false\n"
             "end");
    gd = rig_symbol("spaces") + 8;
    rig_poke(gd + 8, (uint32_t)-7, 4);
    rig_poke(gd + 12, 5 | 17 << 3, 1);
    rig_poke(gd + 13, 0x0d, 1); /* -3 in four bits */
    /* DWARF says where the rest lies. */
    {
        const ImageType *type =
            image_type_named(rig_image, "struct globaldata");
        ImageMember member;

        cr_assert(image_types_member(type, "signed_bits", &member));
        rig_poke(gd + 13, 0, 1);
        rig_poke(gd + member.offset + member.bit_offset / 8,
                 rig_peek(gd + member.offset + member.bit_offset / 8, 1) |
                     (uint64_t)0xd << member.bit_offset % 8, 1);
        cr_assert(image_types_member(type, "tiny", &member));
        rig_poke(gd + member.offset, 0xff, 1);
        cr_assert(image_types_member(type, "ready", &member));
        rig_poke(gd + member.offset, 1, 1);
        cr_assert(image_types_member(type, "hook", &member));
        rig_poke(gd + member.offset, rig_symbol("nop"), 8);
        cr_assert(image_types_member(type, "colour", &member));
        rig_poke(gd + member.offset, 5, 4);
    }
    rig_expect_end(0, 0);
}

Test(script_story, objects_are_memory_too)
{
    rig_tell("local n, cs = object 'int', object 'struct thread'\n"
             "function cpu0()\n"
             "  n[0] = n[0] + 1\n"
             "  cs.critcount = 3\n"
             "  cs.stack = n\n"
             "  assert(cs.stack == n)\n"
             "end");
    rig_poke(RIG_OBJECTS, 8, 4);
    rig_expect_end(0, 0);
    cr_assert_eq(rig_peek(RIG_OBJECTS, 4), 9);
    cr_assert_eq(rig_peek(RIG_OBJECTS + 256, 4), 3);
    cr_assert_eq(rig_peek(RIG_OBJECTS + 264, 8), RIG_OBJECTS);
}

static void
expect_bad_access(const char *statement, const char *part)
{
    g_autofree char *text =
        g_strdup_printf("local o = object 'int'\nfunction cpu0() %s end",
                        statement);

    rig_tell(text);
    rig_expect_trouble(0, 4, part);
}

Test(script_story, wrong_accesses_are_errors)
{
    expect_bad_access("byte_wide = 256", "does not fit into `unsigned char`");
    expect_bad_access("gd(0).high = 32", "32 does not fit");
    expect_bad_access("gd(0).ready = 2", "true or false");
    expect_bad_access("local x = gd(0).gone", "has no field `gone`");
    expect_bad_access("local x = gd(0).numbers[4]", "index 4 is outside");
    expect_bad_access("local x = o[1]", "index 1 is outside");
    expect_bad_access("local x = gd(0).ratio", "floating point");
    expect_bad_access("gd(0).sync = 3", "cannot give a `struct queue`");
    expect_bad_access("pointer = 0x900000000 local x = pointer[0]",
                      "no memory at 0x900000000");
    expect_bad_access("pointer = nop  pointer[0] = 1", "is code of the guest");
    expect_bad_access("nop = 3", "`nop` is a function");
    expect_bad_access("nothing = 3", "write local nothing");
    expect_bad_access("cpu0 = nil", "cannot change during a run");
    expect_bad_access("local x = nop.y", "no fields");
    expect_bad_access("gd(0).peer = o gd(0).peer = gd(0).sync",
                      "wants another pointer");
}

Test(script_story, conditions_look_at_memory_and_do_not_touch_it)
{
    g_autoptr(GError) error = NULL;
    bool value = false;

    rig_must_load(RIG_HEAD
                  "local seen = 0\n"
                  "function cpu0() seen = add(1, 2) end\n"
                  "case 'x'\n"
                  "possible (function() return seen == 9 and total == 4 end)\n"
                  "possible (function() total = 1 end)\n"
                  "possible (function() nop() end)\n");
    rig_bind(1);
    rig_poke(rig_symbol("total"), 4, 8);
    cr_assert(script_eval_memory(rig_script, 0, &value, &error));
    cr_assert_not(value);
    rig_expect_call(0, 0, "add");
    rig_expect_end(0, 9);
    cr_assert(script_eval_memory(rig_script, 0, &value, &error));
    cr_assert(value);
    cr_assert_not(script_eval_memory(rig_script, 1, &value, &error));
    rig_check_error(error, 7, "not change it");
    g_clear_error(&error);
    cr_assert_not(script_eval_memory(rig_script, 2, &value, &error));
    rig_check_error(error, 8, "only the story of a cpu");
}

/* --- A fresh start -------------------------------------------------------- */

Test(script_story, a_run_never_sees_the_run_before)
{
    rig_tell("local count, list, shared = 0, { 1, 2, x = { y = 1 } }, nil\n"
             "local step = pairs { 'a', 'b' }\n"
             "local function bump() count = count + 1 return count end\n"
             "function cpu0()\n"
             "  assert(bump() == 1 and shared == nil and step() == 1)\n"
             "  assert(#list == 2 and list.x.y == 1 and list.z == nil)\n"
             "  list[3] = 3  list.x.y = 2  list.z = {}  list[1] = nil\n"
             "  list.x = nil  shared = list\n"
             "  nop()\n"
             "  count = 100\n"
             "end\n"
             "function cpu1() assert(count == 1 and shared ~= nil) end");
    for (unsigned run = 0; run < 5; run++) {
        rig_stories.begin(rig_stories.user);
        rig_expect_call(0, 0, "nop");
        rig_expect_end(1, 0);
        if (run % 2 == 0)
            rig_expect_end(0, 0);
    }
}

Test(script_story, a_case_does_not_see_the_case_before)
{
    rig_must_load(RIG_HEAD "local count = 0\n"
                           "function cpu0() count = count + 1\n"
                           "  assert(count == 1) nop() end\n"
                           "case 'a' possible (stuck)\n"
                           "case 'b' possible (stuck)");
    for (unsigned number = 1; number <= 2; number++) {
        rig_bind(number);
        rig_expect_call(0, 0, "nop");
    }
    rig_bind(1);
    rig_expect_call(0, 0, "nop");
}

Test(script_story, ten_thousand_runs_do_not_grow)
{
    StoryCall call;

    rig_tell("local o = object 'int'\n"
             "function cpu0()\n"
             "  for _ = 1, 9 do send(gd(1), nop, o) end mark 'x'\n"
             "end\n"
             "function cpu1() await 'x' nop() end");
    rig_run.called = NULL;
    rig_run.marked = NULL;
    script_bind(rig_script, &rig_run);
    for (unsigned run = 0; run < 10000; run++) {
        rig_stories.begin(rig_stories.user);
        cr_assert_eq(rig_next(1, 0, &call), STORY_WAIT);
        while (rig_next(0, 0, &call) == STORY_CALL)
            ;
        cr_assert_eq(rig_next(1, 0, &call), STORY_CALL);
    }
}

/* --- schedule() ----------------------------------------------------------- */

static bool
direct(Director *director, bool done, DirectorCommand *command)
{
    g_autoptr(GError) error = NULL;

    cr_assert(director->next(director->user, done, command, &error), "%s",
              error == NULL ? "" : error->message);
    return command->kind != DIRECTOR_END;
}

Test(script_story, a_schedule_commands_step_by_step)
{
    DirectorCommand command;
    Director director;
    gpa_t total;

    rig_tell("function cpu0() end\n"
             "function schedule()\n"
             "  step(0)  step(1, 5)\n"
             "  assert(run_to(0, send, 'f(arg);') == true)\n"
             "  assert(run_to(1, leave(nop)) == false)\n"
             "  run(0)  hold(1)  release(1)  hold_ipi(0)  release_ipi(0)\n"
             "  while deliver_ipi(1) do end\n"
             "  drop_ipi(0)  free_run(choose(9))\n"
             "  total = 12\n"
             "end");
    cr_assert(rig_run.item->has_schedule);
    director = script_director(rig_script);
    for (unsigned run = 0; run < 2; run++) {
        director.begin(director.user);
        cr_assert(direct(&director, false, &command));
        cr_assert_eq(command.kind, DIRECTOR_STEP);
        cr_assert_eq(command.cpu, 0);
        cr_assert_eq(command.count, 1);
        cr_assert_eq(command.line, 5);
        direct(&director, true, &command);
        cr_assert_eq(command.count, 5);
        direct(&director, true, &command);
        cr_assert_eq(command.kind, DIRECTOR_RUN_TO);
        cr_assert_str_eq(command.point->function, "send");
        cr_assert_str_eq(command.point->quote, "f(arg);");
        direct(&director, true, &command);
        cr_assert_eq(command.point->kind, POINT_LEAVE);
        for (int kind = DIRECTOR_RUN_HELD; kind <= DIRECTOR_IPI_RELEASE;
             kind++) {
            direct(&director, false, &command);
            cr_assert_eq((int)command.kind, kind);
        }
        for (unsigned i = 0; i < 3; i++) {
            direct(&director, true, &command);
            cr_assert_eq(command.kind, DIRECTOR_IPI_DELIVER);
            cr_assert_eq(command.cpu, 1);
        }
        direct(&director, false, &command);
        cr_assert_eq(command.kind, DIRECTOR_IPI_DROP);
        direct(&director, true, &command);
        cr_assert_eq(command.kind, DIRECTOR_FREE);
        cr_assert_eq(command.count, 9);
        direct(&director, true, &command);
        cr_assert_eq(command.kind, DIRECTOR_WRITE);
        cr_assert(image_physical(rig_image, rig_symbol("total"), &total));
        cr_assert_eq(command.physical, total);
        cr_assert_eq(command.count, 8);
        cr_assert_eq(command.value, 12);
        cr_assert_not(direct(&director, true, &command));
        cr_assert_not(direct(&director, true, &command));
    }
}

Test(script_story, without_a_schedule_the_director_ends_at_once)
{
    DirectorCommand command;
    Director director;

    rig_tell("function cpu0() end");
    cr_assert_not(rig_run.item->has_schedule);
    director = script_director(rig_script);
    director.begin(director.user);
    cr_assert_not(direct(&director, false, &command));
}

Test(script_story, a_schedule_does_not_call_the_guest)
{
    g_autoptr(GError) error = NULL;
    DirectorCommand command;
    Director director;

    rig_tell("function schedule() nop() end");
    director = script_director(rig_script);
    director.begin(director.user);
    cr_assert_not(director.next(director.user, false, &command, &error));
    rig_check_error(error, 3, "only the story of a cpu");
    g_clear_error(&error);
    cr_assert(director.next(director.user, false, &command, &error));
    cr_assert_eq(command.kind, DIRECTOR_END);
}
