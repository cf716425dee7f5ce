/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "parts/cpu_interrupt.h"

#include "parts/cpu_hook.h"
#include "parts/cpu_memory.h"
#include "parts/engine.h"

#define GATE_INTERRUPT 14u
#define GATE_TRAP 15u
#define DESCRIPTOR_PRESENT (1u << 15)
#define DESCRIPTOR_CODE (3u << 11)    /* S and type bit 3 */
#define DESCRIPTOR_CONFORMING (1u << 10)
#define DESCRIPTOR_LONG (1u << 21)
#define TSS_RSP0 4u
#define TSS_IST1 36u
#define ERROR_IDT 2u
#define ERROR_EXTERNAL 1u

typedef struct Gate {
    gva_t offset;
    uint16_t selector;
    uint8_t ist, type, dpl;
} Gate;

/* A fault met while another event is being delivered. */
typedef struct Fault {
    uint8_t vector;
    uint32_t error;
} Fault;

bool
cpu_vector_has_error(uint8_t vector)
{
    return vector == CPU_VECTOR_DF || vector == CPU_VECTOR_AC ||
           (vector >= CPU_VECTOR_TS && vector <= CPU_VECTOR_PF);
}

const char *
cpu_vector_name(unsigned vector)
{
    static const char *const names[] = {
        "#DE divide error", "#DB debug", "NMI", "#BP breakpoint",
        "#OF overflow", "#BR bound", "#UD invalid opcode",
        "#NM no coprocessor", "#DF double fault", NULL, "#TS invalid TSS",
        "#NP segment not present", "#SS stack fault",
        "#GP general protection", "#PF page fault", NULL, "#MF x87 error",
        "#AC alignment check", "#MC machine check", "#XM SIMD error",
    };

    return vector < G_N_ELEMENTS(names) ? names[vector] : NULL;
}

static bool
fault(Fault *out, uint8_t vector, uint32_t error)
{
    *out = (Fault){.vector = vector, .error = error};
    return false;
}

static bool
read_gate(Cpu *cpu, const CpuEvent *event, Gate *gate, Fault *out)
{
    const EngineSegment *idt = &cpu->live->idt;
    uint32_t error = (uint32_t)event->vector * 8 | ERROR_IDT |
                     (event->external ? ERROR_EXTERNAL : 0);
    uint32_t words[4];

    if ((uint32_t)event->vector * 16 + 15 > idt->limit ||
        !gmem_read(cpu->shared->gmem, idt->base + event->vector * 16u, words,
                   sizeof words))
        return fault(out, CPU_VECTOR_GP, error);
    *gate = (Gate){
        .offset = (words[0] & 0xffff) | (words[1] & 0xffff0000) |
                  (uint64_t)words[2] << 32,
        .selector = (uint16_t)(words[0] >> 16),
        .ist = words[1] & 7,
        .type = words[1] >> 8 & 31,
        .dpl = words[1] >> 13 & 3,
    };
    if (gate->type != GATE_INTERRUPT && gate->type != GATE_TRAP)
        return fault(out, CPU_VECTOR_GP, error);
    if (event->software && gate->dpl < (cpu->live->hidden & ENGINE_HIDDEN_CPL))
        return fault(out, CPU_VECTOR_GP, error);
    if (!(words[1] & DESCRIPTOR_PRESENT))
        return fault(out, CPU_VECTOR_NP, error);
    return true;
}

/* The handler's code segment, straight from the GDT. */
static bool
read_code_segment(Cpu *cpu, const Gate *gate, EngineSegment *cs, Fault *out)
{
    const EngineSegment *gdt = &cpu->live->gdt;
    uint32_t error = gate->selector & 0xfffcu;
    uint32_t words[2];

    if (error == 0 || (gate->selector & 4) || error + 7 > gdt->limit ||
        !gmem_read(cpu->shared->gmem, gdt->base + error, words, sizeof words))
        return fault(out, CPU_VECTOR_GP, error);
    if ((words[1] & DESCRIPTOR_CODE) != DESCRIPTOR_CODE ||
        !(words[1] & DESCRIPTOR_LONG))
        return fault(out, CPU_VECTOR_GP, error);
    if (!(words[1] & DESCRIPTOR_PRESENT))
        return fault(out, CPU_VECTOR_NP, error);
    *cs = (EngineSegment){
        .selector = gate->selector & 0xfffcu,
        .base = 0,
        .limit = 0xffffffff,
        .flags = words[1],
    };
    return true;
}

/* SDM 3A 6.14.2, 6.14.5: the IST's stack, the inner ring's, or this one. */
static bool
choose_stack(Cpu *cpu, const Gate *gate, bool inner, uint64_t *rsp, Fault *out)
{
    uint32_t at = gate->ist != 0 ? TSS_IST1 + 8u * (gate->ist - 1u) : TSS_RSP0;

    if (gate->ist == 0 && !inner)
        *rsp = cpu->live->registers[GPR_RSP];
    else if (at + 7 > cpu->live->tr.limit ||
             !gmem_read(cpu->shared->gmem, cpu->live->tr.base + at, rsp, 8))
        return fault(out, CPU_VECTOR_TS, cpu->live->tr.selector & 0xfffcu);
    *rsp &= ~UINT64_C(15);
    return true;
}

static bool
push_frame(Cpu *cpu, const CpuEvent *event, uint64_t *rsp, Fault *out)
{
    EngineState *live = cpu->live;
    uint64_t frame[6] = {
        event->error,
        event->rip,
        live->segments[SEG_CS].selector,
        engine_flags(cpu->engine),
        live->registers[GPR_RSP],
        live->segments[SEG_SS].selector,
    };
    size_t skip = event->has_error ? 0 : 1;
    size_t size = sizeof frame - 8 * skip;
    gpa_t physical;

    /* Page 0 is RAM that paging does not show. */
    if (!gmem_translate(cpu->shared->gmem, *rsp - size, size, &physical) ||
        physical < PAGE_BYTES) {
        live->cr[2] = *rsp - 8;
        return fault(out, CPU_VECTOR_PF, CPU_PF_WRITE);
    }
    cpu_store(cpu, physical, &frame[skip], size);
    *rsp -= size;
    return true;
}

static bool
try_deliver(Cpu *cpu, const CpuEvent *event, Fault *out)
{
    EngineState *live = cpu->live;
    uint32_t cpl = live->hidden & ENGINE_HIDDEN_CPL;
    uint64_t flags = engine_flags(cpu->engine);
    EngineSegment cs;
    uint32_t ring;
    uint64_t rsp;
    Gate gate;

    if (!read_gate(cpu, event, &gate, out) ||
        !read_code_segment(cpu, &gate, &cs, out))
        return false;
    ring = cs.flags & DESCRIPTOR_CONFORMING ? cpl : cs.flags >> 13 & 3;
    if (ring > cpl)
        return fault(out, CPU_VECTOR_GP, cs.selector);
    if (!choose_stack(cpu, &gate, ring < cpl, &rsp, out) ||
        !push_frame(cpu, event, &rsp, out))
        return false;

    flags &= ~(uint64_t)(RFLAGS_TF | RFLAGS_NT | RFLAGS_RF | RFLAGS_VM);
    if (gate.type == GATE_INTERRUPT)
        flags &= ~(uint64_t)RFLAGS_IF;
    engine_set_flags(cpu->engine, flags);
    cs.selector |= ring;
    live->segments[SEG_CS] = cs;
    if (ring < cpl)
        live->segments[SEG_SS] = (EngineSegment){.selector = ring};
    live->registers[GPR_RSP] = rsp;
    live->rip = gate.offset;
    live->hidden &= ~ENGINE_HIDDEN_SHADOW;
    cpu->state.shadow_at = UINT64_MAX;
    engine_sync_mode(cpu->engine);
    return true;
}

/* SDM 3A table 6-5: these turn a second one of them into a double fault; a
 * page fault does so after a page fault too. */
static bool
is_contributory(uint8_t vector)
{
    return vector == CPU_VECTOR_DE ||
           (vector >= CPU_VECTOR_TS && vector <= CPU_VECTOR_GP);
}

static bool
makes_double_fault(const CpuEvent *first, uint8_t second)
{
    if (first->external || first->software || first->vector == CPU_VECTOR_NMI)
        return false;
    if (first->vector == CPU_VECTOR_PF)
        return second == CPU_VECTOR_PF || is_contributory(second);
    return is_contributory(first->vector) && is_contributory(second);
}

bool
cpu_deliver(Cpu *cpu, const CpuEvent *event)
{
    CpuEvent current = *event;
    Fault met;

    cpu->shared->host.interrupted(cpu->shared->host.user, cpu, event->vector,
                                  event->rip);
    cpu->point_told = false;
    cpu_drain(cpu); /* SDM 3A 11.10 */
    cpu->shutdown_vector = event->vector;
    cpu->shutdown_rip = event->rip;
    if (!(cpu->live->hidden & ENGINE_HIDDEN_LMA))
        return false;
    while (!try_deliver(cpu, &current, &met)) {
        if (current.vector == CPU_VECTOR_DF)
            return false;
        if (makes_double_fault(&current, met.vector))
            met = (Fault){.vector = CPU_VECTOR_DF};
        current = (CpuEvent){
            .rip = event->software ? cpu->live->rip : event->rip,
            .vector = met.vector,
            .has_error = true,
            .error = met.error,
        };
    }
    if (cpu->trace_calls)
        cpu->shared->host.flow(cpu->shared->host.user, cpu, NULL,
                               current.vector);
    return true;
}
