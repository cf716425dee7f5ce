/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "parts/cpu_special.h"

#include "parts/cpu_hook.h"
#include "parts/cpu_interrupt.h"
#include "parts/cpu_memory.h"
#include "parts/engine.h"

#define MSR_TSC 0x10u
#define MSR_EFER 0xc0000080u
#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_FMASK 0xc0000084u
#define MSR_TSC_AUX 0xc0000103u

#define CR0_PE (1u << 0)
#define CR0_PG (1u << 31)
#define CR0_BOOT 0x80010033u /* PG, WP, NE, ET, MP, PE */
#define CR4_BOOT 0x00000620u /* OSXMMEXCPT, OSFXSR, PAE */

/* MSRs that Unicorn implements, and that do not look at the host. */
static bool
msr_is_native(uint32_t number)
{
    return (number >= 0x174 && number <= 0x176) || number == 0x277 ||
           (number >= MSR_STAR && number <= MSR_FMASK) ||
           (number >= 0xc0000100 && number <= 0xc0000102);
}

void
cpu_retire_special(Cpu *cpu, unsigned length)
{
    cpu->live->rip += length;
    cpu->live->hidden &= ~ENGINE_HIDDEN_SHADOW;
    cpu->point_told = false;
    cpu->slice--;
    cpu->state.retired++;
    ++*cpu->shared->clock;
}

static bool
raise_exception(Cpu *cpu, uint8_t vector, CpuStop *stop)
{
    CpuEvent event = {
        .vector = vector,
        .rip = cpu->live->rip,
        .has_error = cpu_vector_has_error(vector),
    };

    cpu_retire_special(cpu, 0);
    *stop = CPU_STOP_SHUTDOWN;
    return !cpu_deliver(cpu, &event);
}

static bool
is_user(const Cpu *cpu)
{
    return (cpu->live->hidden & ENGINE_HIDDEN_CPL) != 0;
}

/* The last byte of an instruction tells some from their kin, and no prefix
 * moves it. */
static uint8_t
last_byte(const Cpu *cpu, const Insn *insn)
{
    uint8_t byte = 0;

    gmem_read(cpu->shared->gmem,
              cpu->live->rip + cpu->live->segments[SEG_CS].base +
                  insn->length - 1,
              &byte, 1);
    return byte;
}

/* A 32-bit result clears the upper half of its register. */
static void
set_low(Cpu *cpu, unsigned number, uint32_t value)
{
    cpu->live->registers[number] = value;
}

/* --- cpuid ---------------------------------------------------------------- */

/*
 * heddle's processor: what Unicorn's core can do, an x2APIC, and a TSC that
 * never stops (SDM 2A, CPUID).  Features that Unicorn 2.0.1 lacks (popcnt,
 * xsave, rdrand, fsgsbase, monitor) are not reported.
 */
static void
execute_cpuid(Cpu *cpu)
{
    uint32_t leaf = (uint32_t)cpu->live->registers[GPR_RAX];
    uint32_t subleaf = (uint32_t)cpu->live->registers[GPR_RCX];
    uint32_t a = 0, b = 0, c = 0, d = 0;
    uint32_t apic = lapic_is_enabled(&cpu->state.lapic) ? 1u << 9 : 0;

    switch (leaf) {
    case 0:
        a = 0x15, b = 0x64646548, d = 0x6548656c, c = 0x656c6464;
        break; /* "HeddleHeddle" */
    case 1:
        a = 0x000306a0;
        b = cpu->number << 24 | CPUS_MAX << 16 | 8u << 8;
        c = 1u << 24 | 1u << 21 | 1u << 13 | 1u << 9 | 1u << 0;
        d = 0x078bf8fdu & ~(1u << 9 | 1u << 11 | 1u << 12);
        d = (d & ~(1u << 7 | 1u << 3 | 1u << 4 | 1u << 5)) | 1u << 3 |
            1u << 4 | 1u << 5 | apic;
        break;
    case 0xb:
        a = subleaf == 1 ? 6 : 0;
        b = subleaf == 0 ? 1 : subleaf == 1 ? CPUS_MAX : 0;
        c = subleaf < 2 ? (subleaf + 1) << 8 | subleaf : subleaf;
        d = cpu->number;
        break;
    case 0x15:
        a = 1, b = 1, c = (uint32_t)CPU_TICKS_PER_SECOND;
        break;
    case 0x80000000:
        a = 0x80000008;
        break;
    case 0x80000001:
        c = 1;
        d = 1u << 29 | 1u << 27 | 1u << 20 | 1u << 11;
        break;
    case 0x80000007:
        d = 1u << 8;
        break;
    case 0x80000008:
        a = 48u << 8 | LAPIC_PHYSICAL_BITS;
        break;
    default:
        break;
    }
    set_low(cpu, GPR_RAX, a);
    set_low(cpu, GPR_RBX, b);
    set_low(cpu, GPR_RCX, c);
    set_low(cpu, GPR_RDX, d);
}

/* --- Model specific registers --------------------------------------------- */

typedef enum MsrResult { MSR_DONE, MSR_FAULT, MSR_NATIVE } MsrResult;

static bool
write_efer(Cpu *cpu, uint64_t value)
{
    uint64_t old = engine_efer(cpu->engine);

    if (value & ~(uint64_t)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE))
        return false;
    /* LME cannot change while paging is on (SDM 3A 4.1.2). */
    if ((cpu->live->cr[0] & CR0_PG) && ((old ^ value) & EFER_LME))
        return false;
    engine_set_efer(cpu->engine, (value & ~(uint64_t)EFER_LMA) |
                                     (old & EFER_LMA));
    return true;
}

static MsrResult
write_msr(Cpu *cpu, uint32_t number, uint64_t value, unsigned length)
{
    LapicEffects effects;

    if (number == LAPIC_MSR_TSC_DEADLINE) /* before or after now? */
        cpu->time_reads++;
    if (number == LAPIC_MSR_TSC_DEADLINE ||
        (number >= LAPIC_MSR_FIRST && number <= LAPIC_MSR_LAST)) {
        if (!lapic_msr_write(&cpu->state.lapic, number, value,
                             *cpu->shared->clock, &effects))
            return MSR_FAULT;
        /* It serialises nothing (SDM 3A, 10.12.3): no drain.  The instruction
         * retires first: `effects` may end the slice. */
        cpu_retire_special(cpu, length);
        cpu_apply_effects(cpu, &effects);
        return MSR_DONE;
    }
    cpu_drain(cpu);
    switch (number) {
    case LAPIC_MSR_BASE:
        if (!lapic_base_write(&cpu->state.lapic, value))
            return MSR_FAULT;
        effects = (LapicEffects){.timer_changed = true};
        cpu_retire_special(cpu, length);
        cpu_apply_effects(cpu, &effects);
        return MSR_DONE;
    case MSR_EFER:
        if (!write_efer(cpu, value))
            return MSR_FAULT;
        break;
    case MSR_TSC_AUX:
        cpu->state.tsc_aux = (uint32_t)value;
        break;
    case MSR_TSC: /* the clock is the machine's, and is not turned back */
        break;
    default:
        return msr_is_native(number) ? MSR_NATIVE : MSR_FAULT;
    }
    cpu_retire_special(cpu, length);
    return MSR_DONE;
}

static MsrResult
read_msr(Cpu *cpu, uint32_t number, unsigned length)
{
    uint64_t value = 0;

    if (number == LAPIC_MSR_TSC_DEADLINE || number == MSR_TSC)
        cpu->time_reads++;
    if (number == LAPIC_MSR_TSC_DEADLINE ||
        (number >= LAPIC_MSR_FIRST && number <= LAPIC_MSR_LAST)) {
        if (!lapic_msr_read(&cpu->state.lapic, number, *cpu->shared->clock,
                            &value))
            return MSR_FAULT;
    } else if (number == LAPIC_MSR_BASE)
        lapic_base_read(&cpu->state.lapic, &value);
    else if (number == MSR_EFER)
        value = engine_efer(cpu->engine);
    else if (number == MSR_TSC)
        value = *cpu->shared->clock;
    else if (number == MSR_TSC_AUX)
        value = cpu->state.tsc_aux;
    else
        return msr_is_native(number) ? MSR_NATIVE : MSR_FAULT;
    set_low(cpu, GPR_RAX, (uint32_t)value);
    set_low(cpu, GPR_RDX, (uint32_t)(value >> 32));
    cpu_retire_special(cpu, length);
    return MSR_DONE;
}

static bool
execute_msr(Cpu *cpu, const Insn *insn, CpuStop *stop)
{
    const uint64_t *r = cpu->live->registers;
    uint32_t number = (uint32_t)r[GPR_RCX];
    uint64_t value = r[GPR_RDX] << 32 | (uint32_t)r[GPR_RAX];
    MsrResult result = is_user(cpu) ? MSR_FAULT
                       : insn->flags & INSN_TO_SYSTEM
                           ? write_msr(cpu, number, value, insn->length)
                           : read_msr(cpu, number, insn->length);

    if (result == MSR_FAULT)
        return raise_exception(cpu, CPU_VECTOR_GP, stop);
    cpu->native = result == MSR_NATIVE;
    return false;
}

/* --- The rest ------------------------------------------------------------- */

static bool
execute_cr8(Cpu *cpu, const Insn *insn, CpuStop *stop)
{
    uint64_t *gpr = &cpu->live->registers[insn->gpr & 15];
    LapicEffects none = {0};

    if (is_user(cpu))
        return raise_exception(cpu, CPU_VECTOR_GP, stop);
    if (insn->flags & INSN_TO_SYSTEM) {
        if (!lapic_cr8_write(&cpu->state.lapic, *gpr))
            return raise_exception(cpu, CPU_VECTOR_GP, stop);
    } else
        *gpr = lapic_cr8_read(&cpu->state.lapic);
    cpu_retire_special(cpu, insn->length);
    cpu_apply_effects(cpu, &none);
    return false;
}

/* DR4 and DR5 are DR6 and DR7 (SDM 3B 17.2.2, CR4.DE clear).  Breakpoints do
 * nothing here. */
static bool
execute_dr(Cpu *cpu, const Insn *insn, CpuStop *stop)
{
    unsigned number = insn->number & 7;
    uint64_t *gpr = &cpu->live->registers[insn->gpr & 15];

    if (is_user(cpu))
        return raise_exception(cpu, CPU_VECTOR_GP, stop);
    if (number == 4 || number == 5)
        number += 2;
    if (insn->flags & INSN_TO_SYSTEM)
        cpu->state.dr[number] = *gpr;
    else
        *gpr = cpu->state.dr[number];
    cpu_retire_special(cpu, insn->length);
    return false;
}

/* There is nothing at any port: reads are ones, as from an empty bus. */
static bool
execute_port(Cpu *cpu, const Insn *insn, CpuStop *stop)
{
    static const uint64_t ones[] = {0xff, 0xffff, 0xffffffff};
    const uint8_t *bytes = cpu->shared->gmem->bytes;
    uint64_t flags = engine_flags(cpu->engine);
    unsigned width = 2;
    gpa_t physical;
    uint8_t opcode = 0;

    if (is_user(cpu) && (flags & RFLAGS_IOPL) != RFLAGS_IOPL)
        return raise_exception(cpu, CPU_VECTOR_GP, stop);
    if (insn->flags & INSN_MEMORY) { /* ins, outs: Unicorn's are harmless */
        cpu->native = true;
        return false;
    }
    /* The opcode's low bit is the width; a 66h prefix halves it. */
    if (gmem_translate(cpu->shared->gmem,
                       cpu->live->rip + cpu->live->segments[SEG_CS].base,
                       insn->length, &physical)) {
        unsigned at =
            insn->length - (insn->flags & INSN_HAS_IMMEDIATE ? 2u : 1u);

        opcode = bytes[physical + at];
        width = !(opcode & 1) ? 0 : bytes[physical] == 0x66 ? 1 : 2;
    }
    if (!(insn->flags & INSN_TO_SYSTEM)) {
        uint64_t *rax = &cpu->live->registers[GPR_RAX];

        *rax = width == 2 ? ones[2] : *rax | ones[width];
    }
    cpu_retire_special(cpu, insn->length);
    return false;
}

static bool
execute_int(Cpu *cpu, const Insn *insn, CpuStop *stop)
{
    CpuEvent event = {
        .vector = (uint8_t)insn->immediate,
        .rip = cpu->live->rip + insn->length,
        .software = true,
    };

    if (last_byte(cpu, insn) == 0xce && insn->immediate == 4 &&
        !(engine_flags(cpu->engine) & RFLAGS_OF)) { /* into */
        cpu_retire_special(cpu, insn->length);
        return false;
    }
    cpu_retire_special(cpu, 0);
    *stop = CPU_STOP_SHUTDOWN;
    return !cpu_deliver(cpu, &event);
}

/* SDM 2B, SYSCALL: flat segments from STAR, whatever the GDT holds. */
static bool
execute_syscall(Cpu *cpu, const Insn *insn, CpuStop *stop)
{
    EngineState *live = cpu->live;
    uint64_t flags = engine_flags(cpu->engine);
    uint32_t selector;

    if (last_byte(cpu, insn) != 0x05) { /* sysret, sysenter, sysexit */
        cpu->native = true;
        return false;
    }
    if (!(engine_efer(cpu->engine) & EFER_SCE) ||
        !(live->hidden & ENGINE_HIDDEN_CS64))
        return raise_exception(cpu, CPU_VECTOR_UD, stop);
    selector = (uint32_t)(engine_msr(cpu->engine, MSR_STAR) >> 32) & 0xfffcu;
    live->registers[GPR_RCX] = live->rip + insn->length;
    live->registers[GPR_R11] = flags;
    engine_set_flags(cpu->engine,
                     flags & ~engine_msr(cpu->engine, MSR_FMASK));
    live->segments[SEG_CS] = (EngineSegment){
        .selector = selector, .limit = 0xffffffff, .flags = 0x00af9b00};
    live->segments[SEG_SS] = (EngineSegment){
        .selector = selector + 8, .limit = 0xffffffff, .flags = 0x00cf9300};
    engine_sync_mode(cpu->engine);
    cpu_retire_special(cpu, 0);
    live->rip = engine_msr(cpu->engine, MSR_LSTAR);
    return false;
}

static bool
execute_halt(Cpu *cpu, const Insn *insn, CpuStop *stop)
{
    if (is_user(cpu))
        return raise_exception(cpu, CPU_VECTOR_GP, stop);
    cpu_retire_special(cpu, insn->length);
    cpu->state.activity = CPU_HALTED;
    *stop = CPU_STOP_HALT;
    return true;
}

static void
execute_rdtsc(Cpu *cpu, const Insn *insn)
{
    uint64_t now = *cpu->shared->clock;

    cpu->time_reads++;
    set_low(cpu, GPR_RAX, (uint32_t)now);
    set_low(cpu, GPR_RDX, (uint32_t)(now >> 32));
    if (last_byte(cpu, insn) == 0xf9) /* rdtscp is 0f 01 f9 */
        set_low(cpu, GPR_RCX, cpu->state.tsc_aux);
    cpu_retire_special(cpu, insn->length);
}

bool
cpu_execute_special(Cpu *cpu, CpuStop *stop)
{
    const Insn *insn =
        code_at(cpu->shared->code, cpu_mode(cpu), cpu->exit_address);

    if (insn->flags & CODE_UNDEFINED)
        return raise_exception(cpu, CPU_VECTOR_UD, stop);
    if (insn->flags & INSN_VMCALL) {
        /* It may stand here for long: a shadow is over. */
        cpu->state.shadow_at = UINT64_MAX;
        cpu->state.activity = CPU_HELD;
        *stop = CPU_STOP_HYPERCALL;
        return true;
    }
    if (insn->flags & INSN_HALT)
        return execute_halt(cpu, insn, stop);
    if (insn->flags & INSN_INT_N)
        return execute_int(cpu, insn, stop);
    if (insn->flags & INSN_SYSCALL)
        return execute_syscall(cpu, insn, stop);
    if (insn->flags & INSN_MSR)
        return execute_msr(cpu, insn, stop);
    if (insn->flags & INSN_DR_ACCESS)
        return execute_dr(cpu, insn, stop);
    if (insn->flags & INSN_IN_OUT)
        return execute_port(cpu, insn, stop);
    if (insn->flags & INSN_CR_ACCESS && insn->number == 8 &&
        insn->gpr != INSN_REG_NONE)
        return execute_cr8(cpu, insn, stop);
    if (insn->flags & INSN_CPUID) {
        execute_cpuid(cpu);
        cpu_retire_special(cpu, insn->length);
        return false;
    }
    if (insn->flags & INSN_RDTSC) {
        execute_rdtsc(cpu, insn);
        return false;
    }
    cpu->native = true;
    return false;
}

/* --- Start ---------------------------------------------------------------- */

void
cpu_enter_init(Cpu *cpu)
{
    cpu_own(cpu);
    cpu_drain(cpu);
    lapic_init_reset(&cpu->state.lapic);
    engine_init_reset(cpu->engine);
    cpu->state.activity = CPU_WAIT_SIPI;
    cpu->state.nmi_waits = false;
    cpu->state.nmi_blocked = false;
    cpu->state.shadow_at = UINT64_MAX;
    cpu->point_told = false;
    /* The boot processor starts at the reset vector, and there is no ROM. */
    if (lapic_is_bsp(&cpu->state.lapic))
        cpu->state.activity = CPU_SHUTDOWN;
}

void
cpu_enter_startup(Cpu *cpu, uint8_t vector)
{
    cpu_own(cpu);
    engine_init_reset(cpu->engine);
    cpu->live->segments[SEG_CS].selector = (uint32_t)vector << 8;
    cpu->live->segments[SEG_CS].base = (uint64_t)vector << 12;
    cpu->live->rip = 0;
    cpu->state.start_vector = vector;
    cpu->state.activity = CPU_ACTIVE;
}

void
cpu_boot(Cpu *cpu, gva_t entry, gpa_t cr3, gva_t gdt)
{
    EngineState *live;

    cpu_settle(cpu);
    cpu_own(cpu);
    live = cpu->live;
    engine_boot_paging(cpu->engine, cr3, CR0_BOOT, CR4_BOOT);
    for (int i = 0; i < SEG_COUNT; i++)
        live->segments[i] = (EngineSegment){
            .selector = 16, .limit = 0xffffffff, .flags = 0x00cf9300};
    live->segments[SEG_CS] = (EngineSegment){
        .selector = 8, .limit = 0xffffffff, .flags = 0x00af9b00};
    live->gdt = (EngineSegment){.base = gdt, .limit = 23};
    live->idt = (EngineSegment){0};
    live->rip = entry;
    engine_set_flags(cpu->engine, RFLAGS_FIXED);
    engine_sync_mode(cpu->engine);
    cpu->state.activity = CPU_ACTIVE;
}
