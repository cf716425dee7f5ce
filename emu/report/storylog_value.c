/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/storylog_value.h"

#include "parts/cpu_interrupt.h"

/* A pointer below is a number in disguise: the first page is not mapped. */
#define SMALL_POINTER PAGE_BYTES

/* Bytes of a guest's string that are quoted. */
#define QUOTED_MAX 32u

/* Unsigned values from here on are bits rather than numbers. */
#define LARGE_UNSIGNED 10000u

static void
print_offset(GString *out, uint64_t offset)
{
    if (offset != 0)
        g_string_append_printf(out, "+%" PRIu64, offset);
}

/* ".field[2].other", as far as the type says. */
static void
print_member(GString *out, const ImageType *type, uint64_t offset)
{
    unsigned i = 0;

    while (type != NULL && (type->kind == IMAGE_TYPE_STRUCT ||
                            type->kind == IMAGE_TYPE_UNION)) {
        for (i = 0; i < type->member_count; i++)
            if (offset - type->members[i].offset <
                MAX(type->members[i].type->size, 1))
                break;
        if (i == type->member_count || offset == 0)
            break;
        if (type->members[i].name != NULL)
            g_string_append_printf(out, ".%s", type->members[i].name);
        offset -= type->members[i].offset;
        type = type->members[i].type;
        if (type->kind == IMAGE_TYPE_ARRAY && type->target != NULL &&
            type->target->size > 0) {
            g_string_append_printf(out, "[%" PRIu64 "]",
                                   offset / type->target->size);
            offset %= type->target->size;
            type = type->target;
        }
    }
    print_offset(out, offset);
}

int
storylog_value_cpu(const StoryLogSetup *setup, gva_t address)
{
    if (setup->globaldata == NULL || address == 0)
        return -1;
    for (unsigned i = 0; i < machine_cpus(setup->machine); i++)
        if (setup->globaldata[i] == address)
            return (int)i;
    return -1;
}

static bool
print_object(const StoryLogSetup *setup, gva_t address, GString *out)
{
    for (unsigned i = 0; i < setup->object_count; i++) {
        const StoryLogObject *object = &setup->objects[i];

        if (address - object->address < MAX(object->size, 1)) {
            g_string_append(out, object->name);
            print_offset(out, address - object->address);
            return true;
        }
    }
    if (setup->globaldata == NULL)
        return false;
    for (unsigned i = 0; i < machine_cpus(setup->machine); i++)
        if (setup->globaldata[i] != 0 &&
            address - setup->globaldata[i] < MAX(setup->globaldata_size, 1)) {
            g_string_append_printf(out, "gd(%u)", i);
            print_member(out, setup->globaldata_type,
                         address - setup->globaldata[i]);
            return true;
        }
    return false;
}

static bool
is_text(const ImageType *type)
{
    return type != NULL && type->target != NULL &&
           type->target->kind == IMAGE_TYPE_INTEGER && type->target->size == 1;
}

static bool
print_text(const StoryLogSetup *setup, gva_t address, GString *out)
{
    g_autofree char *text = gmem_read_string(machine_memory(setup->machine),
                                             address, QUOTED_MAX);
    g_autofree char *escaped = NULL;

    if (text == NULL)
        return false;
    escaped = g_strescape(text, NULL);
    g_string_append_printf(out, "\"%s%s\"", escaped,
                           strlen(text) >= QUOTED_MAX ? "..." : "");
    return true;
}

static void
print_pointer(const StoryLogSetup *setup, const ImageType *type, gva_t address,
              GString *out)
{
    const ImageSymbol *symbol;
    const char *name, *word;

    if (address < SMALL_POINTER) {
        g_string_append_printf(out, "%" PRIu64, address);
        return;
    }
    if (print_object(setup, address, out) ||
        (is_text(type) && print_text(setup, address, out)))
        return;
    symbol = image_symbol_at(setup->image, address);
    /* Deep inside of a symbol is a stack or a pool, not a variable. */
    if (symbol != NULL && address - symbol->address < PAGE_BYTES) {
        g_string_append(out, symbol->name);
        print_offset(out, address - symbol->address);
        return;
    }
    name = type != NULL && type->target != NULL ? type->target->name : NULL;
    word = name != NULL ? strrchr(name, ' ') : NULL;
    g_string_append_printf(out, "*%s",
                           word != NULL ? word + 1 : name != NULL ? name : "");
}

static void
print_integer(const ImageType *type, uint64_t value, GString *out)
{
    unsigned bits = type->size >= 1 && type->size < 8
                        ? (unsigned)(64 - 8 * type->size)
                        : 0;

    if (type->is_signed)
        g_string_append_printf(out, "%" PRId64,
                               (int64_t)(value << bits) >> bits);
    else if (value << bits >> bits < LARGE_UNSIGNED)
        g_string_append_printf(out, "%" PRIu64, value << bits >> bits);
    else
        g_string_append_printf(out, "0x%" PRIx64, value << bits >> bits);
}

void
storylog_value_print(const StoryLogSetup *setup, const ImageType *type,
                     uint64_t value, GString *out)
{
    static const ImageType integer = {
        .kind = IMAGE_TYPE_INTEGER, .is_signed = true, .size = 4};

    if (type == NULL)
        type = &integer;
    switch (type->kind) {
    case IMAGE_TYPE_POINTER:
    case IMAGE_TYPE_ARRAY:
    case IMAGE_TYPE_FUNCTION:
        print_pointer(setup, type, value, out);
        return;
    case IMAGE_TYPE_ENUM:
        for (unsigned i = 0; i < type->enumerator_count; i++)
            if (type->enumerators[i].value == (int32_t)value) {
                g_string_append(out, type->enumerators[i].name);
                return;
            }
        print_integer(type, value, out);
        return;
    case IMAGE_TYPE_BOOL:
        g_string_append(out, value & 0xff ? "true" : "false");
        return;
    case IMAGE_TYPE_INTEGER:
        print_integer(type, value, out);
        return;
    case IMAGE_TYPE_VOID:
    case IMAGE_TYPE_FLOAT:
    case IMAGE_TYPE_STRUCT:
    case IMAGE_TYPE_UNION:
        g_string_append(out, "?");
        return;
    }
}

char *
storylog_value_call(const StoryLogSetup *setup, const StoryLogCall *call)
{
    const ImageSymbol *symbol = image_symbol_at(setup->image, call->function);
    const ImageType *type = NULL;
    unsigned count = call->count;
    GString *out;

    if (symbol == NULL || symbol->address != call->function)
        return g_strdup("*()");
    type = image_function_type(setup->image, symbol->name);
    count = type != NULL ? MIN(count, type->member_count) : 0;
    while (call->trim && count > 0 && call->arguments[count - 1] == 0)
        count--;
    out = g_string_new(symbol->name);
    g_string_append_c(out, '(');
    for (unsigned i = 0; i < count; i++) {
        if (i > 0)
            g_string_append(out, ", ");
        storylog_value_print(setup, type->members[i].type, call->arguments[i],
                             out);
    }
    g_string_append_c(out, ')');
    return g_string_free(out, FALSE);
}

/* --- Interrupts and stores ------------------------------------------------ */

/* The stub that a vector leads to, by its symbol. */
char *
storylog_value_vector(const StoryLogSetup *setup, unsigned cpu,
                      unsigned vector)
{
    const Cpu *core = machine_cpu(setup->machine, cpu);
    const char *name = cpu_vector_name(vector);
    const ImageSymbol *symbol;
    uint32_t words[3];
    gva_t handler;

    if (name != NULL)
        return g_strdup(name);
    if (vector * 16u + 15 <= core->live->idt.limit &&
        gmem_read(machine_memory(setup->machine),
                  core->live->idt.base + vector * 16u, words, sizeof words)) {
        handler = (words[0] & 0xffff) | (words[1] & 0xffff0000) |
                  (uint64_t)words[2] << 32;
        symbol = image_symbol_at(setup->image, handler);
        if (symbol != NULL && symbol->address == handler)
            return g_strdup(symbol->name);
    }
    return g_strdup_printf("vector 0x%02x", vector);
}

char *
storylog_value_message(const StoryLogSetup *setup, const Message *message)
{
    switch (message->message.delivery) {
    case LAPIC_DELIVERY_NMI:
        return g_strdup("NMI");
    case LAPIC_DELIVERY_INIT:
        return g_strdup("INIT");
    case LAPIC_DELIVERY_STARTUP:
        return g_strdup("start-up");
    default:
        return storylog_value_vector(setup, message->target,
                                     message->message.vector);
    }
}

char *
storylog_value_store(const StoryLogSetup *setup, const Store *store)
{
    ImageType type = {.kind = IMAGE_TYPE_INTEGER, .size = store->size};
    GString *out = g_string_new(NULL);
    ImageLine line;

    print_pointer(setup, NULL, WINDOW_KERNEL + store->physical, out);
    g_string_append(out, " = ");
    if (store->size == sizeof(gva_t))
        type.kind = IMAGE_TYPE_POINTER;
    storylog_value_print(setup, &type, store->value, out);
    if (image_line_at(setup->image, store->rip, &line) && line.file != NULL) {
        g_autofree char *file = g_path_get_basename(line.file);

        g_string_append_printf(out, ", stored at %s:%u", file, line.line);
    }
    return g_string_free(out, FALSE);
}
