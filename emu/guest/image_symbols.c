/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "guest/image_symbols.h"

#include "guest/image_spelling.h"

struct ImageSymbols {
    GArray *symbols;     /* ImageSymbol */
    GArray *ends;        /* gva_t: the furthest end among the symbols up to
                          * this one, so that a search can stop */
    GHashTable *by_name; /* -> ImageSymbol */
};

ImageSymbols *
image_symbols_new(void)
{
    ImageSymbols *symbols = g_new0(ImageSymbols, 1);

    symbols->symbols = g_array_new(FALSE, FALSE, sizeof(ImageSymbol));
    symbols->ends = g_array_new(FALSE, FALSE, sizeof(gva_t));
    symbols->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    return symbols;
}

void
image_symbols_free(ImageSymbols *symbols)
{
    if (symbols == NULL)
        return;
    g_array_free(symbols->symbols, TRUE);
    g_array_free(symbols->ends, TRUE);
    g_hash_table_destroy(symbols->by_name);
    g_free(symbols);
}

void
image_symbols_add(ImageSymbols *symbols, const ImageSymbol *symbol)
{
    g_array_append_val(symbols->symbols, *symbol);
}

static int
compare_symbols(const void *left, const void *right)
{
    const ImageSymbol *a = left;
    const ImageSymbol *b = right;

    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->size != b->size)
        return a->size > b->size ? -1 : 1;
    if (a->is_global != b->is_global)
        return a->is_global ? -1 : 1;
    return strcmp(a->name, b->name);
}

void
image_symbols_index(ImageSymbols *symbols)
{
    gva_t furthest = 0;

    g_array_sort(symbols->symbols, compare_symbols);
    for (unsigned i = 0; i < symbols->symbols->len; i++) {
        ImageSymbol *symbol = &g_array_index(symbols->symbols, ImageSymbol, i);
        const ImageSymbol *known = g_hash_table_lookup(symbols->by_name,
                                                       symbol->name);

        if (symbol->size > UINT64_MAX - symbol->address)
            symbol->size = 0;
        if (known == NULL || (symbol->is_global && !known->is_global))
            g_hash_table_insert(symbols->by_name, (void *)symbol->name, symbol);
        furthest = MAX(furthest, symbol->address + symbol->size);
        g_array_append_val(symbols->ends, furthest);
    }
}

size_t
image_symbols_count(const ImageSymbols *symbols)
{
    return symbols->symbols->len;
}

const ImageSymbol *
image_symbols_get(const ImageSymbols *symbols, size_t index)
{
    INVARIANT(index < symbols->symbols->len);
    return &g_array_index(symbols->symbols, ImageSymbol, index);
}

const ImageSymbol *
image_symbols_lookup(const ImageSymbols *symbols, const char *name)
{
    return g_hash_table_lookup(symbols->by_name, name);
}

/* The number of symbols that start at or before `address`. */
static unsigned
count_up_to(const ImageSymbols *symbols, gva_t address)
{
    unsigned low = 0;
    unsigned high = symbols->symbols->len;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (image_symbols_get(symbols, middle)->address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const ImageSymbol *
image_symbols_at(const ImageSymbols *symbols, gva_t address)
{
    const ImageSymbol *found = NULL;

    for (unsigned i = count_up_to(symbols, address); i > 0; i--) {
        const ImageSymbol *symbol = image_symbols_get(symbols, i - 1);

        /* Of symbols at one address the first in order names it best. */
        if (g_array_index(symbols->ends, gva_t, i - 1) <= address ||
            (found != NULL && symbol->address < found->address))
            break;
        if (address - symbol->address < symbol->size)
            found = symbol;
    }
    return found;
}

const ImageSymbol *
image_symbols_label_before(const ImageSymbols *symbols, gva_t low,
                           gva_t address)
{
    const ImageSymbol *found = NULL;

    for (unsigned i = count_up_to(symbols, address); i > 0; i--) {
        const ImageSymbol *symbol = image_symbols_get(symbols, i - 1);

        if (symbol->address < low ||
            (found != NULL && symbol->address < found->address))
            break;
        if (symbol->size == 0 && symbol->kind != IMAGE_SYMBOL_OBJECT)
            found = symbol;
    }
    return found;
}

const char *
image_symbols_suggest(const ImageSymbols *symbols, const char *misspelt)
{
    unsigned best = image_spelling_limit(misspelt) + 1;
    const char *nearest = NULL;

    for (unsigned i = 0; i < symbols->symbols->len; i++) {
        const char *name = image_symbols_get(symbols, i)->name;
        unsigned distance;

        /* Names with a dot are the compiler's: nobody means them. */
        if (strchr(name, '.') != NULL)
            continue;
        distance = image_spelling_distance(misspelt, name, best);
        if (distance < best || (distance == best && nearest != NULL &&
                                strcmp(name, nearest) < 0)) {
            best = distance;
            nearest = name;
        }
    }
    return nearest;
}
