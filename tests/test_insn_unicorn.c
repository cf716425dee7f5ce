/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * insn: whatever Unicorn says an instruction touched was predicted.
 *
 * Each snippet is one instruction in a slot of its own,
 * followed by hlt; operands point into DATA, whose middle is far enough from
 * both ends for every displacement that the snippets can reach.
 */
#include "base/base.h"

#include "guest/insn.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <unicorn/unicorn.h>

#include "base/prng.h"

#define TEXT UINT64_C(0x100000)
#define DATA UINT64_C(0x400000)
#define DATA_BYTES UINT64_C(0x100000)
#define SLOT_BYTES 16u

static const char *const snippets[] = {
    "push %rax",
    "push %r13",
    "pushw %ax",
    "push $-5",
    "pushq (%rbx)",
    "pushq 8(%rsp)",
    "pushw (%rbx)",
    "pushfq",
    "pop %rax",
    "pop %rsp",
    "popw %ax",
    "popq (%rbx)",
    "popq (%rsp)",
    "popq 16(%rsp)",
    "popw 16(%rsp)",
    "call *%rdx",
    "call *(%rdx)",
    "call .+64",
    "ret",
    "ret $24",
    "leave",
    "leavew",
    "enter $16,$0",
    "enter $64,$1",
    "enter $64,$2",
    "enter $8,$5",
    "enterw $8,$3",
    "movsb",
    "movsw",
    "movsl",
    "movsq",
    "rep movsb",
    "rep movsq",
    "stosb",
    "stosq",
    "rep stosl",
    "lodsb",
    "lodsq",
    "cmpsb",
    "cmpsq",
    "repe cmpsb",
    "scasb",
    "repne scasl",
    "movsl (%esi),%es:(%edi)",
    "std; movsq",
    "xlat",
    "mov %rax,(%rbx)",
    "mov %al,-3(%rbx,%rsi,1)",
    "mov (%r8,%r9,2),%rax",
    "movw $5,(%rbx)",
    "movzbl (%rsi),%eax",
    "movslq (%rsi),%rax",
    "mov 0x300080(%rip),%rax",
    "mov %rax,0x300080(%rip)",
    "movabs 0x400100,%rax",
    "movabs %al,0x400100",
    "mov %gs:16,%rax",
    "mov %fs:(%rbx),%eax",
    "mov %ecx,%fs:8(%ebx)",
    "mov 4(%ebx),%eax",
    "addq $1,(%rbx)",
    "adc %rax,(%rbx)",
    "incl (%rbx)",
    "notq (%rbx)",
    "negb (%rbx)",
    "shlq $3,(%rbx)",
    "shld %cl,%rax,(%rbx)",
    "cmp %rax,(%rbx)",
    "cmpb $3,(%rbx)",
    "test %rax,(%rbx)",
    "imul (%rbx),%rax",
    "mulq (%rbx)",
    "setne (%rbx)",
    "cmovne (%rbx),%rax",
    "bt %rax,(%rbx)",
    "bts %r12,(%rbx)",
    "btr %r12d,(%rbx)",
    "btc %r12w,(%rbx)",
    "lock bts %r12,(%rbx)",
    "btsq $37,(%rbx)",
    "bts %r12,8(%rbx,%rsi,1)",
    "cmpxchg %rcx,(%rbx)",
    "lock cmpxchg %ecx,(%rbx)",
    "cmpxchg8b (%rbx)",
    "cmpxchg16b (%r15)",
    "lock cmpxchg16b (%r15)",
    "xchg %rax,(%rbx)",
    "xchg %al,(%rbx)",
    "xadd %rax,(%rbx)",
    "lock xadd %rax,(%rbx)",
    "movaps %xmm0,(%r15)",
    "movaps (%r15),%xmm0",
    "movups %xmm0,(%rbx)",
    "movdqu (%rbx),%xmm0",
    "movss %xmm0,(%rbx)",
    "movsd (%rbx),%xmm0",
    "movhps %xmm0,(%rbx)",
    "movlps (%rbx),%xmm0",
    "movq %xmm0,(%rbx)",
    "movd %xmm0,(%rbx)",
    "movntdq %xmm0,(%r15)",
    "movntps %xmm0,(%r15)",
    "movnti %rax,(%rbx)",
    "addps (%r15),%xmm0",
    "addsd (%rbx),%xmm0",
    "cvtsi2sdl (%rbx),%xmm0",
    "cvtsi2sdq (%rbx),%xmm0",
    "cvttss2si (%rbx),%rax",
    "ucomisd (%rbx),%xmm0",
    "punpcklbw (%r15),%xmm0",
    "pinsrw $1,(%rbx),%xmm0",
    "pextrb $1,%xmm0,(%rbx)",
    "pextrq $1,%xmm0,(%rbx)",
    "pmovzxbw (%rbx),%xmm0",
    "lddqu (%rbx),%xmm0",
    "maskmovdqu %xmm0,%xmm1",
    "movq (%rbx),%mm0",
    "maskmovq %mm0,%mm1",
    "movq %mm0,(%rbx)",
    "flds (%rbx)",
    "fldl (%rbx)",
    "fldt (%rbx)",
    "fstps (%rbx)",
    "fstpl (%rbx)",
    "fstpt (%rbx)",
    "fildll (%rbx)",
    "fistps (%rbx)",
    "fadds (%rbx)",
    "fnstcw (%rbx)",
    "fldcw (%rbx)",
    "fnstsw (%rbx)",
    "fnstenv (%rbx)",
    "fldenv (%rbx)",
    "fnsave (%rbx)",
    "frstor (%rbx)",
    "fbld (%rbx)",
    "fbstp (%rbx)",
    "stmxcsr (%rbx)",
    "fxsave (%r15)",
    "fxsave64 (%r15)",
    "fxrstor (%r15)",
    "sgdt (%rbx)",
    "sidt (%rbx)",
    "lgdt (%r14)",
    "lidt (%r14)",
    "sldt (%rbx)",
    "smsw (%rbx)",
    "lea (%rbx),%rax",
    "nopl (%rbx)",
    "prefetcht0 (%rbx)",
    "prefetchw (%rbx)",
    "clflush (%rbx)",
    "invlpg (%rbx)",
    "jmp *%rdx",
    "jmp *(%rdx)",
    "mfence",
    "cpuid",
    "crc32q (%rbx),%rax",
    "bsf (%rbx),%rax",
    "tzcnt (%rbx),%rax",
    "bextr %rax,(%rbx),%rcx",
    "movsbl (%rbx),%eax",
    "bswap %rax",
    "aesenc (%r15),%xmm0",
    "pcmpistri $0,(%rbx),%xmm0",
    "cmpneqsd (%rbx),%xmm0",
};

typedef struct Observation {
    uc_engine *uc;
    uint8_t *text;
    uint64_t start; /* of the snippet's last instruction */
    Insn insn;
    bool armed;
    gva_t predicted[INSN_ACCESS_MAX];
    uint8_t seen[INSN_ACCESS_MAX]; /* modes the hooks reported */
    const char *name;
    unsigned checked;
} Observation;

static const int unicorn_registers[16] = {
    UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_RBX,
    UC_X86_REG_RSP, UC_X86_REG_RBP, UC_X86_REG_RSI, UC_X86_REG_RDI,
    UC_X86_REG_R8,  UC_X86_REG_R9,  UC_X86_REG_R10, UC_X86_REG_R11,
    UC_X86_REG_R12, UC_X86_REG_R13, UC_X86_REG_R14, UC_X86_REG_R15,
};

static void
on_instruction(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    Observation *seen = user;
    uint64_t regs[16];
    uint64_t segments[6] = {0};

    (void)size;
    seen->armed = false;
    if (address < seen->start || address >= seen->start + SLOT_BYTES ||
        seen->text[address - TEXT] == 0xf4) {
        uc_emu_stop(uc);
        return;
    }
    for (unsigned i = 0; i < 16; i++)
        uc_reg_read(uc, unicorn_registers[i], &regs[i]);
    uc_reg_read(uc, UC_X86_REG_FS_BASE, &segments[INSN_FS]);
    uc_reg_read(uc, UC_X86_REG_GS_BASE, &segments[INSN_GS]);
    cr_assert(insn_decode(&seen->insn, seen->text + (address - TEXT),
                          SLOT_BYTES, address, INSN_MODE_64),
              "%s", seen->name);
    for (unsigned i = 0; i < seen->insn.access_count; i++) {
        seen->predicted[i] = insn_effective_address(&seen->insn.access[i], regs,
                                                    segments);
        seen->seen[i] = 0;
    }
    seen->armed = true;
}

static void
on_memory(uc_engine *uc, uc_mem_type type, uint64_t address, int size,
          int64_t value, void *user)
{
    Observation *seen = user;
    uint8_t mode = type == UC_MEM_WRITE ? INSN_ACCESS_WRITE : INSN_ACCESS_READ;
    bool found = false;

    (void)uc;
    (void)value;
    cr_assert(seen->armed, "%s", seen->name);
    for (unsigned i = 0; i < seen->insn.access_count; i++) {
        const InsnAccess *access = &seen->insn.access[i];

        if (access->mode & mode && address >= seen->predicted[i] &&
            address + (uint64_t)size <= seen->predicted[i] + access->size) {
            seen->seen[i] |= mode;
            found = true;
        }
    }
    cr_assert(found, "%s: %s of %d bytes at %" PRIx64 " not predicted",
              seen->name, type == UC_MEM_WRITE ? "write" : "read", size,
              address);
    seen->checked++;
}

static char *
assemble(const char *directory, size_t *size)
{
    g_autoptr(GString) source = g_string_new(NULL);
    g_autofree char *script = NULL;
    g_autofree char *path = g_build_filename(directory, "t.s", NULL);
    g_autofree char *object = g_build_filename(directory, "t.o", NULL);
    g_autofree char *binary = g_build_filename(directory, "t.bin", NULL);
    char *bytes = NULL;
    int status = -1;

    for (size_t i = 0; i < G_N_ELEMENTS(snippets); i++)
        g_string_append_printf(source, "%s\nhlt\n.balign 16,0xf4\n",
                               snippets[i]);
    cr_assert(g_file_set_contents(path, source->str, -1, NULL));
    script = g_strdup_printf("cd %s && as -o t.o t.s && objcopy -O binary "
                             "-j .text t.o t.bin",
                             directory);
    const char *argv[] = {"sh", "-c", script, NULL};
    cr_assert(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL,
                           NULL, NULL, NULL, &status, NULL));
    cr_assert_eq(status, 0);
    cr_assert(g_file_get_contents(binary, &bytes, size, NULL));
    g_remove(path);
    g_remove(object);
    g_remove(binary);
    g_rmdir(directory);
    return bytes;
}

/* Registers into the middle of DATA; rdx at a pointer that jumps can follow. */
static void
set_registers(Observation *seen, Prng *prng, uint64_t target)
{
    uint64_t middle = DATA + DATA_BYTES / 2;
    uint32_t mxcsr = 0x1f80;
    uint64_t flags = 2;

    for (unsigned i = 0; i < 16; i++) {
        uint64_t value = prng_next(prng);

        if (i == INSN_RBX || i == INSN_RSP || i == INSN_RBP || i == INSN_RDI ||
            i == INSN_R8 || i == 14)
            value = middle + prng_below(prng, 256) * 8 +
                    prng_below(prng, 4) % 3;
        if (i == INSN_RSP || i == INSN_RBP || i == 15)
            value = middle + prng_below(prng, 64) * 16;
        if (i == INSN_RCX)
            value = prng_below(prng, 6);
        if (i == INSN_RSI) /* an index, or a source, by turns */
            value = prng_chance(prng, 1, 2) ? prng_below(prng, 64)
                                            : middle + prng_below(prng, 64);
        if (i == 9)
            value = prng_below(prng, 64);
        if (i == 12) /* bit offsets of both signs */
            value = (uint64_t)((int64_t)prng_below(prng, 20000) - 10000);
        if (i == INSN_RDX)
            value = target;
        if (i == INSN_RAX && prng_chance(prng, 1, 2))
            value = prng_below(prng, 2048);
        uc_reg_write(seen->uc, unicorn_registers[i], &value);
    }
    uc_reg_write(seen->uc, UC_X86_REG_MXCSR, &mxcsr);
    uc_reg_write(seen->uc, UC_X86_REG_EFLAGS, &flags);
}

/* rcx may be zero, and so may a mask. */
static bool
may_miss(const Observation *seen)
{
    return seen->insn.flags & (INSN_STRING_REP | INSN_NON_TEMPORAL);
}

static void
check_snippet(Observation *seen, Prng *prng, size_t index, uint8_t *data)
{
    uint64_t target = DATA + DATA_BYTES - 16;

    seen->name = snippets[index];
    seen->start = TEXT + index * SLOT_BYTES;
    for (unsigned round = 0; round < 12; round++) {
        uc_err error;

        for (unsigned i = 0; i < 4096; i += 8)
            memcpy(data + DATA_BYTES / 2 + i, &(uint64_t){prng_next(prng)}, 8);
        memcpy(data + (target - DATA), &target, sizeof target);
        set_registers(seen, prng, target);
        seen->insn.access_count = 0;
        error = uc_emu_start(seen->uc, seen->start, 0, 0, 0);
        if (error != UC_ERR_OK)
            continue; /* operands that point nowhere: nothing was touched */
        for (unsigned k = 0; k < seen->insn.access_count; k++)
            if (!may_miss(seen) && !(seen->insn.flags & INSN_BRANCH))
                cr_expect_eq(seen->insn.access[k].mode & 3, seen->seen[k],
                             "%s: access %u predicted %u, seen %u", seen->name,
                             k, seen->insn.access[k].mode & 3, seen->seen[k]);
    }
}

Test(insn_unicorn, whatever_unicorn_touches_was_predicted)
{
    g_autofree char *directory = g_dir_make_tmp("heddle-insn-XXXXXX", NULL);
    size_t size = 0;
    g_autofree char *text = assemble(directory, &size);
    g_autofree uint8_t *data = g_malloc0(DATA_BYTES);
    g_autofree uint8_t *code = NULL;
    Observation seen = {0};
    uc_hook hooks[2];
    Prng prng;
    size_t text_bytes = (size + 0xfff) & ~(size_t)0xfff;
    uint64_t fs = 0x8000;
    uint64_t gs = DATA + 0x9000;

    cr_assert_eq(size, G_N_ELEMENTS(snippets) * SLOT_BYTES);
    prng_init(&prng, 42);
    code = g_malloc0(text_bytes);
    memcpy(code, text, size);
    seen.text = code;
    cr_assert_eq(uc_open(UC_ARCH_X86, UC_MODE_64, &seen.uc), UC_ERR_OK);
    cr_assert_eq(uc_mem_map(seen.uc, TEXT, text_bytes, UC_PROT_ALL), UC_ERR_OK);
    cr_assert_eq(uc_mem_map_ptr(seen.uc, DATA, DATA_BYTES, UC_PROT_ALL, data),
                 UC_ERR_OK);
    cr_assert_eq(uc_mem_write(seen.uc, TEXT, code, size), UC_ERR_OK);
    uc_reg_write(seen.uc, UC_X86_REG_FS_BASE, &fs);
    uc_reg_write(seen.uc, UC_X86_REG_GS_BASE, &gs);
    uc_hook_add(seen.uc, &hooks[0], UC_HOOK_CODE, (void *)on_instruction, &seen,
                1, 0);
    uc_hook_add(seen.uc, &hooks[1], UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE,
                (void *)on_memory, &seen, 1, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(snippets); i++) {
        unsigned before = seen.checked;

        check_snippet(&seen, &prng, i, data);
        if (seen.insn.access_count > 0)
            cr_expect_gt(seen.checked, before, "%s never ran", seen.name);
    }
    uc_close(seen.uc);
}
