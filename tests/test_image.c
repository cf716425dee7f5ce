/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image: small guests, damaged in every way that came to mind.
 */
#include "base/base.h"

#include "guest/image.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <stdlib.h>

#include "base/prng.h"
#include "guest/image_spelling.h"
#include "image_rig.h"

IMAGE_RIG_SUITE(image);

Test(image, segments_entry_and_digest_are_those_of_the_file)
{
    g_autoptr(Image) image = build(plain, "-O1");
    g_autoptr(Image) again = load("guest");
    const ImageSymbol *start = image_lookup_symbol(image, "_start");
    bool found = false;

    cr_assert_not_null(start);
    cr_expect_eq(image_entry(image), start->address);
    cr_expect_eq(image_digest(image), image_digest(again));
    for (size_t i = 0; i < image_segment_count(image); i++) {
        const ImageSegment *segment = image_segment(image, i);

        cr_expect_leq(segment->file_size, segment->memory_size);
        cr_expect(segment->flags & IMAGE_SEGMENT_READ);
        cr_expect_eq(segment->physical, segment->virtual);
        if (segment->flags & IMAGE_SEGMENT_EXECUTE &&
            image_entry(image) - segment->virtual < segment->memory_size)
            found = true;
        cr_expect_not(segment->flags & IMAGE_SEGMENT_EXECUTE &&
                      segment->flags & IMAGE_SEGMENT_WRITE);
    }
    cr_expect(found);
}

Test(image, the_linker_script_decides_physical_addresses)
{
    g_autoptr(Image) image = NULL;
    const ImageSymbol *start;
    gpa_t physical = 0;

    write_source("guest.ld",
                 "ENTRY(_start)\n"
                 "SECTIONS {\n"
                 "  . = 0xffffffff80100000;\n"
                 "  .text : AT(ADDR(.text) - 0xffffffff80000000) {*(.text*)}\n"
                 "  .rest : AT(ADDR(.rest) - 0xffffffff80000000)\n"
                 "    {*(.rodata*) *(.data*) *(.bss*)}\n"
                 "}\n");
    image = build(plain, "-O1 -fno-pic -mcmodel=kernel -Wl,-T,guest.ld");
    start = image_lookup_symbol(image, "_start");
    cr_assert_not_null(start);
    cr_expect_gt(start->address, 0xffffffff80000000);
    cr_assert(image_physical(image, start->address, &physical));
    cr_expect_eq(physical, start->address - 0xffffffff80000000);
    cr_expect_not(image_physical(image, 0x1000, &physical));
}

Test(image, symbols_are_found_by_name_and_by_address)
{
    g_autoptr(Image) image = build(plain, "-O1");
    const ImageSymbol *add = image_lookup_symbol(image, "add_one");
    const ImageSymbol *counter = image_lookup_symbol(image, "counter");
    const ImageSymbol *hidden = image_lookup_symbol(image, "hidden_total");

    cr_assert(add != NULL && counter != NULL && hidden != NULL);
    cr_expect_eq(add->kind, IMAGE_SYMBOL_FUNCTION);
    cr_expect_not(add->is_global);
    cr_expect_eq(counter->kind, IMAGE_SYMBOL_OBJECT);
    cr_expect_eq(counter->size, 4u);
    cr_expect_eq(hidden->size, 8u);
    cr_expect_eq(image_symbol_at(image, add->address), add);
    cr_expect_eq(image_symbol_at(image, add->address + add->size - 1), add);
    cr_expect_eq(image_symbol_at(image, counter->address + 3), counter);
    cr_expect_null(image_symbol_at(image, 0));
    cr_expect_null(image_symbol_at(image, UINT64_MAX));
    cr_expect_null(image_lookup_symbol(image, "nobody"));
    for (size_t i = 1; i < image_symbol_count(image); i++)
        cr_expect_leq(image_symbol(image, i - 1)->address,
                      image_symbol(image, i)->address);
}

Test(image, assembly_without_sizes_belongs_to_the_label_before)
{
    g_autoptr(Image) image = NULL;
    const ImageSymbol *label;

    write_source("guest.S", ".globl _start\n.globl second\n"
                            "_start: nop\n nop\nsecond: nop\n nop\n hlt\n");
    compile("-O1" FREESTANDING "guest.S");
    image = load("guest");
    label = image_lookup_symbol(image, "second");
    cr_assert_not_null(label);
    cr_expect_eq(label->kind, IMAGE_SYMBOL_LABEL);
    cr_expect_eq(image_symbol_at(image, label->address + 2), label);
    cr_expect_str_eq(image_symbol_at(image, label->address - 1)->name,
                     "_start");
}

Test(image, a_misspelt_name_is_answered_with_the_nearest)
{
    g_autoptr(Image) image = build(plain, "-O1");

    cr_expect_str_eq(image_suggest(image, "ad_one"), "add_one");
    cr_expect_str_eq(image_suggest(image, "add_noe"), "add_one");
    cr_expect_str_eq(image_suggest(image, "cuonter"), "counter");
    cr_expect_str_eq(image_suggest(image, "wrok"), "work");
    cr_expect_null(image_suggest(image, "something_else_altogether"));
    cr_expect_null(image_suggest(image, ""));
    cr_expect_eq(image_spelling_distance("kitten", "sitting", 9), 3u);
    cr_expect_eq(image_spelling_distance("ab", "ba", 9), 1u);
    cr_expect_eq(image_spelling_distance("ca", "abc", 9), 3u);
    cr_expect_eq(image_spelling_distance("abcdef", "uvwxyz", 3), 4u);
    cr_expect_eq(image_spelling_distance("", "abc", 9), 3u);
}

Test(image, a_stripped_guest_loads_and_knows_nothing)
{
    g_autoptr(Image) image = build(plain, "-O1 -s");
    g_autoptr(GArray) at = g_array_new(FALSE, FALSE, sizeof(gva_t));
    ImageLine line;

    cr_expect_eq(image_symbol_count(image), 0u);
    cr_expect_not(image_line_at(image, image_entry(image), &line));
    cr_expect_null(image_type_named(image, "int"));
    cr_expect_null(image_symbol_at(image, image_entry(image)));
    cr_expect_not(image_find_quote(image, "work", "x", at, NULL));
}

/* What sys/sdt.h would write for one probe. */
#define NOTE(label, provider, name, arguments)                                 \
    ".pushsection .note.stapsdt,\"\",\"note\"\n.balign 4\n"                    \
    ".4byte 8, 6f-5f, 3\n.asciz \"stapsdt\"\n"                                 \
    "5: .8byte " label ", _base, 0\n"                                          \
    ".asciz \"" provider "\"\n.asciz \"" name "\"\n.asciz \"" arguments "\"\n" \
    "6: .balign 4\n.popsection\n"

Test(image, probes_are_listed_with_their_operands)
{
    g_autoptr(Image) image = NULL;
    const ImageProbe *probe;
    const ImageOperand *a;

    write_source(
        "guest.S",
        ".globl _start\n.type _start,@function\n_start: nop\n"
        "first: nop\nsecond: nop\n hlt\n.size _start,.-_start\n"
        ".section .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n"
        "_base: .space 1\n.data\ncounter: .long 1\n.text\n" NOTE(
            "first", "dfly", "ipi_send",
            "8@%rdi -4@$-3 8@-16(%rbp) 4@counter+4(%rip)")
            NOTE("second", "dfly", "ipi_recv",
                 "-1@%ah 2@8(%rax,%r9,4) 4@%r10d 8@%gs:16 8@%xmm0 9@%rax %rsi "
                 "4@counter(,%rcx,8)"));
    compile("-O1" FREESTANDING "guest.S");
    image = load("guest");
    cr_assert_eq(image_probe_count(image), 2u);
    probe = image_probe(image, 0);
    cr_expect_str_eq(probe->provider, "dfly");
    cr_expect_str_eq(probe->name, "ipi_send");
    cr_expect_eq(probe->address, image_lookup_symbol(image, "first")->address);
    cr_expect_eq(probe->semaphore, 0u);
    cr_assert_eq(probe->argument_count, 4u);
    a = probe->arguments;
    cr_expect(a[0].kind == IMAGE_OPERAND_REGISTER && a[0].reg == INSN_RDI &&
              a[0].size == 8 && !a[0].is_signed);
    cr_expect(a[1].kind == IMAGE_OPERAND_CONSTANT && a[1].constant == -3 &&
              a[1].size == 4 && a[1].is_signed);
    cr_expect(a[2].kind == IMAGE_OPERAND_MEMORY &&
              a[2].access.base == INSN_RBP && a[2].access.displacement == -16 &&
              a[2].access.size == 8);
    cr_expect(a[3].kind == IMAGE_OPERAND_MEMORY &&
              a[3].access.base == INSN_REG_RIP);
    cr_expect_eq((gva_t)a[3].access.displacement,
                 image_lookup_symbol(image, "counter")->address + 4);

    probe = image_probe(image, 1);
    cr_assert_eq(probe->argument_count, 8u);
    a = probe->arguments;
    cr_expect(a[0].kind == IMAGE_OPERAND_REGISTER && a[0].reg == INSN_RAX &&
              a[0].shift == 8 && a[0].is_signed && a[0].size == 1);
    cr_expect(a[1].kind == IMAGE_OPERAND_MEMORY &&
              a[1].access.base == INSN_RAX && a[1].access.index == 9 &&
              a[1].access.scale == 2 && a[1].access.displacement == 8);
    cr_expect(a[2].kind == IMAGE_OPERAND_REGISTER && a[2].reg == 10);
    cr_expect(a[3].kind == IMAGE_OPERAND_MEMORY &&
              a[3].access.segment == INSN_GS && a[3].access.displacement == 16);
    cr_expect_eq(a[4].kind, IMAGE_OPERAND_UNKNOWN);
    cr_expect_str_eq(a[4].text, "8@%xmm0");
    cr_expect_eq(a[5].kind, IMAGE_OPERAND_UNKNOWN);
    cr_expect(a[6].kind == IMAGE_OPERAND_REGISTER && a[6].reg == INSN_RSI);
    cr_expect(a[7].kind == IMAGE_OPERAND_MEMORY &&
              a[7].access.base == INSN_REG_NONE &&
              a[7].access.index == INSN_RCX && a[7].access.scale == 3);
}

Test(image, a_damaged_probe_note_is_refused)
{
    g_autofree char *path = in_directory("guest");
    g_autoptr(GError) error = NULL;

    write_source("guest.S", ".globl _start\n_start: hlt\n"
                            ".section .note.stapsdt,\"\",\"note\"\n.balign 4\n"
                            ".4byte 8, 26, 3\n.asciz \"stapsdt\"\n"
                            ".8byte _start, 0, 0\n.ascii \"ab\"\n.balign 4\n");
    compile("-O1" FREESTANDING "guest.S");
    cr_expect_null(image_load(path, &error));
    cr_assert_not_null(error);
    cr_expect(strstr(error->message, "probe note") != NULL, "%s",
              error->message);
}

/* Expect a refusal that names the file and holds `words`. */
static void
expect_refusal(const char *path, const char *words)
{
    g_autoptr(GError) error = NULL;

    cr_expect_null(image_load(path, &error), "%s", words);
    cr_assert_not_null(error);
    cr_expect(strstr(error->message, path) != NULL &&
                  strstr(error->message, words) != NULL,
              "%s: %s", words, error->message);
}

static void
refused_bytes(const char *bytes, size_t size, const char *words)
{
    g_autofree char *path = in_directory("damaged");

    cr_assert(g_file_set_contents(path, bytes, (gssize)size, NULL));
    expect_refusal(path, words);
}

Test(image, whatever_is_no_guest_is_refused_with_the_remedy)
{
    g_autofree char *missing = in_directory("missing");
    g_autofree char *object = in_directory("guest.o");
    g_autofree char *narrow = in_directory("narrow.o");
    g_autofree char *pie = in_directory("pie");
    g_autofree char *guest = in_directory("guest");

    image_free(build(plain, "-O1"));
    expect_refusal(missing, "build the guest");
    expect_refusal(directory, "not a regular file");
    expect_refusal("/dev/zero", "not a regular file");
    refused_bytes("", 0, "not an ELF file");
    refused_bytes("int main;\n", 10, "not an ELF file");
    compile("-c guest.c -o guest.o");
    expect_refusal(object, "an object file");
    compile("-m32 -ffreestanding -c guest.c -o narrow.o");
    expect_refusal(narrow, "-m64");
    compile("-nostdlib -ffreestanding -fpie -static-pie guest.c -o pie");
    expect_refusal(pie, "-no-pie");
    compile("-O1 -static -nostdlib -ffreestanding guest.c -no-pie "
            "-Wl,-Ttext-segment=0x7000000000 -o guest");
    expect_refusal(guest, "beyond the 1024 MiB");
    compile("-O1 -static -nostdlib -ffreestanding guest.c -no-pie "
            "-Wl,-e,0x10 -o guest");
    expect_refusal(guest, "entry point 0x10");
}

Test(image, damaged_headers_are_refused)
{
    g_autofree char *path = in_directory("guest");
    g_autofree char *bytes = NULL;
    g_autofree char *copy = NULL;
    size_t size = 0;
    Elf64_Ehdr *header;
    Elf64_Phdr *loads;

    image_free(build(plain, "-O1"));
    cr_assert(g_file_get_contents(path, &bytes, &size, NULL));
    copy = g_malloc(size);
    header = (Elf64_Ehdr *)(void *)copy;

#define DAMAGE(change, words)                                                  \
    do {                                                                       \
        memcpy(copy, bytes, size);                                             \
        loads = (Elf64_Phdr *)(void *)(copy + header->e_phoff);                \
        change;                                                                \
        refused_bytes(copy, size, words);                                      \
    } while (0)
    DAMAGE(header->e_machine = EM_AARCH64, "not for x86-64");
    DAMAGE(header->e_type = ET_CORE, "not an executable");
    DAMAGE(header->e_phnum = 0, "nothing in it is loaded");
    DAMAGE(header->e_phoff = UINT64_MAX - 8, "link it");
    DAMAGE(loads[0].p_filesz = UINT64_MAX, "more bytes in the file");
    DAMAGE(loads[0].p_offset = UINT64_MAX - 64, "cut short");
    DAMAGE(loads[0].p_paddr = UINT64_MAX - 64, "beyond the 1024 MiB");
    DAMAGE(loads[0].p_memsz = UINT64_MAX, "beyond the 1024 MiB");
    DAMAGE(loads[0].p_vaddr = UINT64_MAX - 64, "wraps around");
    DAMAGE(loads[1].p_paddr = loads[0].p_paddr, "overlap");
    DAMAGE(loads[0].p_type = PT_INTERP, "dynamically linked");
    DAMAGE(header->e_entry = 0, "entry point");
}

/* Ask everything of whatever was loaded. */
static void
interrogate(const Image *image)
{
    static const char *const names[] = {"int", "struct lwkt_ipiq", "pair_t",
                                        "ipifunc3_t"};
    g_autoptr(GArray) at = g_array_new(FALSE, FALSE, sizeof(gva_t));
    ImageLine line;
    ImageMember out;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const ImageType *type = image_type_named(image, names[i]);

        if (type != NULL)
            image_types_member(type, "as_bytes", &out);
    }
    image_variable_type(image, "ipiq");
    image_function_type(image, "lwkt_send_ipiq3");
    for (unsigned i = 0; i < 200; i++)
        if (image_line_at(image, image_entry(image) - 100 + i, &line))
            image_source_line(image, line.file, line.line);
    image_find_quote(image, "lwkt_send_ipiq3", "ipiq = target;", at, NULL);
    image_find_quote(image, "_start", "elsewhere", at, NULL);
    image_suggest(image, "lwkt_sned");
    for (size_t i = 0; i < image_segment_count(image); i++) {
        const ImageSegment *segment = image_segment(image, i);
        volatile uint8_t sum = 0;

        for (uint64_t k = 0; k < segment->file_size; k += 64)
            sum = (uint8_t)(sum + segment->bytes[k]);
    }
}

static void
try_bytes(const char *path, const char *bytes, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Image) image = NULL;

    cr_assert(g_file_set_contents(path, bytes, (gssize)size, NULL));
    image = image_load(path, &error);
    cr_assert_eq(image == NULL, error != NULL);
    if (image != NULL)
        interrogate(image);
    else
        cr_assert_not_null(strstr(error->message, path));
}

Test(image, no_damage_crashes_it)
{
    g_autoptr(Image) image = build_types("-O1");
    g_autofree char *path = in_directory("guest");
    g_autofree char *damaged = in_directory("damaged");
    g_autofree char *bytes = NULL;
    g_autofree char *copy = NULL;
    const char *rounds = g_getenv("HEDDLE_FUZZ_ROUNDS");
    unsigned count = rounds == NULL ? 300 : (unsigned)atoi(rounds);
    size_t size = 0;
    Prng prng;

    cr_assert(g_file_get_contents(path, &bytes, &size, NULL));
    prng_init(&prng, rounds == NULL ? 1 : count);
    interrogate(image);
    for (size_t cut = 0; cut < 128; cut += 5)
        try_bytes(damaged, bytes, cut);
    for (size_t i = 0; i < 64; i++)
        try_bytes(damaged, bytes, size * i / 64);
    copy = g_malloc(size);
    for (unsigned i = 0; i < count; i++) {
        unsigned flips = 1 + (unsigned)prng_below(&prng, 12);

        memcpy(copy, bytes, size);
        while (flips-- > 0) {
            /* Headers deserve more than their share. */
            size_t at = prng_chance(&prng, 1, 4) ? prng_below(&prng, 512)
                                                 : prng_below(&prng, size);

            copy[at] ^= (char)(prng_chance(&prng, 1, 3)
                                   ? 0xff
                                   : 1 << prng_below(&prng, 8));
        }
        try_bytes(damaged, copy, size);
    }
}
