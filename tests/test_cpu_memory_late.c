/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads that give an older value, under the model `weak`: what they may give,
 * and that nothing of it is left behind.
 */
#include "base/base.h"

#include "memory_rig.h"

TestSuite(cpu_memory_late, .timeout = 60);

static unsigned
oldest(void *user, unsigned cpu, unsigned count)
{
    (void)user, (void)cpu;
    return count - 1;
}

static unsigned
newest(void *user, unsigned cpu, unsigned count)
{
    (void)user, (void)cpu, (void)count;
    return 0;
}

/* Cpu 0 has made x and y 1; cpu 1 executes the text, all loads as late as can
 * be, and memory is what it was whatever way the instruction ends. */
static Rig
late_rig(const char *text, const char *memory, uint64_t slice)
{
    g_autofree char *body = g_strconcat(
        "test %edi, %edi; jnz 1f\n"
        " mov $0x600000, %edi; mov $1, %eax; mov $64, %ecx; rep stosq\n"
        " mfence; vmcall\n"
        "1: expect 9f\n mov $7, %ebx\n",
        text, "\n 9: done\n", NULL);
    Rig rig = rig_start(body, 2, memory);

    rig_watch_late(&rig, oldest, NULL);
    for (unsigned i = 0; i < 200 && rig_activity(&rig, 0) == CPU_ACTIVE; i++)
        rig_step(&rig, 0, 100);
    for (unsigned i = 0; i < 200 && rig_activity(&rig, 1) == CPU_ACTIVE; i++)
        rig_step(&rig, 1, slice);
    cr_assert_eq(rig_activity(&rig, 1), CPU_HELD);
    return rig;
}

Test(cpu_memory_late, an_older_value_is_gone_when_the_instruction_is)
{
    static const char *const texts[] = {
        "mov 0x600000, %rax",
        "mov 0x600000, %rax; mov 0x600000, %rbx",
        "mov 0x600003, %eax",
        "mov 0x60003c, %rax; mov 0x600040, %ax; mov 0x600038, %bl",
        "movups 0x600000, %xmm0",
        "pushq 0x600000; pop %rax",
        "mov $0x600000, %esi; mov $0x620000, %edi; movsq",
        "mov $0x600000, %esi; mov $0x600004, %edi; movsq",
        "mov $5, %ecx; mov $0x600000, %esi; mov $0x620000, %edi; rep movsq",
        "mov $5, %ecx; mov $0x600000, %esi; repe lodsq",
        "mov $0x600000, %esi; mov $0x600008, %edi; cmpsq",
        "mov $0x900000, %edi; mov $0x600000, %esi; movsq",
        "xor %edx, %edx; mov $1, %eax; divq 0x600000",
        "mov $0x600000, %eax; jmp *(%rax)",
        "incq 0x600000",
        "incl 0x60003e",
        "cmpxchg %rbx, 0x600000",
        "xadd %rbx, 0x600000",
        "addq %rbx, 0x600000; mov 0x600000, %rcx",
        "mov 0x600000, %rax; pause; mov 0x600040, %rbx; cpuid",
        "mov 0x600000, %rax; rdtsc; mov 0x600040, %rbx; vmcall",
        "bts $9, 0x600000",
        "mov 0x600000, %rax; int3; mov 0x600040, %rax",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        for (uint64_t slice = 1; slice < 60; slice = slice * 3 + 1) {
            const char *memory = slice % 2 ? "weak" : "weak,depth=1";
            g_auto(Rig) rig = late_rig(texts[i], memory, slice);
            const uint64_t *words;

            machine_check(rig.machine);
            if (strstr(texts[i], "inc") || strstr(texts[i], "cmpx") ||
                strstr(texts[i], "add") || strstr(texts[i], "bts") ||
                strstr(texts[i], "0x600004"))
                continue; /* they write there, below */
            words = (const uint64_t *)(const void *)(machine_memory(rig.machine)
                                                         ->bytes +
                                                     RIG_DATA);
            for (unsigned k = 0; k < 64; k++)
                cr_assert_eq(words[k], 1,
                             "%s: word %u is %" PRIx64 " in slices of %" PRIu64,
                             texts[i], k, words[k], slice);
        }
}

/* Late, then written back: the newest is below, the sum above. */
Test(cpu_memory_late, a_late_read_modify_write_covers_the_newest)
{
    g_auto(Rig)
        rig = late_rig("addq %rbx, 0x600000; incl 0x600042", "weak", 100);

    cr_expect_eq(rig_buffered(&rig, 1), 3); /* one is the `expect` */
    cr_expect_eq(rig_seen(&rig, 1, RIG_DATA), 7, "0 + 7");
    cr_expect_eq(rig_u64(&rig, RIG_DATA), 1);
    cr_expect_eq(rig_u64(&rig, RIG_DATA + 64), 1);
    machine_drain_all(rig.machine);
    cr_expect_eq(rig_u64(&rig, RIG_DATA), 7);
    cr_expect_eq(rig_u64(&rig, RIG_DATA + 64), 0x10001);
}

/* Its first half is in the line whose past nobody has, its second half is the
 * newest value of the next line. */
Test(cpu_memory_late, a_load_across_lines_has_read_both_of_them)
{
    g_auto(Rig) rig = rig_start(
        "test %edi, %edi; jnz 1f\n movq $1, 0x600040; mfence; vmcall\n"
        "1: mov 0x60003c, %rax; mov 0x600040, %ebx; done\n",
        2, "weak");

    rig_watch_late(&rig, oldest, NULL);
    rig_to_vmcall(&rig, 0);
    rig_to_vmcall(&rig, 1);
    cr_expect_eq(rig_reg(&rig, 1, GPR_RAX) >> 32, 1);
    cr_expect_eq(rig_reg(&rig, 1, GPR_RBX), 1, "older than before");
}

/* rax: loaded with a dependency or a barrier between, or without. */
Test(cpu_memory_late, late_loads_obey_barriers_and_dependencies)
{
    static const struct {
        const char *between;
        uint64_t wanted;
    } cases[] = {
        {"", 1},
        {"mov $0, %bl", 1},
        {"mov $0, %ebx; lfence", 1},
        {"mov $0, %ebx; mfence", 1},
        {"mov $0, %ebx; sfence", 0},
        {"mov $0, %ebx; lock incq 0x620000", 1},
        {"cpuid; mov $0, %ebx", 1},
        {"and $0, %rbx", 1},
        {"xor %ebx, %ebx", 1},
        {"mov %rbx, %rcx; and $0, %ecx; mov %ecx, %ebx", 1},
        {"mov $0, %ebx", 0},
        {"int3; mov $0, %ebx", 1},
        {"mov $0, %ebx; xchg %rcx, 0x620000", 1},
        {"mov $0, %ebx; xchg %rcx, %rdx", 0},
        {"mov $0, %ebx; push %rcx; pop %rcx", 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body = g_strdup_printf(
            "test %%edi, %%edi; jnz 1f\n movq $1, 0x600000; mfence\n"
            " movq $1, 0x600040; mfence; vmcall\n"
            "1: mov 0x600040, %%rbx; mov %%rbx, %%r12; %s\n"
            " and $0xff0000, %%ebx; mov 0x600000(%%rbx), %%rax; done\n",
            cases[i].between);
        g_auto(Rig) rig = rig_start(body, 2, "weak");

        rig_to_vmcall(&rig, 0);
        rig_watch_late(&rig, newest, NULL);
        while (rig_reg(&rig, 1, GPR_R12) != 1)
            rig_step(&rig, 1, 1);
        rig_watch_late(&rig, oldest, NULL);
        rig_to_vmcall(&rig, 1);
        cr_expect_eq(rig_reg(&rig, 1, GPR_RAX), cases[i].wanted, "%s",
                     cases[i].between);
    }
}
