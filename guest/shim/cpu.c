/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu.c -- from the loader's or the trampoline's mercy to a cpu of our own.
 */
#include "shim/cpu.h"
#include "shim/lapic.h"
#include "shim/libc.h"

#define MSR_GS_BASE 0xc0000101
#define GATE_INTERRUPT 0x8e
#define CPUS_MAX 64

/* Stacks for the exceptions that may find the current one unusable. */
enum { IST_DOUBLE_FAULT = 1, IST_NMI, IST_MACHINE_CHECK, IST_COUNT = 3 };
#define IST_SIZE 2048

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t iomap;
} __attribute__((packed));

struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t ist;
    uint8_t type;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};

struct descriptor_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

/* What the processor itself needs, one for each cpu. */
struct cpu_tables {
    uint64_t gdt[5];
    struct tss tss;
    uint8_t ist[IST_COUNT][IST_SIZE] __attribute__((aligned(16)));
};

volatile uint8_t *lapic;

static struct gate idt[256];
static struct cpu_tables *cpu_tables[CPUS_MAX];
static uint64_t boot_cr3;
static uint64_t ram_end;
static uint64_t alloc_at;

extern char _end[], trap_stubs[];
extern const char ap_start[], ap_start_end[];
extern const char ap_start_cr3[], ap_start_stack[], ap_start_cpu[];

void gdt_load(const struct descriptor_pointer *gdt);
void bsp_main(unsigned cpus, uint64_t ram, uint64_t lapic_page, uint64_t cr3)
    __attribute__((noreturn));
void ap_main(unsigned cpu) __attribute__((noreturn));

void *
boot_alloc(size_t size)
{
    uint64_t at = alloc_at;

    alloc_at += (size + 63) & ~63ul;
    if (alloc_at > ram_end)
        panic("the guest needs more RAM than %lu bytes for so many cpus",
              ram_end - KERNBASE);
    return (void *)at;
}

static void
gate_set(unsigned number, uint64_t entry, unsigned ist)
{
    idt[number] = (struct gate){
        .offset_low = (uint16_t)entry,
        .selector = SEL_CODE,
        .ist = (uint8_t)ist,
        .type = GATE_INTERRUPT,
        .offset_middle = (uint16_t)(entry >> 16),
        .offset_high = (uint32_t)(entry >> 32),
    };
}

static void
idt_init(void)
{
    static const uint8_t ist_of[32] = {
        [2] = IST_NMI, [8] = IST_DOUBLE_FAULT, [18] = IST_MACHINE_CHECK,
    };
    const struct vector *vector;

    for (unsigned i = 0; i < 32; ++i)
        gate_set(i, (uint64_t)trap_stubs + i * TRAP_STUB_SIZE, ist_of[i]);
    for (vector = system_vectors; vector->entry != NULL; ++vector)
        gate_set(vector->number, (uint64_t)vector->entry, 0);
}

/* Runs on the cpu itself. */
static void
cpu_init(unsigned cpu)
{
    struct cpu_tables *own = cpu_tables[cpu];
    uint64_t tss = (uint64_t)&own->tss;
    uint64_t gs = (uint64_t)system_percpu(cpu);
    struct descriptor_pointer pointer;

    for (unsigned i = 0; i < IST_COUNT; ++i)
        own->tss.ist[i] = (uint64_t)(own->ist[i] + IST_SIZE);
    own->tss.iomap = sizeof(own->tss);

    own->gdt[SEL_CODE / 8] = 0x00209a0000000000;
    own->gdt[SEL_DATA / 8] = 0x00cf92000000ffff;
    own->gdt[SEL_TSS / 8] = 0x0000890000000000 | (sizeof(own->tss) - 1)
                            | (tss & 0xffffff) << 16 | (tss >> 24 & 0xff) << 56;
    own->gdt[SEL_TSS / 8 + 1] = tss >> 32;

    pointer.limit = sizeof(own->gdt) - 1;
    pointer.base = (uint64_t)own->gdt;
    gdt_load(&pointer);
    pointer.limit = sizeof(idt) - 1;
    pointer.base = (uint64_t)idt;
    __asm__ __volatile__("lidt %0" : : "m"(pointer));
    __asm__ __volatile__("ltr %w0" : : "r"(SEL_TSS));
    __asm__ __volatile__("wrmsr" : : "c"(MSR_GS_BASE), "a"((uint32_t)gs),
                         "d"((uint32_t)(gs >> 32)) : "memory");

    lapic_write(LAPIC_TPR, 0);
    lapic_write(LAPIC_SVR, LAPIC_SVR_ENABLE | 0xff);
}

static void
icr_send(unsigned cpu, uint32_t command)
{
    while (lapic_read(LAPIC_ICR_LOW) & ICR_BUSY)
        __asm__ __volatile__("pause" : : : "memory");
    lapic_write(LAPIC_ICR_HIGH, cpu << 24);
    lapic_write(LAPIC_ICR_LOW, command);
}

/*
 * INIT, then startup IPIs until the cpu shows up.  Intel asks for a second
 * one in case the first is lost; a cpu that runs already ignores them.
 */
static void
ap_boot(unsigned cpu)
{
    char *page = (char *)(DIRECTMAP + AP_START_PA);

    memcpy(page, ap_start, (size_t)(ap_start_end - ap_start));
    *(uint64_t *)(page + (ap_start_cr3 - ap_start)) = boot_cr3;
    *(void **)(page + (ap_start_stack - ap_start)) = system_stack(cpu);
    *(uint64_t *)(page + (ap_start_cpu - ap_start)) = cpu;

    icr_send(cpu, ICR_INIT | ICR_ASSERT);
    while (!system_cpu_is_started(cpu)) {
        icr_send(cpu, ICR_STARTUP | ICR_ASSERT | AP_START_PA >> 12);
        for (unsigned i = 0; i < 1000 && !system_cpu_is_started(cpu); ++i)
            __asm__ __volatile__("pause" : : : "memory");
    }
}

void
bsp_main(unsigned cpus, uint64_t ram, uint64_t lapic_page, uint64_t cr3)
{
    if (cpus < 1 || cpus > CPUS_MAX)
        panic("the guest runs on 1 to %d cpus, not on %u", CPUS_MAX, cpus);
    lapic = (volatile uint8_t *)lapic_page;
    boot_cr3 = cr3;
    ram_end = KERNBASE + ram;
    alloc_at = (uint64_t)_end;

    for (unsigned i = 0; i < cpus; ++i)
        cpu_tables[i] = boot_alloc(sizeof(struct cpu_tables));
    idt_init();
    system_init(cpus);
    cpu_init(0);
    for (unsigned i = 1; i < cpus; ++i)
        ap_boot(i);
    system_cpu_main(0);
}

void
ap_main(unsigned cpu)
{
    cpu_init(cpu);
    system_cpu_main(cpu);
}
