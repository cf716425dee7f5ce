/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "guest/image_spelling.h"

unsigned
image_spelling_limit(const char *word)
{
    size_t length = strlen(word);

    return length < 4 ? 1 : (unsigned)MIN(length / 3, 16);
}

unsigned
image_spelling_distance(const char *a, const char *b, unsigned limit)
{
    /* Three rows of the table: the swap looks two back. */
    unsigned rows[3][IMAGE_SPELLING_BYTES_MAX + 1];
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);
    size_t gap = a_size > b_size ? a_size - b_size : b_size - a_size;

    if (MAX(a_size, b_size) > IMAGE_SPELLING_BYTES_MAX || gap > limit)
        return limit + 1;
    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_size; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *last = rows[(i + 2) % 3];
        const unsigned *before = rows[(i + 1) % 3];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_size; j++) {
            unsigned cost = a[i - 1] == b[j - 1] ? 0 : 1;
            unsigned best = MIN(last[j], row[j - 1]) + 1;

            best = MIN(best, last[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = MIN(best, before[j - 2] + 1);
            row[j] = best;
        }
    }
    return MIN(rows[a_size % 3][b_size], limit + 1);
}
