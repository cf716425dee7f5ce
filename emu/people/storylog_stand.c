/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "people/storylog_stand.h"

#include "people/storylog_value.h"

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
is_send(const StoryLogSetup *setup, const char *name)
{
    for (unsigned i = 0; setup->sends != NULL && i < setup->sends->len; i++)
        if (g_strcmp0(g_ptr_array_index(setup->sends, i), name) == 0)
            return true;
    return false;
}

static const StateFifo *
lookup_fifo(const StoryLogSetup *setup, int source, int target)
{
    if (setup->view == NULL || setup->view->fifos == NULL)
        return NULL;
    for (unsigned i = 0; i < setup->view->fifos->len; i++) {
        const StateFifo *fifo =
            &g_array_index(setup->view->fifos, StateFifo, i);

        if (fifo->source == source && fifo->target == target)
            return fifo;
    }
    return NULL;
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
    if (!is_send(setup, function))
        return g_strdup_printf("waits for cpu%d", frame->peer);
    fifo = lookup_fifo(setup, (int)cpu, frame->peer);
    if (fifo == NULL)
        return g_strdup_printf("waits for room to cpu%d", frame->peer);
    return g_strdup_printf("waits for room to cpu%d: %u of %u queued",
                           frame->peer,
                           state_fifo_length(setup->machine, fifo),
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

    if (!image_line_at(image, event->address, &line) || line.file == NULL)
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
        const char *source =
            image_source_line(setup->image, line.file, line.line + i);
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
         (frame = callstack_frame(moment->stack, i)) != NULL &&
         !frame->is_base; i++) {
        const StoryLogLock *lock = storylog_stand_lock(moment->locks, frame);

        if (lock == NULL && !frame->waits)
            continue;
        stand->function =
            storyrecord_text(record, name_at(setup, frame->target));
        if (lock != NULL) {
            stand_at_lock(setup, frame, lock, doing);
            stand->waits_for = (int)lock->cpu;
        } else {
            g_autofree char *wait =
                storylog_stand_wait(setup, moment->cpu, frame);

            g_string_assign(doing, wait);
            stand->waits_for = frame->peer;
            quote_loop(setup, frame->wait_rip, stand, record);
        }
        stand->doing = storyrecord_text(record, doing->str);
        return;
    }
    /* On its way to the idle loop, or back from it. */
    if (moment->ended) {
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
        doing = g_strdup_printf("idle, its story sleeps in %s",
                                name_at(setup, story->target));
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
    StoryLogLock lock = {
        .word = frame->word, .cpu = cpu, .step = frame->step};

    if (storylog_stand_lock(locks, frame) == NULL &&
        locks->len < LOCKS_MAX)
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
