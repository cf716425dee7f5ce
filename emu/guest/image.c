/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "guest/image.h"

#include <elfutils/libdw.h>
#include <gelf.h>
#include <glib/gstdio.h>

#include "base/capacity.h"
#include "base/digest.h"
#include "guest/image_quote.h"
#include "guest/sourcetext.h"

G_DEFINE_QUARK(image-error, image_error)

#define HOW_TO_LINK "link it with -static -no-pie -nostdlib"

struct Image {
    char *path;
    char *bytes;
    size_t size;
    uint64_t digest;
    Elf *elf; /* over `bytes` */
    gva_t entry;
    GArray *segments; /* ImageSegment */
    ImageSymbols *symbols;
    GArray *probes; /* ImageProbe */
    GStringChunk *strings;
    SourceText *source;

    /* Read when first asked for. */
    bool dwarf_tried;
    Dwarf *dwarf;
    ImageLines *lines;
    ImageTypes *types;
};

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Every way in which a file is not a guest; always false. */
static bool
refuse(GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_propagate_error(error, g_error_new_valist(IMAGE_ERROR, IMAGE_ERROR_FORMAT,
                                                format, args));
    va_end(args);
    return false;
}

static bool
read_file(Image *image, GError **error)
{
    GStatBuf status;

    /* A device or a pipe would block or never end. */
    if (g_stat(image->path, &status) == 0 && !S_ISREG(status.st_mode)) {
        g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_FILE,
                    "not a regular file; give the path of a linked guest");
        return false;
    }
    if (g_stat(image->path, &status) == 0 &&
        status.st_size > (off_t)IMAGE_BYTES_MAX) {
        g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_FILE,
                    "larger than %u MiB; strip what the guest does not need",
                    IMAGE_BYTES_MAX >> 20);
        return false;
    }
    if (!g_file_get_contents(image->path, &image->bytes, &image->size, NULL)) {
        g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_FILE,
                    "cannot be read; build the guest, or correct the path");
        return false;
    }
    return true;
}

static bool
check_header(Image *image, const GElf_Ehdr *header, GError **error)
{
    if (header->e_ident[EI_CLASS] != ELFCLASS64)
        return refuse(error, "a 32-bit ELF file; compile it with -m64");
    if (header->e_ident[EI_DATA] != ELFDATA2LSB ||
        header->e_machine != EM_X86_64)
        return refuse(error,
                      "ELF for machine %u, not for x86-64; use an "
                      "x86-64 compiler",
                      header->e_machine);
    if (header->e_type == ET_REL)
        return refuse(error, "an object file, not an executable; " HOW_TO_LINK);
    if (header->e_type == ET_DYN)
        return refuse(error, "a shared object or position-independent "
                             "executable; " HOW_TO_LINK);
    if (header->e_type != ET_EXEC)
        return refuse(error, "ELF type %u, not an executable; " HOW_TO_LINK,
                      header->e_type);
    image->entry = header->e_entry;
    return true;
}

/* Do [a, a + a_size) and [b, b + b_size) meet?  Neither wraps. */
static bool
overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a < b + b_size && b < a + a_size;
}

static bool
check_segment(const Image *image, const GElf_Phdr *header, GError **error)
{
    const uint64_t ram = (uint64_t)RAM_MIB_MAX << 20;

    if (header->p_filesz > header->p_memsz)
        return refuse(error, "a segment has more bytes in the file than in "
                             "memory; the file is damaged, link it again");
    if (header->p_offset > image->size ||
        header->p_filesz > image->size - header->p_offset)
        return refuse(error, "a segment goes beyond the end of the file; the "
                             "file is cut short, link it again");
    if (header->p_paddr > ram || header->p_memsz > ram - header->p_paddr)
        return refuse(error,
                      "a segment is at physical address 0x%" PRIx64 ", %" PRIu64
                      " bytes, beyond the %d MiB that a machine can have; "
                      "correct the linker script",
                      (uint64_t)header->p_paddr, (uint64_t)header->p_memsz,
                      RAM_MIB_MAX);
    if (header->p_vaddr + header->p_memsz < header->p_vaddr)
        return refuse(error, "a segment wraps around the end of virtual "
                             "memory; correct the linker script");
    for (unsigned i = 0; i < image->segments->len; i++) {
        const ImageSegment *other = image_segment(image, i);

        if (overlap(header->p_paddr, header->p_memsz, other->physical,
                    other->memory_size) ||
            overlap(header->p_vaddr, header->p_memsz, other->virtual,
                    other->memory_size))
            return refuse(error, "segments at 0x%" PRIx64 " and 0x%" PRIx64
                                 " overlap; correct the linker script",
                          other->virtual, (uint64_t)header->p_vaddr);
    }
    return true;
}

static bool
read_segments(Image *image, GError **error)
{
    size_t count = 0;

    if (elf_getphdrnum(image->elf, &count) != 0)
        return refuse(error, "damaged program headers; link it again");
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        ImageSegment segment;

        if (i > INT_MAX || gelf_getphdr(image->elf, (int)i, &header) == NULL)
            return refuse(error, "damaged program headers; link it again");
        if (header.p_type == PT_INTERP)
            return refuse(error, "dynamically linked; " HOW_TO_LINK);
        if (header.p_type != PT_LOAD || header.p_memsz == 0)
            continue;
        if (!check_segment(image, &header, error))
            return false;
        segment = (ImageSegment){
            .physical = header.p_paddr,
            .virtual = header.p_vaddr,
            .bytes = (const uint8_t *)image->bytes + header.p_offset,
            .file_size = header.p_filesz,
            .memory_size = header.p_memsz,
            .flags = header.p_flags & (PF_R | PF_W | PF_X),
        };
        g_array_append_val(image->segments, segment);
    }
    if (image->segments->len == 0)
        return refuse(error, "nothing in it is loaded; " HOW_TO_LINK);
    return true;
}

static const ImageSegment *
segment_at(const Image *image, gva_t address)
{
    for (size_t i = 0; i < image_segment_count(image); i++) {
        const ImageSegment *segment = image_segment(image, i);

        if (address - segment->virtual < segment->memory_size)
            return segment;
    }
    return NULL;
}

bool
image_is_code(const Image *image, gva_t address)
{
    const ImageSegment *segment = segment_at(image, address);

    return segment != NULL && segment->flags & IMAGE_SEGMENT_EXECUTE;
}

bool
image_has_code(const Image *image, gpa_t physical, uint64_t size)
{
    for (size_t i = 0; i < image_segment_count(image); i++) {
        const ImageSegment *segment = image_segment(image, i);

        if (segment->flags & IMAGE_SEGMENT_EXECUTE &&
            overlap(physical, size, segment->physical, segment->memory_size))
            return true;
    }
    return false;
}

static bool
check_entry(const Image *image, GError **error)
{
    if (!image_is_code(image, image->entry) &&
        !image_has_code(image, image->entry, 1))
        return refuse(error,
                      "entry point 0x%" PRIx64 " is not in an executable "
                      "segment; link it with -e and the name of its first "
                      "function", image->entry);
    return true;
}

/* A symbol worth keeping: named, defined, of code or data. */
static bool
take_symbol(const Image *image, const GElf_Sym *entry, const char *name,
            ImageSymbol *out)
{
    int type = GELF_ST_TYPE(entry->st_info);
    bool valid = name != NULL && name[0] != '\0' &&
                 entry->st_shndx != SHN_UNDEF &&
                 (type == STT_FUNC || type == STT_OBJECT || type == STT_NOTYPE);

    /* An absolute symbol is a number of the linker script, except when it is
     * an address after all. */
    if (!valid || (entry->st_shndx == SHN_ABS &&
                   segment_at(image, entry->st_value) == NULL))
        return false;
    *out = (ImageSymbol){
        .name = name,
        .address = entry->st_value,
        .size = entry->st_size,
        .kind = type == STT_FUNC     ? IMAGE_SYMBOL_FUNCTION
                : type == STT_OBJECT ? IMAGE_SYMBOL_OBJECT
                                     : IMAGE_SYMBOL_LABEL,
        .is_global = GELF_ST_BIND(entry->st_info) != STB_LOCAL,
    };
    return true;
}

static bool
read_symbol_table(Image *image, Elf_Scn *section, const GElf_Shdr *header,
                  GError **error)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t count = header->sh_entsize == 0
                       ? 0
                       : (size_t)(header->sh_size / header->sh_entsize);

    if (data == NULL || header->sh_entsize != sizeof(Elf64_Sym))
        return refuse(error, "a damaged symbol table; link it again");
    for (size_t i = 0; i < MIN(count, (size_t)INT_MAX); i++) {
        GElf_Sym entry;
        ImageSymbol symbol;

        if (gelf_getsym(data, (int)i, &entry) == NULL)
            return refuse(error, "a damaged symbol table; link it again");
        if (take_symbol(image, &entry,
                        elf_strptr(image->elf, header->sh_link, entry.st_name),
                        &symbol))
            image_symbols_add(image->symbols, &symbol);
    }
    return true;
}

static bool
resolve_symbol(void *user, const char *name, gva_t *address)
{
    const ImageSymbol *symbol = image_lookup_symbol(user, name);

    if (symbol != NULL)
        *address = symbol->address;
    return symbol != NULL;
}

static bool
read_probes(Image *image, GError **error)
{
    ImageProbesInput input = {
        .resolve = resolve_symbol,
        .user = image,
        .strings = image->strings,
    };

    if (!image_probes_list(image->elf, &input, image->probes, error))
        return false;
    for (unsigned i = 0; i < image->probes->len; i++) {
        const ImageProbe *probe = image_probe(image, i);

        if (!image_is_code(image, probe->address))
            return refuse(error,
                          "probe %s:%s is at 0x%" PRIx64 ", where no "
                          "code is; link it again",
                          probe->provider, probe->name, probe->address);
    }
    return true;
}

/* The sections come after the segments; without any the guest just has no
 * names.  Probes need all symbols. */
static bool
read_sections(Image *image, GError **error)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;

    while ((section = elf_nextscn(image->elf, section)) != NULL)
        if (gelf_getshdr(section, &header) != NULL &&
            header.sh_type == SHT_SYMTAB &&
            !read_symbol_table(image, section, &header, error))
            return false;
    image_symbols_index(image->symbols);
    return read_probes(image, error);
}

static bool
parse(Image *image, GError **error)
{
    GElf_Ehdr header;
    Digest digest;

    if (image->size < sizeof(Elf64_Ehdr) ||
        memcmp(image->bytes, ELFMAG, SELFMAG) != 0)
        return refuse(error, "not an ELF file; give a linked guest");
    digest_init(&digest);
    digest_bytes(&digest, image->bytes, image->size);
    image->digest = digest_value(&digest);
    elf_version(EV_CURRENT);
    image->elf = elf_memory(image->bytes, image->size);
    if (image->elf == NULL || elf_kind(image->elf) != ELF_K_ELF ||
        gelf_getehdr(image->elf, &header) == NULL)
        return refuse(error, "a damaged ELF header; link it again");
    return check_header(image, &header, error) && read_segments(image, error) &&
           check_entry(image, error) && read_sections(image, error);
}

Image *
image_load(const char *path, GError **error)
{
    g_autoptr(Image) image = g_new0(Image, 1);
    g_autofree char *directory = g_path_get_dirname(path);

    image->path = g_strdup(path);
    image->segments = g_array_new(FALSE, FALSE, sizeof(ImageSegment));
    image->symbols = image_symbols_new();
    image->probes = g_array_new(FALSE, FALSE, sizeof(ImageProbe));
    image->strings = g_string_chunk_new(1024);
    image->source = sourcetext_new(directory);
    if (!read_file(image, error) || !parse(image, error)) {
        g_prefix_error(error, "guest image %s: ", path);
        return NULL;
    }
    return g_steal_pointer(&image);
}

void
image_free(Image *image)
{
    if (image == NULL)
        return;
    image_lines_free(image->lines);
    image_types_free(image->types);
    dwarf_end(image->dwarf);
    elf_end(image->elf);
    sourcetext_free(image->source);
    g_array_free(image->segments, TRUE);
    image_symbols_free(image->symbols);
    g_array_free(image->probes, TRUE);
    g_string_chunk_free(image->strings);
    g_free(image->bytes);
    g_free(image->path);
    g_free(image);
}

const char *
image_path(const Image *image)
{
    return image->path;
}

uint64_t
image_digest(const Image *image)
{
    return image->digest;
}

gva_t
image_entry(const Image *image)
{
    return image->entry;
}

size_t
image_segment_count(const Image *image)
{
    return image->segments->len;
}

const ImageSegment *
image_segment(const Image *image, size_t index)
{
    INVARIANT(index < image->segments->len);
    return &g_array_index(image->segments, ImageSegment, index);
}

bool
image_physical(const Image *image, gva_t address, gpa_t *physical)
{
    const ImageSegment *segment = segment_at(image, address);

    if (segment != NULL)
        *physical = address - segment->virtual + segment->physical;
    return segment != NULL;
}

size_t
image_symbol_count(const Image *image)
{
    return image_symbols_count(image->symbols);
}

const ImageSymbol *
image_symbol(const Image *image, size_t index)
{
    return image_symbols_get(image->symbols, index);
}

const ImageSymbol *
image_lookup_symbol(const Image *image, const char *name)
{
    return image_symbols_lookup(image->symbols, name);
}

const ImageSymbol *
image_symbol_at(const Image *image, gva_t address)
{
    const ImageSymbol *found = image_symbols_at(image->symbols, address);
    const ImageSegment *segment = segment_at(image, address);

    if (found == NULL && segment != NULL &&
        segment->flags & IMAGE_SEGMENT_EXECUTE)
        found = image_symbols_label_before(image->symbols, segment->virtual,
                                           address);
    return found;
}

const char *
image_suggest(const Image *image, const char *misspelt)
{
    return image_symbols_suggest(image->symbols, misspelt);
}

/* Reading on demand does not change what an image answers. */
static Image *
with_dwarf(const Image *constant)
{
    Image *image = (Image *)(uintptr_t)constant;

    if (!image->dwarf_tried)
        image->dwarf = dwarf_begin_elf(image->elf, DWARF_C_READ, NULL);
    image->dwarf_tried = true;
    return image;
}

static const ImageLines *
lines_of(const Image *constant)
{
    Image *image = with_dwarf(constant);
    g_autoptr(GArray) text = NULL;

    if (image->lines != NULL)
        return image->lines;
    text = g_array_new(FALSE, FALSE, sizeof(ImageRange));
    for (unsigned i = 0; i < image->segments->len; i++) {
        const ImageSegment *segment = image_segment(image, i);
        ImageRange range = {segment->virtual,
                            segment->virtual + segment->memory_size};

        if (segment->flags & IMAGE_SEGMENT_EXECUTE)
            g_array_append_val(text, range);
    }
    image->lines = image_lines_new(
        image->dwarf, (const ImageRange *)(void *)text->data, text->len);
    return image->lines;
}

static ImageTypes *
types_of(const Image *constant)
{
    Image *image = with_dwarf(constant);

    if (image->types == NULL)
        image->types = image_types_new(image->dwarf);
    return image->types;
}

bool
image_line_at(const Image *image, gva_t address, ImageLine *out)
{
    const ImageSymbol *symbol;
    ImageFrame *outermost;

    if (!image_lines_at(lines_of(image), address, out))
        return false;
    outermost = &out->frames[out->frame_count - 1];
    symbol = image_symbol_at(image, address);
    if (outermost->function == NULL && symbol != NULL)
        outermost->function = symbol->name;
    return true;
}

void
image_set_source_directory(Image *image, const char *directory)
{
    sourcetext_set_directory(image->source, directory);
}

void
image_substitute_source(Image *image, const char *name, const char *path)
{
    sourcetext_substitute(image->source, name, path);
}

const char *
image_source_line(const Image *image, const char *file, unsigned line)
{
    return sourcetext_line(image->source, file, line);
}

/* True when debug information knows a function that has no symbol. */
static bool
is_inlined_function(const ImageLines *lines, const char *name)
{
    for (unsigned i = 0; i < lines->scopes->len; i++)
        if (strcmp(g_array_index(lines->scopes, ImageScope, i).name, name) == 0)
            return true;
    return false;
}

bool
image_find_quote(const Image *image, const char *function, const char *quote,
                 GArray *addresses, GError **error)
{
    const ImageSymbol *symbol = image_lookup_symbol(image, function);
    const ImageLines *lines = lines_of(image);
    ImageQuote question = {.function = function, .text = quote};

    if (symbol == NULL && !is_inlined_function(lines, function)) {
        const char *near = image_suggest(image, function);

        g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_SYMBOL,
                    "guest image %s: no function %s%s%s", image->path, function,
                    near ? "; did you mean " : "", near ? near : "");
        return false;
    }
    question.address = symbol != NULL ? &symbol->address : NULL;
    return image_quote_find(lines, image->source, &question, addresses, error);
}

const ImageType *
image_type_named(const Image *image, const char *name)
{
    return image_types_named(types_of(image), name);
}

const ImageType *
image_variable_type(const Image *image, const char *name)
{
    return image_types_variable(types_of(image), name);
}

const ImageType *
image_function_type(const Image *image, const char *name)
{
    return image_types_function(types_of(image), name);
}

size_t
image_probe_count(const Image *image)
{
    return image->probes->len;
}

const ImageProbe *
image_probe(const Image *image, size_t index)
{
    INVARIANT(index < image->probes->len);
    return &g_array_index(image->probes, ImageProbe, index);
}
