/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "parts/cpu_image.h"

#include "parts/cpu_hook.h"

typedef struct CpuImage {
    CpuState state;
    uint64_t flags;  /* RFLAGS */
    bool point_told; /* a mark is told once, however often we come back */
    StoreBuf stores;
    uint8_t engine[];
} CpuImage;

/* --- A common engine ------------------------------------------------------ */

/* A new core's state is that of an engine that has not run. */
void
cpu_share_engine(Cpu *cpu)
{
    cpu->shared->common->engine = cpu->engine;
    cpu->image = g_malloc0(engine_image_bytes());
    cpu->flags_kept = RFLAGS_FIXED;
    engine_save(cpu->engine, cpu->image);
    cpu->live = (EngineState *)(void *)cpu->image;
}

void
cpu_own(Cpu *cpu)
{
    Cpu *owner;

    if (!cpu_is_elsewhere(cpu))
        return;
    owner = cpu->shared->common->owner;
    if (owner != NULL) {
        owner->flags_kept = engine_flags(owner->engine);
        engine_save(owner->engine, owner->image);
        owner->live = (EngineState *)(void *)owner->image;
    }
    engine_load(cpu->engine, cpu->image);
    cpu->live = engine_state(cpu->engine);
    cpu->shared->common->owner = cpu;
}

uint64_t
cpu_flags(Cpu *cpu)
{
    return cpu_is_elsewhere(cpu) ? cpu->flags_kept : engine_flags(cpu->engine);
}

/* --- Images --------------------------------------------------------------- */

size_t
cpu_image_bytes(void)
{
    return sizeof(CpuImage) + engine_image_bytes();
}

void
cpu_save(Cpu *cpu, void *image)
{
    CpuImage *to = image;

    cpu_settle(cpu);
    to->state = cpu->state;
    to->point_told = cpu->point_told;
    to->flags = cpu_flags(cpu);
    to->stores.shown = false;
    storebuf_copy(&to->stores, &cpu->stores);
    if (cpu_is_elsewhere(cpu))
        memcpy(to->engine, cpu->image, engine_image_bytes());
    else
        engine_save(cpu->engine, to->engine);
}

void
cpu_load(Cpu *cpu, const void *image)
{
    const CpuImage *from = image;

    cpu_settle(cpu);
    cpu->state = from->state;
    cpu->flags_kept = from->flags;
    storebuf_copy(&cpu->stores, &from->stores);
    cpu->depending = 0;
    for (unsigned i = 0; i < GPR_COUNT; i++)
        if (cpu->state.depends[i] != 0)
            cpu->depending |= 1u << i;
    if (cpu_is_elsewhere(cpu))
        memcpy(cpu->image, from->engine, engine_image_bytes());
    else
        engine_load(cpu->engine, from->engine);
    cpu_trace_calls(cpu, cpu->trace_calls);
    cpu->point_told = from->point_told;
    cpu->native = false;
}

/* Orders of loads matter as far as there are stores left to go behind. */
static void
digest_depends(const Cpu *cpu, Digest *digest)
{
    const Past *past = cpu->shared->past;

    if (past == NULL || past->count == 0)
        return;
    for (unsigned i = 0; i < GPR_COUNT; i++)
        digest_u64(digest,
                   past_rank(past, cpu->number, cpu->state.depends[i]));
}

static void
digest_before_apic(Cpu *cpu, Digest *digest)
{
    cpu_settle(cpu);
    cpu_own(cpu);
    digest_u64(digest, cpu->state.activity);
    digest_u64(digest, (uint64_t)cpu->state.nmi_waits << 1 |
                           cpu->state.nmi_blocked);
    digest_u64(digest, cpu_in_shadow(cpu));
    digest_u64(digest, cpu->state.tsc_aux);
    for (size_t i = 0; i < G_N_ELEMENTS(cpu->state.dr); i++)
        digest_u64(digest, cpu->state.dr[i]);
    storebuf_digest(&cpu->stores, digest);
    digest_depends(cpu, digest);
}

void
cpu_digest_state(Cpu *cpu, Digest *digest)
{
    digest_before_apic(cpu, digest);
    lapic_digest_relative(&cpu->state.lapic, *cpu->clock, digest);
    engine_digest(cpu->engine, digest);
}

void
cpu_digest(Cpu *cpu, Digest *digest)
{
    digest_u64(digest, cpu->state.retired);
    digest_before_apic(cpu, digest);
    lapic_digest(&cpu->state.lapic, digest);
    engine_digest(cpu->engine, digest);
}
