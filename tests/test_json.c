/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <criterion/criterion.h>
#include <signal.h>

#include "report/json.h"

static void
is_line(Json *json, const char *wanted)
{
    g_autofree char *line = json_finish(json);

    cr_assert_str_eq(line, wanted);
}

Test(json, members_keep_their_order)
{
    Json *json = json_new("run");

    json_u64(json, "seed", UINT64_MAX);
    json_i64(json, "delta", -3);
    json_bool(json, "holds", true);
    json_bool(json, "expected", false);
    json_text(json, "trace", NULL);
    is_line(json, "{\"kind\":\"run\",\"seed\":18446744073709551615,"
                  "\"delta\":-3,\"holds\":true,\"expected\":false,"
                  "\"trace\":null}");
}

Test(json, a_digest_is_a_string_of_sixteen_digits)
{
    Json *json = json_new("run");

    json_digest(json, "digest", UINT64_C(0x1f03aa77d2e401));
    is_line(json, "{\"kind\":\"run\",\"digest\":\"001f03aa77d2e401\"}");
}

Test(json, strings_are_escaped_and_stay_on_one_line)
{
    Json *json = json_new("x");

    json_text(json, "text", "a \"b\" \\ c\n\td\001\177/");
    is_line(json, "{\"kind\":\"x\",\"text\":"
                  "\"a \\\"b\\\" \\\\ c\\n\\td\\u0001\\u007f/\"}");
}

Test(json, strings_are_valid_utf8_whatever_comes)
{
    g_autofree char *line = NULL;
    Json *json = json_new("x");

    json_text(json, "good", "h\xc3\xa9");
    json_text(json, "bad", "a\xff\xc3" "b");
    line = json_finish(json);
    cr_assert(g_utf8_validate(line, -1, NULL));
    cr_assert_not_null(strstr(line, "h\xc3\xa9"));
}

Test(json, lists_and_objects_nest)
{
    Json *json = json_new("litmus");

    json_open_list(json, "states");
    for (unsigned i = 0; i < 2; i++) {
        json_open_object(json, NULL);
        json_u64(json, "0:rax", i);
        json_close(json);
    }
    json_text(json, NULL, "end");
    json_close(json);
    json_open_list(json, "none");
    json_close(json);
    json_bool(json, "complete", true);
    is_line(json, "{\"kind\":\"litmus\",\"states\":[{\"0:rax\":0},"
                  "{\"0:rax\":1},\"end\"],\"none\":[],\"complete\":true}");
}

Test(json, what_is_open_must_be_closed, .signal = SIGABRT)
{
    Json *json = json_new("x");

    json_open_list(json, "list");
    g_free(json_finish(json));
}

Test(json, a_member_of_an_object_has_a_name, .signal = SIGABRT)
{
    json_u64(json_new("x"), NULL, 1);
}
