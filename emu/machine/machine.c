/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "machine/machine.h"

#include "machine/machine_parts.h"

/* --- What cores tell ------------------------------------------------------ */

static void
refresh(Machine *machine, unsigned number)
{
    Cpu *cpu = &machine->cpus[number];
    uint64_t bit = UINT64_C(1) << number;
    ticks_t deadline = lapic_timer_deadline(&cpu->state.lapic);

    if (cpu_is_runnable(cpu))
        machine->runnable |= bit;
    else
        machine->runnable &= ~bit;
    if (deadline == machine->deadlines[number])
        return;
    machine->deadlines[number] = deadline;
    machine->next_deadline = TICKS_NEVER;
    for (unsigned i = 0; i < machine->cpu_count; i++)
        machine->next_deadline =
            MIN(machine->next_deadline, machine->deadlines[i]);
}

static void
deliver(Machine *machine, unsigned index)
{
    Message message = apicbus_pop(&machine->bus, index);

    cpu_receive(&machine->cpus[message.target], &message.message);
    machine_note_stores(machine, &machine->cpus[message.target]);
    refresh(machine, message.target);
}

static void
enqueue(Machine *machine, Cpu *sender, unsigned target,
        const LapicMessage *message)
{
    const Message *sent =
        apicbus_push(&machine->bus, target, machine->clock, message);

    if (sent != NULL && machine->watch.sent != NULL)
        machine->watch.sent(machine->watch.user, sender->number, sent);
}

/* The one of those addressed that is least busy; the first of equals. */
static int
lowest_priority_target(Machine *machine, const LapicMessage *message)
{
    int best = -1;
    uint8_t best_priority = 0;

    for (unsigned i = 0; i < machine->cpu_count; i++) {
        const Lapic *lapic = &machine->cpus[i].state.lapic;
        uint8_t priority = lapic_processor_priority(lapic);

        if (!lapic_accepts(lapic, message) ||
            !lapic_is_software_enabled(lapic))
            continue;
        if (best < 0 || priority < best_priority) {
            best = (int)i;
            best_priority = priority;
        }
    }
    return best;
}

static void
on_send(void *user, Cpu *cpu, const LapicMessage *message)
{
    Machine *machine = user;

    if (message->delivery == LAPIC_DELIVERY_LOWEST) {
        int target = lowest_priority_target(machine, message);

        if (target >= 0)
            enqueue(machine, cpu, (unsigned)target, message);
        return;
    }
    for (unsigned i = 0; i < machine->cpu_count; i++)
        if (lapic_accepts(&machine->cpus[i].state.lapic, message))
            enqueue(machine, cpu, i, message);
}

static void
on_point(void *user, Cpu *cpu, gva_t rip)
{
    Machine *machine = user;

    if (machine->watch.point != NULL)
        machine->watch.point(machine->watch.user, cpu->number, rip);
}

static void
on_access(void *user, Cpu *cpu, gpa_t physical, const InsnAccess *access)
{
    Machine *machine = user;

    if (machine->watch.access != NULL)
        machine->watch.access(machine->watch.user, cpu->number, physical,
                              access);
}

static void
on_visible(void *user, Cpu *cpu, gpa_t physical, uint64_t size, gva_t rip)
{
    Machine *machine = user;

    if (machine->watch.visible != NULL)
        machine->watch.visible(machine->watch.user, cpu->number, physical,
                               size, rip);
}

static void
on_interrupted(void *user, Cpu *cpu, unsigned vector, gva_t rip)
{
    Machine *machine = user;

    if (machine->watch.interrupted != NULL)
        machine->watch.interrupted(machine->watch.user, cpu->number, vector,
                                   rip);
}

static void
on_flow(void *user, Cpu *cpu, const Insn *insn, unsigned vector)
{
    Machine *machine = user;

    if (machine->watch.flow != NULL)
        machine->watch.flow(machine->watch.user, cpu->number, insn, vector);
}

/* A core writes to code, or a page of code goes back to what it was. */
void
machine_code_written(void *user, gpa_t physical, uint64_t size)
{
    Machine *machine = user;

    code_forget(&machine->code, physical, size);
    for (unsigned i = 0; i < machine->cpu_count; i++)
        cpu_code_changed(&machine->cpus[i], physical, size);
}

static unsigned
on_late(void *user, Cpu *cpu, unsigned count)
{
    Machine *machine = user;

    if (machine->watch.late == NULL)
        return 0;
    return machine->watch.late(machine->watch.user, cpu->number, count);
}

/* --- Life ----------------------------------------------------------------- */

Machine *
machine_new(const MachineOptions *options, GError **error)
{
    g_autoptr(Machine) machine = g_new0(Machine, 1);

    INVARIANT(options->cpus >= 1 && options->cpus <= CPUS_MAX);
    machine->console = g_string_new(NULL);
    machine->next_deadline = TICKS_NEVER;
    gmem_init(&machine->memory, options->ram_mib);
    code_init(&machine->code, &machine->memory);
    past_init(&machine->past, options->cpus);
    machine->shared = (CpuShared){
        .gmem = &machine->memory,
        .code = &machine->code,
        .clock = &machine->clock,
        .memory = MEMORY_OPTIONS_SC,
        .engine = options->engine,
        .host =
            {
                .send = on_send,
                .point = on_point,
                .access = on_access,
                .visible = on_visible,
                .interrupted = on_interrupted,
                .flow = on_flow,
                .code_written = machine_code_written,
                .late = on_late,
                .user = machine,
            },
    };
    if (options->engine == CPU_ENGINE_FIBER && options->cpus > CPU_FIBERS_MAX)
        machine->shared.engine = CPU_ENGINE_COMMON;
    if (machine->shared.engine == CPU_ENGINE_COMMON)
        machine->shared.common = &machine->common;
    for (unsigned i = 0; i < options->cpus; i++) {
        machine->cpu_count = i + 1;
        machine->deadlines[i] = TICKS_NEVER;
        if (!cpu_init(&machine->cpus[i], i, &machine->shared, error))
            return NULL;
    }
    return g_steal_pointer(&machine);
}

void
machine_free(Machine *machine)
{
    if (machine == NULL)
        return;
    for (unsigned i = 0; i < machine->cpu_count; i++)
        cpu_clear(&machine->cpus[i]);
    engine_free(machine->common.engine);
    machine_snapshot_free(machine->base);
    code_clear(&machine->code);
    gmem_clear(&machine->memory);
    g_string_free(machine->console, TRUE);
    g_free(machine);
}

void
machine_watch(Machine *machine, const MachineWatch *watch)
{
    machine->watch = watch != NULL ? *watch : (MachineWatch){0};
}

void
machine_watch_memory(Machine *machine, gpa_t physical, uint64_t size)
{
    gpa_t last = (physical + size - 1) >> LINE_BITS;

    INVARIANT(size > 0 && physical + size <= machine->memory.size);
    for (gpa_t line = physical >> LINE_BITS; line <= last; line++)
        machine_watch_line(machine, line << LINE_BITS);
}

bool
machine_watch_line(Machine *machine, gpa_t physical)
{
    uint8_t *flags = &machine->memory.line_flags[physical >> LINE_BITS];

    if (*flags & GMEM_WATCHED)
        return false;
    *flags |= GMEM_WATCHED;
    machine->shared.watches++;
    return true;
}

void
machine_unwatch_line(Machine *machine, gpa_t physical)
{
    uint8_t *flags = &machine->memory.line_flags[physical >> LINE_BITS];

    INVARIANT(*flags & GMEM_WATCHED);
    *flags &= (uint8_t)~GMEM_WATCHED;
    machine->shared.watches--;
}

void
machine_watch_no_memory(Machine *machine)
{
    for (uint64_t i = 0; i < machine->memory.size >> LINE_BITS; i++)
        machine->memory.line_flags[i] &= (uint8_t)~GMEM_WATCHED;
    machine->shared.watches = 0;
}

void
machine_watch_meetings(Machine *machine, bool enable)
{
    machine->shared.tells_meetings = enable;
}

void
machine_watch_flow(Machine *machine, bool enable)
{
    for (unsigned i = 0; i < machine->cpu_count; i++)
        cpu_trace_calls(&machine->cpus[i], enable);
}

/* --- Acting --------------------------------------------------------------- */

void
machine_list_actions(Machine *machine, Actions *actions)
{
    ticks_t due = machine->clock;

    action_begin_list(actions, machine->runnable, machine->buffered);
    if (machine->bus.count > 0)
        apicbus_list(&machine->bus, actions);
    if (LIKELY(machine->next_deadline == TICKS_NEVER))
        return;
    if (actions->count == 0)
        due = MAX(due, machine->next_deadline);
    if (machine->next_deadline > due)
        return;
    for (unsigned i = 0; i < machine->cpu_count; i++)
        if (machine->deadlines[i] <= due)
            action_add(actions, (Action){.kind = ACTION_FIRE, .cpu = i});
}

CpuStop
machine_perform(Machine *machine, const Action *action, uint64_t steps)
{
    Cpu *cpu = &machine->cpus[action->cpu];
    CpuStop stop = CPU_STOP_SLICE;
    unsigned index;

    INVARIANT(action->cpu < machine->cpu_count);
    switch (action->kind) {
    case ACTION_STEP:
        cpu->whole = action->number != 0;
        stop = cpu_run(cpu, steps);
        machine_note_stores(machine, cpu);
        /* Most often nothing changed but the core's place in its code. */
        if (LIKELY(stop == CPU_STOP_SLICE && !cpu->apic_touched))
            return stop;
        cpu->apic_touched = false;
        break;
    case ACTION_DRAIN:
        cpu_drain_stores(cpu, (unsigned)action->number, steps);
        machine_note_stores(machine, cpu);
        return stop;
    case ACTION_DELIVER:
        index = apicbus_lookup(&machine->bus, action->number);
        INVARIANT(index < machine->bus.count);
        deliver(machine, index);
        break;
    case ACTION_FIRE:
        machine->clock =
            MAX(machine->clock, machine->deadlines[action->cpu]);
        cpu_timer_expire(cpu, machine->clock);
        break;
    }
    refresh(machine, action->cpu);
    return stop;
}

bool
machine_drop_message(Machine *machine, uint64_t number)
{
    unsigned index = apicbus_lookup(&machine->bus, number);

    if (index == machine->bus.count)
        return false;
    apicbus_pop(&machine->bus, index);
    return true;
}

bool
machine_double_message(Machine *machine, uint64_t number)
{
    unsigned index = apicbus_lookup(&machine->bus, number);
    Message message;

    if (index == machine->bus.count)
        return false;
    message = machine->bus.messages[index];
    return apicbus_push(&machine->bus, message.target, machine->clock,
                        &message.message) != NULL;
}

void
machine_break(Machine *machine, unsigned cpu)
{
    cpu_break(&machine->cpus[cpu]);
}

void
machine_refresh(Machine *machine)
{
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        refresh(machine, i);
        machine_note_stores(machine, &machine->cpus[i]);
    }
}

void
machine_finish_hypercall(Machine *machine, unsigned cpu, uint64_t result)
{
    cpu_finish_hypercall(&machine->cpus[cpu], result);
    refresh(machine, cpu);
}

/* --- Looking -------------------------------------------------------------- */

unsigned
machine_cpus(const Machine *machine)
{
    return machine->cpu_count;
}

Cpu *
machine_cpu(Machine *machine, unsigned cpu)
{
    INVARIANT(cpu < machine->cpu_count);
    return &machine->cpus[cpu];
}

Gmem *
machine_memory(Machine *machine)
{
    return &machine->memory;
}

Code *
machine_code(Machine *machine)
{
    return &machine->code;
}

Past *
machine_past(Machine *machine)
{
    return &machine->past;
}

bool
machine_bus_overflowed(const Machine *machine)
{
    return machine->bus.overflowed;
}

ticks_t
machine_clock(const Machine *machine)
{
    return machine->clock;
}

const Message *
machine_messages(const Machine *machine, unsigned *count)
{
    *count = machine->bus.count;
    return machine->bus.messages;
}

void
machine_console_write(Machine *machine, const char *text, size_t size)
{
    size_t room = CONSOLE_BYTES_MAX - machine->console->len;
    size_t kept = MIN(room, size);

    g_string_append_len(machine->console, text, (gssize)kept);
    machine->console_lost += size - kept;
}

const char *
machine_console(const Machine *machine)
{
    return machine->console->str;
}

uint64_t
machine_digest(Machine *machine)
{
    Digest digest;

    digest_init(&digest);
    digest_u64(&digest, machine->cpu_count);
    digest_u64(&digest, machine->clock);
    for (unsigned i = 0; i < machine->cpu_count; i++)
        cpu_digest(&machine->cpus[i], &digest);
    gmem_digest(&machine->memory, &digest);
    past_digest(&machine->past, &digest);
    apicbus_digest(&machine->bus, &digest);
    digest_bytes(&digest, machine->console->str, machine->console->len);
    digest_u64(&digest, machine->console_lost);
    return digest_value(&digest);
}

void
machine_check(Machine *machine)
{
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        bool listed = machine->runnable >> i & 1;

        cpu_check(&machine->cpus[i]);
        INVARIANT(listed == cpu_is_runnable(&machine->cpus[i]));
        INVARIANT((machine->buffered >> i & 1) ==
                  (machine->cpus[i].stores.count > 0));
        INVARIANT(machine->deadlines[i] ==
                  lapic_timer_deadline(&machine->cpus[i].state.lapic));
    }
    INVARIANT(apicbus_check(&machine->bus));
}
