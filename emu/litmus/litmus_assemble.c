/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "litmus/litmus_assemble.h"

#include <Zydis/Zydis.h>
#include <gelf.h>
#include <glib/gstdio.h>
#include <libelf.h>

#include "base/capacity.h"
#include "guest/gmem.h"
#include "litmus/litmus_cell.h"

#define CODE_BASE (WINDOW_KERNEL + LITMUS_CODE_AT)

/* What `as` calls the file: it stands in front of its messages, where the
 * path could hold anything. */
#define SOURCE_NAME "litmus-test"

void
litmus_code_free(LitmusCode *code)
{
    if (code == NULL)
        return;
    g_free(code->bytes);
    g_free(code);
}

static GString *
write_source(const Litmus *litmus)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < litmus->locations->len; i++) {
        const LitmusLocation *location = litmus->locations->pdata[i];

        g_string_append_printf(out, " .set heddle_x_%s, 0x%" PRIx64 "\n",
                               location->name,
                               litmus_location_address(litmus, i));
    }
    g_string_append(out, " .text\n");
    for (unsigned i = 0; i < litmus->thread_count; i++) {
        const GPtrArray *lines = litmus->threads[i].lines;

        g_string_append_printf(out, " .balign %u, 0xcc\nheddle_entry%u:\n",
                               PAGE_BYTES, i);
        for (guint k = 0; k < lines->len; k++) {
            const LitmusLine *line = lines->pdata[k];

            g_string_append_printf(out, "# %u \"" SOURCE_NAME "\"\n",
                                   line->line);
            litmus_cell_rewrite(litmus, i, line, out);
        }
        g_string_append_printf(out, "heddle_end%u: pause\n jmp heddle_entry%u"
                               "\n", i, i);
    }
    return out;
}

/* The first "litmus-test:12: Error: no such instruction" of what `as` said. */
static void
report(const Litmus *litmus, const char *said, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(said, "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        const char *prefix = SOURCE_NAME ":", *mark = strstr(*line, "Error: ");
        g_auto(GStrv) names = NULL;
        g_autofree char *message = NULL;
        guint64 number;

        if (!g_str_has_prefix(*line, prefix) || mark == NULL)
            continue;
        number = g_ascii_strtoull(*line + strlen(prefix), NULL, 10);
        names = g_strsplit(mark + strlen("Error: "), "heddle_x_", -1);
        message = g_strjoinv("", names);
        g_set_error(error, LITMUS_ERROR, LITMUS_ERROR_ASSEMBLE,
                    "%s:%" PRIu64 ": %s", litmus->path, number, message);
        return;
    }
    g_set_error(error, LITMUS_ERROR, LITMUS_ERROR_TOOL,
                "%s: as failed: %.400s", litmus->path,
                *said != '\0' ? said : "without a word");
}

static bool
run_as(const Litmus *litmus, const char *source, const char *object,
       GError **error)
{
    const char *argv[] = {"as", "--64", "-o", object, source, NULL};
    g_auto(GStrv) environment =
        g_environ_setenv(g_get_environ(), "LC_ALL", "C", TRUE);
    g_autofree char *said = NULL;
    GError *trouble = NULL;
    int status;

    if (!g_spawn_sync(NULL, (char **)argv, environment,
                      G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL,
                      NULL, NULL, &said, &status, &trouble)) {
        bool is_missing = g_error_matches(trouble, G_SPAWN_ERROR,
                                          G_SPAWN_ERROR_NOENT);

        g_set_error(error, LITMUS_ERROR, LITMUS_ERROR_TOOL,
                    "%s: cannot run as, the GNU assembler%s: %s", litmus->path,
                    is_missing ? " (apt install binutils)" : "",
                    trouble->message);
        g_error_free(trouble);
        return false;
    }
    if (status == 0)
        return true;
    report(litmus, g_strstrip(said), error);
    return false;
}

/* A thread's entry or end, by the symbol's name. */
static void
take_symbol(LitmusCode *code, const Litmus *litmus, const char *name,
            uint64_t value)
{
    for (unsigned i = 0; name != NULL && i < litmus->thread_count; i++) {
        g_autofree char *entry = g_strdup_printf("heddle_entry%u", i);
        g_autofree char *end = g_strdup_printf("heddle_end%u", i);

        if (strcmp(name, entry) == 0)
            code->entry[i] = CODE_BASE + value;
        else if (strcmp(name, end) == 0)
            code->end[i] = CODE_BASE + value;
    }
}

static void
take_symbols(LitmusCode *code, const Litmus *litmus, Elf *elf, Elf_Scn *section,
             const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);
    GElf_Sym symbol;

    for (int i = 0; data != NULL && gelf_getsym(data, i, &symbol) != NULL; i++)
        take_symbol(code, litmus,
                    elf_strptr(elf, header->sh_link, symbol.st_name),
                    symbol.st_value);
}

/* Only the code's own relocations matter; there is no other code. */
static bool
take_sections(LitmusCode *code, const Litmus *litmus, Elf *elf, GError **error)
{
    Elf_Scn *section = NULL;
    size_t names;

    if (elf_getshdrstrndx(elf, &names) != 0)
        return false;
    while ((section = elf_nextscn(elf, section)) != NULL) {
        GElf_Shdr header;
        const char *name;

        if (gelf_getshdr(section, &header) == NULL)
            return false;
        name = elf_strptr(elf, names, header.sh_name);
        if (header.sh_type == SHT_RELA || header.sh_type == SHT_REL) {
            g_set_error(error, LITMUS_ERROR, LITMUS_ERROR_ASSEMBLE,
                        "%s: an instruction would need a linker: is there a "
                        "jump to a location?", litmus->path);
            return false;
        }
        if (header.sh_type == SHT_SYMTAB)
            take_symbols(code, litmus, elf, section, &header);
        if (header.sh_type == SHT_PROGBITS && g_strcmp0(name, ".text") == 0) {
            Elf_Data *data = elf_getdata(section, NULL);

            if (data == NULL || code->bytes != NULL)
                return false;
            code->size = data->d_size;
            code->bytes = g_malloc(data->d_size);
            memcpy(code->bytes, data->d_buf, data->d_size);
        }
    }
    return code->bytes != NULL;
}

static LitmusCode *
read_object(const Litmus *litmus, const char *object, GError **error)
{
    g_autoptr(LitmusCode) code = g_new0(LitmusCode, 1);
    g_autofree char *bytes = NULL;
    GError *trouble = NULL;
    gsize size;
    Elf *elf;
    bool ok;

    if (!g_file_get_contents(object, &bytes, &size, error))
        return NULL;
    elf_version(EV_CURRENT);
    elf = elf_memory(bytes, size);
    ok = elf != NULL && take_sections(code, litmus, elf, &trouble);
    elf_end(elf);
    for (unsigned i = 0; ok && i < litmus->thread_count; i++)
        ok = code->entry[i] != 0 && code->end[i] >= code->entry[i] &&
             code->end[i] - CODE_BASE < code->size;
    ok = ok && code->size <= LITMUS_DATA_AT - LITMUS_CODE_AT;
    if (ok)
        return g_steal_pointer(&code);
    if (trouble == NULL)
        g_set_error(&trouble, LITMUS_ERROR, LITMUS_ERROR_TOOL,
                    "%s: cannot make sense of what as wrote", litmus->path);
    g_propagate_error(error, trouble);
    return NULL;
}

/* Bit of the general register that `reg` is a part of, or 0. */
static uint16_t
register_bit(ZydisRegister reg)
{
    ZydisRegister whole = ZydisRegisterGetLargestEnclosing(
        ZYDIS_MACHINE_MODE_LONG_64, reg);

    if (whole < ZYDIS_REGISTER_RAX || whole > ZYDIS_REGISTER_R15)
        return 0;
    return (uint16_t)(1u << (whole - ZYDIS_REGISTER_RAX));
}

/* May the register be left over from a run before without harm? */
static bool
is_plain_register(ZydisRegister reg)
{
    switch (ZydisRegisterGetClass(reg)) {
    case ZYDIS_REGCLASS_GPR8:
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64:
    case ZYDIS_REGCLASS_FLAGS:
    case ZYDIS_REGCLASS_IP:
        return true;
    default:
        return false;
    }
}

static void
look_at_instruction(const ZydisDecodedInstruction *instruction,
                    const ZydisDecodedOperand *operands, LitmusCode *code,
                    unsigned thread)
{
    if (instruction->attributes & ZYDIS_ATTRIB_IS_PRIVILEGED ||
        (instruction->cpu_flags != NULL &&
         instruction->cpu_flags->tested != 0))
        code->is_plain = false;
    for (unsigned i = 0; i < instruction->operand_count; i++) {
        if (operands[i].type != ZYDIS_OPERAND_TYPE_REGISTER)
            continue;
        if (!is_plain_register(operands[i].reg.value))
            code->is_plain = false;
        if (operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
            code->registers_written[thread] |=
                register_bit(operands[i].reg.value);
    }
}

/* What Zydis does not know, Unicorn 2.0.1 does not run either. */
static void
look_at_columns(const Litmus *litmus, LitmusCode *code)
{
    ZydisDecoder decoder;

    INVARIANT(ZYAN_SUCCESS(ZydisDecoderInit(
        &decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)));
    code->is_plain = true;
    for (unsigned i = 0; i < litmus->thread_count; i++) {
        const uint8_t *bytes = code->bytes + (code->entry[i] - CODE_BASE);
        size_t size = code->end[i] - code->entry[i];

        while (size > 0) {
            ZydisDecodedInstruction instruction;
            ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];

            if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(
                    &decoder, bytes, size, &instruction, operands)))
                break;
            look_at_instruction(&instruction, operands, code, i);
            bytes += instruction.length;
            size -= instruction.length;
        }
    }
}

static LitmusCode *
assemble_in(const Litmus *litmus, const char *source, const char *object,
            GError **error)
{
    GString *text = write_source(litmus);
    bool ok = g_file_set_contents(source, text->str, (gssize)text->len, error);
    LitmusCode *code;

    g_string_free(text, TRUE);
    if (!ok || !run_as(litmus, source, object, error))
        return NULL;
    code = read_object(litmus, object, error);
    if (code != NULL)
        look_at_columns(litmus, code);
    return code;
}

LitmusCode *
litmus_assemble(const Litmus *litmus, GError **error)
{
    g_autofree char *folder = g_dir_make_tmp("heddle-litmus-XXXXXX", error);
    g_autofree char *source = NULL, *object = NULL;
    LitmusCode *code;

    if (folder == NULL) {
        g_prefix_error(error, "a folder for the assembler's files: ");
        return NULL;
    }
    source = g_build_filename(folder, "litmus.s", NULL);
    object = g_build_filename(folder, "litmus.o", NULL);
    code = assemble_in(litmus, source, object, error);
    g_unlink(source);
    g_unlink(object);
    g_rmdir(folder);
    return code;
}
