/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/storylog.h"

#include "parts/cpu_interrupt.h"
#include "report/callstack.h"
#include "report/storylog_lanes.h"
#include "report/storylog_read.h"
#include "report/storylog_stand.h"
#include "report/storylog_value.h"
#include "watch/operand.h"

enum { IS_NOTABLE = 1, IS_LOCK = 2, IS_UNLOCK = 4 };

typedef struct Core {
    CallStack stack;
    gva_t called;        /* by the story, and not entered yet; or 0 */
    char *call_text;     /* as the story wrote it, or NULL */
    gva_t executed;      /* function of the message about to be called */
    bool asked;          /* its story was asked before */
    bool ended;
} Core;

struct StoryLog {
    StoryLogSetup setup;
    StoryRecord *record;
    ticks_t start;
    bool begun;
    int stepping;          /* the cpu that went on last, or -1 */
    int turn;              /* the cpu whose turn it is, or -1 */
    uint64_t since;        /* step at which that began */
    GHashTable *functions; /* address: IS_* */
    GHashTable *probes;    /* address: index of the probe, plus one */
    GArray *locks;         /* StoryLogLock */
    StoryLogLanes *lanes;
    Core cores[CPUS_MAX];
};

static uint64_t
now(StoryLog *log)
{
    if (!log->begun) {
        log->begun = true;
        log->start = machine_clock(log->setup.machine);
    }
    return machine_clock(log->setup.machine) - log->start;
}

static const uint64_t *
registers(StoryLog *log, unsigned cpu)
{
    return machine_cpu(log->setup.machine, cpu)->live->registers;
}

/* --- Events --------------------------------------------------------------- */

/* Put it on the record.  What the scenario does is in no source of the
 * guest. */
static void
push(StoryLog *log, StoryEvent *event)
{
    event->step = now(log);
    if (event->address == 0)
        event->address = cpu_rip(machine_cpu(log->setup.machine, event->cpu));
    event->depth = callstack_depth(&log->cores[event->cpu].stack);
    if (event->kind != STORY_EVENT_TOLD && event->kind != STORY_EVENT_MARK &&
        event->kind != STORY_EVENT_SCHEDULE && event->kind != STORY_EVENT_END)
        storylog_locate(&log->setup, log->record, event);
    storylog_lanes_look(log->lanes, event->step);
    storyrecord_push(log->record, event);
}

static void
tell(StoryLog *log, unsigned cpu, StoryEventKind kind, const char *text)
{
    StoryEvent event = {.cpu = (uint8_t)cpu, .kind = kind, .text = text};

    push(log, &event);
}

static void G_GNUC_PRINTF(4, 5)
tellf(StoryLog *log, unsigned cpu, StoryEventKind kind, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    tell(log, cpu, kind, text);
}

/* --- Calls and returns ---------------------------------------------------- */

static void
tell_call(StoryLog *log, unsigned cpu, const CallFrame *frame)
{
    Core *core = &log->cores[cpu];
    const StoryLogLock *lock = storylog_stand_lock(log->locks, frame);
    g_autofree char *made = NULL;
    const char *text = core->call_text;

    if (!frame->is_told_one || text == NULL)
        text = made = storylog_read_call(&log->setup, cpu, frame->target);
    if (lock == NULL)
        tell(log, cpu, frame->is_told_one ? STORY_EVENT_TOLD : STORY_EVENT_CALL,
             text);
    else
        tellf(log, cpu,
              frame->is_told_one ? STORY_EVENT_TOLD : STORY_EVENT_CALL,
              "%s  <- held by cpu%u since step %" PRIu64, text, lock->cpu,
              lock->step);
}

static void
on_call(StoryLog *log, unsigned cpu, gva_t target)
{
    Core *core = &log->cores[cpu];
    const uint64_t *r = registers(log, cpu);
    unsigned is = GPOINTER_TO_UINT(
        g_hash_table_lookup(log->functions, GSIZE_TO_POINTER(target)));
    CallFrame frame = {
        .sp = r[GPR_RSP] - 8,
        .target = target,
        .word = r[GPR_RDI],
        .step = now(log),
        .is_lock = is & IS_LOCK,
        .is_unlock = is & IS_UNLOCK,
        .peer = storylog_value_cpu(&log->setup, r[GPR_RDI]),
    };
    bool message = target != 0 && target == core->executed;

    core->executed = 0;
    if (target != 0 && target == core->called) {
        core->called = 0;
        callstack_empty(&core->stack);
        frame.is_told_one = true;
    }
    frame.is_told = frame.is_told_one || message || (is & IS_NOTABLE);
    if (frame.is_told_one || (!message && (is & IS_NOTABLE)))
        tell_call(log, cpu, &frame);
    if (frame.is_told_one)
        g_clear_pointer(&core->call_text, g_free);
    callstack_push(&core->stack, &frame);
}

static void
on_return(StoryLog *log, unsigned cpu, gva_t sp)
{
    Core *core = &log->cores[cpu];
    CallFrame frame;

    if (!callstack_pop(&core->stack, sp, &frame))
        return;
    if (frame.is_lock)
        storylog_stand_locked(log->locks, cpu, &frame);
    if (frame.is_unlock)
        storylog_stand_unlocked(log->locks, frame.word);
    if (frame.is_told) {
        const ImageSymbol *symbol =
            image_symbol_at(log->setup.image, frame.target);

        tellf(log, cpu, STORY_EVENT_RETURN, "%s returns",
              symbol != NULL ? symbol->name : "*");
    }
}

static void
on_interrupt(StoryLog *log, unsigned cpu, unsigned vector)
{
    Core *core = &log->cores[cpu];
    g_autofree char *name = storylog_value_vector(&log->setup, cpu, vector);
    CallFrame frame = {
        .sp = registers(log, cpu)[GPR_RSP],
        .target = machine_cpu(log->setup.machine, cpu)->live->rip,
        .step = now(log),
        .peer = -1,
        .is_told = true,
    };

    if (vector < 32 && cpu_vector_has_error((uint8_t)vector))
        frame.sp += 8;
    core->executed = 0;
    tellf(log, cpu, STORY_EVENT_INTERRUPT, "interrupt %s", name);
    callstack_push(&core->stack, &frame);
}

static void
on_flow(void *user, unsigned cpu, const Insn *insn, unsigned vector)
{
    StoryLog *log = user;

    if (insn == NULL)
        on_interrupt(log, cpu, vector);
    else if (insn->flags & INSN_CALL)
        on_call(log, cpu,
                storylog_read_target(machine_cpu(log->setup.machine, cpu),
                                     insn));
    else
        on_return(log, cpu, registers(log, cpu)[GPR_RSP]);
}

/* --- Probes --------------------------------------------------------------- */

static uint64_t
argument(StoryLog *log, unsigned cpu, const ImageOperand *operand)
{
    return operand_read(machine_cpu(log->setup.machine, cpu), operand);
}

static void
on_wait(StoryLog *log, unsigned cpu, const ImageProbe *probe)
{
    CallFrame *frame = callstack_frame(&log->cores[cpu].stack, 0);
    g_autofree char *reason = NULL, *text = NULL;

    if (frame == NULL)
        return;
    if (probe->argument_count > 0)
        reason = gmem_read_string(machine_memory(log->setup.machine),
                                  argument(log, cpu, &probe->arguments[0]),
                                  64);
    frame->waits = true;
    frame->wait = storyrecord_text(log->record, reason);
    frame->wait_rip = probe->address;
    text = storylog_stand_wait(&log->setup, cpu, frame);
    tell(log, cpu, STORY_EVENT_WAIT, text);
}

static void
on_trace(StoryLog *log, unsigned cpu, const ImageProbe *probe)
{
    StoryLogCall call = {.trim = true};
    g_autofree char *text = NULL;

    if (g_str_has_suffix(probe->name, "receive") &&
        probe->argument_count >= 1) {
        call.function = argument(log, cpu, &probe->arguments[0]);
        /* The message's own arguments, and no frame. */
        call.count = MIN(probe->argument_count - 1, 2);
        for (unsigned i = 0; i < call.count; i++)
            call.arguments[i] = argument(log, cpu, &probe->arguments[i + 1]);
        text = storylog_value_call(&log->setup, &call);
        tell(log, cpu, STORY_EVENT_MESSAGE, text);
        log->cores[cpu].executed = call.function;
        return;
    }
    text = storylog_read_probe(&log->setup, cpu, probe);
    tell(log, cpu, STORY_EVENT_TRACE, text);
}

static void
on_point(void *user, unsigned cpu, gva_t rip)
{
    StoryLog *log = user;
    const StoryLogSetup *setup = &log->setup;
    unsigned index = GPOINTER_TO_UINT(
        g_hash_table_lookup(log->probes, GSIZE_TO_POINTER(rip)));
    const ImageProbe *probe;

    if (index == 0)
        return;
    probe = image_probe(setup->image, index - 1);
    if (g_strcmp0(probe->provider, setup->trace_provider) == 0)
        on_trace(log, cpu, probe);
    else if (g_strcmp0(probe->name, setup->wait_push) == 0)
        on_wait(log, cpu, probe);
    else if (g_strcmp0(probe->name, setup->wait_pop) == 0) {
        CallFrame *frame = callstack_frame(&log->cores[cpu].stack, 0);

        if (frame != NULL)
            frame->waits = false;
        tell(log, cpu, STORY_EVENT_WAIT_END, "goes on");
    }
}

/* --- Messages between cores ----------------------------------------------- */

static void
on_sent(void *user, unsigned cpu, const Message *message)
{
    StoryLog *log = user;
    g_autofree char *name = storylog_value_message(&log->setup, message);
    g_autofree char *text =
        g_strdup_printf("sends %s to cpu%u", name, message->target);
    StoryEvent event = {
        .cpu = (uint8_t)cpu,
        .kind = STORY_EVENT_SENT,
        .address = storylog_read_site(&log->setup, cpu,
                                      &log->cores[cpu].stack),
        .text = text,
        .message = message->number + 1,
    };

    push(log, &event);
}

static void
on_delivery(StoryLog *log, const Action *action)
{
    unsigned count;
    const Message *messages =
        machine_messages(log->setup.machine, &count);

    for (unsigned i = 0; i < count; i++)
        if (messages[i].number == action->number) {
            g_autofree char *name =
                storylog_value_message(&log->setup, &messages[i]);
            g_autofree char *text = g_strdup_printf(
                "%s arrives from cpu%u", name, messages[i].message.source);
            StoryEvent event = {
                .cpu = (uint8_t)action->cpu,
                .kind = STORY_EVENT_ARRIVAL,
                .text = text,
                .message = action->number + 1,
            };

            push(log, &event);
            return;
        }
}

/* --- Stores --------------------------------------------------------------- */

static void
on_drain(StoryLog *log, const Action *action, uint64_t count)
{
    storylog_lanes_look(log->lanes, now(log));
    for (uint64_t i = 0; i < count && i < STOREBUF_DEPTH_MAX; i++) {
        StoryEvent event = {.cpu = (uint8_t)action->cpu,
                            .kind = STORY_EVENT_VISIBLE};
        g_autofree char *text = storylog_lanes_drain(
            log->lanes, (unsigned)(action->number + i), &event);

        if (text == NULL)
            continue;
        event.text = text;
        push(log, &event);
    }
}

static void
on_access(void *user, unsigned cpu, gpa_t physical, const InsnAccess *access)
{
    StoryLog *log = user;
    StoryEvent event = {.cpu = (uint8_t)cpu, .kind = STORY_EVENT_VISIBLE};
    g_autofree char *text = NULL;

    if (access->mode & INSN_ACCESS_READ)
        text = storylog_lanes_read(log->lanes, physical, access->size, &event);
    if (text == NULL)
        return;
    event.text = text;
    push(log, &event);
}

static void
on_late(void *user, unsigned cpu, unsigned stores)
{
    tellf(user, cpu, STORY_EVENT_VISIBLE, "loads an old value, %u store%s back",
          stores, stores == 1 ? "" : "s");
}

/* A turn of no steps is on no tape: it was none. */
static void
end_turn(StoryLog *log)
{
    if (log->turn >= 0 && now(log) != log->since) {
        log->record->switches +=
            log->stepping >= 0 && log->stepping != log->turn;
        log->stepping = log->turn;
    }
    log->turn = -1;
}

static void
on_action(void *user, const Action *action, uint64_t steps)
{
    StoryLog *log = user;

    end_turn(log);
    switch (action->kind) {
    case ACTION_STEP:
        storylog_lanes_step(log->lanes, action->cpu, now(log));
        log->turn = (int)action->cpu;
        log->since = now(log);
        return;
    case ACTION_DRAIN:
        on_drain(log, action, steps);
        return;
    case ACTION_DELIVER:
        on_delivery(log, action);
        return;
    case ACTION_FIRE:
        tell(log, action->cpu, STORY_EVENT_TIMER, "timer fires");
        return;
    }
}

/* --- Scripts -------------------------------------------------------------- */

static void
on_dropped(void *user, const Message *message)
{
    StoryLog *log = user;
    g_autofree char *name = storylog_value_message(&log->setup, message);

    tellf(log, message->target, STORY_EVENT_SCHEDULE,
          "schedule() drops %s from cpu%u", name, message->message.source);
}

/* No cpu does it: it stands with the one that went on last. */
static void
on_written(void *user, const Store *store)
{
    StoryLog *log = user;
    g_autofree char *text = storylog_value_store(&log->setup, store);

    end_turn(log);
    tellf(log, (unsigned)MAX(log->stepping, 0), STORY_EVENT_SCHEDULE,
          "schedule() writes %s", text);
}

static void
on_returned(void *user, unsigned cpu, uint64_t result, bool ended)
{
    StoryLog *log = user;
    Core *core = &log->cores[cpu];

    callstack_empty(&core->stack);
    if (core->asked)
        tellf(log, cpu, STORY_EVENT_RETURN, "the story's call returns %" PRId64,
              (int64_t)result);
    core->asked = true;
    if (ended) {
        core->ended = true;
        tell(log, cpu, STORY_EVENT_END, "(end of its story)");
        return;
    }
    core->called = registers(log, cpu)[GPR_RAX];
}

void
storylog_call(StoryLog *log, unsigned cpu, const char *text)
{
    INVARIANT(cpu < log->record->cpus);
    g_free(log->cores[cpu].call_text);
    log->cores[cpu].call_text = g_strdup(text);
}

void
storylog_load(StoryLog *log, unsigned cpu, gva_t address, uint64_t size)
{
    const InsnAccess load = {.size = (uint16_t)size, .mode = INSN_ACCESS_READ};
    gpa_t physical;

    if (gmem_translate(machine_memory(log->setup.machine), address, size,
                       &physical))
        on_access(log, cpu, physical, &load);
}

void
storylog_mark(StoryLog *log, unsigned cpu, const char *name)
{
    INVARIANT(cpu < log->record->cpus);
    tellf(log, cpu, STORY_EVENT_MARK, "mark \"%s\"", name);
}

void
storylog_aside(StoryLog *log, StoryEventKind kind, const Moment *moment,
               const char *text)
{
    const ImageSymbol *symbol =
        image_symbol_at(log->setup.image, moment->rip);
    StoryEvent event = {
        .kind = kind,
        .cpu = (uint8_t)moment->cpu,
        .step = moment->at - MIN(log->start, moment->at),
        .address = moment->rip,
        .text = text,
        .function = symbol == NULL ? NULL : symbol->name,
    };

    storylog_locate(&log->setup, log->record, &event);
    storyrecord_aside(log->record, &event);
}

/* --- Life ----------------------------------------------------------------- */

StoryLog *
storylog_new(const StoryLogSetup *setup)
{
    StoryLog *log = g_new0(StoryLog, 1);

    log->setup = *setup;
    log->stepping = log->turn = -1;
    log->functions = g_hash_table_new(g_direct_hash, g_direct_equal);
    log->probes = g_hash_table_new(g_direct_hash, g_direct_equal);
    log->locks = g_array_new(FALSE, FALSE, sizeof(StoryLogLock));
    log->record = g_new0(StoryRecord, 1);
    storyrecord_init(log->record, machine_cpus(setup->machine));
    log->lanes = storylog_lanes_new(&log->setup, log->record);
    for (unsigned i = 0; i < log->record->cpus; i++)
        callstack_init(&log->cores[i].stack);
    storylog_read_functions(setup, setup->notable, IS_NOTABLE, log->functions);
    storylog_read_functions(setup, setup->locks, IS_LOCK, log->functions);
    storylog_read_functions(setup, setup->unlocks, IS_UNLOCK, log->functions);
    return log;
}

void
storylog_free(StoryLog *log)
{
    if (log == NULL)
        return;
    machine_watch_flow(log->setup.machine, false);
    for (unsigned i = 0; i < machine_cpus(log->setup.machine); i++) {
        callstack_clear(&log->cores[i].stack);
        g_free(log->cores[i].call_text);
    }
    g_hash_table_unref(log->functions);
    g_hash_table_unref(log->probes);
    g_array_unref(log->locks);
    storylog_lanes_free(log->lanes);
    storyrecord_free(log->record);
    g_free(log);
}

void
storylog_observer(StoryLog *log, RunObserver *observer)
{
    *observer = (RunObserver){
        .action = on_action,
        .point = on_point,
        .flow = on_flow,
        .sent = on_sent,
        .access = on_access,
        .late = on_late,
        .dropped = on_dropped,
        .written = on_written,
        .returned = on_returned,
        .user = log,
    };
}

void
storylog_attach(StoryLog *log)
{
    const StoryLogSetup *setup = &log->setup;

    for (size_t i = 0; i < image_probe_count(setup->image); i++) {
        const ImageProbe *probe = image_probe(setup->image, i);

        if (g_strcmp0(probe->provider, setup->wait_provider) != 0 &&
            g_strcmp0(probe->provider, setup->trace_provider) != 0)
            continue;
        g_hash_table_insert(log->probes, GSIZE_TO_POINTER(probe->address),
                            GUINT_TO_POINTER((unsigned)i + 1));
        code_mark(machine_code(setup->machine), probe->address, CODE_POINT);
    }
    machine_watch_flow(setup->machine, true);
}

void
storylog_finish(StoryLog *log)
{
    const Stories *stories = log->setup.stories;

    end_turn(log);
    for (unsigned i = 0; i < log->record->cpus; i++) {
        StoryLogMoment moment = {
            .cpu = i,
            .stack = &log->cores[i].stack,
            .ended = log->cores[i].ended,
            .locks = log->locks,
        };

        if (stories != NULL)
            moment.awaited = stories->awaited(stories->user, i);
        storylog_stand_describe(&log->setup, &moment, log->record);
    }
}

const StoryRecord *
storylog_record(const StoryLog *log)
{
    return log->record;
}

StoryRecord *
storylog_take_record(StoryLog *log)
{
    return g_steal_pointer(&log->record);
}
