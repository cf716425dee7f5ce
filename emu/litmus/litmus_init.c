/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "litmus/litmus_init.h"

typedef struct Type {
    const char *name;
    unsigned size;
    bool is_signed;
} Type;

static const Type types[] = {
    {"int8_t", 1, true},    {"uint8_t", 1, false},  {"int16_t", 2, true},
    {"uint16_t", 2, false}, {"int32_t", 4, true},   {"uint32_t", 4, false},
    {"int64_t", 8, true},   {"uint64_t", 8, false}, {"char", 1, true},
    {"short", 2, true},     {"int", 4, true},       {"long", 8, true},
    {"intptr_t", 8, true},  {"uintptr_t", 8, false},
};

static const Type pointer = {"pointer", 8, false};

/* Left of '=': element `element` of a location, or a register. */
typedef struct Place {
    int thread; /* -1: a location */
    unsigned number;
    unsigned element;
    unsigned size;
    unsigned line;
} Place;

/* A place that starts with an address, which is known when all locations
 * are. */
typedef struct Pending {
    Place place;
    char *name;
    uint64_t element;
} Pending;

typedef struct Reader {
    LitmusLex *lex;
    Litmus *litmus;
    GArray *pending;
    unsigned threads_named;
    unsigned threads_line;
} Reader;

static void
clear_pending(gpointer data)
{
    g_free(((Pending *)data)->name);
}

static bool
fits(uint64_t number, unsigned size)
{
    unsigned shift = 64 - 8 * size;

    return number << shift >> shift == number ||
           (uint64_t)((int64_t)(number << shift) >> shift) == number;
}

static void
put(Reader *reader, const Place *place, uint64_t number, int points_to)
{
    if (place->thread >= 0) {
        LitmusThread *thread = &reader->litmus->threads[place->thread];

        thread->registers[place->number] = number;
        thread->register_points_to[place->number] = points_to;
        thread->registers_set |= (uint16_t)(1u << place->number);
    } else {
        LitmusLocation *location =
            reader->litmus->locations->pdata[place->number];

        location->values[place->element] = number;
        if (place->element == 0) {
            location->initial = number;
            location->points_to = points_to;
        }
    }
}

/* One number or one address. */
static bool
parse_value(Reader *reader, const Place *place, GError **error)
{
    LitmusLex *lex = reader->lex;
    Pending pending = {.place = *place};
    unsigned shift = 64 - 8 * place->size;

    if (lex->token == LITMUS_TOKEN_NUMBER) {
        if (!fits(lex->number, place->size))
            return litmus_lex_fail_at(lex->path, lex->line, error,
                                      "the value does not fit %u byte%s",
                                      place->size, place->size > 1 ? "s" : "");
        put(reader, place, lex->number << shift >> shift, -1);
        litmus_lex_next(lex);
        return true;
    }
    litmus_lex_accept(lex, '&');
    if (lex->token != LITMUS_TOKEN_NAME)
        return litmus_lex_fail(lex, error, "a value");
    if (place->size != 8)
        return litmus_lex_fail_at(lex->path, lex->line, error,
                                  "the address of %s needs 8 bytes, not %u",
                                  lex->name, place->size);
    pending.name = g_strdup(lex->name);
    pending.place.line = lex->line;
    litmus_lex_next(lex);
    if (litmus_lex_accept(lex, '[')) {
        pending.element = lex->number;
        if (lex->token != LITMUS_TOKEN_NUMBER) {
            g_free(pending.name);
            return litmus_lex_fail(lex, error, "the number of an element");
        }
        litmus_lex_next(lex);
        if (!litmus_lex_expect(lex, ']', error)) {
            g_free(pending.name);
            return false;
        }
    }
    g_array_append_val(reader->pending, pending);
    return true;
}

static bool
parse_register(Reader *reader, uint64_t thread, const Type *type,
               GError **error)
{
    LitmusLex *lex = reader->lex;
    Place place = {.line = lex->line};

    litmus_lex_accept(lex, '%');
    if (lex->token != LITMUS_TOKEN_NAME ||
        !litmus_register_parse(lex->name, &place.number, &place.size))
        return litmus_lex_fail(lex, error, "a general register");
    if (thread >= LITMUS_THREADS_MAX)
        return litmus_lex_fail_at(lex->path, lex->line, error,
                                  "thread %" PRIu64 ": there may be %u at most",
                                  thread, LITMUS_THREADS_MAX);
    place.thread = (int)thread;
    if (thread + 1 > reader->threads_named) {
        reader->threads_named = (unsigned)thread + 1;
        reader->threads_line = lex->line;
    }
    if (type != NULL) {
        LitmusThread *it = &reader->litmus->threads[thread];

        it->register_size[place.number] = type->size;
        it->register_signed[place.number] = type->is_signed;
    }
    litmus_lex_next(lex);
    if (lex->token != LITMUS_TOKEN_EQUAL)
        return true;
    litmus_lex_next(lex);
    return parse_value(reader, &place, error);
}

/* "={1,2}" behind an array, one value for each element. */
static bool
parse_values(Reader *reader, unsigned index, GError **error)
{
    LitmusLex *lex = reader->lex;
    const LitmusLocation *location = reader->litmus->locations->pdata[index];

    litmus_lex_next(lex);
    if (!litmus_lex_expect(lex, '{', error))
        return false;
    for (unsigned i = 0; i < location->elements; i++) {
        Place place = {.thread = -1, .number = index, .element = i,
                       .size = location->size};

        if (i > 0 && !litmus_lex_expect(lex, ',', error))
            return false;
        if (!parse_value(reader, &place, error))
            return false;
    }
    return litmus_lex_expect(lex, '}', error);
}

static bool
parse_array(Reader *reader, unsigned index, GError **error)
{
    LitmusLex *lex = reader->lex;
    LitmusLocation *location = reader->litmus->locations->pdata[index];

    if (lex->token != LITMUS_TOKEN_NUMBER)
        return litmus_lex_fail(lex, error, "the number of elements");
    if (lex->number < 1 || lex->number > LITMUS_ELEMENTS_MAX)
        return litmus_lex_fail_at(lex->path, lex->line, error,
                                  "an array has 1 to %u elements",
                                  LITMUS_ELEMENTS_MAX);
    location->elements = (unsigned)lex->number;
    g_free(location->values);
    location->values = g_new0(uint64_t, location->elements);
    litmus_lex_next(lex);
    if (!litmus_lex_expect(lex, ']', error))
        return false;
    if (lex->token != LITMUS_TOKEN_EQUAL)
        return true;
    return parse_values(reader, index, error);
}

/* The location `name`, which may be there already: "int x; x=1;". */
static bool
declare(Reader *reader, const char *name, const Type *type, unsigned *index,
        GError **error)
{
    LitmusLex *lex = reader->lex;
    LitmusLocation *location;
    int found = litmus_lookup_location(reader->litmus, name);

    if (found >= 0 && type != NULL)
        return litmus_lex_fail_at(lex->path, lex->line, error,
                                  "%s is declared already", name);
    if (found < 0)
        found = litmus_add_location(reader->litmus, name);
    if (found < 0)
        return litmus_lex_fail_at(lex->path, lex->line, error,
                                  "more than %u locations",
                                  LITMUS_LOCATIONS_MAX);
    *index = (unsigned)found;
    location = reader->litmus->locations->pdata[*index];
    if (type != NULL) {
        location->size = type->size;
        location->is_signed = type->is_signed;
    }
    return true;
}

/* Behind the type, if there was one: x, [x], x[2], each with its value.
 * `name` was read; the token behind it is next. */
static bool
parse_location(Reader *reader, const char *name, const Type *type,
               GError **error)
{
    LitmusLex *lex = reader->lex;
    const LitmusLocation *location;
    Place place = {.thread = -1, .line = lex->line};

    if (!declare(reader, name, type, &place.number, error))
        return false;
    location = reader->litmus->locations->pdata[place.number];
    if (type != NULL && litmus_lex_accept(lex, '['))
        return parse_array(reader, place.number, error);
    if (lex->token != LITMUS_TOKEN_EQUAL)
        return true;
    if (location->elements > 1)
        return parse_values(reader, place.number, error);
    litmus_lex_next(lex);
    place.size = location->size;
    return parse_value(reader, &place, error);
}

static const Type *
lookup_type(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    return NULL;
}

/* A register or location, typed or not. */
static bool
parse_place(Reader *reader, const Type *type, GError **error)
{
    LitmusLex *lex = reader->lex;
    g_autofree char *name = NULL;
    bool has_bracket;

    if (lex->token == LITMUS_TOKEN_NUMBER && !lex->is_negative) {
        uint64_t thread = lex->number;

        litmus_lex_next(lex);
        return litmus_lex_expect(lex, ':', error) &&
               parse_register(reader, thread, type, error);
    }
    has_bracket = litmus_lex_accept(lex, '[');
    if (lex->token != LITMUS_TOKEN_NAME)
        return litmus_lex_fail(lex, error, "a location or a register");
    name = g_strdup(lex->name);
    litmus_lex_next(lex);
    if (has_bracket && !litmus_lex_expect(lex, ']', error))
        return false;
    if (!has_bracket && litmus_lex_accept(lex, ':')) {
        uint64_t thread;

        if (name[0] != 'P' || !g_ascii_string_to_unsigned(
                                  name + 1, 10, 0, LITMUS_THREADS_MAX - 1,
                                  &thread, NULL))
            return litmus_lex_fail_at(lex->path, lex->line, error,
                                      "'%s' is no thread", name);
        return parse_register(reader, thread, type, error);
    }
    return parse_location(reader, name, type, error);
}

/* A name that is followed by another place is a type. */
static bool
parse_item(Reader *reader, GError **error)
{
    LitmusLex *lex = reader->lex;
    const Type *type;
    LitmusLex ahead;

    while (litmus_lex_is_name(lex, "volatile") ||
           litmus_lex_is_name(lex, "_Atomic") ||
           litmus_lex_is_name(lex, "const"))
        litmus_lex_next(lex);
    if (litmus_lex_accept(lex, '*'))
        return parse_place(reader, &pointer, error);
    ahead = *lex;
    litmus_lex_next(&ahead);
    if (lex->token != LITMUS_TOKEN_NAME ||
        (ahead.token != LITMUS_TOKEN_NAME &&
         ahead.token != LITMUS_TOKEN_NUMBER && !litmus_lex_is(&ahead, '*') &&
         !litmus_lex_is(&ahead, '[')))
        return parse_place(reader, NULL, error);
    type = lookup_type(lex->name);
    if (type == NULL)
        return litmus_lex_fail_at(lex->path, lex->line, error,
                                  "'%s' is not a type that is known here",
                                  lex->name);
    litmus_lex_next(lex);
    while (litmus_lex_accept(lex, '*'))
        type = &pointer;
    return parse_place(reader, type, error);
}

static bool
resolve(Reader *reader, GError **error)
{
    Litmus *litmus = reader->litmus;

    for (guint i = 0; i < reader->pending->len; i++) {
        const Pending *pending =
            &g_array_index(reader->pending, Pending, i);

        if (litmus_lookup_location(litmus, pending->name) < 0 &&
            litmus_add_location(litmus, pending->name) < 0)
            return litmus_lex_fail_at(litmus->path, pending->place.line, error,
                                      "more than %u locations",
                                      LITMUS_LOCATIONS_MAX);
    }
    for (guint i = 0; i < reader->pending->len; i++) {
        const Pending *pending =
            &g_array_index(reader->pending, Pending, i);
        int index = litmus_lookup_location(litmus, pending->name);
        const LitmusLocation *location = litmus->locations->pdata[index];

        if (pending->element >= location->elements)
            return litmus_lex_fail_at(litmus->path, pending->place.line, error,
                                      "%s has %u element%s", location->name,
                                      location->elements,
                                      location->elements > 1 ? "s" : "");
        put(reader, &pending->place,
            litmus_location_address(litmus, (unsigned)index) +
                pending->element * location->size,
            index);
    }
    return true;
}

static bool
parse_items(Reader *reader, GError **error)
{
    LitmusLex *lex = reader->lex;

    litmus_lex_next(lex);
    while (!litmus_lex_is(lex, '}')) {
        if (litmus_lex_accept(lex, ';'))
            continue;
        if (!parse_item(reader, error))
            return false;
        if (!litmus_lex_is(lex, ';') && !litmus_lex_is(lex, '}'))
            return litmus_lex_fail(lex, error, "';'");
    }
    return resolve(reader, error);
}

bool
litmus_init_parse(LitmusLex *lex, Litmus *litmus, unsigned *threads_named,
                  unsigned *line, GError **error)
{
    g_autoptr(GArray) pending = g_array_new(FALSE, FALSE, sizeof(Pending));
    Reader reader = {.lex = lex, .litmus = litmus, .pending = pending};

    INVARIANT(litmus_lex_is(lex, '{'));
    g_array_set_clear_func(pending, clear_pending);
    if (!parse_items(&reader, error))
        return false;
    *threads_named = reader.threads_named;
    *line = reader.threads_line;
    return true;
}
