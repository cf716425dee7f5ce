/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image -- a guest: an ELF executable as data.
 *
 * Loaded once, then only asked: what to put into memory, where a name is, what
 * an address is called, which line it came from, what a C type looks like.
 *
 *      ELF file ──┬─ program headers ──▶ segments ──▶ guest memory
 *                 ├─ .symtab ──────────▶ symbols
 *                 ├─ .debug_* ─────────▶ lines, quotations, types
 *                 └─ .note.stapsdt ────▶ probes
 *
 * A guest is a static, freestanding ELF64 executable for x86-64, linked to
 * fixed addresses.  Symbols and debug information may be missing; then nothing
 * is found by name or line.
 *
 * Invariants: segments are within RAM_MIB_MAX MiB and overlap neither in
 * physical nor in virtual memory; every pointer given out is valid as long as
 * the image; an address, unless said otherwise, is virtual.  Debug information
 * is read at the first question that needs it, so an Image must not be asked
 * by two threads at once.
 *
 * Layer 1; has identity, one owner.
 */
#ifndef EMU_GUEST_IMAGE_H
#define EMU_GUEST_IMAGE_H

#include "base/base.h"
#include "guest/image_lines.h"
#include "guest/image_probes.h"
#include "guest/image_symbols.h"
#include "guest/image_types.h"

typedef struct Image Image;

typedef enum ImageError {
    IMAGE_ERROR_FILE,   /* cannot be read */
    IMAGE_ERROR_FORMAT, /* is not a guest, or is damaged */
    IMAGE_ERROR_SYMBOL, /* has no such name */
} ImageError;

#define IMAGE_ERROR image_error_quark()
GQuark image_error_quark(void);

/* Larger files are refused. */
#define IMAGE_BYTES_MAX (512u * 1024u * 1024u)

/*
 * Load the guest at `path`.  NULL when it cannot be read or is no guest; the
 * message names the file and the remedy.
 */
Image *image_load(const char *path, GError **error);
void image_free(Image *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Image, image_free)

/* The path that it was loaded from. */
const char *image_path(const Image *image);

/* A digest of every byte of the file. */
uint64_t image_digest(const Image *image);

/* Where execution starts, as the ELF header says: virtual, or physical for
 * guests that begin before paging. */
gva_t image_entry(const Image *image);

enum {
    IMAGE_SEGMENT_EXECUTE = 1, /* the bits of p_flags */
    IMAGE_SEGMENT_WRITE = 2,
    IMAGE_SEGMENT_READ = 4,
};

typedef struct ImageSegment {
    gpa_t physical; /* p_paddr */
    gva_t virtual;
    const uint8_t *bytes; /* file_size of them; the rest is zero */
    uint64_t file_size;
    uint64_t memory_size; /* >= file_size, > 0 */
    unsigned flags;       /* IMAGE_SEGMENT_* */
} ImageSegment;

/* The segments to load, in the order of the file. */
size_t image_segment_count(const Image *image);
const ImageSegment *image_segment(const Image *image, size_t index);

/* The physical address that the linker gave a virtual one; false when no
 * segment holds it. */
bool image_physical(const Image *image, gva_t address, gpa_t *physical);

/* Is there code of it at this address; in these bytes of physical memory? */
bool image_is_code(const Image *image, gva_t address);
bool image_has_code(const Image *image, gpa_t physical, uint64_t size);

/* All symbols, by address. */
size_t image_symbol_count(const Image *image);
const ImageSymbol *image_symbol(const Image *image, size_t index);

/* The symbol of a name, static ones too, or NULL.  Of several of one name a
 * global one counts, then the one at the lowest address. */
const ImageSymbol *image_lookup_symbol(const Image *image, const char *name);

/* The symbol whose bytes hold `address`; in code also the label before it,
 * when nothing with a size does.  NULL when there is none. */
const ImageSymbol *image_symbol_at(const Image *image, gva_t address);

/* The symbol name nearest to a misspelt one, or NULL when none is near; of
 * equally near ones the first in byte order. */
const char *image_suggest(const Image *image, const char *misspelt);

/* The source line of an address, and what was inlined there; false when there
 * is none.  See image_lines.h. */
bool image_line_at(const Image *image, gva_t address, ImageLine *out);

/* Where the sources are: `directory` is where relative names of the debug
 * information start (at first: beside the image). */
void image_set_source_directory(Image *image, const char *directory);
/* The source file called `name` there is at `path`. */
void image_substitute_source(Image *image, const char *name,
                             const char *path);

/* The text of a source line, or NULL when the file is not there. */
const char *image_source_line(const Image *image, const char *file,
                              unsigned line);

/*
 * Append to `addresses` (of gva_t) where the code of a quoted source line of
 * `function` begins, in ascending order.  See image_quote.h for the rules and
 * the errors; a function that does not exist gives IMAGE_ERROR_SYMBOL.
 */
bool image_find_quote(const Image *image, const char *function,
                      const char *quote, GArray *addresses, GError **error);

/* Types; see image_types.h.  NULL when there is none of that name. */
const ImageType *image_type_named(const Image *image, const char *name);
const ImageType *image_variable_type(const Image *image, const char *name);
const ImageType *image_function_type(const Image *image, const char *name);

/* The probes, in the order of the file; see image_probes.h. */
size_t image_probe_count(const Image *image);
const ImageProbe *image_probe(const Image *image, size_t index);

#endif
