/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/point.h"

Point
point_copy(const Point *point)
{
    return (Point){
        .kind = point->kind,
        .function = g_strdup(point->function),
        .quote = g_strdup(point->quote),
        .line = point->line,
    };
}

void
point_clear(Point *point)
{
    g_free(point->function);
    g_free(point->quote);
    *point = (Point){0};
}

/* The returns of a function: where it is about to go back to its caller. */
static void
find_returns(const ImageSymbol *symbol, const Gmem *memory, GArray *addresses)
{
    gva_t at = symbol->address;
    gva_t end = symbol->address + symbol->size;

    while (at < end) {
        gpa_t physical;
        Insn insn;

        if (!gmem_translate(memory, at, 1, &physical) ||
            !insn_decode(&insn, memory->bytes + physical,
                         MIN(memory->size - physical, end - at), at,
                         INSN_MODE_64))
            return;
        if (insn.flags & (INSN_RET | INSN_IRET))
            g_array_append_val(addresses, at);
        at += insn.length;
    }
}

bool
point_find(const Point *point, const Image *image, const Gmem *memory,
           GArray *addresses, GError **error)
{
    const ImageSymbol *symbol;

    if (point->kind == POINT_LINE) {
        if (image_find_quote(image, point->function, point->quote, addresses,
                             error))
            return true;
        g_prefix_error(error, "%u: ", point->line);
        return false;
    }
    symbol = image_lookup_symbol(image, point->function);
    if (symbol == NULL) {
        g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_SYMBOL,
                    "%u: no function `%s` in the guest", point->line,
                    point->function);
        return false;
    }
    if (point->kind == POINT_ENTER)
        g_array_append_val(addresses, symbol->address);
    else
        find_returns(symbol, memory, addresses);
    return true;
}
