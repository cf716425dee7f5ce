/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_symbols -- name <-> address.
 *
 * Filled once, then indexed, then only asked.  Invariants after indexing:
 * symbols are in one total order (address, kind, larger first, global first,
 * name); symbols do not wrap around the end of memory.
 *
 * Layer 1; owned by an Image.
 */
#ifndef EMU_GUEST_IMAGE_SYMBOLS_H
#define EMU_GUEST_IMAGE_SYMBOLS_H

#include "base/base.h"

typedef enum ImageSymbolKind {
    IMAGE_SYMBOL_FUNCTION,
    IMAGE_SYMBOL_OBJECT,
    IMAGE_SYMBOL_LABEL, /* of assembly or the linker script, without a type */
} ImageSymbolKind;

typedef struct ImageSymbol {
    const char *name; /* borrowed from the file */
    gva_t address;
    uint64_t size; /* bytes; 0: not told */
    ImageSymbolKind kind;
    bool is_global;
} ImageSymbol;

typedef struct ImageSymbols ImageSymbols;

ImageSymbols *image_symbols_new(void);
void image_symbols_free(ImageSymbols *symbols);

/* Add a symbol; its name must outlive the table. */
void image_symbols_add(ImageSymbols *symbols, const ImageSymbol *symbol);

/* To be called once, after the last symbol was added. */
void image_symbols_index(ImageSymbols *symbols);

size_t image_symbols_count(const ImageSymbols *symbols);
const ImageSymbol *image_symbols_get(const ImageSymbols *symbols, size_t index);

/* By name: a global one first, then the one at the lowest address; or NULL. */
const ImageSymbol *image_symbols_lookup(const ImageSymbols *symbols,
                                        const char *name);

/* The innermost symbol whose bytes hold `address`, or NULL. */
const ImageSymbol *image_symbols_at(const ImageSymbols *symbols, gva_t address);

/* The last symbol without a size in [low, address] that is not data, or
 * NULL: where assembly code without .size belongs. */
const ImageSymbol *image_symbols_label_before(const ImageSymbols *symbols,
                                              gva_t low, gva_t address);

/* The name nearest to a misspelt one; the first in byte order of several;
 * NULL when none is near. */
const char *image_symbols_suggest(const ImageSymbols *symbols,
                                  const char *misspelt);

#endif
