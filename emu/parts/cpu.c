/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "parts/cpu.h"

#include "parts/cpu_hook.h"
#include "parts/cpu_image.h"
#include "parts/cpu_interrupt.h"
#include "parts/cpu_memory.h"
#include "parts/cpu_special.h"

/* DR6.BS, and DR6 and DR7 after reset (SDM 3B, 17.2; table 10-1). */
#define DR6_STEP (UINT64_C(1) << 14)
#define DR6_RESET UINT64_C(0xffff0ff0)
#define DR7_RESET UINT64_C(0x400)

/* --- Interrupts ----------------------------------------------------------- */

bool
cpu_interrupt_takeable(Cpu *cpu)
{
    if (cpu_in_shadow(cpu))
        return false;
    if (cpu->state.nmi_waits && !cpu->state.nmi_blocked)
        return true;
    return cpu->state.interrupt_waits && (cpu_flags(cpu) & RFLAGS_IF) != 0;
}

void
cpu_request_attention(Cpu *cpu)
{
    if (cpu->attention)
        return;
    cpu->attention = true;
    cpu->slice_kept = cpu->slice;
    cpu->slice = 0;
}

void
cpu_update_waiting(Cpu *cpu)
{
    cpu->apic_touched = true;
    cpu->state.interrupt_waits = lapic_pending(&cpu->state.lapic) >= 0;
    if (cpu_something_waits(cpu)) {
        cpu->stop_mask |= CPU_OPENS_WINDOW;
        cpu_request_attention(cpu);
    }
}

void
cpu_code_changed(Cpu *cpu, gpa_t physical, uint64_t size)
{
    gpa_t end = physical + size;

    if (cpu->code_changed) {
        end = MAX(end, cpu->changed_at + cpu->changed_size);
        physical = MIN(physical, cpu->changed_at);
    }
    cpu->changed_at = physical;
    cpu->changed_size = end - physical;
    cpu->code_changed = true;
    cpu_request_attention(cpu);
}

/* --- What the engine tells ------------------------------------------------ */

static void
on_exception(void *user, uint32_t vector)
{
    Cpu *cpu = *(Cpu **)user;

    /* What follows from an access that failed is no news. */
    if (cpu->exit == CPU_EXIT_UNMAPPED)
        return;
    cpu->exit_vector = vector;
    cpu->exit = CPU_EXIT_EXCEPTION;
    engine_stop(cpu->engine);
}

static void
on_undefined(void *user)
{
    on_exception(user, CPU_VECTOR_UD);
}

static void
on_unmapped(void *user, gva_t address, bool write, bool fetch)
{
    Cpu *cpu = *(Cpu **)user;

    /* Instructions of many stores run on past the first that fails. */
    if (cpu->exit == CPU_EXIT_UNMAPPED)
        return;
    cpu->exit = CPU_EXIT_UNMAPPED;
    cpu->unmapped_address = address;
    cpu->unmapped_write = write;
    cpu->unmapped_fetch = fetch;
    cpu->unmapped_rip = cpu->live->rip;
    cpu_request_attention(cpu);
}

/* --- The APIC ------------------------------------------------------------- */

void
cpu_apply_effects(Cpu *cpu, const LapicEffects *effects)
{
    if (effects->sends || effects->timer_changed) {
        if (effects->sends)
            cpu->shared->host.send(cpu->shared->host.user, cpu,
                                   &effects->message);
        cpu->attention = false;
        cpu->slice = 0;
    }
    cpu_update_waiting(cpu);
}

static uint32_t
on_apic_read(void *user, uint32_t offset)
{
    Cpu *cpu = *(Cpu **)user;
    uint32_t value =
        lapic_mmio_read(&cpu->state.lapic, offset, *cpu->shared->clock);

    cpu_drain(cpu);
    cpu_update_waiting(cpu);
    return value;
}

static void
on_apic_write(void *user, uint32_t offset, uint32_t value)
{
    Cpu *cpu = *(Cpu **)user;
    LapicEffects effects;

    cpu_drain(cpu);
    lapic_mmio_write(&cpu->state.lapic, offset, value, *cpu->shared->clock,
                     &effects);
    cpu_apply_effects(cpu, &effects);
}

LapicSignal
cpu_receive(Cpu *cpu, const LapicMessage *message)
{
    LapicSignal signal = lapic_receive(&cpu->state.lapic, message);

    switch (signal) {
    case LAPIC_SIGNAL_NMI:
        if (cpu->state.activity != CPU_WAIT_SIPI)
            cpu->state.nmi_waits = true;
        break;
    case LAPIC_SIGNAL_INIT:
        cpu_settle(cpu);
        cpu_enter_init(cpu);
        break;
    case LAPIC_SIGNAL_STARTUP:
        if (cpu->state.activity != CPU_WAIT_SIPI)
            return LAPIC_SIGNAL_REFUSED;
        cpu_settle(cpu);
        cpu_enter_startup(cpu, message->vector);
        break;
    case LAPIC_SIGNAL_NONE:
    case LAPIC_SIGNAL_MERGED:
    case LAPIC_SIGNAL_REFUSED:
    case LAPIC_SIGNAL_SMI:
    case LAPIC_SIGNAL_EXTINT:
        break;
    }
    cpu_update_waiting(cpu);
    return signal;
}

void
cpu_timer_expire(Cpu *cpu, ticks_t now)
{
    lapic_timer_expire(&cpu->state.lapic, now);
    cpu_update_waiting(cpu);
}

/* --- Running -------------------------------------------------------------- */

/* A step that the hook does not see. */
static void
count_step(Cpu *cpu)
{
    cpu->slice--;
    cpu->state.retired++;
    ++*cpu->clock;
}

/* Take what waits, as one step. */
static bool
take_interrupt(Cpu *cpu)
{
    CpuEvent event = {.rip = cpu->live->rip};

    if (cpu->state.nmi_waits && !cpu->state.nmi_blocked) {
        cpu->state.nmi_waits = false;
        cpu->state.nmi_blocked = true;
        event.vector = CPU_VECTOR_NMI;
    } else {
        event.vector = (uint8_t)lapic_acknowledge(&cpu->state.lapic);
        event.external = true;
    }
    cpu->state.activity = CPU_ACTIVE;
    cpu->native = false;
    cpu->alone = false;
    count_step(cpu);
    cpu_update_waiting(cpu);
    return cpu_deliver(cpu, &event);
}

static CpuEvent
unmapped_event(Cpu *cpu)
{
    uint32_t error = cpu->unmapped_write ? CPU_PF_WRITE : 0;
    int64_t sign = (int64_t)cpu->unmapped_address >> 47;

    /* A fetch is told from a read only where NX exists (SDM 3A, 4.7). */
    if (cpu->unmapped_fetch && (engine_efer(cpu->engine) & EFER_NXE))
        error |= CPU_PF_FETCH;
    if ((cpu->live->hidden & ENGINE_HIDDEN_CPL) == 3)
        error |= CPU_PF_USER;
    /* Not canonical: no page fault, and no address in CR2. */
    if (sign != 0 && sign != -1)
        return (CpuEvent){.vector = CPU_VECTOR_GP, .has_error = true,
                          .rip = cpu->live->rip};
    cpu->live->cr[2] = cpu->unmapped_address;
    return (CpuEvent){.vector = CPU_VECTOR_PF, .has_error = true,
                      .error = error, .rip = cpu->live->rip};
}

/* Is `address` read by the instruction at RIP only to be written?  Then even
 * the fault of its read is a write's. */
static bool
writes_back(Cpu *cpu, gva_t address)
{
    uint64_t bases[SEG_COUNT];
    const Insn *insn =
        code_at(cpu->shared->code, cpu_mode(cpu),
                cpu->live->rip + cpu->live->segments[SEG_CS].base);
    uint8_t both = INSN_ACCESS_READ | INSN_ACCESS_WRITE;

    if (address - cpu->live->rip < INSN_LENGTH_MAX) /* it was not fetched */
        return false;
    for (unsigned i = 0; i < SEG_COUNT; i++)
        bases[i] = cpu->live->segments[i].base;
    for (unsigned i = 0; i < insn->access_count; i++) {
        const InsnAccess *access = &insn->access[i];
        gva_t at = insn_effective_address(access, cpu->live->registers, bases);

        if ((access->mode & both) == both && address - at < access->size)
            return true;
    }
    return false;
}

/*
 * Unicorn came back with an exception, or for a reason of its own, after
 * `retired` steps were counted.  The hook counts what it sees; an instruction
 * that cannot even be fetched it does not see, and a handler that cannot be
 * fetched must use up steps like any other loop.
 */
static bool
take_exception(Cpu *cpu, uint64_t retired)
{
    CpuEvent event = {.vector = (uint8_t)cpu->exit_vector,
                      .rip = cpu->live->rip};

    if (cpu->exit == CPU_EXIT_UNMAPPED) {
        cpu->live->rip = cpu->unmapped_rip;
        event = unmapped_event(cpu);
    } else if (cpu->exit == CPU_EXIT_NONE) {
        /* Unicorn takes address 0 for "stop here"; page 0 is not mapped. */
        cpu->unmapped_address = cpu->live->rip;
        cpu->unmapped_write = false;
        cpu->unmapped_fetch = true;
        event = unmapped_event(cpu);
    } else if (cpu_vector_has_error(event.vector)) {
        event.has_error = true;
        event.error = engine_error_code(cpu->engine);
    } else if (event.vector == CPU_VECTOR_DB)
        cpu->state.dr[6] |= DR6_STEP;
    if (event.vector == CPU_VECTOR_PF && writes_back(cpu, cpu->live->cr[2]))
        event.error |= CPU_PF_WRITE;
    engine_clear_exception(cpu->engine);
    cpu->point_told = false;
    cpu->alone = false;
    if (cpu->state.retired == retired)
        count_step(cpu);
    return cpu_deliver(cpu, &event);
}

/* The hook shows linear addresses, and Unicorn leaves one in RIP.  In 64-bit
 * mode code segments have no base (SDM 3A, 3.4.4), but for Unicorn. */
static void
correct_rip(Cpu *cpu)
{
    EngineSegment *cs = &cpu->live->segments[SEG_CS];

    cpu->live->rip = cpu->exit_address - cs->base;
    if (cpu_mode(cpu) == INSN_MODE_64)
        cs->base = 0;
}

/* What Unicorn does not execute it does not single-step either.  False:
 * there is something to say, *stop. */
static bool
execute_special(Cpu *cpu, CpuStop *stop)
{
    bool steps = (engine_flags(cpu->engine) & RFLAGS_TF) != 0;

    if (cpu_execute_special(cpu, stop))
        return false;
    if (LIKELY(!steps) || cpu->native ||
        !(engine_flags(cpu->engine) & RFLAGS_TF))
        return true;
    cpu->state.dr[6] |= DR6_STEP;
    *stop = CPU_STOP_SHUTDOWN;
    return cpu_deliver(cpu, &(CpuEvent){.vector = CPU_VECTOR_DB,
                                        .rip = cpu->live->rip});
}

/* Execute until there is something to say. */
static CpuStop
execute(Cpu *cpu)
{
    uint64_t retired;
    CpuStop stop;

    for (;;) {
        if (cpu->attention) {
            cpu->attention = false;
            cpu->slice = cpu->slice_kept;
        }
        if (cpu->code_changed) {
            cpu->code_changed = false;
            engine_code_changed(cpu->engine, cpu->changed_at,
                                cpu->changed_size);
        }
        if (cpu->slice <= 0 || cpu->leave)
            return CPU_STOP_SLICE;
        if (cpu_something_waits(cpu) && cpu_interrupt_takeable(cpu)) {
            if (!take_interrupt(cpu))
                return CPU_STOP_SHUTDOWN;
            continue;
        }
        if (cpu_something_waits(cpu) && cpu_in_shadow(cpu))
            cpu_request_attention(cpu);
        cpu->exit = CPU_EXIT_NONE;
        retired = cpu->state.retired;
        engine_run(cpu->engine);
        if (cpu->late_size != 0)
            cpu_put_back(cpu);
        switch (cpu->exit) {
        case CPU_EXIT_SLICE:
        case CPU_EXIT_RECHECK:
            correct_rip(cpu);
            break;
        case CPU_EXIT_ALONE:
            correct_rip(cpu);
            engine_next_alone(cpu->engine, cpu->exit_address);
            break;
        case CPU_EXIT_SPECIAL:
            correct_rip(cpu);
            if (!execute_special(cpu, &stop))
                return stop;
            break;
        case CPU_EXIT_NONE:
        case CPU_EXIT_EXCEPTION:
        case CPU_EXIT_UNMAPPED:
            if (!take_exception(cpu, retired))
                return CPU_STOP_SHUTDOWN;
            break;
        }
    }
}

static void
fiber_main_loop(void *user)
{
    Cpu *cpu = user;

    for (;;) {
        cpu->stop = execute(cpu);
        fiber_leave(cpu->fiber);
    }
}

CpuStop
cpu_run(Cpu *cpu, uint64_t steps)
{
    CpuStop stop;

    INVARIANT(steps >= 1);
    INVARIANT(cpu_is_runnable(cpu));
    cpu_own(cpu);
    cpu_show_stores(cpu);
    cpu->attention = cpu->paused = false;
    cpu->slice = (int64_t)MIN(steps, (uint64_t)INT64_MAX);
    cpu->memory_mask = cpu->shared->watches > 0 || cpu->shared->past != NULL
                           ? INSN_MEMORY
                           : INSN_WRITES | INSN_UNPREDICTED | CODE_PIECEWISE;
    cpu->plain = cpu->shared->watches > 0 || cpu->shared->past != NULL ||
                         cpu->trace_calls
                     ? 0
                     : CODE_PLAIN;
    if (cpu->fiber != NULL) {
        fiber_enter(cpu->fiber);
        stop = cpu->stop;
    } else
        stop = execute(cpu);
    cpu_hide_stores(cpu);
    if (stop == CPU_STOP_SHUTDOWN)
        cpu->state.activity = CPU_SHUTDOWN;
    return stop;
}

void
cpu_settle(Cpu *cpu)
{
    if (!cpu->inside)
        return;
    cpu->leave = true;
    cpu->slice = 0;
    fiber_enter(cpu->fiber);
    cpu->leave = false;
    INVARIANT(!cpu->inside);
}

/* A core that is not active moves only for an interrupt that it would take.
 * It stands settled, so its flags are exact. */
bool
cpu_is_runnable(Cpu *cpu)
{
    switch (cpu->state.activity) {
    case CPU_ACTIVE:
        return true;
    case CPU_HALTED:
    case CPU_HELD:
        return cpu_something_waits(cpu) && cpu_interrupt_takeable(cpu);
    case CPU_WAIT_SIPI:
    case CPU_SHUTDOWN:
        return false;
    }
    BUG("activity %d", (int)cpu->state.activity);
}

const Insn *
cpu_insn_at(Cpu *cpu, gva_t rip)
{
    return code_at(cpu->shared->code, cpu_mode(cpu), rip);
}

void
cpu_break(Cpu *cpu)
{
    cpu->slice_ends = true;
    cpu->attention = false;
    cpu->slice = 0;
}

/* --- Registers ------------------------------------------------------------ */

gva_t
cpu_rip(const Cpu *cpu)
{
    return cpu->inside ? cpu->exit_address : cpu->live->rip;
}

uint64_t
cpu_register(Cpu *cpu, unsigned number)
{
    INVARIANT(number < GPR_COUNT);
    return cpu->live->registers[number];
}

void
cpu_set_register(Cpu *cpu, unsigned number, uint64_t value)
{
    INVARIANT(number < GPR_COUNT);
    cpu_settle(cpu);
    cpu->live->registers[number] = value;
}

bool
cpu_interrupts_enabled(Cpu *cpu)
{
    return (cpu_flags(cpu) & RFLAGS_IF) != 0;
}

void
cpu_finish_hypercall(Cpu *cpu, uint64_t result)
{
    cpu_settle(cpu);
    cpu->live->registers[GPR_RAX] = result;
    cpu->state.activity = CPU_ACTIVE;
    cpu_retire_special(
        cpu, code_at(cpu->shared->code, cpu_mode(cpu),
                     cpu->live->rip + cpu->live->segments[SEG_CS].base)
                 ->length);
}

/* --- Life ----------------------------------------------------------------- */

bool
cpu_init(Cpu *cpu, unsigned number, const CpuShared *shared, GError **error)
{
    EngineHooks hooks = {
        .instruction = cpu_on_instruction,
        .exception = on_exception,
        .undefined = on_undefined,
        .unmapped = on_unmapped,
        .apic_read = on_apic_read,
        .apic_write = on_apic_write,
        .user = shared->common != NULL ? &shared->common->owner : &cpu->self,
    };

    *cpu = (Cpu){
        .stop_mask = CPU_ATTEND_MASK,
        .shared = shared,
        .self = cpu,
        .clock = shared->clock,
        .insns = shared->code->insns,
        .page_number = UINT64_MAX,
        .number = number,
        .state = {.activity = CPU_WAIT_SIPI, .shadow_at = UINT64_MAX,
                  .dr = {[6] = DR6_RESET, [7] = DR7_RESET}},
    };
    lapic_init(&cpu->state.lapic, number, number == 0);
    if (shared->common != NULL && shared->common->engine != NULL)
        cpu->engine = shared->common->engine;
    else
        cpu->engine =
            engine_new(&hooks, shared->gmem, LAPIC_BASE_RESET, error);
    if (cpu->engine == NULL)
        return false;
    cpu->live = engine_state(cpu->engine);
    if (shared->common != NULL)
        cpu_share_engine(cpu);
    if (shared->engine == CPU_ENGINE_FIBER)
        cpu->fiber = fiber_new(fiber_main_loop, cpu);
    return true;
}

void
cpu_clear(Cpu *cpu)
{
    if (cpu->engine != NULL)
        cpu_settle(cpu);
    fiber_free(cpu->fiber);
    if (cpu->image == NULL)
        engine_free(cpu->engine);
    g_free(cpu->image);
    *cpu = (Cpu){0};
}

void
cpu_reset_stop_mask(Cpu *cpu)
{
    cpu->stop_mask = CPU_ATTEND_MASK;
    if (cpu->trace_calls)
        cpu->stop_mask |= INSN_CALL | INSN_RET | INSN_IRET;
    if (cpu_something_waits(cpu))
        cpu->stop_mask |= CPU_OPENS_WINDOW;
    if (cpu->depth != 0)
        cpu->stop_mask |= CPU_ORDERING_MASK;
}

void
cpu_trace_calls(Cpu *cpu, bool enable)
{
    cpu->trace_calls = enable;
    cpu_reset_stop_mask(cpu);
}

void
cpu_check(Cpu *cpu)
{
    const CpuState *state = &cpu->state;

    INVARIANT(lapic_check(&state->lapic));
    INVARIANT(state->interrupt_waits == (lapic_pending(&state->lapic) >= 0));
    INVARIANT(IMPLIES(cpu->inside, state->activity == CPU_ACTIVE));
    INVARIANT(!cpu->stores.shown);
    INVARIANT(storebuf_check(&cpu->stores));
}
