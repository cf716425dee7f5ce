/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/storylog_stand.h"

#include "report/storylog_value.h"

/* Lines after the start of a wait in which its loop is looked for. */
#define WAIT_LOOP_LINES 6u

/* Calls of a stand that are named. */
#define CALLS_MAX 6u

static const char *
name_at(const StoryLogSetup *setup, gva_t address)
{
    const ImageSymbol *symbol = image_symbol_at(setup->image, address);

    return symbol != NULL ? symbol->name : NULL;
}

static bool
is_listed(const GPtrArray *names, const char *name)
{
    for (unsigned i = 0; names != NULL && i < names->len; i++)
        if (g_strcmp0(g_ptr_array_index(names, i), name) == 0)
            return true;
    return false;
}

static const StateFifo *
lookup_fifo(const StoryLogSetup *setup, int source, int target)
{
    if (setup->view == NULL || setup->view->fifos == NULL)
        return NULL;
    for (unsigned i = 0; i < setup->view->fifos->len; i++) {
        const StateFifo *fifo = &g_array_index(setup->view->fifos, StateFifo,
                                               i);

        if (fifo->source == source && fifo->target == target)
            return fifo;
    }
    return NULL;
}

/* --- Masks of cpus -------------------------------------------------------- */

/* A mask that is a member of a structure in guest memory. */
static bool
read_mask(const StoryLogSetup *setup, const ImageType *type, gva_t address,
          const char *name, uint64_t *mask)
{
    ImageMember member;

    *mask = 0;
    return type != NULL && image_types_member(type, name, &member) &&
           member.type->size <= sizeof *mask &&
           machine_read(setup->machine, MACHINE_NOBODY, address + member.offset,
                        mask, member.type->size);
}

/* "waits for cpu1, cpu3: cs_mack 0x1 of cs_mask 0xb", and the first of them; or
 * NULL. */
static char *
missing_cpus(const StoryLogSetup *setup, unsigned cpu, const CallFrame *frame,
             int *first)
{
    const SystemMasks *masks = setup->masks;
    g_autoptr(GString) text = g_string_new(NULL);
    uint64_t wanted, arrived, missing;
    const ImageType *type;

    if (masks == NULL || masks->type == NULL ||
        !is_listed(masks->functions, name_at(setup, frame->target)))
        return NULL;
    type = image_type_named(setup->image, masks->type);
    if (!read_mask(setup, type, frame->word, masks->wanted, &wanted) ||
        !read_mask(setup, type, frame->word, masks->arrived, &arrived))
        return NULL;
    missing = wanted & ~arrived & ~(UINT64_C(1) << cpu);
    if (missing == 0)
        return NULL;
    *first = __builtin_ctzll(missing);
    for (uint64_t left = missing; left != 0; left &= left - 1)
        g_string_append_printf(text, "%scpu%d",
                               text->len > 0 ? ", " : "waits for ",
                               __builtin_ctzll(left));
    g_string_append_printf(text, ": %s 0x%" PRIx64 " of %s 0x%" PRIx64,
                           masks->arrived, arrived, masks->wanted, wanted);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Has cpu `peer` taken the messages of this cpu out of its mask, and not yet
 * read them? */
static bool
is_claimed(const StoryLogSetup *setup, unsigned cpu, unsigned peer)
{
    uint64_t mask;

    return setup->unclaimed != NULL && setup->globaldata_type != NULL &&
           read_mask(setup, setup->globaldata_type, setup->globaldata[peer],
                     setup->unclaimed, &mask) &&
           !(mask >> cpu & 1);
}

char *
storylog_stand_wait(const StoryLogSetup *setup, unsigned cpu,
                    const CallFrame *frame)
{
    const char *function = name_at(setup, frame->target);
    const StateFifo *fifo;

    if (frame->peer < 0)
        return g_strdup_printf("waits: %s", frame->wait != NULL ? frame->wait
                                            : function != NULL  ? function
                                                                : "in a loop");
    if (!is_listed(setup->sends, function))
        return g_strdup_printf("waits for cpu%d", frame->peer);
    fifo = lookup_fifo(setup, (int)cpu, frame->peer);
    if (fifo == NULL)
        return g_strdup_printf("waits for room to cpu%d", frame->peer);
    return g_strdup_printf("waits for room to cpu%d: %u of %u queued",
                           frame->peer, state_fifo_length(setup->machine, fifo),
                           fifo->depth);
}

/* --- The source ----------------------------------------------------------- */

static void
quote(const StoryLogSetup *setup, gva_t address, StoryStand *stand,
      StoryRecord *record)
{
    g_autofree char *file = NULL, *text = NULL;
    const char *source;
    ImageLine line;

    if (!image_line_at(setup->image, address, &line) || line.file == NULL)
        return;
    file = g_path_get_basename(line.file);
    stand->file = storyrecord_text(record, file);
    stand->line = line.line;
    source = image_source_line(setup->image, line.file, line.line);
    if (source == NULL)
        return;
    text = g_strstrip(g_strdup(source));
    stand->quote = storyrecord_text(record, text);
}

void
storylog_locate(const StoryLogSetup *setup, StoryRecord *record,
                StoryEvent *event)
{
    const Image *image = setup->image;
    g_autofree char *file = NULL, *quote = NULL;
    const char *source;
    ImageLine line;

    if (!image_line_at(image, event->address, &line))
        return;
    /* The line in the function that is named, or that writes to the APIC. */
    if ((event->kind == STORY_EVENT_BREACH ||
         event->kind == STORY_EVENT_MOMENT ||
         event->kind == STORY_EVENT_SENT) &&
        line.frame_count > 0) {
        line.file = line.frames[line.frame_count - 1].file;
        line.line = line.frames[line.frame_count - 1].line;
    }
    if (line.file == NULL)
        return;
    file = g_path_get_basename(line.file);
    event->file = storyrecord_text(record, file);
    event->line = line.line;
    source = image_source_line(image, line.file, line.line);
    if (source != NULL)
        quote = g_strstrip(g_strdup(source));
    event->quote = storyrecord_text(record, quote);
}

/* The probe stands before the loop; what people want to see is the loop. */
static void
quote_loop(const StoryLogSetup *setup, gva_t address, StoryStand *stand,
           StoryRecord *record)
{
    ImageLine line;

    quote(setup, address, stand, record);
    if (!image_line_at(setup->image, address, &line) || line.file == NULL)
        return;
    for (unsigned i = 1; i <= WAIT_LOOP_LINES; i++) {
        const char *source = image_source_line(setup->image, line.file,
                                               line.line + i);
        g_autofree char *text = NULL;

        if (source == NULL)
            return;
        text = g_strstrip(g_strdup(source));
        if (!g_str_has_prefix(text, "while") && !g_str_has_prefix(text, "for"))
            continue;
        stand->line = line.line + i;
        stand->quote = storyrecord_text(record, text);
        return;
    }
}

/* --- The stand ------------------------------------------------------------ */

const StoryLogLock *
storylog_stand_lock(const GArray *locks, const CallFrame *frame)
{
    if (!frame->is_lock)
        return NULL;
    for (unsigned i = 0; i < locks->len; i++) {
        const StoryLogLock *lock = &g_array_index(locks, StoryLogLock, i);

        if (lock->word == frame->word)
            return lock;
    }
    return NULL;
}

static const char *
list_calls(const StoryLogSetup *setup, const CallStack *stack,
           StoryRecord *record)
{
    g_autoptr(GString) calls = g_string_new(NULL);
    const CallFrame *frame;
    unsigned count = 0;

    for (unsigned i = 0;
         (frame = callstack_frame(stack, i)) != NULL && !frame->is_base; i++) {
        const char *name = name_at(setup, frame->target);

        if (!frame->is_told || name == NULL)
            continue;
        if (count++ == CALLS_MAX) {
            g_string_append(calls, " < ...");
            break;
        }
        g_string_append_printf(calls, "%s%s", count > 1 ? " < " : "", name);
    }
    return calls->len > 0 ? storyrecord_text(record, calls->str) : NULL;
}

static void
stand_at_lock(const StoryLogSetup *setup, const CallFrame *frame,
              const StoryLogLock *lock, GString *doing)
{
    g_autoptr(GString) name = g_string_new(NULL);
    static const ImageType pointer = {.kind = IMAGE_TYPE_POINTER};

    storylog_value_print(setup, &pointer, frame->word, name);
    g_string_printf(doing, "spins on %s, held by cpu%u since step %" PRIu64,
                    name->str, lock->cpu, lock->step);
}

/* The cpu makes steps: what keeps it? */
static void
stand_active(const StoryLogSetup *setup, const StoryLogMoment *moment,
             StoryRecord *record)
{
    StoryStand *stand = &record->stands[moment->cpu];
    gva_t rip = cpu_rip(machine_cpu(setup->machine, moment->cpu));
    g_autoptr(GString) doing = g_string_new(NULL);
    const CallFrame *frame;

    quote(setup, rip, stand, record);
    stand->function = storyrecord_text(record, name_at(setup, rip));
    for (unsigned i = 0;
         (frame = callstack_frame(moment->stack, i)) != NULL && !frame->is_base;
         i++) {
        const StoryLogLock *lock = storylog_stand_lock(moment->locks, frame);

        if (lock == NULL && !frame->waits)
            continue;
        stand->function = storyrecord_text(record,
                                           name_at(setup, frame->target));
        if (lock != NULL) {
            stand_at_lock(setup, frame, lock, doing);
            stand->waits_for = (int)lock->cpu;
        } else {
            g_autofree char *wait = missing_cpus(setup, moment->cpu, frame,
                                                 &stand->waits_for);

            if (wait == NULL) {
                wait = storylog_stand_wait(setup, moment->cpu, frame);
                stand->waits_for = frame->peer;
            }
            g_string_assign(doing, wait);
            if (frame->peer >= 0 && is_listed(setup->sends, stand->function) &&
                is_claimed(setup, moment->cpu, (unsigned)frame->peer))
                g_string_append_printf(doing, ", claimed by cpu%d and not read",
                                       frame->peer);
            quote_loop(setup, frame->wait_rip, stand, record);
        }
        stand->doing = storyrecord_text(record, doing->str);
        return;
    }
    /* On its way to the idle loop, or back from it; unless something keeps it
     * on the way. */
    if (moment->ended && stand->calls == NULL) {
        stand->rests = true;
        stand->doing = storyrecord_text(record, "its story has ended");
    }
}

static const CallFrame *
story_frame(const CallStack *stack)
{
    const CallFrame *frame;

    for (unsigned i = 0; (frame = callstack_frame(stack, i)) != NULL; i++)
        if (frame->is_told_one)
            return frame;
    return NULL;
}

/* What a sleeper sleeps on is the first argument of the call. */
static char *
describe_sleep(const StoryLogSetup *setup, const CallFrame *story)
{
    static const ImageType pointer = {.kind = IMAGE_TYPE_POINTER};
    g_autoptr(GString) ident = g_string_new(NULL);

    storylog_value_print(setup, &pointer, story->word, ident);
    return g_strdup_printf("idle, its story sleeps in %s on %s",
                           name_at(setup, story->target), ident->str);
}

void
storylog_stand_describe(const StoryLogSetup *setup,
                        const StoryLogMoment *moment, StoryRecord *record)
{
    StoryStand *stand = &record->stands[moment->cpu];
    CpuActivity activity =
        machine_cpu(setup->machine, moment->cpu)->state.activity;
    const CallFrame *story = story_frame(moment->stack);
    g_autofree char *doing = NULL;

    *stand = (StoryStand){.rests = true, .waits_for = -1};
    if (activity == CPU_SHUTDOWN)
        doing = g_strdup("shut down");
    else if (moment->awaited != NULL)
        doing = g_strdup_printf("awaits \"%s\"", moment->awaited);
    else if (activity == CPU_HALTED && moment->ended)
        doing = g_strdup("idle, its story has ended");
    else if (activity == CPU_HALTED && story != NULL)
        doing = describe_sleep(setup, story);
    else if (activity == CPU_HALTED)
        doing = g_strdup("halted");
    else {
        stand->rests = false;
        stand->calls = list_calls(setup, moment->stack, record);
        stand_active(setup, moment, record);
        return;
    }
    stand->doing = storyrecord_text(record, doing);
}

/* --- Locks ---------------------------------------------------------------- */

/* Locks that are remembered as held; a guest that holds more tells less. */
#define LOCKS_MAX 64u

void
storylog_stand_locked(GArray *locks, unsigned cpu, const CallFrame *frame)
{
    StoryLogLock lock = {.word = frame->word, .cpu = cpu, .step = frame->step};

    if (storylog_stand_lock(locks, frame) == NULL && locks->len < LOCKS_MAX)
        g_array_append_val(locks, lock);
}

void
storylog_stand_unlocked(GArray *locks, uint64_t word)
{
    for (unsigned i = 0; i < locks->len; i++)
        if (g_array_index(locks, StoryLogLock, i).word == word) {
            g_array_remove_index(locks, i);
            return;
        }
}
