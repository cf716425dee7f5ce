/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "parts/engine.h"

#include <fcntl.h>
#include <unicorn/unicorn.h>
#include <unistd.h>

#include "parts/engine_accel.h"

G_DEFINE_QUARK(heddle-engine-error, engine_error)

/*
 * Where things lie in the one build that was measured, Debian's 2.0.1: the
 * cpu object hangs off the uc_engine, the state is a part of it, and the
 * first STATE_BYTES of it are what uc_context_save() copies.
 */
enum {
    UC_CPU_OFFSET = 384,
    CPU_STATE_OFFSET = 34640,
    STATE_BYTES = 5528,
    STATE_EFER = 560,
    STATE_ERROR_CODE = 5352,
    STATE_IN_FLIGHT = 5464,
};

_Static_assert(offsetof(EngineState, rip) == 128, "rip");
_Static_assert(offsetof(EngineState, hidden) == 176, "hidden");
_Static_assert(offsetof(EngineState, segments) == 184, "segments");
_Static_assert(offsetof(EngineState, cr) == 424, "control registers");

#define EFER_LONG_MODE 0x500u /* LME, LMA */
/* The bits that decide how addresses are translated (SDM 3A 4.1): PG, WP, PE;
 * SMAP, SMEP, PCIDE, LA57, PGE, PAE, PSE. */
#define CR0_PAGING 0x80010001u
#define CR4_PAGING 0x003210b0u
#define CR0_RESET 0x60000010u /* CD, NW, ET */
#define CR0_PG UINT64_C(0x80000000)
#define MXCSR_RESET 0x1f80u
#define FPCW_RESET 0x037fu

struct Engine {
    uc_engine *uc;
    uint8_t *state; /* Unicorn's own, STATE_BYTES of it ours to copy */
    Gmem *gmem;
    EngineHooks hooks;
};

static void
on_exception(uc_engine *uc, uint32_t vector, void *user)
{
    Engine *engine = user;

    (void)uc;
    engine->hooks.exception(engine->hooks.user, vector);
}

static bool
on_undefined(uc_engine *uc, void *user)
{
    Engine *engine = user;

    (void)uc;
    engine->hooks.undefined(engine->hooks.user);
    return false;
}

static bool
on_unmapped(uc_engine *uc, uc_mem_type type, uint64_t address, int size,
            int64_t value, void *user)
{
    Engine *engine = user;
    bool write = type == UC_MEM_WRITE_UNMAPPED || type == UC_MEM_WRITE_PROT;
    bool fetch = type == UC_MEM_FETCH_UNMAPPED || type == UC_MEM_FETCH_PROT;

    (void)uc, (void)size, (void)value;
    engine->hooks.unmapped(engine->hooks.user, address, write, fetch);
    return false;
}

static uint64_t
on_apic_read(uc_engine *uc, uint64_t offset, unsigned size, void *user)
{
    Engine *engine = user;

    (void)uc, (void)size;
    return engine->hooks.apic_read(engine->hooks.user, (uint32_t)offset);
}

static void
on_apic_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value,
              void *user)
{
    Engine *engine = user;

    (void)uc, (void)size;
    engine->hooks.apic_write(engine->hooks.user, (uint32_t)offset,
                             (uint32_t)value);
}

/* Read our own memory without trusting the address: the layout is only
 * suspected until it has been verified. */
static bool
peek(uint64_t address, void *bytes, size_t size)
{
    int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (fd < 0)
        return false;
    got = pread(fd, bytes, size, (off_t)address);
    close(fd);
    return got == (ssize_t)size;
}

/*
 * Find the register file and make sure that it is one: plant numbers through
 * the public interface, and look for them where they should be.
 */
static bool
locate_state(Engine *engine)
{
    static const int names[] = {
        UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_RBX,
        UC_X86_REG_RSP, UC_X86_REG_RBP, UC_X86_REG_RSI, UC_X86_REG_RDI,
        UC_X86_REG_R8,  UC_X86_REG_R9,  UC_X86_REG_R10, UC_X86_REG_R11,
        UC_X86_REG_R12, UC_X86_REG_R13, UC_X86_REG_R14, UC_X86_REG_R15,
        UC_X86_REG_RIP,
    };
    uint64_t planted[G_N_ELEMENTS(names)], found[G_N_ELEMENTS(names)];
    uint64_t cpu, efer;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        planted[i] = UINT64_C(0x9e3779b97f4a7c15) * (i + 3);
        uc_reg_write(engine->uc, names[i], &planted[i]);
    }
    if (!peek((uint64_t)(uintptr_t)engine->uc + UC_CPU_OFFSET, &cpu, 8) ||
        !peek(cpu + CPU_STATE_OFFSET, found, sizeof found) ||
        memcmp(planted, found, sizeof found) != 0 ||
        !peek(cpu + CPU_STATE_OFFSET + STATE_EFER, &efer, 8) || efer != 0x500)
        return false;
    engine->state = (uint8_t *)(uintptr_t)(cpu + CPU_STATE_OFFSET);
    memset(engine->state, 0, sizeof planted);
    return true;
}

static bool
library_is_known(GError **error)
{
    unsigned major, minor;
    unsigned version = uc_version(&major, &minor);

    if (version >> 8 == 0x020001)
        return true;
    g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_LIBRARY,
                "libunicorn is version %u.%u.%u, heddle knows 2.0.1: install "
                "Debian 12's libunicorn2",
                major, minor, version >> 8 & 0xff);
    return false;
}

static void
must(uc_err result, const char *what)
{
    if (result != UC_ERR_OK)
        BUG("unicorn cannot %s: %s", what, uc_strerror(result));
}

static void
map_memory(Engine *engine, gpa_t apic_base)
{
    static const gva_t windows[] = {WINDOW_IDENTITY, WINDOW_DIRECT,
                                    WINDOW_KERNEL};
    static const gva_t apic_windows[] = {WINDOW_IDENTITY, WINDOW_DIRECT};

    for (size_t i = 0; i < G_N_ELEMENTS(windows); i++)
        must(uc_mem_map_ptr(engine->uc, windows[i], engine->gmem->size,
                            UC_PROT_ALL, engine->gmem->bytes),
             "map RAM");
    for (size_t i = 0; i < G_N_ELEMENTS(apic_windows); i++)
        must(uc_mmio_map(engine->uc, apic_windows[i] + apic_base, PAGE_BYTES,
                         on_apic_read, engine, on_apic_write, engine),
             "map the APIC page");
}

/* The pointer to the callback is not converted by hand: a hook is a void
 * pointer in Unicorn's interface, and POSIX lets functions be one. */
static void
add_hook(Engine *engine, int type, void *callback, void *user)
{
    uc_hook hook;

    must(uc_hook_add(engine->uc, &hook, type, callback, user, 1, 0), "hook");
}

Engine *
engine_new(const EngineHooks *hooks, Gmem *gmem, gpa_t apic_base,
           GError **error)
{
    Engine *engine = g_new0(Engine, 1);
    uc_err result;

    engine->hooks = *hooks;
    engine->gmem = gmem;
    if (!library_is_known(error))
        goto fail;
    engine_accel_prepare();
    if (!engine_accel_can_flush()) {
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_LIBRARY,
                    "this build of libunicorn 2.0.1 hides its functions: "
                    "install Debian 12's libunicorn2");
        goto fail;
    }
    result = uc_open(UC_ARCH_X86, UC_MODE_64, &engine->uc);
    if (result != UC_ERR_OK) {
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_LIBRARY,
                    "unicorn cannot start (%s): each core reserves 1 GiB of "
                    "address space, so check `ulimit -v` and overcommit",
                    uc_strerror(result));
        goto fail;
    }
    if (!locate_state(engine)) {
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_LIBRARY,
                    "this build of libunicorn 2.0.1 keeps its registers "
                    "elsewhere: install Debian 12's libunicorn2");
        goto fail;
    }
    engine_accel_remember(engine->state - CPU_STATE_OFFSET, gmem);
    map_memory(engine, apic_base);
    add_hook(engine, UC_HOOK_CODE, (void *)(uintptr_t)hooks->instruction,
             hooks->user);
    add_hook(engine, UC_HOOK_INTR, (void *)(uintptr_t)on_exception, engine);
    add_hook(engine, UC_HOOK_INSN_INVALID, (void *)(uintptr_t)on_undefined,
             engine);
    add_hook(engine, UC_HOOK_MEM_UNMAPPED | UC_HOOK_MEM_PROT,
             (void *)(uintptr_t)on_unmapped, engine);
    engine_set_flags(engine, RFLAGS_FIXED);
    uc_reg_write(engine->uc, UC_X86_REG_MXCSR, &(uint32_t){MXCSR_RESET});
    uc_reg_write(engine->uc, UC_X86_REG_FPCW, &(uint16_t){FPCW_RESET});
    return engine;
fail:
    engine_free(engine);
    return NULL;
}

void
engine_free(Engine *engine)
{
    if (engine == NULL)
        return;
    if (engine->state != NULL)
        engine_accel_forget(engine->state - CPU_STATE_OFFSET);
    if (engine->uc != NULL)
        uc_close(engine->uc);
    g_free(engine);
}

EngineState *
engine_state(Engine *engine)
{
    return (EngineState *)(void *)engine->state;
}

/* `until` must be 0: any other value retranslates a block at every start.
 * What the run returned is known already, from the hooks. */
void
engine_run(Engine *engine)
{
    uc_emu_start(engine->uc, engine_state(engine)->rip, 0, 0, 0);
    engine_accel_tidy();
}

void
engine_stop(Engine *engine)
{
    uc_emu_stop(engine->uc);
}

uint64_t
engine_flags(Engine *engine)
{
    uint64_t flags = 0;

    uc_reg_read(engine->uc, UC_X86_REG_RFLAGS, &flags);
    return flags | RFLAGS_FIXED;
}

void
engine_set_flags(Engine *engine, uint64_t flags)
{
    flags |= RFLAGS_FIXED;
    uc_reg_write(engine->uc, UC_X86_REG_RFLAGS, &flags);
}

uint32_t
engine_error_code(Engine *engine)
{
    uint32_t code;

    memcpy(&code, engine->state + STATE_ERROR_CODE, sizeof code);
    return code;
}

void
engine_clear_exception(Engine *engine)
{
    memset(engine->state + STATE_IN_FLIGHT, 0xff, sizeof(int32_t));
}

uint64_t
engine_efer(Engine *engine)
{
    uint64_t efer;

    memcpy(&efer, engine->state + STATE_EFER, sizeof efer);
    return efer;
}

void
engine_set_efer(Engine *engine, uint64_t efer)
{
    memcpy(engine->state + STATE_EFER, &efer, sizeof efer);
}

uint64_t
engine_msr(Engine *engine, uint32_t number)
{
    uc_x86_msr msr = {.rid = number};

    uc_reg_read(engine->uc, UC_X86_REG_MSR, &msr);
    return msr.value;
}

/* Descriptor bits, as in the second word of a descriptor (SDM 3A, 3.4.5). */
#define DESCRIPTOR_L (1u << 21)
#define DESCRIPTOR_DB (1u << 22)

void
engine_sync_mode(Engine *engine)
{
    EngineState *state = engine_state(engine);
    const EngineSegment *cs = &state->segments[SEG_CS];
    const EngineSegment *ss = &state->segments[SEG_SS];
    uint32_t hidden = state->hidden;

    hidden &= ~(ENGINE_HIDDEN_CPL | ENGINE_HIDDEN_CS32 | ENGINE_HIDDEN_SS32 |
                ENGINE_HIDDEN_CS64);
    hidden |= cs->selector & ENGINE_HIDDEN_CPL;
    if ((hidden & ENGINE_HIDDEN_LMA) && (cs->flags & DESCRIPTOR_L))
        hidden |= ENGINE_HIDDEN_CS64 | ENGINE_HIDDEN_CS32 | ENGINE_HIDDEN_SS32;
    else {
        hidden |= cs->flags & DESCRIPTOR_DB ? ENGINE_HIDDEN_CS32 : 0;
        hidden |= ss->flags & DESCRIPTOR_DB ? ENGINE_HIDDEN_SS32 : 0;
    }
    state->hidden = hidden;
}

/* The compiler would make REP MOVS of a constant size, which the C library
 * does better. */
static void
copy_state(void *to, const void *from)
{
    volatile size_t bytes = STATE_BYTES;

    memcpy(to, from, bytes);
}

size_t
engine_image_bytes(void)
{
    return STATE_BYTES;
}

void
engine_save(Engine *engine, void *image)
{
    copy_state(image, engine->state);
}

/* The TLB is no part of an image.  It is right for other registers as long as
 * these lead to the same tables in the same way. */
void
engine_load(Engine *engine, const void *image)
{
    EngineState *state = engine_state(engine);
    uint64_t efer = engine_efer(engine);
    uint64_t cr[5];

    memcpy(cr, state->cr, sizeof cr);
    copy_state(engine->state, image);
    if (((cr[0] ^ state->cr[0]) & CR0_PAGING) != 0 || cr[3] != state->cr[3] ||
        ((cr[4] ^ state->cr[4]) & CR4_PAGING) != 0 ||
        efer != engine_efer(engine))
        engine_flush_tlb(engine);
}

void
engine_init_reset(Engine *engine)
{
    EngineState *state = engine_state(engine);

    memset(state->registers, 0, sizeof state->registers);
    state->registers[GPR_RDX] = 0x000306a0; /* family, model, stepping */
    uc_reg_write(engine->uc, UC_X86_REG_CR4, &(uint64_t){0});
    uc_reg_write(engine->uc, UC_X86_REG_CR0, &(uint64_t){CR0_RESET});
    uc_reg_write(engine->uc, UC_X86_REG_CR3, &(uint64_t){0});
    engine_set_efer(engine, 0);
    state->cr[2] = 0;
    /* Unicorn's register interface stores CR0 and no more: what follows from
     * PE, EM and TS is hidden state. */
    state->hidden &= ~(ENGINE_HIDDEN_LMA | ENGINE_HIDDEN_SHADOW |
                       ENGINE_HIDDEN_PE | ENGINE_HIDDEN_FPU);
    state->hidden |= ENGINE_HIDDEN_ADDSEG;
    for (int i = 0; i < SEG_COUNT; i++)
        state->segments[i] = (EngineSegment){.limit = 0xffff, .flags = 0x9300};
    state->segments[SEG_CS] = (EngineSegment){
        .selector = 0xf000,
        .base = 0xffff0000,
        .limit = 0xffff,
        .flags = 0x9b00,
    };
    state->gdt = state->idt = (EngineSegment){.limit = 0xffff};
    state->ldt = (EngineSegment){.limit = 0xffff, .flags = 0x8200};
    state->tr = (EngineSegment){.limit = 0xffff, .flags = 0x8b00};
    state->rip = 0xfff0;
    engine_set_flags(engine, RFLAGS_FIXED);
    engine_clear_exception(engine);
    engine_sync_mode(engine);
    /* In real mode the selector's low bits are no privilege level. */
    state->hidden &= ~ENGINE_HIDDEN_CPL;
    engine_flush_tlb(engine);
}

void
engine_boot_paging(Engine *engine, gpa_t cr3, uint64_t cr0, uint64_t cr4)
{
    EngineState *state = engine_state(engine);

    uc_reg_write(engine->uc, UC_X86_REG_CR4, &cr4);
    uc_reg_write(engine->uc, UC_X86_REG_CR3, &cr3);
    engine_set_efer(engine, EFER_LONG_MODE);
    state->hidden |= ENGINE_HIDDEN_LMA;
    uc_reg_write(engine->uc, UC_X86_REG_CR0, &cr0);
    engine_flush_tlb(engine);
}

static void
digest_segment(Digest *digest, const EngineSegment *segment)
{
    digest_u64(digest, segment->selector);
    digest_u64(digest, segment->base);
    digest_u64(digest, (uint64_t)segment->limit << 32 | segment->flags);
}

static void
digest_floating_point(Engine *engine, Digest *digest)
{
    static const int words[] = {UC_X86_REG_FPSW, UC_X86_REG_FPCW,
                                UC_X86_REG_FPTAG};
    uint8_t bytes[16];
    uint16_t word;
    uint32_t mxcsr = 0;

    for (int i = 0; i < 16; i++) {
        memset(bytes, 0, sizeof bytes);
        uc_reg_read(engine->uc, UC_X86_REG_XMM0 + i, bytes);
        digest_bytes(digest, bytes, sizeof bytes);
    }
    for (int i = 0; i < 8; i++) {
        memset(bytes, 0, sizeof bytes);
        uc_reg_read(engine->uc, UC_X86_REG_ST0 + i, bytes);
        digest_bytes(digest, bytes, 10);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        word = 0;
        uc_reg_read(engine->uc, words[i], &word);
        digest_u64(digest, word);
    }
    uc_reg_read(engine->uc, UC_X86_REG_MXCSR, &mxcsr);
    digest_u64(digest, mxcsr);
}

void
engine_digest(Engine *engine, Digest *digest)
{
    static const uint32_t msrs[] = {0x174,      0x175,      0x176,
                                    0x277,      0xc0000081, 0xc0000082,
                                    0xc0000083, 0xc0000084, 0xc0000102};
    const EngineState *state = engine_state(engine);

    for (int i = 0; i < GPR_COUNT; i++)
        digest_u64(digest, state->registers[i]);
    digest_u64(digest, state->rip);
    digest_u64(digest, engine_flags(engine));
    for (int i = 0; i < SEG_COUNT; i++)
        digest_segment(digest, &state->segments[i]);
    digest_segment(digest, &state->ldt);
    digest_segment(digest, &state->tr);
    digest_segment(digest, &state->gdt);
    digest_segment(digest, &state->idt);
    for (int i = 0; i < 5; i++)
        digest_u64(digest, state->cr[i]);
    digest_u64(digest, engine_efer(engine));
    digest_u64(digest, state->hidden & ENGINE_HIDDEN_CPL);
    for (size_t i = 0; i < G_N_ELEMENTS(msrs); i++)
        digest_u64(digest, engine_msr(engine, msrs[i]));
    digest_floating_point(engine, digest);
}

/*
 * Unicorn looks up where the translations are by walking the page tables, and
 * where these say no it raises a page fault and forgets nothing.  So the walk
 * is made with paging off in long mode, in which every address is its own;
 * page by page, since Unicorn looks at the first only.
 */
void
engine_code_changed(Engine *engine, gpa_t physical, uint64_t size)
{
    static const gva_t windows[] = {WINDOW_IDENTITY, WINDOW_DIRECT,
                                    WINDOW_KERNEL};
    EngineState *state = engine_state(engine);
    gpa_t end = physical + size;
    uint8_t image[STATE_BYTES];

    engine_save(engine, image);
    state->cr[0] &= ~CR0_PG;
    state->hidden |= ENGINE_HIDDEN_LMA;
    engine_flush_tlb(engine);
    for (gpa_t at = physical, next; at < end; at = next) {
        next = MIN(end, (at & ~(gpa_t)(PAGE_BYTES - 1)) + PAGE_BYTES);
        for (size_t i = 0; i < G_N_ELEMENTS(windows); i++)
            uc_ctl_remove_cache(engine->uc, windows[i] + at,
                                windows[i] + next);
    }
    memcpy(engine->state, image, sizeof image);
    engine_flush_tlb(engine);
}

void
engine_next_alone(Engine *engine, gva_t address)
{
    gpa_t physical;

    if (gmem_translate(engine->gmem, address, 1, &physical))
        engine_code_changed(engine, physical, 1);
    engine_accel_next_alone();
}

void
engine_flush_tlb(Engine *engine)
{
    engine_accel_flush(engine->state - CPU_STATE_OFFSET);
}
