/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <criterion/criterion.h>

#include "base/prng.h"
#include "guest/gmem.h"
#include "litmus/litmus.h"
#include "litmus/litmus_assemble.h"
#include "litmus/litmus_condition.h"

#define DATA (WINDOW_KERNEL + LITMUS_DATA_AT)
#define CODE (WINDOW_KERNEL + LITMUS_CODE_AT)

static const char sb[] =
    "X86_64 SB\n"
    "\"each looks before the other's store (* is out\"\n"
    "Com=Fr Fr\n"
    "Expect=sc:Never tso:Sometimes\n"
    "{ uint64_t x; uint64_t y; (* a (* nested *)\n"
    " comment *) 0:rax=7; 1:rdi=x; }\n"
    " P0            | P1            ;\n"
    " MOVQ $1,(x)   | movq $1,(y)   ;\n"
    " movq (y),%RAX |               ;\n"
    "               | L0: movq (x),%rax ;\n"
    "               | jne L0        ;\n"
    "exists (0:rax=0 /\\ 1:rax=0)\n";

/* A test around rows for two threads. */
static char *
around(const char *init, const char *rows, const char *end)
{
    return g_strdup_printf("X86_64 T\n{%s}\n P0 | P1 ;\n%s\n%s\n", init, rows,
                           end);
}

static Litmus *
parse(const char *text)
{
    GError *error = NULL;
    Litmus *litmus = litmus_parse(text, "t", &error);

    cr_assert_null(error, "%s", error != NULL ? error->message : "");
    cr_assert_not_null(litmus);
    return litmus;
}

static void
is_refused(const char *text, const char *wanted)
{
    GError *error = NULL;
    Litmus *litmus = litmus_parse(text, "t", &error);

    cr_assert_null(litmus, "not refused: %s", text);
    cr_assert_str_eq(error->message, wanted);
    cr_assert(error->domain == LITMUS_ERROR);
    g_error_free(error);
}

static void
is_refused_around(const char *init, const char *rows, const char *end,
                  const char *wanted)
{
    g_autofree char *text = around(init, rows, end);

    is_refused(text, wanted);
}

static const LitmusLine *
line_of(const Litmus *litmus, unsigned thread, unsigned number)
{
    cr_assert_lt(number, litmus->threads[thread].lines->len);
    return litmus->threads[thread].lines->pdata[number];
}

Test(litmus, a_test_is_read_with_its_columns_and_lines)
{
    g_autoptr(Litmus) litmus = parse(sb);

    cr_assert_str_eq(litmus->name, "SB");
    cr_assert_eq(litmus->documents->len, 1);
    cr_assert_eq(litmus->metadata->len, 2);
    cr_assert_eq(litmus->thread_count, 2);
    cr_assert_eq(litmus->threads[0].lines->len, 2);
    cr_assert_eq(litmus->threads[1].lines->len, 4);
    cr_assert_str_eq(line_of(litmus, 0, 1)->text, "movq (y),%RAX");
    cr_assert_eq(line_of(litmus, 0, 1)->line, 9);
    cr_assert_str_eq(line_of(litmus, 1, 1)->text, "L0:");
    cr_assert_eq(line_of(litmus, 1, 1)->line, 10);
    cr_assert_eq(litmus->threads[0].registers[0], 7);
    cr_assert_eq(litmus->threads[0].registers_set, 1u << 0);
    cr_assert_eq(litmus->threads[1].registers[7], DATA);
    cr_assert_eq(litmus->threads[1].register_points_to[7], 0);
    cr_assert_eq(litmus->condition->quantifier, LITMUS_EXISTS);
}

Test(litmus, initial_values_have_types_and_may_be_addresses)
{
    g_autofree char *text = around(
        "int8_t b=-1; x=0x10; int y; y=3; uint64_t t[9]={1,2,3,4,5,6,7,8,9};"
        "uint64_t *p=&t[1]; q=late; uint8_t 1:%rbx; 1:r9d=-1",
        "| ;", "locations [t; b; 1:rbx;] exists (1:bl=1)");
    g_autoptr(Litmus) litmus = parse(text);
    const LitmusLocation *b = litmus->locations->pdata[0];
    const LitmusLocation *x = litmus->locations->pdata[1];
    const LitmusLocation *y = litmus->locations->pdata[2];
    const LitmusLocation *t = litmus->locations->pdata[3];
    const LitmusLocation *p = litmus->locations->pdata[4];
    const LitmusItem *first = litmus->observed->pdata[0];

    cr_assert_eq(b->size, 1);
    cr_assert_eq(b->initial, 0xff);
    cr_assert_eq(x->size, 8);
    cr_assert_eq(x->initial, 16);
    cr_assert_eq(y->size, 4);
    cr_assert_eq(y->initial, 3);
    cr_assert_eq(t->elements, 9);
    cr_assert_eq(t->values[8], 9);
    cr_assert_eq(p->points_to, 3);
    cr_assert_eq(p->initial, DATA + 3 * 64 + 8);
    cr_assert_eq(litmus_location_address(litmus, 4), DATA + 5 * 64);
    cr_assert_eq(litmus_lookup_location(litmus, "late"), 6);
    cr_assert_eq(litmus_data_bytes(litmus), 8 * 64);
    cr_assert_eq(litmus->threads[1].registers[9], UINT32_MAX);
    cr_assert_str_eq(first->name, "1:bl");
    cr_assert_not(first->is_signed);
    cr_assert_eq(litmus->observed->len, 2 + 1 + 9);
    cr_assert_eq(((LitmusItem *)litmus->observed->pdata[1])->size, 1);
}

Test(litmus, a_location_that_only_the_code_names_exists)
{
    g_autofree char *text =
        around("", " movl $1,(x) | movl x,%eax ;", "forall [x]=1");
    g_autoptr(Litmus) litmus = parse(text);

    cr_assert_eq(litmus->locations->len, 1);
    cr_assert_eq(litmus->condition->quantifier, LITMUS_FORALL);
}

Test(litmus, no_condition_asks_nothing)
{
    g_autofree char *text = around("", "nop | NOP ;", "");
    g_autoptr(Litmus) litmus = parse(text);
    g_autofree char *printed =
        litmus_condition_print(litmus->condition, litmus);

    cr_assert_str_eq(printed, "forall (true)");
    cr_assert_eq(litmus->observed->len, 0);
}

Test(litmus, what_is_no_test_is_refused_with_its_line)
{
    is_refused("", "t:1: the file is empty");
    is_refused("AArch64 MP\n{}\n P0;\n", "t:1: architecture 'AArch64' is not "
                                         "supported, only X86_64 is");
    is_refused("\n\nX86_64 \n", "t:3: the test has no name");
    is_refused("X86_64 T\nwhat\n{}\n", "t:2: expected \"text\", Key=value or "
                                       "'{'");
    is_refused("X86_64 T\n", "t:2: there are no initial values: { ... }");
    is_refused("X86_64 T\n{}\n", "t:3: there is no code: P0 | P1 ; ...");
    is_refused("X86_64 T\n(* no\n end", "t:2: this comment has no end");
    is_refused("X86_64 T\n{}\nP0 | P2 ;\n",
               "t:3: expected the heading P1 of a column");
    is_refused("X86_64 T\n{ 0:xmm0=1; }\nP0 ;\n",
               "t:2: expected a general register before 'xmm0'");
    is_refused("X86_64 T\n{ 1:rax=1; }\nP0 ;\n", "t:2: there is no thread 1");
    is_refused("X86_64 T\n{ float x; }\nP0 ;\n",
               "t:2: 'float' is not a type that is known here");
    is_refused("X86_64 T\n{ int8_t x=256; }\nP0 ;\n",
               "t:2: the value does not fit 1 byte");
    is_refused("X86_64 T\n{ int p=x; }\nP0 ;\n",
               "t:2: the address of x needs 8 bytes, not 4");
}

Test(litmus, what_is_no_row_is_refused_with_its_line)
{
    is_refused_around("", "nop ;", "",
                      "t:4: this row has 1 cell, but there are 2 threads");
    is_refused_around("", "nop | nop | nop ;", "",
                      "t:4: this row has 3 cells, but there are 2 threads");
    is_refused_around("", "nop | nop", "", "t:4: this row has no ';'");
    is_refused_around("", "| jmp L1 ;", "", "t:4: thread 1 has no label 'L1'");
    is_refused_around("", "L: nop | ; L: nop | ;", "",
                      "t:4: thread 0 has two labels 'L'");
    is_refused_around("", "movq y,%rax | ;", "",
                      "t:4: 'y' is no location, register or label");
    is_refused_around("x=0", "movq x(%RIP),%rax | ;", "",
                      "t:4: a location is not addressed by %rip: write (x)");
    is_refused_around("", "lock | ;", "",
                      "t:4: 'lock' has no instruction behind it");
}

Test(litmus, only_plain_instructions_pass)
{
    static const char bad[] = ".\"\\#{}='@!/<>[]&^~`?";

    for (const char *at = bad; *at != '\0'; at++) {
        g_autofree char *rows = g_strdup_printf("nop %c1 | ;", *at);
        g_autofree char *wanted = g_strdup_printf(
            "t:4: '%c' has no place in an instruction", *at);

        is_refused_around("", rows, "", wanted);
    }
    is_refused_around("", "nop\nnop | ;", "",
                      "t:4: byte 0x0a has no place in an instruction: is a "
                      "';' missing?");
    is_refused_around("", "%rax | ;", "",
                      "t:4: an instruction does not begin with '%'");
    is_refused_around("", "nop a: b | ;", "",
                      "t:4: ':' has no place behind 'nop'");
}

Test(litmus, what_is_no_question_is_refused_with_its_line)
{
    is_refused_around("x=1", "| ;", "exists (y=1)",
                      "t:5: there is no location 'y' in this test");
    is_refused_around("x=1", "| ;", "exists (2:rax=1)",
                      "t:5: there is no thread 2");
    is_refused_around("x=1", "| ;", "exists (x=1",
                      "t:6: expected ')' before the end");
    is_refused_around("x=1", "| ;", "exists (x=1)\nfoo",
                      "t:6: expected the end of the file before 'foo'");
    is_refused_around("int t[2]", "| ;", "exists (t=1)",
                      "t:5: t is an array: name an element of it");
    is_refused_around("int t[2]", "| ;", "exists (t[2]=1)",
                      "t:5: t has 2 elements");
    is_refused_around("x=1", "| ;", "exists (x=18446744073709551616)",
                      "t:5: expected a location or a register, not a number "
                      "beyond 64 bits, an endless name or a strange byte");
}

Test(litmus, expect_says_what_is_expected_of_a_model)
{
    g_autoptr(Litmus) litmus = parse(sb);
    const char *word;

    cr_assert(litmus_expected(litmus, "tso", &word));
    cr_assert_str_eq(word, "Sometimes");
    cr_assert(litmus_expected(litmus, "sc,depth=4", &word));
    cr_assert_str_eq(word, "Never");
    cr_assert_not(litmus_expected(litmus, "weak", &word));
    is_refused("X86_64 T\nExpect=tso\n{}\nP0;\n",
               "t:2: Expect: MODEL:WORD is expected, not 'tso'");
    is_refused("X86_64 T\nExpect=tos:Never\n{}\nP0;\n",
               "t:2: Expect: there is no memory model 'tos'");
    is_refused("X86_64 T\nExpect=tso:never\n{}\nP0;\n",
               "t:2: Expect: Never, Sometimes or Always is expected, not "
               "'never'");
    is_refused("X86_64 T\nExpect=tso:Never tso:Always\n{}\nP0;\n",
               "t:2: Expect: tso is there twice");
}

Test(litmus, columns_become_code_on_pages_of_their_own)
{
    static const uint8_t tail[] = {0xf3, 0x90}; /* pause */
    g_autoptr(Litmus) litmus = parse(sb);
    GError *error = NULL;
    g_autoptr(LitmusCode) code = litmus_assemble(litmus, &error);

    cr_assert_null(error, "%s", error != NULL ? error->message : "");
    cr_assert_eq(code->entry[0], CODE);
    cr_assert_eq(code->entry[1], CODE + 4096);
    for (unsigned i = 0; i < 2; i++) {
        const uint8_t *end = code->bytes + (code->end[i] - CODE);

        cr_assert_arr_eq(end, tail, sizeof(tail));
        cr_assert_eq(end[2], 0xeb);
        cr_assert_eq(code->end[i] + 4 + (uint64_t)(int8_t)end[3],
                     code->entry[i]);
    }
    cr_assert_eq(code->registers_written[0], 1u << 0);
    litmus_observe_all(litmus, code->registers_written);
    cr_assert_eq(litmus->observed->len, 4);
}

/* The code of one instruction, as hexadecimal digits. */
static char *
assemble(const char *init, const char *cell)
{
    g_autofree char *text =
        g_strdup_printf("X86_64 T\n{%s}\n P0 ;\n %s ;\n", init, cell);
    g_autoptr(Litmus) litmus = parse(text);
    GError *error = NULL;
    g_autoptr(LitmusCode) code = litmus_assemble(litmus, &error);
    GString *digits = g_string_new(NULL);

    if (code == NULL) {
        g_string_append(digits, error->message);
        g_error_free(error);
        return g_string_free(digits, FALSE);
    }
    for (gva_t at = code->entry[0]; at < code->end[0]; at++)
        g_string_append_printf(digits, "%02x", code->bytes[at - CODE]);
    return g_string_free(digits, FALSE);
}

static void
assembles_to(const char *init, const char *cell, const char *wanted)
{
    g_autofree char *digits = assemble(init, cell);

    cr_assert_str_eq(digits, wanted, "%s: %s, not %s", cell, digits, wanted);
}

Test(litmus, instructions_are_written_as_herd_allows)
{
    assembles_to("", "MOVQ %RAX,(x)", "4889042500002080");
    assembles_to("", "movl $1, ( x )", "c704250000208001000000");
    assembles_to("", "movl 4(x),%ecx", "8b0c2504002080");
    assembles_to("x=0", "movl x,ebx", "8b1c2500002080");
    assembles_to("x=0", "movq $x,%rax", "48c7c000002080");
    assembles_to("rcx=0", "movq (rcx),%rax", "488b042500002080");
    assembles_to("", "lock cmpxchgq %rbx,(x)", "f0480fb11c2500002080");
    assembles_to("", "xchgb %al,(y)", "86042500002080");
    assembles_to("", "mfence", "0faef0");
    assembles_to("", "L0: jmp L0", "ebfe");
    assembles_to("", "shl 2,%eax", "c1e002");
    assembles_to("", "addl -1, (x)", "83042500002080ff");
    assembles_to("", "movl $0,0x10(%rbx,%rcx,8)", "c744cb1000000000");
    assembles_to("", "ret ; nop", "eb0190");
    assembles_to("0:rsp=8", "ret", "c3");
    assembles_to("mov=1", "mov: movq mov,%rax", "488b042500002080");
}

Test(litmus, what_as_refuses_is_told_with_its_line)
{
    assembles_to("", "nop ; frob (x)",
                 "t:4: no such instruction: `frob x'");
    assembles_to("x=0", "jmp (x)",
                 "t: an instruction would need a linker: is there a jump to a "
                 "location?");
}

/* Whatever the bytes are, there is a test or an error that says where. */
static void
survives(const char *text)
{
    GError *error = NULL;
    g_autoptr(Litmus) litmus = litmus_parse(text, "t", &error);

    cr_assert((litmus == NULL) == (error != NULL));
    if (litmus == NULL)
        cr_assert(g_str_has_prefix(error->message, "t:"), "%s",
                  error->message);
    g_clear_error(&error);
}

Test(litmus, truncated_tests_do_not_crash)
{
    for (size_t length = 0; length < sizeof(sb); length++) {
        g_autofree char *text = g_strndup(sb, length);

        survives(text);
    }
}

Test(litmus, mutated_tests_do_not_crash)
{
    static const char spice[] = "(){}[];|:=*/\\~\"%$&,-0x9P \n";
    Prng prng;

    prng_init(&prng, 3);
    for (unsigned i = 0; i < 20000; i++) {
        g_autofree char *text = g_strdup(sb);

        for (uint64_t k = prng_below(&prng, 6); k < 7; k++) {
            size_t at = prng_below(&prng, sizeof(sb) - 1);

            switch (prng_below(&prng, 3)) {
            case 0:
                text[at] = spice[prng_below(&prng, sizeof(spice) - 1)];
                break;
            case 1:
                text[at] = (char)(1 + prng_below(&prng, 255));
                break;
            default:
                memmove(text + at, text + prng_below(&prng, sizeof(sb) - 1),
                        1);
                break;
            }
        }
        survives(text);
    }
}

Test(litmus, random_bytes_do_not_crash)
{
    Prng prng;

    prng_init(&prng, 4);
    for (unsigned i = 0; i < 5000; i++) {
        char text[200] = "X86_64 T\n{";
        size_t length = 10 + prng_below(&prng, 180);

        for (size_t k = prng_chance(&prng, 1, 2) ? 10 : 0; k < length; k++)
            text[k] = (char)(1 + prng_below(&prng, 127));
        survives(text);
    }
}

Test(litmus, depth_is_limited)
{
    g_autoptr(GString) deep = g_string_new("exists ");
    g_autofree char *text = NULL;

    for (unsigned i = 0; i < 100000; i++)
        g_string_append(deep, i % 2 == 0 ? "(" : "not ");
    text = around("", "| ;", deep->str);
    is_refused(text, "t:5: nested deeper than 200");
}
