/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * insn: a table of encodings for every class, and addresses worked out by hand.
 */
#include "base/base.h"

#include "guest/insn.h"

#include <criterion/criterion.h>

#include "base/prng.h"

#define AT UINT64_C(0x1000)

typedef struct Row {
    const char *name;
    const char *bytes;
    unsigned length; /* of `bytes`, and of the instruction */
    uint64_t flags;
} Row;

#define BYTES(text) text, sizeof(text) - 1

static Insn
decode(const char *bytes, size_t length, InsnMode mode)
{
    Insn insn;

    cr_assert(insn_decode(&insn, (const uint8_t *)bytes, length, AT, mode));
    return insn;
}

#define M INSN_MEMORY
#define R INSN_READS
#define W INSN_WRITES
#define U INSN_UNPREDICTED
#define S INSN_SERIALISING
#define TO INSN_TO_SYSTEM
#define IMM INSN_HAS_IMMEDIATE

static const Row classes[] = {
    {"mov eax, ecx", BYTES("\x89\xc8"), 0},
    {"mov [rax], rcx", BYTES("\x48\x89\x08"), M | W},
    {"mov rcx, [rax]", BYTES("\x48\x8b\x08"), M | R},
    {"add [rax], rcx", BYTES("\x48\x01\x08"), M | R | W | INSN_RMW},
    {"lock add [rax], rcx", BYTES("\xf0\x48\x01\x08"), M | R | W | INSN_LOCKED},
    {"xchg [rax], rcx", BYTES("\x48\x87\x08"), M | R | W | INSN_LOCKED},
    {"xchg rax, rcx", BYTES("\x48\x87\xc8"), 0},
    {"cmpxchg [rax], rcx", BYTES("\x48\x0f\xb1\x08"), M | R | W | INSN_RMW},
    {"lock cmpxchg", BYTES("\xf0\x48\x0f\xb1\x08"), M | R | W | INSN_LOCKED},
    {"lock cmpxchg16b", BYTES("\xf0\x48\x0f\xc7\x08"), M | R | W | INSN_LOCKED},
    {"bts [rax], rcx", BYTES("\x48\x0f\xab\x08"),
     M | R | W | INSN_RMW | INSN_BIT_STRING | INSN_BIT_TEST},
    {"bt [rax], rcx", BYTES("\x48\x0f\xa3\x08"),
     M | R | INSN_BIT_STRING | INSN_BIT_TEST},
    {"bt [rax], 5", BYTES("\x48\x0f\xba\x20\x05"), M | R | INSN_BIT_TEST},
    {"push rax", BYTES("\x50"), M | W},
    {"push [rax]", BYTES("\xff\x30"), M | R | W},
    {"pop rax", BYTES("\x58"), M | R},
    {"lea rcx, [rax]", BYTES("\x48\x8d\x08"), 0},
    {"nop [rax]", BYTES("\x0f\x1f\x00"), 0},
    {"prefetcht0 [rax]", BYTES("\x0f\x18\x08"), 0},
    {"clflush [rax]", BYTES("\x0f\xae\x38"), 0},
    {"mfence", BYTES("\x0f\xae\xf0"), INSN_FENCE_M},
    {"lfence", BYTES("\x0f\xae\xe8"), INSN_FENCE_L},
    {"sfence", BYTES("\x0f\xae\xf8"), INSN_FENCE_S},
    {"pause", BYTES("\xf3\x90"), INSN_PAUSE},
    {"nop", BYTES("\x90"), 0},
    {"hlt", BYTES("\xf4"), INSN_HALT},
    {"sti", BYTES("\xfb"), INSN_STI},
    {"cli", BYTES("\xfa"), INSN_CLI},
    {"popfq", BYTES("\x9d"), M | R | INSN_POPF},
    {"pushfq", BYTES("\x9c"), M | W | INSN_PUSHF},
    {"iretq", BYTES("\x48\xcf"), M | R | U | S | INSN_IRET},
    {"mov ss, eax", BYTES("\x8e\xd0"), M | U | INSN_MOV_SS},
    {"mov fs, eax", BYTES("\x8e\xe0"), M | U},
    {"call near", BYTES("\xe8\x00\x01\x00\x00"), M | W | INSN_CALL | IMM},
    {"call [rax]", BYTES("\xff\x10"), M | R | W | INSN_CALL},
    {"ret", BYTES("\xc3"), M | R | INSN_RET},
    {"ret 8", BYTES("\xc2\x08\x00"), M | R | INSN_RET | IMM},
    {"retfq", BYTES("\x48\xcb"), M | R | U | INSN_RET},
    {"jmp rax", BYTES("\xff\xe0"), INSN_BRANCH},
    {"jmp [rax]", BYTES("\xff\x20"), M | R | INSN_BRANCH},
    {"jz", BYTES("\x74\x10"), INSN_BRANCH | IMM},
    {"loop", BYTES("\xe2\xfe"), INSN_BRANCH | IMM},
    {"int 0x30", BYTES("\xcd\x30"), M | U | INSN_INT_N | IMM},
    {"int3", BYTES("\xcc"), M | U | INSN_INT_N | IMM},
    {"int1", BYTES("\xf1"), M | U | INSN_INT_N | IMM},
    {"syscall", BYTES("\x0f\x05"), INSN_SYSCALL},
    {"sysretq", BYTES("\x48\x0f\x07"), INSN_SYSCALL},
    {"sysenter", BYTES("\x0f\x34"), INSN_SYSCALL},
    {"sysexit", BYTES("\x0f\x35"), INSN_SYSCALL},
    {"swapgs", BYTES("\x0f\x01\xf8"), INSN_SWAPGS},
    {"cpuid", BYTES("\x0f\xa2"), INSN_CPUID | S},
    {"rdtsc", BYTES("\x0f\x31"), INSN_RDTSC},
    {"rdtscp", BYTES("\x0f\x01\xf9"), INSN_RDTSC},
    {"rdrand eax", BYTES("\x0f\xc7\xf0"), INSN_RDRAND},
    {"rdmsr", BYTES("\x0f\x32"), INSN_MSR},
    {"wrmsr", BYTES("\x0f\x30"), INSN_MSR | TO | S},
    {"mov cr3, rax", BYTES("\x0f\x22\xd8"), INSN_CR_ACCESS | TO | S},
    {"mov rax, cr3", BYTES("\x0f\x20\xd8"), INSN_CR_ACCESS},
    {"mov cr8, rax", BYTES("\x44\x0f\x22\xc0"), INSN_CR_ACCESS | TO},
    {"clts", BYTES("\x0f\x06"), INSN_CR_ACCESS | TO},
    {"smsw eax", BYTES("\x0f\x01\xe0"), INSN_CR_ACCESS},
    {"mov dr7, rax", BYTES("\x0f\x23\xf8"), INSN_DR_ACCESS | TO | S},
    {"lgdt [rax]", BYTES("\x0f\x01\x10"), M | R | S | INSN_DESCRIPTOR},
    {"sgdt [rax]", BYTES("\x0f\x01\x00"), M | W},
    {"ltr ax", BYTES("\x0f\x00\xd8"), M | U | S | INSN_DESCRIPTOR},
    {"invlpg [rax]", BYTES("\x0f\x01\x38"), S | INSN_INVLPG},
    {"in al, 0x40", BYTES("\xe4\x40"), INSN_IN_OUT | IMM},
    {"out dx, al", BYTES("\xee"), INSN_IN_OUT | TO},
    {"insb", BYTES("\x6c"), M | W | INSN_IN_OUT},
    {"rep outsd", BYTES("\xf3\x6f"),
     M | R | TO | INSN_IN_OUT | INSN_STRING_REP},
    {"movsq", BYTES("\x48\xa5"), M | R | W},
    {"rep movsq", BYTES("\xf3\x48\xa5"), M | R | W | INSN_STRING_REP},
    {"repne scasb", BYTES("\xf2\xae"), M | R | INSN_STRING_REP},
    {"vmcall", BYTES("\x0f\x01\xc1"), INSN_VMCALL},
    {"monitor", BYTES("\x0f\x01\xc8"), INSN_MONITOR_MWAIT},
    {"mwait", BYTES("\x0f\x01\xc9"), INSN_MONITOR_MWAIT},
    {"movnti [rbx], rax", BYTES("\x48\x0f\xc3\x03"), M | W | INSN_NON_TEMPORAL},
    {"movntps [rax], xmm0", BYTES("\x0f\x2b\x00"), M | W | INSN_NON_TEMPORAL},
    {"movntdqa xmm0, [rax]", BYTES("\x66\x0f\x38\x2a\x00"), M | R},
    {"maskmovdqu", BYTES("\x66\x0f\xf7\xc8"),
     M | W | INSN_NON_TEMPORAL | INSN_UNPREDICTED},
    {"wbinvd", BYTES("\x0f\x09"), S},
    {"fxsave [rax]", BYTES("\x0f\xae\x00"), M | W},
    {"xsave [rax]", BYTES("\x0f\xae\x20"), M | R | W | U | INSN_RMW},
    {"vpgatherdd", BYTES("\xc4\xe2\x79\x90\x14\x88"), M | U},
    {"ud2", BYTES("\x0f\x0b"), 0},
    {"endbr64", BYTES("\xf3\x0f\x1e\xfa"), 0},
};

Test(insn, every_class_is_told_by_its_encoding)
{
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
        const Row *row = &classes[i];
        Insn insn = decode(row->bytes, row->length, INSN_MODE_64);

        cr_expect_eq(insn.length, row->length, "%s", row->name);
        cr_expect_eq(insn.flags, row->flags,
                     "%s: flags %" PRIx64 ", expected %" PRIx64, row->name,
                     insn.flags, row->flags);
    }
}

Test(insn, bytes_that_are_no_instruction_are_refused)
{
    Insn insn;
    static const uint8_t invalid[] = {0x0f, 0xff, 0xff, 0x06, 0x06};
    static const uint8_t lock_mov[] = {0xf0, 0x48, 0x89, 0x08};
    static const uint8_t cut[] = {0x48, 0x8b};

    cr_expect_not(insn_decode(&insn, invalid + 3, 2, AT, INSN_MODE_64));
    cr_expect_not(
        insn_decode(&insn, lock_mov, sizeof lock_mov, AT, INSN_MODE_64));
    cr_expect_not(insn_decode(&insn, cut, sizeof cut, AT, INSN_MODE_64));
    cr_expect_not(insn_decode(&insn, cut, 0, AT, INSN_MODE_64));
    cr_expect_eq(insn.flags, 0u);
    cr_expect_eq(insn.length, 0);
}

Test(insn, random_bytes_never_break_the_decoder_or_its_invariants)
{
    Prng prng;
    uint8_t bytes[16];
    Insn insn;

    prng_init(&prng, 7);
    for (unsigned i = 0; i < 200000; i++) {
        uint64_t words[2] = {prng_next(&prng), prng_next(&prng)};
        InsnMode mode = (InsnMode)prng_below(&prng, 3);

        memcpy(bytes, words, sizeof bytes);
        if (!insn_decode(&insn, bytes, prng_below(&prng, 17), AT, mode))
            continue;
        cr_assert_leq(insn.access_count, INSN_ACCESS_MAX);
        cr_assert(insn.length >= 1 && insn.length <= INSN_LENGTH_MAX);
        cr_assert_eq((insn.flags & INSN_MEMORY) != 0,
                     insn.access_count > 0 ||
                         (insn.flags & INSN_UNPREDICTED) != 0);
        for (unsigned k = 0; k < insn.access_count; k++) {
            const InsnAccess *access = &insn.access[k];

            cr_assert(access->size > 0 && (access->mode & 3) != 0);
            cr_assert_leq(access->segment, INSN_SEGMENT_NONE);
            cr_assert(access->base <= INSN_REG_RIP);
            cr_assert(access->address_bits == 16 ||
                      access->address_bits == 32 || access->address_bits == 64);
        }
    }
}

static const uint64_t registers[16] = {
    [INSN_RAX] = 0xffffffff80000007,
    [INSN_RCX] = 0x2000,
    [INSN_RDX] = 0x3000,
    [INSN_RBX] = 0x4000,
    [INSN_RSP] = 0x5000,
    [INSN_RBP] = 0x6000,
    [INSN_RSI] = 0x7000,
    [INSN_RDI] = 0x8000,
    [INSN_R8] = 0x12345678fffffff0,
};
static const uint64_t bases[6] = {0x10000, 0x20000, 0x30000,
                                  0x40000, 0x50000, 0x60000};

typedef struct Place {
    const char *name;
    const char *bytes;
    unsigned length;
    InsnMode mode;
    unsigned count;
    struct {
        gva_t address;
        unsigned size;
    } at[INSN_ACCESS_MAX];
} Place;

static const Place places[] = {
    {"mov rax, [rip+0x100]",
     BYTES("\x48\x8b\x05\x00\x01\x00\x00"),
     INSN_MODE_64,
     1,
     {{AT + 7 + 0x100, 8}}},
    {"mov rcx, [rbx+rdx*8-8]",
     BYTES("\x48\x8b\x4c\xd3\xf8"),
     INSN_MODE_64,
     1,
     {{0x4000 + 0x3000 * 8 - 8, 8}}},
    {"mov rax, fs:[8]",
     BYTES("\x64\x48\x8b\x04\x25\x08\x00\x00\x00"),
     INSN_MODE_64,
     1,
     {{0x50008, 8}}},
    {"mov rax, gs:[rbx]",
     BYTES("\x65\x48\x8b\x03"),
     INSN_MODE_64,
     1,
     {{0x64000, 8}}},
    {"mov rax, ss:[rbx] ignores ss",
     BYTES("\x36\x48\x8b\x03"),
     INSN_MODE_64,
     1,
     {{0x4000, 8}}},
    {"mov eax, [r8d+0x20] wraps at 4 GiB",
     BYTES("\x67\x41\x8b\x40\x20"),
     INSN_MODE_64,
     1,
     {{0x10, 4}}},
    {"movabs rax, moffs",
     BYTES("\x48\xa1\x88\x77\x66\x55\x44\x33\x22\x11"),
     INSN_MODE_64,
     1,
     {{0x1122334455667788, 8}}},
    {"push rax", BYTES("\x50"), INSN_MODE_64, 1, {{0x4ff8, 8}}},
    {"push ax", BYTES("\x66\x50"), INSN_MODE_64, 1, {{0x4ffe, 2}}},
    {"push [rsp+8]",
     BYTES("\xff\x74\x24\x08"),
     INSN_MODE_64,
     2,
     {{0x5008, 8}, {0x4ff8, 8}}},
    {"pop [rsp+8] addresses after the pop",
     BYTES("\x8f\x44\x24\x08"),
     INSN_MODE_64,
     2,
     {{0x5010, 8}, {0x5000, 8}}},
    {"call near",
     BYTES("\xe8\x00\x01\x00\x00"),
     INSN_MODE_64,
     1,
     {{0x4ff8, 8}}},
    {"leave", BYTES("\xc9"), INSN_MODE_64, 1, {{0x6000, 8}}},
    {"enter 16, 0", BYTES("\xc8\x10\x00\x00"), INSN_MODE_64, 1, {{0x4ff8, 8}}},
    {"enter 16, 3",
     BYTES("\xc8\x10\x00\x03"),
     INSN_MODE_64,
     2,
     {{0x5000 - 32, 32}, {0x6000 - 16, 16}}},
    {"iretq", BYTES("\x48\xcf"), INSN_MODE_64, 1, {{0x5000, 40}}},
    {"movsq", BYTES("\x48\xa5"), INSN_MODE_64, 2, {{0x8000, 8}, {0x7000, 8}}},
    {"fs movsb",
     BYTES("\x64\xa4"),
     INSN_MODE_64,
     2,
     {{0x8000, 1}, {0x57000, 1}}},
    {"xlat", BYTES("\xd7"), INSN_MODE_64, 1, {{0x4007, 1}}},
    {"bts [rcx], rdx",
     BYTES("\x48\x0f\xab\x11"),
     INSN_MODE_64,
     1,
     {{0x2000 + 0x3000 / 64 * 8, 8}}},
    {"bts [rcx], rax, a negative offset",
     BYTES("\x48\x0f\xab\x01"),
     INSN_MODE_64,
     1,
     {{UINT64_C(0x2000) - 0x10000000, 8}}},
    {"bts [rcx], ax",
     BYTES("\x66\x0f\xab\x01"),
     INSN_MODE_64,
     1,
     {{0x2000, 2}}},
    {"cmpxchg16b [rcx]",
     BYTES("\x48\x0f\xc7\x09"),
     INSN_MODE_64,
     1,
     {{0x2000, 16}}},
    {"cmpxchg8b [rcx]", BYTES("\x0f\xc7\x09"), INSN_MODE_64, 1, {{0x2000, 8}}},
    {"fxsave [rcx]", BYTES("\x0f\xae\x01"), INSN_MODE_64, 1, {{0x2000, 512}}},
    {"sidt [rcx]", BYTES("\x0f\x01\x09"), INSN_MODE_64, 1, {{0x2000, 10}}},
    {"maskmovq", BYTES("\x0f\xf7\xc8"), INSN_MODE_64, 1, {{0x8000, 8}}},
    {"fstp tbyte [rcx]", BYTES("\xdb\x39"), INSN_MODE_64, 1, {{0x2000, 10}}},
    {"32: push eax", BYTES("\x50"), INSN_MODE_32, 1, {{0x34ffc, 4}}},
    {"32: pushad", BYTES("\x60"), INSN_MODE_32, 1, {{0x34fe0, 32}}},
    {"32: mov eax, [ecx]", BYTES("\x8b\x01"), INSN_MODE_32, 1, {{0x42000, 4}}},
    {"32: mov eax, [ebp]",
     BYTES("\x8b\x45\x00"),
     INSN_MODE_32,
     1,
     {{0x36000, 4}}},
    {"32: movsb", BYTES("\xa4"), INSN_MODE_32, 2, {{0x18000, 1}, {0x47000, 1}}},
    {"32: the linear address wraps",
     BYTES("\x8b\x80\xf9\xff\xff\x7f"),
     INSN_MODE_32,
     1,
     {{0x40000, 4}}},
    {"16: mov ax, [bx+si]",
     BYTES("\x8b\x00"),
     INSN_MODE_16,
     1,
     {{0x40000 + 0xb000, 2}}},
    {"16: push ax", BYTES("\x50"), INSN_MODE_16, 1, {{0x34ffe, 2}}},
    {"16: retf", BYTES("\xcb"), INSN_MODE_16, 1, {{0x35000, 4}}},
    {"16: mov al, cs:[0x1234]",
     BYTES("\x2e\xa0\x34\x12"),
     INSN_MODE_16,
     1,
     {{0x21234, 1}}},
};

Test(insn, addresses_are_computed_as_the_manual_says)
{
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        const Place *place = &places[i];
        Insn insn = decode(place->bytes, place->length, place->mode);

        cr_assert_eq(insn.access_count, place->count, "%s: %u accesses",
                     place->name, insn.access_count);
        for (unsigned k = 0; k < place->count; k++) {
            gva_t address = insn_effective_address(&insn.access[k], registers,
                                                   bases);

            cr_expect_eq(address, place->at[k].address,
                         "%s access %u: at %" PRIx64 ", expected %" PRIx64,
                         place->name, k, address, place->at[k].address);
            cr_expect_eq(insn.access[k].size, place->at[k].size,
                         "%s access %u: %u bytes", place->name, k,
                         insn.access[k].size);
        }
    }
}

Test(insn, details_of_system_instructions_are_given)
{
    Insn insn = decode(BYTES("\x0f\x22\xdb"), INSN_MODE_64);

    cr_expect_eq(insn.number, 3);
    cr_expect_eq(insn.gpr, INSN_RBX);
    insn = decode(BYTES("\x45\x0f\x20\xc1"), INSN_MODE_64); /* mov r9, cr8 */
    cr_expect_eq(insn.number, 8);
    cr_expect_eq(insn.gpr, 9);
    insn = decode(BYTES("\x0f\x21\xfa"), INSN_MODE_64); /* mov rdx, dr7 */
    cr_expect_eq(insn.number, 7);
    cr_expect_eq(insn.gpr, INSN_RDX);
    insn = decode(BYTES("\x0f\x06"), INSN_MODE_64); /* clts */
    cr_expect_eq(insn.number, 0);
    cr_expect_eq(insn.gpr, INSN_REG_NONE);
    insn = decode(BYTES("\x0f\x01\xf3"), INSN_MODE_64); /* lmsw bx */
    cr_expect_eq(insn.gpr, INSN_RBX);
    cr_expect_eq(decode(BYTES("\xcd\x30"), INSN_MODE_64).immediate, 0x30u);
    cr_expect_eq(decode(BYTES("\xcc"), INSN_MODE_64).immediate, 3u);
    cr_expect_eq(decode(BYTES("\xe6\x80"), INSN_MODE_64).immediate, 0x80u);
    cr_expect_eq(decode(BYTES("\xc2\x08\x00"), INSN_MODE_64).immediate, 8u);
    cr_expect_eq(decode(BYTES("\xeb\xfe"), INSN_MODE_64).immediate, AT);
    cr_expect_eq(decode(BYTES("\xeb\xfe"), INSN_MODE_16).immediate, AT);
}

#define BIT(number) (1u << (number))

Test(insn, registers_that_flow_in_and_out_are_named)
{
    Insn insn;

    insn = decode(BYTES("\x48\x8b\x04\xcb"), INSN_MODE_64);
    cr_expect_eq(insn.gpr_reads, BIT(INSN_RBX) | BIT(INSN_RCX));
    cr_expect_eq(insn.gpr_writes, BIT(INSN_RAX)); /* mov rax, [rbx+rcx*8] */
    insn = decode(BYTES("\x01\xd8"), INSN_MODE_64); /* add eax, ebx */
    cr_expect_eq(insn.gpr_reads, BIT(INSN_RAX) | BIT(INSN_RBX));
    cr_expect_eq(insn.gpr_writes, BIT(INSN_RAX));
    insn = decode(BYTES("\x88\xc3"), INSN_MODE_64); /* mov bl, al */
    cr_expect_eq(insn.gpr_reads, BIT(INSN_RAX) | BIT(INSN_RBX));
    cr_expect_eq(insn.gpr_writes, BIT(INSN_RBX));
    insn = decode(BYTES("\x58"), INSN_MODE_64); /* pop rax */
    cr_expect_eq(insn.gpr_reads, BIT(INSN_RSP));
    cr_expect_eq(insn.gpr_writes, BIT(INSN_RAX) | BIT(INSN_RSP));
}
