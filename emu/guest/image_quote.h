/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_quote -- a quoted source line of a function, as machine addresses.
 *
 *      "cpu_enable_intr();"  in  lwkt_send_ipiq3
 *             │ text of the function's lines, trimmed
 *             ▼
 *          line 214 ── rows of that line ──────────┐
 *             └─────── functions inlined there ────┴──▶ addresses
 *
 * A line is quoted whole, or by a part if no line equals the quotation.  One
 * address is given for each contiguous block of the line's code, its first;
 * code that was inlined from the line belongs to the block.
 *
 * Layer 1; stateless, used by Image.
 */
#ifndef EMU_GUEST_IMAGE_QUOTE_H
#define EMU_GUEST_IMAGE_QUOTE_H

#include "base/base.h"
#include "guest/image_lines.h"
#include "guest/sourcetext.h"

typedef enum ImageQuoteError {
    IMAGE_QUOTE_ERROR_NO_FUNCTION, /* no debug information of it */
    IMAGE_QUOTE_ERROR_NO_SOURCE,   /* its file is not readable */
    IMAGE_QUOTE_ERROR_NOT_FOUND,
    IMAGE_QUOTE_ERROR_AMBIGUOUS, /* several lines match */
    IMAGE_QUOTE_ERROR_NO_CODE,   /* the compiler kept nothing of the line */
} ImageQuoteError;

#define IMAGE_QUOTE_ERROR image_quote_error_quark()
GQuark image_quote_error_quark(void);

typedef struct ImageQuote {
    const char *function;
    const gva_t *address; /* where its symbol stands; NULL without one */
    const char *text;
} ImageQuote;

/*
 * Append the addresses (gva_t, ascending) to `addresses`.  The function's code
 * is all its out-of-line copies with their cold parts; a function that exists
 * only inlined is meant in all its inlined copies.  On failure nothing is
 * appended; see ImageQuoteError.
 */
bool image_quote_find(const ImageLines *lines, SourceText *source,
                      const ImageQuote *quote, GArray *addresses,
                      GError **error);

#endif
