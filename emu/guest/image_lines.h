/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_lines -- machine address <-> source line, from DWARF.
 *
 * Two tables, both in one address order: the rows of all line programs, and
 * the scopes: functions, and under each the functions inlined into it.
 *
 *      scope 0  function f         [100,180) [300,310)      cold part
 *        1        inlined g        [120,140)   called at f.c:12
 *        2          inlined h      [128,130)   called at g.h:7
 *        3        inlined g        [150,160)   called at f.c:20
 *      scope 4  function k ...
 *
 * Invariants: scopes are in pre-order; `end` is the index after a scope's last
 * descendant; rows of removed sections (outside the text) are not kept; file
 * names are interned, equal names are equal pointers.
 *
 * Damaged debug information gives fewer rows and scopes, never an error: who
 * needs a line and finds none says so.  Layer 1; owned by an Image.
 */
#ifndef EMU_GUEST_IMAGE_LINES_H
#define EMU_GUEST_IMAGE_LINES_H

#include "base/base.h"

typedef struct Dwarf Dwarf; /* of libdw */

typedef struct ImageRange {
    gva_t low;
    gva_t high; /* the first address beyond */
} ImageRange;

/* One level of a call chain that inlining folded into one address. */
typedef struct ImageFrame {
    const char *function; /* NULL when unknown */
    const char *file;
    unsigned line;
} ImageFrame;

#define IMAGE_FRAMES_MAX 16

/*
 * frames[0] is the function whose code this is, at file:line; frames[1] is the
 * function that it was inlined into, at the line of the call; and so on to the
 * function that has a stack frame.  Chains that are longer lose their middle.
 */
typedef struct ImageLine {
    const char *file;
    unsigned line;
    unsigned frame_count;
    ImageFrame frames[IMAGE_FRAMES_MAX];
} ImageLine;

typedef struct ImageRow {
    gva_t address;
    const char *file;
    uint32_t line;
    uint32_t order;    /* among rows of one address: as in the line program */
    bool is_statement; /* a good place to stop */
    bool end_sequence; /* the address after the last one described */
} ImageRow;

#define IMAGE_SCOPE_NONE UINT32_MAX

typedef struct ImageScope {
    const char *name; /* never NULL */
    const char *file; /* of the declaration; may be NULL */
    unsigned line;
    const char *call_file; /* of an inlined scope; may be NULL */
    unsigned call_line;
    gva_t entry;
    uint32_t first_range; /* in ImageLines.ranges */
    uint32_t range_count; /* 0: no code of its own, an abstract function */
    uint32_t parent;      /* scope inlined into, or IMAGE_SCOPE_NONE */
    uint32_t end;
} ImageScope;

/* Open to image_quote, which walks the tables; others call image.h. */
typedef struct ImageLines {
    GArray *rows;      /* ImageRow, by address and order */
    GArray *scopes;    /* ImageScope */
    GArray *ranges;    /* ImageRange */
    GArray *functions; /* ImageLinesFunction, by address */
    GStringChunk *names;
} ImageLines;

/* Read the tables of `dwarf` (NULL: no debug information, empty tables).  Of
 * rows only those inside the `text_count` ranges of `text` are kept. */
ImageLines *image_lines_new(Dwarf *dwarf, const ImageRange *text,
                            size_t text_count);
void image_lines_free(ImageLines *lines);

/* The line and the inline chain of an address; false when it has no line. */
bool image_lines_at(const ImageLines *lines, gva_t address, ImageLine *out);

/* The out-of-line function that holds `address`, or NULL. */
const ImageScope *image_lines_function_at(const ImageLines *lines,
                                          gva_t address);

/* The scope inlined directly into `scope` that holds `address`, or NULL. */
const ImageScope *image_lines_inlined_at(const ImageLines *lines,
                                         const ImageScope *scope,
                                         gva_t address);

bool image_lines_scope_holds(const ImageLines *lines, const ImageScope *scope,
                             gva_t address);

#endif
