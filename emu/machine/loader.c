/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "machine/loader.h"

G_DEFINE_QUARK(heddle-loader-error, loader_error)

#define PML4 UINT64_C(0x1000)
#define PDPT_LOW UINT64_C(0x2000)
#define PDPT_HIGH UINT64_C(0x3000)
#define PT_FIRST UINT64_C(0x4000)
#define PD_RAM UINT64_C(0x5000)
#define PD_APIC UINT64_C(0x6000)
#define PD_APIC_END UINT64_C(0x7000)
#define GDT UINT64_C(0x9000)

/* Page table entry bits (SDM 3A 4.5): present, write, accessed, dirty. */
#define PTE_TABLE UINT64_C(0x23)
#define PTE_PAGE UINT64_C(0x63)
#define PTE_LARGE UINT64_C(0x80)

static void
set_entry(Gmem *memory, gpa_t table, unsigned index, uint64_t entry)
{
    bool written = gmem_write(memory, table + index * 8u, &entry, 8);

    INVARIANT(written);
}

/* --- Tables --------------------------------------------------------------- */

/* RAM is mapped in pages of 2 MiB; the first of them in pages of 4 KiB, so
 * that page 0 can be absent and a null pointer faults.  The tables count as
 * code: like an instruction, an entry that changes is forgotten at once. */
void
loader_make_tables(Machine *machine)
{
    static const uint64_t gdt[] = {0, 0x00af9b000000ffff, 0x00cf93000000ffff};
    Gmem *memory = machine_memory(machine);
    bool written;

    set_entry(memory, PML4, 0, PDPT_LOW | PTE_TABLE);
    set_entry(memory, PML4, 256, PDPT_LOW | PTE_TABLE);
    set_entry(memory, PML4, 511, PDPT_HIGH | PTE_TABLE);
    set_entry(memory, PDPT_LOW, 0, PD_RAM | PTE_TABLE);
    set_entry(memory, PDPT_LOW, 3, PD_APIC | PTE_TABLE);
    set_entry(memory, PDPT_HIGH, 510, PD_RAM | PTE_TABLE);
    set_entry(memory, PD_RAM, 0, PT_FIRST | PTE_TABLE);
    for (unsigned i = 1; i < 512 && (uint64_t)i << 21 < memory->size; i++)
        set_entry(memory, PD_RAM, i,
                  (uint64_t)i << 21 | PTE_PAGE | PTE_LARGE);
    for (unsigned i = 1; i < 512 && (uint64_t)i << 12 < memory->size; i++)
        set_entry(memory, PT_FIRST, i, (uint64_t)i << 12 | PTE_PAGE);
    set_entry(memory, PD_APIC, LAPIC_BASE_RESET >> 21 & 511,
              (LAPIC_BASE_RESET & ~UINT64_C(0x1fffff)) | PTE_PAGE | PTE_LARGE);
    for (gpa_t line = PML4 >> LINE_BITS; line < PD_APIC_END >> LINE_BITS;
         line++)
        memory->line_flags[line] |= GMEM_CODE;
    written = gmem_write(memory, GDT, gdt, sizeof gdt);
    INVARIANT(written);
}

void
loader_start(Machine *machine, unsigned cpu, gva_t entry)
{
    cpu_boot(machine_cpu(machine, cpu), entry, PML4, GDT);
    machine_refresh(machine);
}

/* --- Images --------------------------------------------------------------- */

static bool
load_segments(Gmem *memory, const Image *image, GError **error)
{
    for (size_t i = 0; i < image_segment_count(image); i++) {
        const ImageSegment *segment = image_segment(image, i);

        if (segment->physical < LOADER_END ||
            segment->physical >= memory->size ||
            segment->memory_size > memory->size - segment->physical) {
            g_set_error(error, LOADER_ERROR, LOADER_ERROR_FIT,
                        "%s: the segment at physical 0x%" PRIx64
                        " with 0x%" PRIx64 " bytes does not fit between 0x%x "
                        "and the end of RAM at 0x%" PRIx64
                        ": link it elsewhere, or give the machine more RAM",
                        image_path(image), segment->physical,
                        segment->memory_size, (unsigned)LOADER_END,
                        memory->size);
            return false;
        }
        gmem_will_write(memory, segment->physical, segment->memory_size);
        memcpy(memory->bytes + segment->physical, segment->bytes,
               segment->file_size);
    }
    return true;
}

bool
loader_boot(Machine *machine, const Image *image, uint64_t hidden,
            GError **error)
{
    Gmem *memory = machine_memory(machine);
    Cpu *cpu = machine_cpu(machine, 0);

    if (!load_segments(memory, image, error))
        return false;
    loader_make_tables(machine);
    loader_start(machine, 0, image_entry(image));
    cpu_set_register(cpu, GPR_RDI, machine_cpus(machine));
    cpu_set_register(cpu, GPR_RSI, memory->size - hidden);
    cpu_set_register(cpu, GPR_RDX, WINDOW_DIRECT + LAPIC_BASE_RESET);
    cpu_set_register(cpu, GPR_RCX, PML4);
    machine_refresh(machine);
    return true;
}
