/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "litmus/litmus.h"

#include "base/capacity.h"
#include "guest/gmem.h"
#include "litmus/litmus_condition.h"

G_DEFINE_QUARK(heddle-litmus-error, litmus_error)

/* In hardware order, by width. */
static const char *const register_names[4][LITMUS_REGISTERS] = {
    {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9",
     "r10", "r11", "r12", "r13", "r14", "r15"},
    {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d",
     "r10d", "r11d", "r12d", "r13d", "r14d", "r15d"},
    {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8w", "r9w", "r10w",
     "r11w", "r12w", "r13w", "r14w", "r15w"},
    {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b",
     "r11b", "r12b", "r13b", "r14b", "r15b"},
};

/* herd lists rax rbx rcx rdx rsi rdi rbp rsp r8 ... */
static const unsigned char herd_rank[LITMUS_REGISTERS] = {
    0, 2, 3, 1, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15,
};

static const char *const words[] = {"Never", "Sometimes", "Always"};

bool
litmus_register_parse(const char *name, unsigned *number, unsigned *size)
{
    for (unsigned width = 0; width < 4; width++) {
        for (unsigned i = 0; i < LITMUS_REGISTERS; i++) {
            if (g_ascii_strcasecmp(name, register_names[width][i]) != 0)
                continue;
            *number = i;
            *size = 8u >> width;
            return true;
        }
    }
    return false;
}

const char *
litmus_register_name(unsigned number)
{
    INVARIANT(number < LITMUS_REGISTERS);
    return register_names[0][number];
}

static void
free_location(gpointer data)
{
    LitmusLocation *location = data;

    g_free(location->name);
    g_free(location->values);
    g_free(location);
}

static void
free_item(gpointer data)
{
    LitmusItem *item = data;

    g_free(item->name);
    g_free(item);
}

static void
free_line(gpointer data)
{
    LitmusLine *line = data;

    g_free(line->text);
    g_free(line);
}

Litmus *
litmus_new(const char *path)
{
    Litmus *litmus = g_new0(Litmus, 1);

    litmus->path = g_strdup(path);
    litmus->metadata = g_ptr_array_new_with_free_func(g_free);
    litmus->documents = g_ptr_array_new_with_free_func(g_free);
    litmus->locations = g_ptr_array_new_with_free_func(free_location);
    litmus->observed = g_ptr_array_new_with_free_func(free_item);
    for (unsigned i = 0; i < LITMUS_THREADS_MAX; i++) {
        LitmusThread *thread = &litmus->threads[i];

        thread->lines = g_ptr_array_new_with_free_func(free_line);
        thread->labels = g_ptr_array_new_with_free_func(g_free);
        for (unsigned k = 0; k < LITMUS_REGISTERS; k++) {
            thread->register_points_to[k] = -1;
            thread->register_size[k] = 8;
            thread->register_signed[k] = true;
        }
    }
    return litmus;
}

void
litmus_free(Litmus *litmus)
{
    if (litmus == NULL)
        return;
    g_free(litmus->path);
    g_free(litmus->name);
    g_ptr_array_unref(litmus->metadata);
    g_ptr_array_unref(litmus->documents);
    g_ptr_array_unref(litmus->locations);
    g_ptr_array_unref(litmus->observed);
    for (unsigned i = 0; i < LITMUS_THREADS_MAX; i++) {
        g_ptr_array_unref(litmus->threads[i].lines);
        g_ptr_array_unref(litmus->threads[i].labels);
    }
    litmus_condition_free(litmus->condition);
    litmus_proposition_free(litmus->filter);
    g_free(litmus);
}

Litmus *
litmus_load(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    gsize size;

    if (g_file_test(path, G_FILE_TEST_EXISTS) &&
        !g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, LITMUS_ERROR, LITMUS_ERROR_FILE,
                    "%s: not a regular file", path);
        return NULL;
    }
    if (!g_file_get_contents(path, &text, &size, error)) {
        g_prefix_error(error, "litmus test: ");
        return NULL;
    }
    if (size > LITMUS_FILE_BYTES_MAX) {
        g_set_error(error, LITMUS_ERROR, LITMUS_ERROR_FILE,
                    "%s: larger than %u bytes", path, LITMUS_FILE_BYTES_MAX);
        return NULL;
    }
    if (strlen(text) != size) {
        g_set_error(error, LITMUS_ERROR, LITMUS_ERROR_SYNTAX,
                    "%s: a zero byte: this is no text", path);
        return NULL;
    }
    return litmus_parse(text, path, error);
}

int
litmus_lookup_location(const Litmus *litmus, const char *name)
{
    for (guint i = 0; i < litmus->locations->len; i++) {
        const LitmusLocation *location = litmus->locations->pdata[i];

        if (strcmp(location->name, name) == 0)
            return (int)i;
    }
    return -1;
}

int
litmus_add_location(Litmus *litmus, const char *name)
{
    LitmusLocation *location;

    INVARIANT(litmus_lookup_location(litmus, name) < 0);
    if (litmus->locations->len == LITMUS_LOCATIONS_MAX)
        return -1;
    location = g_new0(LitmusLocation, 1);
    location->name = g_strdup(name);
    location->size = 8;
    location->is_signed = true;
    location->points_to = -1;
    location->elements = 1;
    location->values = g_new0(uint64_t, 1);
    g_ptr_array_add(litmus->locations, location);
    return (int)litmus->locations->len - 1;
}

static uint64_t
data_bytes_before(const Litmus *litmus, unsigned index)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < index; i++) {
        const LitmusLocation *location = litmus->locations->pdata[i];
        uint64_t size = (uint64_t)location->size * location->elements;

        bytes += (size + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
    }
    return bytes;
}

gva_t
litmus_location_address(const Litmus *litmus, unsigned index)
{
    INVARIANT(index < litmus->locations->len);
    return WINDOW_KERNEL + LITMUS_DATA_AT + data_bytes_before(litmus, index);
}

uint64_t
litmus_data_bytes(const Litmus *litmus)
{
    return data_bytes_before(litmus, litmus->locations->len);
}

bool
litmus_lookup_address(const Litmus *litmus, uint64_t address, unsigned *index,
                      unsigned *element)
{
    uint64_t start = WINDOW_KERNEL + LITMUS_DATA_AT;

    if (address < start || address - start >= litmus_data_bytes(litmus))
        return false;
    for (guint i = 0; i < litmus->locations->len; i++) {
        const LitmusLocation *location = litmus->locations->pdata[i];
        uint64_t offset = address - litmus_location_address(litmus, i);

        if (offset >= (uint64_t)location->size * location->elements ||
            offset % location->size != 0)
            continue;
        *index = i;
        *element = (unsigned)(offset / location->size);
        return true;
    }
    return false;
}

void
litmus_item_of_location(const Litmus *litmus, unsigned index, unsigned element,
                        LitmusItem *item)
{
    const LitmusLocation *location = litmus->locations->pdata[index];

    INVARIANT(element < location->elements);
    *item = (LitmusItem){
        .name = location->elements > 1
                    ? g_strdup_printf("%s[%u]", location->name, element)
                    : g_strdup(location->name),
        .thread = -1,
        .number = index,
        .element = element,
        .size = location->size,
        .is_signed = location->is_signed,
    };
}

void
litmus_item_of_register(const Litmus *litmus, unsigned thread,
                        const char *name, LitmusItem *item)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);
    unsigned number, size;

    INVARIANT(thread < litmus->thread_count);
    INVARIANT(litmus_register_parse(name, &number, &size));
    *item = (LitmusItem){
        .name = g_strdup_printf("%u:%s", thread, lower),
        .thread = (int)thread,
        .number = number,
        .size = MIN(size, litmus->threads[thread].register_size[number]),
        .is_signed = litmus->threads[thread].register_signed[number],
    };
}

int64_t
litmus_item_value(const LitmusItem *item, int64_t value)
{
    unsigned shift = 64 - 8 * item->size;
    uint64_t high = (uint64_t)value << shift;

    return item->is_signed ? (int64_t)high >> shift : (int64_t)(high >> shift);
}

static int
compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int
litmus_item_compare(const LitmusItem *a, const LitmusItem *b)
{
    int order;

    if ((a->thread < 0) != (b->thread < 0))
        return a->thread < 0 ? 1 : -1;
    if (a->thread >= 0) {
        order = compare_numbers(a->thread, b->thread);
        if (order == 0)
            order = compare_numbers(herd_rank[a->number],
                                    herd_rank[b->number]);
        return order != 0 ? order : strcmp(a->name, b->name);
    }
    if (a->number == b->number)
        return compare_numbers(a->element, b->element);
    return strcmp(a->name, b->name);
}

void
litmus_item_print(const LitmusItem *item, const Litmus *litmus, GString *out)
{
    bool is_plain = false;

    if (item->thread < 0) {
        const LitmusLocation *location =
            litmus->locations->pdata[item->number];

        is_plain = location->elements == 1;
    }
    g_string_append_printf(out, is_plain ? "[%s]" : "%s", item->name);
}

/* Where `item` is in `observed`, or would have to be put. */
static unsigned
search(const Litmus *litmus, const LitmusItem *item, bool *is_there)
{
    unsigned at = 0, end = litmus->observed->len;

    *is_there = false;
    while (at < end) {
        unsigned middle = at + (end - at) / 2;
        int order = litmus_item_compare(litmus->observed->pdata[middle], item);

        *is_there |= order == 0;
        if (order < 0)
            at = middle + 1;
        else
            end = middle;
    }
    return at;
}

void
litmus_observe(Litmus *litmus, const LitmusItem *item)
{
    bool is_there;
    unsigned at = search(litmus, item, &is_there);
    LitmusItem *copy;

    if (is_there)
        return;
    copy = g_new(LitmusItem, 1);
    *copy = *item;
    copy->name = g_strdup(item->name);
    g_ptr_array_insert(litmus->observed, (gint)at, copy);
}

unsigned
litmus_find_observed(const Litmus *litmus, const LitmusItem *item)
{
    bool is_there;
    unsigned at = search(litmus, item, &is_there);

    INVARIANT(is_there);
    return at;
}

void
litmus_observe_all(Litmus *litmus, const uint16_t *registers_written)
{
    for (unsigned thread = 0; thread < litmus->thread_count; thread++) {
        for (unsigned i = 0; i < LITMUS_REGISTERS; i++) {
            LitmusItem item;

            if ((registers_written[thread] >> i & 1) == 0)
                continue;
            litmus_item_of_register(litmus, thread, litmus_register_name(i),
                                    &item);
            litmus_observe(litmus, &item);
            g_free(item.name);
        }
    }
    for (guint i = 0; i < litmus->locations->len; i++) {
        const LitmusLocation *location = litmus->locations->pdata[i];

        for (unsigned k = 0; k < location->elements; k++) {
            LitmusItem item;

            litmus_item_of_location(litmus, i, k, &item);
            litmus_observe(litmus, &item);
            g_free(item.name);
        }
    }
    litmus_condition_bind(litmus->condition, litmus);
    litmus_proposition_bind(litmus->filter, litmus);
}

bool
litmus_expected(const Litmus *litmus, const char *model, const char **word)
{
    for (guint i = 0; i < litmus->metadata->len; i++) {
        const char *line = litmus->metadata->pdata[i];
        g_auto(GStrv) parts = NULL;

        if (!g_str_has_prefix(line, "Expect="))
            continue;
        parts = g_strsplit_set(line + strlen("Expect="), " \t", -1);
        for (char **part = parts; *part != NULL; part++) {
            size_t length = strcspn(model, ",");

            if (strncmp(*part, model, length) != 0 || (*part)[length] != ':')
                continue;
            for (size_t k = 0; k < G_N_ELEMENTS(words); k++) {
                if (strcmp(*part + length + 1, words[k]) != 0)
                    continue;
                *word = words[k];
                return true;
            }
        }
    }
    return false;
}
