/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/tape.h"

G_DEFINE_QUARK(heddle-tape-error, tape_error)

void
tape_init(Tape *tape)
{
    *tape = (Tape){0};
}

void
tape_clear(Tape *tape)
{
    g_free(tape->items);
    *tape = (Tape){0};
}

void
tape_rewind(Tape *tape)
{
    tape->count = 0;
}

void
tape_push(Tape *tape, DecisionKind kind, uint64_t value)
{
    if (tape->count == tape->capacity) {
        tape->capacity = MAX(2 * tape->capacity, 256);
        tape->items = g_renew(Decision, tape->items, tape->capacity);
    }
    tape->items[tape->count++] = (Decision){.kind = kind, .value = value};
}

void
tape_append(Tape *tape, const Decision *items, size_t count)
{
    if (tape->capacity - tape->count < count) {
        tape->capacity = MAX(2 * tape->capacity, tape->count + count);
        tape->items = g_renew(Decision, tape->items, tape->capacity);
    }
    if (count > 0)
        memcpy(&tape->items[tape->count], items, count * sizeof *items);
    tape->count += count;
}

static void
append_number(GByteArray *bytes, uint64_t number)
{
    do {
        uint8_t byte = (number & 0x7f) | (number > 0x7f ? 0x80 : 0);

        g_byte_array_append(bytes, &byte, 1);
        number >>= 7;
    } while (number != 0);
}

char *
tape_print(const Tape *tape)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    for (size_t i = 0; i < tape->count; i++) {
        append_number(bytes, tape->items[i].kind);
        append_number(bytes, tape->items[i].value);
    }
    return g_base64_encode(bytes->data, bytes->len);
}

static bool
read_number(const guchar *bytes, gsize size, gsize *at, uint64_t *number)
{
    *number = 0;
    for (unsigned shift = 0; shift < 64 && *at < size; shift += 7) {
        guchar byte = bytes[(*at)++];

        *number |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

bool
tape_parse(Tape *tape, const char *text, GError **error)
{
    gsize size = 0, at = 0;
    g_autofree guchar *bytes = g_base64_decode(text, &size);
    g_autofree char *printed = NULL;
    uint64_t kind, value;

    while (at < size) {
        if (!read_number(bytes, size, &at, &kind) ||
            !read_number(bytes, size, &at, &value) ||
            kind >= DECISION_KINDS) {
            g_set_error(error, TAPE_ERROR, TAPE_ERROR_SYNTAX,
                        "the tape is damaged at decision %zu", tape->count);
            return false;
        }
        tape_push(tape, (DecisionKind)kind, value);
    }
    /* Base64 decoding skips what it does not know. */
    printed = tape_print(tape);
    if (!g_str_equal(printed, text)) {
        g_set_error(error, TAPE_ERROR, TAPE_ERROR_SYNTAX,
                    "the tape is damaged: it is not what heddle wrote");
        return false;
    }
    return true;
}
