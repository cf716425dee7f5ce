/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "check/weakening.h"

#include "guest/insn.h"
#include "guest/insn_text.h"

G_DEFINE_QUARK(heddle-weakening-error, weakening_error)

#define FENCES (INSN_FENCE_M | INSN_FENCE_S | INSN_FENCE_L)
#define BARRIER_PREFIX "barrier:"

void
weakening_clear(Weakening *weakening)
{
    g_free(weakening->name);
    g_free(weakening->code);
    g_free(weakening->function);
    g_free(weakening->source);
    *weakening = (Weakening){0};
}

const char *
weakening_kind_name(WeakeningKind kind)
{
    static const char *const names[] = {
        [WEAKENING_FENCE] = "fence",
        [WEAKENING_LOCK] = "lock",
        [WEAKENING_BARRIER] = "barrier",
    };

    return names[kind];
}

/* The bytes of the image from `address` on. */
static const uint8_t *
bytes_at(const Image *image, gva_t address, uint64_t *available)
{
    for (size_t i = 0; i < image_segment_count(image); i++) {
        const ImageSegment *segment = image_segment(image, i);

        if (address >= segment->virtual &&
            address - segment->virtual < segment->file_size) {
            *available = segment->file_size - (address - segment->virtual);
            return segment->bytes + (address - segment->virtual);
        }
    }
    return NULL;
}

/* A fence is most often inlined out of a header; what people want to read is
 * the line that asked for it. */
void
weakening_locate(Weakening *weakening, const Image *image)
{
    const ImageSymbol *symbol = image_symbol_at(image, weakening->address);
    ImageLine line;

    weakening->function = g_strdup(symbol != NULL ? symbol->name : "?");
    if (!image_line_at(image, weakening->address, &line))
        return;
    for (unsigned i = 0; i < line.frame_count; i++) {
        const ImageFrame *frame = &line.frames[i];

        if (frame->file == NULL)
            continue;
        g_free(weakening->source);
        weakening->source = g_strdup(frame->file);
        weakening->line = frame->line;
        if (frame->function != NULL) {
            g_free(weakening->function);
            weakening->function = g_strdup(frame->function);
        }
        if (!g_str_has_suffix(frame->file, ".h"))
            return;
    }
}

static void
add(GArray *list, const ImageSymbol *symbol, const Weakening *found)
{
    Weakening weakening = *found;

    weakening.name = g_strdup_printf(
        "%s%s+0x%" PRIx64,
        found->kind == WEAKENING_BARRIER ? BARRIER_PREFIX : "", symbol->name,
        found->address - symbol->address);
    g_array_append_val(list, weakening);
}

static void
list_function(GArray *list, const Image *image, const ImageSymbol *symbol)
{
    gva_t at = symbol->address, end = symbol->address + symbol->size;

    while (at < end) {
        uint64_t available;
        const uint8_t *bytes = bytes_at(image, at, &available);
        Insn insn;

        if (bytes == NULL || !insn_decode(&insn, bytes,
                                          MIN(available, INSN_LENGTH_MAX), at,
                                          INSN_MODE_64))
            return;
        if (insn.flags & (FENCES | INSN_LOCKED)) {
            Weakening found = {
                .kind = insn.flags & FENCES ? WEAKENING_FENCE : WEAKENING_LOCK,
                .address = at,
                .code = insn_text(bytes, available, at),
            };

            add(list, symbol, &found);
        }
        at += insn.length;
    }
}

/* Several barriers before one instruction are one. */
static void
list_barriers(GArray *list, const Image *image, const char *function)
{
    for (size_t i = 0; i < image_probe_count(image); i++) {
        const ImageProbe *probe = image_probe(image, i);
        const ImageSymbol *symbol = image_symbol_at(image, probe->address);
        bool known = false;

        if (!g_str_equal(probe->provider, "heddle") || symbol == NULL ||
            (function != NULL && !g_str_equal(function, symbol->name)) ||
            (!g_str_equal(probe->name, "sfence") &&
             !g_str_equal(probe->name, "ccfence")))
            continue;
        for (guint k = 0; k < list->len; k++) {
            const Weakening *other = &g_array_index(list, Weakening, k);

            known = known || (other->kind == WEAKENING_BARRIER &&
                              other->address == probe->address);
        }
        if (!known) {
            Weakening found = {
                .kind = WEAKENING_BARRIER,
                .address = probe->address,
                .code = g_strdup_printf("compiler barrier (%s)", probe->name),
            };

            add(list, symbol, &found);
        }
    }
}

static int
compare(gconstpointer left, gconstpointer right)
{
    const Weakening *a = left, *b = right;

    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    return (int)a->kind - (int)b->kind;
}

/* Local names can stand for the same code as global ones. */
static void
drop_twice(GArray *list)
{
    for (guint i = list->len; i > 1; i--)
        if (compare(&g_array_index(list, Weakening, i - 1),
                    &g_array_index(list, Weakening, i - 2)) == 0)
            g_array_remove_index(list, i - 1);
}

/* Of functions of this name, or of all. */
static GArray *
list_of(const Image *image, const char *function)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(Weakening));

    g_array_set_clear_func(list, (GDestroyNotify)weakening_clear);
    for (size_t i = 0; i < image_symbol_count(image); i++) {
        const ImageSymbol *symbol = image_symbol(image, i);

        if (symbol->size > 0 && symbol->kind == IMAGE_SYMBOL_FUNCTION &&
            (function == NULL || g_str_equal(function, symbol->name)))
            list_function(list, image, symbol);
    }
    list_barriers(list, image, function);
    g_array_sort(list, compare);
    drop_twice(list);
    return list;
}

GArray *
weakening_list(const Image *image)
{
    return list_of(image, NULL);
}

static bool
parse_one(const Image *image, const char *name, Weakening *found,
          GError **error)
{
    const char *from = g_str_has_prefix(name, BARRIER_PREFIX)
                           ? name + strlen(BARRIER_PREFIX)
                           : name;
    g_autofree char *function = g_strndup(from, strcspn(from, "+"));
    g_autoptr(GArray) list = list_of(image, function);

    for (guint i = 0; i < list->len; i++) {
        Weakening *one = &g_array_index(list, Weakening, i);

        if (g_str_equal(one->name, name)) {
            *found = *one;
            *one = (Weakening){0};
            return true;
        }
    }
    g_set_error(error, WEAKENING_ERROR, WEAKENING_ERROR_PLACE,
                "nothing to weaken at `%s`: a place is FUNCTION+0xN, as "
                "heddle audit lists it for this guest image",
                name);
    return false;
}

GArray *
weakening_parse(const Image *image, const char *text, GError **error)
{
    g_autoptr(GArray) named = g_array_new(FALSE, FALSE, sizeof(Weakening));
    g_auto(GStrv) names = g_strsplit(text, ",", -1);

    g_array_set_clear_func(named, (GDestroyNotify)weakening_clear);
    for (unsigned i = 0; i == 0 || names[i] != NULL; i++) {
        const char *name = names[i] != NULL ? names[i] : "";
        Weakening found;

        if (!parse_one(image, name, &found, error))
            return NULL;
        g_array_append_val(named, found);
    }
    return g_steal_pointer(&named);
}

void
weakening_apply(const Weakening *weakening, Machine *machine)
{
    code_mark(machine_code(machine), weakening->address,
              weakening->kind == WEAKENING_BARRIER ? CODE_UNBARRED
                                                   : CODE_UNORDERED);
}
