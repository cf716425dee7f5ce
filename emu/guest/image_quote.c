/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "guest/image_quote.h"

#include "guest/image_spelling.h"

G_DEFINE_QUARK(image-quote-error, image_quote_error)

/* Line numbers that an "ambiguous" message lists. */
#define LISTED_MAX 8

/* The function a quotation is about, and what was found of it so far. */
typedef struct Search {
    const ImageLines *lines;
    SourceText *source;
    const ImageQuote *quote;
    const char *file;
    unsigned first_line;
    unsigned last_line;
    GArray *copies; /* const ImageScope *: all code of the function */
} Search;

static const ImageScope *
scope_number(const ImageLines *lines, unsigned i)
{
    return &g_array_index(lines->scopes, ImageScope, i);
}

/* The symbol decides among functions of one name; without a symbol (inlined
 * everywhere, or only clones left) the first of that name does. */
static const ImageScope *
search_function(const Search *search)
{
    const ImageScope *found = NULL;

    if (search->quote->address != NULL)
        found = image_lines_function_at(search->lines, *search->quote->address);
    for (unsigned i = 0; found == NULL && i < search->lines->scopes->len; i++) {
        const ImageScope *scope = scope_number(search->lines, i);

        if (scope->range_count > 0 &&
            strcmp(scope->name, search->quote->function) == 0)
            found = scope;
    }
    return found;
}

static void
collect_copies(Search *search, const ImageScope *function)
{
    for (unsigned pass = 0; pass < 2 && search->copies->len == 0; pass++)
        for (unsigned i = 0; i < search->lines->scopes->len; i++) {
            const ImageScope *scope = scope_number(search->lines, i);
            bool inlined = scope->parent != IMAGE_SCOPE_NONE;

            /* Names are interned: one declaration, one pair of pointers. */
            if (inlined == (pass == 1) && scope->range_count > 0 &&
                scope->name == function->name &&
                scope->file == function->file && scope->line == function->line)
                g_array_append_val(search->copies, scope);
        }
}

/* Debug information does not tell where a function ends: its closing brace
 * does, and at the latest the declaration of the next one. */
static void
bound_source(Search *search, const ImageScope *function)
{
    unsigned end = sourcetext_block_end(search->source, function->file,
                                        function->line);

    search->file = function->file;
    search->first_line = function->line;
    search->last_line = end == 0 ? UINT32_MAX : end;
    for (unsigned i = 0; i < search->lines->scopes->len; i++) {
        const ImageScope *scope = scope_number(search->lines, i);

        if (scope->file == function->file && scope->line > function->line &&
            scope->line <= search->last_line)
            search->last_line = scope->line - 1;
    }
}

static char *
trimmed(const char *text)
{
    return g_strstrip(g_strdup(text));
}

static const char *
line_text(const Search *search, unsigned line)
{
    if (line > search->last_line)
        return NULL;
    return sourcetext_line(search->source, search->file, line);
}

static void
match_lines(const Search *search, const char *wanted, bool whole,
            GArray *matches)
{
    const char *text;

    for (unsigned line = search->first_line;
         (text = line_text(search, line)) != NULL; line++) {
        g_autofree char *candidate = trimmed(text);

        if (whole ? strcmp(candidate, wanted) == 0
                  : strstr(candidate, wanted) != NULL)
            g_array_append_val(matches, line);
    }
}

static void
report_not_found(const Search *search, const char *wanted, GError **error)
{
    g_autofree char *nearest = NULL;
    unsigned nearest_line = 0;
    unsigned best = image_spelling_limit(wanted) + 1;
    const char *text;

    for (unsigned line = search->first_line;
         (text = line_text(search, line)) != NULL; line++) {
        g_autofree char *candidate = trimmed(text);
        unsigned distance = image_spelling_distance(wanted, candidate,
                                                    best - 1);

        if (distance < best) {
            best = distance;
            nearest_line = line;
            g_free(nearest);
            nearest = g_steal_pointer(&candidate);
        }
        if (best == 0)
            break;
    }
    g_set_error(error, IMAGE_QUOTE_ERROR, IMAGE_QUOTE_ERROR_NOT_FOUND,
                "no line of %s reads \"%s\"", search->quote->function, wanted);
    if (nearest != NULL && error != NULL) {
        g_autofree char *before = g_steal_pointer(&(*error)->message);

        (*error)->message = g_strdup_printf("%s; did you mean \"%s\" (%s:%u)",
                                            before, nearest, search->file,
                                            nearest_line);
    }
}

static void
report_ambiguous(const Search *search, const char *wanted,
                 const GArray *matches, GError **error)
{
    g_autoptr(GString) list = g_string_new(NULL);

    for (unsigned i = 0; i < MIN(matches->len, LISTED_MAX); i++)
        g_string_append_printf(list, "%s%u", i == 0 ? "" : ", ",
                               g_array_index(matches, unsigned, i));
    if (matches->len > LISTED_MAX)
        g_string_append(list, ", ...");
    g_set_error(error, IMAGE_QUOTE_ERROR, IMAGE_QUOTE_ERROR_AMBIGUOUS,
                "ambiguous quotation: \"%s\" matches lines %s of %s in %s; "
                "quote more of the line",
                wanted, list->str, search->file, search->quote->function);
}

/* The line quoted, or 0. */
static unsigned
find_line(const Search *search, GError **error)
{
    g_autofree char *wanted = trimmed(search->quote->text);
    g_autoptr(GArray) matches = g_array_new(FALSE, FALSE, sizeof(unsigned));

    if (wanted[0] != '\0') {
        match_lines(search, wanted, true, matches);
        if (matches->len == 0)
            match_lines(search, wanted, false, matches);
    }
    if (matches->len == 1)
        return g_array_index(matches, unsigned, 0);
    if (matches->len == 0)
        report_not_found(search, wanted, error);
    else
        report_ambiguous(search, wanted, matches, error);
    return 0;
}

static const ImageScope *
copy_at(const Search *search, gva_t address)
{
    for (unsigned i = 0; i < search->copies->len; i++) {
        const ImageScope *scope = g_array_index(search->copies,
                                                const ImageScope *, i);

        if (image_lines_scope_holds(search->lines, scope, address))
            return scope;
    }
    return NULL;
}

/* The line of the function that an address works for: the row's own, or the
 * line of the call whose inlined code this is; 0 for none. */
static unsigned
line_served(const Search *search, const ImageRow *row)
{
    const ImageScope *copy = copy_at(search, row->address);
    const ImageScope *inner;

    if (copy == NULL || row->end_sequence)
        return 0;
    inner = image_lines_inlined_at(search->lines, copy, row->address);
    if (inner != NULL)
        return inner->call_file == search->file ? inner->call_line : 0;
    return row->file == search->file ? row->line : 0;
}

/* Contiguous code that serves `line`, as ImageRange.  Optimised code is full
 * of rows that describe no byte: what is left of statements that were removed
 * or moved.  They make no block. */
static GArray *
collect_blocks(const Search *search, unsigned line)
{
    GArray *blocks = g_array_new(FALSE, FALSE, sizeof(ImageRange));
    const GArray *rows = search->lines->rows;
    bool open = false;

    for (unsigned i = 0; i < rows->len; i++) {
        const ImageRow *row = &g_array_index(rows, ImageRow, i);
        bool serves = line_served(search, row) == line;

        if (open) {
            ImageRange *block = &g_array_index(blocks, ImageRange,
                                               blocks->len - 1);

            block->high = row->address;
            if (!serves && block->high == block->low)
                g_array_set_size(blocks, blocks->len - 1);
        } else if (serves) {
            ImageRange block = {.low = row->address, .high = row->address};

            g_array_append_val(blocks, block);
        }
        open = serves;
    }
    return blocks;
}

static int
compare_addresses(const void *left, const void *right)
{
    const gva_t *a = left;
    const gva_t *b = right;

    return *a < *b ? -1 : *a > *b;
}

/* Everything that may stand for the line: its rows, and where the functions
 * called there and inlined begin. */
static GArray *
collect_candidates(const Search *search, unsigned line)
{
    GArray *candidates = g_array_new(FALSE, FALSE, sizeof(gva_t));

    for (unsigned i = 0; i < search->lines->rows->len; i++) {
        const ImageRow *row = &g_array_index(search->lines->rows, ImageRow, i);

        if (row->line == line && row->file == search->file &&
            row->is_statement && !row->end_sequence &&
            copy_at(search, row->address) != NULL)
            g_array_append_val(candidates, row->address);
    }
    for (unsigned i = 0; i < search->lines->scopes->len; i++) {
        const ImageScope *scope = scope_number(search->lines, i);

        if (scope->parent != IMAGE_SCOPE_NONE && scope->range_count > 0 &&
            scope->call_line == line && scope->call_file == search->file &&
            copy_at(search, scope->entry) != NULL)
            g_array_append_val(candidates, scope->entry);
    }
    g_array_sort(candidates, compare_addresses);
    return candidates;
}

/* The first candidate of each block, and those between blocks: of a line whose
 * code was moved they are the places where it would have begun. */
static void
list_addresses(const Search *search, unsigned line, GArray *addresses)
{
    g_autoptr(GArray) candidates = collect_candidates(search, line);
    g_autoptr(GArray) blocks = collect_blocks(search, line);
    unsigned first = addresses->len;
    unsigned block = 0;
    bool taken = false; /* an address of `block` was */

    if (blocks->len == 0)
        return;
    for (unsigned i = 0; i < candidates->len; i++) {
        gva_t address = g_array_index(candidates, gva_t, i);
        bool inside = false;

        while (block < blocks->len &&
               address >= g_array_index(blocks, ImageRange, block).high) {
            block++;
            taken = false;
        }
        inside = block < blocks->len &&
                 address >= g_array_index(blocks, ImageRange, block).low;
        if (inside && taken)
            continue;
        taken = inside;
        if (addresses->len == first ||
            g_array_index(addresses, gva_t, addresses->len - 1) != address)
            g_array_append_val(addresses, address);
    }
}

/* The first line after `line` that has addresses, or 0. */
static unsigned
next_line_with_code(const Search *search, unsigned line)
{
    g_autoptr(GArray) addresses = g_array_new(FALSE, FALSE, sizeof(gva_t));

    while (line_text(search, ++line) != NULL) {
        list_addresses(search, line, addresses);
        if (addresses->len > 0)
            return line;
    }
    return 0;
}

static void
report_no_code(const Search *search, unsigned line, GError **error)
{
    g_autofree char *text = trimmed(line_text(search, line));
    unsigned next = next_line_with_code(search, line);

    if (next != 0) {
        g_autofree char *later = trimmed(line_text(search, next));

        g_set_error(error, IMAGE_QUOTE_ERROR, IMAGE_QUOTE_ERROR_NO_CODE,
                    "line %u of %s, \"%s\" in %s, produced no code; the next "
                    "line that did is %u, \"%s\"",
                    line, search->file, text, search->quote->function, next,
                    later);
    } else {
        g_set_error(error, IMAGE_QUOTE_ERROR, IMAGE_QUOTE_ERROR_NO_CODE,
                    "line %u of %s, \"%s\" in %s, produced no code, and no "
                    "later line of the function did",
                    line, search->file, text, search->quote->function);
    }
}

bool
image_quote_find(const ImageLines *lines, SourceText *source,
                 const ImageQuote *quote, GArray *addresses, GError **error)
{
    g_autoptr(GArray)
        copies = g_array_new(FALSE, FALSE, sizeof(const ImageScope *));
    Search search = {
        .lines = lines, .source = source, .quote = quote, .copies = copies};
    const ImageScope *function = search_function(&search);
    unsigned before = addresses->len;
    unsigned line;

    if (function == NULL || function->file == NULL || function->line == 0) {
        g_set_error(error, IMAGE_QUOTE_ERROR, IMAGE_QUOTE_ERROR_NO_FUNCTION,
                    "no debug information about %s; compile it with -g",
                    quote->function);
        return false;
    }
    if (sourcetext_line(source, function->file, function->line) == NULL) {
        g_set_error(error, IMAGE_QUOTE_ERROR, IMAGE_QUOTE_ERROR_NO_SOURCE,
                    "cannot read line %u of %s, where %s is; put the source "
                    "back where the guest was built",
                    function->line, function->file, quote->function);
        return false;
    }
    collect_copies(&search, function);
    bound_source(&search, function);
    line = find_line(&search, error);
    if (line == 0)
        return false;
    list_addresses(&search, line, addresses);
    if (addresses->len == before) {
        report_no_code(&search, line, error);
        return false;
    }
    return true;
}
