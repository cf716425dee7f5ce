/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine_rig -- small guests for the tests of cores and machines.
 *
 * A guest is assembled on the spot: the prelude below, a little kernel with
 * GDT, IDT, TSS, stacks and a handler that writes down what it saw, and the
 * text of one test.  The test's text has a label `main`, where cpu 0 arrives,
 * and for several cpus `body`, where each of them arrives with its number in
 * edi after `main` did `jmp start_all`.  VMCALL ends a cpu's part.
 *
 *      010000  real-mode code of the other cpus
 *      200000  text      220000 data
 *      400000  what each cpu saw, 4 KiB each (gs): the SAW_* offsets
 *      480000  stacks, 8 KiB each, RSP0 in their middle
 *      500000  TSS, 256 bytes each       520000  IST 1, 4 KiB each
 *      600000  for the test
 *
 * A handler below vector 32 goes back to where `resume` says, once, or to
 * where it came from.  The others call hooks[vector], then end the interrupt.
 *
 * Beside the layers: included by test_*.c only.
 */
#ifndef TESTS_MACHINE_RIG_H
#define TESTS_MACHINE_RIG_H

#include "base/base.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>

#include "base/prng.h"
#include "guest/image.h"
#include "machine/loader.h"
#include "machine/machine.h"

/* What a cpu's handler wrote down, from %gs:0. */
enum {
    SAW_NUMBER = 0,
    SAW_TRAPS = 8,      /* how many exceptions */
    SAW_RESUME = 16,    /* go on here after the next one */
    SAW_VECTOR = 24,    /* of the last one; the frame follows */
    SAW_ERROR = 32,
    SAW_RIP = 40,
    SAW_CS = 48,
    SAW_FLAGS = 56,
    SAW_RSP = 64,
    SAW_SS = 72,
    SAW_CR2 = 80,
    SAW_FRAME = 88,     /* where the frame lay */
    SAW_LOGGED = 104,   /* vectors in the log */
    SAW_X2APIC = 112,   /* end interrupts by MSR */
    SAW_KERNEL = 120,   /* resume in ring 0 with this rsp */
    SAW_IRQ_RIP = 128,  /* where the last interrupt came from */
    SAW_IRQ_FLAGS = 136,
    SAW_LOG = 0x400,    /* vectors in order, a byte each */
    SAW_COUNTS = 0x800, /* of each vector, 4 bytes each */
};

#define RIG_PERCPU UINT64_C(0x400000)
#define RIG_GDT_TSS 0x40u
#define RIG_TSS UINT64_C(0x500000)

static const char rig_prelude[] =
    ".set APIC, 0xfee00000\n"
    ".macro apic offset, value\n"
    " mov $APIC+\\offset, %eax; movl $\\value, (%rax)\n"
    ".endm\n"
    ".macro done\n 99: vmcall; jmp 99b\n .endm\n"
    ".macro expect label\n movq $\\label, %gs:16\n .endm\n"
    ".macro msr number, value\n"
    " mov $\\number, %ecx; mov $\\value, %rax; mov %rax, %rdx\n"
    " shr $32, %rdx; wrmsr\n"
    ".endm\n"
    ".section .tramp, \"ax\"\n"
    ".code16\n"
    "tramp: cli; mov %cs, %ax; mov %ax, %ds\n"
    " lgdtl tramp_gdtr - tramp\n"
    " mov %cr0, %eax; or $1, %eax; mov %eax, %cr0\n"
    " ljmpl $0x18, $tramp32\n"
    ".code32\n"
    "tramp32: mov $0x10, %ax; mov %ax, %ds; mov %ax, %es; mov %ax, %ss\n"
    " mov %cr4, %eax; or $0x620, %eax; mov %eax, %cr4\n"
    " mov $0x1000, %eax; mov %eax, %cr3\n"
    " mov $0xc0000080, %ecx; rdmsr; or $0x100, %eax; wrmsr\n"
    " mov %cr0, %eax; or $0x80010000, %eax; mov %eax, %cr0\n"
    " ljmpl $8, $tramp64\n"
    ".code64\n"
    "tramp64: mov $ap_start, %rax; jmp *%rax\n"
    ".balign 8\n"
    "tramp_gdtr: .word 0x7f; .long gdt\n"
    ".data\n"
    ".balign 4096\n"
    ".globl gdt\n"
    "gdt: .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff\n"
    " .quad 0x00cf9b000000ffff, 0x00cff3000000ffff, 0x00affb000000ffff, 0, 0\n"
    " .fill 128, 8, 0\n"
    "gdtr: .word 0x43f; .quad gdt\n"
    "idtr: .word 0xfff; .quad idt\n"
    ".balign 4096\n"
    ".globl idt, hooks, cpus, online\n"
    "idt: .fill 512, 8, 0\n"
    "hooks: .fill 256, 8, 0\n"
    "cpus: .quad 0\n"
    "online: .quad 1\n"
    ".balign 4096\n"
    ".text\n"
    ".globl _start, stubs\n"
    "_start: mov %rdi, cpus; xor %edi, %edi; mov $main, %esi; jmp init\n"
    "ap_start: mov $APIC+0x20, %eax; mov (%rax), %edi; shr $24, %edi\n"
    " mov $ap_ready, %esi; jmp init\n"
    "ap_ready: lock incq online; mov %gs:0, %edi; jmp body\n"
    "start_all: apic 0x300, 0xc4500\n"
    " apic 0x300, 0xc4610\n"
    "1: pause; mov online, %rax; cmp cpus, %rax; jne 1b\n"
    " mov %gs:0, %edi; jmp body\n"
    ".weak body\n"
    /* number in edi, where to go on in esi: there is no stack yet */
    "init: xor %eax, %eax; mov %eax, %fs; mov %eax, %gs\n"
    " mov %edi, %eax; shl $12, %rax; add $0x400000, %rax; mov %rax, %rbx\n"
    " mov %rax, %rdx; shr $32, %rdx; mov $0xc0000101, %ecx; wrmsr\n"
    " mov %edi, %gs:0\n"
    " lgdt gdtr; lidt idtr\n"
    " mov $0x10, %eax; mov %eax, %ss; mov %eax, %ds\n"
    " mov %edi, %eax; shl $4, %eax; andb $0xfd, gdt+0x45(%rax)\n"
    " add $0x40, %eax; ltr %ax\n"
    " mov %edi, %eax; inc %eax; shl $13, %rax; add $0x480000, %rax\n"
    " mov %rax, %rsp\n"
    " apic 0xf0, 0x1ff\n"
    " jmp *%rsi\n"
    ".balign 16\n"
    "stubs:\n"
    ".set v, 0\n"
    ".rept 256\n"
    ".balign 16\n"
    ".if (v == 8) || (v >= 10 && v <= 14) || (v == 17)\n"
    ".else\n push $0\n .endif\n"
    " pushq $v; jmp common\n"
    ".set v, v + 1\n"
    ".endr\n"
    "common: push %rax; push %rbx; push %rcx; push %rdx\n"
    " mov 32(%rsp), %rbx\n"
    " incl %gs:0x800(,%rbx,4)\n"
    " mov %gs:104, %eax; and $1023, %eax; mov %bl, %gs:0x400(%rax)\n"
    " incl %gs:104\n"
    " cmp $32, %ebx; jae irq; cmp $2, %ebx; je irq\n"
    " incq %gs:8; mov %rbx, %gs:24\n"
    " mov 40(%rsp), %rax; mov %rax, %gs:32\n"
    " mov 48(%rsp), %rax; mov %rax, %gs:40\n"
    " mov 56(%rsp), %rax; mov %rax, %gs:48\n"
    " mov 64(%rsp), %rax; mov %rax, %gs:56\n"
    " mov 72(%rsp), %rax; mov %rax, %gs:64\n"
    " mov 80(%rsp), %rax; mov %rax, %gs:72\n"
    " mov %cr2, %rax; mov %rax, %gs:80\n"
    " lea 48(%rsp), %rax; mov %rax, %gs:88\n"
    " mov %gs:16, %rax; test %rax, %rax; jz out\n"
    " mov %rax, 48(%rsp); movq $0, %gs:16\n"
    " mov %gs:120, %rax; test %rax, %rax; jz out\n"
    " mov %rax, 72(%rsp); movq $8, 56(%rsp); movq $0x10, 80(%rsp)\n"
    " movq $0, %gs:120; jmp out\n"
    "irq: mov 48(%rsp), %rax; mov %rax, %gs:128\n"
    " mov 64(%rsp), %rax; mov %rax, %gs:136\n"
    " mov hooks(,%rbx,8), %rax; test %rax, %rax; jz 1f; call *%rax\n"
    "1: cmp $2, %ebx; je out\n"
    " cmpq $0, %gs:112; jne 2f\n"
    " mov $APIC+0xb0, %eax; movl $0, (%rax); jmp out\n"
    "2: mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr\n"
    "out: pop %rdx; pop %rcx; pop %rbx; pop %rax; add $16, %rsp; iretq\n";

typedef struct Rig {
    Machine *machine;
    Image *image;
} Rig;

static inline void
rig_clear(Rig *rig)
{
    machine_free(rig->machine);
    image_free(rig->image);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Rig, rig_clear)

static inline Image *
rig_assemble(const char *text)
{
    g_autofree char *directory = g_dir_make_tmp("heddle-rig-XXXXXX", NULL);
    g_autofree char *source = g_build_filename(directory, "guest.S", NULL);
    g_autofree char *binary = g_build_filename(directory, "guest", NULL);
    g_autofree char *whole = g_strconcat(rig_prelude, text, "\n", NULL);
    g_autofree char *said = NULL;
    g_autoptr(GError) error = NULL;
    char *words[] = {(char *)"gcc", (char *)"-nostdlib", (char *)"-static",
                     (char *)"-no-pie", (char *)"-Wl,--build-id=none",
                     (char *)"-Wl,-z,noexecstack,-z,noseparate-code",
                     (char *)"-Wl,--section-start=.tramp=0x10000",
                     (char *)"-Wl,-Ttext=0x200000,-Tdata=0x220000",
                     (char *)"-o", binary, source, NULL};
    int status = -1;
    Image *image;

    cr_assert(g_file_set_contents(source, whole, -1, NULL));
    cr_assert(g_spawn_sync(NULL, words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                           NULL, &said, &status, NULL));
    cr_assert_eq(status, 0, "%s", said);
    image = image_load(binary, &error);
    cr_assert_not_null(image, "%s", error == NULL ? "" : error->message);
    g_remove(source);
    g_remove(binary);
    g_rmdir(directory);
    return image;
}

static inline gva_t
rig_symbol(const Rig *rig, const char *name)
{
    const ImageSymbol *symbol = image_lookup_symbol(rig->image, name);

    cr_assert_not_null(symbol, "%s", name);
    return symbol->address;
}

static inline uint64_t
rig_u64(const Rig *rig, gva_t address)
{
    uint64_t value = 0;

    cr_assert(gmem_read(machine_memory(rig->machine), address, &value, 8));
    return value;
}

static inline void
rig_set_u64(const Rig *rig, gva_t address, uint64_t value)
{
    cr_assert(gmem_write(machine_memory(rig->machine), address, &value, 8));
}

/* What cpu `cpu` wrote down at one of the SAW_ offsets. */
static inline uint64_t
rig_saw(const Rig *rig, unsigned cpu, unsigned offset)
{
    return rig_u64(rig, RIG_PERCPU + cpu * 0x1000u + offset);
}

/* How many times it took a vector. */
static inline uint32_t
rig_taken(const Rig *rig, unsigned cpu, unsigned vector)
{
    return (uint32_t)rig_saw(rig, cpu, SAW_COUNTS + 4 * vector);
}

static inline void
rig_set_gate(const Rig *rig, unsigned vector, gva_t handler, unsigned ist,
             unsigned type_dpl)
{
    gva_t gate = rig_symbol(rig, "idt") + vector * 16u;

    rig_set_u64(rig, gate,
                (handler & 0xffff) | 8u << 16 | (uint64_t)ist << 32 |
                    (uint64_t)(type_dpl | 0x80) << 40 |
                    (handler >> 16 & 0xffff) << 48);
    rig_set_u64(rig, gate + 8, handler >> 32);
}

static inline void
rig_make_tables(const Rig *rig)
{
    gva_t gdt = rig_symbol(rig, "gdt") + RIG_GDT_TSS;
    gva_t stubs = rig_symbol(rig, "stubs");

    for (unsigned i = 0; i < machine_cpus(rig->machine); i++) {
        uint64_t tss = RIG_TSS + i * 256u;

        rig_set_u64(rig, gdt + i * 16u,
                    103 | (tss & 0xffffff) << 16 | UINT64_C(0x89) << 40 |
                        (tss >> 24) << 56);
        rig_set_u64(rig, tss + 4, 0x480000 + (i + 1) * 0x2000u - 0x1000u);
        rig_set_u64(rig, tss + 36, 0x520000 + (i + 1) * 0x1000u);
    }
    /* The loader's pages are the kernel's; here ring 3 may see them too. */
    for (gpa_t entry = 0x1000; entry < 0x7000; entry += 8)
        if (rig_u64(rig, entry) != 0)
            rig_set_u64(rig, entry, rig_u64(rig, entry) | 4);
    for (unsigned v = 0; v < 256; v++)
        rig_set_gate(rig, v, stubs + v * 16u, 0, v == 3 ? 0x6e : 0x0e);
}

static inline Rig
rig_new(const char *text, unsigned cpus, CpuEngine engine)
{
    MachineOptions options = {.cpus = cpus, .ram_mib = 8, .engine = engine};
    g_autoptr(GError) error = NULL;
    Rig rig = {.image = rig_assemble(text)};

    rig.machine = machine_new(&options, &error);
    cr_assert_not_null(rig.machine, "%s", error ? error->message : "");
    cr_assert(loader_boot(rig.machine, rig.image, 0, &error), "%s",
              error ? error->message : "");
    rig_make_tables(&rig);
    return rig;
}

/* Perform one action that is listed; false if there is none. */
static inline bool
rig_act(const Rig *rig, ActionKind kind, unsigned cpu, uint64_t steps,
        CpuStop *stop)
{
    g_autofree Actions *actions = g_new(Actions, 1);

    *stop = CPU_STOP_SLICE;
    machine_list_actions(rig->machine, actions);
    for (unsigned i = 0; i < actions->count; i++) {
        Action action = action_at(actions, i);

        if (action.kind != kind || action.cpu != cpu)
            continue;
        *stop = machine_perform(rig->machine, &action, steps);
        return true;
    }
    return false;
}

/* Arrivals at once, the cpus in turn, until nothing can happen or `most`
 * ticks went by. */
static inline void
rig_go(const Rig *rig, uint64_t most)
{
    g_autofree Actions *actions = g_new(Actions, 1);
    ticks_t end = machine_clock(rig->machine) + most;
    unsigned turn = 0;

    while (machine_clock(rig->machine) < end) {
        Action action;

        machine_list_actions(rig->machine, actions);
        if (actions->count == 0)
            break;
        action = action_at(actions, actions->count > actions->step_count
                                         ? actions->step_count
                                         : turn++ % actions->step_count);
        machine_perform(rig->machine, &action, 50);
    }
    machine_check(rig->machine);
}

static inline CpuActivity
rig_activity(const Rig *rig, unsigned cpu)
{
    return machine_cpu(rig->machine, cpu)->state.activity;
}

/* Assemble, boot, and run until all cpus are at their VMCALL. */
static inline Rig
rig_run(const char *text, unsigned cpus)
{
    Rig rig = rig_new(text, cpus, CPU_ENGINE_FIBER);

    rig_go(&rig, 2000000);
    for (unsigned i = 0; i < cpus; i++)
        cr_assert_eq(rig_activity(&rig, i), CPU_HELD,
                     "cpu%u is at %" PRIx64 " activity %d, last vector %" PRIu64
                     " at %" PRIx64 " cr2 %" PRIx64, i,
                     cpu_rip(machine_cpu(rig.machine, i)),
                     (int)rig_activity(&rig, i), rig_saw(&rig, i, SAW_VECTOR),
                     rig_saw(&rig, i, SAW_RIP), rig_saw(&rig, i, SAW_CR2));
    return rig;
}

static inline uint64_t
rig_reg(const Rig *rig, unsigned cpu, unsigned number)
{
    return cpu_register(machine_cpu(rig->machine, cpu), number);
}

/* One cpu runs, alone and in one slice if it can, up to its next VMCALL. */
static inline void
rig_to_vmcall(const Rig *rig, unsigned cpu)
{
    CpuStop stop = CPU_STOP_SLICE;

    for (unsigned i = 0; i < 1000 && stop <= CPU_STOP_HALT; i++)
        cr_assert(rig_act(rig, ACTION_STEP, cpu, 100000, &stop));
    cr_assert_eq(stop, CPU_STOP_HYPERCALL, "stop %d", (int)stop);
}

/* Go on behind the VMCALL. */
static inline void
rig_continue(const Rig *rig, unsigned cpu)
{
    machine_finish_hypercall(rig->machine, cpu, 0);
}

#endif
