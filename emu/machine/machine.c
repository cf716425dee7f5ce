/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "machine/machine.h"

struct Machine {
    unsigned cpu_count;
    ticks_t clock;
    uint64_t runnable;                /* bit n: core n can step */
    ticks_t deadlines[CPUS_MAX];      /* of the APIC timers */
    ticks_t next_deadline;            /* the least of them */
    ApicBus bus;
    GString *console;
    uint64_t console_lost;            /* bytes beyond CONSOLE_BYTES_MAX */
    Gmem memory;
    Code code;
    CpuShared shared;
    CpuCommon common;
    MachineWatch watch;
    uint8_t *watched_lines;           /* one bit a line */
    MachineSnapshot *base;
    Cpu cpus[CPUS_MAX];
};

struct MachineSnapshot {
    ticks_t clock;
    ApicBus *bus;
    char *console;
    size_t console_bytes;
    uint64_t console_lost;
    unsigned cpu_count;
    uint8_t *cpus;          /* cpu_image_bytes() each */
    uint32_t line_count;    /* lines that may differ from the base */
    uint32_t *lines;
    uint8_t *line_bytes;
};

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
on_flow(void *user, Cpu *cpu, const Insn *insn, unsigned vector)
{
    Machine *machine = user;

    if (machine->watch.flow != NULL)
        machine->watch.flow(machine->watch.user, cpu->number, insn, vector);
}

/* A core writes to code, or a page of code goes back to what it was. */
static void
on_code_written(void *user, gpa_t physical, uint64_t size)
{
    Machine *machine = user;

    code_forget(&machine->code, physical, size);
    for (unsigned i = 0; i < machine->cpu_count; i++)
        cpu_code_changed(&machine->cpus[i], physical, size);
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
    machine->watched_lines =
        g_new0(uint8_t, machine->memory.size >> LINE_BITS >> 3);
    machine->shared = (CpuShared){
        .gmem = &machine->memory,
        .code = &machine->code,
        .clock = &machine->clock,
        .engine = options->engine,
        .host =
            {
                .send = on_send,
                .point = on_point,
                .access = on_access,
                .flow = on_flow,
                .code_written = on_code_written,
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
    g_free(machine->watched_lines);
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
    for (gpa_t line = physical >> LINE_BITS; line <= last; line++) {
        machine->watched_lines[line >> 3] |= (uint8_t)(1u << (line & 7));
        machine->memory.line_flags[line] |= GMEM_WATCHED;
    }
    machine->shared.watched = machine->watched_lines;
}

void
machine_watch_no_memory(Machine *machine)
{
    memset(machine->watched_lines, 0, machine->memory.size >> LINE_BITS >> 3);
    for (uint64_t i = 0; i < machine->memory.size >> LINE_BITS; i++)
        machine->memory.line_flags[i] &= (uint8_t)~GMEM_WATCHED;
    machine->shared.watched = NULL;
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

    actions->steps = machine->runnable;
    actions->step_count = (unsigned)__builtin_popcountll(machine->runnable);
    actions->count = actions->step_count;
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
            actions->rest[actions->count++ - actions->step_count] =
                (Action){.kind = ACTION_FIRE, .cpu = i};
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
        stop = cpu_run(cpu, steps);
        /* Most often nothing changed but the core's place in its code. */
        if (LIKELY(stop == CPU_STOP_SLICE && !cpu->apic_touched))
            return stop;
        cpu->apic_touched = false;
        break;
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
    for (unsigned i = 0; i < machine->cpu_count; i++)
        refresh(machine, i);
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
        INVARIANT(machine->deadlines[i] ==
                  lapic_timer_deadline(&machine->cpus[i].state.lapic));
    }
    INVARIANT(apicbus_check(&machine->bus));
}

/* --- Going back ----------------------------------------------------------- */

static MachineSnapshot *
save_but_memory(Machine *machine)
{
    MachineSnapshot *snapshot = g_new0(MachineSnapshot, 1);
    size_t size = cpu_image_bytes();

    snapshot->clock = machine->clock;
    snapshot->bus = g_malloc(apicbus_bytes(&machine->bus));
    apicbus_copy(snapshot->bus, &machine->bus);
    snapshot->console = g_strdup(machine->console->str);
    snapshot->console_bytes = machine->console->len;
    snapshot->console_lost = machine->console_lost;
    snapshot->cpu_count = machine->cpu_count;
    snapshot->cpus = g_malloc0(size * machine->cpu_count);
    for (unsigned i = 0; i < machine->cpu_count; i++)
        cpu_save(&machine->cpus[i], snapshot->cpus + i * size);
    return snapshot;
}

static void
load_but_memory(Machine *machine, const MachineSnapshot *snapshot)
{
    size_t size = cpu_image_bytes();

    INVARIANT(snapshot->cpu_count == machine->cpu_count);
    machine->clock = snapshot->clock;
    apicbus_copy(&machine->bus, snapshot->bus);
    g_string_truncate(machine->console, 0);
    if (snapshot->console_bytes > 0)
        g_string_append_len(machine->console, snapshot->console,
                            (gssize)snapshot->console_bytes);
    machine->console_lost = snapshot->console_lost;
    for (unsigned i = 0; i < machine->cpu_count; i++)
        cpu_load(&machine->cpus[i], snapshot->cpus + i * size);
    for (unsigned i = 0; i < machine->cpu_count; i++)
        refresh(machine, i);
}

void
machine_rebase(Machine *machine)
{
    machine_snapshot_free(machine->base);
    machine->base = save_but_memory(machine);
    gmem_rebase(&machine->memory);
}

void
machine_restore(Machine *machine)
{
    INVARIANT(machine->base != NULL);
    for (unsigned i = 0; i < machine->cpu_count; i++)
        cpu_settle(&machine->cpus[i]);
    gmem_restore(&machine->memory, on_code_written, machine);
    load_but_memory(machine, machine->base);
}

MachineSnapshot *
machine_save(Machine *machine)
{
    MachineSnapshot *snapshot = save_but_memory(machine);
    const Gmem *memory = &machine->memory;

    snapshot->line_count = memory->dirty_count;
    snapshot->lines =
        g_memdup2(memory->dirty, memory->dirty_count * sizeof(uint32_t));
    snapshot->line_bytes =
        g_malloc((size_t)memory->dirty_count << LINE_BITS);
    for (uint32_t i = 0; i < memory->dirty_count; i++)
        memcpy(snapshot->line_bytes + ((size_t)i << LINE_BITS),
               memory->bytes + ((size_t)memory->dirty[i] << LINE_BITS),
               LINE_BYTES);
    return snapshot;
}

void
machine_load(Machine *machine, const MachineSnapshot *snapshot)
{
    Gmem *memory = &machine->memory;

    machine_restore(machine);
    for (uint32_t i = 0; i < snapshot->line_count; i++) {
        gpa_t physical = (gpa_t)snapshot->lines[i] << LINE_BITS;

        gmem_will_write(memory, physical, LINE_BYTES);
        memcpy(memory->bytes + physical,
               snapshot->line_bytes + ((size_t)i << LINE_BITS), LINE_BYTES);
        if (memory->line_flags[snapshot->lines[i]] & GMEM_CODE)
            on_code_written(machine, physical, LINE_BYTES);
    }
    load_but_memory(machine, snapshot);
}

void
machine_snapshot_free(MachineSnapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    g_free(snapshot->bus);
    g_free(snapshot->console);
    g_free(snapshot->cpus);
    g_free(snapshot->lines);
    g_free(snapshot->line_bytes);
    g_free(snapshot);
}
