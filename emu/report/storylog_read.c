/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/storylog_read.h"

#include "report/storylog_value.h"
#include "watch/operand.h"

/*
 * An Insn does not name the register that a call goes through:
 *
 *      [41] ff d0+r    call *%reg     Intel SDM 2A, CALL, FF /2
 */
static gva_t
target_in_register(const Cpu *cpu)
{
    uint8_t bytes[3] = {0};
    unsigned at, high;

    if (!gmem_read(cpu->shared->gmem, cpu_rip(cpu), bytes, sizeof bytes))
        return 0;
    at = (bytes[0] & 0xf0) == 0x40;
    high = at == 1 && (bytes[0] & 1) ? 8 : 0;
    if (bytes[at] != 0xff || (bytes[at + 1] & 0xf8) != 0xd0)
        return 0;
    return cpu->live->registers[(bytes[at + 1] & 7u) + high];
}

gva_t
storylog_read_target(Cpu *cpu, const Insn *insn)
{
    if (insn->flags & INSN_HAS_IMMEDIATE)
        return insn->immediate;
    for (unsigned i = 0; i < insn->access_count; i++) {
        const InsnAccess *access = &insn->access[i];
        gva_t target = 0;

        if (access->mode & INSN_ACCESS_READ && access->size == 8 &&
            gmem_read(cpu->shared->gmem, operand_address(cpu, access),
                      &target, sizeof target))
            return target;
    }
    return target_in_register(cpu);
}

char *
storylog_read_call(const StoryLogSetup *setup, unsigned cpu, gva_t target)
{
    static const unsigned order[STORY_ARGUMENTS_MAX] = {
        GPR_RDI, GPR_RSI, GPR_RDX, GPR_RCX, GPR_R8, GPR_R9};
    const uint64_t *r = machine_cpu(setup->machine, cpu)->live->registers;
    StoryLogCall call = {.function = target, .count = STORY_ARGUMENTS_MAX};

    for (unsigned i = 0; i < STORY_ARGUMENTS_MAX; i++)
        call.arguments[i] = r[order[i]];
    return storylog_value_call(setup, &call);
}

char *
storylog_read_probe(const StoryLogSetup *setup, unsigned cpu,
                    const ImageProbe *probe)
{
    static const ImageType pointer = {.kind = IMAGE_TYPE_POINTER};
    GString *all = g_string_new(probe->name);

    for (unsigned i = 0; i < probe->argument_count; i++) {
        const ImageOperand *operand = &probe->arguments[i];

        g_string_append_c(all, ' ');
        storylog_value_print(
            setup, operand->size == 8 ? &pointer : NULL,
            operand_read(machine_cpu(setup->machine, cpu), operand), all);
    }
    return g_string_free(all, FALSE);
}

void
storylog_read_functions(const StoryLogSetup *setup, const GPtrArray *names,
                        unsigned is, GHashTable *functions)
{
    for (unsigned i = 0; names != NULL && i < names->len; i++) {
        const ImageSymbol *symbol = image_lookup_symbol(
            setup->image, g_ptr_array_index(names, i));
        gpointer key;
        unsigned before;

        if (symbol == NULL)
            continue;
        key = GSIZE_TO_POINTER(symbol->address);
        before = GPOINTER_TO_UINT(g_hash_table_lookup(functions, key));
        g_hash_table_insert(functions, key, GUINT_TO_POINTER(before | is));
    }
}

gva_t
storylog_read_site(const StoryLogSetup *setup, unsigned cpu,
                   const CallStack *stack)
{
    gva_t site = cpu_rip(machine_cpu(setup->machine, cpu)), back;
    const CallFrame *frame;

    for (unsigned i = 0; (frame = callstack_frame(stack, i)) != NULL &&
                         !frame->is_told &&
                         gmem_read(machine_memory(setup->machine), frame->sp,
                                   &back, sizeof back) &&
                         image_symbol_at(setup->image, back - 1) != NULL;
         i++)
        site = back - 1;
    return site;
}
