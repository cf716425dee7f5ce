/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "script/system.h"

#define NO_OFFSET UINT64_MAX

static bool
image_lacks(const SystemView *view, GError **error, const char *kind,
            const char *name)
{
    g_set_error(error, SYSTEM_ERROR, SYSTEM_ERROR_IMAGE,
                "%s: has no %s `%s`, of which the rules.lua of \"%s\" speaks",
                image_path(view->image), kind, name, view->system->name);
    return false;
}

/* The member `name` of `type`; NULL as a name is none. */
static bool
find_offset(const SystemView *view, const ImageType *type, const char *name,
            uint64_t *offset, GError **error)
{
    ImageMember member;

    *offset = NO_OFFSET;
    if (name == NULL)
        return true;
    if (!image_types_member(type, name, &member))
        return image_lacks(view, error, "field", name);
    *offset = member.offset;
    return true;
}

static bool
resolve_globaldata(SystemView *view, GError **error)
{
    const SystemGlobaldata *names = &view->system->globaldata;
    const ImageSymbol *symbol = image_lookup_symbol(view->image, names->array);
    const ImageType *type = image_variable_type(view->image, names->array);
    uint64_t offset = 0;

    if (symbol == NULL)
        return image_lacks(view, error, "variable", names->array);
    if (type == NULL || type->kind != IMAGE_TYPE_ARRAY)
        return image_lacks(view, error, "array", names->array);
    if (!find_offset(view, type->target, names->member, &offset, error))
        return false;
    view->globaldata = image_type_named(view->image, names->type);
    if (view->globaldata == NULL)
        return image_lacks(view, error, "type", names->type);
    view->has_globaldata = true;
    view->globaldata_first = symbol->address + offset;
    view->globaldata_stride = type->target->size;
    return find_offset(view, view->globaldata, names->cpuid, &view->cpuid,
                       error) &&
           find_offset(view, view->globaldata, names->thread, &view->thread,
                       error) &&
           find_offset(view, view->globaldata, names->infomsg, &view->infomsg,
                       error);
}

static bool
resolve_thread(SystemView *view, GError **error)
{
    const SystemThread *names = &view->system->thread;
    const ImageType *type = image_type_named(view->image, names->type);

    if (type == NULL)
        return image_lacks(view, error, "type", names->type);
    if (view->has_globaldata &&
        (!find_offset(view, view->globaldata, names->story,
                      &view->story_thread, error) ||
         !find_offset(view, view->globaldata, names->idle,
                      &view->idle_thread, error)))
        return false;
    return find_offset(view, type, names->stack, &view->stack, error) &&
           find_offset(view, type, names->stack_size, &view->stack_size,
                       error);
}

bool
system_resolve(const System *system, const Image *image, SystemView *view,
               GError **error)
{
    *view = (SystemView){
        .system = system,
        .image = image,
        .cpuid = NO_OFFSET,
        .thread = NO_OFFSET,
        .infomsg = NO_OFFSET,
        .story_thread = NO_OFFSET,
        .idle_thread = NO_OFFSET,
        .stack = NO_OFFSET,
        .stack_size = NO_OFFSET,
    };
    if (system->globaldata.array != NULL && !resolve_globaldata(view, error))
        return false;
    return system->thread.type == NULL || resolve_thread(view, error);
}

gva_t
system_globaldata(const SystemView *view, unsigned cpu)
{
    INVARIANT(view->has_globaldata);
    return view->globaldata_first + cpu * view->globaldata_stride;
}

/* --- Rules ---------------------------------------------------------------- */

static bool
resolve_field(const SystemView *view, const ImageType *type, const char *name,
              RuleField *field, GError **error)
{
    ImageMember member;

    if (!image_types_member(type, name, &member) || member.bit_size != 0 ||
        member.type->size > 8)
        return image_lacks(view, error, "field", name);
    field->offset = (uint32_t)member.offset;
    field->size = (unsigned)member.type->size;
    return true;
}

static bool
resolve_word(const SystemView *view, const SystemRule *rule, unsigned index,
             RuleWord *to, GError **error)
{
    const SystemWord *from = &rule->words[index];
    const ImageType *type = view->globaldata;
    RuleField field;

    to->source = from->source;
    if (from->source == RULE_OF_FLAGS) {
        to->offset = RFLAGS_IF;
        return strcmp(from->field, "IF") == 0 ||
               image_lacks(view, error, "flag", from->field);
    }
    if (from->source == RULE_OF_THREAD) {
        type = image_type_named(view->image, view->system->thread.type);
        if (view->thread == NO_OFFSET || type == NULL)
            return image_lacks(view, error, "current thread for", rule->name);
    }
    if (!resolve_field(view, type, from->field, &field, error))
        return false;
    to->offset = field.offset;
    to->size = field.size;
    return true;
}

/* What the image has of them; a line is looked for when it is wanted. */
static void
copy_points(const SystemView *view, const GPtrArray *from, GPtrArray *to)
{
    for (guint i = 0; i < from->len; i++) {
        const Point *point = g_ptr_array_index(from, i);
        Point *copy;

        if (image_lookup_symbol(view->image, point->function) == NULL)
            continue;
        copy = g_new0(Point, 1);
        *copy = point_copy(point);
        g_ptr_array_add(to, copy);
    }
}

static bool
resolve_rule(const SystemView *view, const SystemRule *from, Rule *to,
             GError **error)
{
    for (unsigned i = 0; i < from->word_count; i++)
        if (!resolve_word(view, from, i, &to->words[i], error))
            return false;
    to->word_count = from->word_count;
    to->value = (uint64_t)from->value;
    if (to->words[0].size != 0 && to->words[0].size < 8)
        to->value &= (UINT64_C(1) << (8 * to->words[0].size)) - 1;
    to->negated = from->negated;
    to->reserve = (uint64_t)MAX(from->reserve, 0);
    copy_points(view, from->points, to->points);
    if (to->kind == RULE_WORD && to->points->len == 0)
        return image_lacks(view, error, "function for the rule", from->name);
    return true;
}

/* What a slot has: the function first. */
static bool
resolve_fields(const SystemView *view, RuleMessages *to, GError **error)
{
    const SystemFifos *names = &view->system->fifos;
    const ImageType *type = image_type_named(view->image, names->type);
    ImageMember slots;

    if (names->func == NULL || names->arguments->len >= RULE_FIELDS_MAX ||
        type == NULL || !image_types_member(type, names->slots, &slots) ||
        slots.type->kind != IMAGE_TYPE_ARRAY)
        return image_lacks(view, error, "slots with fields in", names->type);
    type = slots.type->target;
    if (!resolve_field(view, type, names->func, &to->fields[0], error))
        return false;
    for (guint i = 0; i < names->arguments->len; i++)
        if (!resolve_field(view, type,
                           g_ptr_array_index(names->arguments, i),
                           &to->fields[i + 1], error))
            return false;
    to->field_count = names->arguments->len + 1;
    return true;
}

static bool
resolve_surroundings(const SystemView *view, Rules *rules, GError **error)
{
    const System *system = view->system;
    const ImageType *thread = image_type_named(view->image,
                                               system->thread.type);

    rules->thread = view->thread;
    if (thread != NULL && system->thread.stack != NULL &&
        system->thread.stack_size != NULL &&
        (!resolve_field(view, thread, system->thread.stack, &rules->stack,
                        error) ||
         !resolve_field(view, thread, system->thread.stack_size,
                        &rules->stack_size, error)))
        return false;
    rules->memory = (RuleMemory){
        .provider = g_strdup(system->memory.provider),
        .freed = g_strdup(system->memory.freed),
        .taken = g_strdup(system->memory.taken),
    };
    if (system->messages.provider == NULL || system->fifos.type == NULL)
        return true;
    rules->messages.provider = g_strdup(system->messages.provider);
    rules->messages.received = g_strdup(system->messages.received);
    copy_points(view, system->messages.written, rules->messages.written);
    copy_points(view, system->messages.returned, rules->messages.returned);
    return resolve_fields(view, &rules->messages, error);
}

bool
system_list_rules(const SystemView *view, unsigned cpus, Rules *rules,
                  GError **error)
{
    const GPtrArray *all = view->system->rules;

    if (!view->has_globaldata)
        return true;
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        rules->globaldata[cpu] = system_globaldata(view, cpu);
    for (unsigned i = 0; i < all->len; i++) {
        const SystemRule *from = g_ptr_array_index(all, i);
        Rule *to = rules_new_rule(from->name, from->kind);

        g_ptr_array_add(rules->rules, to);
        if (!resolve_rule(view, from, to, error))
            return false;
    }
    return resolve_surroundings(view, rules, error);
}

/* --- State ---------------------------------------------------------------- */

static bool
add_range(const SystemView *view, const Gmem *gmem, StateView *state,
          const char *name, gva_t address, uint64_t size, GError **error)
{
    StateRange range = {.size = size};

    if (!gmem_translate(gmem, address, size, &range.physical))
        return image_lacks(view, error, "memory for", name);
    g_array_append_val(state->ranges, range);
    return true;
}

static bool
fill_counters(const SystemView *view, const Gmem *gmem, unsigned cpus,
              StateView *state, GError **error)
{
    const System *system = view->system;

    for (unsigned i = 0; i < system->counter_symbols->len; i++) {
        const char *name = g_ptr_array_index(system->counter_symbols, i);
        const ImageSymbol *symbol = image_lookup_symbol(view->image, name);

        /* Another revision of the kernel may count under another name. */
        if (symbol != NULL && symbol->size != 0 &&
            !add_range(view, gmem, state, name, symbol->address,
                       symbol->size, error))
            return false;
    }
    for (unsigned i = 0;
         view->has_globaldata && i < system->counter_fields->len; i++) {
        const char *name = g_ptr_array_index(system->counter_fields, i);
        ImageMember member;

        if (!image_types_member(view->globaldata, name, &member))
            return image_lacks(view, error, "field", name);
        for (unsigned cpu = 0; cpu < cpus; cpu++)
            if (!add_range(view, gmem, state, name,
                           system_globaldata(view, cpu) + member.offset,
                           member.type->size, error))
                return false;
    }
    return true;
}

/* What all FIFOs have alike. */
static bool
resolve_fifo(const SystemView *view, StateFifo *fifo, GError **error)
{
    const SystemFifos *names = &view->system->fifos;
    const ImageType *type = image_type_named(view->image, names->type);
    uint64_t written, read, executed;
    ImageMember slots;

    if (type == NULL)
        return image_lacks(view, error, "type", names->type);
    if (!find_offset(view, type, names->written, &written, error) ||
        !find_offset(view, type, names->read, &read, error) ||
        !find_offset(view, type, names->executed, &executed, error))
        return false;
    if (!image_types_member(type, names->slots, &slots) ||
        slots.type->kind != IMAGE_TYPE_ARRAY || slots.type->count == 0)
        return image_lacks(view, error, "array of slots", names->slots);
    *fifo = (StateFifo){
        .size = type->size,
        .written = (uint32_t)written,
        .read = (uint32_t)read,
        .executed = (uint32_t)executed,
        .slots = (uint32_t)slots.offset,
        .slot_size = (uint32_t)slots.type->target->size,
        .depth = (uint32_t)slots.type->count,
    };
    return true;
}

static bool
add_fifo(const SystemView *view, const Gmem *gmem, StateView *state,
         StateFifo fifo, gva_t address, GError **error)
{
    if (!gmem_translate(gmem, address, fifo.size, &fifo.physical))
        return image_lacks(view, error, "memory for a",
                           view->system->fifos.type);
    g_array_append_val(state->fifos, fifo);
    return true;
}

static bool
fill_queue(const SystemView *view, const Gmem *gmem, unsigned cpus,
           const SystemQueue *queue, StateView *state, GError **error)
{
    StateFifo fifo;
    uint64_t offset;

    if (!resolve_fifo(view, &fifo, error) ||
        !find_offset(view, view->globaldata, queue->field, &offset, error))
        return false;
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        gva_t address = system_globaldata(view, cpu) + offset;

        fifo.source = fifo.target = (int)cpu;
        fifo.own = !queue->per_target;
        if (fifo.own) {
            if (!add_fifo(view, gmem, state, fifo, address, error))
                return false;
            continue;
        }
        if (!gmem_read(gmem, address, &address, sizeof address))
            return image_lacks(view, error, "memory for", queue->field);
        for (unsigned peer = 0; address != 0 && peer < cpus; peer++) {
            fifo.target = (int)peer;
            if (!add_fifo(view, gmem, state, fifo,
                          address + peer * fifo.size, error))
                return false;
        }
    }
    return true;
}

bool
system_fill_state(const SystemView *view, const Gmem *gmem, unsigned cpus,
                  StateView *state, GError **error)
{
    const SystemFifos *fifos = &view->system->fifos;

    if (!fill_counters(view, gmem, cpus, state, error))
        return false;
    if (fifos->type != NULL && view->has_globaldata)
        for (unsigned i = 0; i < fifos->queues->len; i++)
            if (!fill_queue(view, gmem, cpus,
                            g_ptr_array_index(fifos->queues, i), state, error))
                return false;
    state_view_sort(state);
    return true;
}
