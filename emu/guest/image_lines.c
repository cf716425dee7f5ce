/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "guest/image_lines.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

#include "guest/image_names.h"

/* Lexical blocks and inlined functions in each other; deeper is damage. */
#define NESTING_MAX 128

typedef struct ImageLinesFunction {
    ImageRange range;
    uint32_t scope;
} ImageLinesFunction;

/* What is at hand while the tables are filled. */
typedef struct Reader {
    ImageLines *lines;
    const ImageRange *text;
    size_t text_count;
    size_t budget; /* entries that may still be visited: a damaged sibling
                    * reference can make a circle */
    uint32_t parent;
    unsigned depth;
} Reader;

static bool
spend(Reader *reader)
{
    return reader->budget > 0 && reader->budget-- > 0;
}

/* One spelling for each file, whatever unit names it. */
static const char *
intern_file(ImageLines *lines, const char *name)
{
    g_autofree char *whole = NULL;

    if (name == NULL)
        return NULL;
    whole = g_canonicalize_filename(name, "/");
    return g_string_chunk_insert_const(
        lines->names, g_path_is_absolute(name) ? whole : whole + 1);
}

static bool
is_text(const Reader *reader, gva_t address)
{
    for (size_t i = 0; i < reader->text_count; i++)
        if (address >= reader->text[i].low && address <= reader->text[i].high)
            return true;
    return false;
}

static void
read_rows(Reader *reader, Dwarf_Die *unit)
{
    Dwarf_Lines *table = NULL;
    size_t count = 0;
    const char *last_name = NULL;
    const char *last_file = NULL;

    if (dwarf_getsrclines(unit, &table, &count) != 0)
        return;
    for (size_t i = 0; i < count; i++) {
        Dwarf_Line *line = dwarf_onesrcline(table, i);
        ImageRow row = {.order = reader->lines->rows->len};
        const char *name = line == NULL ? NULL
                                        : dwarf_linesrc(line, NULL, NULL);
        int number = 0;

        if (name == NULL || dwarf_lineaddr(line, &row.address) != 0 ||
            dwarf_lineno(line, &number) != 0 || number < 0 ||
            dwarf_linebeginstatement(line, &row.is_statement) != 0 ||
            dwarf_lineendsequence(line, &row.end_sequence) != 0 ||
            !is_text(reader, row.address))
            continue;
        if (name != last_name)
            last_file = intern_file(reader->lines, name);
        last_name = name;
        row.file = last_file;
        row.line = (uint32_t)number;
        g_array_append_val(reader->lines->rows, row);
    }
}

static int
compare_rows(const void *left, const void *right)
{
    const ImageRow *a = left;
    const ImageRow *b = right;

    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    /* What ends at an address comes before what begins there. */
    if (a->end_sequence != b->end_sequence)
        return a->end_sequence ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static unsigned
unsigned_attribute(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;

    if (dwarf_formudata(dwarf_attr_integrate(die, name, &attribute), &value) !=
            0 ||
        value > UINT32_MAX)
        return 0;
    return (unsigned)value;
}

static void
read_ranges(Reader *reader, Dwarf_Die *die, ImageScope *scope)
{
    GArray *ranges = reader->lines->ranges;
    Dwarf_Addr base = 0;
    ImageRange range;
    ptrdiff_t offset = 0;

    scope->first_range = ranges->len;
    while (spend(reader) &&
           (offset = dwarf_ranges(die, offset, &base, &range.low,
                                  &range.high)) > 0)
        if (range.low < range.high && is_text(reader, range.low))
            g_array_append_val(ranges, range);
    scope->range_count = ranges->len - scope->first_range;
    if (scope->range_count > 0 && dwarf_entrypc(die, &scope->entry) != 0)
        scope->entry =
            g_array_index(ranges, ImageRange, scope->first_range).low;
}

static void
index_function(ImageLines *lines, uint32_t index)
{
    const ImageScope *scope = &g_array_index(lines->scopes, ImageScope, index);

    for (uint32_t i = 0; i < scope->range_count; i++) {
        ImageLinesFunction function = {
            .range = g_array_index(lines->ranges, ImageRange,
                                   scope->first_range + i),
            .scope = index,
        };

        g_array_append_val(lines->functions, function);
    }
}

static void read_children(Reader *reader, Dwarf_Die *die);

static void
read_scope(Reader *reader, Dwarf_Die *die, bool inlined)
{
    ImageLines *lines = reader->lines;
    uint32_t saved_parent = reader->parent;
    uint32_t index = lines->scopes->len;
    const char *name = dwarf_diename(die);
    ImageScope scope = {
        .file = intern_file(lines, image_names_file(die, DW_AT_decl_file)),
        .line = unsigned_attribute(die, DW_AT_decl_line),
        .parent = inlined ? reader->parent : IMAGE_SCOPE_NONE,
    };

    if (name == NULL || dwarf_hasattr(die, DW_AT_declaration))
        return;
    scope.name = g_string_chunk_insert_const(lines->names, name);
    if (inlined) {
        scope.call_line = unsigned_attribute(die, DW_AT_call_line);
        scope.call_file = intern_file(lines,
                                      image_names_file(die, DW_AT_call_file));
    }
    read_ranges(reader, die, &scope);
    g_array_append_val(lines->scopes, scope);
    if (!inlined)
        index_function(lines, index);
    reader->parent = index;
    read_children(reader, die);
    reader->parent = saved_parent;
    g_array_index(lines->scopes, ImageScope, index).end = lines->scopes->len;
}

static void
read_children(Reader *reader, Dwarf_Die *die)
{
    Dwarf_Die child;

    if (reader->depth == NESTING_MAX || dwarf_child(die, &child) != 0)
        return;
    reader->depth++;
    do {
        switch (dwarf_tag(&child)) {
        case DW_TAG_subprogram:
            read_scope(reader, &child, false);
            break;
        case DW_TAG_inlined_subroutine:
            if (reader->parent != IMAGE_SCOPE_NONE)
                read_scope(reader, &child, true);
            break;
        case DW_TAG_lexical_block:
            read_children(reader, &child);
            break;
        default:
            break;
        }
    } while (spend(reader) && dwarf_siblingof(&child, &child) == 0);
    reader->depth--;
}

static int
compare_functions(const void *left, const void *right)
{
    const ImageLinesFunction *a = left;
    const ImageLinesFunction *b = right;

    if (a->range.low != b->range.low)
        return a->range.low < b->range.low ? -1 : 1;
    return a->scope < b->scope ? -1 : a->scope > b->scope;
}

static void
read_units(Reader *reader, Dwarf *dwarf)
{
    Dwarf_CU *unit = NULL;
    Dwarf_Die die;

    while (spend(reader) &&
           dwarf_get_units(dwarf, unit, &unit, NULL, NULL, &die, NULL) == 0) {
        if (dwarf_tag(&die) != DW_TAG_compile_unit)
            continue;
        reader->parent = IMAGE_SCOPE_NONE;
        read_rows(reader, &die);
        read_children(reader, &die);
    }
}

ImageLines *
image_lines_new(Dwarf *dwarf, const ImageRange *text, size_t text_count)
{
    ImageLines *lines = g_new0(ImageLines, 1);
    Reader reader = {.lines = lines, .text = text, .text_count = text_count};

    lines->rows = g_array_new(FALSE, FALSE, sizeof(ImageRow));
    lines->scopes = g_array_new(FALSE, FALSE, sizeof(ImageScope));
    lines->ranges = g_array_new(FALSE, FALSE, sizeof(ImageRange));
    lines->functions = g_array_new(FALSE, FALSE, sizeof(ImageLinesFunction));
    lines->names = g_string_chunk_new(4096);
    if (dwarf == NULL)
        return lines;
    /* An entry takes at least a byte of the file, and so does a range. */
    elf_rawfile(dwarf_getelf(dwarf), &reader.budget);
    reader.budget *= 2;
    read_units(&reader, dwarf);
    g_array_sort(lines->rows, compare_rows);
    g_array_sort(lines->functions, compare_functions);
    return lines;
}

void
image_lines_free(ImageLines *lines)
{
    if (lines == NULL)
        return;
    g_array_free(lines->rows, TRUE);
    g_array_free(lines->scopes, TRUE);
    g_array_free(lines->ranges, TRUE);
    g_array_free(lines->functions, TRUE);
    g_string_chunk_free(lines->names);
    g_free(lines);
}

bool
image_lines_scope_holds(const ImageLines *lines, const ImageScope *scope,
                        gva_t address)
{
    for (uint32_t i = 0; i < scope->range_count; i++) {
        const ImageRange *range = &g_array_index(lines->ranges, ImageRange,
                                                 scope->first_range + i);

        if (address >= range->low && address < range->high)
            return true;
    }
    return false;
}

const ImageScope *
image_lines_function_at(const ImageLines *lines, gva_t address)
{
    unsigned low = 0;
    unsigned high = lines->functions->len;
    const ImageLinesFunction *function;

    /* After the loop `low` is the number of parts that start at or before
     * the address. */
    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        function = &g_array_index(lines->functions, ImageLinesFunction, middle);
        if (function->range.low <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    function = &g_array_index(lines->functions, ImageLinesFunction, low - 1);
    if (address >= function->range.high)
        return NULL;
    return &g_array_index(lines->scopes, ImageScope, function->scope);
}

static uint32_t
scope_index(const ImageLines *lines, const ImageScope *scope)
{
    return (uint32_t)(scope - &g_array_index(lines->scopes, ImageScope, 0));
}

const ImageScope *
image_lines_inlined_at(const ImageLines *lines, const ImageScope *scope,
                       gva_t address)
{
    uint32_t index = scope_index(lines, scope);
    uint32_t i = index + 1;

    while (i < scope->end) {
        const ImageScope *inner = &g_array_index(lines->scopes, ImageScope, i);

        if (inner->parent == index &&
            image_lines_scope_holds(lines, inner, address))
            return inner;
        i = inner->end;
    }
    return NULL;
}

static const ImageRow *
row_at(const ImageLines *lines, gva_t address)
{
    unsigned low = 0;
    unsigned high = lines->rows->len;
    const ImageRow *row;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (g_array_index(lines->rows, ImageRow, middle).address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    row = &g_array_index(lines->rows, ImageRow, low - 1);
    return row->end_sequence || row->line == 0 ? NULL : row;
}

bool
image_lines_at(const ImageLines *lines, gva_t address, ImageLine *out)
{
    const ImageRow *row = row_at(lines, address);
    const ImageScope *scope = image_lines_function_at(lines, address);
    const ImageScope *inner;

    memset(out, 0, sizeof *out);
    if (row == NULL)
        return false;
    out->file = row->file;
    out->line = row->line;
    out->frame_count = 1;
    out->frames[0].file = row->file;
    out->frames[0].line = row->line;
    if (scope == NULL)
        return true;
    while ((inner = image_lines_inlined_at(lines, scope, address)) != NULL)
        scope = inner;
    out->frames[0].function = scope->name;
    while (scope->parent != IMAGE_SCOPE_NONE) {
        ImageFrame *frame = &out->frames[out->frame_count];

        if (out->frame_count == IMAGE_FRAMES_MAX)
            frame--;
        else
            out->frame_count++;
        frame->file = scope->call_file;
        frame->line = scope->call_line;
        scope = &g_array_index(lines->scopes, ImageScope, scope->parent);
        frame->function = scope->name;
    }
    return true;
}
