/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <criterion/criterion.h>

#include "parts/code.h"

static Gmem memory;
static Code code;

static void
make(void)
{
    gmem_init(&memory, 1);
    code_init(&code, &memory);
}

static void
drop(void)
{
    code_clear(&code);
    gmem_clear(&memory);
}

TestSuite(code, .init = make, .fini = drop);

static void
put(gpa_t at, const char *bytes, size_t size)
{
    memcpy(memory.bytes + at, bytes, size);
}

static bool
is_code(gpa_t at)
{
    return (memory.line_flags[at >> LINE_BITS] & GMEM_CODE) != 0;
}

Test(code, one_decoding_serves_all_windows)
{
    const Insn *insn;

    put(0x1000, "\x0f\xa2", 2); /* cpuid */
    insn = code_at(&code, INSN_MODE_64, WINDOW_KERNEL + 0x1000);
    cr_expect(insn->flags & INSN_CPUID);
    cr_expect_eq(insn->length, 2);
    cr_expect_eq(code_at(&code, INSN_MODE_64, 0x1000), insn);
    cr_expect_eq(code_at(&code, INSN_MODE_64, WINDOW_DIRECT + 0x1000), insn);
}

Test(code, modes_are_kept_apart)
{
    put(0x1000, "\x48\x89\xc3", 3); /* mov rbx,rax; dec eax */
    cr_expect_eq(code_at(&code, INSN_MODE_64, 0x1000)->length, 3);
    cr_expect_eq(code_at(&code, INSN_MODE_32, 0x1000)->length, 1);
    cr_expect_eq(code_at(&code, INSN_MODE_16, 0x1000)->length, 1);
}

Test(code, forgotten_bytes_are_decoded_anew_also_from_before_them)
{
    put(0x1000, "\xb8\x01\x02\x03\x04\xc3", 6); /* mov eax, imm32; ret */
    cr_expect_eq(code_at(&code, INSN_MODE_64, 0x1000)->length, 5);
    put(0x1000, "\x90", 1);
    cr_expect_eq(code_at(&code, INSN_MODE_64, 0x1000)->length, 5);
    code_forget(&code, 0x1004, 1);
    cr_expect_eq(code_at(&code, INSN_MODE_64, 0x1000)->length, 1);
}

Test(code, an_instruction_across_pages_is_forgotten_from_its_second)
{
    put(0x1ffe, "\xb8\x01\x02\x03\x04\xc3", 6);
    cr_expect_eq(code_at(&code, INSN_MODE_64, 0x1ffe)->length, 5);
    cr_expect(is_code(0x1ffe));
    cr_expect(is_code(0x2000));
    put(0x1ffe, "\x66\xb8", 2);
    code_forget(&code, 0x2001, 1);
    cr_expect_eq(code_at(&code, INSN_MODE_64, 0x1ffe)->length, 4);
}

/* Unicorn translates ahead, so writes ahead must be told. */
Test(code, all_of_a_block_is_marked_as_code_and_nothing_behind_it)
{
    memset(memory.bytes + 0x3000, 0x90, 300);
    put(0x3000 + 300, "\xeb\x00", 2); /* jmp */
    code_at(&code, INSN_MODE_64, 0x3000);
    for (unsigned at = 0; at < 300; at += LINE_BYTES)
        cr_expect(is_code(0x3000 + at));
    cr_expect(is_code(0x3000 + 301));
    cr_expect_not(is_code(0x3000 + 6 * LINE_BYTES));
    cr_expect_not(is_code(0x2fff));
}

Test(code, marks_outlive_forgetting_until_they_are_taken_away)
{
    put(0x1000, "\x90\x90", 2);
    code_mark(&code, WINDOW_DIRECT + 0x1001, CODE_POINT);
    cr_expect_not(code_at(&code, INSN_MODE_64, 0x1000)->flags & CODE_POINT);
    cr_expect(code_at(&code, INSN_MODE_64, 0x1001)->flags & CODE_POINT);
    code_forget(&code, 0x1000, 2);
    cr_expect(code_at(&code, INSN_MODE_64, 0x1001)->flags & CODE_POINT);
    code_unmark_all(&code);
    cr_expect_not(code_at(&code, INSN_MODE_64, 0x1001)->flags & CODE_POINT);
}

Test(code, what_is_no_instruction_of_ours_is_undefined)
{
    static const char *const bytes[] = {
        "\x06", "\xff\xed", "\xf0\x50", "\x8f\xe9\x78\x81\xc0", "\x48\x66\x90",
        "\x0f\x0b" /* ud2 is one */,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bytes); i++) {
        gpa_t at = 0x4000 + i * 64;

        put(at, bytes[i], strlen(bytes[i]));
        cr_expect_eq((code_at(&code, INSN_MODE_64, at)->flags &
                      CODE_UNDEFINED) != 0,
                     i < 5, "%zu", i);
    }
}

Test(code, outside_of_ram_there_is_something_harmless)
{
    cr_expect_eq(code_at(&code, INSN_MODE_64, 0xfee00000)->flags, 0);
    cr_expect_eq(code_at(&code, INSN_MODE_64, WINDOW_KERNEL + 0x100000)->flags,
                 0);
    cr_expect_null(code_slots(&code, INSN_MODE_64, 0x100000));
    put(memory.size - 1, "\x48", 1); /* cut off */
    cr_expect_eq(code_at(&code, INSN_MODE_64, memory.size - 1)->flags, 0);
}

Test(code, more_instructions_than_there_is_room_for_are_decoded_anew)
{
    put(0x1000, "\x90\xc3", 2); /* a short block: each decoding walks it */
    for (unsigned i = 0; i < 600000; i++) {
        code_forget(&code, 0x1000, 1);
        cr_assert_eq(code_at(&code, INSN_MODE_64, 0x1000)->length, 1);
    }
}
