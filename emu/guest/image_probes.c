/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "guest/image_probes.h"

#include <gelf.h>

G_DEFINE_QUARK(image-probes-error, image_probes_error)

#define HEADER_BYTES 24u

typedef struct RegisterName {
    const char *name;
    uint8_t number;
    uint8_t bits;
    uint8_t shift;
} RegisterName;

static const RegisterName register_names[] = {
    {"rax", 0, 64, 0}, {"rcx", 1, 64, 0}, {"rdx", 2, 64, 0}, {"rbx", 3, 64, 0},
    {"rsp", 4, 64, 0}, {"rbp", 5, 64, 0}, {"rsi", 6, 64, 0}, {"rdi", 7, 64, 0},
    {"eax", 0, 32, 0}, {"ecx", 1, 32, 0}, {"edx", 2, 32, 0}, {"ebx", 3, 32, 0},
    {"esp", 4, 32, 0}, {"ebp", 5, 32, 0}, {"esi", 6, 32, 0}, {"edi", 7, 32, 0},
    {"ax", 0, 16, 0},  {"cx", 1, 16, 0},  {"dx", 2, 16, 0},  {"bx", 3, 16, 0},
    {"sp", 4, 16, 0},  {"bp", 5, 16, 0},  {"si", 6, 16, 0},  {"di", 7, 16, 0},
    {"al", 0, 8, 0},   {"cl", 1, 8, 0},   {"dl", 2, 8, 0},   {"bl", 3, 8, 0},
    {"spl", 4, 8, 0},  {"bpl", 5, 8, 0},  {"sil", 6, 8, 0},  {"dil", 7, 8, 0},
    {"ah", 0, 8, 8},   {"ch", 1, 8, 8},   {"dh", 2, 8, 8},   {"bh", 3, 8, 8},
};

/* r8 to r15, with d, w or b for their low parts. */
static bool
parse_numbered_register(const char *name, RegisterName *out)
{
    char *end = NULL;
    uint64_t number;

    if (name[0] != 'r' || !g_ascii_isdigit(name[1]))
        return false;
    number = g_ascii_strtoull(name + 1, &end, 10);
    if (number < 8 || number > 15 || (end[0] != '\0' && end[1] != '\0'))
        return false;
    *out = (RegisterName){.number = (uint8_t)number};
    out->bits = end[0] == '\0'  ? 64
                : end[0] == 'd' ? 32
                : end[0] == 'w' ? 16
                : end[0] == 'b' ? 8
                                : 0;
    return out->bits != 0;
}

/* The register whose name fills the `size` bytes at `text`, after its '%'. */
static bool
parse_register(const char *text, size_t size, RegisterName *out)
{
    char name[8] = {0};

    if (size < 2 || size > sizeof name || text[0] != '%')
        return false;
    memcpy(name, text + 1, size - 1);
    for (size_t i = 0; i < G_N_ELEMENTS(register_names); i++)
        if (strcmp(register_names[i].name, name) == 0) {
            *out = register_names[i];
            return true;
        }
    return parse_numbered_register(name, out);
}

static bool
parse_number(const char *text, const char **end, int64_t *value)
{
    bool negative = *text == '-';
    const char *digits = text + (*text == '-' || *text == '+');
    char *stop = NULL;
    uint64_t magnitude;

    if (!g_ascii_isdigit(*digits))
        return false;
    magnitude = g_ascii_strtoull(digits, &stop, 0);
    *end = stop;
    *value = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

/* A sum of numbers and at most one symbol, up to '(' or the end. */
static bool
parse_displacement(const ImageProbesInput *input, const char *text,
                   const char **end, int64_t *value)
{
    bool any = false;
    uint64_t sum = 0;

    while (*text != '\0' && *text != '(') {
        size_t size = strcspn(text, "+-(");
        int64_t number = 0;

        if (parse_number(text, &text, &number)) {
            sum += (uint64_t)number;
        } else if (any || size == 0) {
            return false;
        } else {
            g_autofree char *symbol = g_strndup(text, size);
            gva_t address = 0;

            if (input->resolve == NULL ||
                !input->resolve(input->user, symbol, &address))
                return false;
            sum += address;
            text += size;
            any = true;
        }
    }
    *end = text;
    *value = (int64_t)sum;
    return true;
}

static uint8_t
scale_shift(const char *text)
{
    return strcmp(text, "1") == 0   ? 0
           : strcmp(text, "2") == 0 ? 1
           : strcmp(text, "4") == 0 ? 2
           : strcmp(text, "8") == 0 ? 3
                                    : UINT8_MAX;
}

/* "base,index,scale" without the parentheses; parts may be empty. */
static bool
parse_base_and_index(const char *text, InsnAccess *access)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", 4);
    unsigned count = g_strv_length(parts);
    RegisterName reg;

    if (count == 0 || count > 3)
        return false;
    if (strcmp(parts[0], "%rip") == 0) {
        /* The symbol is the address already. */
        access->base = INSN_REG_RIP;
        return count == 1;
    }
    if (parts[0][0] != '\0') {
        if (!parse_register(parts[0], strlen(parts[0]), &reg) || reg.bits < 32)
            return false;
        access->base = reg.number;
        access->address_bits = reg.bits;
    }
    if (count > 1) {
        if (!parse_register(parts[1], strlen(parts[1]), &reg) || reg.bits < 32)
            return false;
        access->index = reg.number;
        access->address_bits = reg.bits;
    }
    if (count > 2)
        access->scale = scale_shift(parts[2]);
    return access->scale <= 3;
}

static bool
parse_memory(const ImageProbesInput *input, const char *text,
             InsnAccess *access)
{
    const char *end = NULL;
    size_t size;

    access->base = INSN_REG_NONE;
    access->index = INSN_REG_NONE;
    access->segment = INSN_SEGMENT_NONE;
    access->mode = INSN_ACCESS_READ;
    access->address_bits = 64;
    if (g_str_has_prefix(text, "%fs:") || g_str_has_prefix(text, "%gs:")) {
        access->segment = text[1] == 'f' ? INSN_FS : INSN_GS;
        text += 4;
    }
    if (*text == '\0' ||
        !parse_displacement(input, text, &end, &access->displacement))
        return false;
    if (*end == '\0')
        return true;
    size = strlen(end);
    if (size < 3 || end[size - 1] != ')')
        return false;
    g_autofree char *inner = g_strndup(end + 1, size - 2);
    return parse_base_and_index(inner, access);
}

/* "-4@" and what follows it; without a size it is a machine word. */
static const char *
parse_size(const char *text, ImageOperand *out)
{
    const char *at = strchr(text, '@');
    const char *end = NULL;
    int64_t size = 0;

    out->size = 8;
    if (at == NULL)
        return text;
    if (!parse_number(text, &end, &size) || end != at)
        return NULL;
    out->is_signed = size < 0;
    if (size != 1 && size != -1 && size != 2 && size != -2 && size != 4 &&
        size != -4 && size != 8 && size != -8)
        return NULL;
    out->size = (uint8_t)(size < 0 ? -size : size);
    return at + 1;
}

void
image_probes_parse_operand(const ImageProbesInput *input, const char *text,
                           ImageOperand *out)
{
    const char *operand;
    const char *end = NULL;
    RegisterName reg;
    int64_t constant = 0;
    InsnAccess access = {0};

    memset(out, 0, sizeof *out);
    out->text = text;
    operand = parse_size(text, out);
    if (operand == NULL)
        return;
    if (parse_register(operand, strlen(operand), &reg)) {
        out->kind = IMAGE_OPERAND_REGISTER;
        out->reg = reg.number;
        out->shift = reg.shift;
    } else if (*operand == '$') {
        if (!parse_displacement(input, operand + 1, &end, &constant) ||
            end == operand + 1 || *end != '\0')
            return;
        out->kind = IMAGE_OPERAND_CONSTANT;
        out->constant = constant;
    } else if (parse_memory(input, operand, &access)) {
        access.size = out->size;
        out->kind = IMAGE_OPERAND_MEMORY;
        out->access = access;
    }
}

static uint64_t
load_u64(const uint8_t *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
    return GUINT64_FROM_LE(word);
}

/* The string at *offset, and step over it. */
static const char *
take_string(const ImageProbesInput *input, size_t *offset)
{
    const uint8_t *start = input->bytes + *offset;
    const uint8_t *end = *offset < input->size
                             ? memchr(start, 0, input->size - *offset)
                             : NULL;

    if (end == NULL)
        return NULL;
    *offset += (size_t)(end - start) + 1;
    return g_string_chunk_insert_const(input->strings, (const char *)start);
}

static bool
parse_arguments(const ImageProbesInput *input, const char *text,
                ImageProbe *out, GError **error)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    for (unsigned i = 0; words[i] != NULL; i++) {
        if (words[i][0] == '\0')
            continue;
        if (out->argument_count == IMAGE_PROBE_ARGUMENTS_MAX) {
            g_set_error(error, IMAGE_PROBES_ERROR, IMAGE_PROBES_ERROR_FORMAT,
                        "probe %s:%s has more than %d arguments", out->provider,
                        out->name, IMAGE_PROBE_ARGUMENTS_MAX);
            return false;
        }
        image_probes_parse_operand(
            input, g_string_chunk_insert_const(input->strings, words[i]),
            &out->arguments[out->argument_count++]);
    }
    return true;
}

bool
image_probes_parse(const ImageProbesInput *input, ImageProbe *out,
                   GError **error)
{
    size_t offset = HEADER_BYTES;
    const char *arguments = NULL;
    gva_t base;

    memset(out, 0, sizeof *out);
    if (input->size >= HEADER_BYTES) {
        out->provider = take_string(input, &offset);
        out->name = out->provider == NULL ? NULL : take_string(input, &offset);
        arguments = out->name == NULL ? NULL : take_string(input, &offset);
    }
    if (arguments == NULL) {
        g_set_error_literal(error, IMAGE_PROBES_ERROR,
                            IMAGE_PROBES_ERROR_FORMAT,
                            "a probe note is cut short; link the guest again");
        return false;
    }
    out->address = load_u64(input->bytes);
    base = load_u64(input->bytes + 8);
    out->semaphore = load_u64(input->bytes + 16);
    /* Whoever moved the section moved the code with it. */
    if (input->base != 0 && base != 0)
        out->address += input->base - base;
    return parse_arguments(input, arguments, out, error);
}

#define NOTE_OWNER "stapsdt"
#define NOTE_TYPE 3

/* The next section of a name after `section`, or NULL. */
static Elf_Scn *
next_named(Elf *elf, Elf_Scn *section, const char *name, GElf_Shdr *header)
{
    size_t names = 0;

    if (elf_getshdrstrndx(elf, &names) != 0)
        return NULL;
    while ((section = elf_nextscn(elf, section)) != NULL)
        if (gelf_getshdr(section, header) != NULL &&
            g_strcmp0(elf_strptr(elf, names, header->sh_name), name) == 0)
            return section;
    return NULL;
}

static bool
list_section(Elf_Data *data, ImageProbesInput *input, GArray *probes,
             GError **error)
{
    const uint8_t *bytes = data->d_buf;
    size_t offset = 0;
    size_t name_at;
    size_t bytes_at;
    GElf_Nhdr note;

    while (offset < data->d_size) {
        ImageProbe probe;

        offset = gelf_getnote(data, offset, &note, &name_at, &bytes_at);
        if (offset == 0)
            break;
        if (note.n_type != NOTE_TYPE || note.n_namesz != sizeof NOTE_OWNER ||
            memcmp(bytes + name_at, NOTE_OWNER, sizeof NOTE_OWNER) != 0)
            continue;
        input->bytes = bytes + bytes_at;
        input->size = note.n_descsz;
        if (!image_probes_parse(input, &probe, error))
            return false;
        g_array_append_val(probes, probe);
    }
    return true;
}

bool
image_probes_list(Elf *elf, ImageProbesInput *input, GArray *probes,
                  GError **error)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;

    if (next_named(elf, NULL, ".stapsdt.base", &header) != NULL)
        input->base = header.sh_addr;
    while ((section = next_named(elf, section, ".note.stapsdt", &header)) !=
           NULL) {
        Elf_Data *data = elf_getdata(section, NULL);

        if (header.sh_type == SHT_NOTE && data != NULL && data->d_buf != NULL &&
            !list_section(data, input, probes, error))
            return false;
    }
    return true;
}
